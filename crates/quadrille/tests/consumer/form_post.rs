//! Services that send the callback in a form (`response_mode=form_post`).

use std::sync::{Arc, Mutex};

use axum::{body::Body, extract::State};
use http::{Request, StatusCode};
use quadrille::{Authorized, GitHub, Hooks, KeyRing, Login, transport::Purpose};

use crate::support::{Browser, Page, SECRET, SITE, World, pages};

fn login(world: &World) -> Login {
    Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET).parameter("response_mode", "form_post"))
        .http(world.service.clone())
        .env(world.clock.env())
}

/// A form that a page of another site sends: the browser keeps `SameSite=Lax` cookies to itself.
async fn post_from_elsewhere(browser: &mut Browser, path: &str, form: String) -> Page {
    let cookies = std::mem::take(&mut browser.cookies);
    let request = Request::post(path)
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://github.com")
        .header("content-type", "application/x-www-form-urlencoded");
    let page = browser.send(request.body(Body::from(form)).unwrap()).await;
    assert!(browser.cookies.is_empty(), "nothing is set: {page:?}");
    browser.cookies = cookies;
    page
}

const CALLBACK: &str = "/login/github/authorized";
const USER: &str = r#"{"name":{"firstName":"Ada & co"}}"#;

fn user() -> String {
    let mut form = quadrille::form::FormWriter::new();
    form.append("user", USER);
    form.finish()
}

#[tokio::test]
async fn a_page_of_a_script_gets_a_query_since_it_takes_no_form() {
    let world = World::new();
    for (page, mode) in [(Some("https://app.example/app"), "query"), (None, "form_post")] {
        let github = GitHub::new("our-id", SECRET).parameter("response_mode", "form_post");
        let github = match page {
            Some(page) => github.json_callback(page),
            // The usual callback takes a form.
            None => github,
        };
        let login = Login::new(KeyRing::ephemeral(), SITE).with(github).http(world.service.clone());
        let mut browser = Browser::new(login.attach(pages()).merge(login.json_routes()));
        let request = Request::post("/login/github/begin")
            .header("content-type", "application/json")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from("{}"));
        let begun = browser.send(request.unwrap()).await;
        assert!(begun.text.contains(&format!("response_mode={mode}")), "{begun:?}");
    }
}

#[tokio::test]
async fn a_form_finishes_the_login_by_way_of_this_origin_with_its_parameters_sealed() {
    type Seen = Arc<Mutex<Vec<Option<String>>>>;
    async fn arrived(new: Authorized, State(seen): State<Seen>) {
        let mut seen = seen.lock().unwrap();
        for name in ["user", "twice", "code", "state", "id_token"] {
            seen.push(new.callback_parameter(name).map(str::to_owned));
        }
    }
    let world = World::new();
    let seen = Seen::default();
    let hooked = login(&world).hooks(Hooks::new(seen.clone()).on_authorized(arrived));
    for login in [hooked, login(&world)] {
        let mut browser = Browser::new(login.attach(pages()));
        let away = browser.go("/album?page=2").await;
        assert!(away.location().contains("response_mode=form_post"), "{away:?}");
        let query = world.service.consent(away.location(), 7).unwrap();
        let token = "x".repeat(5000);
        let form = format!("{query}&{}&twice=1&twice=2&id_token={token}", user());
        let hop = post_from_elsewhere(&mut browser, CALLBACK, form).await;
        assert_eq!(hop.status, StatusCode::OK);
        assert!(!hop.headers.contains_key("location"), "the way on begins on our origin: {hop:?}");
        let to = hop.refresh().unwrap().to_owned();
        assert!(to.starts_with("/login/github/arrived?posted="), "{to}");
        for secret in ["code-canary", "firstName", "state", "xxxxxxxx"] {
            assert!(!hop.text.contains(secret) && !to.contains(secret), "{secret}: {hop:?}");
        }
        assert_eq!(hop.headers["cache-control"], "no-store");
        let arrived = browser.visit(&to).await;
        assert_eq!(arrived.status, StatusCode::SEE_OTHER, "{arrived:?}");
        assert_eq!(arrived.location(), "/album?page=2");
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
        assert_eq!(browser.visit(&to).await.location(), "/album?page=2", "a reload is harmless");
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 2, "once each");
    assert_eq!(*seen.lock().unwrap(), [Some(USER.to_owned()), None, None, None, None]);
}

