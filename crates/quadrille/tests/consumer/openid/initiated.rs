//! Logins that another site initiates (OpenID Connect Core, section 4).

use axum::{Router, body::Body};
use http::{Request, StatusCode};
use quadrille::{
    After, BeforeLogin, Error, GitHub, Hooks, KeyRing, Login, SpecBuf,
    consumer::BrowserError,
    form::FormWriter,
    testing::{Browser, FakeService, Page},
};

use super::ISSUER;
use crate::support::{SECRET, SITE};

const INITIATE: &str = "/login/acme/initiate";

fn service() -> FakeService {
    FakeService::openid(ISSUER, "our-id", SECRET)
}

fn login(service: &FakeService) -> Login {
    Login::new(KeyRing::ephemeral(), SITE)
        .with(SpecBuf::oidc("acme", ISSUER).client("our-id", SECRET))
        .with(SpecBuf::oidc("other", "https://other.example").client("our-id", SECRET))
        .http(service.clone())
        .accept_initiated_logins()
}

fn browser(login: &Login) -> Browser {
    Browser::new(login.attach(Router::new()))
}

fn query(pairs: &[(&str, &str)]) -> String {
    let mut form = FormWriter::new();
    for (name, value) in pairs {
        form.append(name, value);
    }
    form.finish()
}

async fn post(browser: &mut Browser, site: &str, form: String) -> Page {
    let request = Request::post(INITIATE)
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", site);
    browser.send(request.body(Body::from(form)).unwrap()).await
}

