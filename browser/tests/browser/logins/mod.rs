//! Logins with an emulated service, which is a server on this machine.

mod accounts;
mod storages;
mod window;

use axum::{Router, response::Html, routing::get};
use quadrille::{GitHub, KeyRing, Linked, Login, testing::FakeService};
use serde_json::json;

use crate::support::{Browser, Site, heading, press};

/// An emulator of GitHub on which Ada has an account.
pub(crate) struct Emulator {
    fake: FakeService,
    url: String,
}

impl Emulator {
    async fn start() -> Self {
        let fake = FakeService::of::<GitHub>("our-id", "our-secret");
        let fake = fake.user(json!({ "id": 41, "login": "ada", "name": "Ada Lovelace" }));
        let url = fake.listen(0).await.unwrap();
        Self { fake, url }
    }

    /// The logins of a site on this port, at the emulator.
    fn login(&self, port: u16) -> Login {
        let github = GitHub::new("our-id", "our-secret").hosted_at(self.url.clone());
        // Storages that outlive the process refuse keys that do not.
        let keys = KeyRing::new([&[7; 32]]).unwrap();
        Login::new(keys, format!("http://localhost:{port}")).with(github)
    }
}

/// A site whose only page is for those who are logged in with GitHub.
async fn album(login: impl AsyncFnOnce(u16) -> Login) -> Site {
    Site::start(async |port| {
        let login = login(port).await;
        login.check().unwrap();
        login.attach(Router::new().route("/", get(home)))
    })
    .await
}

async fn home(github: Linked<GitHub>) -> quadrille::Result<Html<String>> {
    let me = github.profile().await?;
    let name = me.name.unwrap_or_default();
    Ok(Html(format!(
        "<!doctype html><title>Album</title><h1>The album of {name}</h1>\
         <form method=post action=/login/github/logout><button>Log out</button></form>"
    )))
}

/// Approves the request on the emulator's page.
async fn allow(browser: &Browser) {
    heading(browser, "Log in with GitHub").await;
    press(browser, "Allow as ada").await;
}
