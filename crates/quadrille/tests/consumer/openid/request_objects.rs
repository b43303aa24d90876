//! Authorization requests as objects that the site signs.

use std::time::Duration;

use axum::Router;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Request, StatusCode};
use quadrille::{
    Env, KeyRing, Login, Owner, SpecBuf,
    consumer::{
        Begin, ClientKeys, CookieStorage, Jar, MemoryStorage, OAuth2Buf, OperatorError,
        RequestObjectUnusable as U, RequestObjects,
    },
    jose::{
        Algorithm, ContentEncryption, Encrypted, KeyManagement, SigningKey, SigningKeys, Unverified,
    },
    testing::{Browser, FakeService, ManualClock},
    transport::Purpose,
};
use serde_json::{Value, json};

use super::{ISSUER, World};
use crate::support::{SECRET, SITE};

fn keys(algorithm: Algorithm) -> ClientKeys {
    let key = SigningKey::generate(algorithm).unwrap();
    ClientKeys::new(SigningKeys::new(key, Env::system().now()).unwrap())
}

fn world(change: impl FnOnce(SpecBuf<OAuth2Buf>) -> SpecBuf<OAuth2Buf>) -> World {
    world_with(&keys(Algorithm::Es256), change)
}

fn world_with(
    keys: &ClientKeys,
    change: impl FnOnce(SpecBuf<OAuth2Buf>) -> SpecBuf<OAuth2Buf>,
) -> World {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let clock = ManualClock::new();
    service.tells_time(&clock.env());
    service.knows_keys(keys.jwks().as_bytes()).unwrap();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .client_keys(keys.clone())
        .with(change(SpecBuf::oidc("acme", ISSUER)).client("our-id", SECRET))
        .storage(MemoryStorage::new())
        .http(service.clone())
        .env(clock.env());
    World { service, login, clock }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

async fn leave(world: &World) -> (String, http::HeaderMap) {
    let begin = Begin::new("acme").owner(&Owner::user("ada")).parameter("max_age", "60");
    world.leave(&begin).await.unwrap()
}

/// OpenID Connect Core, section 6.1.
#[tokio::test]
async fn a_request_in_the_url_is_signed_and_nobody_changes_it() {
    let world = world(|spec| spec.request_objects(RequestObjects::ByValue));
    let (url, cookies) = leave(&world).await;
    let names: Vec<_> =
        url::Url::parse(&url).unwrap().query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["response_type", "client_id", "scope", "request"]);
    let object = parameter(&url, "request").unwrap();
    let token = Unverified::parse(&object).unwrap();
    assert_eq!(token.header().typ(), Some("oauth-authz-req+jwt"));
    let claims = token.claims_of_anybody().unwrap();
    assert_eq!((claims.iss.as_deref(), &*claims.aud), (Some("our-id"), &[ISSUER.to_owned()][..]));
    assert_eq!(claims.extra["max_age"], json!(60));
    for name in ["state", "nonce", "code_challenge", "redirect_uri"] {
        assert!(claims.text(name).is_some(), "{name}");
    }
    // A parameter beside the object counts for nothing.
    let changed = format!("{url}&redirect_uri=https%3A%2F%2Fevil.example");
    let callback = world.service.callback(&changed);
    assert_eq!(callback.as_deref(), Some("https://app.example/login/acme/authorized"));
    let (signed, _) = url.rsplit_once('.').unwrap();
    assert_eq!(world.service.consent(&format!("{signed}.AAAA"), 7), None, "another signature");
    let query = world.service.consent(&url, 7).unwrap();
    world.arrive(&cookies, &query).await.unwrap();
}

/// OpenID Connect Core, section 6.1.
#[tokio::test]
async fn a_request_object_may_be_encrypted_to_the_provider() {
    let world = world(|spec| {
        spec.request_objects(RequestObjects::ByValue)
            .encrypted_request_objects(KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm)
    });
    let (url, cookies) = leave(&world).await;
    let object = parameter(&url, "request").unwrap();
    assert!(Encrypted::is_one(&object));
    let query = world.service.consent(&url, 7).unwrap();
    world.arrive(&cookies, &query).await.unwrap();
}

