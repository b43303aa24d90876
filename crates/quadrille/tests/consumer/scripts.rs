//! Logins that a script of a single-page application, or a program, begins and finishes.

use axum::{body::Body, response::IntoResponse as _};
use http::{Request, StatusCode};
use quadrille::{
    After, Authorized, BeforeLogin, Failed, GitHub, Hooks, KeyRing, Login, Twitter,
    consumer::MemoryStorage, testing::FakeService, transport::Purpose,
};
use serde_json::{Value, json};
use url::Url;

use crate::support::{Browser, Page, SECRET, SITE, World, pages};

const CALLBACK: &str = "https://app.example/app/logged-in";
const BEGIN: &str = "/login/github/begin";
const FINISH: &str = "/login/github/finish";

fn login(world: &World) -> Login {
    let github = GitHub::new("our-id", SECRET).allow_parameters(["login"]).allow_scopes("gist");
    Login::new(KeyRing::ephemeral(), SITE)
        .with(github.json_callback(CALLBACK))
        .http(world.service.clone())
        .env(world.clock.env())
}

fn browser(login: &Login) -> Browser {
    Browser::new(login.attach(pages()).merge(login.json_routes()))
}

async fn post_with(
    browser: &mut Browser,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Page {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(Body::from(body)).unwrap()).await
}

/// A fetch of a page of this site.
async fn post(browser: &mut Browser, path: &str, body: &Value) -> Page {
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-origin"),
        ("origin", SITE),
    ];
    post_with(browser, path, &headers, body.to_string()).await
}

fn value(page: &Page) -> Value {
    assert_eq!(page.headers["content-type"], "application/json", "{page:?}");
    assert_eq!(page.headers["cache-control"], "no-store", "{page:?}");
    serde_json::from_str(&page.text).unwrap()
}

fn url_of(page: &Page) -> String {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    value(page)["url"].as_str().unwrap().to_owned()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The parameters of a query as members of an object.
fn members(query: &str) -> Value {
    let url = Url::parse(&format!("https://a/?{query}")).unwrap();
    let pairs = url.query_pairs().into_owned();
    Value::Object(pairs.map(|(name, value)| (name, value.into())).collect())
}

#[tokio::test]
async fn a_script_begins_and_finishes_a_login_without_any_redirect() {
    let world = World::new();
    let mut browser = browser(&login(&world));
    let asked = json!({ "next": "/album?a=1", "login": "ada", "scope": "gist", "hd": null });
    let begun = post(&mut browser, BEGIN, &asked).await;
    let url = url_of(&begun);
    assert_eq!(parameter(&url, "redirect_uri").as_deref(), Some(CALLBACK));
    assert_eq!(parameter(&url, "login").as_deref(), Some("ada"));
    assert_eq!(parameter(&url, "scope").as_deref(), Some("gist"));
    let answer = members(&world.service.consent(&url, 7).unwrap());
    let done = post(&mut browser, FINISH, &answer).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    assert_eq!(value(&done), json!({ "service": "github", "next": "/album?a=1" }));
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    let again = post(&mut browser, FINISH, &answer).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "{again:?}");
    assert_eq!(value(&again)["error"], "attempt_cookie_missing");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
    // The usual login is as it was, with its own callback.
    let away = browser.visit("/login/github").await;
    let usual = format!("{SITE}/login/github/authorized");
    assert_eq!(parameter(away.location(), "redirect_uri"), Some(usual));
}

#[tokio::test]
async fn a_program_without_a_browser_does_too() {
    let world = World::new();
    let github = GitHub::new("our-id", SECRET).json_callback("com.example.app:/callback");
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(github)
        .http(world.service.clone())
        .env(world.clock.env());
    let mut program = browser(&login);
    let json = [("content-type", "application/json; charset=utf-8")];
    let begun = post_with(&mut program, BEGIN, &json, "{}".to_owned()).await;
    let url = url_of(&begun);
    assert_eq!(parameter(&url, "redirect_uri").as_deref(), Some("com.example.app:/callback"));
    let answer = members(&world.service.consent(&url, 7).unwrap());
    let done = post_with(&mut program, FINISH, &json, answer.to_string()).await;
    assert_eq!(value(&done), json!({ "service": "github", "next": "/" }));
    let denied = url_of(&post_with(&mut program, BEGIN, &json, "{}".to_owned()).await);
    let answer = members(&world.service.deny(&denied).unwrap());
    let page = post_with(&mut program, FINISH, &json, answer.to_string()).await;
    let told = value(&page);
    assert_eq!((page.status, &told["error"]), (StatusCode::FORBIDDEN, &json!("access_denied")));
    assert!(told["message"].as_str().unwrap().contains("You refused at GitHub"), "{told}");
    assert_eq!(told["retry_url"], "/login/github?next=%2F", "where to log in");
}

