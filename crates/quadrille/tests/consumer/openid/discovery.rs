//! Endpoints and keys that the provider names.

use std::time::Duration;

use axum::{Router, routing::get};
use http::{Response, StatusCode, header};
use quadrille::{
    Error, Identity, KeyRing, Login, Owner, Service, Spec, SpecBuf,
    consumer::{
        Begin, BrowserError, MemoryStorage, NotLinkedReason, OperatorError, RevokedAtService,
        ServiceError,
    },
    oidc::DiscoveryError,
    testing::FakeService,
    transport::{NetworkError, Purpose},
};
use serde_json::json;
use url::Url;

use crate::support::{Browser, SECRET, SITE};

use super::{ISSUER, World};

const HOUR: Duration = Duration::from_secs(3600);

struct Acme;

impl Service for Acme {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).scopes("email").build();
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// OpenID Connect Core, sections 3.1.2.1 and 3.1.2.5; OpenID Connect Discovery, section 4.1.
#[tokio::test]
async fn an_issuer_is_all_that_an_application_needs_to_know() {
    let world = World::new();
    let owner = Owner::user("ada");
    let (url, cookies) = world.leave(&Begin::new("acme").owner(&owner)).await.unwrap();
    assert!(url.starts_with("https://id.example/tenant/authorize?"), "{url}");
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid email"));
    assert!(parameter(&url, "nonce").is_some_and(|nonce| nonce.len() == 22), "{url}");
    assert!(parameter(&url, "code_challenge").is_some());
    let query = world.service.consent(&url, 7).unwrap();
    let account = world.arrive(&cookies, &query).await.unwrap().account;
    assert_eq!(&*account.subject, "https://id.example/tenant#7");

    let acme = world.login.linked_by_name(&account).await.unwrap();
    let claims = acme.claims().unwrap();
    assert_eq!((claims.text("iss"), claims.text("sub")), (Some(ISSUER), Some("7")));
    assert_eq!(claims.subject(), &*account.subject);
    assert_eq!(world.service.times_asked(Purpose::Identity), 0, "the ID token says it all");
    assert_eq!(world.fetched(), 2, "the metadata and the keys");

    let profile = acme.profile().await.unwrap();
    assert_eq!(profile.subject, &*account.subject);
    assert_eq!(profile.raw["sub"], "7", "and userinfo says more, if it is asked");
    let asked = world.service.asked().pop().unwrap().request;
    assert_eq!(asked.uri(), "https://id.example/tenant/userinfo");
    assert!(asked.headers()["authorization"].to_str().unwrap().starts_with("Bearer "));
    let _: serde_json::Value = acme.get("things").await.unwrap();
    let asked = world.service.asked().pop().unwrap();
    assert_eq!(asked.request.uri(), "https://id.example/tenant/things", "calls go to the issuer");
    assert_eq!(acme.revoke_at_service().await, RevokedAtService::Revoked);
}

/// OpenID Connect Core, section 3.1.2.1: `nonce`.
#[tokio::test]
async fn two_logins_send_two_nonces_and_need_the_documents_once() {
    let world = World::new();
    let begin = Begin::new("acme");
    let nonce = |url: &str| parameter(url, "nonce").unwrap();
    let (one, two) = (world.leave(&begin).await.unwrap(), world.leave(&begin).await.unwrap());
    assert_ne!(nonce(&one.0), nonce(&two.0));
    for user in 7..10 {
        world.log_in(user).await.unwrap();
    }
    assert_eq!(world.fetched(), 2);
    world.clock.advance(HOUR);
    world.log_in(7).await.unwrap();
    assert_eq!(world.fetched(), 4, "a provider may change what it says");
}

/// OpenID Connect Core, section 3.1.2.1: `scope`.
#[tokio::test]
async fn the_scope_openid_is_requested_whatever_else_is() {
    let world = World::with(|spec| spec.scopes("things:read"));
    let (url, _) = world.leave(&Begin::new("acme")).await.unwrap();
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid things:read"));
}

#[tokio::test]
async fn endpoints_that_the_application_names_stay_where_they_are() {
    let world = World::with(|spec| {
        spec.api_at("https://api.example/v1").identity("https://who.example/me", "sub")
    });
    let account = world.log_in(7).await.unwrap();
    let acme = world.login.linked_by_name(&account).await.unwrap();
    let _: serde_json::Value = acme.get("things").await.unwrap();
    let asked = world.service.asked().pop().unwrap();
    assert_eq!(asked.request.uri(), "https://api.example/v1/things");
    let body = json!({ "sub": "7", "name": "Ada" }).to_string();
    world.service.answers_next(Purpose::Identity, StatusCode::OK, body);
    assert_eq!(acme.profile().await.unwrap().name.as_deref(), Some("Ada"));
    let asked = world.service.asked().pop().unwrap();
    assert_eq!(asked.request.uri(), "https://who.example/me");
}

