//! No secret in logs, pages, cookies or debug output, whatever happens.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use http::StatusCode;
use quadrille::{
    consumer::MemoryStorage,
    transport::{NetworkError, Purpose},
};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Browser, Page, SECRET, World, pages};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is logged on the way through `work`.
pub(crate) fn logged(work: impl Future<Output = ()>) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    // With one subscriber alone, tracing asks that of whichever thread comes by an event first, and
    // the threads of other tests have none.
    let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work);
    });
    let log = log.0.lock().unwrap().clone();
    String::from_utf8(log).unwrap()
}

#[test]
fn no_secret_reaches_a_log_or_a_page() {
    let mut shown = String::new();
    let log = logged(everything_that_can_go_wrong(&mut shown));
    for word in
        ["a token was refreshed", "client_refused", "access_denied", "an account was linked"]
    {
        assert!(log.contains(word), "the log says what happens: {word} is not in it:\n{log}");
    }
    for (what, text) in [("log", &log), ("pages", &shown)] {
        assert!(!text.contains("canary"), "a secret is in the {what}:\n{text}");
    }
}

async fn everything_that_can_go_wrong(shown: &mut String) {
    assert!(SECRET.contains("canary"));
    for in_memory in [false, true] {
        let world = World::new();
        world.service.change(|its| its.expire(Duration::from_secs(60), true));
        let login = world.login();
        let login = if in_memory { login.storage(MemoryStorage::new()) } else { login };
        shown.push_str(&format!("{login:?}"));
        let mut browser = Browser::new(login.attach(pages()));
        // Without the address, which is that of the browser.
        let mut see = |page: Page| {
            shown.push_str(&format!("{} {:?} {}", page.status, page.headers, page.text));
        };

        see(browser.log_in(&world.service, "/album", 7).await);
        world.wait(Duration::from_secs(60));
        see(browser.visit("/album").await);
        for (purpose, status, body) in [
            (Purpose::Api, StatusCode::FORBIDDEN, "echo access-canary-1"),
            (Purpose::Api, StatusCode::OK, "<html>access-canary-1"),
            (Purpose::Refresh, StatusCode::OK, "<html>refresh-canary-1"),
            (
                Purpose::Refresh,
                StatusCode::BAD_REQUEST,
                "{\"error\":\"x\",\"error_description\":\"refresh-canary\"}",
            ),
            (Purpose::Refresh, StatusCode::UNAUTHORIZED, "{\"error\":\"invalid_client\"}"),
            (Purpose::Refresh, StatusCode::BAD_REQUEST, "{\"error\":\"invalid_grant\"}"),
        ] {
            world.service.answers_next(purpose, status, body);
            if purpose == Purpose::Refresh {
                world.wait(Duration::from_secs(61));
            }
            see(browser.visit("/album").await);
        }
        for attempt in 0..4 {
            let away = browser.go("/login/github?next=/album").await;
            let query = world.service.consent(away.location(), 7).unwrap();
            match attempt {
                0 => world.service.fails_next(Purpose::RedeemCode, NetworkError::Connect),
                1 => world.service.answers_next(
                    Purpose::RedeemCode,
                    StatusCode::BAD_REQUEST,
                    r#"{"error":"code-canary","error_description":"code-canary secret-canary"}"#,
                ),
                2 => world.service.answers_next(Purpose::Identity, StatusCode::OK, "canary"),
                _ => browser.cookies.clear(),
            }
            see(browser.visit(&format!("/login/github/authorized?{query}")).await);
        }
        let away = browser.go("/login/github").await;
        let query = world.service.deny(away.location()).unwrap();
        see(browser.visit(&format!("/login/github/authorized?{query}")).await);
        see(browser.visit("/login/github/authorized?code=code-canary&state=state-canary").await);
    }
}
