//! The cookies of a browser that many applications share.

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{HeaderValue, Request, StatusCode, header};
use quadrille::{
    GitHub, KeyRing, Login,
    consumer::{MemoryStorage, Purpose},
};
use tower::ServiceExt as _;

use crate::support::{Browser, Page, SECRET, World, pages};

/// A visit with these `Cookie` headers, whatever is in them.
async fn visit_with(app: &Router, path: &str, lines: &[&[u8]]) -> Page {
    let mut request = Request::get(path)
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .body(Body::empty())
        .unwrap();
    for line in lines {
        let line = HeaderValue::from_bytes(line).unwrap();
        request.headers_mut().append(header::COOKIE, line);
    }
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let text = String::from_utf8_lossy(&to_bytes(body, 1 << 22).await.unwrap()).into_owned();
    Page { status: parts.status, headers: parts.headers, text }
}

#[tokio::test]
async fn whatever_another_application_sets_logins_work_beside_it() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for other in [&b"name=Ren\xe9"[..], "name=Ren\u{e9}".as_bytes(), b"\xff\xfe=\xff", b"a\tb"] {
        browser.cookies.clear();
        let away = browser.visit("/login/github").await;
        let query = world.service.consent(away.location(), 7).unwrap();
        let ours = browser.cookie_header().into_bytes();
        let before = [other, b"; ", &ours].concat();
        let after = [&ours, &b"; "[..], other].concat();
        let callback = format!("/login/github/authorized?{query}");
        let shown = other.escape_ascii();
        for lines in [&[&before[..]][..], &[&after], &[other, &ours]] {
            world.service.answers_next(Purpose::RedeemCode, StatusCode::SERVICE_UNAVAILABLE, "");
            let page = visit_with(&browser.app, &callback, lines).await;
            assert!(page.has_code("service_unavailable"), "{shown}: the attempt is not found");
        }
        let back = visit_with(&browser.app, &callback, &[&before]).await;
        assert_eq!(back.refresh(), Some("/"), "{shown}");
        browser.keep(&back.headers);
        let token = browser.cookie_header().into_bytes();
        let page = visit_with(&browser.app, "/maybe", &[other, &token]).await;
        assert_eq!(page.text, "number 7", "{shown}");
    }
}

#[tokio::test]
async fn a_second_cookie_of_an_attempts_name_takes_nothing_from_the_right_one() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for first in [true, false] {
        browser.cookies.clear();
        let away = browser.visit("/login/github").await;
        let query = world.service.consent(away.location(), 7).unwrap();
        let (name, value) = browser.cookies.pop_first().unwrap();
        let (right, wrong) = (format!("{name}={value}"), format!("{name}=AAAA"));
        let line = if first { [right, wrong] } else { [wrong, right] }.join("; ");
        let callback = format!("/login/github/authorized?{query}");
        let back = visit_with(&browser.app, &callback, &[line.as_bytes()]).await;
        assert_eq!(back.refresh(), Some("/"), "{back:?}");
    }
}

#[tokio::test]
async fn two_applications_on_two_ports_of_a_host_leave_each_others_cookies_alone() {
    let world = World::new();
    for in_memory in [false, true] {
        let at = |port: u16| {
            let login = Login::new(KeyRing::ephemeral(), format!("http://localhost:{port}"))
                .with(GitHub::new("our-id", SECRET))
                .http(world.service.clone());
            let login = if in_memory { login.storage(MemoryStorage::new()) } else { login };
            login.attach(pages())
        };
        let (one, two) = (at(3000), at(3001));
        // Browsers send the cookies of a host to all of its ports.
        let mut browser = Browser::new(one.clone());
        let first = browser.visit("/login/github").await.location().to_owned();
        browser.app = two.clone();
        for _ in 0..40 {
            browser.visit("/login/github").await;
        }
        browser.log_in(&world.service, "/login/github", 2).await;
        browser.app = one.clone();
        let query = world.service.consent(&first, 1).unwrap();
        let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(back.refresh(), Some("/"), "the other's attempts drove this one out: {back:?}");
        assert_eq!(browser.visit("/maybe").await.text, "number 1");
        browser.app = two.clone();
        assert_eq!(browser.visit("/maybe").await.text, "number 2");
    }
}

#[tokio::test]
async fn all_tokens_together_fit_into_a_header_that_proxies_take() {
    let world = World::new();
    let names = ["a", "b", "c", "d"];
    let login = || {
        let mut login = world.login();
        for name in names {
            login = login.with(GitHub::new("our-id", SECRET).named(name));
        }
        login
    };
    let log_in = async |browser: &mut Browser, name: &str, size: usize| {
        let token = format!("{{\"access_token\":\"{}\"}}", "x".repeat(size));
        world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, token);
        world.service.answers_next(Purpose::Identity, StatusCode::OK, "{\"id\":7}");
        let away = browser.visit(&format!("/login/{name}?next=/{}", "n".repeat(900))).await;
        let query = world.service.consent(away.location(), 7).unwrap();
        browser.visit(&format!("/login/{name}/authorized?{query}")).await
    };
    let mut browser = Browser::new(login().attach(pages()));
    let mut refused = 0;
    for name in names {
        for _ in 0..30 {
            browser.visit("/login/github").await;
        }
        let page = log_in(&mut browser, name, 3000).await;
        if page.status == StatusCode::INTERNAL_SERVER_ERROR {
            assert!(page.has_code("cookie_too_large"), "{page:?}");
            refused += 1;
        }
        let header = browser.cookie_header();
        assert!(header.len() <= 7 * 1024, "{name}: {} bytes", header.len());
    }
    assert_eq!(refused, 3, "one of them fits");
    // A storage on the server has room for all.
    let mut browser = Browser::new(login().storage(MemoryStorage::new()).attach(pages()));
    for name in names {
        assert!(log_in(&mut browser, name, 3000).await.refresh().is_some());
    }
}
