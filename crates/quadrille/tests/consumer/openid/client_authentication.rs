//! The application proves at the token endpoint who it is, by each method.

use std::time::Duration;

use axum::Router;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, StatusCode};
use quadrille::{
    GitHub, KeyRing, Login, Owner, Secret, Service, Spec, SpecBuf, Timestamp,
    consumer::{
        Account, Begin, Client, ClientKeys, Dynamic, Jar, LoggedOut, MemoryStorage, OAuth2Buf,
    },
    form::Params,
    jose::{Algorithm, Claims, KeySet, Rotation, SigningKey, SigningKeys, Unverified},
    testing::{Browser, Emulated, FakeService, Manners, ManualClock, Refresh},
    transport::Purpose,
};
use serde_json::{Value, json};

use crate::{
    library::carry,
    support::{SECRET, SITE},
};

use super::ISSUER;

/// As long as the hash of HS256.
const LONG: &str = "secret-canary-secret-canary-0123456";
const TOKEN: &str = "https://id.example/tenant/token";

struct World {
    service: FakeService,
    login: Login,
    keys: ClientKeys,
    clock: ManualClock,
}

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap().with_kid(kid)
}

fn spec() -> SpecBuf<OAuth2Buf> {
    SpecBuf::oidc("acme", ISSUER)
}

impl World {
    fn new(client: Client<Dynamic>) -> Self {
        Self::with(FakeService::openid(ISSUER, "our-id", LONG), client)
    }

    fn with(service: FakeService, client: Client<Dynamic>) -> Self {
        let clock = ManualClock::new();
        service.tells_time(&clock.env());
        let keys = ClientKeys::new(SigningKeys::new(key("1"), clock.now()).unwrap());
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .client_keys(keys.clone())
            .with(client)
            .storage(MemoryStorage::new())
            .http(service.clone())
            .env(clock.env());
        let world = Self { service, login, keys, clock };
        world.register_keys();
        world
    }

    /// The provider fetches the keys of the application.
    fn register_keys(&self) {
        self.service.knows_keys(self.keys.published().to_json().as_bytes()).unwrap();
    }

    async fn log_in(&self) -> quadrille::Result<Account> {
        let (jar, owner) = (Jar::new(&HeaderMap::new()), Owner::user("ada"));
        let url = self.login.begin(&jar, &Begin::new("acme").owner(&owner)).await?;
        let query = self.service.consent(&url, 7).expect("a right request");
        let jar = Jar::new(&carry(&jar));
        self.login.finish(&jar, "acme", &query, &owner).await.map(|done| done.account)
    }

    /// The headers and the parameters of the last request for this purpose.
    fn last(&self, purpose: Purpose) -> (HeaderMap, Vec<(String, String)>) {
        let asked = self.service.asked();
        let last = asked.iter().rev().find(|asked| asked.purpose == purpose).unwrap();
        let params = Params::parse(last.request.body()).unwrap();
        let pairs = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        (last.request.headers().clone(), pairs.collect())
    }

    /// The assertion of the last request for this purpose.
    fn assertion(&self, purpose: Purpose) -> String {
        let (headers, params) = self.last(purpose);
        let one = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, v)| &**v);
        assert!(!headers.contains_key("authorization"), "one method at a time");
        assert_eq!(one("client_secret"), None);
        assert_eq!(
            one("client_assertion_type"),
            Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        );
        one("client_assertion").unwrap().to_owned()
    }
}

fn claims(assertion: &str) -> Claims {
    Unverified::parse(assertion).unwrap().claims_of_anybody().unwrap()
}

/// OpenID Connect Core, sections 3.1.3.1 and 9.
#[tokio::test]
async fn a_secret_is_sent_in_the_header_or_the_body_and_a_public_client_has_none() {
    let client = spec().client("our-id", LONG);
    let basic = World::new(client);
    basic.log_in().await.unwrap();
    let (headers, params) = basic.last(Purpose::RedeemCode);
    let expected = BASE64_STANDARD.encode(format!("our-id:{LONG}"));
    assert_eq!(headers["authorization"], format!("Basic {expected}"));
    assert!(params.iter().all(|(name, _)| !name.starts_with("client")), "{params:?}");

    let post = World::new(spec().secret_in_body().client("our-id", LONG));
    post.log_in().await.unwrap();
    let (headers, params) = post.last(Purpose::RedeemCode);
    assert!(!headers.contains_key("authorization"));
    assert!(params.contains(&("client_secret".into(), LONG.into())), "{params:?}");

    let public = World::new(spec().public_client("our-id"));
    let error = public.log_in().await.unwrap_err();
    assert_eq!(error.code(), "client_refused", "this provider wants a secret");
    let (headers, params) = public.last(Purpose::RedeemCode);
    assert!(!headers.contains_key("authorization"));
    assert!(params.contains(&("client_id".into(), "our-id".into())), "{params:?}");
}