/// The hidden fields of the form on a page.
fn form_of(page: &Page) -> Vec<(String, String)> {
    let fields = page.text.split("<input type=\"hidden\" name=\"").skip(1);
    let pair = |field: &str| {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        let value = rest.split_once('"').unwrap().0;
        (name.to_owned(), value.replace("&amp;", "&"))
    };
    fields.map(pair).collect()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// OpenID Connect Core, section 4.
#[tokio::test]
async fn another_site_initiates_a_login_that_the_user_confirms() {
    let service = service();
    let login = login(&service);
    let target = format!("{SITE}/album?a=1&b=2");
    let asked = [("iss", ISSUER), ("login_hint", "ada@id.example"), ("target_link_uri", &target)];
    for by_post in [false, true] {
        let mut browser = browser(&login);
        let asked = query(&asked);
        let page = match by_post {
            true => post(&mut browser, "cross-site", asked).await,
            false => browser.visit_from("cross-site", &format!("{INITIATE}?{asked}")).await,
        };
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        assert!(page.text.contains("<h1>Log in with acme?</h1>"), "{page:?}");
        assert!(page.text.contains("action=\"/login/acme/initiate\""), "{page:?}");
        assert!(!page.headers.contains_key("set-cookie"), "nothing has begun");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        let fields = form_of(&page);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let hop = post(&mut browser, "same-origin", query(&fields)).await;
        let away = hop.refresh().expect("a page that goes on by itself").to_owned();
        assert!(away.starts_with(&format!("{ISSUER}/authorize?")), "{away}");
        assert_eq!(parameter(&away, "login_hint").as_deref(), Some("ada@id.example"));
        let back = service.consent(&away, 7).unwrap();
        let page = browser.visit(&format!("/login/acme/authorized?{back}")).await;
        assert_eq!(page.refresh(), Some("/album?a=1&b=2"));
    }
}

#[tokio::test]
async fn only_a_page_of_this_site_or_the_user_begins_it_at_once() {
    let service = service();
    let login = login(&service);
    let asked = query(&[("iss", ISSUER), ("target_link_uri", SITE)]);
    for (site, is_asked) in
        [("same-origin", false), ("none", false), ("same-site", true), ("cross-site", true)]
    {
        let mut browser = browser(&login);
        let page = browser.visit_from(site, &format!("{INITIATE}?{asked}")).await;
        assert_eq!(page.status == StatusCode::OK, is_asked, "{site}: {page:?}");
        if !is_asked {
            let back = service.consent(page.location(), 7).unwrap();
            let page = browser.visit(&format!("/login/acme/authorized?{back}")).await;
            assert_eq!(page.refresh(), Some("/"), "{site}");
        }
        let page = post(&mut browser, site, asked.clone()).await;
        assert_eq!(page.refresh().is_none(), site != "same-origin", "{site}: {page:?}");
    }
}

/// OpenID Connect Core, section 4.
#[tokio::test]
async fn a_request_for_another_provider_or_site_begins_nothing() {
    let login = login(&service());
    let long = "x".repeat(1025);
    let slash = format!("{ISSUER}/");
    let mut refused = vec![
        (vec![], "login_malformed"),
        (vec![("iss", "")], "login_malformed"),
        (vec![("iss", ISSUER), ("iss", ISSUER)], "login_malformed"),
        (vec![("iss", ISSUER), ("login_hint", "a"), ("login_hint", "b")], "login_malformed"),
        (vec![("iss", ISSUER), ("login_hint", "a\nb")], "login_malformed"),
        (vec![("iss", ISSUER), ("login_hint", &long)], "login_malformed"),
        (
            vec![("iss", ISSUER), ("target_link_uri", "/"), ("target_link_uri", "/")],
            "login_malformed",
        ),
        (vec![("iss", "https://evil.example")], "issuer_other"),
        (vec![("iss", &slash)], "issuer_other"),
        (vec![("iss", "https://other.example")], "issuer_other"),
    ];
    for target in [
        "https://evil.example/",
        "https://app.example.evil.example/",
        "https://app.example@evil.example/",
        "http://app.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "album",
        "https://app.example/login/other",
        "/login/acme/initiate",
    ] {
        refused.push((vec![("iss", ISSUER), ("target_link_uri", target)], "target_elsewhere"));
    }
    for (pairs, code) in refused {
        for site in ["cross-site", "same-origin"] {
            let mut browser = browser(&login);
            let url = format!("{INITIATE}?{}", query(&pairs));
            let pages = [
                browser.visit_from(site, &url).await,
                post(&mut browser, site, query(&pairs)).await,
            ];
            for page in pages {
                assert_eq!(page.status, StatusCode::BAD_REQUEST, "{site} {pairs:?}: {page:?}");
                assert!(page.has_code(code), "{site} {pairs:?}: {page:?}");
                assert!(!page.headers.contains_key("set-cookie"), "{site} {pairs:?}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_else_of_the_request_is_trusted() {
    let login = login(&service());
    let mut browser = browser(&login);
    let asked = query(&[
        ("iss", ISSUER),
        ("state", "theirs"),
        ("nonce", "theirs"),
        ("redirect_uri", "https://evil.example/"),
        ("scope", "openid everything"),
        ("prompt", "none"),
        ("acr_values", "weak"),
        ("next", "/theirs"),
        ("popup", "1"),
    ]);
    let plain = browser.visit(&format!("{INITIATE}?{}", query(&[("iss", ISSUER)]))).await;
    let away = browser.visit(&format!("{INITIATE}?{asked}")).await;
    let names = |url: &str| -> Vec<(String, String)> {
        let url = url::Url::parse(url).unwrap();
        let own = ["state", "nonce", "code_challenge"];
        let rest = url.query_pairs().filter(|(name, _)| !own.contains(&&**name));
        rest.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    };
    assert_eq!(names(away.location()), names(plain.location()));
    assert!(!away.location().contains("theirs"), "{away:?}");
}

#[tokio::test]
async fn the_hook_before_a_login_learns_of_it() {
    async fn before(event: BeforeLogin) -> After {
        let hint = event.parameters.iter().find(|(name, _)| name == "login_hint");
        assert_eq!((&*event.next, &*hint.unwrap().1), ("/album", "ada"));
        After::answer("not now")
    }
    let login = login(&service()).hooks(Hooks::new(()).before_login(before));
    let asked = [("iss", ISSUER), ("login_hint", "ada"), ("target_link_uri", "/album")];
    let page = browser(&login).visit(&format!("{INITIATE}?{}", query(&asked))).await;
    assert_eq!(page.text, "not now");
}

#[tokio::test]
async fn it_is_off_by_default_and_for_openid_providers_alone() {
    let fake = service();
    let spec = SpecBuf::oidc("acme", ISSUER).client("our-id", SECRET);
    let off = Login::new(KeyRing::ephemeral(), SITE).with(spec).http(fake.clone());
    let url = format!("{INITIATE}?{}", query(&[("iss", ISSUER)]));
    assert_eq!(browser(&off).visit(&url).await.status, StatusCode::NOT_FOUND);
    let login = login(&fake).with(GitHub::new("our-id", SECRET));
    for (name, code) in [("github", "not_openid"), ("nobody", "service_unknown")] {
        let page = browser(&login).visit(&url.replace("acme", name)).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{name}");
        assert!(page.has_code(code), "{page:?}");
    }
}

#[tokio::test]
async fn an_application_without_axum_reads_it_by_itself() {
    let login = login(&service());
    let target = format!("{SITE}/album");
    let asked = query(&[("iss", ISSUER), ("login_hint", "ada"), ("target_link_uri", &target)]);
    let initiated = login.initiated_login("acme", &asked).await.unwrap();
    assert_eq!((&*initiated.service, &*initiated.next), ("acme", "/album"));
    assert_eq!(initiated.login_hint.as_deref(), Some("ada"));
    let jar = quadrille::consumer::Jar::new(&http::HeaderMap::new());
    let url = login.begin(&jar, &initiated.begin()).await.unwrap();
    assert_eq!(parameter(&url, "login_hint").as_deref(), Some("ada"));
    let error = login.initiated_login("acme", "iss=https%3A%2F%2Fevil.example").await;
    assert_eq!(error, Err(Error::from(BrowserError::IssuerOther)));
}
