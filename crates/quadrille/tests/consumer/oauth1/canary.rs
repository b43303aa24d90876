//! No secret in logs, pages, cookies or debug output, whatever happens.

use http::StatusCode;
use quadrille::{
    consumer::MemoryStorage,
    transport::{NetworkError, Purpose},
};

use super::{Library, RSA_KEY, World, client, come_back, leave, log_in, pages};
use crate::{
    canary::logged,
    support::{Browser, Page, SECRET},
};

#[test]
fn no_secret_reaches_a_log_a_page_or_a_cookie() {
    let mut shown = String::new();
    let log = logged(everything_that_can_go_wrong(&mut shown));
    for word in ["client_refused", "access_denied", "an account was linked", "token_refused"] {
        assert!(log.contains(word), "the log says what happens: {word} is not in it:\n{log}");
    }
    for (what, text) in [("log", &log), ("pages and cookies", &shown)] {
        assert!(!text.contains("canary"), "a secret is in the {what}:\n{text}");
    }
}

async fn everything_that_can_go_wrong(shown: &mut String) {
    use quadrille::Service as _;

    assert!(SECRET.contains("canary"));
    let keyed = Library::client_with_key("our-key", format!("{RSA_KEY}canary"));
    shown.push_str(&format!("{:?} {keyed:?}", client()));
    for in_memory in [false, true] {
        let world = World::new();
        let login = world.login();
        let login = if in_memory { login.storage(MemoryStorage::new()) } else { login };
        shown.push_str(&format!("{login:?}"));
        let mut browser = Browser::new(login.attach(pages()));
        let mut see = |browser: &Browser, page: Page| {
            shown.push_str(&format!(
                "{:?} {} {}",
                page.headers,
                page.text,
                browser.cookie_header()
            ));
        };
        let page = log_in(&world, &mut browser, "/album", 7).await;
        see(&browser, page);
        for (status, body) in [
            (StatusCode::UNAUTHORIZED, "oauth_problem=signature_invalid&base=secret-canary"),
            (StatusCode::OK, "<html>token-secret-canary"),
            (StatusCode::OK, "oauth_token=x&oauth_token_secret=canary"),
            (StatusCode::BAD_REQUEST, "oauth_problem=token_used&debug=canary"),
            (StatusCode::SERVICE_UNAVAILABLE, "canary"),
        ] {
            world.service.answers_next(Purpose::TemporaryCredentials, status, body);
            let page = browser.go("/login/library").await;
            see(&browser, page);
            let url = leave(&mut browser, "/login/library").await;
            let query = world.service.consent(&url, 7).unwrap();
            world.service.answers_next(Purpose::RedeemCode, status, body);
            let page = come_back(&mut browser, &query).await;
            see(&browser, page);
        }
        for (purpose, error) in [
            (Purpose::RedeemCode, NetworkError::Connect),
            (Purpose::Identity, NetworkError::Interrupted),
        ] {
            let url = leave(&mut browser, "/login/library").await;
            let query = world.service.consent(&url, 7).unwrap();
            world.service.fails_next(purpose, error);
            let page = come_back(&mut browser, &query).await;
            see(&browser, page);
        }
        let url = leave(&mut browser, "/login/library").await;
        let query = world.service.deny(&url).unwrap();
        let page = come_back(&mut browser, &query).await;
        see(&browser, page);
        let page = come_back(&mut browser, "oauth_token=x&oauth_verifier=verifier-canary").await;
        see(&browser, page);
    }
}
