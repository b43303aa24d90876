//! Sign-in by an ID token is off until the application names a service.

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, StatusCode};
use quadrille::{
    Google, KeyRing, Login, Owner, Result, Visitor,
    consumer::{Begin, BrowserError, Client, Jar, LoginSettings, PresentedIdToken},
    testing::{Browser, FakeService, ManualClock, OpenIdFault, Page},
};
use serde_json::{Value, json};

use crate::support::{SECRET, SITE};

const TEXT: &str = "0123456789abcdef0123456789abcdef";

struct World {
    google: FakeService,
    login: Login,
}

impl World {
    fn with(change: impl FnOnce(Client<Google>) -> Client<Google>) -> Self {
        let google = FakeService::of::<Google>("our-id", SECRET);
        let clock = ManualClock::new();
        google.tells_time(&clock.env());
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(change(Google::new("our-id", SECRET)))
            .http(google.clone())
            .env(clock.env());
        Self { google, login }
    }

    fn browser(&self) -> Browser {
        async fn nonce(visitor: Visitor) -> Result<String> {
            visitor.id_token_nonce("google", "/").await
        }
        let pages = Router::new().route("/page", get(nonce));
        Browser::new(self.login.attach(pages).merge(self.login.id_token_routes()))
    }
}

async fn post(browser: &mut Browser, path: &str, kind: &str, body: String) -> Page {
    let request = Request::post(path)
        .header("content-type", kind)
        .header("accept", "text/html")
        .header("sec-fetch-mode", if kind == JSON { "cors" } else { "navigate" })
        .header("sec-fetch-site", "same-origin");
    browser.send(request.body(Body::from(body)).unwrap()).await
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn code(page: &Page) -> String {
    let value: Value = serde_json::from_str(&page.text).unwrap();
    value["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_id_token_is_accepted_for_a_service_that_is_not_named() {
    let off = World::with(|google| google);
    let mut browser = off.browser();
    let token = off.google.id_token("our-id", 7, "n").unwrap();
    for (path, body) in [
        ("/login/google/nonce", json!({})),
        ("/login/google/id-token", json!({ "id_token": token, "nonce": TEXT })),
    ] {
        let page = post(&mut browser, path, JSON, body.to_string()).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
        assert_eq!(code(&page), "id_tokens_not_accepted");
    }
    let form = format!("id_token={token}");
    let page = post(&mut browser, "/login/google/id-token", FORM, form).await;
    assert!(page.has_code("id_tokens_not_accepted"), "{page:?}");
    assert!(browser.visit("/page").await.has_code("id_tokens_not_accepted"));
    let jar = Jar::new(&HeaderMap::new());
    let refused = off.login.id_token_nonce(&jar, &Begin::new("google")).await;
    assert_eq!(refused, Err(BrowserError::IdTokensNotAccepted.into()));
    let presented = PresentedIdToken::new(&token).with_text_of_the_app(TEXT);
    let finished = off.login.finish_with_id_token(&jar, "google", &presented, &Owner::NOBODY).await;
    assert_eq!(finished.unwrap_err(), BrowserError::IdTokensNotAccepted.into());
    for on in [
        World::with(Client::accept_id_tokens),
        World::with(|google| google.id_tokens_for(["our-id-on-phones"])),
    ] {
        assert_eq!(on.browser().visit("/page").await.status, StatusCode::OK);
    }
}

#[test]
fn settings_name_it_too() {
    let login = |setting: &str| {
        let google = format!("[google]\nclient_id = 'our-id'\nclient_secret = 'x'\n{setting}");
        let settings: LoginSettings =
            toml::from_str(&format!("public_url = '{SITE}'\n{google}")).unwrap();
        Login::from_settings(KeyRing::ephemeral(), settings)
    };
    let jar = Jar::new(&HeaderMap::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let nonce = |login: Login| {
        runtime.block_on(async { login.id_token_nonce(&jar, &Begin::new("google")).await.is_ok() })
    };
    assert!(!nonce(login("")));
    assert!(nonce(login("accept_id_tokens = true")));
}

#[tokio::test]
async fn a_forged_token_is_the_fault_of_its_presenter() {
    let world = World::with(Client::accept_id_tokens);
    let mut browser = world.browser();
    world.google.misidentifies(OpenIdFault::SignatureWrong);
    for kind in [JSON, FORM] {
        let nonce = browser.visit("/page").await.text;
        for token in [world.google.id_token("our-id", 7, &nonce).unwrap(), "a.b.c".into()] {
            let page = match kind {
                JSON => {
                    let body = json!({ "id_token": token }).to_string();
                    post(&mut browser, "/login/google/id-token", JSON, body).await
                }
                _ => {
                    let form = format!("id_token={token}");
                    let hop = post(&mut browser, "/login/google/id-token", FORM, form).await;
                    browser.visit(hop.refresh().unwrap()).await
                }
            };
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{page:?}");
            assert!(page.text.contains("id_token_rejected"), "{page:?}");
        }
    }
    // Keys that cannot be fetched are the service's fault.
    let world = World::with(Client::accept_id_tokens);
    let mut browser = world.browser();
    world.google.misidentifies(OpenIdFault::KeysGone);
    let nonce = browser.visit("/page").await.text;
    let token = world.google.id_token("our-id", 7, &nonce).unwrap();
    let body = json!({ "id_token": token }).to_string();
    let page = post(&mut browser, "/login/google/id-token", JSON, body).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{page:?}");
}
