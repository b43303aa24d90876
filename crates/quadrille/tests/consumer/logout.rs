//! Logging out of a service.

use axum::{Router, body::Body, extract::FromRequestParts, routing::get};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, request::Parts};
use quadrille::{
    GitHub, Hooks, KeyRing, Linked, Login, Result, SameOrigin, SpecBuf, Visitor,
    consumer::{LoggedOut, MemoryStorage},
    transport::{NetworkError, Purpose},
};
use serde_json::{Value, json};

use crate::{
    oauth1,
    support::{Browser, Page, SECRET, SITE, World, pages},
};

const OURS: &[(&str, &str)] = &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")];

async fn post(browser: &mut Browser, service: &str, headers: &[(&str, &str)], form: &str) -> Page {
    let mut request = Request::post(format!("/login/{service}/logout"))
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

async fn by_script(browser: &mut Browser, service: &str) -> Value {
    let request = Request::post(format!("/login/{service}/logout"))
        .header("accept", "application/json")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "cors");
    let page = browser.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert_eq!(page.headers["cache-control"], "no-store");
    serde_json::from_str(&page.text).unwrap()
}

fn answer(status: u16) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::new()).unwrap()
}

async fn linked(world: &World, login: &Login) -> Browser {
    let mut browser = Browser::new(login.attach(pages()));
    assert_eq!(browser.log_in(&world.service, "/album", 7).await.text, "You are user-7");
    browser
}

#[tokio::test]
async fn a_form_of_this_site_logs_out_here_and_at_the_service() {
    for in_memory in [false, true] {
        let world = World::new();
        let mut login = world.login();
        if in_memory {
            login = login.storage(MemoryStorage::new());
        }
        for (form, to) in [
            ("", None),
            ("next=%2Fgoodbye%3Fa%3D1", Some("/goodbye?a=1")),
            ("next=https%3A%2F%2Fevil.example%2F", None),
        ] {
            let mut browser = linked(&world, &login).await;
            world.service.answers_next_with(Purpose::Revoke, answer(204));
            let page = post(&mut browser, "github", OURS, form).await;
            match to {
                Some(to) => assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, to)),
                None => assert!(page.text.contains("You are logged out of GitHub"), "{page:?}"),
            }
            assert!(to.is_some() || page.text.contains("no access"), "{page:?}");
            let asked = world.service.asked();
            let revoked = &asked.last().unwrap().request;
            assert_eq!(revoked.method(), Method::DELETE);
            assert_eq!(revoked.uri().path(), "/applications/our-id/token");
            assert_eq!(browser.visit("/maybe").await.text, "nobody");
            assert!(!browser.cookies.keys().any(|name| name.contains("token")));
        }
    }
}

#[tokio::test]
async fn a_script_is_told_what_happened_and_so_is_who_logs_out_twice() {
    let world = World::new();
    let mut browser = linked(&world, &world.login()).await;
    world.service.answers_next_with(Purpose::Revoke, answer(204));
    let told = by_script(&mut browser, "github").await;
    assert_eq!(told, json!({ "service": "github", "outcome": "revoked" }));
    let told = by_script(&mut browser, "github").await;
    assert_eq!(told, json!({ "service": "github", "outcome": "not_linked" }));
    assert_eq!(world.service.times_asked(Purpose::Revoke), 1);
}

#[tokio::test]
async fn a_service_that_fails_keeps_nobody_logged_in() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    let mut browser = linked(&world, &login).await;
    world.service.answers_next_with(Purpose::Revoke, answer(503));
    let told = by_script(&mut browser, "github").await;
    let failed = json!({ "service": "github", "outcome": "local_only", "reason": "api_error" });
    assert_eq!(told, failed);
    assert_eq!(browser.visit("/maybe").await.text, "nobody");

    let mut browser = linked(&world, &login).await;
    world.service.fails_next(Purpose::Revoke, NetworkError::TimedOut);
    let page = post(&mut browser, "github", OURS, "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.has_code("service_timed_out"), "{page:?}");
    assert!(page.text.contains("your settings there"), "what is left to do: {page:?}");
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
    assert!(login.accounts::<GitHub>().unwrap().next().await.is_none());
}

#[tokio::test]
async fn an_account_that_needs_linking_again_is_removed_too() {
    let world = World::new();
    let mut browser = linked(&world, &world.login()).await;
    world.service.ends_access_tokens();
    assert_eq!(browser.visit("/album").await.status, StatusCode::SEE_OTHER);
    world.service.answers_next_with(Purpose::Revoke, answer(404));
    assert_eq!(by_script(&mut browser, "github").await["outcome"], "local_only");
    assert!(!browser.cookies.keys().any(|name| name.contains("token")));
}