/// OpenID Connect Core, section 9.
#[tokio::test]
async fn an_assertion_says_what_the_specification_wants_and_each_request_has_its_own() {
    let offline = spec().scopes("openid offline_access");
    let by_secret = offline.clone().secret_signs_assertions(Algorithm::Hs256);
    for (client, algorithm) in [
        (offline.signing_client("our-id"), Algorithm::Es256),
        (by_secret.client("our-id", LONG), Algorithm::Hs256),
    ] {
        let world = World::new(client);
        world.service.change(|manners| {
            manners.lifetime = Some(Duration::from_secs(600));
            manners.refresh = Refresh::Rotating;
        });
        let account = world.log_in().await.unwrap();
        let first = world.assertion(Purpose::RedeemCode);
        let header = Unverified::parse(&first).unwrap();
        assert_eq!(header.header().algorithm(), algorithm);
        let is_named = header.header().kid().is_some();
        assert_eq!(is_named, algorithm == Algorithm::Es256, "a secret's key has no name");
        let now = world.clock.now();
        let Claims { iss, sub, aud, jti, iat, exp, .. } = claims(&first);
        assert_eq!((iss.as_deref(), sub.as_deref()), (Some("our-id"), Some("our-id")));
        assert_eq!(aud, [ISSUER], "the issuer alone");
        assert_eq!((iat, exp), (Some(now), Some(now + Duration::from_secs(120))));
        let jti = jti.unwrap();
        assert_eq!(jti.len(), 22);
        // A refresh and a revocation prove it, too, each by itself.
        world.clock.advance(Duration::from_secs(3600));
        let linked = world.login.linked_by_name(&account).await.unwrap();
        linked.get::<Value>("things").await.unwrap();
        let second = claims(&world.assertion(Purpose::Refresh));
        assert_ne!(second.jti.as_ref(), Some(&jti));
        assert_eq!(second.iat, Some(world.clock.now()));
        let out = world.login.log_out(&account).await.unwrap();
        assert_eq!(out, Some(LoggedOut::Revoked));
        let third = claims(&world.assertion(Purpose::Revoke));
        assert!(third.jti != second.jti && third.jti != Some(jti));
    }
}

#[tokio::test]
async fn an_older_server_gets_its_token_endpoint_as_the_audience() {
    let spec = spec().assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them();
    let world = World::new(spec.signing_client("our-id"));
    world.log_in().await.unwrap();
    assert_eq!(claims(&world.assertion(Purpose::RedeemCode)).aud, [TOKEN]);
}

