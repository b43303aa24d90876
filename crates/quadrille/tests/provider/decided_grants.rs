//! Grants that the application decides on: of its own, and for assertions of other issuers.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy, Scopes,
    form::FormWriter,
    jose::{Algorithm, KeySet, Protected, SigningKey},
    oauth2::{Resources, TokenRequest},
    provider::{
        Asserted, AuthorizationServer, FetchError, Fetched, Fetcher, GrantRequest, GrantType,
        Granted, InvalidGrantType, NewClient, NotGranted, TrustedIssuer, store::SqliteStore,
    },
    testing::ManualClock,
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    races::at_once,
    support::{API, Answer, ISSUER, MAIL, World},
};

const KIOSK: &str = "urn:example:kiosk";
const PARTNER: &str = "https://partner.example";
const TOKEN: &str = "https://id.example/oauth/token";

async fn kiosk(request: GrantRequest) -> Result<Granted, NotGranted> {
    match request.required("ticket")? {
        "user" => Ok(Granted::to_user("ada")),
        "client" => Ok(Granted::to_client()),
        "narrow" => Ok(Granted::to_user("ada")
            .scopes(Scopes::of(["photos:read", "admin"]))
            .audience(Resources::of([API]).unwrap())
            .lifetime(Duration::from_secs(60))
            .with_refresh_token()
            .member("album", 7.into())
            .unwrap()),
        "closed" => Err(NotGranted::refused("it is night")
            .code("kiosk_closed")
            .describe("come back tomorrow")),
        "broken" => Err(NotGranted::unavailable("no database")),
        _ => Err(NotGranted::refused("there is no such ticket")),
    }
}

fn with_kiosk(server: AuthorizationServer) -> AuthorizationServer {
    server.grant(KIOSK, kiosk).unwrap()
}

fn for_kiosk(new: NewClient) -> NewClient {
    let codes = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    new.grant_types(codes.into_iter().chain([KIOSK.parse().unwrap()]))
}

async fn ask(world: &World, parameters: &[(&str, &str)]) -> Answer {
    let mut form = FormWriter::new();
    form.append("grant_type", KIOSK);
    for (name, value) in parameters {
        form.append(name, value);
    }
    form.append("client_id", &world.client.id);
    form.append("client_secret", &world.secret);
    world.request("POST", "/oauth/token", "application/x-www-form-urlencoded", &form.finish()).await
}

#[tokio::test]
async fn a_grant_of_the_application_s_own_gives_what_it_decides_and_no_more() {
    let world = World::set_up(Policy::safe(), for_kiosk, with_kiosk).await;
    let answer = ask(&world, &[("ticket", "user")]).await;
    let tokens = answer.tokens();
    assert_eq!((&*tokens.scope, tokens.refresh), ("photos:read photos:write", None));
    assert_eq!(
        world.photos(&tokens.access).await.text(),
        format!("{:?} by {}", ada(), world.client.id)
    );

    let answer = ask(&world, &[("ticket", "narrow")]).await;
    let json = answer.json();
    assert_eq!(
        (json["scope"].as_str(), json["expires_in"].as_u64()),
        (Some("photos:read"), Some(60))
    );
    assert_eq!(json["album"], 7);
    let refreshed = world.refresh(json["refresh_token"].as_str().unwrap()).await.tokens();
    assert_eq!(refreshed.scope, "photos:read");
    assert!(!world.is_good(&refreshed.access).await, "it is for another API");

    // An answer cannot say that a token has no scope.
    let nothing = ask(&world, &[("ticket", "narrow"), ("scope", "photos:write")]).await;
    assert_eq!(nothing.error(), "invalid_scope");

    let client = ask(&world, &[("ticket", "client"), ("scope", "photos:read")]).await.tokens();
    assert!(world.photos(&client.access).await.text().starts_with("Client"));
}

fn ada() -> quadrille::Actor {
    quadrille::Actor::User("ada".into())
}

