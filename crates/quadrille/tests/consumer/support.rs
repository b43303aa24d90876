use std::time::Duration;

use axum::{Router, routing::get};
use quadrille::{
    GitHub, KeyRing, Linked, Login, Result,
    testing::{FakeService, ManualClock},
};

pub(crate) use quadrille::testing::{Browser, Page};

pub(crate) const SITE: &str = "https://app.example";
pub(crate) const SECRET: &str = "secret-canary";

/// An application with GitHub, the service behind it, and the clock of both.
pub(crate) struct World {
    pub(crate) service: FakeService,
    pub(crate) clock: ManualClock,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { service: FakeService::new("our-id", SECRET), clock: ManualClock::new() }
    }

    pub(crate) fn login(&self) -> Login {
        self.login_with(KeyRing::ephemeral())
    }

    pub(crate) fn login_with(&self, keys: KeyRing) -> Login {
        Login::new(keys, SITE)
            .with(GitHub::new("our-id", SECRET))
            .http(self.service.clone())
            .env(self.clock.env())
    }

    pub(crate) fn wait(&self, duration: Duration) {
        self.clock.advance(duration);
    }
}

/// Three rounds of a login to a page that links no account: the page at the end.
pub(crate) async fn go_in_circles(world: &World, browser: &mut Browser, path: &str) -> Page {
    for round in 1..=2 {
        let page = browser.log_in(&world.service, path, 7).await;
        assert!(page.location().starts_with("https://github.com/"), "round {round}: {page:?}");
    }
    browser.log_in(&world.service, path, 7).await
}

pub(crate) fn pages() -> Router {
    Router::new().route("/", get(home)).route("/album", get(home)).route("/maybe", get(maybe))
}

async fn home(github: Linked<GitHub>) -> Result<String> {
    let me: serde_json::Value = github.get("user").await?;
    Ok(format!("You are {}", me["login"].as_str().unwrap_or("?")))
}

async fn maybe(github: Option<Linked<GitHub>>) -> String {
    github.map_or("nobody".to_owned(), |github| format!("number {}", github.subject()))
}
