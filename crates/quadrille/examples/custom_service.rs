//! A service of one's own, known at compile time, and a scope that one page requests: a Gitea at
//! <https://codeberg.org>, with `CODEBERG_OAUTH_CLIENT_ID` and `_SECRET` set.

use axum::{Router, response::Html, routing::get};
use quadrille::{KeyRing, Linked, Login, Result, Service, Spec, scopes};
use tokio::net::TcpListener;

struct Codeberg;

impl Service for Codeberg {
    const SPEC: Spec = Spec::oauth2(
        "codeberg",
        "https://codeberg.org/login/oauth/authorize",
        "https://codeberg.org/login/oauth/access_token",
        "https://codeberg.org/api/v1",
    )
    .title("Codeberg")
    .scopes("read:user")
    .identity("user", "id")
    .build();
}

scopes! {
    Issues = "read:issue", "See the issues assigned to you";
}

#[tokio::main]
async fn main() -> Result<()> {
    let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
        .with(Codeberg::client_from_env()?);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)).route("/issues", get(issues)));
    Ok(axum::serve(TcpListener::bind("localhost:3000").await?, app).await?)
}

/// For all visitors.
async fn home(account: Option<Linked<Codeberg>>) -> Html<&'static str> {
    Html(match account {
        Some(_) => r#"<a href="/issues">Your issues</a>"#,
        None => r#"<a href="/login/codeberg?next=/issues">Log in with Codeberg</a>"#,
    })
}

/// For users who granted access to their issues; others are asked first.
async fn issues(codeberg: Linked<Codeberg, Issues>) -> Result<String> {
    let issues: Vec<serde_json::Value> = codeberg.get("repos/issues/search?assigned=true").await?;
    Ok(issues.iter().filter_map(|issue| issue["title"].as_str()).collect::<Vec<_>>().join("\n"))
}
