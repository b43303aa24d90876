//! Grants of users, listed and withdrawn; the application's own data; tokens that it mints.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy, Scopes,
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{MintError, NewClient, NewToken, NotIssued, Occasion, store::SqliteStore},
    testing::ManualClock,
};

use crate::{
    oauth1_support::{self, Signing},
    support::{Browser, CALLBACK, ISSUER, World},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Asks for these scopes, and answers the page with these fields.
async fn grant(world: &World, scopes: &str, fields: &str) -> String {
    let mut browser = Browser::default();
    let mut request = world.asking();
    request.scope = Some(Scopes::parse(scopes).unwrap());
    let page = world.ask(&mut browser, &request).await;
    browser.answer(world, &page, fields).await.query("code")
}

async fn data(world: &World, token: &str) -> String {
    let request = Request::get("/api/data").header("authorization", format!("Bearer {token}"));
    world.send(request.body(Body::empty()).unwrap()).await.text().to_owned()
}

async fn introspect(world: &World, token: &str) -> serde_json::Value {
    let ClientAuth::Basic { client_id, client_secret } = world.auth() else { panic!() };
    let form =
        format!("token={token}&client_id={client_id}&client_secret={}", client_secret.expose());
    let form_type = "application/x-www-form-urlencoded";
    world.request("POST", "/oauth/introspect", form_type, &form).await.json()
}

#[tokio::test]
async fn all_access_of_a_user_is_listed_and_withdrawn_by_one_call() {
    let world = World::new().await;
    let first = world.tokens("ada").await;
    world.clock.advance(DAY);
    let second = world.tokens("ada").await;
    let others = world.tokens("grace").await;

    let granted = world.server.consents("ada").await.unwrap();
    let [printer] = &granted[..] else { panic!("{granted:?}") };
    assert_eq!(printer.client.name, "Photo printer");
    assert_eq!(printer.consents.len(), 1);
    assert_eq!(printer.grants.len(), 2);
    assert_eq!(printer.scopes().as_str(), "photos:read photos:write");
    let given = printer.given();
    assert!(given > world.env.now() - Duration::from_secs(1), "{given:?}");

    // The last use, of the first grant.
    world.clock.advance(DAY);
    let first = world.refresh(&first.refresh.unwrap()).await.tokens();
    let printer = world.server.consents("ada").await.unwrap().remove(0);
    let last = printer.last_issue().unwrap();
    assert!(last > given, "{last:?}");
    assert!(printer.grants[0].refreshed.is_some() && printer.grants[1].refreshed.is_none());

    // One grant, as of a lost device.
    let number = printer.grants[0].grant.id;
    assert!(!world.server.revoke_grant("grace", number).await.unwrap(), "not grace's");
    assert!(world.is_good(&first.access).await);
    assert!(world.server.revoke_grant("ada", number).await.unwrap());
    assert!(!world.server.revoke_grant("ada", number).await.unwrap(), "revoked already");
    assert!(!world.is_good(&first.access).await);
    assert_eq!(world.refresh(&first.refresh.unwrap()).await.error(), "invalid_grant");
    let second = world.refresh(&second.refresh.unwrap()).await.tokens();

    // Everything.
    world.server.revoke_consent("ada", &printer.client.id).await.unwrap();
    assert!(world.server.consents("ada").await.unwrap().is_empty());
    assert!(!world.is_good(&second.access).await);
    assert!(world.server.consents("grace").await.unwrap().len() == 1);
    assert!(world.refresh(&others.refresh.unwrap()).await.status() == 200);
}

#[tokio::test]
async fn access_without_a_consent_is_listed_too() {
    let world = World::with(Policy::safe(), NewClient::first_party).await;
    world.tokens("ada").await;
    let granted = world.server.consents("ada").await.unwrap();
    assert!(granted[0].client.first_party && granted[0].consents.is_empty());
    assert_eq!(granted[0].grants.len(), 1);

    let world = oauth1_support::world().await;
    Signing::new(&world).linked(&world, "ada").await;
    let granted = world.server.consents("ada").await.unwrap();
    assert_eq!(granted[0].grants.len(), 1);
    assert_eq!(granted[0].scopes().as_str(), "photos:read photos:write");
    assert!(world.server.revoke_grant("ada", granted[0].grants[0].grant.id).await.unwrap());
    assert!(world.server.consents("ada").await.unwrap()[0].grants.is_empty());

    // A token for a client itself is no user's.
    let world = World::new().await;
    let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
    world.token(&world.auth(), &asked).await;
    assert!(world.server.consents(&world.client.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn grants_whose_tokens_expired_are_not_listed() {
    let world = World::new().await;
    world.tokens("ada").await;
    world.clock.advance(366 * DAY);
    let granted = world.server.consents("ada").await.unwrap();
    assert!(granted[0].grants.is_empty() && granted[0].consents.len() == 1);
}

#[tokio::test]
async fn the_applications_own_data_goes_with_the_grant() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
    let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
    let world = World::build(store, clock, Policy::safe(), new, |server| server).await;
    world.sign_in("ada");
    let code = grant(&world, "photos:read", "decision=all&album=7").await;
    let tokens = world.redeem(&code).await.tokens();
    assert_eq!(introspect(&world, &tokens.access).await["album"], 7);
    assert!(data(&world, &tokens.access).await.contains("Number(7)"));
    let tokens = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert_eq!(introspect(&world, &tokens.access).await["album"], 7);
    assert_eq!(introspect(&world, &tokens.refresh.unwrap()).await["album"], 7);

    // Without a page, the album stays.
    let mut browser = Browser::default();
    let mut request = world.asking();
    request.scope = Some(Scopes::of(["photos:read"]));
    let code = world.ask(&mut browser, &request).await.query("code");
    let tokens = world.redeem(&code).await.tokens();
    assert_eq!(introspect(&world, &tokens.access).await["album"], 7);

    // The next page knows the album and the scopes that were granted before.
    let page = world.ask(&mut browser, &world.asking()).await;
    assert!(page.text().contains("album=7\n"), "{}", page.text());
    assert!(page.text().contains("granted=photos:read\n"), "{}", page.text());
    let code = browser.answer(&world, &page, "decision=all&album=8").await.query("code");
    let tokens = world.redeem(&code).await.tokens();
    assert_eq!(introspect(&world, &tokens.access).await["album"], 8);
}

#[tokio::test]
async fn a_user_grants_a_part_and_the_rest_later() {
    let world = World::new().await;
    world.sign_in("ada");
    let both = "photos:read photos:write";
    let code = grant(&world, both, "decision=only&scope=photos%3Aread").await;
    assert_eq!(world.redeem(&code).await.tokens().scope, "photos:read");
    // The part is remembered: it is granted without a page, and asked for no more.
    let mut browser = Browser::default();
    let mut request = world.asking();
    request.scope = Some(Scopes::of(["photos:read"]));
    let code = world.ask(&mut browser, &request).await.query("code");
    assert_eq!(world.redeem(&code).await.tokens().scope, "photos:read");
    // The rest is asked for again, beside what was granted.
    let page = world.ask(&mut browser, &world.asking()).await;
    assert!(page.text().contains("granted=photos:read\n"), "{}", page.text());
    assert!(page.text().contains("scope=photos:write "), "{}", page.text());
    let fields = "decision=only&scope=photos%3Aread&scope=photos%3Awrite";
    let code = browser.answer(&world, &page, fields).await.query("code");
    assert_eq!(world.redeem(&code).await.tokens().scope, both);
    let code = world.ask(&mut browser, &world.asking()).await.query("code");
    assert_eq!(world.redeem(&code).await.tokens().scope, both);
    // A scope that is unticked on a later page is forgotten.
    let url = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let url = format!("{}&prompt=consent", url.strip_prefix(ISSUER).unwrap());
    let page = browser.get(&world, &url).await;
    browser.answer(&world, &page, "decision=only&scope=photos%3Awrite").await.query("code");
    let page = world.ask(&mut browser, &world.asking()).await;
    assert!(page.text().contains("granted=photos:write\n"), "{}", page.text());
}

/// The page has no box for the scopes that it shows as granted.
#[tokio::test]
async fn a_page_from_before_a_withdrawal_gives_nothing_back_that_it_does_not_ask_about() {
    let world = World::new().await;
    world.sign_in("ada");
    grant(&world, "photos:read", "decision=all").await;
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &world.asking()).await;
    assert!(page.text().contains("granted=photos:read\n"), "{}", page.text());
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(answer.status(), 400);
    assert!(answer.text().contains("consent_withdrawn"), "{}", answer.text());
    // Nor was the page used up by that: it may still give what it asks about.
    let answer = browser.answer(&world, &page, "decision=only&scope=photos%3Awrite").await;
    assert_eq!(world.redeem(&answer.query("code")).await.tokens().scope, "photos:write");
}

#[tokio::test]
async fn personal_access_tokens_are_minted_listed_and_revoked() {
    let world = World::new().await;
    let read = || Scopes::of(["photos:read"]);
    let new = NewToken::personal("ada", "backup script").scopes(read()).lifetime(90 * DAY);
    let backup = world.server.mint(new.data("album", 7).unwrap()).await.unwrap();
    let new = NewToken::personal("ada", "laptop").scopes(read());
    let laptop = world.server.mint(new).await.unwrap();
    assert!(world.is_good(backup.token.expose()).await);
    assert!(world.photos(laptop.token.expose()).await.text().contains("ada"));
    assert!(data(&world, backup.token.expose()).await.contains("Number(7)"));
    let names = async |subject| {
        let tokens = world.server.personal_tokens(subject).await.unwrap();
        let name = |token: &quadrille::provider::store::LiveGrant| {
            token.grant.details.as_ref().unwrap().name.as_deref().unwrap().to_owned()
        };
        tokens.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names("ada").await, ["backup script", "laptop"]);
    assert!(names("grace").await.is_empty());
    assert!(world.server.consents("ada").await.unwrap().is_empty(), "no client's");

    world.clock.advance(2 * Duration::from_secs(3600));
    assert_eq!(names("ada").await, ["backup script"], "the laptop's lasted an hour");
    assert!(!world.is_good(laptop.token.expose()).await);
    world.clock.advance(80 * DAY);
    assert!(world.is_good(backup.token.expose()).await);
    assert!(world.server.revoke_grant("ada", backup.grant).await.unwrap());
    assert!(!world.is_good(backup.token.expose()).await);
    assert!(names("ada").await.is_empty());
}

#[tokio::test]
async fn an_invalid_token_is_not_minted() {
    let hook = |token: quadrille::provider::PlannedToken| async move {
        match (token.occasion(), token.subject()) {
            (Occasion::Minted, Some("mallory")) => Err(NotIssued::refused("disabled")),
            _ => Ok(token),
        }
    };
    let world = World::set_up(Policy::safe(), |new| new, |server| server.before_issue(hook)).await;
    let mint = async |new| world.server.mint(new).await.unwrap_err();
    let unknown = NewToken::personal("ada", "x").scopes(Scopes::of(["photos:everything"]));
    assert!(matches!(mint(unknown).await, MintError::UnknownScope));
    let elsewhere = Resources::parse("https://elsewhere.example").unwrap();
    let elsewhere = NewToken::personal("ada", "x").resources(elsewhere);
    assert!(matches!(mint(elsewhere).await, MintError::UnknownResource));
    for name in [" ", "", "a\u{202e}b", "a\nb", &"x".repeat(101)] {
        assert!(matches!(mint(NewToken::personal("ada", name)).await, MintError::Name), "{name:?}");
    }
    let client = NewToken::for_client("ada", "nobody");
    assert!(matches!(mint(client).await, MintError::UnknownClient));
    assert!(matches!(mint(NewToken::personal("mallory", "x")).await, MintError::Server(_)));
    assert!(NewToken::personal("ada", "x").data("sub", "grace").is_err());

    // For a client, in a test, in place of the dance.
    let new = NewToken::for_client("ada", world.client.id.clone());
    let minted = world.server.mint(new.scopes(Scopes::of(["photos:read"]))).await.unwrap();
    assert!(world.is_good(minted.token.expose()).await);
    assert_eq!(world.server.consents("ada").await.unwrap()[0].grants.len(), 1);
}