#[tokio::test]
async fn each_refusal_of_such_a_grant_has_its_code() {
    let world = World::set_up(Policy::safe(), for_kiosk, with_kiosk).await;
    for (parameters, status, error) in [
        (&[("ticket", "x")][..], 400, "invalid_grant"),
        (&[], 400, "invalid_request"),
        (&[("ticket", "user"), ("ticket", "user")], 400, "invalid_request"),
        (&[("ticket", "closed")], 400, "kiosk_closed"),
        (&[("ticket", "broken")], 503, "temporarily_unavailable"),
        (&[("ticket", "user"), ("scope", "admin")], 400, "invalid_scope"),
        (&[("ticket", "user"), ("scope", "a\"b")], 400, "invalid_scope"),
        (&[("ticket", "user"), ("resource", "https://other.example")], 400, "invalid_target"),
        (&[("ticket", "narrow"), ("resource", MAIL)], 400, "invalid_target"),
    ] {
        let answer = ask(&world, parameters).await;
        assert_eq!((answer.status(), &*answer.error()), (status, error), "{parameters:?}");
    }
    let closed = ask(&world, &[("ticket", "closed")]).await;
    assert_eq!(closed.json()["error_description"], "come back tomorrow");
}

#[tokio::test]
async fn a_grant_that_is_not_offered_or_not_the_client_s_is_refused() {
    let without = World::set_up(Policy::safe(), for_kiosk, |server| server).await;
    assert_eq!(ask(&without, &[("ticket", "user")]).await.error(), "unsupported_grant_type");
    let others = World::set_up(Policy::safe(), |new| new, with_kiosk).await;
    assert_eq!(ask(&others, &[("ticket", "user")]).await.error(), "unauthorized_client");
    let metadata = Request::get("/.well-known/oauth-authorization-server").body(Body::empty());
    let metadata = others.send(metadata.unwrap()).await.json();
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&KIOSK.into()));

    let server = |name: &str| others.server.clone().grant(name, kiosk).err();
    for name in ["refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer", "", "a b"] {
        assert_eq!(server(name), Some(InvalidGrantType), "{name}");
    }
}

#[tokio::test]
async fn a_public_client_has_no_token_for_itself_by_such_a_grant() {
    let new = NewClient::public("App").redirect_uri("com.example.app:/cb");
    let clock = ManualClock::new();
    let store = quadrille::provider::store::MemoryStore::new(clock.env());
    let world = World::build(store, clock, Policy::safe(), for_kiosk(new), with_kiosk).await;
    let form =
        |ticket: &str| format!("grant_type={KIOSK}&ticket={ticket}&client_id={}", world.client.id);
    let send = async |ticket: &str| {
        world
            .request("POST", "/oauth/token", "application/x-www-form-urlencoded", &form(ticket))
            .await
    };
    assert_eq!(send("user").await.status(), 200);
    assert_eq!(send("client").await.error(), "unauthorized_client");
}

// ---- JWTs of trusted issuers

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

fn keys(key: &SigningKey) -> KeySet {
    KeySet::from_iter([key.verifying_key().clone()])
}

fn partner(key: &SigningKey) -> TrustedIssuer {
    TrustedIssuer::new(PARTNER, keys(key)).unwrap()
}

async fn who(asserted: Asserted) -> Result<Granted, NotGranted> {
    assert_eq!(asserted.issuer(), PARTNER);
    match asserted.subject() {
        "17" => Ok(Granted::to_user("ada")),
        _ => Err(NotGranted::refused("nobody is known by this subject")),
    }
}

fn bearer(new: NewClient) -> NewClient {
    new.grant_types([GrantType::JwtBearer])
}

async fn world_of(issuer: TrustedIssuer) -> World {
    let set = |server: AuthorizationServer| server.trusted_issuer(issuer).jwt_bearer(who);
    World::set_up(Policy::safe(), bearer, set).await
}

/// The claims of a good assertion, changed so; `"-"` removes one, `{"in": n}` is a time.
fn claims(world: &World, change: &Value) -> Value {
    let now = world.env.now().seconds();
    let mut claims = json!({
        "iss": PARTNER, "sub": "17", "aud": ISSUER, "iat": now, "exp": now + 60,
        "jti": format!("{:x?}", world.env.random::<16>()),
    });
    for (name, value) in change.as_object().unwrap() {
        let seconds = value.get("in").and_then(Value::as_i64);
        claims[name] = seconds.map_or(value.clone(), |seconds| (now + seconds).into());
    }
    claims.as_object_mut().unwrap().retain(|_, value| *value != json!("-"));
    claims
}

fn sign(key: &SigningKey, header: &Protected<'_>, claims: &Value) -> String {
    key.sign(header, claims.to_string().as_bytes()).unwrap()
}

fn good(world: &World, key: &SigningKey) -> String {
    sign(key, &Protected::plain(), &claims(world, &json!({})))
}

