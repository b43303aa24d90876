//! The examples, run as a user runs them, against emulators.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "../../quadrille/tests/consumer/running.rs"]
mod running;

use http::StatusCode;
use running::{Browser, Page, Program};

/// Allows the login that a link begins, as one of the service's accounts.
async fn log_in(browser: &mut Browser, service: &str, account: u64) -> Page {
    let page = browser.open(&format!("/login/{service}?next=/accounts")).await;
    assert!(page.text.contains("Allow as"), "{page:?}");
    browser.submit(&page.url, &format!("allow={account}")).await
}

async fn unlink(browser: &mut Browser, service: &str, subject: &str) -> Page {
    let form = browser.open("/accounts").await.url.replace("/accounts", "/unlink");
    browser.submit(&form, &format!("service={service}&subject={subject}")).await
}

#[tokio::test]
async fn users_link_and_unlink_accounts_of_four_services() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/app.db?mode=rwc", folder.path().display());
    let run = async || {
        let environment = [
            ("DATABASE_URL", &*database),
            ("APP_KEYS", "b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28="),
        ];
        Program::run_with("quadrille-sqlx", "linked_accounts", environment, 4).await
    };
    let program = run().await;
    let mut alice = Browser::of(&program);
    let page = alice.open("/accounts").await;
    assert!(page.url.ends_with("/") && page.text.contains("Welcome"), "{page:?}");

    let page = log_in(&mut alice, "google", 41).await;
    assert!(page.url.ends_with("/accounts") && page.text.contains("Google: 41"), "{page:?}");
    let page = unlink(&mut alice, "google", "41").await;
    assert_eq!(page.status, StatusCode::CONFLICT, "the last way in: {page:?}");
    for (service, account, line) in [
        ("twitter", 7, "Twitter: 7"),
        ("facebook", 7, "Facebook: 7"),
        ("heroku", 7, "Heroku: 01234567-89ab-7"),
    ] {
        let page = log_in(&mut alice, service, account).await;
        assert!(page.text.contains(line) && page.text.contains("Google: 41"), "{page:?}");
        // The stored token is good for calls.
        let page = alice.open(&format!("/accounts/{service}")).await;
        assert!(page.text.contains("<h1>Ada Lovelace 7</h1>"), "{page:?}");
    }

    // Either account is the same user, in another browser.
    let mut elsewhere = Browser::of(&program);
    let page = log_in(&mut elsewhere, "facebook", 7).await;
    assert!(page.text.contains("Google: 41"), "{page:?}");

    // Another user's account is refused, and stays where it is.
    let mut bob = Browser::of(&program);
    log_in(&mut bob, "google", 42).await;
    let page = log_in(&mut bob, "facebook", 7).await;
    assert!(page.text.contains("account_of_another_user"), "{page:?}");
    unlink(&mut bob, "facebook", "7").await;
    assert!(alice.open("/accounts").await.text.contains("Facebook: 7"));

    // A form of another site unlinks nothing.
    let page = alice.submit_from_elsewhere("/unlink", "service=facebook&subject=7").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
    assert!(alice.open("/accounts").await.text.contains("Facebook: 7"));

    // What was unlinked is free for Bob, and its token is gone with it.
    let page = unlink(&mut alice, "facebook", "7").await;
    assert!(page.url.ends_with("/accounts") && !page.text.contains("Facebook: 7"), "{page:?}");
    let page = alice.open("/accounts/facebook").await;
    assert!(page.text.contains("Allow as"), "she is asked to link it again: {page:?}");
    let page = log_in(&mut bob, "facebook", 7).await;
    assert!(page.text.contains("Google: 42") && page.text.contains("Facebook: 7"), "{page:?}");

    // The user is in the database, not in the process.
    drop(program);
    let program = run().await;
    let mut alice = Browser::of(&program);
    let page = log_in(&mut alice, "heroku", 7).await;
    assert!(page.text.contains("Google: 41") && !page.text.contains("Facebook: 7"), "{page:?}");
    let page = alice.submit(&format!("{}/sign-out", program.url), "").await;
    assert!(page.url.ends_with("/") && page.text.contains("Welcome"), "{page:?}");
    let page = alice.open("/accounts").await;
    assert!(page.text.contains("Welcome"), "{page:?}");
}
