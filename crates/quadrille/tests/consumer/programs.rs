//! The examples that log in with a service, run as a user runs them, against emulators.

use crate::running::{Browser, Program};

#[tokio::test]
async fn each_example_logs_in_with_its_service() {
    for (example, expected) in [
        ("github", "You are \"ada\" on GitHub"),
        ("google", "You are ada@example.com on Google"),
        ("facebook", "You are Ada Lovelace on Facebook, with ada@example.com"),
        ("slack", "You are Ada Lovelace of T0RR on Slack"),
        ("twitter", "You are @ada on Twitter"),
        ("linkedin", "You are Ada Lovelace on LinkedIn"),
        ("heroku", "You are \"ada@example.com\" on Heroku"),
        ("fitbit", "You are ada L. on Fitbit"),
    ] {
        let program = Program::run("quadrille", example, 1).await;
        let mut browser = Browser::of(&program);
        let page = browser.open("/").await;
        let service = program.services.values().next().unwrap();
        assert!(page.url.starts_with(service), "{example}: {page:?}");
        assert!(page.text.contains("Allow as"), "{example}: {page:?}");

        let denied = browser.submit(&page.url, "deny=1").await;
        assert!(denied.text.contains("<code>access_denied</code>"), "{example}: {denied:?}");

        let page = browser.open("/").await;
        let page = browser.submit(&page.url, "allow=1").await;
        assert_eq!(page.url, format!("{}/", program.url), "{example}: {page:?}");
        assert!(page.text.contains(expected), "{example}: {page:?}");
        let again = browser.open("/").await;
        assert!(again.url.starts_with(&program.url), "{example}: {again:?}");
        assert!(again.text.contains(expected), "{example}: {again:?}");
    }
}
