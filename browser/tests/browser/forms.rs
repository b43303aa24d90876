//! Answers by POST, and the frames of a logout, of OpenID Connect.

use axum::{
    Form, Router,
    extract::Query,
    response::{Html, Redirect},
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

/// An application that leads its users on to another site after the callback, and learns of logouts
/// in a frame.
fn application(port: u16, ended: mpsc::UnboundedSender<Ended>) -> Router {
    let arrived = format!("http://localhost:{port}/arrived");
    let callback = async move |Form(answer): Form<Answer>| {
        assert!(!answer.code.is_empty());
        Redirect::to(&format!("{arrived}?state={}", answer.state))
    };
    let frame = async move |Query(told): Query<Ended>| {
        ended.send(told).unwrap();
        Html("<!doctype html><title>Out</title>")
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
    in_a_browser("forms", async |browser| {
        let provider = Provider::start(&["--set", "openid=true"]);
        let (ended, mut told) = mpsc::unbounded_channel();
        let site = Site::start(async |port| application(port, ended)).await;
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
