//! Clients that authenticate by assertions: `private_key_jwt` and `client_secret_jwt`.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy,
    jose::{Algorithm, KeySet, Protected, SigningKey, VerifyingKey},
    oauth2::{ClientAuth, IntrospectionRequest, Resources, RevocationRequest, TokenRequest},
    provider::{
        AdminError, ClientKeys, FetchError, Fetched, Fetcher, GrantType::ClientCredentials,
        NewClient, RegisteredAuth, RegistrationError, store::SqliteStore,
    },
    testing::ManualClock,
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    races::at_once,
    support::{Answer, ISSUER, World},
};

pub(crate) const TOKEN: &str = "https://id.example/oauth/token";
const JWKS_URI: &str = "https://robot.example/jwks.json";

const REQUEST: TokenRequest<'_> =
    TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };

pub(crate) fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> String {
    keys.into_iter().map(|key| key.verifying_key().clone()).collect::<KeySet>().to_json()
}

pub(crate) fn inline<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> RegisteredAuth {
    RegisteredAuth::PrivateKeyJwt { alg: None, keys: ClientKeys::Jwks(jwks(keys).into()) }
}

pub(crate) fn robot(auth: RegisteredAuth) -> impl FnOnce(NewClient) -> NewClient {
    |new| new.grant_types([ClientCredentials]).auth(auth)
}

async fn world(auth: RegisteredAuth) -> World {
    World::with(Policy::safe(), robot(auth)).await
}

/// The claims of a good assertion, changed so; `"-"` removes one.
pub(crate) fn claims(world: &World, change: &Value) -> Value {
    let now = world.env.now().seconds();
    let mut claims = json!({
        "iss": &*world.client.id, "sub": &*world.client.id, "aud": ISSUER,
        "jti": format!("{:x?}", world.env.random::<16>()), "iat": now, "exp": now + 60,
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| *value != json!("-"));
    claims
}

pub(crate) fn sign(key: &SigningKey, header: &Protected<'_>, claims: &Value) -> ClientAuth {
    let assertion = key.sign(header, claims.to_string().as_bytes()).unwrap();
    let client_id = claims["sub"].as_str().unwrap_or("nobody").into();
    ClientAuth::Assertion { client_id, assertion: assertion.into() }
}

fn good(world: &World, key: &SigningKey) -> ClientAuth {
    sign(key, &Protected::plain(), &claims(world, &json!({})))
}

pub(crate) async fn ask(world: &World, auth: &ClientAuth) -> Answer {
    world.token(auth, &REQUEST).await
}

fn words(answer: &Answer) -> String {
    assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"), "{answer:?}");
    answer.json()["error_description"].as_str().unwrap_or("").to_owned()
}

#[tokio::test]
async fn each_algorithm_of_a_private_key_authenticates() {
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()) {
        let key = key(algorithm);
        let world = world(inline([&key])).await;
        assert_eq!(world.secret, "", "a client that signs has no secret");
        assert_eq!(ask(&world, &good(&world, &key)).await.status(), 200, "{algorithm:?}");
    }
}

/// OpenID Connect Core, section 9.
#[tokio::test]
async fn each_hmac_authenticates_by_the_generated_secret() {
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let world = world(RegisteredAuth::ClientSecretJwt { alg: None }).await;
        let key = SigningKey::hmac(algorithm, &world.secret.as_str().into()).unwrap();
        assert_eq!(ask(&world, &good(&world, &key)).await.status(), 200, "{algorithm:?}");
        let other = SigningKey::hmac(algorithm, &"x".repeat(64).into()).unwrap();
        assert_eq!(words(&ask(&world, &good(&world, &other)).await), "");
    }
}

#[tokio::test]
async fn an_assertion_authenticates_at_every_endpoint_once() {
    let key = key(Algorithm::Es256);
    let world = world(inline([&key])).await;
    let token = ask(&world, &good(&world, &key)).await.tokens().access;
    let introspect = IntrospectionRequest { token: &token, token_type_hint: None };
    let revoke = RevocationRequest { token: &token, token_type_hint: None };
    let introspection = |auth: &ClientAuth| {
        introspect.to_request("https://id.example/oauth/introspect", auth, &[]).unwrap()
    };
    let send = async |request: Request<bytes::Bytes>| world.send(request.map(Body::from)).await;

    let auth = good(&world, &key);
    assert_eq!(send(introspection(&auth)).await.json()["active"], true);
    let again = send(introspection(&auth)).await;
    assert_eq!(words(&again), "the client assertion was used before");
    // An assertion that one endpoint has used up is used up everywhere.
    assert_eq!(words(&ask(&world, &auth).await), "the client assertion was used before");
    let revocation =
        revoke.to_request("https://id.example/oauth/revoke", &good(&world, &key)).unwrap();
    assert_eq!(send(revocation).await.status(), 200);
    assert_eq!(send(introspection(&good(&world, &key))).await.json(), json!({ "active": false }));
}

