//! A service of one's own, known at compile time, and a scope that one page requests: a Gitea at
//! <https://codeberg.org>. `cargo run --features testing --example custom_service`.
//!
//! With `CODEBERG_OAUTH_CLIENT_ID` and `CODEBERG_OAUTH_CLIENT_SECRET` set it is the real one.

mod shared;

use std::error::Error;

use axum::{Router, response::Html, routing::get};
use quadrille::{
    KeyRing, Linked, Login, Result, Service, Spec, scopes,
    testing::{Emulated, Manners},
};

struct Codeberg;

impl Service for Codeberg {
    const SPEC: Spec = Spec::oauth2(
        "codeberg",
        "https://codeberg.org/login/oauth/authorize",
        "https://codeberg.org/login/oauth/access_token",
        "https://codeberg.org/api/v1",
    )
    .title("Codeberg")
    .scopes("read:user")
    .identity("user", "id")
    .build();
}

/// The service answers as the specifications say. Tests of your own emulate it, too.
impl Emulated for Codeberg {
    const MANNERS: Manners = Manners::STANDARD;
}

scopes! {
    Issues = "read:issue", "See the issues assigned to you";
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let codeberg = shared::client::<Codeberg>().await?;
    let login = Login::new(KeyRing::ephemeral(), url).with(codeberg);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)).route("/issues", get(issues)));
    Ok(axum::serve(listener, app).await?)
}

/// For all visitors.
async fn home(account: Option<Linked<Codeberg>>) -> Html<&'static str> {
    Html(match account {
        Some(_) => r#"<a href="/issues">Your issues</a>"#,
        None => r#"<a href="/login/codeberg?next=/issues">Log in with Codeberg</a>"#,
    })
}

/// For users who granted access to their issues; others are asked first.
async fn issues(codeberg: Linked<Codeberg, Issues>) -> Result<String> {
    let issues: serde_json::Value = codeberg.get("repos/issues/search?assigned=true").await?;
    let titles =
        issues.as_array().into_iter().flatten().filter_map(|issue| issue["title"].as_str());
    Ok(titles.fold("Your issues:".to_owned(), |page, title| page + "\n" + title))
}
