//! The cookies of a browser that many applications share.

use axum::{
    Router,
    body::{Body, to_bytes},
    routing::get,
};
use http::{HeaderValue, Request, StatusCode, header};
use quadrille::{GitHub, Identity, KeyRing, Login, consumer::MemoryStorage, transport::Purpose};
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
    Page { url: path.to_owned(), status: parts.status, headers: parts.headers, text }
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

/// Logs in with this service, whose access token has so many characters.
async fn log_in_with(world: &World, browser: &mut Browser, path: &str, size: usize) -> Page {
    let token = format!("{{\"access_token\":\"{}\"}}", "x".repeat(size));
    world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, token);
    world.service.answers_next(Purpose::Identity, StatusCode::OK, "{\"id\":7}");
    let away = browser.visit(path).await;
    if away.status != StatusCode::FOUND {
        return away;
    }
    let query = world.service.consent(away.location(), 7).unwrap();
    browser.visit(&format!("{path}/authorized?{query}")).await
}

fn with_services(world: &World, keys: &KeyRing, names: &[&'static str]) -> Login {
    names.iter().fold(world.login_with(keys.clone()), |login, name| {
        login.with(GitHub::new("our-id", SECRET).named(*name))
    })
}

#[tokio::test]
async fn cookies_of_a_service_that_was_removed_make_room() {
    let world = World::new();
    let keys = KeyRing::new([&[1; 32]]).unwrap();
    let before = with_services(&world, &keys, &["old", "new"]);
    let mut browser = Browser::new(before.attach(pages()));
    for path in ["/login/old", "/login/github"] {
        assert!(log_in_with(&world, &mut browser, path, 2000).await.refresh().is_some());
    }
    let page = log_in_with(&world, &mut browser, "/login/new", 2000).await;
    assert!(page.has_code("cookie_too_large"), "{page:?}");
    // The old one is removed from the application.
    browser.app = with_services(&world, &keys, &["new"]).attach(pages());
    browser.cookies.insert("session".to_owned(), "the application's".to_owned());
    let page = log_in_with(&world, &mut browser, "/login/new", 2000).await;
    assert_eq!(page.refresh(), Some("/"), "{page:?}");
    let names: Vec<_> = browser.cookies.keys().collect();
    assert!(!names.iter().any(|name| name.ends_with("token-old")), "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("token-github")), "{names:?}");
    assert!(browser.cookies.contains_key("session"));
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
}

#[tokio::test]
async fn cookies_of_a_path_of_the_past_make_room() {
    let world = World::new();
    let mut browser = Browser::new(world.login().at("/old/login").attach(pages()));
    let page = log_in_with(&world, &mut browser, "/old/login/github", 3500).await;
    assert!(page.refresh().is_some());
    browser.app = world.login().attach(pages());
    let page = log_in_with(&world, &mut browser, "/login/github", 3000).await;
    assert_eq!(page.refresh(), Some("/"), "{page:?}");
    assert!(browser.cookie_header().len() <= 7 * 1024);
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
}

#[tokio::test]
async fn tokens_in_cookies_make_room_when_they_are_kept_on_the_server() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    log_in_with(&world, &mut browser, "/login/github", 4200).await;
    browser.app = world.login().storage(MemoryStorage::new()).attach(pages());
    let page = "/login/github?next=/".to_owned() + &"n".repeat(900);
    let away = browser.visit(&page).await;
    let query = world.service.consent(away.location(), 7).unwrap();
    let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert!(back.refresh().is_some_and(|next| next.len() > 900), "the page was kept: {back:?}");
}

#[tokio::test]
async fn a_page_that_does_not_fit_names_the_storage_that_would() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let page = log_in_with(&world, &mut browser, "/login/github", 8000).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.has_code("cookie_too_large"), "{page:?}");
    let error = quadrille::consumer::OperatorError::CookieTooLarge { bytes: 8000 };
    assert!(error.to_string().contains("Login::storage"), "{error}");
    assert!(error.to_string().contains("MemoryStorage"), "{error}");
}

#[tokio::test]
async fn junk_under_the_name_of_a_token_signs_nobody_out() {
    for size in [100, 4200] {
        let world = World::new();
        let mut browser = Browser::new(world.login().attach(pages()));
        log_in_with(&world, &mut browser, "/login/github", size).await;
        let right = browser.cookie_header();
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
        for junk in ["", "1", "2", "junk", "1junk", "2junk", "\u{e9}"] {
            let names = ["token-github", "token2-github"];
            let wrong = names.map(|name| format!("__Host-quadrille-{name}={junk}")).join("; ");
            for line in [format!("{wrong}; {right}"), format!("{right}; {wrong}")] {
                let page = visit_with(&browser.app, "/maybe", &[line.as_bytes()]).await;
                assert_eq!(page.text, "number 7", "{size}, {junk}: {page:?}");
            }
        }
    }
}

#[tokio::test]
async fn junk_under_the_names_of_other_cookies_takes_nothing_from_the_right_ones() {
    async fn me(me: Option<Identity<GitHub>>) -> String {
        me.map_or("nobody".to_owned(), |me| me.subject().to_owned())
    }
    let world = World::new();
    for in_memory in [false, true] {
        let login = world.login();
        let login = if in_memory { login.storage(MemoryStorage::new()) } else { login };
        let mut browser = Browser::new(login.attach(pages().route("/me", get(me))));
        let path = if in_memory { "/login/github" } else { "/login/github?only=identity" };
        let away = browser.visit(path).await;
        let query = world.service.consent(away.location(), 7).unwrap();
        browser.visit(&format!("/login/github/authorized?{query}")).await;
        let right = browser.cookie_header();
        for name in ["who-github", "browser"] {
            for junk in ["", "junk", "AAAAAAAAAAAAAAAAAAAAA!"] {
                let wrong = format!("__Host-quadrille-{name}={junk}");
                for line in [format!("{wrong}; {right}"), format!("{right}; {wrong}")] {
                    let page = visit_with(&browser.app, "/me", &[line.as_bytes()]).await;
                    assert_eq!(page.text, "7", "{name}, {junk}: {page:?}");
                }
            }
        }
    }
}
