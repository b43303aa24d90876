use std::sync::{Arc, Mutex};

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use quadrille::{
    After, Authorized, BeforeLogin, Error, Failed, Hooks, Result,
    consumer::BrowserError,
    transport::{NetworkError, Purpose},
};
use url::Url;

use crate::support::{Browser, World, pages};

type Seen = Arc<Mutex<Vec<String>>>;

#[tokio::test]
async fn hooks_are_handlers_with_the_applications_extractors_and_state() {
    let world = World::new();
    let seen = Seen::default();
    async fn hook(
        new: Authorized,
        State(seen): State<Seen>,
        headers: HeaderMap,
        uri: http::Uri,
    ) -> Result<()> {
        let me: serde_json::Value = new.get("user").await?;
        let line = format!(
            "{} {} {} {}",
            new.service(),
            me["login"],
            headers.contains_key("cookie"),
            uri.path()
        );
        seen.lock().unwrap().push(line);
        Ok(())
    }
    let login = world.login().hooks(Hooks::new(Arc::clone(&seen)).on_authorized(hook));
    let mut browser = Browser::new(login.attach(pages()));
    assert_eq!(browser.log_in(&world.service, "/album", 7).await.text, "You are user-7");
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, ["github \"user-7\" true /login/github/arrived"]);
}

#[tokio::test]
async fn what_a_hook_returns_decides_about_storing_and_answering() {
    async fn plain(_: Authorized) {}
    async fn welcome(_: Authorized) -> After {
        After::answer(Redirect::to("/welcome"))
    }
    async fn look(_: Authorized) -> After {
        After::go_on().without_storing()
    }
    async fn stop(_: Authorized) -> Result<After, (StatusCode, &'static str)> {
        Err((StatusCode::PAYMENT_REQUIRED, "members only"))
    }
    let world = World::new();
    let base = world.login();
    for (login, status, to, stored) in [
        (base.clone().hooks(Hooks::new(()).on_authorized(plain)), 303, Some("/album"), true),
        (base.clone().hooks(Hooks::new(()).on_authorized(welcome)), 303, Some("/welcome"), true),
        (base.clone().hooks(Hooks::new(()).on_authorized(look)), 303, Some("/album"), false),
        (base.hooks(Hooks::new(()).on_authorized(stop)), 402, None, false),
    ] {
        let mut browser = Browser::new(login.attach(pages()));
        let away = browser.go("/album").await;
        let query = world.service.consent(away.location(), 7).unwrap();
        let hop = browser.visit(&format!("/login/github/authorized?{query}")).await;
        let page = browser.visit(hop.refresh().unwrap()).await;
        assert_eq!(page.status.as_u16(), status, "{page:?}");
        assert_eq!(page.headers.get("location").map(|l| l.to_str().unwrap()), to);
        let expected = if stored { "number 7" } else { "nobody" };
        assert_eq!(browser.visit("/maybe").await.text, expected);
    }
}

#[tokio::test]
async fn before_a_login_a_hook_can_add_to_the_request_or_answer_itself() {
    async fn hint(before: BeforeLogin, headers: HeaderMap) -> Result<After, Response> {
        if headers.contains_key("x-banned") {
            return Err(StatusCode::TOO_MANY_REQUESTS.into_response());
        }
        assert_eq!((&*before.service, &*before.next), ("github", "/album"));
        Ok(After::go_on().with_parameter("login", "ada & co"))
    }
    let world = World::new();
    let mut browser =
        Browser::new(world.login().hooks(Hooks::new(()).before_login(hint)).attach(pages()));
    let away = browser.go("/album").await;
    let url = Url::parse(away.location()).unwrap();
    assert!(url.query_pairs().any(|pair| pair == ("login".into(), "ada & co".into())));
    assert!(world.service.consent(away.location(), 7).is_some(), "still a right request");
    let request = http::Request::get("/login/github?next=/album").header("x-banned", "1");
    let page = browser.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn every_failure_goes_through_one_hook() {
    async fn hook(failed: Failed, State(seen): State<Seen>) -> After {
        let line = format!(
            "{} {:?} {:?}",
            failed.error.code(),
            failed.service.as_deref(),
            failed.next.as_deref()
        );
        seen.lock().unwrap().push(line);
        match failed.error {
            Error::Browser(BrowserError::Denied) => After::answer(Redirect::to("/sorry")),
            _ => After::go_on(),
        }
    }
    let world = World::new();
    let seen = Seen::default();
    let mut browser = Browser::new(
        world.login().hooks(Hooks::new(Arc::clone(&seen)).on_error(hook)).attach(pages()),
    );

    let away = browser.go("/album").await;
    let query = world.service.deny(away.location()).unwrap();
    let hop = browser.visit(&format!("/login/github/authorized?{query}")).await;
    let page = browser.visit(hop.refresh().expect("the hook may look at the session")).await;
    assert_eq!(page.location(), "/sorry");

    browser.go("/login/github/authorized?code=x&state=y").await;
    browser.go("/login/gitlab").await;
    let away = browser.go("/album").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    world.service.fails_next(Purpose::RedeemCode, NetworkError::Connect);
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert!(page.has_code("service_unreachable"), "the usual page: {page:?}");
    world.service.answers_next(Purpose::Identity, StatusCode::OK, "{}");
    browser.go(&format!("/login/github/authorized?{query}")).await;

    assert_eq!(
        *seen.lock().unwrap(),
        [
            "access_denied Some(\"github\") Some(\"/album\")",
            "state_unknown Some(\"github\") None",
            "service_unknown None None",
            "service_unreachable Some(\"github\") Some(\"/album\")",
            "subject_missing Some(\"github\") Some(\"/album\")",
        ]
    );
}