#[tokio::test]
async fn a_service_without_revocation_says_so() {
    async fn thing(visitor: Visitor) -> Result<String> {
        Ok(visitor.linked("acme").await?.subject().to_string())
    }
    let world = World::new();
    let base = "https://acme.example";
    let spec = SpecBuf::oauth2(
        "acme",
        format!("{base}/authorize"),
        format!("{base}/token"),
        format!("{base}/api"),
    );
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(spec.client("our-id", SECRET))
        .http(world.service.clone())
        .env(world.clock.env());
    let mut browser = Browser::new(login.attach(Router::new().route("/thing", get(thing))));
    assert_eq!(browser.log_in(&world.service, "/thing", 7).await.status, StatusCode::OK);
    assert_eq!(by_script(&mut browser, "acme").await["outcome"], "unsupported");
    assert_eq!(browser.visit("/thing").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_account_of_oauth_1_is_forgotten_here() {
    let world = oauth1::World::new();
    let mut browser = Browser::new(world.login().attach(oauth1::pages()));
    oauth1::log_in(&world, &mut browser, "/album", 7).await;
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    assert_eq!(by_script(&mut browser, "library").await["outcome"], "unsupported");
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
}

#[tokio::test]
async fn another_site_logs_nobody_out() {
    let world = World::new();
    let mut browser = linked(&world, &world.login()).await;
    for headers in [
        &[][..],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://www.app.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    ] {
        let page = post(&mut browser, "github", headers, "").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?}: {page:?}");
        assert!(page.text.contains("not_this_origin"), "{headers:?}: {page:?}");
    }
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    assert_eq!(world.service.times_asked(Purpose::Revoke), 0);
}

#[tokio::test]
async fn a_link_only_asks() {
    let world = World::new();
    let mut browser = linked(&world, &world.login()).await;
    for site in ["same-origin", "cross-site"] {
        let page = browser.visit_from(site, "/login/github/logout?next=/bye%22").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("action=\"/login/github/logout\""), "{}", page.text);
        assert!(page.text.contains("value=\"/bye%22\""), "{}", page.text);
        assert!(!page.headers.contains_key("set-cookie"), "{page:?}");
    }
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    let page = browser.visit("/login/gitlab/logout").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let page = post(&mut browser, "gitlab", OURS, "").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

/// The user whom the cookie names.
struct CurrentUser(u64);

impl FromRequestParts<()> for CurrentUser {
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, _: &()) -> Result<Self, StatusCode> {
        let user = quadrille::cookie::one(&parts.headers, "user");
        user.and_then(|user| user.parse().ok()).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

#[tokio::test]
async fn the_account_of_another_user_is_left_alone() {
    let world = World::new();
    let login = world
        .login()
        .hooks(Hooks::new(()).owner(|user: &CurrentUser| user.0))
        .storage(MemoryStorage::new());
    let mut browser = Browser::new(login.attach(pages()));
    for user in ["44", "45"] {
        browser.cookies.insert("user".to_owned(), user.to_owned());
        browser.log_in(&world.service, "/login/github", 7).await;
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
    }
    world.service.answers_next_with(Purpose::Revoke, answer(204));
    assert_eq!(by_script(&mut browser, "github").await["outcome"], "revoked");
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
    browser.cookies.insert("user".to_owned(), "44".to_owned());
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
}

#[tokio::test]
async fn a_program_logs_an_account_out_in_one_call() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    linked(&world, &login).await;
    let github: Linked<GitHub> = login.accounts().unwrap().next().await.unwrap().unwrap();
    world.service.answers_next_with(Purpose::Revoke, answer(204));
    assert_eq!(github.log_out().await.unwrap(), LoggedOut::Revoked);
    assert!(login.accounts::<GitHub>().unwrap().next().await.is_none());
}

#[tokio::test]
async fn a_program_logs_out_an_account_that_needs_linking_again() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    linked(&world, &login).await;
    let github: Linked<GitHub> = login.accounts().unwrap().next().await.unwrap().unwrap();
    let account = github.account();
    world.service.ends_access_tokens();
    github.get::<Value>("user").await.unwrap_err();
    assert!(login.linked::<GitHub>(&account).await.is_err());
    world.service.answers_next_with(Purpose::Revoke, answer(204));
    assert_eq!(login.log_out(&account).await.unwrap(), Some(LoggedOut::Revoked));
    assert_eq!(login.log_out(&account).await.unwrap(), None);
}

#[tokio::test]
async fn a_form_of_another_site_does_not_reach_a_handler_that_takes_same_origin() {
    let world = World::new();
    let unlink =
        async |_: SameOrigin, github: Linked<GitHub>| github.unlink().await.map(|()| "unlinked");
    let routes = pages().route("/unlink", axum::routing::post(unlink));
    let mut browser = Browser::new(world.login().attach(routes));
    browser.log_in(&world.service, "/login/github", 7).await;
    let post = async |browser: &mut Browser, headers: &[(&str, &str)]| {
        let request = headers.iter().fold(Request::post("/unlink"), |r, (k, v)| r.header(*k, *v));
        browser.send(request.body(Body::empty()).unwrap()).await
    };
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", SITE)],
        &[("origin", "https://www.app.example")],
        &[("origin", "null")],
    ] {
        let page = post(&mut browser, headers).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(page.text.contains("not_this_origin"), "{page:?}");
    }
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    let old_browser = &[("origin", SITE)];
    assert_eq!(post(&mut browser, old_browser).await.text, "unlinked");
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
}
