//! Keys that decrypt are replaced, ours and those of clients.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use http::Request;
use quadrille::{
    KeyRing,
    jose::{
        Algorithm, ContentEncryption, DecryptingKey, Decryption, Encrypted, EncryptingKey,
        KeyManagement, KeySet, Protected, SigningKey,
    },
    provider::{
        AuthorizationServer, ClientKeys, ClientOpenId, FetchError, Fetched, Fetcher,
        MessageEncryption, RequestObjects,
    },
};
use serde_json::json;
use url::Url;

use super::{asking, consented, openid, text, tokens, verified, world_of};
use crate::support::{Browser, ISSUER, World};

const ALG: KeyManagement = KeyManagement::EcdhEs;
const ENC: ContentEncryption = ContentEncryption::A256Gcm;

/// A provider with the keys of this ring, whose client signs by `key`.
async fn world_with(ring: &[[u8; 32]], key: &SigningKey) -> World {
    let ring = KeyRing::new(ring).unwrap();
    let objects = RequestObjects::new().encrypted_to_keys_of(&ring, ISSUER).unwrap();
    let keys = KeySet::from_iter([key.verifying_key().clone()]).to_json();
    let mut metadata = ClientOpenId::default();
    metadata.keys = Some(ClientKeys::Jwks(keys.into()));
    let on = |server: AuthorizationServer| server.openid(openid().request_objects(objects));
    world_of(|new| new.openid(metadata), on).await
}

/// The only key in the JWK Set to which a client encrypts, which it may keep for a while.
async fn published(world: &World) -> EncryptingKey {
    let jwks = world.send(Request::get("/oauth/jwks").body(Body::empty()).unwrap()).await;
    assert!(jwks.header("cache-control").contains("max-age="), "{jwks:?}");
    let listed = jwks.json()["keys"].as_array().unwrap().clone();
    assert_eq!(listed.iter().filter(|key| key["use"] == "enc").count(), 1, "{jwks:?}");
    KeySet::parse(jwks.text().as_bytes()).unwrap().encrypting_by(ALG).unwrap().clone()
}

/// Section 10.2.1: our key is decommissioned.
#[tokio::test]
async fn a_new_key_is_published_alone_and_the_one_before_opens_what_clients_still_send() {
    let (old, new) = ([1; 32], [2; 32]);
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let object = json!({ "state": "hidden" }).to_string();
    let object = key.sign(&Protected::plain(), object.as_bytes()).unwrap();
    let to = |to: &EncryptingKey| {
        to.encrypt(ALG, ENC, &Protected::plain().cty("JWT"), object.as_bytes()).unwrap()
    };
    let before = published(&world_with(&[old], &key).await).await;
    let world = world_with(&[new, old], &key).await;
    let after = published(&world).await;
    assert_ne!(after.kid(), before.kid());
    for sent in [to(&before), to(&after)] {
        let further = [("request", &*sent), ("prompt", "consent")];
        assert_eq!(consented(&world, "openid", &further).await.query("state"), "hidden");
    }
    let world = world_with(&[new], &key).await;
    world.sign_in("ada");
    for (sent, is_known) in [(to(&before), false), (to(&after), true)] {
        let asked = asking(&world, "openid", &[("request", &sent)]);
        let answer = world.ask(&mut Browser::default(), &asked).await;
        assert_eq!(answer.status() == 200, is_known, "{answer:?}");
    }
}

/// A server of the client's keys.
#[derive(Clone, Default)]
struct Keys(Arc<Mutex<String>>);

impl Keys {
    fn publish(&self, key: &DecryptingKey) {
        let keys = KeySet::default().with_encrypting([key.encrypting_key().clone()]);
        *self.0.lock().unwrap() = keys.to_json();
    }
}

impl Fetcher for Keys {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        Ok(Fetched::new(self.0.lock().unwrap().clone()))
    }
}

/// Section 10.2.1: the client decommissions its key.
#[tokio::test]
async fn an_id_token_is_encrypted_to_the_key_that_the_client_publishes_now() {
    let (remote, uri) = (Keys::default(), "https://app.example/jwks.json");
    let mut metadata = ClientOpenId::default();
    metadata.id_token_encrypted_response = Some(MessageEncryption { alg: ALG, enc: ENC });
    metadata.keys = Some(ClientKeys::JwksUri(uri.into()));
    let served = remote.clone();
    let on = move |server: AuthorizationServer| {
        server.openid(openid().encrypted_responses()).client_keys_fetched_by(served)
    };
    let world = world_of(|new| new.openid(metadata), on).await;
    for _ in 0..2 {
        let key = DecryptingKey::generate(ALG).unwrap();
        remote.publish(&key);
        // Longer than the keys before are kept.
        world.clock.advance(Duration::from_secs(601));
        let response = tokens(&world, "openid", &[("prompt", "consent")]).await;
        let token = Encrypted::parse(text(&response, "id_token")).unwrap();
        let opened = token.decrypt(Decryption::only(ALG, ENC), [&key]).unwrap();
        assert_eq!(verified(&world, opened.nested().unwrap()).await.0.subject, "ada");
    }
}
