//! Stronger and more recent authentication (RFC 9470), at the API and at the authorization endpoint.

use std::time::Duration;

use axum::{Router, routing::get};
use http::Request;
use quadrille::{
    Authentication, Policy,
    guard::{Access, Guard, Refused, StepUp},
    provider::NewClient,
};
use tower::ServiceExt as _;

use crate::support::{Browser, Photos, World};

const TWO: &str = "urn:two";

async fn world() -> World {
    World::with(Policy::safe().acr_values([TWO, "urn:one"]), NewClient::first_party).await
}

async fn pay(access: Access<Photos>) -> Result<String, Refused> {
    let step_up = StepUp::new().acr_values([TWO]).max_age(Duration::from_secs(300));
    access.require_authentication(&step_up)?;
    Ok("paid".to_owned())
}

/// The status and the challenge of an API that requires two factors within five minutes.
async fn at_the_api(world: &World, token: &str) -> (u16, String) {
    let app = Router::new().route("/", get(pay)).layer(Guard::new(&world.server));
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let answer = app.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    let challenge = answer.headers().get("www-authenticate");
    let challenge = challenge.map_or("", |value| value.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), challenge)
}

fn sign_in(world: &World, acr: Option<&str>) {
    let mut ada = Authentication::new("ada", world.env.now());
    ada.acr = acr.map(Into::into);
    *world.signed_in.lock().unwrap() = Some(ada);
}

/// The answer to an authorization request with these further parameters.
async fn ask(world: &World, browser: &mut Browser, further: &str) -> crate::support::Answer {
    let url = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let path = url.strip_prefix("https://id.example").unwrap();
    browser.get(world, &format!("{path}{further}")).await
}

/// The address to return to after signing in.
fn back(answer: &crate::support::Answer) -> String {
    assert!(answer.location().starts_with("/sign-in"), "{answer:?}");
    answer.query("next")
}

#[tokio::test]
async fn the_api_says_which_authentication_it_needs_and_the_server_asks_for_it() {
    let world = world().await;
    let mut browser = Browser::default();
    sign_in(&world, Some("urn:one"));
    let answer = ask(&world, &mut browser, "").await;
    let token = world.redeem(&answer.query("code")).await.tokens().access;
    let (status, challenge) = at_the_api(&world, &token).await;
    assert_eq!(status, 401);
    for part in [
        r#"error="insufficient_user_authentication""#,
        r#"acr_values="urn:two""#,
        r#"max_age="300""#,
        r#"scope="photos:read photos:write""#,
    ] {
        assert!(challenge.contains(part), "{challenge}");
    }

    let answer = ask(&world, &mut browser, "&acr_values=urn:two&max_age=300").await;
    let back = back(&answer);
    sign_in(&world, Some(TWO));
    let answer = browser.get(&world, &back).await;
    let token = world.redeem(&answer.query("code")).await.tokens().access;
    assert_eq!(at_the_api(&world, &token).await.0, 200);
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(at_the_api(&world, &token).await.0, 401);
}

#[tokio::test]
async fn an_authentication_that_is_too_old_is_renewed_once() {
    let world = world().await;
    let mut browser = Browser::default();
    sign_in(&world, None);
    world.clock.advance(Duration::from_secs(60));
    assert!(
        ask(&world, &mut browser, "&max_age=60")
            .await
            .location()
            .starts_with("https://app.example/")
    );
    world.clock.advance(Duration::from_secs(1));
    let back = back(&ask(&world, &mut browser, "&max_age=60").await);
    let again = browser.get(&world, &back).await;
    assert!(again.location().starts_with("/sign-in"), "not yet");
    sign_in(&world, None);
    world.clock.advance(Duration::from_secs(90));
    let answer = browser.get(&world, &back).await;
    assert!(answer.location().starts_with("https://app.example/"), "also if that took a while");

    let silent = ask(&world, &mut browser, "&max_age=60&prompt=none").await;
    assert_eq!(silent.query("error"), "login_required");
    sign_in(&world, None);
    let never = self::back(&ask(&world, &mut browser, "&max_age=0").await);
    let at_once = browser.get(&world, &never).await;
    assert!(at_once.location().starts_with("/sign-in"), "the one of this second is from before");
    world.clock.advance(Duration::from_millis(10));
    sign_in(&world, None);
    let answer = browser.get(&world, &never).await;
    assert!(answer.location().starts_with("https://app.example/"));
    for broken in ["-1", "1.5", "soon", ""] {
        let answer = ask(&world, &mut browser, &format!("&max_age={broken}")).await;
        let expected = if broken.is_empty() { "code" } else { "error" };
        answer.query(expected);
    }
}

#[tokio::test]
async fn a_sign_in_from_before_the_clock_was_set_back_is_no_recent_one() {
    let world = world().await;
    let mut browser = Browser::default();
    sign_in(&world, Some(TWO));
    world.clock.set(world.env.now() - Duration::from_secs(60));
    let answer = ask(&world, &mut browser, "&max_age=300").await;
    let token = world.redeem(&answer.query("code")).await.tokens().access;
    assert_eq!(at_the_api(&world, &token).await.0, 200, "clocks may differ by a minute");
    world.clock.set(world.env.now() - Duration::from_secs(1));
    assert_eq!(at_the_api(&world, &token).await.0, 401);
    let answer = ask(&world, &mut browser, "&max_age=300").await;
    let back = back(&answer);
    sign_in(&world, Some(TWO));
    let again = browser.get(&world, &back).await;
    let token = world.redeem(&again.query("code")).await.tokens().access;
    assert_eq!(at_the_api(&world, &token).await.0, 200);
}

#[tokio::test]
async fn a_class_that_cannot_be_reached_is_an_error_for_the_client_and_no_loop() {
    let world = world().await;
    let mut browser = Browser::default();
    sign_in(&world, Some("urn:one"));
    let back = back(&ask(&world, &mut browser, "&acr_values=urn:two").await);
    world.clock.advance(Duration::from_secs(1));
    sign_in(&world, Some("urn:one"));
    let answer = browser.get(&world, &back).await;
    assert_eq!(answer.query("error"), "unmet_authentication_requirements");
    let unknown = ask(&world, &mut browser, "&acr_values=urn:three").await;
    assert_eq!(unknown.query("error"), "unmet_authentication_requirements");
    let one_of_them = ask(&world, &mut browser, "&acr_values=urn:three%20urn:one").await;
    assert!(!one_of_them.query("code").is_empty());
    let silent = ask(&world, &mut browser, "&acr_values=urn:two&prompt=none").await;
    assert_eq!(silent.query("error"), "login_required");
}

#[tokio::test]
async fn a_server_names_the_classes_that_it_knows_and_ignores_all_others_without_any() {
    let path = "/.well-known/oauth-authorization-server";
    let metadata = world().await.request("GET", path, "", "").await.json();
    assert_eq!(metadata["acr_values_supported"], serde_json::json!([TWO, "urn:one"]));
    let plain = World::with(Policy::safe(), NewClient::first_party).await;
    let metadata = plain.request("GET", path, "", "").await.json();
    assert_eq!(metadata.get("acr_values_supported"), None);
    sign_in(&plain, None);
    assert!(
        !ask(&plain, &mut Browser::default(), "&acr_values=urn:two").await.query("code").is_empty()
    );
}
