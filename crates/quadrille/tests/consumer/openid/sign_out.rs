//! Logout at the provider, too (RP-Initiated Logout).

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use quadrille::{
    GitHub, Identity, KeyRing, Linked, Login, Result, Service, Spec, Visitor,
    consumer::MemoryStorage,
    testing::{Browser, FakeService, ManualClock, OpenIdFault as Fault, Page},
    transport::{self, HttpClient, NetworkError, Purpose},
};
use serde_json::{Value, json};
use tokio::sync::Notify;
use url::Url;

use crate::support::{SECRET, SITE};

use super::ISSUER;

struct Acme;

impl Service for Acme {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).build();
}

const LOGOUT: &str = "/login/acme/logout";

struct World {
    service: FakeService,
    clock: ManualClock,
    login: Login,
}

impl World {
    fn new() -> Self {
        let service = FakeService::openid(ISSUER, "our-id", SECRET);
        let clock = ManualClock::new();
        service.tells_time(&clock.env());
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(Acme::client("our-id", SECRET))
            .storage(MemoryStorage::new())
            .http(service.clone())
            .env(clock.env());
        Self { service, clock, login }
    }

    fn browser(&self) -> Browser {
        async fn linked(linked: Option<Linked<Acme>>) -> String {
            linked.map_or("nobody".into(), |linked| linked.subject().to_string())
        }
        async fn me(me: Option<Identity<Acme>>) -> String {
            me.map_or("nobody".into(), |me| me.subject().to_owned())
        }
        async fn sign_out(visitor: Visitor) -> Result<String> {
            Ok(visitor.log_out_there("acme", "/goodbye").await?.unwrap_or_default())
        }
        let pages = Router::new()
            .route("/linked", get(linked))
            .route("/me", get(me))
            .route("/sign-out", get(sign_out));
        Browser::new(self.login.attach(pages))
    }

    async fn linked(&self) -> Browser {
        let mut browser = self.browser();
        browser.log_in(&self.service, "/login/acme", 7).await;
        assert_ne!(browser.visit("/linked").await.text, "nobody");
        browser
    }
}

