//! The rules of one client: its scopes, lifetimes, PKCE and rotation.

use std::time::Duration;

use quadrille::{
    Policy, Scopes,
    oauth2::{Resources, TokenRequest},
    provider::{GrantType, Lifetimes, NewClient, RegistrationError},
};

use crate::support::{Browser, CALLBACK, World};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn read() -> Scopes {
    Scopes::parse("photos:read").unwrap()
}

#[tokio::test]
async fn a_request_without_scope_gets_the_defaults_and_may_request_more() {
    let world = World::with(Policy::safe(), |new| {
        new.default_scopes(read()).grant_types([
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
        ])
    })
    .await;
    assert_eq!(world.tokens("ada").await.scope, "photos:read");
    let mut request = world.asking();
    request.scope = Some(Scopes::parse("photos:read photos:write").unwrap());
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &request).await;
    assert!(page.text().contains("scope=photos:write"), "{}", page.text());
    let itself = |scope| TokenRequest::ClientCredentials { scope, resource: Resources::EMPTY };
    let machine = world.token(&world.auth(), &itself(None)).await.tokens();
    assert_eq!(machine.scope, "photos:read");
    let write = Some(Scopes::parse("photos:write").unwrap());
    assert_eq!(world.token(&world.auth(), &itself(write)).await.tokens().scope, "photos:write");
}

#[tokio::test]
async fn empty_defaults_are_no_scopes_at_all() {
    let world = World::with(Policy::safe(), |new| new.default_scopes(Scopes::EMPTY)).await;
    assert_eq!(world.tokens("ada").await.scope, "");
}

