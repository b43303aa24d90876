//! A login with LinkedIn, and the user's picture:
//! `cargo run --features testing --example linkedin`.
//!
//! With `LINKEDIN_OAUTH_CLIENT_ID` and `LINKEDIN_OAUTH_CLIENT_SECRET` set it is the real LinkedIn. The
//! callback to register there is <http://localhost:3000/login/linkedin/authorized>.

mod shared;

use std::error::Error;

use axum::{Router, response::Html, routing::get};
use quadrille::{KeyRing, Linked, LinkedIn, Login, Result, page::escape};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let linkedin = shared::client::<LinkedIn>().await?;
    let login = Login::new(KeyRing::ephemeral(), url).with(linkedin);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

async fn home(linkedin: Linked<LinkedIn>) -> Result<Html<String>> {
    let me = linkedin.profile().await?;
    let (name, picture) = (me.name.unwrap_or(me.subject), me.picture.unwrap_or_default());
    let (name, picture) = (escape(&name), escape(&picture));
    Ok(Html(format!("You are {name} on LinkedIn <img alt=\"\" src=\"{picture}\">")))
}
