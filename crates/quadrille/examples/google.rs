//! A login with Google, for accounts with a verified address:
//! `cargo run --features testing --example google`.
//!
//! With `GOOGLE_OAUTH_CLIENT_ID` and `GOOGLE_OAUTH_CLIENT_SECRET` set it is the real Google. The
//! callback to register there is <http://localhost:3000/login/google/authorized>.

mod shared;

use std::error::Error;

use axum::{Router, routing::get};
use quadrille::{Google, KeyRing, Linked, Login, Result};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let google = shared::client::<Google>().await?.reprompt_select_account();
    let login = Login::new(KeyRing::ephemeral(), url).with(google);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

/// Google says whether it has verified the address. One that is not may be another person's.
async fn home(google: Linked<Google>) -> Result<String> {
    let me = google.profile().await?;
    Ok(match (me.email, me.email_verified) {
        (Some(email), Some(true)) => format!("You are {email} on Google"),
        _ => "Google has not verified your address".to_owned(),
    })
}
