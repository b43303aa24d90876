//! Navigations that another site began, browsers that read ahead, and HEAD.

use axum::{Router, body::Body, extract::FromRequestParts, response::Redirect, routing::get};
use http::{Method, Request, StatusCode, request::Parts};
use quadrille::{
    After, BeforeLogin, Failed, GitHub, GitLab, Hooks, Linked, Login, Result,
    consumer::MemoryStorage, scopes,
};

use crate::support::{Browser, Page, World, pages};

scopes! {
    Repositories = "repo", "See your repositories";
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

fn app(world: &World) -> Login {
    world
        .login()
        .hooks(Hooks::new(()).owner(|user: &CurrentUser| user.0))
        .storage(MemoryStorage::new())
}

fn signed_in(login: &Login) -> Browser {
    let mut browser = Browser::new(login.attach(routes()));
    browser.cookies.insert("user".to_owned(), "44".to_owned());
    browser
}

fn routes() -> Router {
    async fn repositories(github: Linked<GitHub, Repositories>) -> String {
        format!("repositories of {}", github.subject())
    }
    pages().route("/repositories", get(repositories))
}

fn is_asking(page: &Page) -> bool {
    page.status == StatusCode::OK && page.text.contains("<h1>Log in with GitHub?</h1>")
}

async fn post(browser: &mut Browser, path: &str, headers: &[(&str, &str)], form: &str) -> Page {
    let mut request = Request::post(path)
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// The hidden fields of the form on a page.
fn form_of(page: &Page) -> String {
    let mut form = quadrille::form::FormWriter::new();
    for field in page.text.split("<input type=\"hidden\" name=\"").skip(1) {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        form.append(name, &rest.split_once('"').unwrap().0.replace("&amp;", "&"));
    }
    form.finish()
}

#[tokio::test]
async fn another_sites_link_asks_before_anything_happens() {
    let world = World::new();
    let mut browser = signed_in(&app(&world));
    for site in ["cross-site", "same-site", "anything"] {
        let page = browser.visit_from(site, "/login/github?next=/album%3Fa%3D1%26b").await;
        assert!(is_asking(&page), "{site}: {page:?}");
        assert!(!page.headers.contains_key("set-cookie"), "{site}: nothing has begun");
        assert!(!page.headers.contains_key("refresh"), "{site}: and nothing goes on by itself");
        assert!(!page.text.contains("<script"));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src", "form-action 'self'", "frame-ancestors 'none'", "base-uri"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["referrer-policy"], "same-origin", "the form says whose it is");
        assert_eq!(page.headers["cache-control"], "no-store");
        let same_origin = [("sec-fetch-site", "same-origin"), ("origin", "https://app.example")];
        let hop = post(&mut browser, "/login/github", &same_origin, &form_of(&page)).await;
        let away = hop.refresh().expect("a page that goes on by itself");
        let query = world.service.consent(away, 7).unwrap();
        let page = browser.go(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(page.text, "You are user-7", "the page they wanted");
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
    }
}

#[tokio::test]
async fn nor_does_a_page_of_ours_that_another_site_links_to_begin_a_login() {
    let world = World::new();
    let mut browser = signed_in(&app(&world));
    // A redirect after a navigation from elsewhere is still from elsewhere.
    let page = browser.visit_from("cross-site", "/album").await;
    let login = page.location().to_owned();
    assert!(is_asking(&browser.visit_from("cross-site", &login).await));
    // And of one from here, from here.
    let page = browser.visit("/album").await;
    assert_eq!(browser.visit(page.location()).await.status, StatusCode::FOUND);
    let page = browser.visit_from("none", "/album").await;
    assert_eq!(browser.visit_from("none", page.location()).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_further_scope_is_asked_for_without_a_page_from_here_and_with_one_from_elsewhere() {
    let world = World::new();
    let mut browser = signed_in(&app(&world));
    browser.log_in(&world.service, "/login/github", 7).await;
    world.wait(std::time::Duration::from_secs(60));
    let login = browser.visit("/repositories").await.location().to_owned();
    assert!(login.contains("ask="), "{login}");
    let away = browser.visit(&login).await;
    assert!(away.location().contains("scope=repo"), "{away:?}");
    let page = browser.visit_from("cross-site", &login).await;
    assert!(is_asking(&page), "{page:?}");
    let same_origin = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    let hop = post(&mut browser, "/login/github", &same_origin, &form_of(&page)).await;
    let away = hop.refresh().unwrap();
    assert!(away.contains("scope=repo"), "what was wanted is not lost: {away}");
    let query = world.service.consent(away, 7).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(page.text, "repositories of 7");
}

#[tokio::test]
async fn a_form_begins_a_login_only_if_it_certainly_is_ours() {
    let world = World::new();
    let mut browser = signed_in(&app(&world));
    for headers in [
        &[][..],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://www.app.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("referer", "https://evil.example/")],
    ] {
        let page = post(&mut browser, "/login/github", headers, "next=%2Falbum").await;
        assert!(is_asking(&page), "{headers:?}: {page:?}");
        assert!(!page.headers.contains_key("set-cookie"), "{headers:?}");
    }
    for headers in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("origin", "https://app.example")],
        &[("referer", "https://app.example/album")],
    ] {
        let page = post(&mut browser, "/login/github?next=/album", headers, "").await;
        assert!(page.refresh().unwrap().starts_with("https://github.com/"), "{headers:?}");
    }
    let same_origin = [("sec-fetch-site", "same-origin")];
    let twice = post(&mut browser, "/login/github?next=/a", &same_origin, "next=/b").await;
    let query = world.service.consent(twice.refresh().unwrap(), 7).unwrap();
    let back = browser.visit_from("cross-site", &format!("/login/github/authorized?{query}")).await;
    let arrived = browser.visit(back.refresh().unwrap()).await;
    assert_eq!(arrived.location(), "/", "neither of the two: {arrived:?}");
}

#[tokio::test]
async fn no_form_is_answered_with_a_redirect_whoever_gives_it() {
    const ELSEWHERE: &str = "https://help.example/?a=1&b=2";
    async fn closed(_: BeforeLogin) -> After {
        After::answer(([("set-cookie", "seen=1; Path=/")], Redirect::to(ELSEWHERE)))
    }
    async fn lost(_: Failed) -> After {
        After::answer(Redirect::to(ELSEWHERE))
    }
    let world = World::new();
    let same_origin = [("sec-fetch-site", "same-origin")];
    let (closes, tells) = (
        app(&world).hooks(Hooks::new(()).before_login(closed)),
        app(&world).hooks(Hooks::new(()).on_error(lost)),
    );
    // A repeated parameter is an error.
    for (login, query) in [(closes, "next=/a"), (tells, "only=a&only=b")] {
        let mut browser = signed_in(&login);
        let page = post(&mut browser, "/login/github", &same_origin, query).await;
        assert_eq!((page.status, page.refresh()), (StatusCode::OK, Some(ELSEWHERE)), "{page:?}");
        assert!(!page.headers.contains_key("location"), "{page:?}");
        assert!(page.text.contains("https://help.example/?a=1&amp;b=2"), "{page:?}");
        assert_eq!(browser.cookies.contains_key("seen"), query == "next=/a");
        let page = browser.visit(&format!("/login/github?{query}")).await;
        assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, ELSEWHERE));
    }
}

#[tokio::test]
async fn a_browser_that_says_nothing_is_asked_if_somebody_is_signed_in() {
    let world = World::new();
    let login = app(&world);
    let silent = |referer: Option<&'static str>| {
        let mut request = Request::get("/login/github");
        if let Some(referer) = referer {
            request = request.header("referer", referer);
        }
        request.body(Body::empty()).unwrap()
    };
    let mut browser = signed_in(&login);
    assert!(is_asking(&browser.send(silent(None)).await));
    assert!(is_asking(&browser.send(silent(Some("https://evil.example/"))).await));
    let page = browser.send(silent(Some("https://app.example/album"))).await;
    assert_eq!(page.status, StatusCode::FOUND);
    let mut nobody = Browser::new(login.attach(routes()));
    assert_eq!(nobody.send(silent(None)).await.status, StatusCode::FOUND);
    assert!(is_asking(&nobody.send(silent(Some("https://evil.example/"))).await));
}