/// OpenID Connect Core, section 6.2.
#[tokio::test]
async fn a_request_at_a_url_of_the_site_is_there_once_for_two_minutes() {
    let world = world(|spec| spec.request_objects(RequestObjects::ByReference));
    let mut provider = Browser::new(world.login.attach(Router::new()));
    let (url, cookies) = leave(&world).await;
    let reference = parameter(&url, "request_uri").unwrap();
    assert!(reference.starts_with("https://app.example/login/acme/request?"), "{reference}");
    assert!(reference.len() <= 512, "OpenID Connect Core, section 6.2: {reference}");
    let head = Request::head(&reference["https://app.example".len()..]);
    let head = provider.send(head.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(head.status, StatusCode::NO_CONTENT, "and it is still there");
    let got = provider.visit(&reference).await;
    assert_eq!(got.status, StatusCode::OK, "{got:?}");
    assert_eq!(got.headers["content-type"], "application/oauth-authz-req+jwt");
    assert_eq!(got.headers["cache-control"], "no-store");
    let (before, _) = url.split_once("&request_uri=").unwrap();
    let by_value = format!("{before}&request={}", got.text);
    let query = world.service.consent(&by_value, 7).unwrap();
    world.arrive(&cookies, &query).await.unwrap();
    assert_eq!(provider.visit(&reference).await.status, StatusCode::NOT_FOUND, "once");

    let (url, _) = leave(&world).await;
    let reference = parameter(&url, "request_uri").unwrap();
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(provider.visit(&reference).await.status, StatusCode::NOT_FOUND, "too late");
    for path in ["/login/acme/request", "/login/acme/request?object=x", "/login/nobody/request"] {
        assert_ne!(provider.visit(path).await.status, StatusCode::OK, "{path}");
    }
}

const UNSIGNED: RequestObjects = RequestObjects::UnsignedByReferenceSoThatOnlyTlsProvesWhoseItIs;

/// OpenID Connect Core, sections 6.1 and 6.2.
#[tokio::test]
async fn an_unsigned_request_is_at_a_url_of_the_site_where_the_provider_takes_such() {
    // A site without keys.
    let world = World::with(|spec| spec.request_objects(UNSIGNED));
    let mut provider = Browser::new(world.login.attach(Router::new()));
    let metadata = |algorithms: Value| {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": format!("{ISSUER}/keys"),
            "request_object_signing_alg_values_supported": algorithms,
        })
        .to_string()
    };
    let takes = metadata(json!(["none", "RS256"]));
    world.service.answers_next(Purpose::Document, StatusCode::OK, takes);
    let (url, _) = leave(&world).await;
    assert_eq!(parameter(&url, "state"), None, "it is in the object");
    let reference = parameter(&url, "request_uri").unwrap();
    let got = provider.visit(&reference).await;
    assert_eq!(got.status, StatusCode::OK, "{got:?}");
    let (signed, signature) = got.text.rsplit_once('.').unwrap();
    assert_eq!(signature, "");
    let (header, payload) = signed.split_once('.').unwrap();
    let read = |part: &str| {
        let part = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice::<Value>(&part).unwrap()
    };
    assert_eq!(read(header), json!({ "alg": "none", "typ": "oauth-authz-req+jwt" }));
    let claims = read(payload);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("our-id"), &json!(ISSUER)));
    assert_eq!(claims["max_age"], json!(60));
    assert!(claims["state"].is_string() && claims["nonce"].is_string());
    assert_eq!(provider.visit(&reference).await.status, StatusCode::NOT_FOUND, "once");

    for algorithms in [json!(null), json!(["RS256"])] {
        let world = World::with(|spec| spec.request_objects(UNSIGNED));
        let body = metadata(algorithms);
        world.service.answers_next(Purpose::Document, StatusCode::OK, body);
        let begin = Begin::new("acme").owner(&Owner::user("ada"));
        let error = world.leave(&begin).await.unwrap_err();
        assert!(error.to_string().contains(&U::Unsigned.to_string()), "{error}");
    }
    let in_browsers = world.login.storage(CookieStorage).check().unwrap_err();
    assert_eq!(in_browsers.code(), "storage_in_browser");
}

