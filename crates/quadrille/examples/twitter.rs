//! A login with Twitter by OAuth 1.0a, which reads like any other:
//! `cargo run --features testing --example twitter`.
//!
//! With `TWITTER_OAUTH_CLIENT_KEY` and `TWITTER_OAUTH_CLIENT_SECRET` set it is the real Twitter. The
//! callback to register there is <http://localhost:3000/login/twitter/authorized>.

mod shared;

use std::error::Error;

use axum::{Router, routing::get};
use quadrille::{KeyRing, Linked, Login, Result, Twitter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let twitter = shared::client::<Twitter>().await?;
    let login = Login::new(KeyRing::ephemeral(), url).with(twitter);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

/// Each call is signed.
async fn home(twitter: Linked<Twitter>) -> Result<String> {
    let me: serde_json::Value = twitter.get("account/verify_credentials.json").await?;
    Ok(format!("You are @{} on Twitter", me["screen_name"].as_str().unwrap_or("?")))
}
