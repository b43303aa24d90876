//! The kit for tests of applications: a whole provider in the process, and whole logins at it and at
//! an application's own, each in a few lines.

use std::time::Duration;

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Request, StatusCode};
use quadrille::{
    Error, Identity, Linked, Owner, Result, Service, Spec, Spotify,
    consumer::{Begin, MemoryStorage, NotLinkedReason},
    provider::{AuthorizationServer, NewClient},
    testing::{Browser, FakeService, Fault, OpenIdFault, TestClient, TestProvider},
    transport::{Body, HttpClient as _, Purpose},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{ALBUM, World};

const ISSUER: &str = "https://id.example";
const APP: &str = "https://app.example";

struct Acme;

impl Service for Acme {
    const SPEC: Spec =
        Spec::oidc("acme", ISSUER).scopes("openid profile email photos:read").build();
}

quadrille::scopes! {
    Photos = "photos:read", "See your photos";
}

fn provider() -> TestProvider {
    TestProvider::with(ISSUER, AuthorizationServer::scope::<Photos>)
}

async fn home(who: Identity<Acme>) -> String {
    format!("You are {}", who.subject())
}

async fn album(acme: Linked<Acme>) -> Result<String> {
    let me: Value = acme.get("api/me").await?;
    Ok(format!("{} may {}", me["user"], me["scopes"]))
}

fn pages() -> Router {
    Router::new().route("/", get(home)).route("/album", get(album))
}

#[tokio::test]
async fn a_login_at_a_whole_provider_is_a_few_lines() {
    let provider = provider();
    let login = provider.login::<Acme>(APP).await;
    let mut browser = Browser::new(login.attach(pages()));
    let page = browser.log_in(&provider, "/album", "grace").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert!(page.text.starts_with("\"grace\" may "), "{page:?}");
    assert!(page.text.contains("photos:read"), "{page:?}");
}

#[tokio::test]
async fn a_browser_goes_from_one_site_to_the_other_and_back() {
    let provider = provider().user("ada", json!({ "email": "ada@example.com" }));
    let login = provider.login::<Acme>(APP).await;
    let mut browser = Browser::across([(APP, login.attach(pages())), (ISSUER, provider.router())]);
    let page = browser.go("/").await;
    assert_eq!(
        (&*page.url, &*page.text),
        ("https://app.example/", "You are https://id.example#ada")
    );

    // With the pages, which the user fills in.
    provider.shows_pages();
    let login = provider.login::<Acme>(APP).await;
    let mut browser = Browser::across([(APP, login.attach(pages())), (ISSUER, provider.router())]);
    let sign_in = browser.go("/").await;
    assert_eq!(sign_in.url.split('?').next(), Some("https://id.example/sign-in"));
    let consent = browser.fill(&sign_in, &[("name", "grace")]).await;
    assert!(consent.text.contains("See your photos"), "{consent:?}");
    let page = browser.fill(&consent, &[("decision", "allow")]).await;
    assert_eq!(page.text, "You are https://id.example#grace");
}

#[tokio::test]
async fn a_client_at_an_application_of_ones_own_is_a_few_lines() {
    let world = World::new(|new: NewClient| new).await;
    let client = TestClient::register(&world.server, "photos:read").await;
    let mut browser = Browser::new(world.album.clone());
    let sign_in = browser.go(&client.request()).await;
    let consent = browser.fill(&sign_in, &[("name", "ada")]).await;
    let chosen = [("scope", "photos:read"), ("decision", "allow")];
    let back = browser.fill(&consent, &chosen).await;
    let granted = client.redeem(back.location()).await;
    assert_eq!(granted.get(&world.album, "/api/me").await.text, r#"{"id":"ada"}"#);

    let again = granted.refresh().await.unwrap();
    assert_eq!(again.get(&world.album, "/api/me").await.text, r#"{"id":"ada"}"#);
    world.clock.advance(Duration::from_secs(24 * 3600));
    let page = again.get(&world.album, "/api/me").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.server.issuer(), ALBUM);

    let denied = browser.fill(&consent, &[("decision", "deny")]).await;
    assert_ne!(denied.status, StatusCode::OK, "the page was answered already");
}

#[tokio::test]
async fn users_sign_in_and_consent_as_the_test_says() {
    let provider = provider();
    let client = TestClient::register(provider.server(), "photos:read openid").await;
    provider.signs_in("grace");
    provider.allows(&["photos:read"]);
    let page = Browser::new(provider.router()).go(&client.request()).await;
    let granted = client.redeem(page.location()).await;
    let me = granted.get(&provider.router(), "/api/me").await;
    let who: Value = serde_json::from_str(&me.text).unwrap();
    assert_eq!(
        (&who["user"], &who["scopes"]),
        (&json!("grace"), &json!(["photos:read"])),
        "{me:?}"
    );

    provider.allows(&["profile"]);
    provider.signs_in("mary");
    let page = Browser::new(provider.router()).go(&client.request()).await;
    assert!(page.location().contains("error=access_denied"), "{page:?}");
}

#[tokio::test(start_paused = true)]
async fn each_fault_of_a_provider_is_what_its_name_says() {
    let ada = Owner::user("ada");
    for fault in Fault::ALL {
        let provider = provider();
        let login = provider.login::<Acme>(APP).await.storage(MemoryStorage::new());
        let account = provider.link(&login, "acme", &ada, "ada").await;
        let call = async || {
            let linked = login.linked::<Acme>(&account).await?;
            linked.get::<Value>("api/me").await
        };
        let log_in = async || {
            let mut browser =
                Browser::across([(APP, login.attach(pages())), (ISSUER, provider.router())]);
            browser.go("/login/acme?next=/").await
        };
        call().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        provider.suffers(fault);
        let needs_linking = |error: &Error| matches!(error, Error::NotLinked(it) if it.reason == NotLinkedReason::NeedsLinkingAgain);
        let mut ends_the_account = false;
        match fault {
            Fault::Denied => assert!(log_in().await.has_code("access_denied"), "{fault:?}"),
            Fault::Slow => {
                assert_eq!(call().await.unwrap_err().code(), "service_timed_out", "{fault:?}");
            }
            Fault::ServerError => {
                let error = call().await.unwrap_err();
                assert!(matches!(error, Error::Api { status, .. } if status == 500), "{error:?}");
            }
            Fault::EverythingExpired => {
                // A token of the last half minute is not refreshed at once.
                provider.clock().advance(Duration::from_secs(60));
                let error = call().await.unwrap_err();
                assert!(needs_linking(&error), "{fault:?}: {error}");
                ends_the_account = true;
            }
            Fault::ScopesDropped => {
                let account = provider.link(&login, "acme", &ada, "ada").await;
                let linked = login.linked::<Acme>(&account).await.unwrap();
                assert!(linked.scopes().is_empty(), "{fault:?}: {:?}", linked.scopes());
            }
            Fault::RefreshRefused => {
                provider.clock().advance(Duration::from_secs(2 * 3600));
                let error = call().await.unwrap_err();
                assert!(needs_linking(&error), "{fault:?}: {error}");
                ends_the_account = true;
            }
            Fault::RefreshRotated => {
                for _ in 0..3 {
                    provider.clock().advance(Duration::from_secs(2 * 3600));
                    call().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
                }
            }
            Fault::WrongContentType => {
                call().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            }
            Fault::ErrorsUnder200 => {
                let request = Request::post("https://id.example/oauth/token")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(Body::from(Bytes::from("grant_type=client_credentials&client_id=x")));
                let answer = provider.send(request.unwrap(), Purpose::RedeemCode).await.unwrap();
                assert_eq!(answer.status(), StatusCode::OK, "{fault:?}");
            }
            Fault::CallbackUnregistered => {
                let page = log_in().await;
                assert_eq!(page.status, StatusCode::BAD_REQUEST, "{fault:?}: {page:?}");
                assert!(page.url.starts_with(ISSUER), "{fault:?}: {page:?}");
            }
            Fault::WrongIssuer => assert!(log_in().await.has_code("wrong_issuer"), "{fault:?}"),
            Fault::KeysRotated => {
                // The keys are fetched again for a key that is not known, but not at each token.
                provider.clock().advance(Duration::from_secs(60));
                let page = log_in().await;
                assert_eq!(page.text, "You are https://id.example#ada", "{fault:?}: {page:?}");
            }
            unknown => panic!("{unknown:?} has no test"),
        }
        provider.recovers();
        if ends_the_account {
            provider.link(&login, "acme", &ada, "ada").await;
        }
        call().await.unwrap_or_else(|error| panic!("{fault:?}, afterwards: {error}"));
    }
}

#[tokio::test]
async fn a_device_is_let_in_by_its_code() {
    let provider = provider();
    let login = provider.login::<Acme>(APP).await.storage(MemoryStorage::new());
    assert!(!provider.approve_device("WRNG-CODE", "ada").await);
    let device = login.begin_device(&Begin::new("acme")).await.unwrap();
    assert!(provider.approve_device(device.user_code(), "ada").await);
}

#[tokio::test]
async fn a_provider_is_a_tower_service_and_a_clock() {
    let provider = provider();
    let request = Request::get("/.well-known/openid-configuration").body(axum::body::Body::empty());
    let answer = provider.clone().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);

    let client = TestClient::register(provider.server(), "photos:read").await;
    let page = Browser::new(provider.router()).go(&client.request()).await;
    provider.clock().advance(Duration::from_secs(3600));
    let callback = page.location().to_owned();
    let redeemed = tokio::spawn(async move { client.redeem(&callback).await.tokens }).await;
    assert!(redeemed.is_err(), "the code has expired");
}

#[tokio::test]
async fn a_fake_says_what_its_service_does_not_have() {
    let spotify = FakeService::of::<Spotify>("our-id", "our-secret");
    for (method, path, what) in [
        ("GET", "/.well-known/openid-configuration", "metadata: it is no OpenID Provider"),
        ("POST", "/oauth/revoke", "token revocation (RFC 7009)"),
        ("POST", "/oauth/device/code", "device logins (RFC 8628)"),
        ("POST", "/register", "registration of clients (RFC 7591)"),
    ] {
        let request =
            Request::builder().method(method).uri(format!("https://spotify.example{path}"));
        let request = request.body(Bytes::new()).unwrap();
        let answer = spotify.respond(request, Purpose::Api).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let told: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(told["error_description"], format!("Spotify has no {what}"));
    }
}

#[test]
#[should_panic(expected = "the service is no OpenID Provider: NonceOther changes nothing")]
fn a_fault_that_a_fake_cannot_have_fails_the_test() {
    FakeService::of::<Spotify>("our-id", "our-secret").misidentifies(OpenIdFault::NonceOther);
}