#[tokio::test]
async fn a_form_is_checked_like_a_query() {
    let world = World::new();
    let login = login(&world);
    let mut browser = Browser::new(login.attach(pages()));
    let away = browser.go("/album").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    let state = query.split('&').find(|pair| pair.starts_with("state=")).unwrap().to_owned();
    for (form, code) in [
        (format!("{query}&{state}"), "callback_malformed"),
        (format!("{query}&code=again"), "callback_malformed"),
        (query.replace("state=", "state=x"), "state_unknown"),
        ("code=x".to_owned(), "state_unknown"),
        (String::new(), "state_unknown"),
    ] {
        let hop = post_from_elsewhere(&mut browser, CALLBACK, form.clone()).await;
        let page = browser.visit(hop.refresh().unwrap()).await;
        assert!(page.has_code(code), "{form}: {page:?}");
    }
    // Another browser has another cookie.
    let hop = post_from_elsewhere(&mut browser, CALLBACK, query.clone()).await;
    let to = hop.refresh().unwrap().to_owned();
    let mut mallory = Browser::new(login.attach(pages()));
    assert!(mallory.visit(&to).await.has_code("attempt_cookie_missing"));
    let denied = browser.go("/album").await;
    let denied = world.service.deny(denied.location()).unwrap();
    let hop = post_from_elsewhere(&mut browser, CALLBACK, denied).await;
    assert!(browser.visit(hop.refresh().unwrap()).await.has_code("access_denied"));
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0, "nothing was used up");
    assert_eq!(browser.go(&to).await.text, "You are user-7");
    // A query still does, for example with an error of a service that cannot send forms.
    let away = browser.visit("/login/github?next=/maybe").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    assert_eq!(browser.go(&format!("{CALLBACK}?{query}")).await.text, "number 7");
}

#[tokio::test]
async fn forms_that_are_none_and_seals_of_others_are_refused() {
    let world = World::new();
    let mut browser = Browser::new(login(&world).attach(pages()));
    let long = format!("code={}", "x".repeat(5000));
    for form in [long, format!("code={}", "x".repeat(1 << 20))] {
        let page = post_from_elsewhere(&mut browser, CALLBACK, form).await;
        assert!(page.has_code("callback_malformed"), "{page:?}");
    }
    let request = Request::post(CALLBACK)
        .header("accept", "text/html")
        .header("content-type", "application/json");
    let page = browser.send(request.body(Body::from("{}")).unwrap()).await;
    assert!(page.has_code("callback_malformed"), "{page:?}");
    let page = post_from_elsewhere(&mut browser, "/login/nobody/authorized", "a=b".into()).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let other = login(&world).posted_callback("github", b"code=x&state=y").await.unwrap();
    for query in [&*other, "posted=x", "posted=x&posted=y", "posted=%"] {
        let page = browser.visit(&format!("/login/github/arrived?{query}")).await;
        assert!(page.has_code("callback_malformed"), "{query}: {page:?}");
    }
    let mut usual = Browser::new(world.login().attach(pages()));
    let page = post_from_elsewhere(&mut usual, CALLBACK, "code=x".into()).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED, "the service sends no forms");
    assert_eq!(page.headers["allow"], "GET, HEAD");
    assert!(world.login().posted_callback("github", b"code=x").await.is_err());
}

#[test]
fn no_part_of_a_form_reaches_a_log() {
    let log = crate::canary::logged(async {
        let world = World::new();
        let mut browser = Browser::new(login(&world).attach(pages()));
        let away = browser.go("/album").await;
        let query = world.service.consent(away.location(), 7).unwrap();
        for form in [format!("{query}&code=code-canary&user=canary"), format!("{query}&{}", user())]
        {
            let hop = post_from_elsewhere(&mut browser, CALLBACK, form).await;
            browser.go(hop.refresh().unwrap()).await;
        }
    });
    assert!(log.contains("an account was linked") && log.contains("was not finished"), "{log}");
    for secret in ["canary", "firstName"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn what_a_callback_says_besides_is_kept_within_limits() {
    type Seen = Arc<Mutex<Vec<Option<String>>>>;
    async fn arrived(new: Authorized, State(seen): State<Seen>) {
        let names = ["first", "empty", "long", "last"];
        seen.lock().unwrap().extend(names.map(|n| new.callback_parameter(n).map(str::to_owned)));
    }
    let world = World::new();
    let seen = Seen::default();
    let login = world.login().hooks(Hooks::new(seen.clone()).on_authorized(arrived));
    let mut browser = Browser::new(login.attach(pages()));
    let away = browser.visit("/login/github?next=/maybe").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    let query = format!("first=1&empty=&{query}&long={}&last=1", "x".repeat(4100));
    let page = browser.go(&format!("{CALLBACK}?{query}")).await;
    assert_eq!(page.text, "number 7");
    assert_eq!(*seen.lock().unwrap(), [Some("1".to_owned()), None, None, None]);
}
