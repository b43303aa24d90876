//! Tokens that are bound to a key (RFC 9449, RFC 8705), of which no proof is read yet.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use quadrille::{
    Actor, Binding, Policy, Scopes,
    oauth2::{ClientAuth, IntrospectionRequest, Resources},
    provider::{
        NewClient,
        store::{AccessRecord, Grant, Grants as _, Issuers as _, MemoryStore, RowId},
    },
    testing::ManualClock,
};

use crate::support::{CALLBACK, ISSUER, World};

const KEYS: [(Binding, &str, &str); 2] =
    [(Binding::Jwk([0; 32]), "DPoP", "jkt"), (Binding::Certificate([0; 32]), "Bearer", "x5t#S256")];

/// A world with a token that others made, bound to `binding`.
async fn with_token(binding: Option<Binding>) -> (World, String) {
    let clock = ManualClock::new();
    let store = Arc::new(MemoryStore::new(clock.env()));
    let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
    let world = World::build(store.clone(), clock, Policy::safe(), new, |server| server).await;
    let token = "a-token-that-others-made".to_owned();
    let hash = digest(&SHA256, token.as_bytes()).as_ref().try_into().unwrap();
    let row = RowId(world.client.number.0 + 1);
    let grant = Grant {
        id: row,
        client: world.client.id.clone(),
        actor: Actor::User("ada".into()),
        scopes: Scopes::of(["photos:read"]),
        resources: Resources::EMPTY,
        authentication: None,
        details: None,
    };
    let expires = world.env.now() + Duration::from_secs(3600);
    let issuer = store.issuer(ISSUER).await.unwrap();
    store
        .import(issuer, AccessRecord { row, hash, grant, expires, binding, exchange: None })
        .await
        .unwrap();
    (world, token)
}

#[tokio::test]
async fn an_api_refuses_a_bound_token_without_a_proof() {
    let (world, token) = with_token(None).await;
    assert!(world.is_good(&token).await, "a bearer token");
    for (binding, ..) in KEYS {
        let (world, token) = with_token(Some(binding)).await;
        let answer = world.photos(&token).await;
        assert_eq!(answer.status(), 401);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    }
}

#[tokio::test]
async fn introspection_tells_the_key_to_which_a_token_is_bound() {
    for (binding, token_type, method) in KEYS {
        let (world, token) = with_token(Some(binding)).await;
        let auth = ClientAuth::Basic {
            client_id: (*world.client.id).into(),
            client_secret: world.secret.as_str().into(),
        };
        let asked = IntrospectionRequest { token: &token, token_type_hint: None };
        let request = asked.to_request("https://id.example/oauth/introspect", &auth, &[]).unwrap();
        let answer = world.send(request.map(Body::from)).await.json();
        assert_eq!(answer["active"], true);
        assert_eq!(answer["token_type"], token_type);
        assert_eq!(answer["cnf"], serde_json::json!({ method: "A".repeat(43) }));
    }
}
