//! An application behind a proxy that ends TLS, as in production:
//! `cargo run --features testing --example behind_tls`.
//!
//! The browser sees `https`, and the application listens on this machine by plain HTTP. All that
//! the application must know is its public URL: callbacks and the `Secure` attribute of cookies
//! follow from that, and no `Forwarded` or `X-Forwarded-Proto` header is read, which a client could
//! forge where a proxy passes it on.
//!
//! The browser warns of the certificate, which no authority has signed.

mod proxy;
#[allow(dead_code, reason = "the address of the application is another one here")]
#[path = "../shared/mod.rs"]
mod shared;

use std::{env, error::Error};

use axum::{Router, routing::get};
use quadrille::{GitHub, KeyRing, Linked, Login, Result};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT").map_or(Ok(3443), |port| port.parse())?;
    let public = TcpListener::bind(("127.0.0.1", port)).await?;
    // In production, a name of yours.
    let public_url = format!("https://localhost:{}", public.local_addr()?.port());
    let github = shared::client::<GitHub>().await?;

    let login = Login::new(KeyRing::ephemeral(), &public_url).with(github);
    login.check()?;
    let app = login.attach(Router::new().route("/", get(home)));
    // Only the proxy on this machine reaches the application.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tokio::spawn(proxy::run(public, listener.local_addr()?, proxy::tls()?));
    println!("Open {public_url}");
    Ok(axum::serve(listener, app).await?)
}

async fn home(github: Linked<GitHub>) -> Result<String> {
    let me: serde_json::Value = github.get("user").await?;
    Ok(format!("You are {} on GitHub", me["login"]))
}
