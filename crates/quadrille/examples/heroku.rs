//! A login with Heroku:
//! `cargo run --features testing --example heroku`.
//!
//! With `HEROKU_OAUTH_CLIENT_ID` and `HEROKU_OAUTH_CLIENT_SECRET` set it is the real Heroku. The
//! callback to register there is <http://localhost:3000/login/heroku/authorized>.

mod shared;

use std::error::Error;

use axum::{Router, routing::get};
use quadrille::{Heroku, KeyRing, Linked, Login, Result};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let heroku = shared::client::<Heroku>().await?;
    let login = Login::new(KeyRing::ephemeral(), url).with(heroku);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

/// The version of the API that Heroku requires in each call is in its description.
async fn home(heroku: Linked<Heroku>) -> Result<String> {
    let me: serde_json::Value = heroku.get("account").await?;
    Ok(format!("You are {} on Heroku", me["email"]))
}
