use axum::{Router, body::Body, routing::post};
use http::{Request, StatusCode};
use quadrille::{GitHub, Linked, transport::Purpose};
use url::Url;

use crate::support::{Browser, SECRET, SITE, World, go_in_circles, pages};

#[tokio::test]
async fn a_visitor_is_sent_to_log_in_and_comes_back_to_the_page_they_wanted() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));

    let page = browser.visit("/album?page=2&q=a+b").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(page.location(), "/login/github?next=%2Falbum%3Fpage%3D2%26q%3Da%2Bb");

    let away = browser.go("/album?page=2&q=a+b").await;
    assert_eq!(away.status, StatusCode::FOUND);
    let url = Url::parse(away.location()).unwrap();
    assert_eq!(url.host_str(), Some("github.com"));
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], "our-id");
    assert_eq!(query["redirect_uri"], format!("{SITE}/login/github/authorized"));
    assert_eq!(query["code_challenge_method"], "S256");
    assert!(!query.contains_key("scope"), "none was asked for");

    let query = world.service.consent(away.location(), 7).unwrap();
    let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(back.refresh(), Some("/album?page=2&q=a+b"), "the way back begins on our origin");
    let page = browser.go(back.refresh().unwrap()).await;
    assert_eq!((page.status, &*page.text), (StatusCode::OK, "You are user-7"));
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
}

#[tokio::test]
async fn whoever_is_no_page_is_told_where_to_log_in() {
    let world = World::new();
    async fn save(_: Linked<GitHub>) {}
    let app: Router = pages().route("/save", post(save));
    let mut browser = Browser::new(world.login().attach(app));
    let fetch = |method: &str, path: &str, mode: &str| {
        let request = Request::builder().method(method).uri(path);
        request.header("sec-fetch-mode", mode).body(Body::empty()).unwrap()
    };
    for request in [
        fetch("GET", "/", "cors"),
        fetch("POST", "/save", "navigate"),
        Request::get("/").header("accept", "application/json").body(Body::empty()).unwrap(),
        Request::get("/").header("x-requested-with", "fetch").body(Body::empty()).unwrap(),
    ] {
        let page = browser.send(request).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{page:?}");
        let json: serde_json::Value = serde_json::from_str(&page.text).unwrap();
        assert_eq!(json["error"], "not_linked");
        assert_eq!(json["login_url"], "/login/github");
        assert_eq!(page.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn without_fetch_metadata_the_accept_header_says_who_is_a_page() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for (accept, is_page) in [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
        ("TEXT/HTML", true),
        ("*/*", true),
        ("*/*;q=0.5", true),
        ("text/html, application/json", true),
        ("text/vnd.turbo-stream.html, text/html, application/xhtml+xml", true),
        ("application/json", false),
        ("application/json, text/plain, */*", false),
        ("application/json, text/html;q=0.5", false),
        ("text/html;q=0.1, application/problem+json", false),
        ("text/html;q=0", false),
        ("text/html;level=1;Q=0.0, application/json", false),
        ("image/avif,image/webp,*/*", false),
        ("text/html-x", false),
    ] {
        let request = Request::get("/").header("accept", accept).body(Body::empty()).unwrap();
        let page = browser.send(request).await;
        let status = if is_page { StatusCode::SEE_OTHER } else { StatusCode::UNAUTHORIZED };
        assert_eq!(page.status, status, "{accept}: {page:?}");
    }
}

#[tokio::test]
async fn an_optional_account_is_no_reason_to_ask_anyone() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
    browser.log_in(&world.service, "/login/github", 7).await;
    let asked = world.service.asked().len();
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    assert_eq!(world.service.asked().len(), asked, "the network was touched");
}

#[tokio::test]
async fn cookies_are_for_this_host_only_and_not_for_scripts() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let mut lines = Vec::new();
    let away = browser.visit("/login/github").await;
    lines.extend(away.headers.get_all("set-cookie").iter().cloned());
    let query = world.service.consent(away.location(), 7).unwrap();
    let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
    lines.extend(back.headers.get_all("set-cookie").iter().cloned());
    assert!(lines.len() >= 3, "the attempt, the token, the end of the attempt");
    for line in lines {
        let line = line.to_str().unwrap();
        assert!(line.starts_with("__Host-quadrille-"), "{line}");
        for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(line.contains(attribute), "{line}");
        }
        assert!(!line.contains("canary") && !line.contains(SECRET), "{line}");
    }
}

#[tokio::test]
async fn a_site_below_a_path_keeps_it_everywhere() {
    let world = World::new();
    let login = quadrille::Login::new(quadrille::KeyRing::ephemeral(), format!("{SITE}/app"))
        .with(GitHub::new("our-id", SECRET))
        .http(world.service.clone());
    // Behind a proxy that takes the path off, and nested by the application itself.
    let stripped = login.attach(pages());
    let nested = Router::new().nest("/app", login.attach(pages()));
    for (app, prefix) in [(stripped, ""), (nested, "/app")] {
        let mut browser = Browser::new(app);
        let page = browser.visit(&format!("{prefix}/album?x=1")).await;
        assert_eq!(page.location(), "/app/login/github?next=%2Fapp%2Falbum%3Fx%3D1");
        let away = browser.visit(&format!("{prefix}/login/github?next=%2Fapp%2Falbum")).await;
        let url = Url::parse(away.location()).unwrap();
        let redirect = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
        assert_eq!(redirect, format!("{SITE}/app/login/github/authorized"));
        let query = world.service.consent(away.location(), 7).unwrap();
        let back = browser.visit(&format!("{prefix}/login/github/authorized?{query}")).await;
        assert_eq!(back.refresh(), Some("/app/album"));
    }
}

