//! A store of one's own: the verbs are in `store.rs`, its tables in `tables.rs`. The library's tests
//! run `store_contract!` on it, as those of your store do:
//! `cargo run --example own_store`.
//!
//! The tables are in memory, under one lock, so that nothing but the rules is to be read.

mod store;
mod tables;

use std::{error::Error, net::SocketAddr};

use axum::{Router, routing::get};
use quadrille::{
    Env, Scopes,
    guard::Access,
    provider::{AuthorizationServer, GrantType, NewClient},
    scopes,
};
use store::OwnStore;

scopes! {
    Photos = "photos:read", "See your photos";
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let store = OwnStore::new(Env::system());
    let server = AuthorizationServer::new(&issuer, store)?.scope::<Photos>();
    let printer = NewClient::confidential("Photo printer")
        .id("printer")
        .grant_types([GrantType::ClientCredentials])
        .scopes(Scopes::of(["photos:read"]));
    let secret = server.register(printer).await?.secret.ok_or("a secret")?;
    println!(
        "curl -u printer:{} -d grant_type=client_credentials {issuer}/oauth/token",
        secret.expose()
    );
    println!("curl -H 'Authorization: Bearer TOKEN' {issuer}/api/photos");
    let app = server.attach(Router::new().route("/api/photos", get(photos)));
    // With the addresses of clients, by which the server limits guesses.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn photos(access: Access<Photos>) -> String {
    format!("photos for {}", access.client())
}
