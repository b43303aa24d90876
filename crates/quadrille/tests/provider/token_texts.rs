//! Prefixes of tokens, texts that the application makes, and texts of another server.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{
    Policy, Scopes, Secret,
    oauth2::{Resources, TokenRequest},
    provider::{
        AccessTokenFormat, AuthorizationServer, GrantType, MintError, NewClient, NewToken,
        TokenPrefix, TokenPrefixes, TokenTextError,
        store::{MemoryStore, SqliteStore, Store},
    },
    testing::ManualClock,
};

use crate::support::{CALLBACK, World};

/// A world on each store of this crate.
async fn worlds(
    change: impl Fn(AuthorizationServer) -> AuthorizationServer,
) -> [(World, Option<tempfile::TempDir>); 2] {
    let clock = ManualClock::new();
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
    let memory = MemoryStore::new(clock.env());
    [
        (world(memory, clock.clone(), &change).await, None),
        (world(file, clock, &change).await, Some(folder)),
    ]
}

async fn world(
    store: impl Store,
    clock: ManualClock,
    change: impl Fn(AuthorizationServer) -> AuthorizationServer,
) -> World {
    let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK).grant_types([
        GrantType::AuthorizationCode,
        GrantType::RefreshToken,
        GrantType::ClientCredentials,
    ]);
    World::build(store, clock, Policy::safe(), new, change).await
}

fn prefixed(server: AuthorizationServer) -> AuthorizationServer {
    server.token_prefixes(TokenPrefixes::of("acme").unwrap())
}

/// The checksum as a scanner computes it, with a program of its own.
fn checksum(text: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut sum = flate2::Crc::new();
    sum.update(text.as_bytes());
    let mut rest = u64::from(sum.sum());
    let mut digits = Vec::new();
    for _ in 0..6 {
        digits.push(DIGITS[usize::try_from(rest % 62).unwrap()]);
        rest /= 62;
    }
    digits.reverse();
    String::from_utf8(digits).unwrap()
}

/// Checks what a scanner sees.
fn is_recognized(token: &str, prefix: &str, length: usize) -> bool {
    let Some(rest) = token.strip_prefix(prefix) else { return false };
    let (before, sum) = token.split_at(token.len() - 6);
    rest.len() == length + 6 && checksum(before) == sum
}

fn personal() -> NewToken {
    NewToken::personal("ada", "backup").scopes(Scopes::of(["photos:read"]))
}

#[tokio::test]
async fn each_kind_of_token_has_its_prefix_and_a_checksum() {
    for (world, _folder) in worlds(prefixed).await {
        let tokens = world.tokens("ada").await;
        let refresh = tokens.refresh.unwrap();
        assert!(is_recognized(&tokens.access, "acme_at_", 60), "{}", tokens.access);
        assert!(is_recognized(&refresh, "acme_rt_", 87), "{refresh}");
        assert!(world.is_good(&tokens.access).await);
        let next = world.refresh(&refresh).await.tokens();
        assert!(is_recognized(&next.access, "acme_at_", 60), "{}", next.access);
        assert!(is_recognized(&next.refresh.unwrap(), "acme_rt_", 87));

        let minted = world.server.mint(personal()).await.unwrap();
        assert!(is_recognized(minted.token.expose(), "acme_pat_", 60));
        assert!(world.is_good(minted.token.expose()).await);
        let of_client = NewToken::for_client("ada", &*world.client.id);
        let minted = world.server.mint(of_client).await.unwrap();
        assert!(is_recognized(minted.token.expose(), "acme_at_", 60));

        assert!(world.server.revoke_token(&tokens.access.as_str().into()).await.unwrap());
        assert!(!world.is_good(&next.access).await);
    }
}

#[tokio::test]
async fn a_token_with_another_prefix_or_without_its_own_opens_nothing() {
    for (world, _folder) in worlds(prefixed).await {
        let tokens = world.tokens("ada").await;
        let bare = &tokens.access["acme_at_".len()..tokens.access.len() - 6];
        let other = format!("evil_at_{bare}");
        let with = |text: &str| format!("{text}{}", checksum(text));
        for text in [bare.to_owned(), with(&other), format!("acme_at_{bare}"), with(bare)] {
            assert!(!world.is_good(&text).await, "{text}");
        }
        let refresh = tokens.refresh.unwrap();
        let bare = &refresh["acme_rt_".len()..refresh.len() - 6];
        for text in [bare.to_owned(), with(&format!("evil_rt_{bare}")), with(bare)] {
            assert_eq!(world.refresh(&text).await.error(), "invalid_grant", "{text}");
        }
        assert!(world.is_good(&tokens.access).await);
        world.refresh(&refresh).await.tokens();
    }
}

