//! A login with GitHub, and a call of its API:
//! `cargo run --features testing --example github`.
//!
//! With `GITHUB_OAUTH_CLIENT_ID` and `GITHUB_OAUTH_CLIENT_SECRET` set it is the real GitHub. The
//! callback to register there is <http://localhost:3000/login/github/authorized>.

mod shared;

use std::error::Error;

use axum::{Router, routing::get};
use quadrille::{GitHub, KeyRing, Linked, Login, Result};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let github = shared::client::<GitHub>().await?;
    let login = Login::new(KeyRing::ephemeral(), url).with(github);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

/// A visitor without an account is redirected to a login, and back here.
async fn home(github: Linked<GitHub>) -> Result<String> {
    let me: serde_json::Value = github.get("user").await?;
    Ok(format!("You are {} on GitHub", me["login"]))
}