#[tokio::test]
async fn a_client_has_its_own_lifetimes() {
    let lifetimes = Lifetimes {
        code: Some(seconds(10)),
        access_token: Some(seconds(120)),
        refresh_token_idle: Some(seconds(600)),
        refresh_token_total: Some(seconds(1000)),
    };
    let world = World::with(Policy::safe(), |new| new.lifetimes(lifetimes)).await;
    let code = world.code("ada").await;
    world.clock.advance(seconds(11));
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");

    let code = world.code("ada").await;
    let answer = world.redeem(&code).await;
    assert_eq!(answer.json()["expires_in"], 120);
    let tokens = answer.tokens();
    world.clock.advance(seconds(121));
    assert!(!world.is_good(&tokens.access).await);
    let refresh = tokens.refresh.unwrap();
    world.clock.advance(seconds(600 - 121 - 1));
    let next = world.refresh(&refresh).await.tokens();
    world.clock.advance(seconds(402));
    let late = world.refresh(&next.refresh.unwrap()).await;
    assert_eq!(late.error(), "invalid_grant", "the total lifetime counts from the consent");
    let idle = world.tokens("ada").await.refresh.unwrap();
    world.clock.advance(seconds(601));
    assert_eq!(world.refresh(&idle).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_client_with_a_long_lifetime_stays_revoked() {
    let world = World::with(Policy::safe(), |new| {
        new.lifetimes(Lifetimes {
            refresh_token_total: Some(seconds(3 * 365 * 24 * 3600)),
            refresh_token_idle: Some(seconds(3 * 365 * 24 * 3600)),
            ..Lifetimes::default()
        })
    })
    .await;
    let refresh = world.tokens("ada").await.refresh.unwrap();
    let server = &world.server;
    let edited = server
        .edit_client(&world.client.id, |_, new| new.lifetimes(Lifetimes::default()))
        .await
        .unwrap();
    assert!(edited.client.lifetimes.is_default());
    assert!(server.revoke_token(&refresh.as_str().into()).await.unwrap());
    for _ in 0..2 {
        world.clock.advance(seconds(400 * 24 * 3600));
        // Writes sweep what has expired.
        world.tokens("bob").await;
        assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
    }
}

#[tokio::test]
async fn a_refresh_token_that_does_not_rotate_stays_valid_until_it_lies_unused() {
    let world = World::with(Policy::safe(), |new| {
        new.allow_refresh_tokens_without_rotation_so_that_a_stolen_one_stays_valid().lifetimes(
            Lifetimes { refresh_token_idle: Some(seconds(1000)), ..Lifetimes::default() },
        )
    })
    .await;
    let refresh = world.tokens("ada").await.refresh.unwrap();
    for _ in 0..5 {
        world.clock.advance(seconds(900));
        let tokens = world.refresh(&refresh).await.tokens();
        assert_eq!(tokens.refresh, None, "the client keeps its token");
        assert!(world.is_good(&tokens.access).await);
    }
    let many = statuses_of(&world, &refresh).await;
    assert!(many.iter().all(|status| *status == 200), "{many:?}");
    world.clock.advance(seconds(1001));
    assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
}

async fn statuses_of(world: &World, refresh: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(world.refresh(refresh).await.status());
    }
    statuses
}

#[tokio::test]
async fn rotation_is_switched_off_and_on_for_tokens_that_exist() {
    let world = World::new().await;
    let first = world.tokens("ada").await.refresh.unwrap();
    let second = world.refresh(&first).await.tokens().refresh.unwrap();
    let edit = |rotates: bool| {
        let server = world.server.clone();
        let id = world.client.id.clone();
        async move {
            let change = |new: NewClient| match rotates {
                true => new.rotate_refresh_tokens(),
                false => {
                    new.allow_refresh_tokens_without_rotation_so_that_a_stolen_one_stays_valid()
                }
            };
            server.edit_client(&id, |_, new| change(new)).await.unwrap();
        }
    };
    edit(false).await;
    world.clock.advance(seconds(60));
    assert_eq!(world.refresh(&first).await.error(), "invalid_grant");
    for _ in 0..2 {
        assert_eq!(world.refresh(&second).await.tokens().refresh, None, "it is not revoked");
    }
    edit(true).await;
    let third = world.refresh(&second).await.tokens().refresh.unwrap();
    world.clock.advance(seconds(60));
    assert_eq!(world.refresh(&second).await.error(), "invalid_grant");
    assert_eq!(world.refresh(&third).await.error(), "invalid_grant", "a copy was used");
}

#[tokio::test]
async fn pkce_is_required_of_one_client_where_others_may_omit_it() {
    let world =
        World::with(Policy::safe().allow_confidential_clients_without_pkce(), |new| new).await;
    world.sign_in("ada");
    let mut request = world.asking();
    request.code_challenge = None;
    let mut browser = Browser::default();
    assert_eq!(world.ask(&mut browser, &request).await.status(), 200);
    let server = &world.server;
    server.edit_client(&world.client.id, |_, new| new.require_pkce()).await.unwrap();
    let refused = world.ask(&mut browser, &request).await;
    assert_eq!(refused.query("error"), "invalid_request");
}

#[tokio::test]
async fn a_token_request_needs_no_redirect_uri_if_pkce_was_verified() {
    let world = World::with(Policy::safe(), |new| {
        new.allow_without_pkce_so_that_a_leaked_code_can_be_injected()
    })
    .await;
    let verifier = world.verifier();
    let asked = |code, verifier, redirect_uri| {
        let resource = Resources::EMPTY;
        TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier: verifier, resource }
    };
    let code = world.code("ada").await;
    let wrong = asked(&code, Some(verifier.expose()), Some("https://app.example/other"));
    assert_eq!(world.token(&world.auth(), &wrong).await.error(), "invalid_grant");
    let without_verifier = asked(&code, None, None);
    assert_eq!(world.token(&world.auth(), &without_verifier).await.error(), "invalid_grant");
    let without_uri = asked(&code, Some(verifier.expose()), None);
    world.token(&world.auth(), &without_uri).await.tokens();

    world.sign_in("ada");
    let mut request = world.asking();
    request.code_challenge = None;
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &request).await;
    let page = if page.status() == 200 {
        browser.answer(&world, &page, "decision=all").await
    } else {
        page
    };
    let code = page.query("code");
    let answer = world.token(&world.auth(), &asked(&code, None, None)).await;
    assert_eq!(answer.error(), "invalid_grant", "only PKCE replaces the comparison");
    world.token(&world.auth(), &asked(&code, None, Some(CALLBACK))).await.tokens();
}

#[tokio::test]
async fn rules_that_contradict_or_are_unsafe_are_not_registered() {
    let world = World::new().await;
    let web = || NewClient::confidential("Web").redirect_uri(CALLBACK).scopes(read());
    let public = || NewClient::public("App").redirect_uri(CALLBACK);
    let register = |new| async { world.server.register(new).await.unwrap_err() };
    let write = Scopes::parse("photos:write").unwrap();
    assert!(matches!(
        register(web().default_scopes(write)).await,
        RegistrationError::DefaultScope(name) if name == "photos:write"
    ));
    let kept = public().allow_refresh_tokens_without_rotation_so_that_a_stolen_one_stays_valid();
    assert!(matches!(register(kept).await, RegistrationError::PublicClientWithoutRotation));
    for lifetime in [Duration::ZERO, seconds(u64::MAX), Duration::from_millis(10)] {
        let lifetimes = Lifetimes { access_token: Some(lifetime), ..Lifetimes::default() };
        let refused = register(web().lifetimes(lifetimes)).await;
        assert!(matches!(refused, RegistrationError::Lifetime), "{lifetime:?}");
    }
}
