//! The examples that log in with a service, run as a user runs them, against emulators.

use http::StatusCode;
use quadrille::transport::Reqwest;

use crate::running::{Browser, Page, Program};

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

/// Allows a login as an account of an emulator, from the page that is shown for this path.
async fn log_in(browser: &mut Browser, path: &str, account: u64) -> Page {
    let page = browser.open(path).await;
    assert!(page.text.contains("Allow as"), "{page:?}");
    browser.submit(&page.url, &format!("allow={account}")).await
}

#[tokio::test]
async fn several_services_are_on_one_page() {
    let program = Program::run("quadrille", "several_services", 3).await;
    let mut browser = Browser::of(&program);
    let page = browser.open("/").await;
    assert!(!page.text.contains("You are"), "{page:?}");
    let page = log_in(&mut browser, "/login/gitlab?next=/", 7).await;
    assert!(page.text.contains("on GitLab") && !page.text.contains("on GitHub"), "{page:?}");

    // A page that needs two accounts asks for the missing one.
    let page = log_in(&mut browser, "/code", 7).await;
    assert!(page.url.ends_with("/code") && page.text.contains("ada"), "{page:?}");
    let page = browser.open("/").await;
    assert!(page.text.contains("on GitLab") && page.text.contains("on GitHub"), "{page:?}");

    let url = format!("{}/login/gitlab/logout?next=/", program.url);
    let page = browser.submit(&url, "").await;
    assert!(page.text.contains("on GitHub") && !page.text.contains("on GitLab"), "{page:?}");
}

#[tokio::test]
async fn behind_a_proxy_that_ends_tls_the_public_url_suffices() {
    let certificate = include_bytes!("../../examples/behind_tls/localhost.pem");
    let certificate = reqwest::Certificate::from_pem(certificate).unwrap();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = Reqwest::new(builder.tls_certs_merge([certificate])).unwrap();
    let program = Program::run("quadrille", "behind_tls", 1).await;
    assert!(program.url.starts_with("https://localhost:"), "{}", program.url);
    let mut browser = Browser::at(&program.url, http);
    let away = browser.open("/").await;
    let callback = format!("redirect_uri={}", program.url.replace(':', "%3A").replace('/', "%2F"));
    assert!(away.url.contains(&callback), "{away:?}");
    let page = browser.submit(&away.url, "allow=1").await;
    assert!(page.text.contains("You are \"ada\" on GitHub"), "{page:?}");
    assert!(page.url.starts_with(&program.url), "{page:?}");
    assert!(!browser.set_cookies.is_empty());
    for line in &browser.set_cookies {
        assert!(line.starts_with("__Host-") && line.contains("; Secure"), "{line}");
    }
}

#[tokio::test]
async fn a_service_of_ones_own_is_asked_for_a_scope_by_the_page_that_needs_it() {
    let program = Program::run("quadrille", "custom_service", 1).await;
    let mut browser = Browser::of(&program);
    let page = log_in(&mut browser, "/login/codeberg", 7).await;
    assert!(page.text.contains("href=\"/issues\""), "{page:?}");
    let asking = browser.open("/issues").await;
    assert!(asking.text.contains("<code>read:issue</code>"), "{asking:?}");
    let page = browser.submit(&asking.url, "allow=7").await;
    assert!(page.text.contains("Your issues:"), "{page:?}");
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_storage_of_ones_own_has_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.db").display().to_string();
    let keys = "b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28=";
    let environment = [("APP_KEYS", keys), ("TOKENS", &*file)];
    let program = Program::run_with("quadrille", "custom_storage", environment, 1).await;
    let page = log_in(&mut Browser::of(&program), "/", 7).await;
    assert!(page.text.contains("You are \"ada-7\" on GitHub"), "{page:?}");
    let sql = "SELECT count(*) FROM accounts WHERE service = 'github' AND subject = '7'";
    let db = rusqlite::Connection::open(&file).unwrap();
    assert_eq!(db.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap(), 1);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_table_of_ones_own_gets_a_row_at_the_first_login() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.db").display().to_string();
    let run = async || Program::run_with("quadrille", "own_users", [("PEOPLE", &*file)], 2).await;
    let program = run().await;
    let mut alice = Browser::of(&program);
    let page = log_in(&mut alice, "/login/github?next=/", 7).await;
    assert!(page.text.contains("Hello, ") && page.text.contains("Sign out"), "{page:?}");
    let page = log_in(&mut alice, "/login/google?next=/", 8).await;
    assert!(page.text.contains("Hello, "), "{page:?}");

    // Another user's account is refused.
    let mut bob = Browser::of(&program);
    log_in(&mut bob, "/login/github?next=/", 9).await;
    let page = log_in(&mut bob, "/login/google?next=/", 8).await;
    assert!(page.text.contains("account_of_another_user"), "{page:?}");

    let page = alice.submit(&format!("{}/sign-out", program.url), "").await;
    assert!(page.text.contains("<h1>Hello</h1>"), "{page:?}");
    drop(program);
    let program = run().await;
    let page = log_in(&mut Browser::of(&program), "/login/google?next=/", 8).await;
    assert!(page.text.contains("Hello, "), "{page:?}");
}

#[tokio::test]
async fn users_with_sessions_of_tower_sessions_own_their_accounts() {
    let program = Program::run("quadrille", "tower_sessions", 1).await;
    let (mut alice, mut bob) = (Browser::of(&program), Browser::of(&program));
    let page = log_in(&mut alice, "/login/github?next=/home", 7).await;
    assert_eq!(page.text, "user 1 is number 7 on GitHub");
    let page = log_in(&mut bob, "/login/github?next=/home", 8).await;
    assert_eq!(page.text, "user 2 is number 8 on GitHub");
    assert_eq!(alice.open("/home").await.text, "user 1 is number 7 on GitHub");
}

#[tokio::test]
async fn a_user_with_a_password_links_an_account_and_signs_in_with_it() {
    let program = Program::run("quadrille", "axum_login", 1).await;
    let sign_in = format!("{}/sign-in", program.url);
    let link = "/login/github?next=/";
    let mut ada = Browser::of(&program);
    let page = log_in(&mut ada, link, 41).await;
    assert!(page.text.contains("account_not_allowed"), "nobody has linked it: {page:?}");
    let page = ada.submit(&sign_in, "name=ada&password=wrong").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{page:?}");
    let page = ada.submit_from_elsewhere("/sign-in", "name=ada&password=correct+horse").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");

    let page = ada.submit(&sign_in, "name=ada&password=correct+horse").await;
    assert!(page.text.contains("Hello, ada"), "{page:?}");
    let page = log_in(&mut ada, link, 41).await;
    assert!(page.text.contains("Hello, ada"), "{page:?}");

    let mut elsewhere = Browser::of(&program);
    let page = log_in(&mut elsewhere, link, 41).await;
    assert!(page.text.contains("Hello, ada"), "{page:?}");
    let page = log_in(&mut Browser::of(&program), link, 42).await;
    assert!(page.text.contains("account_not_allowed"), "{page:?}");
}

#[tokio::test]
async fn the_example_of_hooks_logs_in() {
    let program = Program::run("quadrille", "hooks", 1).await;
    let page = log_in(&mut Browser::of(&program), "/", 7).await;
    assert_eq!(page.text, "You are number 7");
}
