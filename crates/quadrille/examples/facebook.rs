//! A login with Facebook, which asks again for an address that the user kept back:
//! `cargo run --features testing --example facebook`.
//!
//! With `FACEBOOK_OAUTH_CLIENT_ID` and `FACEBOOK_OAUTH_CLIENT_SECRET` set it is the real Facebook. The
//! callback to register there is <http://localhost:3000/login/facebook/authorized>.

mod shared;

use std::error::Error;

use axum::{Router, routing::get};
use quadrille::{Facebook, KeyRing, Linked, Login, Result};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let facebook = shared::client::<Facebook>()
        .await?
        .scopes("public_profile email")
        .rerequest_declined_permissions();
    let login = Login::new(KeyRing::ephemeral(), url).with(facebook);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

/// Users may decline the address, so it can be missing.
async fn home(facebook: Linked<Facebook>) -> Result<String> {
    let me = facebook.profile().await?;
    let name = me.name.unwrap_or(me.subject);
    let email = me.email.unwrap_or_else(|| "no address".to_owned());
    Ok(format!("You are {name} on Facebook, with {email}"))
}
