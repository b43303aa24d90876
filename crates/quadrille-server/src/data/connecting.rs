//! Connections to databases on servers, of either kind.

use std::time::Duration;

use quadrille::provider::store::StoreError;
use quadrille_sqlx::store_error;
use sqlx::{Connection as _, Database, pool::PoolOptions};

/// The time that a verb waits for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A connection that was used within this time is used again without a question whether it lives,
/// which would be a round trip more.
const LIVELY: Duration = Duration::from_secs(1);

/// A pool whose connections prove that they live if they were idle for a while.
pub(super) fn lively<D: Database>(pool: PoolOptions<D>) -> PoolOptions<D> {
    pool.test_before_acquire(false).before_acquire(|connection, used| {
        Box::pin(async move {
            if used.idle_for > LIVELY {
                connection.ping().await?;
            }
            Ok(true)
        })
    })
}

/// The answer of a server to a new connection.
pub(super) async fn in_time<T>(
    connecting: impl Future<Output = sqlx::Result<T>>,
) -> Result<T, StoreError> {
    let answered = tokio::time::timeout(PATIENCE, connecting).await;
    let answered = answered.map_err(|_| {
        StoreError::unavailable(format!("no answer within {} seconds", PATIENCE.as_secs()))
    })?;
    answered.map_err(store_error)
}

/// Whether a host is a socket in the file system or a loopback address.
pub(super) fn is_this_machine(host: &str) -> bool {
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
