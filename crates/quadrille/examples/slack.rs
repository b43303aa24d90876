//! A login with Slack, and the user's workspace:
//! `cargo run --features testing --example slack`.
//!
//! With `SLACK_OAUTH_CLIENT_ID` and `SLACK_OAUTH_CLIENT_SECRET` set it is the real Slack. The
//! callback to register there is <http://localhost:3000/login/slack/authorized>.

mod shared;

use std::error::Error;

use axum::{Router, routing::get};
use quadrille::{KeyRing, Linked, Login, Result, Slack};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let slack = shared::client::<Slack>().await?;
    let login = Login::new(KeyRing::ephemeral(), url).with(slack);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

async fn home(slack: Linked<Slack>) -> Result<String> {
    let me = slack.profile().await?;
    let workspace = me.raw["https://slack.com/team_id"].as_str().unwrap_or("no workspace");
    let name = me.name.unwrap_or(me.subject);
    Ok(format!("You are {name} of {workspace} on Slack"))
}