async fn assert(world: &World, assertion: &str) -> Answer {
    let asked = TokenRequest::JwtBearer { assertion, scope: None, resource: Resources::EMPTY };
    world.token(&world.auth(), &asked).await
}

#[tokio::test]
async fn an_assertion_of_a_trusted_issuer_is_a_grant_once() {
    let key = key();
    let world = world_of(partner(&key)).await;
    let assertion = good(&world, &key);
    let tokens = assert(&world, &assertion).await.tokens();
    assert_eq!((&*tokens.scope, tokens.refresh), ("photos:read photos:write", None));
    assert!(world.photos(&tokens.access).await.text().starts_with("User(\"ada\")"));
    let again = assert(&world, &assertion).await;
    assert_eq!(again.error(), "invalid_grant");
    assert_eq!(again.json()["error_description"], "the assertion was used before");
    world.server.revoke_subject("ada").await.unwrap();
    assert!(!world.is_good(&tokens.access).await);
}

#[tokio::test]
async fn each_bad_assertion_is_refused_and_uses_nothing_up() {
    let (key, other) = (key(), key());
    let world = world_of(partner(&key)).await;
    for (change, reason) in [
        (json!({ "aud": "https://other.example" }), "the token is for another audience"),
        (json!({ "aud": TOKEN }), "the token is for another audience"),
        (json!({ "aud": [ISSUER, "https://x.example"] }), "the token is for other audiences, too"),
        (json!({ "aud": "-" }), "the token has no aud"),
        (json!({ "exp": "-" }), "the token has no exp"),
        (json!({ "exp": { "in": -31 } }), "the token has expired"),
        (json!({ "exp": { "in": 86400 } }), "the token is valid for too long"),
        (json!({ "nbf": { "in": 31 } }), "the token is not valid yet"),
        (json!({ "iat": { "in": 31 } }), "the token was issued in the future"),
        (json!({ "sub": "-" }), "the token has no sub"),
        (json!({ "sub": "" }), "the token has no sub"),
        (json!({ "jti": "-" }), "the token has no jti"),
    ] {
        let mut change = change;
        if change.get("jti").is_none() {
            change["jti"] = "the same".into();
        }
        let answer =
            assert(&world, &sign(&key, &Protected::plain(), &claims(&world, &change))).await;
        assert_eq!(answer.error(), "invalid_grant", "{change}");
        assert_eq!(answer.json()["error_description"], format!("the assertion: {reason}"));
    }
    let claims = |change| claims(&world, &change);
    let bound = claims(json!({ "jti": "the same", "cnf": { "jkt": "A".repeat(43) } }));
    let refused = assert(&world, &sign(&key, &Protected::plain(), &bound)).await;
    assert_eq!(refused.error(), "invalid_grant");
    let said = refused.json()["error_description"].to_string();
    assert!(said.contains("bound to a key"), "{said}");
    let public = key.verifying_key().to_jwk().unwrap();
    let confused = SigningKey::hmac(Algorithm::Hs256, &public.into()).unwrap();
    let own = claims(json!({ "iss": ISSUER }));
    for assertion in [
        sign(&other, &Protected::plain(), &claims(json!({}))),
        sign(&other, &Protected::plain().with_jwk(), &claims(json!({}))),
        sign(&confused, &Protected::plain(), &claims(json!({}))),
        sign(&key, &Protected::typ("at+jwt"), &claims(json!({}))),
        sign(&key, &Protected::plain(), &claims(json!({ "iss": "https://evil.example" }))),
        sign(&key, &Protected::plain(), &claims(json!({ "iss": "-" }))),
        sign(&key, &Protected::plain(), &claims(json!({ "exp": "soon" }))),
        sign(&key, &Protected::plain(), &own),
        sign(&key, &Protected::plain(), &claims(json!({ "sub": "18" }))),
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL3BhcnRuZXIuZXhhbXBsZSJ9.".to_owned(),
        "x".to_owned(),
        "{}".to_owned(),
    ] {
        let answer = assert(&world, &assertion).await;
        assert_eq!((answer.status(), &*answer.error()), (400, "invalid_grant"), "{assertion}");
        assert!(answer.json()["error_description"].is_null(), "{assertion}");
    }
    let same = claims(json!({ "jti": "the same" }));
    assert_eq!(assert(&world, &sign(&key, &Protected::plain(), &same)).await.status(), 200);
}