/// OpenID Connect Core, section 9.
#[tokio::test]
async fn each_wrong_claim_is_refused_and_uses_nothing_up() {
    let key = key(Algorithm::Es256);
    let world = world(inline([&key])).await;
    let day = 24 * 3600;
    for (change, reason) in [
        (json!({ "aud": "https://other.example" }), "the token is for another audience"),
        (json!({ "aud": TOKEN }), "the token is for another audience"),
        (json!({ "aud": "https://id.example/" }), "the token is for another audience"),
        (json!({ "aud": [ISSUER, TOKEN] }), "the token is for other audiences, too"),
        (json!({ "aud": "-" }), "the token has no aud"),
        (json!({ "iss": "other" }), "the token is from another issuer"),
        (json!({ "iss": "-" }), "the token has no iss"),
        (json!({ "exp": "-" }), "the token has no exp"),
        (json!({ "exp": { "in": -31 } }), "the token has expired"),
        (json!({ "exp": { "in": day } }), "the token is valid for too long"),
        (json!({ "nbf": { "in": 31 } }), "the token is not valid yet"),
        (json!({ "iat": { "in": 31 } }), "the token was issued in the future"),
        (json!({ "jti": "-" }), "the token has no jti"),
        (json!({ "jti": "" }), "the token has no jti"),
    ] {
        // Failures are counted.
        world.clock.advance(Duration::from_secs(30));
        let mut change = change;
        for value in change.as_object_mut().unwrap().values_mut() {
            if let Some(seconds) = value.get("in").and_then(Value::as_i64) {
                *value = (world.env.now().seconds() + seconds).into();
            }
        }
        let has_jti = change.get("jti").is_some();
        if !has_jti {
            change["jti"] = "the same".into();
        }
        let answer = ask(&world, &sign(&key, &Protected::plain(), &claims(&world, &change))).await;
        assert_eq!(words(&answer), format!("the client assertion: {reason}"), "{change}");
    }
    for change in [json!({ "exp": "soon" }), json!({ "sub": "nobody" }), json!({ "sub": "-" })] {
        let answer = ask(&world, &sign(&key, &Protected::plain(), &claims(&world, &change))).await;
        words(&answer);
        world.clock.advance(Duration::from_secs(30));
    }
    let same = claims(&world, &json!({ "jti": "the same" }));
    assert_eq!(ask(&world, &sign(&key, &Protected::plain(), &same)).await.status(), 200);
}