/// OpenID Connect Discovery, sections 4.2 and 4.3.
#[tokio::test]
async fn metadata_that_cannot_be_used_end_a_login_before_it_begins() {
    let lie = |change: serde_json::Value| {
        let mut all = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/keys",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        all.to_string()
    };
    let huge = lie(json!({ "padding": "x".repeat(70_000) }));
    for (status, body, expected) in [
        (
            200,
            lie(json!({ "issuer": "https://id.example/tenant/" })),
            ServiceError::ProviderMetadata(DiscoveryError::OtherIssuer),
        ),
        (
            200,
            lie(json!({ "jwks_uri": "http://169.254.169.254/latest" })),
            ServiceError::ProviderMetadata(DiscoveryError::Endpoint("jwks_uri")),
        ),
        (
            200,
            lie(json!({ "token_endpoint": "http://127.0.0.1:6379/" })),
            ServiceError::ProviderMetadata(DiscoveryError::Endpoint("token_endpoint")),
        ),
        (200, "<html>".to_owned(), ServiceError::ProviderMetadata(DiscoveryError::Malformed)),
        (200, huge, ServiceError::TooLarge),
        (404, String::new(), ServiceError::Malformed { status: StatusCode::NOT_FOUND }),
        (302, String::new(), ServiceError::Malformed { status: StatusCode::FOUND }),
        (
            503,
            String::new(),
            ServiceError::Unavailable {
                status: StatusCode::SERVICE_UNAVAILABLE,
                retry_after: None,
            },
        ),
    ] {
        let world = World::new();
        let answer = Response::builder().status(status).header(header::LOCATION, "http://[::1]/");
        let answer = answer.body(body.into()).unwrap();
        world.service.answers_next_with(Purpose::Document, answer);
        let error = world.leave(&Begin::new("acme")).await.unwrap_err();
        assert_eq!(error, Error::Service { service: "acme".into(), error: expected });
        assert_eq!(world.fetched(), 1, "a redirect is not followed");
        // The next try waits a second, and finds the provider in order.
        world.leave(&Begin::new("acme")).await.unwrap_err();
        assert_eq!(world.fetched(), 1);
        world.clock.advance(Duration::from_secs(1));
        world.log_in(7).await.unwrap();
    }
}

#[tokio::test]
async fn braces_in_an_endpoint_of_the_metadata_are_no_place_to_fill_in() {
    let world = World::new();
    let metadata = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example/tenant/authorize?for={client_id}",
        "token_endpoint": "https://id.example/tenant/token",
        "userinfo_endpoint": "https://id.example/tenant/userinfo?of={subject}",
        "jwks_uri": "https://id.example/tenant/keys",
    });
    world.service.answers_next(Purpose::Document, StatusCode::OK, metadata.to_string());
    let (url, _) = world.leave(&Begin::new("acme")).await.unwrap();
    assert!(url.starts_with("https://id.example/tenant/authorize?for=%7Bclient_id%7D&"), "{url}");
    let account = world.log_in(7).await.unwrap();
    let acme = world.login.linked_by_name(&account).await.unwrap();
    let body = json!({ "sub": "7", "name": "Ada" }).to_string();
    world.service.answers_next(Purpose::Identity, StatusCode::OK, body);
    assert_eq!(acme.profile().await.unwrap().name.as_deref(), Some("Ada"));
    let asked = world.service.asked().pop().unwrap();
    assert_eq!(asked.request.uri(), "https://id.example/tenant/userinfo?of=%7Bsubject%7D");
}

#[tokio::test(start_paused = true)]
async fn metadata_that_never_end_are_given_up() {
    let world = World::new();
    world.service.ignores_next(Purpose::Document);
    let error = world.leave(&Begin::new("acme")).await.unwrap_err();
    assert_eq!(error.code(), "service_timed_out");
    assert!(matches!(error, Error::Network { error: NetworkError::TimedOut, .. }));
}

