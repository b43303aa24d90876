//! An API elsewhere that verifies JWT access tokens (RFC 9068) by the issuer's published keys.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body as AxumBody, routing::get};
use bytes::Bytes;
use http::{Request, Response};
use quadrille::{
    Actor, Env, Secret,
    guard::{Access, AccessError, Guard, JwtAccessTokens, JwtAccessTokensError, Verified},
    jose::{Algorithm, Algorithms, KeySet, Protected, SigningKey},
    testing::ManualClock,
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{API, ISSUER, Photos};

const METADATA: &str = "https://id.example/.well-known/oauth-authorization-server";
const JWKS: &str = "https://id.example/keys";

/// An issuer elsewhere that another program could be.
#[derive(Clone)]
struct Issuer {
    keys: Arc<Mutex<Vec<SigningKey>>>,
    metadata: Arc<Mutex<Value>>,
    is_up: Arc<Mutex<bool>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    fn new() -> Self {
        let metadata = json!({ "issuer": ISSUER, "jwks_uri": JWKS });
        Self {
            keys: Arc::new(Mutex::new(vec![key(Algorithm::Es256, "1")])),
            metadata: Arc::new(Mutex::new(metadata)),
            is_up: Arc::new(Mutex::new(true)),
            asked: Arc::default(),
        }
    }

    fn key(&self) -> SigningKey {
        self.keys.lock().unwrap()[0].clone()
    }

    /// The number of times that its keys were fetched.
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl HttpClient for Issuer {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        assert_eq!((request.method().as_str(), purpose), ("GET", Purpose::Document));
        if !*self.is_up.lock().unwrap() {
            return Err(NetworkError::Connect);
        }
        let body = match &*request.uri().to_string() {
            METADATA => self.metadata.lock().unwrap().to_string(),
            JWKS => {
                self.asked.fetch_add(1, Ordering::SeqCst);
                let keys = self.keys.lock().unwrap();
                keys.iter().map(|key| key.verifying_key().clone()).collect::<KeySet>().to_json()
            }
            _ => {
                let mut response = Response::new(Body::default());
                *response.status_mut() = http::StatusCode::NOT_FOUND;
                return Ok(response);
            }
        };
        Ok(Response::new(Body::from(Bytes::from(body))))
    }
}

fn key(algorithm: Algorithm, kid: &str) -> SigningKey {
    SigningKey::generate(algorithm).unwrap().with_kid(kid)
}

pub(crate) struct World {
    clock: ManualClock,
    env: Env,
    issuer: Issuer,
    pub(crate) guard: Guard,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|tokens| tokens)
    }

    fn with(change: impl FnOnce(JwtAccessTokens) -> JwtAccessTokens) -> Self {
        let (clock, issuer) = (ManualClock::new(), Issuer::new());
        let env = clock.env();
        let tokens = JwtAccessTokens::of(ISSUER).unwrap().env(env.clone()).http(issuer.clone());
        let guard = Guard::elsewhere(API, change(tokens)).audience(API);
        Self { clock, env, issuer, guard }
    }

    /// Claims as RFC 9068 has them, with changes; `null` removes one.
    fn claims(&self, changes: &Value) -> Vec<u8> {
        let now = self.env.now().seconds();
        let mut claims = json!({
            "iss": ISSUER, "aud": API, "sub": "ada", "client_id": "app", "jti": "1",
            "iat": now, "exp": now + 600, "scope": "photos:read", "auth_time": now - 60,
            "acr": "urn:two", "amr": ["pwd", "otp"],
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims.to_string().into_bytes()
    }

    pub(crate) fn token(&self, changes: &Value) -> String {
        self.issuer.key().sign(&Protected::typ("at+jwt"), &self.claims(changes)).unwrap()
    }

    async fn check(&self, token: &str) -> Result<Verified, AccessError> {
        check(&self.guard, token).await
    }
}

async fn check(guard: &Guard, token: &str) -> Result<Verified, AccessError> {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    guard.check(&parts, b"").await.map(|verified| verified.expect("there is a token"))
}

#[tokio::test]
async fn a_handler_takes_the_same_access_as_from_the_server_itself() {
    let world = World::new();
    async fn photos(access: Access<Photos>) -> String {
        let authentication = access.authentication().unwrap();
        format!(
            "{:?} by {} {:?} {:?}",
            access.actor(),
            access.client(),
            authentication.acr,
            authentication.amr
        )
    }
    let app = Router::new().route("/", get(photos)).layer(world.guard.clone());
    let get = async |token: String| {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let answer = app.clone().oneshot(request.body(AxumBody::empty()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let expected = r#"User("ada") by app Some("urn:two") ["pwd", "otp"]"#;
    assert_eq!(get(world.token(&json!({}))).await, (200, expected.to_owned()));
    assert_eq!(get(world.token(&json!({ "scope": "profile" }))).await.0, 403);
    assert_eq!(get(world.token(&json!({ "aud": "https://mail.example" }))).await.0, 401);
}

#[tokio::test]
async fn only_access_tokens_that_the_issuer_signed_for_this_api_are_accepted() {
    let world = World::new();
    let now = world.env.now().seconds();
    for (changes, expected) in [
        (json!({}), Ok(())),
        (json!({ "aud": ["https://mail.example", API] }), Ok(())),
        (json!({ "exp": now - 29 }), Ok(())),
        (json!({ "exp": now - 30 }), Err(AccessError::Expired)),
        (json!({ "nbf": now + 30 }), Ok(())),
        (json!({ "nbf": now + 31 }), Err(AccessError::Unknown)),
        (json!({ "iat": now + 31 }), Err(AccessError::Unknown)),
        (json!({ "aud": "https://mail.example" }), Err(AccessError::OtherAudience)),
        (json!({ "aud": "api" }), Err(AccessError::OtherAudience)),
        (json!({ "aud": null }), Err(AccessError::Unknown)),
        (json!({ "aud": [] }), Err(AccessError::Unknown)),
        (json!({ "iss": "https://id.example/" }), Err(AccessError::Unknown)),
        (json!({ "iss": null }), Err(AccessError::Unknown)),
        (json!({ "sub": null }), Err(AccessError::Unknown)),
        (json!({ "client_id": null }), Err(AccessError::Unknown)),
        (json!({ "client_id": "" }), Err(AccessError::Unknown)),
        (json!({ "client_id": 7 }), Err(AccessError::Unknown)),
        (json!({ "client_id": ["app"] }), Err(AccessError::Unknown)),
        (json!({ "exp": null }), Err(AccessError::Unknown)),
        (json!({ "iat": null }), Err(AccessError::Unknown)),
        (json!({ "jti": null }), Err(AccessError::Unknown)),
        (json!({ "auth_time": "yesterday" }), Err(AccessError::Unknown)),
        (json!({ "cnf": { "jkt": "A".repeat(43) } }), Err(AccessError::Unproven)),
        (json!({ "cnf": { "kid": "1" } }), Err(AccessError::Unproven)),
        (json!({ "cnf": 7 }), Err(AccessError::Unproven)),
    ] {
        let checked = world.check(&world.token(&changes)).await.map(|_| ());
        assert_eq!(checked, expected, "{changes}");
    }
    let claims = world.claims(&json!({}));
    let key = world.issuer.key();
    let signed = |key: &SigningKey, typ| key.sign(&typ, &claims).unwrap();
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(world.check(&signed(&key, Protected::typ(typ))).await.is_ok(), "{typ}");
    }
    // ID tokens, assertions and logout tokens of the same issuer, and tokens of other keys.
    let other = SigningKey::generate(Algorithm::Es256).unwrap().with_kid("1");
    let jwk = key.verifying_key().to_jwk().unwrap();
    let confused = SigningKey::hmac(Algorithm::Hs256, &Secret::from(jwk)).unwrap().with_kid("1");
    let none = format!(
        "{}.{}.",
        "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIn0",
        signed(&key, Protected::plain()).split('.').nth(1).unwrap()
    );
    for token in [
        signed(&key, Protected::plain()),
        signed(&key, Protected::typ("JWT")),
        signed(&key, Protected::typ("logout+jwt")),
        signed(&other, Protected::typ("at+jwt")),
        signed(&other, Protected::typ("at+jwt").with_jwk()),
        signed(&confused, Protected::typ("at+jwt")),
        none,
        "opaque".to_owned(),
        "a.b.c".to_owned(),
        "e30.e30.e30".to_owned(),
        format!("{}.x", "e".repeat(20_000)),
    ] {
        assert_eq!(world.check(&token).await.err(), Some(AccessError::Unknown), "{token}");
    }
    assert_eq!(world.issuer.asked(), 1, "none of them had the keys fetched");
}

#[tokio::test]
async fn only_the_algorithms_of_the_list_are_accepted() {
    let world = World::with(|tokens| tokens.algorithms(Algorithms::only(Algorithm::Ps256)));
    assert_eq!(world.check(&world.token(&json!({}))).await.err(), Some(AccessError::Unknown));
    *world.issuer.keys.lock().unwrap() = vec![key(Algorithm::Ps256, "2")];
    world.clock.advance(Duration::from_secs(10));
    assert!(world.check(&world.token(&json!({}))).await.is_ok());
}

#[tokio::test]
async fn a_client_for_itself_is_no_user() {
    let world = World::new();
    let token = world.token(&json!({ "sub": "app", "auth_time": null }));
    let verified = world.check(&token).await.unwrap();
    assert_eq!(verified.actor(), &Actor::Client("app".into()));
    assert_eq!(verified.authentication(), None);
}

#[tokio::test]
async fn without_an_audience_no_token_is_accepted() {
    let world = World::new();
    let issuer = world.issuer.clone();
    let tokens = JwtAccessTokens::of(ISSUER).unwrap().env(world.env.clone()).http(issuer);
    let guard = Guard::elsewhere(API, tokens);
    let checked = check(&guard, &world.token(&json!({}))).await;
    assert_eq!(checked.err(), Some(AccessError::OtherAudience));
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_and_not_for_every_name() {
    let world = World::new();
    world.check(&world.token(&json!({}))).await.unwrap();
    let mut tokens = Vec::new();
    for kid in 0..100 {
        let key = key(Algorithm::Es256, &format!("unknown {kid}"));
        tokens.push(key.sign(&Protected::typ("at+jwt"), &world.claims(&json!({}))).unwrap());
    }
    for token in &tokens {
        assert_eq!(world.check(token).await.err(), Some(AccessError::Unknown));
    }
    assert_eq!(world.issuer.asked(), 1);
    world.clock.advance(Duration::from_secs(10));
    world.issuer.keys.lock().unwrap().insert(0, key(Algorithm::EdDsa, "2"));
    assert!(world.check(&world.token(&json!({}))).await.is_ok());
    for token in &tokens {
        assert_eq!(world.check(token).await.err(), Some(AccessError::Unknown));
    }
    assert_eq!(world.issuer.asked(), 2);
}

#[tokio::test]
async fn a_key_that_is_removed_verifies_nothing_a_minute_after_the_set_was_fetched() {
    let world = World::new();
    let token = world.token(&json!({ "exp": world.env.now().seconds() + 36_000 }));
    world.check(&token).await.unwrap();
    *world.issuer.keys.lock().unwrap() = vec![key(Algorithm::Es256, "2")];
    world.clock.advance(Duration::from_secs(599));
    world.check(&token).await.unwrap();
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.check(&token).await.err(), Some(AccessError::Unknown));
}

#[tokio::test]
async fn while_the_issuer_is_down_its_last_keys_count_for_an_hour() {
    let world = World::new();
    *world.issuer.is_up.lock().unwrap() = false;
    let now = world.env.now();
    let late = world.token(&json!({ "exp": now.seconds() + 36_000 }));
    assert_eq!(world.check(&late).await.err(), Some(AccessError::Unavailable));
    world.clock.advance(Duration::from_secs(1));
    *world.issuer.is_up.lock().unwrap() = true;
    world.check(&late).await.unwrap();
    *world.issuer.is_up.lock().unwrap() = false;
    world.clock.advance(Duration::from_secs(600 + 3599));
    world.check(&late).await.unwrap();
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(world.check(&late).await.err(), Some(AccessError::Unavailable));
}

#[tokio::test]
async fn a_token_of_a_new_key_is_not_said_to_be_invalid_while_the_issuer_is_down() {
    let world = World::new();
    world.check(&world.token(&json!({}))).await.unwrap();
    *world.issuer.keys.lock().unwrap() = vec![key(Algorithm::Es256, "2")];
    *world.issuer.is_up.lock().unwrap() = false;
    world.clock.advance(Duration::from_secs(10));
    let new = world.token(&json!({}));
    assert_eq!(world.check(&new).await.err(), Some(AccessError::Unavailable));
    assert_eq!(world.check(&new).await.err(), Some(AccessError::Unavailable), "without a fetch");
    *world.issuer.is_up.lock().unwrap() = true;
    world.clock.advance(Duration::from_secs(2));
    world.check(&new).await.unwrap();
}

#[tokio::test]
async fn a_remembered_token_expires_in_time_and_memory_is_bounded() {
    let world = World::new();
    let token = world.token(&json!({ "exp": world.env.now().seconds() + 20 }));
    world.check(&token).await.unwrap();
    world.clock.advance(Duration::from_secs(49));
    world.check(&token).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.check(&token).await.err(), Some(AccessError::Expired));
    *world.issuer.keys.lock().unwrap() = vec![key(Algorithm::EdDsa, "1")];
    world.clock.advance(Duration::from_secs(600));
    for jti in 0..5000 {
        world.check(&world.token(&json!({ "jti": jti.to_string() }))).await.unwrap();
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_or_without_keys_lead_nowhere() {
    for metadata in [
        json!({ "issuer": "https://other.example", "jwks_uri": JWKS }),
        json!({ "issuer": ISSUER }),
        json!({ "issuer": ISSUER, "jwks_uri": "http://id.example/keys" }),
        json!([]),
    ] {
        let world = World::new();
        *world.issuer.metadata.lock().unwrap() = metadata;
        let token = world.token(&json!({}));
        assert_eq!(world.check(&token).await.err(), Some(AccessError::Unavailable));
        assert_eq!(world.issuer.asked(), 0);
    }
    let world = World::with(|tokens| tokens.keys_at(JWKS).unwrap());
    *world.issuer.metadata.lock().unwrap() = json!({});
    world.check(&world.token(&json!({}))).await.unwrap();
}

#[test]
fn issuer_and_keys_are_https_urls() {
    for issuer in ["http://id.example", "https://id.example/?a", "https://id.example/#a", "id"] {
        assert_eq!(JwtAccessTokens::of(issuer).err(), Some(JwtAccessTokensError::Issuer));
    }
    let tokens = JwtAccessTokens::of("http://127.0.0.1:8000").unwrap();
    assert_eq!(tokens.keys_at("http://id.example/").err(), Some(JwtAccessTokensError::JwksUri));
}