async fn post(browser: &mut Browser, body: &str, accept: &str) -> Page {
    let request = Request::post(LOGOUT)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", accept)
        .header("sec-fetch-mode", if accept == "text/html" { "navigate" } else { "cors" })
        .header("sec-fetch-site", "same-origin");
    browser.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// RP-Initiated Logout, sections 2 and 3.
#[tokio::test]
async fn a_form_leads_to_the_provider_and_back_to_the_page_that_was_wanted() {
    let world = World::new();
    let mut browser = world.linked().await;
    let asked = browser.visit(&format!("{LOGOUT}?at_service=1&next=/goodbye")).await;
    assert!(asked.text.contains(r#"name="at_service" value="1""#), "{asked:?}");
    let left = post(&mut browser, "at_service=1&next=/goodbye", "text/html").await;
    assert_eq!(left.status, StatusCode::OK, "a page, so that a form-action may stay: {left:?}");
    let url = left.refresh().unwrap().to_owned();
    assert!(url.starts_with("https://id.example/tenant/logout?"), "{url}");
    let back = format!("{SITE}/login/acme/logged-out");
    assert_eq!(parameter(&url, "post_logout_redirect_uri").as_deref(), Some(&*back));
    assert_eq!(parameter(&url, "client_id").as_deref(), Some("our-id"));
    let hint = parameter(&url, "id_token_hint").expect("the ID token of the login");
    assert_eq!(hint.split('.').count(), 3);
    assert_eq!(browser.visit("/linked").await.text, "nobody", "logged out here, whatever comes");
    let state = parameter(&url, "state").unwrap();
    let returned = browser.visit_from("cross-site", &format!("{back}?state={state}")).await;
    assert_eq!(returned.refresh(), Some("/goodbye"), "{returned:?}");
    let again = browser.visit(&format!("{back}?state={state}")).await;
    assert!(again.has_code("attempt_cookie_missing"), "once: {again:?}");
}

/// RP-Initiated Logout, section 3.
#[tokio::test]
async fn the_way_back_is_that_of_this_browser_and_this_logout() {
    let world = World::new();
    let mut browser = world.linked().await;
    let url = browser.visit("/sign-out").await.text;
    let state = parameter(&url, "state").unwrap();
    let back = |query: &str| format!("/login/acme/logged-out?{query}");
    for (query, code) in [
        ("".to_owned(), "state_unknown"),
        ("state=".to_owned(), "state_unknown"),
        ("state=another".to_owned(), "state_unknown"),
        (format!("state={state}&state={state}"), "callback_malformed"),
    ] {
        let page = browser.visit(&back(&query)).await;
        assert!(page.has_code(code), "{query}: {page:?}");
    }
    let mut mallory = world.browser();
    let right = back(&format!("state={state}"));
    assert!(mallory.visit(&right).await.has_code("attempt_cookie_missing"));
    assert_eq!(mallory.visit("/login/nobody/logged-out?state=x").await.status, 404);
    world.clock.advance(Duration::from_secs(3601));
    assert!(browser.visit(&right).await.has_code("attempt_expired"));
    // Another site's page is not gone on to.
    let mut browser = world.linked().await;
    let left =
        post(&mut browser, "at_service=1&next=https%3A%2F%2Fevil.example%2F", "text/html").await;
    let state = parameter(left.refresh().unwrap(), "state").unwrap();
    assert_eq!(browser.visit(&back(&format!("state={state}"))).await.refresh(), Some("/"));
}

#[tokio::test]
async fn a_script_gets_the_url_and_a_usual_logout_goes_nowhere() {
    let world = World::new();
    let mut browser = world.linked().await;
    let told = post(&mut browser, "at_service=1", "application/json").await;
    let value: Value = serde_json::from_str(&told.text).unwrap();
    assert_eq!((&value["service"], &value["outcome"]), (&json!("acme"), &json!("revoked")));
    assert!(value["url"].as_str().unwrap().contains("/tenant/logout?id_token_hint="), "{value}");
    let mut browser = world.linked().await;
    let usual = post(&mut browser, "next=/goodbye", "text/html").await;
    assert_eq!((usual.status, usual.location()), (StatusCode::SEE_OTHER, "/goodbye"));
    assert_eq!(browser.visit("/linked").await.text, "nobody");
}

/// RP-Initiated Logout, section 2.
#[tokio::test]
async fn a_user_who_is_only_identified_is_logged_out_without_a_hint() {
    let world = World::new();
    let mut browser = world.browser();
    browser.log_in(&world.service, "/login/acme?only=identity", 7).await;
    let url = browser.visit("/sign-out").await.text;
    assert_eq!(parameter(&url, "id_token_hint"), None);
    assert_eq!(parameter(&url, "client_id").as_deref(), Some("our-id"));
    assert_eq!(browser.visit("/me").await.text, "nobody");
}

#[tokio::test]
async fn a_provider_that_is_away_keeps_nobody_logged_in_here() {
    let world = World::new();
    let mut browser = world.linked().await;
    world.clock.advance(Duration::from_secs(3 * 3600));
    world.service.fails_next(Purpose::Document, NetworkError::Connect);
    let left = post(&mut browser, "at_service=1&next=/goodbye", "text/html").await;
    assert_eq!(left.location(), "/goodbye", "{left:?}");
    assert_eq!(browser.visit("/linked").await.text, "nobody");
    world.service.misidentifies(Fault::MetadataOfAnother);
    world.clock.advance(Duration::from_secs(3 * 3600));
    assert_eq!(browser.visit("/sign-out").await.text, "");
}

#[tokio::test]
async fn a_service_without_an_end_session_endpoint_is_left_as_it_is() {
    let service = FakeService::new("our-id", SECRET);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET))
        .http(service.clone());
    let mut browser = Browser::new(login.attach(Router::new()));
    browser.log_in(&service, "/login/github", 7).await;
    let request = Request::post("/login/github/logout")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin");
    let body = Body::from("at_service=1&next=/goodbye");
    let left = browser.send(request.body(body).unwrap()).await;
    assert_eq!(left.location(), "/goodbye", "{left:?}");
}

/// A provider that does not answer when a token is to be revoked.
#[derive(Clone)]
struct Hanging {
    service: FakeService,
    asked: Arc<Notify>,
}

impl HttpClient for Hanging {
    async fn send(
        &self,
        request: Request<transport::Body>,
        purpose: Purpose,
    ) -> std::result::Result<http::Response<transport::Body>, NetworkError> {
        if purpose == Purpose::Revoke {
            self.asked.notify_one();
            std::future::pending::<()>().await;
        }
        self.service.send(request, purpose).await
    }
}

/// A user on a shared computer presses the button, and closes the window.
#[tokio::test]
async fn a_user_is_logged_out_here_at_once_though_the_provider_hangs_and_the_browser_goes() {
    for logout in ["/sign-out", LOGOUT] {
        let world = World::new();
        let http = Hanging { service: world.service.clone(), asked: Arc::default() };
        let asked = Arc::clone(&http.asked);
        let world = World { login: world.login.clone().http(http), ..world };
        let mut browser = world.linked().await;
        let mut elsewhere = browser.clone();
        let leaving = async {
            match logout {
                LOGOUT => post(&mut browser, "at_service=1&next=/goodbye", "text/html").await,
                _ => browser.visit(logout).await,
            }
        };
        tokio::select! {
            page = leaving => panic!("the provider hangs: {page:?}"),
            () = asked.notified() => {}
        }
        assert_eq!(elsewhere.visit("/linked").await.text, "nobody", "{logout}");
    }
}