#[tokio::test]
async fn while_metadata_cannot_be_fetched_again_the_last_ones_serve() {
    let world = World::new();
    world.log_in(7).await.unwrap();
    world.clock.advance(HOUR);
    for _ in 0..2 {
        world.service.fails_next(Purpose::Document, NetworkError::Refused);
    }
    world.log_in(7).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_is_no_url_of_one_is_a_mistake_of_the_operator() {
    for issuer in ["id.example", "http://id.example", "https://id.example?a=b", ""] {
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(SpecBuf::oidc("acme", issuer).client("our-id", SECRET));
        let expected = OperatorError::EndpointMalformed { service: "acme".into() };
        assert_eq!(login.check().unwrap_err(), expected.into(), "{issuer}");
    }
}

#[tokio::test]
async fn the_nonce_is_the_logins_own() {
    let world = World::new();
    let begin = Begin::new("acme").parameter("nonce", "mine");
    let error = world.leave(&begin).await.unwrap_err();
    assert_eq!(error.code(), "parameter_reserved");
}

#[tokio::test]
async fn a_visitor_is_known_with_their_claims_and_no_token_is_kept() {
    async fn who(me: Identity<Acme>) -> String {
        let claims = me.claims().unwrap();
        assert!(claims.all().get("nonce").is_none(), "only what is about the user is kept");
        format!("{} is {}", me.subject(), claims.text("email").unwrap_or("without an address"))
    }
    let service = FakeService::openid(ISSUER, "our-id", SECRET)
        .user(json!({ "sub": "7", "email": "ada@example.com" }));
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Acme::client("our-id", SECRET))
        .http(service.clone());
    let mut browser = Browser::new(login.attach(Router::new().route("/who", get(who))));
    let away = browser.go("/who").await;
    let query = service.consent(away.location(), 7).unwrap();
    let page = browser.go(&format!("/login/acme/authorized?{query}")).await;
    assert_eq!(page.text, "https://id.example/tenant#7 is ada@example.com");
    assert_eq!(browser.visit("/who").await.text, page.text);
    assert_eq!(service.times_asked(Purpose::Identity), 0);
    assert!(!browser.cookies.keys().any(|name| name.contains("token")));
}

#[tokio::test]
async fn each_tenant_has_its_own_issuer_and_its_documents_outlive_a_look_up() {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let clock = quadrille::testing::ManualClock::new();
    let of = async |(), tenant: String| {
        let issuer = format!("https://id.example/{tenant}");
        Ok::<_, String>(Some(SpecBuf::oidc("sso", issuer).client("our-id", SECRET)))
    };
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with_tenants("sso", (), of)
        .storage(MemoryStorage::new())
        .http(service.clone())
        .env(clock.env());
    let owner = Owner::user("ada");
    let account = service.link(&login, "sso~tenant", &owner, 7).await;
    assert_eq!(&*account.subject, "https://id.example/tenant#7");
    clock.advance(Duration::from_secs(61));
    service.link(&login, "sso~tenant", &owner, 7).await;
    assert_eq!(service.times_asked(Purpose::Document), 2);

    // The provider is that of `tenant`, so what it says is not for another one.
    let jar = quadrille::consumer::Jar::new(&http::HeaderMap::new());
    let error = login.begin(&jar, &Begin::new("sso~other")).await.unwrap_err();
    let expected = ServiceError::ProviderMetadata(DiscoveryError::OtherIssuer);
    assert_eq!(error, Error::Service { service: "sso~other".into(), error: expected });
}

/// OpenID Connect Core, section 3.1.2.7, and RFC 9207, section 2.4.
#[tokio::test]
async fn an_answer_of_another_issuer_is_a_mix_up() {
    let world = World::new();
    let (url, cookies) = world.leave(&Begin::new("acme").owner(&Owner::user("ada"))).await.unwrap();
    let query = world.service.consent(&url, 7).unwrap();
    let iss = "iss=https%3A%2F%2Fid.example%2Ftenant";
    assert!(query.contains(iss), "{query}");
    for other in ["iss=https%3A%2F%2Fid.example", "iss=https%3A%2F%2Fid.example%2Ftenant%2F", ""] {
        let query = query.replace(iss, other);
        let error = world.arrive(&cookies, &query).await.unwrap_err();
        assert_eq!(error, BrowserError::WrongIssuer.into(), "{other:?}");
    }
    world.arrive(&cookies, &query).await.unwrap();
}

#[tokio::test]
async fn an_account_that_is_missing_costs_no_request() {
    let world = World::new();
    let account = world.log_in(7).await.unwrap();
    world.login.unlink(&account).await.unwrap();
    let before = world.service.asked().len();
    let error = world.login.linked_by_name(&account).await.unwrap_err();
    assert!(matches!(error, Error::NotLinked(who) if who.reason == NotLinkedReason::Missing));
    assert_eq!(world.service.asked().len(), before);
}
