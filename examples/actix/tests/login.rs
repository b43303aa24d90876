//! The example, run as a user runs it, against an emulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "../../../crates/quadrille/tests/consumer/running.rs"]
mod running;

use http::StatusCode;
use running::{Browser, Program};
use tokio::process::Command;

async fn run() -> Program {
    let mut program = Command::new(env!("CARGO_BIN_EXE_quadrille-example-actix"));
    program.env("PORT", "0");
    Program::start(program, 1).await
}

#[tokio::test]
async fn a_visitor_logs_in_and_out() {
    let program = run().await;
    let mut browser = Browser::of(&program);
    assert!(browser.open("/").await.text.contains("Log in with GitHub"));

    let page = browser.open("/login/github").await;
    assert!(page.url.starts_with(&program.services["GitHub"]), "{page:?}");
    let denied = browser.submit(&page.url, "deny=1").await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN, "{denied:?}");
    assert!(denied.text.contains("<code>access_denied</code>"), "{denied:?}");

    let page = browser.open("/login/github").await;
    let callback = browser.submit(&page.url, "allow=1").await;
    assert_eq!(callback.url, format!("{}/", program.url), "{callback:?}");
    assert!(callback.text.contains("You are ada on GitHub"), "{callback:?}");
    assert!(browser.open("/").await.text.contains("You are ada on GitHub"));

    // Another site logs nobody out, and nobody in without a question.
    let page = browser.submit_from_elsewhere("/log-out", "").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
    assert!(page.text.contains("not_this_origin"), "{page:?}");
    let page = browser.submit_from_elsewhere("/login/github", "").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
    let page = browser.open_from_elsewhere("/login/github").await;
    assert!(page.text.contains("Log in with GitHub?"), "{page:?}");
    let page = browser.submit(&page.url, "").await;
    assert!(page.text.contains(&program.services["GitHub"]), "{page:?}");

    let page = browser.submit(&format!("{}/log-out", program.url), "").await;
    assert!(page.text.contains("Log in with GitHub"), "{page:?}");
    assert!(browser.open("/").await.text.contains("Log in with GitHub"));
}

#[tokio::test]
async fn an_answer_that_another_browser_began_logs_nobody_in() {
    let program = run().await;
    let (mut alice, mut mallory) = (Browser::of(&program), Browser::of(&program));
    let page = mallory.open("/login/github").await;
    let page = alice.submit(&page.url, "allow=1").await;
    assert!(page.text.contains("attempt_cookie_missing"), "{page:?}");
    assert!(alice.open("/").await.text.contains("Log in with GitHub"));
}
