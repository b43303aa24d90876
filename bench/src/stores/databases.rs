//! A provider on a database that processes share.

use axum::Router;
use quadrille::{Env, KeyRing, provider::AuthorizationServer};
use quadrille_sqlx::{MySqlStore, PgStore};
use sqlx::{mysql::MySqlPoolOptions, postgres::PgPoolOptions};

use crate::{Result, provider::application};

/// The key ring of processes that share a database.
const SHARED_KEY: [u8; 32] = [7; 32];
/// The number of connections to a database, as in the program.
const CONNECTIONS: u32 = 16;

/// A provider that stores its data in PostgreSQL.
pub(crate) async fn on_postgres(origin: &str, url: &str) -> Result<Router> {
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
    let store = PgStore::open(pool, Env::system()).await?;
    store.listen();
    shared(AuthorizationServer::new(&issuer(origin), store)?).await
}

/// A provider that stores its data in MariaDB.
pub(crate) async fn on_mariadb(origin: &str, url: &str) -> Result<Router> {
    let pool = MySqlPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
    let store = MySqlStore::open(pool, Env::system()).await?;
    shared(AuthorizationServer::new(&issuer(origin), store)?).await
}

async fn shared(server: AuthorizationServer) -> Result<Router> {
    application(server.keys(KeyRing::new([&SHARED_KEY])?)).await
}

/// The issuer of several processes, which the first one has at its own origin.
fn issuer(origin: &str) -> String {
    std::env::var("ISSUER").unwrap_or_else(|_| origin.to_owned())
}
