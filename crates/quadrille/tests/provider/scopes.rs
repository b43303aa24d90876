//! Scopes and APIs that the server does not know.

use std::sync::Arc;

use quadrille::{
    KeyRing, Scopes,
    oauth2::{Resources, TokenRequest},
    provider::{
        AuthorizationServer, ClientMetadataError, GrantType, NewClient, RegistrationError,
        store::MemoryStore,
    },
    testing::ManualClock,
};

use crate::support::{Browser, CALLBACK, ISSUER, World};

#[tokio::test]
async fn a_client_is_not_registered_for_what_the_server_does_not_know() {
    let world = World::new().await;
    let scopes = Scopes::parse("photos:read photos:raed").unwrap();
    let typo = NewClient::confidential("Typo").redirect_uri(CALLBACK).scopes(scopes);
    let error = world.server.register(typo).await.unwrap_err();
    assert!(matches!(
        error,
        RegistrationError::Metadata(ClientMetadataError::UnknownScope(name)) if name == "photos:raed"
    ));
    let api = Resources::parse("https://nowhere.example").unwrap();
    let api = NewClient::confidential("API").resource_server(api);
    let error = world.server.register(api).await.unwrap_err();
    assert!(
        matches!(error, RegistrationError::UnknownResource(uri) if uri == "https://nowhere.example")
    );
}

/// A world whose client was registered when there was a scope that is gone by now.
async fn later(change: impl FnOnce(NewClient) -> NewClient) -> World {
    let clock = ManualClock::new();
    let store = Arc::new(MemoryStore::new(clock.env()));
    let before = AuthorizationServer::new(ISSUER, store.clone())
        .unwrap()
        .keys(KeyRing::new([&[7; 32]]).unwrap())
        .env(clock.env())
        .scopes([("gone", "Something earlier"), ("photos:read", "See your photos")]);
    let scopes = Scopes::parse("photos:read gone").unwrap();
    let new = change(NewClient::confidential("Old").redirect_uri(CALLBACK)).scopes(scopes);
    let old = before.register(new).await.unwrap();
    let of = |client: NewClient| client.id("other");
    let policy = quadrille::Policy::safe();
    let new = of(NewClient::confidential("Other").redirect_uri(CALLBACK));
    let mut world = World::build(store, clock, policy, new, |server| server).await;
    world.secret = old.secret.unwrap().expose().to_owned();
    world.client = old.client;
    world
}

#[tokio::test]
async fn a_scope_that_is_gone_is_neither_granted_nor_shown() {
    let world = later(|new| new).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut asked = world.asking();
    asked.scope = Some(Scopes::parse("photos:read gone").unwrap());
    let answer = world.ask(&mut browser, &asked).await;
    assert_eq!(answer.query("error"), "invalid_scope");
    asked.scope = None;
    let page = world.ask(&mut browser, &asked).await;
    assert!(page.text().contains("photos:read") && !page.text().contains("gone"));
    let back = browser.answer(&world, &page, "decision=all").await;
    let answer = world.redeem(&back.query("code")).await;
    assert_eq!(answer.json()["scope"], "photos:read");
}

/// A grant from before a scope was removed has it no longer, and a client of which no scope is left is
/// told so: an answer without `scope` would say that all was granted.
#[tokio::test]
async fn nor_does_a_refresh_give_it_or_a_request_without_a_scope() {
    for (scopes, left) in [("photos:read gone", Some("photos:read")), ("gone", None)] {
        let clock = ManualClock::new();
        let store = Arc::new(MemoryStore::new(clock.env()));
        let scopes = Scopes::parse(scopes).unwrap();
        let new = NewClient::confidential("Old").redirect_uri(CALLBACK).grant_types([
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
        ]);
        let policy = quadrille::Policy::safe();
        let before = |server: AuthorizationServer| server.scopes([("gone", "Something earlier")]);
        let old = World::build(store.clone(), clock.clone(), policy.clone(), new, before).await;
        let narrow = |_: &_, new: NewClient| new.scopes(scopes.clone());
        old.server.edit_client(&old.client.id, narrow).await.unwrap();
        old.sign_in("ada");
        let mut browser = Browser::default();
        let mut asked = old.asking();
        asked.scope = Some(scopes.clone());
        let page = old.ask(&mut browser, &asked).await;
        let code = browser.answer(&old, &page, "decision=all").await.query("code");
        let refresh = old.redeem(&code).await.tokens().refresh.unwrap();

        let other = NewClient::confidential("Other").id("other").redirect_uri(CALLBACK);
        let mut now = World::build(store, clock, policy, other, |server| server).await;
        (now.secret, now.client) = (old.secret.clone(), old.client.clone());
        now.sign_in("ada");
        let request = TokenRequest::RefreshToken {
            refresh_token: &refresh,
            scope: None,
            resource: Resources::EMPTY,
        };
        let refreshed = now.token(&now.auth(), &request).await.json();
        let request = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
        let own = now.token(&now.auth(), &request).await.json();
        asked.scope = None;
        let page = now.ask(&mut Browser::default(), &asked).await;
        match left {
            Some(left) => {
                assert_eq!((&refreshed["scope"], &own["scope"]), (&left.into(), &left.into()));
                // The rest of an earlier consent suffices.
                assert!(!page.query("code").is_empty(), "{page:?}");
            }
            None => {
                assert_eq!(refreshed["error"], "invalid_scope");
                assert_eq!(own["error"], "invalid_scope");
                assert_eq!(page.query("error"), "invalid_scope");
            }
        }
    }
}

#[tokio::test]
async fn nor_does_a_machine_get_it_for_itself() {
    let world = later(|new| new.grant_types([GrantType::ClientCredentials])).await;
    let ask = |scope: Option<&str>| {
        let scope = scope.map(|scope| Scopes::parse(scope).unwrap());
        TokenRequest::ClientCredentials { scope, resource: Resources::EMPTY }
    };
    let answer = world.token(&world.auth(), &ask(Some("gone"))).await;
    assert_eq!(answer.error(), "invalid_scope");
    let answer = world.token(&world.auth(), &ask(None)).await;
    assert_eq!(answer.json()["scope"], "photos:read");
}
