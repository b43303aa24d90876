//! Answers by POST, and the frames of a logout, of OpenID Connect.

use axum::{
    Form, Router,
    extract::Query,
    response::{Html, IntoResponse as _, Redirect},
    routing::{get, post},
};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::support::{Provider, Site, decide, heading, in_a_browser, press, sign_in};

#[derive(Deserialize)]
struct Answer {
    code: String,
    state: String,
}

#[derive(Deserialize)]
struct Ended {
    iss: String,
    sid: String,
}

/// What becomes of the frame of a logout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Shown,
    /// The browser may not show it.
    Blocked,
    /// It never arrives.
    Hanging,
}

/// An application that leads its users on to another site after the callback, and learns of logouts
/// in a frame.
fn application(port: u16, ended: mpsc::UnboundedSender<Ended>, kind: Frame) -> Router {
    let arrived = format!("http://localhost:{port}/arrived");
    let callback = async move |Form(answer): Form<Answer>| {
        assert!(!answer.code.is_empty());
        Redirect::to(&format!("{arrived}?state={}", answer.state))
    };
    let frame = async move |Query(told): Query<Ended>| {
        ended.send(told).unwrap();
        if kind == Frame::Hanging {
            std::future::pending::<()>().await;
        }
        let blocks = (kind == Frame::Blocked).then_some([("x-frame-options", "DENY")]);
        (blocks, Html("<!doctype html><title>Out</title>")).into_response()
    };
    let page = |title: &'static str| {
        get(move || async move {
            Html(format!("<!doctype html><title>{title}</title><h1>{title}</h1>"))
        })
    };
    Router::new()
        .route("/callback", post(callback))
        .route("/front", get(frame))
        .route("/arrived", page("Arrived"))
        .route("/bye", page("Bye"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_arrives_by_post_and_a_logout_in_a_frame_by_themselves() {
    logged_out("forms", Frame::Shown).await;
}

/// Front-Channel Logout, section 3: the logout at the provider waits for no client.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_goes_on_though_the_browser_may_not_show_its_frame() {
    logged_out("blocked-frame", Frame::Blocked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_goes_on_though_its_frame_never_arrives() {
    logged_out("hanging-frame", Frame::Hanging).await;
}

async fn logged_out(name: &'static str, kind: Frame) {
    in_a_browser(name, async move |browser| {
        let provider = Provider::start(&["--set", "openid=true"]);
        let (ended, mut told) = mpsc::unbounded_channel();
        let site = Site::start(async |port| application(port, ended, kind)).await;
        let (callback, front, bye) = (site.far("/callback"), site.far("/front"), site.far("/bye"));
        let logout = ["--frontchannel-logout-uri", &front, "--post-logout-redirect-uri", &bye];
        let openid = [&["--scope", "openid"][..], &logout].concat();
        let client = provider.add("Shop", &callback, &openid);
        let question = client.question().replace("scope=photos%3Aread", "scope=openid");
        browser.goto(&format!("{question}&response_mode=form_post")).await.unwrap();
        sign_in(browser).await;
        decide(browser, "allow").await;
        heading(browser, "Arrived").await;
        assert_eq!(browser.place().await, site.near("/arrived?state=s"));

        let end = provider.url("/oauth/logout");
        let query = [("client_id", &*client.id), ("post_logout_redirect_uri", &bye)];
        let end = Url::parse_with_params(&end, query).unwrap();
        browser.goto(end.as_str()).await.unwrap();
        heading(browser, "Sign out?").await;
        press(browser, "Sign out").await;
        heading(browser, "Bye").await;
        let told = told.recv().await.unwrap();
        assert_eq!(told.iss, client.issuer);
        assert!(!told.sid.is_empty());
        browser.goto(&provider.url("/")).await.unwrap();
        assert!(browser.place().await.contains("/sign-in"));
    })
    .await;
}
