//! Callbacks that redirect further, to another origin or into an app. Chromium applies
//! `form-action` to every redirect that follows a form: it would stop there, and the code would be
//! wasted.

use std::future::{Ready, ready};

use axum::{
    Router,
    extract::RawQuery,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};

use thirtyfour::Key;

use crate::support::{
    Browser, PASSWORD, Provider, Site, decide, element, fill_in, heading, in_a_browser,
    is_violation, press, sign_in,
};

/// A redirect that keeps the query.
fn on(status: StatusCode, to: &str, RawQuery(query): RawQuery) -> Ready<Response> {
    let to = [to, "?", &query.unwrap_or_default()].concat();
    let location = [(header::LOCATION, HeaderValue::try_from(to).unwrap())];
    ready((status, location).into_response())
}

/// The last page, at a third origin, and two callbacks before it. The first redirects to the
/// second.
struct Callbacks {
    last: Site,
    _second: Site,
    first: Site,
}

impl Callbacks {
    async fn start() -> Self {
        let arrived = || async { Html("<!doctype html><title>Last</title><h1>Arrived</h1>") };
        let last = Site::start(async |_| Router::new().route("/last", get(arrived))).await;
        let to = last.near("/last");
        let temporary = move |query| on(StatusCode::TEMPORARY_REDIRECT, &to, query);
        let second = Site::start(async |_| Router::new().route("/on", get(temporary))).await;
        let to = second.far("/on");
        let found = move |query| on(StatusCode::FOUND, &to, query);
        let first = Site::start(async |_| Router::new().route("/callback", get(found))).await;
        Self { last, _second: second, first }
    }

    async fn arrive(&self, browser: &Browser) -> String {
        heading(browser, "Arrived").await;
        let place = browser.place().await;
        assert!(place.starts_with(&self.last.near("/last?")), "{place}");
        place
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_redirects_to_another_origin_is_reached_with_the_code() {
    in_a_browser("callback-elsewhere", async |browser| {
        let (provider, callbacks) = (Provider::start(&[]), Callbacks::start().await);
        let client = provider.add("Printer", &callbacks.first.far("/callback"), &[]);
        browser.goto(client.question()).await.unwrap();
        sign_in(browser).await;
        decide(browser, "allow").await;
        client.redeem(&callbacks.arrive(browser).await).await;

        // From the sign-in form directly, by a redirect to a redirect.
        browser.goto(provider.url("/")).await.unwrap();
        press(browser, "Sign out").await;
        browser.goto(client.question()).await.unwrap();
        sign_in(browser).await;
        client.redeem(&callbacks.arrive(browser).await).await;

        let other = provider.add("Other printer", &callbacks.first.near("/callback"), &[]);
        browser.goto(other.question()).await.unwrap();
        decide(browser, "deny").await;
        let place = callbacks.arrive(browser).await;
        assert!(place.contains("error=access_denied"), "{place}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_behind_a_scheme_of_its_own_is_opened_with_the_code() {
    in_a_browser("callback-app", async |browser| {
        let provider = Provider::start(&[]);
        let into_app = |query| on(StatusCode::FOUND, "com.example.app://arrived", query);
        let relay = Site::start(async |_| Router::new().route("/callback", get(into_app))).await;
        let app = provider.add("Phone", "com.example.app:/callback", &["--public"]);
        let website = provider.add("Website", &relay.far("/callback"), &[]);
        browser.goto(app.question()).await.unwrap();
        sign_in(browser).await;
        opens(browser, "deny", "com.example.app:/callback?error=access_denied").await;
        ask_anew(browser, &app.question()).await;
        let place = opens(browser, "allow", "com.example.app:/callback?code=").await;
        app.redeem(&place).await;
        ask_anew(browser, &website.question()).await;
        let place = opens(browser, "allow", "com.example.app://arrived?code=").await;
        website.redeem(&place).await;

        // From the sign-in form directly into the app.
        ask_anew(browser, &provider.url("/")).await;
        press(browser, "Sign out").await;
        browser.goto(website.question()).await.unwrap();
        let password = fill_in(browser, PASSWORD).await;
        password.send_keys(Key::Enter + "").await.unwrap();
        let place = browser.just_asked_for("com.example.app://arrived?code=").await;
        website.redeem(&place).await;
    })
    .await;
}

/// Answers the consent page. Returns the URL that the browser hands to an app. There is no app, so
/// the page stays.
async fn opens(browser: &Browser, decision: &str, url: &str) -> String {
    let button = format!("//button[@value='{decision}']");
    element(browser, &button).await.click().await.unwrap();
    browser.just_asked_for(url).await
}

/// Opens a page in another tab: in this one, Chromium asks whether to open the app.
async fn ask_anew(browser: &Browser, url: &str) {
    let tab = browser.new_tab().await.unwrap();
    browser.turn_to(&tab).await;
    browser.goto(url).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_for_forms_stops_redirects_and_these_tests_see_it() {
    in_a_browser("form-action", async |browser| {
        let last = Site::start(async |_| Router::new().route("/last", get(async || "There"))).await;
        let to = last.near("/last");
        let page = || async {
            let policy = [(header::CONTENT_SECURITY_POLICY, "form-action 'self'")];
            (policy, Html("<!doctype html><form method=post action=/go><button>Go</button></form>"))
        };
        let go = move |query| on(StatusCode::FOUND, &to, query);
        let routes = Router::new().route("/", get(page)).route("/go", post(go));
        let site = Site::start(async |_| routes).await;
        browser.goto(site.far("/")).await.unwrap();
        let go = element(browser, "//button").await;
        let violation = browser.violate("form-action", async || go.click().await.unwrap()).await;
        assert!(is_violation(&violation), "{violation}");
        assert_eq!(browser.place().await, site.far("/"), "the browser does not go on");
    })
    .await;
}
