//! Tokens of a client whose header has a key, or names a place of keys: it says nothing about whose they are
//! (RFC 7515, sections 4.1.2, 4.1.3 and 4.1.5; RFC 8725, section 3.10).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{
    Policy,
    jose::{Algorithm, Protected, SigningKey},
    oauth2::ClientAuth,
    provider::{
        AuthorizationServer, FetchError, Fetched, Fetcher,
        GrantType::{AuthorizationCode, ClientCredentials},
        OpenId, RequestObjects,
    },
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    client_assertions::{ask, claims, inline, key, sign},
    support::{Browser, World},
};

const EVIL: &str = "https://evil.example/keys.json";

/// The web, on which nobody has anything to look for.
#[derive(Clone, Default)]
struct Web(Arc<AtomicUsize>);

impl Fetcher for Web {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(FetchError::Unreachable)
    }
}

async fn world(key: &SigningKey, web: &Web) -> World {
    let auth = inline([key]);
    let web = web.clone();
    let client = |new: quadrille::provider::NewClient| {
        new.grant_types([AuthorizationCode, ClientCredentials]).auth(auth)
    };
    let change = move |server: AuthorizationServer| {
        let keys = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = quadrille::jose::SigningKeys::new(keys, quadrille::Timestamp::default());
        server
            .client_keys_fetched_by(web)
            .signing_keys(keys.unwrap())
            .openid(OpenId::new().request_objects(RequestObjects::new()))
    };
    World::set_up(Policy::openid(), client, change).await
}

/// Tokens with these claims that an attacker signs, each with another header that leads to the attacker's key.
fn forged(claims: &Value) -> Vec<String> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let point = key.public_key().as_ref();
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig",
        "x": encode(&point[1..33]), "y": encode(&point[33..]),
    });
    let headers = [
        json!({ "alg": "ES256", "jwk": jwk }),
        json!({ "alg": "ES256", "jku": EVIL, "kid": "theirs" }),
        json!({ "alg": "ES256", "x5u": EVIL }),
        json!({ "alg": "ES256", "x5c": ["MIIB"] }),
    ];
    let sign = |header: Value| {
        let signed = [encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes())]
            .join(".");
        let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature.as_ref()))
    };
    headers.into_iter().map(sign).collect()
}

#[tokio::test]
async fn a_client_assertion_says_not_by_which_key_it_is_verified() {
    let (key, web) = (key(Algorithm::Es256), Web::default());
    let world = world(&key, &web).await;
    for assertion in forged(&claims(&world, &json!({}))) {
        let client_id = (&*world.client.id).into();
        let auth = ClientAuth::Assertion { client_id, assertion: assertion.into() };
        let answer = ask(&world, &auth).await;
        assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"));
    }
    assert_eq!(web.0.load(Ordering::SeqCst), 0);
    let good = sign(&key, &Protected::plain(), &claims(&world, &json!({})));
    assert_eq!(ask(&world, &good).await.status(), 200);
}

#[tokio::test]
async fn a_request_object_says_not_by_which_key_it_is_verified() {
    let (key, web) = (key(Algorithm::Es256), Web::default());
    let world = world(&key, &web).await;
    world.sign_in("ada");
    let ask = async |object: &str| {
        let mut asked = world.asking();
        asked.extra.push(("request".into(), object.to_owned().into()));
        world.ask(&mut Browser::default(), &asked).await
    };
    for object in forged(&json!({ "state": "forged" })) {
        assert_eq!(ask(&object).await.query("error"), "invalid_request_object");
    }
    assert_eq!(web.0.load(Ordering::SeqCst), 0);
    let good = key.sign(&Protected::plain(), b"{}").unwrap();
    assert_eq!(ask(&good).await.status(), 200);
}