/// OpenID Connect Core, sections 6.1 and 6.2.
#[tokio::test]
async fn what_the_metadata_do_not_say_is_not_sent() {
    fn refused(result: quadrille::Result<(String, http::HeaderMap)>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "request_object_unusable", "{error}");
        error.to_string()
    }
    let begin = Begin::new("acme").owner(&Owner::user("ada"));
    let by_value = |spec: SpecBuf<OAuth2Buf>| spec.request_objects(RequestObjects::ByValue);
    let rs = world_with(&keys(Algorithm::Rs256), by_value);
    assert!(refused(rs.leave(&begin).await).contains(&U::Algorithm.to_string()));
    let encrypts = world(|spec| {
        by_value(spec)
            .encrypted_request_objects(KeyManagement::RsaOaep256, ContentEncryption::A256Gcm)
    });
    assert!(refused(encrypts.leave(&begin).await).contains(&U::Encryption.to_string()));
    let plain = json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": format!("{ISSUER}/keys"),
        "request_uri_parameter_supported": false,
    });
    for (delivery, reason) in
        [(RequestObjects::ByValue, U::ByValue), (RequestObjects::ByReference, U::ByReference)]
    {
        let world = world(|spec| spec.request_objects(delivery));
        world.service.answers_next(Purpose::Document, StatusCode::OK, plain.to_string());
        assert!(refused(world.leave(&begin).await).contains(&reason.to_string()));
    }
}

#[tokio::test]
async fn a_site_whose_storage_is_in_browsers_has_no_url_with_a_request() {
    let by_value = world(|spec| spec.request_objects(RequestObjects::ByValue));
    by_value.login.storage(CookieStorage).check().unwrap();
    let by_reference = world(|spec| spec.request_objects(RequestObjects::ByReference));
    let error = by_reference.login.storage(CookieStorage).check().unwrap_err();
    assert_eq!(error, OperatorError::StorageInBrowser { service: "acme".into() }.into());
    // A service that is looked up on demand.
    let keys = keys(Algorithm::Es256);
    let of = async |(), _: String| {
        let spec = SpecBuf::oidc("sso", ISSUER).request_objects(RequestObjects::ByReference);
        Ok::<_, String>(Some(spec.client("our-id", SECRET)))
    };
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .client_keys(keys)
        .with_tenants("sso", (), of)
        .storage(CookieStorage)
        .http(by_value.service);
    let jar = Jar::new(&http::HeaderMap::new());
    let error = login.begin(&jar, &Begin::new("sso~tenant")).await.unwrap_err();
    assert!(error.to_string().contains(&U::StorageInBrowser.to_string()), "{error}");
}

#[tokio::test]
async fn a_site_without_keys_sends_no_request_objects() {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let spec = SpecBuf::oidc("acme", ISSUER).request_objects(RequestObjects::ByValue);
    let login =
        Login::new(KeyRing::ephemeral(), SITE).with(spec.client("our-id", SECRET)).http(service);
    assert_eq!(login.check().unwrap_err().code(), "client_keys_missing");
}

#[tokio::test]
async fn each_object_has_claims_of_its_own() {
    // One of another login is of no use: `state`, `nonce` and `jti` are in it.
    let world = world(|spec| spec.request_objects(RequestObjects::ByValue));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (url, _) = leave(&world).await;
        let object = parameter(&url, "request").unwrap();
        let claims = Unverified::parse(&object).unwrap().claims_of_anybody().unwrap();
        let claims: Value = serde_json::from_slice(&claims.to_json()).unwrap();
        seen.push(claims);
    }
    for name in ["jti", "state", "nonce", "code_challenge"] {
        assert_ne!(seen[0][name], seen[1][name], "{name}");
    }
}
