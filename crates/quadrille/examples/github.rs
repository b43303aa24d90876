//! The shortest login: `GITHUB_OAUTH_CLIENT_ID=... GITHUB_OAUTH_CLIENT_SECRET=... cargo run
//! --example github`. The callback to register is <http://localhost:3000/login/github/authorized>.

use axum::{Router, routing::get};
use quadrille::{GitHub, KeyRing, Linked, Login, Result};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000").with(GitHub::from_env()?);
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(TcpListener::bind("localhost:3000").await?, app).await?)
}

// A visitor without an account is redirected to a login, and back here.
async fn home(github: Linked<GitHub>) -> Result<String> {
    let me: serde_json::Value = github.get("user").await?;
    Ok(format!("You are {} on GitHub", me["login"]))
}
