//! The connections.

use std::time::Duration;

use quadrille::provider::store::StoreError;
use quadrille_sqlx::store_error;
use sqlx::{
    Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use crate::config::PostgresUrl;

/// Lets a commit wait for the disk where the database, the role or the URL says otherwise.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'";

/// The time that a verb waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection that was used within this time is used again without a question whether it lives,
/// which would be a round trip more.
const LIVELY: Duration = Duration::from_secs(1);

/// Connects to the database of a URL, by at most `connections` connections at once. Unless the URL or
/// the environment decides, a server on another machine must prove its name (`verify-full`).
pub(in crate::data) async fn connect(
    url: &PostgresUrl,
    connections: u32,
) -> Result<PgPool, StoreError> {
    let options: PgConnectOptions = url.expose().parse().map_err(store_error)?;
    let is_decided = url.has("sslmode") || std::env::var_os("PGSSLMODE").is_some();
    let is_local = options.get_socket().is_some() || is_this_machine(options.get_host());
    let options = match is_decided || is_local {
        true => options,
        false => options.ssl_mode(PgSslMode::VerifyFull),
    };
    let options = options.application_name("quadrille");
    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
    let pool = pool.test_before_acquire(false).before_acquire(|connection, used| {
        Box::pin(async move {
            if used.idle_for > LIVELY {
                connection.ping().await?;
            }
            Ok(true)
        })
    });
    // Otherwise a crash of the database loses what was answered: revocations, too.
    let pool = pool.after_connect(|connection, _| {
        Box::pin(async move { sqlx::query(DURABLE).execute(connection).await.map(drop) })
    });
    pool.connect_with(options).await.map_err(store_error)
}

/// Whether a host is a socket in the file system or a loopback address.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    let is_loopback = |address: std::net::IpAddr| address.is_loopback();
    host.starts_with('/') || host == "localhost" || address.is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connections_within_this_machine_need_no_tls() {
        for host in ["/run/postgresql", "localhost", "127.0.0.1", "[::1]", "::1", "127.3.2.1"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["db.internal", "10.0.0.1", "localhost.example", "[2001:db8::1]", ""] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