#[tokio::test]
async fn tokens_of_before_remain_valid_when_the_prefix_changes() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let process = async |prefixes: TokenPrefixes| {
        let file = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
        world(file, clock.clone(), |server| server.token_prefixes(prefixes.clone())).await
    };
    let first = process(TokenPrefixes::default()).await;
    let of_before = first.tokens("ada").await;
    let as_first = |world: World| World {
        client: first.client.clone(),
        secret: first.secret.clone(),
        ..world
    };
    let second = as_first(process(TokenPrefixes::of("acme").unwrap()).await);
    assert!(second.is_good(&of_before.access).await);
    let tokens = second.refresh(of_before.refresh.as_deref().unwrap()).await.tokens();
    let refresh = tokens.refresh.unwrap();
    assert!(is_recognized(&refresh, "acme_rt_", 87));
    let third = as_first(process(TokenPrefixes::of("zeta").unwrap()).await);
    assert!(third.is_good(&of_before.access).await && third.is_good(&tokens.access).await);
    let tokens = third.refresh(&refresh).await.tokens();
    assert!(is_recognized(&tokens.refresh.unwrap(), "zeta_rt_", 87));
}

#[tokio::test]
async fn a_client_has_a_prefix_of_its_own() {
    let hook = |server: AuthorizationServer| {
        prefixed(server).before_issue(|mut token| async move {
            assert_eq!(token.prefix().map(TokenPrefix::as_str), Some("acme_at_"));
            if token.client().name == "Photo printer" {
                token.set_prefix(TokenPrefix::new("printer_").unwrap());
            }
            Ok(token)
        })
    };
    for (world, _folder) in worlds(hook).await {
        let tokens = world.tokens("ada").await;
        assert!(is_recognized(&tokens.access, "printer_", 60), "{}", tokens.access);
        assert!(world.is_good(&tokens.access).await);
    }
}

/// What the application's generator returns next.
#[derive(Clone, Default)]
struct Next(Arc<Mutex<Option<String>>>);

impl Next {
    fn set(&self, text: &str) {
        *self.0.lock().unwrap() = Some(text.to_owned());
    }

    fn generate(&self, server: AuthorizationServer) -> AuthorizationServer {
        let next = self.clone();
        server.access_tokens_by_a_generator_of_my_own_that_may_be_guessed(move |token, random| {
            let set = next.0.lock().unwrap().take();
            let usual = format!("v2.{}.{}", token.client().name.len(), encoded(random));
            Some(set.unwrap_or(usual))
        })
    }
}