#[tokio::test]
async fn a_scope_claim_of_an_assertion_bounds_the_token_and_never_widens_it() {
    let key = key();
    let world = world_of(partner(&key)).await;
    let ask = async |claim: Value, scope: Option<&str>| {
        let claims = claims(&world, &json!({ "scope": claim }));
        let assertion = sign(&key, &Protected::plain(), &claims);
        let scope = scope.map(|scope| Scopes::parse(scope).unwrap());
        let resource = Resources::EMPTY;
        let asked = TokenRequest::JwtBearer { assertion: &assertion, scope, resource };
        world.token(&world.auth(), &asked).await
    };
    for (claim, scope, granted) in [
        ("photos:read", None, "photos:read"),
        ("photos:read photos:write admin", Some("photos:read"), "photos:read"),
        ("photos:read", Some("photos:read photos:write"), "photos:read"),
    ] {
        let tokens = ask(claim.into(), scope).await.tokens();
        assert_eq!(tokens.scope, granted, "{claim:?} {scope:?}");
    }
    for (claim, scope, error) in [
        (json!("photos:read"), Some("photos:write"), "invalid_scope"),
        (json!("admin"), Some("admin"), "invalid_scope"),
        (json!(""), None, "invalid_scope"),
        (json!(["photos:read"]), None, "invalid_grant"),
        (json!("photos:\u{e9}"), None, "invalid_grant"),
    ] {
        assert_eq!(ask(claim.clone(), scope).await.error(), error, "{claim} {scope:?}");
    }
}

#[tokio::test]
async fn a_wrong_scope_or_a_refusal_does_not_use_an_assertion_up() {
    let key = key();
    let world = world_of(partner(&key)).await;
    let assertion = good(&world, &key);
    for (scope, resource, error) in [
        (Some("admin"), Resources::EMPTY, "invalid_scope"),
        (None, Resources::of(["https://other.example"]).unwrap(), "invalid_target"),
    ] {
        let scope = scope.map(|scope| Scopes::parse(scope).unwrap());
        let asked = TokenRequest::JwtBearer { assertion: &assertion, scope, resource };
        assert_eq!(world.token(&world.auth(), &asked).await.error(), error);
    }
    assert_eq!(assert(&world, &assertion).await.status(), 200);
}

#[tokio::test]
async fn a_request_that_names_no_client_is_of_the_issuer_s_client() {
    let key = key();
    let world = world_of(partner(&key).requests_are_of_client("robots")).await;
    let send = async |assertion: &str| {
        let mut form = FormWriter::new();
        form.append("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        form.append("assertion", assertion);
        let form = form.finish();
        world.request("POST", "/oauth/token", "application/x-www-form-urlencoded", &form).await
    };
    assert_eq!(send(&good(&world, &key)).await.error(), "invalid_client");
    let robots = NewClient::confidential("Robots").id("robots");
    let robots = bearer(robots).scopes(Scopes::of(["photos:read"]));
    world.server.register(robots).await.unwrap();
    let tokens = send(&good(&world, &key)).await.tokens();
    let photos = world.photos(&tokens.access).await;
    assert_eq!(photos.text(), "User(\"ada\") by robots");
    assert_eq!(send("x").await.error(), "invalid_grant");
    let without = world_of(partner(&key)).await;
    let mut form = FormWriter::new();
    form.append("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    form.append("assertion", &good(&without, &key));
    let form = form.finish();
    let answer =
        without.request("POST", "/oauth/token", "application/x-www-form-urlencoded", &form).await;
    assert_eq!(answer.error(), "invalid_client");
}

#[tokio::test]
async fn an_issuer_without_jti_is_accepted_only_by_the_long_name() {
    let key = key();
    let issuer = partner(&key).accept_assertions_without_jti_so_that_they_can_be_replayed();
    let world = world_of(issuer).await;
    let without = claims(&world, &json!({ "jti": "-" }));
    let assertion = sign(&key, &Protected::plain(), &without);
    for _ in 0..2 {
        assert_eq!(assert(&world, &assertion).await.status(), 200);
    }
    let assertion = good(&world, &key);
    assert_eq!(assert(&world, &assertion).await.status(), 200);
    assert_eq!(assert(&world, &assertion).await.error(), "invalid_grant", "with one it is used up");
}

/// The keys of the partner on the web.
#[derive(Clone)]
struct Web(Arc<(Mutex<KeySet>, AtomicUsize)>);

impl Fetcher for Web {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        Ok(Fetched::new(self.0.0.lock().unwrap().to_json()))
    }
}

#[tokio::test]
async fn keys_of_an_issuer_are_fetched_and_rotate() {
    let (old, new) = (key().with_kid("old"), key().with_kid("new"));
    let web = Web(Arc::new((Mutex::new(keys(&old)), AtomicUsize::new(0))));
    let url = "https://partner.example/jwks";
    let issuer = TrustedIssuer::with_keys_fetched_by(PARTNER, url, web.clone()).unwrap();
    let world = world_of(issuer).await;
    assert_eq!(assert(&world, &good(&world, &old)).await.status(), 200);
    *web.0.0.lock().unwrap() = keys(&new);
    world.clock.advance(Duration::from_secs(15));
    assert_eq!(assert(&world, &good(&world, &new)).await.status(), 200);
    assert_eq!(assert(&world, &good(&world, &old)).await.error(), "invalid_grant");
    for _ in 0..50 {
        assert(&world, &good(&world, &key().with_kid("x"))).await;
    }
    assert!(web.0.1.load(Ordering::SeqCst) <= 3, "unknown keys make nobody fetch at will");
}

/// The keys of the partner on the web, which fails as long as the switch is off.
struct Failing(Web, Arc<AtomicBool>);

impl Fetcher for Failing {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        match self.1.load(Ordering::SeqCst) {
            true => self.0.fetch(url).await,
            false => Err(FetchError::Unreachable),
        }
    }
}

