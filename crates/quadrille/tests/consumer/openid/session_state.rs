//! The state of the user's session at the provider, for a page that watches it.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use quadrille::testing::{Browser, FakeService, ManualClock};
use quadrille::{
    Authorized, Failed, GitHub, Hooks, KeyRing, Login, SpecBuf,
    consumer::{BrowserError, MemoryStorage},
    oauth2::ErrorCode,
    transport::Purpose,
};
use serde_json::json;

use super::{ISSUER, World};
use crate::support::{SECRET, SITE};

type Seen = Arc<Mutex<Option<String>>>;

/// OpenID Connect Session Management, section 2.
#[tokio::test]
async fn a_hook_learns_the_session_state_of_the_response() {
    async fn arrived(new: Authorized, State(seen): State<Seen>) {
        *seen.lock().unwrap() = new.callback_parameter("session_state").map(str::to_owned);
    }
    let (service, clock) = (FakeService::openid(ISSUER, "our-id", SECRET), ManualClock::new());
    service.tells_time(&clock.env());
    let seen = Seen::default();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(SpecBuf::oidc("acme", ISSUER).client("our-id", SECRET))
        .storage(MemoryStorage::new())
        .http(service.clone())
        .env(clock.env())
        .hooks(Hooks::new(seen.clone()).on_authorized(arrived));
    let mut browser = Browser::new(login.attach(Router::new()));
    let away = browser.go("/login/acme?only=identity").await;
    let query = service.consent(away.location(), 7).unwrap();
    let state = "CjJl7pHTkIvK.3wcs2zAmTSA";
    browser.go(&format!("/login/acme/authorized?{query}&session_state={state}")).await;
    assert_eq!(seen.lock().unwrap().as_deref(), Some(state));
}

const STATE: &str = "CjJl7pHTkIvK.3wcs2zAmTSA";

/// OpenID Connect Session Management, section 3.1.
#[tokio::test]
async fn a_page_of_the_site_frames_that_of_the_provider_and_asks_it() {
    async fn session(State(login): State<Login>) -> quadrille::Result<Response> {
        let page = login.session_page("acme", STATE).await?;
        Ok(page.map_or(StatusCode::NOT_FOUND.into_response(), |page| page.map(Body::from)))
    }
    let world = World::new();
    let pages = Router::new().route("/session", get(session)).with_state(world.login.clone());
    let page = Browser::new(world.login.attach(pages)).visit("/session").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert!(page.text.contains(&format!("data-asked=\"our-id {STATE}\"")), "{}", page.text);
    assert!(page.text.contains("<iframe src=\"https://id.example/tenant/session\""));
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    assert!(!page.headers.contains_key(header::X_FRAME_OPTIONS), "a page of this site frames it");
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("frame-src https://id.example; "), "{policy}");
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
}

/// OpenID Connect Session Management, sections 2 and 3.1.
#[tokio::test]
async fn only_a_session_state_is_asked_about_and_only_a_provider_that_has_such_a_page() {
    let world = World::new();
    let malformed = BrowserError::CallbackMalformed;
    for state in ["", "two words", "a\nb", &"x".repeat(1025)] {
        let page = world.login.session_page("acme", state).await;
        assert_eq!(page.unwrap_err(), malformed.into(), "{state}");
    }
    let github = world.login.clone().with(GitHub::new("our-id", SECRET));
    for (service, code) in [("github", "not_openid"), ("nobody", "service_unknown")] {
        let error = github.session_page(service, STATE).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
    let without = World::new();
    let metadata = json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": format!("{ISSUER}/keys"),
    });
    without.service.answers_next(Purpose::Document, StatusCode::OK, metadata.to_string());
    assert!(without.login.session_page("acme", STATE).await.unwrap().is_none());
}

/// OpenID Connect Session Management, section 3.1.
#[tokio::test]
async fn after_a_change_a_login_without_pages_says_whether_the_user_is_still_there() {
    async fn arrived(new: Authorized, State(seen): State<Seen>) {
        *seen.lock().unwrap() = new.callback_parameter("session_state").map(str::to_owned);
    }
    async fn failed(failed: Failed, State(seen): State<Seen>) {
        *seen.lock().unwrap() = Some(format!("{}", failed.error.status()));
    }
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let seen = Seen::default();
    let client = SpecBuf::oidc("acme", ISSUER).client("our-id", SECRET);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(client.allow_parameters(["prompt"]))
        .storage(MemoryStorage::new())
        .http(service.clone())
        .hooks(Hooks::new(seen.clone()).on_authorized(arrived).on_error(failed));
    let mut browser = Browser::new(login.attach(Router::new()));
    for is_there in [true, false] {
        let away = browser.go("/login/acme?prompt=none&next=/album").await.location().to_owned();
        assert!(away.contains("prompt=none"), "{away}");
        let query = match is_there {
            true => service.consent(&away, 7).unwrap() + "&session_state=another",
            false => service.refuse(&away, ErrorCode::from("login_required")).unwrap(),
        };
        browser.go(&format!("/login/acme/authorized?{query}")).await;
        let expected = if is_there { "another" } else { "403 Forbidden" };
        assert_eq!(seen.lock().unwrap().as_deref(), Some(expected));
    }
}