fn encoded(bytes: &[u8; 32]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_token_that_the_application_made_works_as_any_other() {
    let next = Next::default();
    for (world, _folder) in worlds(|server| next.generate(server)).await {
        let tokens = world.tokens("ada").await;
        assert!(tokens.access.starts_with("v2.13."), "{}", tokens.access);
        assert!(world.is_good(&tokens.access).await);
        assert!(!world.is_good(&tokens.access.to_uppercase()).await);
        let anew = world.refresh(tokens.refresh.as_deref().unwrap()).await.tokens();
        assert!(anew.access.starts_with("v2.13.") && anew.access != tokens.access);
        assert!(world.is_good(&tokens.access).await && world.is_good(&anew.access).await);

        let itself = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
        let own = world.token(&world.auth(), &itself).await.tokens();
        assert!(world.is_good(&own.access).await);

        assert!(world.server.revoke_token(&anew.access.as_str().into()).await.unwrap());
        assert!(!world.is_good(&tokens.access).await && !world.is_good(&anew.access).await);
        assert!(world.is_good(&own.access).await, "of another grant");
        world.clock.advance(Duration::from_secs(3600));
        assert!(!world.is_good(&own.access).await, "it has expired");
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_a_token_is_refused_and_uses_nothing_up() {
    let next = Next::default();
    for (world, _folder) in worlds(|server| next.generate(server)).await {
        let tokens = world.tokens("ada").await;
        let code = world.code("bob").await;
        for bad in [
            "short",
            "with a space, however long",
            "line\r\nbreak: and a header of my own",
            &"x".repeat(5000),
            &"A".repeat(60),
            &tokens.access,
        ] {
            next.set(bad);
            let answer = world.redeem(&code).await;
            assert_eq!((answer.status(), &*answer.error()), (500, "server_error"), "{bad}");
            assert!(!answer.text().contains(bad), "{bad}");
        }
        let whose = world.photos(&tokens.access).await;
        assert!(whose.text().contains("ada"), "it has no second owner: {whose:?}");
        let bobs = world.redeem(&code).await.tokens();
        assert!(world.photos(&bobs.access).await.text().contains("bob"));
    }
}

#[tokio::test]
async fn a_text_is_not_repeated_after_its_token_was_revoked_either() {
    let next = Next::default();
    for (world, _folder) in worlds(|server| next.generate(server)).await {
        let tokens = world.tokens("ada").await;
        world.server.revoke_token(&tokens.access.as_str().into()).await.unwrap();
        let code = world.code("bob").await;
        next.set(&tokens.access);
        assert_eq!(world.redeem(&code).await.status(), 500);
        assert!(!world.is_good(&tokens.access).await);
    }
}

#[tokio::test]
async fn the_generator_makes_no_jwts() {
    let next = Next::default();
    let change = |server: AuthorizationServer| {
        let key = quadrille::jose::SigningKey::generate(quadrille::jose::Algorithm::Es256);
        let keys = quadrille::jose::SigningKeys::new(key.unwrap(), ManualClock::new().now());
        let server = next.generate(prefixed(server)).signing_keys(keys.unwrap());
        server.access_token_format(AccessTokenFormat::Jwt)
    };
    for (world, _folder) in worlds(change).await {
        let access = world.tokens("ada").await.access;
        assert!(access.starts_with("eyJ"), "{access}");
        assert!(world.is_good(&access).await);
    }
}

#[tokio::test]
async fn live_tokens_of_another_server_are_imported() {
    for (world, _folder) in worlds(|server| server).await {
        let text = "9eb1f1b2a7ff4d5a8d1e1c1f3b4a5d6e7f8a9b0c";
        let import = |subject: &str, text: &str| {
            let new = NewToken::for_client(subject, &*world.client.id);
            let new = new.scopes(Scopes::of(["photos:read"])).lifetime(Duration::from_secs(1200));
            new.imported_text(text.into())
        };
        assert!(!world.is_good(text).await);
        let minted = world.server.mint(import("ada", text)).await.unwrap();
        assert_eq!(minted.token, Secret::from(text));
        assert!(world.photos(text).await.text().contains("ada"));
        let listed = world.server.consents("ada").await.unwrap();
        assert_eq!(listed[0].grants[0].grant.id, minted.grant);

        for (text, why) in [
            (text, TokenTextError::Repeated),
            ("too short", TokenTextError::Length),
            ("9eb1f1b2a7ff4d5a8d1e1c1f3b4a5d6e|7f8a9b0c", TokenTextError::Characters),
        ] {
            let error = world.server.mint(import("bob", text)).await.unwrap_err();
            assert!(matches!(error, MintError::Text(is) if is == why), "{error}");
        }
        assert!(world.photos(text).await.text().contains("ada"));
        world.server.revoke_grant("ada", minted.grant).await.unwrap();
        assert!(!world.is_good(text).await);

        let other = "a".repeat(40);
        world.server.mint(import("ada", &other)).await.unwrap();
        world.clock.advance(Duration::from_secs(1200));
        assert!(!world.is_good(&other).await, "it has expired");
    }
}

#[test]
fn a_prefix_is_a_word_that_ends_with_an_underscore() {
    for good in ["a_", "acme_pat_", "x1_y2_", "abcdefghijklmnopqrstuvwxyz01234_"] {
        assert_eq!(TokenPrefix::new(good).unwrap().as_str(), good);
    }
    for bad in ["", "_", "acme", "Acme_", "1a_", "a-b_", "a b_", "é_", "_a_"] {
        assert!(TokenPrefix::new(bad).is_err(), "{bad}");
    }
    assert!(TokenPrefix::new(&format!("{}_", "a".repeat(32))).is_err());
    assert!(TokenPrefixes::of("Acme").is_err());
}
