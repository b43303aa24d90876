//! Services of OAuth 1.0a, as an application's users see them.

mod answers;
mod attempts;
mod calls;
mod canary;
mod login;
mod out_of_band;
mod presets;
mod signing;

use std::time::Duration;

use axum::{Router, routing::get};
use quadrille::{
    KeyRing, Linked, Login, Result, Service, Spec,
    consumer::Client,
    oauth1::RsaVerifyingKey,
    testing::{FakeService, ManualClock},
};

use crate::support::{Browser, Page, SECRET, SITE};

pub(crate) const RSA_KEY: &str = include_str!("rsa.pem");
pub(crate) const RSA_PKCS1: &str = include_str!("rsa-pkcs1.pem");

/// A service of OAuth 1 with nothing peculiar about it.
pub(crate) struct Library;

impl Service for Library {
    const SPEC: Spec = Spec::oauth1(
        "library",
        "https://library.example/oauth/request_token",
        "https://library.example/oauth/authorize",
        "https://library.example/oauth/access_token",
        "https://library.example/api",
    )
    .title("The Library")
    .identity("me", "id")
    .build();
}

/// An application with the library, the service behind it, and the clock of both.
pub(crate) struct World {
    pub(crate) service: FakeService,
    pub(crate) clock: ManualClock,
}

impl World {
    pub(crate) fn new() -> Self {
        let service = FakeService::oauth1("our-key", SECRET);
        service.knows_key(RsaVerifyingKey::from_pem(include_str!("rsa-public.pem")).unwrap());
        Self { service, clock: ManualClock::new() }
    }

    pub(crate) fn login(&self) -> Login {
        self.login_as(client())
    }

    pub(crate) fn login_as(&self, client: Client<Library>) -> Login {
        self.login_with(KeyRing::ephemeral(), client)
    }

    pub(crate) fn login_with(&self, keys: KeyRing, client: Client<Library>) -> Login {
        Login::new(keys, SITE).with(client).http(self.service.clone()).env(self.clock.env())
    }

    pub(crate) fn wait(&self, duration: Duration) {
        self.clock.advance(duration);
    }
}

pub(crate) fn client() -> Client<Library> {
    Library::client("our-key", SECRET)
}

pub(crate) fn pages() -> Router {
    Router::new().route("/", get(home)).route("/album", get(home)).route("/maybe", get(maybe))
}

async fn home(library: Linked<Library>) -> Result<String> {
    let me: serde_json::Value = library.get("me").await?;
    Ok(format!("You are {}", me["login"].as_str().unwrap_or("?")))
}

async fn maybe(library: Option<Linked<Library>>) -> String {
    library.map_or("nobody".to_owned(), |library| format!("number {}", library.subject()))
}

/// From a page that wants a login to the service: the URL there.
pub(crate) async fn leave(browser: &mut Browser, path: &str) -> String {
    browser.go(path).await.location().to_owned()
}

/// The service's answer, as the browser brings it.
pub(crate) async fn come_back(browser: &mut Browser, query: &str) -> Page {
    browser.visit(&format!("/login/library/authorized?{query}")).await
}

/// A whole login as `user`, beginning at `path`.
pub(crate) async fn log_in(world: &World, browser: &mut Browser, path: &str, user: u64) -> Page {
    let url = leave(browser, path).await;
    let query = world.service.consent(&url, user).expect("a right request");
    browser.go(&format!("/login/library/authorized?{query}")).await
}