#[tokio::test]
async fn an_assertion_of_another_key_is_refused_without_a_reason() {
    let (key, other) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let world = world(inline([&key])).await;
    let claims = || claims(&world, &json!({}));
    let raw = |header: &str, signature: &str| {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as B64};
        let assertion =
            format!("{}.{}.{signature}", B64.encode(header), B64.encode(claims().to_string()));
        ClientAuth::Assertion { client_id: (*world.client.id).into(), assertion: assertion.into() }
    };
    // The public key as the secret of an HMAC.
    let public = key.verifying_key().to_jwk().unwrap();
    let confused = SigningKey::hmac(Algorithm::Hs256, &public.into()).unwrap();
    let rsa = SigningKey::generate(Algorithm::Rs256).unwrap();
    let critical = Protected::plain();
    for (name, auth) in [
        ("another key", sign(&other, &Protected::plain(), &claims())),
        ("its own key", sign(&other, &Protected::plain().with_jwk(), &claims())),
        ("another kind of key", sign(&rsa, &Protected::plain(), &claims())),
        ("confused", sign(&confused, &critical, &claims())),
        ("another type", sign(&key, &Protected::typ("at+jwt"), &claims())),
        ("none", raw(r#"{"alg":"none"}"#, "")),
        ("None", raw(r#"{"alg":"nOnE"}"#, "")),
        ("no signature", raw(r#"{"alg":"ES256"}"#, "")),
        ("zeros", raw(r#"{"alg":"ES256"}"#, &"A".repeat(86))),
        ("critical", raw(r#"{"alg":"ES256","crit":["x"],"x":1}"#, &"A".repeat(86))),
    ] {
        let answer = ask(&world, &auth).await;
        assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"), "{name}");
        let words = words(&answer);
        assert!(words.is_empty() || words.starts_with("client_assertion"), "{name}: {words}");
    }
    assert_eq!(ask(&world, &good(&world, &key)).await.status(), 200);
}

#[tokio::test]
async fn the_registered_algorithm_is_the_only_one() {
    let key = key(Algorithm::Rs256);
    let text = key.verifying_key().to_jwk().unwrap();
    let mut jwk: Value = serde_json::from_str(&text).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    let any = VerifyingKey::from_jwk(&jwk.to_string()).unwrap();
    assert!(any.verifies(Algorithm::Ps256) && any.verifies(Algorithm::Rs256));
    let keys = ClientKeys::Jwks(KeySet::from_iter([any]).to_json().into());
    let world = world(RegisteredAuth::PrivateKeyJwt { alg: Some(Algorithm::Ps256), keys }).await;
    assert_eq!(words(&ask(&world, &good(&world, &key)).await), "");

    let world = self::world(RegisteredAuth::ClientSecretJwt { alg: Some(Algorithm::Hs512) }).await;
    for (algorithm, status) in [(Algorithm::Hs256, 401), (Algorithm::Hs512, 200)] {
        let key = SigningKey::hmac(algorithm, &world.secret.as_str().into()).unwrap();
        assert_eq!(ask(&world, &good(&world, &key)).await.status(), status, "{algorithm:?}");
    }
}

/// OpenID Connect Core, section 9.
#[tokio::test]
async fn a_client_uses_the_method_that_it_is_registered_with_and_no_other() {
    let key = key(Algorithm::Es256);
    let registered = [
        None,
        Some(RegisteredAuth::ClientSecretBasic),
        Some(RegisteredAuth::ClientSecretPost),
        Some(RegisteredAuth::ClientSecretJwt { alg: None }),
        Some(inline([&key])),
    ];
    for (row, auth) in registered.into_iter().enumerate() {
        let set = |new: NewClient| {
            let new = new.grant_types([ClientCredentials]);
            auth.clone().map_or(new.clone(), |auth| new.auth(auth))
        };
        let world = World::with(Policy::safe(), set).await;
        let client_id: Box<str> = (*world.client.id).into();
        let secret = match &*world.secret {
            "" => "x".repeat(64),
            secret => secret.to_owned(),
        };
        let client_secret = || secret.as_str().into();
        // The secret may be too short for an HMAC where none is used.
        let padded = if secret.len() < 32 { "x".repeat(64) } else { secret.clone() };
        let shared = SigningKey::hmac(Algorithm::Hs256, &padded.into()).unwrap();
        let tried = [
            ClientAuth::None { client_id: client_id.clone() },
            ClientAuth::Basic { client_id: client_id.clone(), client_secret: client_secret() },
            ClientAuth::Post { client_id: client_id.clone(), client_secret: client_secret() },
            good(&world, &shared),
            good(&world, &key),
        ];
        for (column, auth) in tried.iter().enumerate() {
            let allowed = match row {
                0 => column == 1 || column == 2,
                row => row == column,
            };
            let answer = ask(&world, auth).await;
            assert_eq!(answer.status() == 200, allowed, "{row} {column}: {answer:?}");
            if !allowed {
                assert_eq!(words(&answer), "", "{row} {column}");
            }
        }
    }
}

#[tokio::test]
async fn a_public_client_has_no_use_for_an_assertion() {
    let key = key(Algorithm::Es256);
    let world = World::public("com.example.app:/cb").await;
    let asked =
        TokenRequest::RefreshToken { refresh_token: "x", scope: None, resource: Resources::EMPTY };
    words(&world.token(&good(&world, &key), &asked).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_uses_of_an_assertion_one_wins() {
    let key = key(Algorithm::EdDsa);
    race(Arc::new(world(inline([&key])).await), &key, 20).await;
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let store = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
    let new = robot(inline([&key]))(NewClient::confidential("Robot"));
    let world = World::build(store, clock, Policy::safe(), new, |server| server).await;
    race(Arc::new(world), &key, 3).await;
}

async fn race(world: Arc<World>, key: &SigningKey, rounds: usize) {
    for _ in 0..rounds {
        let auth = good(&world, key);
        let answers = at_once(&world, |world| {
            let auth = auth.clone();
            async move { ask(&world, &auth).await }
        })
        .await;
        let won = answers.iter().filter(|answer| answer.status() == 200).count();
        assert_eq!(won, 1);
    }
}

#[tokio::test]
async fn a_used_assertion_is_remembered_until_it_is_over() {
    let key = key(Algorithm::Es256);
    let world = world(inline([&key])).await;
    let auth = good(&world, &key);
    assert_eq!(ask(&world, &auth).await.status(), 200);
    for _ in 0..9 {
        assert!(words(&ask(&world, &auth).await).contains("used before"));
        world.clock.advance(Duration::from_secs(10));
    }
    assert!(words(&ask(&world, &auth).await).contains("has expired"));
}

/// A client's keys on the web.
#[derive(Clone, Default)]
struct Web(Arc<Mutex<(Option<String>, usize)>>);

impl Web {
    fn put<'a>(&self, keys: impl IntoIterator<Item = &'a SigningKey>) {
        self.0.lock().unwrap().0 = Some(jwks(keys));
    }

    fn fetched(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl Fetcher for Web {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        assert_eq!(url.as_str(), JWKS_URI);
        let mut web = self.0.lock().unwrap();
        web.1 += 1;
        web.0.clone().map(Fetched::new).ok_or(FetchError::Status(404))
    }
}

async fn world_of(web: &Web) -> World {
    let keys = ClientKeys::JwksUri(JWKS_URI.into());
    let auth = RegisteredAuth::PrivateKeyJwt { alg: None, keys };
    World::set_up(Policy::safe(), robot(auth), |server| server.client_keys_fetched_by(web.clone()))
        .await
}

#[tokio::test]
async fn keys_that_the_client_rotates_are_fetched_again_and_the_old_one_is_refused() {
    let web = Web::default();
    let world = world_of(&web).await;
    let (old, new) = (key(Algorithm::Es256).with_kid("old"), key(Algorithm::Es256).with_kid("new"));
    web.put([&old]);
    world.clock.advance(Duration::from_secs(15));
    assert_eq!(ask(&world, &good(&world, &old)).await.status(), 200);
    web.put([&new]);
    world.clock.advance(Duration::from_secs(15));
    assert_eq!(ask(&world, &good(&world, &new)).await.status(), 200, "by its unknown kid");
    assert_eq!(words(&ask(&world, &good(&world, &old)).await), "");
    let fetched = web.fetched();
    for _ in 0..50 {
        let unknown = good(&world, &key(Algorithm::Es256).with_kid("x"));
        assert!(matches!(ask(&world, &unknown).await.status(), 401 | 429));
    }
    assert!(web.fetched() <= fetched + 1, "unknown keys make nobody fetch at will");
    assert_eq!(ask(&world, &good(&world, &new)).await.status(), 200);
}

/// The client may be right where the server could not look.
#[tokio::test]
async fn keys_that_cannot_be_fetched_are_no_mistake_of_the_client() {
    let web = Web::default();
    let world = world_of(&web).await;
    let (own, other) =
        (key(Algorithm::Es256).with_kid("own"), key(Algorithm::Es256).with_kid("other"));
    let auth = good(&world, &own);
    // More often than a client may fail.
    for _ in 0..30 {
        let answer = ask(&world, &auth).await;
        assert_eq!((answer.status(), &*answer.error()), (503, "temporarily_unavailable"));
        assert_eq!(answer.header("retry-after"), "10");
        assert_eq!(answer.header("www-authenticate"), "");
        world.clock.advance(Duration::from_secs(1));
    }
    // The assertion is not used up.
    web.put([&own]);
    world.clock.advance(Duration::from_secs(29));
    assert_eq!(ask(&world, &auth).await.status(), 200);
    // The server has looked, and the key is not there.
    world.clock.advance(Duration::from_secs(15));
    assert_eq!(words(&ask(&world, &good(&world, &other)).await), "");
    // A document that is no set of keys is the client's.
    *web.0.lock().unwrap() = (Some("no set".to_owned()), 0);
    world.clock.advance(Duration::from_secs(7200));
    assert_eq!(words(&ask(&world, &good(&world, &own)).await), "");
}

#[tokio::test]
async fn keys_that_could_not_work_are_not_registered() {
    let key = key(Algorithm::Es256);
    let world = World::new().await;
    let uri = |uri: &str| RegisteredAuth::PrivateKeyJwt {
        alg: None,
        keys: ClientKeys::JwksUri(uri.into()),
    };
    let keys = |json: &str| RegisteredAuth::PrivateKeyJwt {
        alg: None,
        keys: ClientKeys::Jwks(json.into()),
    };
    let private = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let with = |alg, auth: RegisteredAuth| match auth {
        RegisteredAuth::PrivateKeyJwt { keys, .. } => {
            RegisteredAuth::PrivateKeyJwt { alg: Some(alg), keys }
        }
        other => other,
    };
    for (auth, reason) in [
        (uri("http://robot.example/jwks.json"), "JwksUri"),
        (uri("https://me@robot.example/jwks.json"), "JwksUri"),
        (uri("javascript:alert(1)"), "JwksUri"),
        (uri("data:application/json,{}"), "JwksUri"),
        (uri("https://robot.example/#x"), "JwksUri"),
        (uri(JWKS_URI), "NoKeysFetched"),
        (keys("{}"), "Keys(Malformed)"),
        (keys(r#"{"keys":[]}"#), "NoKey"),
        (keys(r#"{"keys":[{"kty":"AKP"}]}"#), "NoKey"),
        (keys(private), "PrivateKeys"),
        (with(Algorithm::Rs256, inline([&key])), "NoKey"),
        (with(Algorithm::Hs256, inline([&key])), "SigningAlgorithm"),
        (RegisteredAuth::ClientSecretJwt { alg: Some(Algorithm::Es256) }, "SigningAlgorithm"),
    ] {
        let refused = world.server.register(NewClient::confidential("Robot").auth(auth)).await;
        let refused = format!("{:?}", refused.unwrap_err());
        assert!(refused.contains(reason), "{refused}");
    }
    let robot = || NewClient::confidential("Robot");
    let jwt = || RegisteredAuth::ClientSecretJwt { alg: None };
    let register = async |new: NewClient| world.server.register(new).await.unwrap_err();
    let refused = register(robot().auth(jwt()).chosen_secret("less than 32 bytes".into())).await;
    assert!(matches!(refused, RegistrationError::ShortSecretOfAssertions));
    let refused = register(robot().auth(inline([&key])).chosen_secret("x".repeat(40).into())).await;
    assert!(matches!(refused, RegistrationError::SecretBesideKeys));
    let app = NewClient::public("App").redirect_uri("com.example.app:/cb").auth(inline([&key]));
    assert!(matches!(register(app).await, RegistrationError::AuthOfPublicClient));
}

#[tokio::test]
async fn a_client_changes_its_method_and_gets_a_secret_that_fits() {
    let key = key(Algorithm::Es256);
    let world = World::with(Policy::safe(), |new| new.grant_types([ClientCredentials])).await;
    let id = &*world.client.id;
    let edit = async |auth: RegisteredAuth| {
        world.server.edit_client(id, |_, new| new.auth(auth.clone())).await.unwrap()
    };
    let basic =
        |secret: &str| ClientAuth::Basic { client_id: id.into(), client_secret: secret.into() };
    assert!(edit(RegisteredAuth::ClientSecretBasic).await.secret.is_none(), "it has one");
    assert_eq!(ask(&world, &basic(&world.secret)).await.status(), 200);

    let secret = edit(RegisteredAuth::ClientSecretJwt { alg: None }).await.secret.unwrap();
    let shared = SigningKey::hmac(Algorithm::Hs256, &secret).unwrap();
    assert_eq!(ask(&world, &good(&world, &shared)).await.status(), 200);
    let rotated = world.server.rotate_secret(id, Duration::from_secs(60)).await.unwrap();
    for secret in [&secret, &rotated] {
        let shared = SigningKey::hmac(Algorithm::Hs256, secret).unwrap();
        assert_eq!(ask(&world, &good(&world, &shared)).await.status(), 200, "both are valid");
    }
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(words(&ask(&world, &good(&world, &shared)).await), "", "the old one has expired");

    assert!(edit(inline([&key])).await.secret.is_none());
    assert_eq!(ask(&world, &good(&world, &key)).await.status(), 200);
    assert!(world.server.client(id).await.unwrap().unwrap().secrets.is_empty());
    let refused = world.server.rotate_secret(id, Duration::ZERO).await.unwrap_err();
    assert!(matches!(refused, AdminError::PrivateKeys));
    let secret = edit(RegisteredAuth::ClientSecretPost).await.secret.unwrap();
    let post = ClientAuth::Post { client_id: id.into(), client_secret: secret };
    assert_eq!(ask(&world, &post).await.status(), 200);
}

#[tokio::test]
async fn a_sealed_secret_shows_in_no_record() {
    let world = world(RegisteredAuth::ClientSecretJwt { alg: None }).await;
    let stored = world.server.client(&world.client.id).await.unwrap().unwrap();
    let json = serde_json::to_string(&*stored).unwrap();
    assert!(json.contains("sealed") && !json.contains(&world.secret));
    assert!(!format!("{stored:?}").contains(&world.secret));
}
