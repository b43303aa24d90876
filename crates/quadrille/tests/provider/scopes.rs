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