#[tokio::test]
async fn keys_that_the_provider_does_not_know_are_refused() {
    let world = World::new(spec().signing_client("our-id"));
    world.service.knows_keys(br#"{"keys":[]}"#).unwrap();
    let error = world.log_in().await.unwrap_err();
    assert_eq!(error.code(), "client_refused");
}

/// OpenID Connect Core, section 10.1.1.
#[tokio::test]
async fn keys_rotate_while_logins_go_on_and_their_public_parts_are_published_before_they_sign() {
    let world = World::new(spec().signing_client("our-id"));
    let rotation = Rotation::default();
    let mut browser = Browser::new(world.login.attach(Router::new()));
    let kids = async |browser: &mut Browser| -> Vec<String> {
        let page = browser.visit("/login/jwks.json").await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.headers["content-type"], "application/jwk-set+json");
        assert_eq!(page.headers["cache-control"], "public, max-age=300");
        let value: Value = serde_json::from_str(&page.text).unwrap();
        for key in value["keys"].as_array().unwrap() {
            assert_eq!(key.get("d"), None, "a private part");
        }
        let set = KeySet::parse(page.text.as_bytes()).unwrap();
        set.iter().map(|key| key.kid().unwrap().to_owned()).collect()
    };
    let signed_by = async |world: &World| {
        world.log_in().await.unwrap();
        let assertion = world.assertion(Purpose::RedeemCode);
        Unverified::parse(&assertion).unwrap().header().kid().unwrap().to_owned()
    };
    let rotate = |now: Timestamp| world.keys.rotate(now, &rotation).unwrap();
    assert_eq!(kids(&mut browser).await, ["1"]);
    assert!(rotate(world.clock.now()).is_none(), "nothing is to be stored");
    world.clock.advance(rotation.period - rotation.ahead);
    let stored: Secret = rotate(world.clock.now()).expect("a successor is to be stored");
    let published = kids(&mut browser).await;
    assert_eq!((published.len(), &*published[0]), (2, "1"));
    world.register_keys();
    assert_eq!(signed_by(&world).await, "1", "it signs until its time is over");
    world.clock.advance(rotation.ahead);
    assert_eq!(signed_by(&world).await, published[1]);
    for _ in 0..3 {
        rotate(world.clock.now());
        world.clock.advance(rotation.overlap);
    }
    assert_eq!(kids(&mut browser).await, published[1..], "the old one is gone");
    // Another process has what was stored.
    let other = ClientKeys::new(SigningKeys::new(key("9"), world.clock.now()).unwrap());
    other.replace(SigningKeys::from_json(&stored).unwrap());
    assert_eq!(other.published().iter().count(), 2);
    // A login without keys publishes none.
    let login = Login::new(KeyRing::ephemeral(), SITE).with(GitHub::new("our-id", SECRET));
    let page = Browser::new(login.attach(Router::new())).visit("/login/jwks.json").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_provider_that_is_discovered_gets_a_method_that_it_accepts() {
    for (methods, algorithms, expected) in [
        (json!(["private_key_jwt", "client_secret_jwt"]), json!(["ES256", "HS256"]), "HS256"),
        (json!(["client_secret_jwt"]), json!(null), "HS256"),
        (json!(["client_secret_jwt", "client_secret_post"]), json!(["HS256"]), "post"),
        (json!(["client_secret_jwt", "client_secret_basic"]), json!(["HS256"]), "basic"),
        (json!(null), json!(["HS256"]), "basic"),
    ] {
        let world = World::new(spec().client("our-id", LONG));
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/tenant/authorize",
            "token_endpoint": TOKEN,
            "jwks_uri": "https://id.example/tenant/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        });
        document["token_endpoint_auth_methods_supported"] = methods.clone();
        document["token_endpoint_auth_signing_alg_values_supported"] = algorithms;
        world.service.answers_next(Purpose::Document, StatusCode::OK, document.to_string());
        world.log_in().await.unwrap();
        let (headers, params) = world.last(Purpose::RedeemCode);
        let is = |name: &str| params.iter().any(|(known, _)| known == name);
        let used = match (headers.contains_key("authorization"), is("client_secret")) {
            (true, false) => "basic".to_owned(),
            (false, true) => "post".to_owned(),
            _ => {
                let assertion = world.assertion(Purpose::RedeemCode);
                Unverified::parse(&assertion).unwrap().header().algorithm().as_str().to_owned()
            }
        };
        assert_eq!(used, expected, "{methods}");
    }
}

struct Strict;

impl Service for Strict {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).secret_signs_assertions(Algorithm::Hs512).build();
}

impl Emulated for Strict {
    const MANNERS: Manners = Manners::STANDARD;
}

#[tokio::test]
async fn what_cannot_sign_is_found_at_start() {
    let check = |client: Client<Dynamic>| {
        let login = Login::new(KeyRing::ephemeral(), SITE).with(client);
        login.check().unwrap_err().code()
    };
    let short = spec().secret_signs_assertions(Algorithm::Hs256);
    assert_eq!(check(short.client("our-id", "short")), "secret_malformed");
    let asymmetric = spec().secret_signs_assertions(Algorithm::Es256);
    assert_eq!(check(asymmetric.client("our-id", LONG)), "secret_malformed");
    assert_eq!(check(spec().signing_client("our-id")), "client_keys_missing");
    let made = spec().secret_signs_assertions(Algorithm::Hs256);
    let made = made.public_client("our-id").secret_by(|_| Ok::<_, &str>("x"));
    assert_eq!(check(made), "credential_mismatch");
    let secret = LONG.repeat(2);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Strict::client("our-id", &*secret))
        .http(FakeService::of::<Strict>("our-id", &secret));
    login.check().unwrap();
}

#[test]
fn settings_say_that_a_client_signs() {
    #[derive(serde::Deserialize)]
    struct Config {
        gitlab: Client<quadrille::GitLab>,
    }
    let read = |text: &str| {
        let config: Config = toml::from_str(text).unwrap();
        Login::new(KeyRing::ephemeral(), SITE).with(config.gitlab).check().unwrap_err().code()
    };
    let with = |more: &str| read(&format!("[gitlab]\nclient_id = 'x'\n{more}"));
    assert_eq!(with("signing_client = true"), "client_keys_missing");
    assert_eq!(with("signing_client = true\nclient_secret = 'x'"), "setting_malformed");
    assert_eq!(with("signing_client = true\npublic_client = true"), "setting_malformed");
    assert_eq!(with("signing_client = 'maybe'"), "setting_malformed");
}