#[tokio::test]
async fn no_page_of_another_site_begins_or_finishes_a_login() {
    let world = World::new();
    let mut browser = browser(&login(&world));
    let url = url_of(&post(&mut browser, BEGIN, &json!({})).await);
    let answer = members(&world.service.consent(&url, 666).unwrap());
    const JSON: (&str, &str) = ("content-type", "application/json");
    let refused: [&[(&str, &str)]; 9] = [
        &[JSON, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[JSON, ("sec-fetch-site", "same-site"), ("origin", "https://www.app.example")],
        &[JSON, ("sec-fetch-site", "none")],
        &[JSON, ("origin", "https://evil.example")],
        &[JSON, ("origin", "null")],
        &[JSON, ("referer", "https://evil.example/")],
        // What a form of another site can send.
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")],
        &[],
    ];
    for headers in refused {
        for (path, body) in [(BEGIN, &json!({})), (FINISH, &answer)] {
            let page = post_with(&mut browser, path, headers, body.to_string()).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?}: {page:?}");
            assert_eq!(value(&page)["error"], "not_this_origin");
            assert!(!page.headers.contains_key("set-cookie"), "{headers:?}");
        }
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
    for path in [BEGIN, FINISH] {
        assert_eq!(browser.visit(path).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_in_json() {
    let world = World::new();
    let mut browser = browser(&login(&world));
    let url = url_of(&post(&mut browser, BEGIN, &json!({})).await);
    let answer = members(&world.service.consent(&url, 7).unwrap());
    let (state, code) = (&answer["state"], &answer["code"]);
    let own = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
    for (path, body, status, error) in [
        (BEGIN, String::new(), 400, "login_malformed"),
        (BEGIN, "[]".to_owned(), 400, "login_malformed"),
        (BEGIN, r#"{"next":1}"#.to_owned(), 400, "login_malformed"),
        (BEGIN, r#"{"login":"a","login":"b"}"#.to_owned(), 400, "login_malformed"),
        (BEGIN, r#"{"popup":"1"}"#.to_owned(), 400, "login_malformed"),
        (FINISH, "{".to_owned(), 400, "callback_malformed"),
        (FINISH, "x".repeat(1 << 20), 400, "callback_malformed"),
        (
            FINISH,
            format!(r#"{{"state":{state},"state":{state},"code":{code}}}"#),
            400,
            "callback_malformed",
        ),
        (FINISH, format!(r#"{{"code":{code}}}"#), 400, "state_unknown"),
        ("/login/nobody/begin", "{}".to_owned(), 404, "service_unknown"),
        ("/login/nobody/finish", "{}".to_owned(), 404, "service_unknown"),
    ] {
        let page = post_with(&mut browser, path, &own, body.clone()).await;
        assert_eq!(page.status.as_u16(), status, "{body:.80}: {page:?}");
        assert_eq!(value(&page)["error"], error, "{body:.80}");
    }
    assert_eq!(post(&mut browser, FINISH, &answer).await.status, StatusCode::OK, "still good");
}

#[tokio::test]
async fn hooks_are_called_and_may_answer() {
    async fn before(event: BeforeLogin) -> After {
        assert_eq!(
            (&*event.next, &*event.parameters),
            ("/a", &[("login".into(), "ada".into())][..])
        );
        After::go_on().with_data(json!({ "coupon": 7 }))
    }
    async fn arrived(new: Authorized) -> After {
        assert_eq!(new.data(), Some(&json!({ "coupon": 7 })));
        After::answer(axum::Json(json!({ "session": "yours" })))
    }
    async fn failed(event: Failed) -> After {
        After::answer((StatusCode::IM_A_TEAPOT, event.error.code()).into_response())
    }
    let world = World::new();
    let hooks = Hooks::new(()).before_login(before).on_authorized(arrived).on_error(failed);
    let mut browser = browser(&login(&world).hooks(hooks));
    let asked = json!({ "next": "/a", "login": "ada" });
    let url = url_of(&post(&mut browser, BEGIN, &asked).await);
    let answer = members(&world.service.consent(&url, 7).unwrap());
    let done = post(&mut browser, FINISH, &answer).await;
    assert_eq!(done.text, r#"{"session":"yours"}"#);
    assert_eq!(browser.visit("/maybe").await.text, "number 7", "stored nevertheless");
    let again = post(&mut browser, FINISH, &answer).await;
    assert_eq!((again.status, &*again.text), (StatusCode::IM_A_TEAPOT, "attempt_cookie_missing"));
}

#[tokio::test]
async fn without_a_callback_of_its_own_the_usual_one_finishes_what_a_script_began() {
    let world = World::new();
    let mut browser = browser(&world.login());
    let url = url_of(&post(&mut browser, BEGIN, &json!({ "next": "/maybe" })).await);
    let query = world.service.consent(&url, 7).unwrap();
    assert_eq!(browser.go(&format!("/login/github/authorized?{query}")).await.text, "number 7");
    let url = url_of(&post(&mut browser, BEGIN, &json!({})).await);
    let query = world.service.deny(&url).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert!(page.has_code("access_denied"), "a page for a person: {page:?}");
}

#[tokio::test]
async fn services_of_oauth_1_too() {
    let service = FakeService::of::<Twitter>("our-key", "our-secret");
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Twitter::new("our-key", "our-secret").json_callback(CALLBACK))
        .http(service.clone())
        .storage(MemoryStorage::new());
    let mut browser = browser(&login);
    let url = url_of(&post(&mut browser, "/login/twitter/begin", &json!({})).await);
    assert_eq!(service.callback(&url).as_deref(), Some(CALLBACK));
    let answer = members(&service.consent(&url, 7).unwrap());
    let done = post(&mut browser, "/login/twitter/finish", &answer).await;
    assert_eq!(value(&done)["service"], "twitter", "{done:?}");
}

#[test]
fn a_callback_that_is_none_stops_the_program() {
    for (callback, fits) in [
        ("https://app.example/x?y=1", true),
        ("http://localhost:3000/x", true),
        ("com.example.app:/callback", true),
        ("http://app.example/x", false),
        ("https://app.example/#x", false),
        ("javascript:alert(1)", false),
        ("app:/callback", false),
        ("/callback", false),
        ("https://app.example/a b", false),
    ] {
        let github = GitHub::new("our-id", SECRET).json_callback(callback);
        let checked = Login::new(KeyRing::ephemeral(), SITE).with(github).check();
        let code = checked.err().map(|error| error.code());
        assert_eq!(code, (!fits).then_some("json_callback_malformed"), "{callback}");
    }
}
