//! Clients that are registered for signed or encrypted request objects (OpenID Connect Dynamic Client
//! Registration, section 2; RFC 9101, section 10.5).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use quadrille::{
    jose::{
        Algorithm, ContentEncryption, DecryptingKey, KeyManagement, KeySet, Protected, SigningKey,
    },
    provider::{
        AuthorizationServer, ClientKeys, ClientOpenId, DynamicRegistration, FetchError, Fetched,
        Fetcher, MessageEncryption, RequestObjects,
    },
};
use serde_json::{Map, Value, json};
use url::Url;

use super::{asking, openid, world_of};
use crate::support::{Answer, Browser, CALLBACK, World};

async fn world(objects: Option<RequestObjects>) -> World {
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let offered = match objects {
        Some(objects) => openid().request_objects(objects),
        None => openid(),
    };
    let on =
        |server: AuthorizationServer| server.openid(offered).dynamic_registration(registration);
    world_of(|new| new, on).await
}

async fn register(world: &World, jwks: &Value) -> Answer {
    let metadata = json!({
        "redirect_uris": [CALLBACK],
        "jwks": jwks,
        "require_signed_request_object": true,
    });
    let text = metadata.to_string();
    world.request("POST", "/oauth/register", "application/json", &text).await
}

/// Dynamic Client Registration, section 2: a member of another specification.
#[tokio::test]
async fn a_client_that_registers_so_is_refused_whatever_it_has_not_signed() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let jwks = KeySet::from_iter([key.verifying_key().clone()]).to_json();
    let jwks: Value = serde_json::from_str(&jwks).unwrap();
    let objects = RequestObjects::new().accept_unsigned_ones_that_anybody_can_have_written();
    let mut world = world(Some(objects)).await;
    let registered = register(&world, &jwks).await.json();
    assert_eq!(registered["require_signed_request_object"], true, "{registered}");
    world.client.id = registered["client_id"].as_str().unwrap().into();
    world.sign_in("ada");
    let signed = |claims: &Value| key.sign(&Protected::plain(), claims.to_string().as_bytes());
    let plain = asking(&world, "openid", &[]).to_url("https://id.example/").unwrap();
    let plain = Url::parse(&plain).unwrap();
    let mut inside: Map<String, Value> =
        plain.query_pairs().map(|(name, value)| (name.into(), (*value).into())).collect();
    let (all, none) = (signed(&inside.clone().into()).unwrap(), signed(&json!({})).unwrap());
    inside.remove("state");
    inside.insert("prompt".to_owned(), "none".into());
    let without_state = signed(&inside.into()).unwrap();
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    for (further, is_right) in [
        (vec![], false),
        (vec![("request", unsigned)], false),
        (vec![("request", &*none)], false),
        (vec![("request", &*all)], true),
        (vec![("request", &*all), ("prompt", "none")], true),
    ] {
        let answer = world.ask(&mut Browser::default(), &asking(&world, "openid", &further)).await;
        assert_eq!(answer.status() == 200, is_right, "{further:?}: {answer:?}");
    }
    // Parameters that the client did not sign do not count (RFC 9101, section 6.3).
    let further = [("request", &*without_state)];
    let answer = world.ask(&mut Browser::default(), &asking(&world, "openid", &further)).await;
    let page = answer.text();
    assert!(page.contains("error=consent_required") && !page.contains("state="), "{page}");
    let without = self::world(None).await;
    assert_eq!(register(&without, &jwks).await.error(), "invalid_client_metadata");
}

/// Dynamic Client Registration, section 2: the client declares what it may use, and may use others, and
/// none.
#[tokio::test]
async fn a_registered_encryption_keeps_a_client_from_no_other_and_from_none() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let ours = [KeyManagement::EcdhEs, KeyManagement::EcdhEsA256Kw]
        .map(|alg| DecryptingKey::generate(alg).unwrap());
    let jwks = KeySet::from_iter([key.verifying_key().clone()]).to_json();
    let mut metadata = ClientOpenId::default();
    metadata.keys = Some(ClientKeys::Jwks(jwks.into()));
    metadata.request_object_encryption =
        Some(MessageEncryption { alg: KeyManagement::EcdhEs, enc: ContentEncryption::A256Gcm });
    let objects = RequestObjects::new().encrypted_to(ours.clone());
    let on = |server: AuthorizationServer| server.openid(openid().request_objects(objects));
    let world = world_of(|new| new.openid(metadata), on).await;
    world.sign_in("ada");
    let signed = key.sign(&Protected::plain(), br#"{"prompt":"none"}"#).unwrap();
    let [registered, other] = ours;
    let encrypted = |key: &DecryptingKey, alg, enc| {
        let header = Protected::plain().cty("JWT");
        key.encrypting_key().encrypt(alg, enc, &header, signed.as_bytes()).unwrap()
    };
    for object in [
        signed.clone(),
        encrypted(&registered, KeyManagement::EcdhEs, ContentEncryption::A256Gcm),
        encrypted(&registered, KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256),
        encrypted(&other, KeyManagement::EcdhEsA256Kw, ContentEncryption::A256CbcHs512),
    ] {
        let asked = asking(&world, "openid", &[("request", &object)]);
        let answer = world.ask(&mut Browser::default(), &asked).await;
        // What is inside counts.
        assert_eq!(answer.query("error"), "consent_required", "{answer:?}");
    }
}

/// A server of the client's keys, which may be away.
#[derive(Clone, Default)]
struct Keys(Arc<Mutex<Option<String>>>);

impl Fetcher for Keys {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        let jwks = self.0.lock().unwrap().clone();
        jwks.map(Fetched::new).ok_or(FetchError::TimedOut)
    }
}

/// RFC 6749, section 4.1.2.1.
#[tokio::test]
async fn keys_that_cannot_be_fetched_in_time_make_no_request_object_wrong() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let jwks = KeySet::from_iter([key.verifying_key().clone()]).to_json();
    let remote = Keys::default();
    let mut metadata = ClientOpenId::default();
    metadata.keys = Some(ClientKeys::JwksUri("https://app.example/jwks.json".into()));
    let served = remote.clone();
    let on = move |server: AuthorizationServer| {
        server
            .openid(openid().request_objects(RequestObjects::new()))
            .client_keys_fetched_by(served)
    };
    let world = world_of(|new| new.openid(metadata), on).await;
    world.sign_in("ada");
    let signed = key.sign(&Protected::plain(), b"{}").unwrap();
    let ask = async || {
        let asked = asking(&world, "openid", &[("request", &signed)]);
        world.ask(&mut Browser::default(), &asked).await
    };
    assert_eq!(ask().await.query("error"), "temporarily_unavailable");
    *remote.0.lock().unwrap() = Some(jwks);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(ask().await.status(), 200);
    *remote.0.lock().unwrap() = Some(r#"{"keys":7}"#.to_owned());
    world.clock.advance(Duration::from_secs(7200));
    assert_eq!(ask().await.query("error"), "invalid_request_object");
}
