//! All hooks: a hint for the service, a line about each login and refresh, an error page of its
//! own. `cargo run --features testing --example hooks`, with GitHub or an emulator of it.

mod shared;

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Html,
    routing::get,
};
use quadrille::{
    After, Authorized, BeforeLogin, Failed, GitHub, Hooks, KeyRing, Linked, Login, Refreshed,
    Result,
};

/// The application's state: the number of logins.
type Visitors = Arc<AtomicU64>;

/// Before the redirect: adds a parameter, or responds itself.
async fn leaving(before: BeforeLogin, headers: HeaderMap) -> After {
    let german = headers.get("accept-language").is_some_and(|l| l.as_bytes().starts_with(b"de"));
    println!("somebody leaves for {}", before.service);
    let after = After::go_on().with_parameter("allow_signup", "false");
    if german { after.with_parameter("lang", "de") } else { after }
}

/// After the return: decides whether to store the account, and how to respond.
async fn arrived(new: Authorized, State(visitors): State<Visitors>) -> Result<After> {
    let me: serde_json::Value = new.get("user").await?;
    if me["suspended_at"].is_string() {
        return Ok(After::answer((StatusCode::FORBIDDEN, "Not today")).without_storing());
    }
    println!("visitor {} is {}", visitors.fetch_add(1, Ordering::Relaxed) + 1, me["login"]);
    Ok(After::go_on())
}

/// An error page with a stable code.
async fn failed(failed: Failed) -> After {
    let again = failed.retry_url.unwrap_or_else(|| "/".to_owned());
    let page =
        format!("<p>That did not work ({}). <a href=\"{again}\">Again?</a>", failed.error.code());
    After::answer((failed.error.status(), Html(page)))
}

/// A token was refreshed, by any request.
async fn refreshed(new: Refreshed) {
    println!("{} gave a new token, good until {:?}", new.service, new.stored.token.expires);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let visitors = Visitors::default();
    let (listener, url) = shared::listen().await?;
    let login = Login::new(KeyRing::ephemeral(), url)
        .with(shared::client::<GitHub>().await?.scopes("read:user"))
        .hooks(
            Hooks::new(visitors)
                .before_login(leaving)
                .on_authorized(arrived)
                .on_error(failed)
                .on_refreshed(refreshed),
        );
    let app = login.attach(Router::new().route("/", get(home)));
    Ok(axum::serve(listener, app).await?)
}

async fn home(github: Linked<GitHub>) -> String {
    format!("You are number {}", github.subject())
}
