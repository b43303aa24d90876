//! A login with Fitbit, whose tokens end after eight hours and are refreshed:
//! `cargo run --features testing --example fitbit`.
//!
//! With `FITBIT_OAUTH_CLIENT_ID` and `FITBIT_OAUTH_CLIENT_SECRET` set it is the real Fitbit. The
//! callback to register there is <http://localhost:3000/login/fitbit/authorized>.

mod shared;

use std::error::Error;

use axum::{Router, routing::get};
use quadrille::{Fitbit, KeyRing, Linked, Login, Result};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let fitbit = shared::client::<Fitbit>().await?.scopes("profile activity");
    let login = Login::new(KeyRing::ephemeral(), url).with(fitbit);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

async fn home(fitbit: Linked<Fitbit>) -> Result<String> {
    let me = fitbit.profile().await?;
    Ok(format!("You are {} on Fitbit", me.user_name.unwrap_or(me.subject)))
}