#[tokio::test]
async fn an_assertion_is_good_again_when_the_keys_can_be_fetched() {
    let (key, is_up) = (key(), Arc::new(AtomicBool::new(false)));
    let web = Web(Arc::new((Mutex::new(keys(&key)), AtomicUsize::new(0))));
    let web = Failing(web, is_up.clone());
    let url = "https://partner.example/jwks";
    let world = world_of(TrustedIssuer::with_keys_fetched_by(PARTNER, url, web).unwrap()).await;
    let assertion = good(&world, &key);
    let answer = assert(&world, &assertion).await;
    assert_eq!((answer.status(), &*answer.error()), (503, "temporarily_unavailable"));
    assert_eq!(answer.header("retry-after"), "10");
    is_up.store(true, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(assert(&world, &assertion).await.status(), 200);
}

#[tokio::test]
async fn the_application_is_not_asked_about_an_assertion_that_was_used() {
    let (key, calls) = (key(), Arc::new(AtomicUsize::new(0)));
    let (issuer, counted) = (partner(&key), calls.clone());
    let set = |server: AuthorizationServer| {
        server.trusted_issuer(issuer).jwt_bearer(move |asserted: Asserted| {
            counted.fetch_add(1, Ordering::SeqCst);
            who(asserted)
        })
    };
    let world = World::set_up(Policy::safe(), bearer, set).await;
    let assertion = good(&world, &key);
    assert_eq!(assert(&world, &assertion).await.status(), 200);
    for _ in 0..3 {
        let again = assert(&world, &assertion).await;
        assert_eq!(again.json()["error_description"], "the assertion was used before");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    // A refusal uses nothing up, so the application may change its mind.
    let unknown = claims(&world, &json!({ "sub": "18", "jti": "18" }));
    let unknown = sign(&key, &Protected::plain(), &unknown);
    for calls_by_then in [2, 3] {
        assert_eq!(assert(&world, &unknown).await.error(), "invalid_grant");
        assert_eq!(calls.load(Ordering::SeqCst), calls_by_then);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_uses_of_an_assertion_one_wins() {
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    race(Arc::new(world_of(partner(&key)).await), &key, 20).await;
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let store = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
    let set = |server: AuthorizationServer| server.trusted_issuer(partner(&key)).jwt_bearer(who);
    let new = bearer(NewClient::confidential("Robot"));
    let world = World::build(store, clock, Policy::safe(), new, set).await;
    race(Arc::new(world), &key, 3).await;
}

async fn race(world: Arc<World>, key: &SigningKey, rounds: usize) {
    for _ in 0..rounds {
        let assertion: Arc<str> = good(&world, key).into();
        let answers = at_once(&world, |world| {
            let assertion = assertion.clone();
            async move { assert(&world, &assertion).await }
        })
        .await;
        let won = answers.iter().filter(|answer| answer.status() == 200).count();
        assert_eq!(won, 1);
    }
}