#[tokio::test]
async fn mallorys_account_is_not_linked_to_the_one_who_is_signed_in() {
    let world = World::new();
    let mut browser = signed_in(&app(&world));
    // The victim's browser is signed in to the service as 666, and is sent around by evil.example.
    let page = browser.visit_from("cross-site", "/login/github").await;
    assert!(page.headers.get("location").is_none(), "{page:?}");
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
}

fn probe(method: Method, path: &str, header: Option<(&str, &str)>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn neither_head_nor_a_browser_that_reads_ahead_begins_or_finishes_a_login() {
    let world = World::new();
    for login in [app(&world), world.login()] {
        let mut browser = signed_in(&login);
        let probes = [
            (Method::HEAD, None, StatusCode::NO_CONTENT),
            (Method::GET, Some(("sec-purpose", "prefetch")), StatusCode::SERVICE_UNAVAILABLE),
            (
                Method::GET,
                Some(("sec-purpose", "prefetch;prerender")),
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            (Method::GET, Some(("purpose", "prefetch")), StatusCode::SERVICE_UNAVAILABLE),
            (Method::GET, Some(("x-moz", "prefetch")), StatusCode::SERVICE_UNAVAILABLE),
        ];
        let asked = world.service.asked().len();
        for (method, header, status) in probes.clone() {
            let page = browser.send(probe(method, "/login/github", header)).await;
            assert_eq!(page.status, status, "{header:?}");
            assert_eq!(page.headers["cache-control"], "no-store");
            assert!(!page.headers.contains_key("set-cookie"), "{header:?}");
            assert!(!page.headers.contains_key("location"), "{header:?}");
        }
        let away = browser.visit("/login/github?next=/maybe").await;
        let query = world.service.consent(away.location(), 7).unwrap();
        for path in ["authorized", "arrived"] {
            for (method, header, status) in probes.clone() {
                let path = format!("/login/github/{path}?{query}");
                let page = browser.send(probe(method, &path, header)).await;
                assert_eq!(page.status, status, "{header:?}");
                assert!(!page.headers.contains_key("refresh"), "{header:?}");
            }
        }
        assert_eq!(world.service.asked().len(), asked, "the service was asked nothing");
        let page = browser.go(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(page.text, "number 7", "the code is still good");
    }
}

/// The page to go on to may come from a link of another site, and nothing asks before the second
/// login: its account would be that site's choice.
#[tokio::test]
async fn no_login_leads_on_to_another_login() {
    let world = World::new();
    let login = app(&world).with(GitLab::new("our-id", "our-secret"));
    let mut browser = signed_in(&login);
    for next in [
        "/login/gitlab",
        "/login/gitlab?next=/album",
        "/login/gitlab/",
        "/login/gitlab/logout",
        "/login/%67itlab",
        "/%6cogin/gitlab",
        "/album/../login/gitlab",
        "https://app.example/login/gitlab",
    ] {
        let mut link = quadrille::form::FormWriter::after_url("/login/github");
        link.append("next", next);
        let page = browser.log_in(&world.service, &link.finish(), 7).await;
        assert_eq!(page.text, "You are user-7", "{next}: {page:?}");
        // Nor does the route that logs out.
        let mut form = quadrille::form::FormWriter::new();
        form.append("next", next);
        let headers = [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")];
        let page = post(&mut browser, "/login/github/logout", &headers, &form.finish()).await;
        assert!(page.text.contains("You are logged out of GitHub"), "{next}: {page:?}");
    }
    for next in ["/login-help", "/login/help", "/elsewhere/login/gitlab"] {
        let mut link = quadrille::form::FormWriter::after_url("/login/github");
        link.append("next", next);
        let page = browser.log_in(&world.service, &link.finish(), 7).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{next}: {page:?}");
    }
}
