//! Logins in a window of their own.

use aws_lc_rs::digest;
use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{Request, StatusCode};
use quadrille::{After, Authorized, Hooks, Login};

use crate::support::{Browser, Page, SITE, World, pages};

const OPENER: &str = "https://www.app.example";

fn login(world: &World) -> Login {
    world.login().pop_up(OPENER)
}

/// Asserts that a page leaves the window to the page that opened it.
fn is_reachable(page: &Page) {
    assert_eq!(page.headers["cross-origin-opener-policy"], "unsafe-none", "{page:?}");
}

/// The values on the page that ends a login in a window.
fn told(page: &Page) -> Vec<(&str, String)> {
    is_reachable(page);
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    let (_, rest) = page.text.split_once("<script ").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    let (script, _) = rest.split_once("</script>").unwrap();
    assert!(script.contains("window.close()") && script.contains(",d.opener)"), "{script}");
    assert!(!script.contains('*'), "a fixed origin: {script}");
    let hash = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, script.as_bytes()));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains(&format!("script-src 'sha256-{hash}';")), "{policy}");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    let value = |name| {
        let (_, rest) = page.text.split_once(&format!(" data-{name}=\""))?;
        Some((name, rest.split('"').next().unwrap().replace("&amp;", "&")))
    };
    ["opener", "service", "next", "error"].into_iter().filter_map(value).collect()
}

fn own<'a>(pairs: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

#[tokio::test]
async fn the_page_that_opened_the_window_hears_of_it_and_of_no_token() {
    async fn hook(_: Authorized) {}
    let world = World::new();
    // With a hook there is a hop in between.
    for login in [login(&world), login(&world).hooks(Hooks::new(()).on_authorized(hook))] {
        let mut browser = Browser::new(login.attach(pages()));
        let away = browser.visit("/login/github?popup=1&next=/album%3Fa%3D1%26b").await;
        is_reachable(&away);
        let query = world.service.consent(away.location(), 7).unwrap();
        let mut page = browser.visit(&format!("/login/github/authorized?{query}")).await;
        if let Some(next) = page.refresh().map(str::to_owned) {
            is_reachable(&page);
            page = browser.visit(&next).await;
        }
        let expected = [("opener", OPENER), ("service", "github"), ("next", "/album?a=1&b")];
        assert_eq!(told(&page), own(&expected));
        for secret in ["canary", "access_token", &query] {
            assert!(!page.text.contains(secret), "{page:?}");
        }
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
    }
}

#[tokio::test]
async fn it_hears_of_a_failure_by_its_code() {
    let world = World::new();
    let mut browser = Browser::new(login(&world).attach(pages()));
    let away = browser.visit("/login/github?popup=1").await;
    let query = world.service.deny(away.location()).unwrap();
    let page = browser.visit(&format!("/login/github/authorized?{query}")).await;
    let expected = [("opener", OPENER), ("service", "github"), ("error", "access_denied")];
    assert_eq!(told(&page), own(&expected));
    assert!(page.text.contains("You refused at GitHub"), "if the window stays: {page:?}");
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let page = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(told(&page)[2], ("error", "attempt_cookie_missing".to_owned()));
    let page = browser.visit("/login/github/authorized?code=x&state=y").await;
    assert!(page.has_code("state_unknown"), "not known to be a window: {page:?}");
}

#[tokio::test]
async fn another_sites_window_asks_first_and_remains_a_window() {
    let world = World::new();
    let mut browser = Browser::new(login(&world).attach(pages()));
    let page = browser.visit_from("same-site", "/login/github?popup=1").await;
    assert_eq!(page.status, StatusCode::OK);
    is_reachable(&page);
    assert!(page.text.contains(r#"name="popup" value="1""#), "{page:?}");
    let request = Request::post("/login/github")
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    let hop = browser.send(request.body(Body::from("popup=1")).unwrap()).await;
    is_reachable(&hop);
    let query = world.service.consent(hop.refresh().unwrap(), 7).unwrap();
    let page = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(told(&page)[0], ("opener", OPENER.to_owned()));
}

#[tokio::test]
async fn a_hook_answers_in_the_window_and_other_logins_are_as_ever() {
    async fn hook(_: Authorized) -> After {
        After::answer("Welcome")
    }
    let world = World::new();
    let hooked = login(&world).hooks(Hooks::new(()).on_authorized(hook));
    let mut browser = Browser::new(hooked.attach(pages()));
    let away = browser.visit("/login/github?popup=1").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    assert_eq!(browser.go(&format!("/login/github/authorized?{query}")).await.text, "Welcome");
    let mut browser = Browser::new(login(&world).attach(pages()));
    assert_eq!(browser.log_in(&world.service, "/album", 7).await.text, "You are user-7");
}

#[tokio::test]
async fn who_may_open_a_login_is_said_in_code_only() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let page = browser.visit("/login/github?popup=1").await;
    assert!(page.has_code("login_malformed"), "not declared: {page:?}");
    assert_eq!(page.headers["cross-origin-opener-policy"], "same-origin");
    let mut browser = Browser::new(login(&world).attach(pages()));
    for odd in ["popup=https%3A%2F%2Fevil.example", "popup=2", "popup=1&popup=1"] {
        let page = browser.visit(&format!("/login/github?{odd}")).await;
        assert!(page.text.contains("login_malformed"), "{odd}: {page:?}");
        assert!(!page.text.contains("evil"), "{page:?}");
    }
    for (origin, fits) in [
        (SITE, true),
        ("http://localhost:5173", true),
        ("https://app.example/", false),
        ("https://app.example/x", false),
        ("http://app.example", false),
        ("https://APP.example", false),
        ("*", false),
        ("null", false),
        ("", false),
    ] {
        let code = world.login().pop_up(origin).check().err().map(|error| error.code());
        assert_eq!(code, (!fits).then_some("opener_malformed"), "{origin}");
    }
}
