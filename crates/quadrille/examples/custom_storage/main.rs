//! A storage of one's own for the tokens of linked accounts, in `storage.rs`:
//! `APP_KEYS=$(openssl rand -base64 32) cargo run --features sqlite,testing --example
//! custom_storage`.
//!
//! `APP_KEYS` seals the tokens in the file `tokens.db`, or `TOKENS`: keep it. With
//! `GITHUB_OAUTH_CLIENT_ID` and `GITHUB_OAUTH_CLIENT_SECRET` set it is the real GitHub.

#[path = "../shared/mod.rs"]
mod shared;
mod storage;

use std::{env, error::Error, path::Path};

use axum::{Router, routing::get};
use quadrille::{GitHub, KeyRing, Linked, Login, Result};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let file = env::var("TOKENS").unwrap_or_else(|_| "tokens.db".to_owned());
    let login = Login::new(KeyRing::from_env("APP_KEYS")?, url)
        .with(shared::client::<GitHub>().await?)
        .storage(storage::Shared::open(Path::new(&file))?);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

async fn home(github: Linked<GitHub>) -> Result<String> {
    let me: serde_json::Value = github.get("user").await?;
    Ok(format!("You are {} on GitHub", me["login"]))
}
