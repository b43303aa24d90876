//! What the examples have in common: the address of the application, and the service to log in
//! with. An application of your own needs neither.

mod client;

use std::{env, error::Error};

use tokio::net::TcpListener;

pub(crate) use client::client;

/// A socket on port 3000, or on `PORT`, and the address of the application on it.
pub(crate) async fn listen() -> Result<(TcpListener, String), Box<dyn Error>> {
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    println!("Open {url}");
    Ok((listener, url))
}
