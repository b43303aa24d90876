//! A command-line program that logs its user in and calls an API:
//! `cargo run --features testing --example command_line`, or with `-- --device` for a code to type
//! in.
//!
//! With `GITHUB_OAUTH_CLIENT_ID` and `GITHUB_OAUTH_CLIENT_SECRET` set it is the real GitHub. The
//! callback to register there is <http://127.0.0.1/callback>; a code needs the device flow enabled.

#[path = "shared/client.rs"]
mod shared;

use std::error::Error;

use quadrille::{
    GitHub, KeyRing, Login,
    consumer::{Begin, Loopback, MemoryStorage},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A program that keeps its token has a `FileStorage`, and keys from `KeyRing::from_env`.
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(shared::client::<GitHub>().await?)
        .storage(MemoryStorage::new());
    let begin = Begin::new("github");
    let done = if std::env::args().any(|argument| argument == "--device") {
        let device = login.begin_device(&begin).await?;
        println!("Open {} and type {}.", device.verification_uri(), device.user_code());
        device.finish().await?
    } else {
        login.begin_loopback(&begin, Loopback::new()).await?.finish().await?
    };
    let github = login.linked::<GitHub>(&done.account).await?;
    let me: serde_json::Value = github.get("user").await?;
    println!("You are {} on GitHub.", me["login"]);
    Ok(())
}