#[tokio::test]
async fn a_page_is_found_again_behind_a_proxy_that_takes_a_part_of_the_path_off() {
    let world = World::new();
    let at = |url: &str| {
        quadrille::Login::new(quadrille::KeyRing::ephemeral(), url)
            .with(GitHub::new("our-id", SECRET))
            .http(world.service.clone())
    };
    // The proxy takes `/x` off, and the application is nested at `/app`, or deeper.
    for (url, nested) in [("/x/app", "/app"), ("/x/y/app/v1", "/app/v1"), ("/app", "/app")] {
        let login = at(&format!("{SITE}{url}"));
        let mut browser = Browser::new(Router::new().nest(nested, login.attach(pages())));
        for (page, next) in [("/album?x=1", "%2Falbum%3Fx%3D1"), ("", "%2F")] {
            let page = browser.visit(&format!("{nested}{page}")).await;
            let prefix = url.replace('/', "%2F");
            assert_eq!(page.location(), format!("{url}/login/github?next={prefix}{next}"));
        }
        let away = browser.visit(&format!("{nested}/login/github?next={url}/album")).await;
        let query = world.service.consent(away.location(), 7).unwrap();
        let back = browser.visit(&format!("{nested}/login/github/authorized?{query}")).await;
        assert_eq!(back.refresh(), Some(&*format!("{url}/album")));
    }
    // Routes that are nested inside of what is attached are where they are.
    let login = at(SITE);
    let mut browser = Browser::new(login.attach(Router::new().nest("/inner", pages())));
    let page = browser.visit("/inner/album").await;
    assert_eq!(page.location(), "/login/github?next=%2Finner%2Falbum");
}

#[tokio::test]
async fn a_login_nested_where_its_urls_do_not_lead_says_so() {
    let world = World::new();
    for url in [SITE.to_owned(), format!("{SITE}/other"), format!("{SITE}/app/other")] {
        let login = quadrille::Login::new(quadrille::KeyRing::ephemeral(), url)
            .with(GitHub::new("our-id", SECRET))
            .http(world.service.clone());
        let mut browser = Browser::new(Router::new().nest("/app", login.attach(pages())));
        for path in ["/app/album", "/app/login/github", "/app"] {
            let page = browser.visit(path).await;
            assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {page:?}");
            assert!(page.has_code("nested_elsewhere"), "{path}: {page:?}");
            assert!(page.text.contains("nested at /app"), "{}", page.text);
        }
        assert_eq!(browser.visit("/app/maybe").await.text, "nobody", "which needs no URL");
    }
}

#[tokio::test]
async fn two_logins_live_in_one_application() {
    let world = World::new();
    let visitors = world.login();
    let admins = world.login().at("/admin/login");
    async fn admin(github: Linked<GitHub>) -> String {
        format!("admin {}", github.subject())
    }
    let admin: Router = Router::new().route("/admin", axum::routing::get(admin));
    let app = visitors.attach(pages()).merge(admins.attach(admin));
    let mut browser = Browser::new(app);
    browser.log_in(&world.service, "/login/github", 7).await;
    let page = browser.visit("/admin").await;
    assert_eq!(page.location(), "/admin/login/github?next=%2Fadmin", "a visitor is no admin");
    let away = browser.go("/admin").await;
    let query = world.service.consent(away.location(), 8).unwrap();
    let page = browser.go(&format!("/admin/login/github/authorized?{query}")).await;
    assert_eq!(page.text, "admin 8");
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
}

#[test]
fn the_log_says_why_a_login_goes_in_circles() {
    let log = crate::canary::logged(async {
        let world = World::new();
        let login = world.login().storage(quadrille::consumer::NullStorage);
        let mut browser = Browser::new(login.attach(pages()));
        go_in_circles(&world, &mut browser, "/album").await;
    });
    let line = log.lines().find(|line| line.contains("linked no account that the page can use"));
    assert!(
        line.is_some_and(|line| line.contains("WARN") && line.contains("no account is linked")),
        "{log}"
    );
}

#[tokio::test]
async fn a_login_that_goes_in_circles_ends_on_a_page_that_says_so() {
    let world = World::new();
    let login = world.login().storage(quadrille::consumer::NullStorage);
    let mut browser = Browser::new(login.attach(pages()));
    let page = go_in_circles(&world, &mut browser, "/album").await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.has_code("login_loop"), "{}", page.text);
    assert!(page.text.contains("/login/github?next=%2Falbum"), "there is a way on");
    // The visitor may try again on their own.
    assert_eq!(browser.visit("/album").await.status, StatusCode::SEE_OTHER);
    let page = go_in_circles(&world, &mut browser, "/album").await;
    assert!(page.has_code("login_loop"), "and is stopped again: {page:?}");
}

#[tokio::test]
async fn three_rounds_are_a_loop_only_within_a_minute_and_at_one_page() {
    let world = World::new();
    let login = world.login().storage(quadrille::consumer::NullStorage);
    let app = login.attach(pages());
    for (pause, is_loop) in [(30, true), (31, false)] {
        let mut browser = Browser::new(app.clone());
        let mut page = None;
        for _ in 0..3 {
            if page.is_some() {
                world.wait(std::time::Duration::from_secs(pause));
            }
            page = Some(browser.log_in(&world.service, "/album", 7).await);
        }
        let page = page.unwrap();
        assert_eq!(page.has_code("login_loop"), is_loop, "{pause}: {page:?}");
    }
    let mut browser = Browser::new(app);
    for path in ["/album", "/", "/album", "/", "/album", "/"] {
        let page = browser.log_in(&world.service, path, 7).await;
        assert!(!page.has_code("login_loop"), "{path}: {page:?}");
    }
}
