//! A connection that was taken from the pool.

use std::{io, time::Duration};

use sqlx::{Database, pool::PoolConnection};
use sqlx_core::transaction::TransactionManager as _;

/// A connection of the pool, perhaps with a transaction. It goes back to the pool, unless a statement
/// has not ended: where the network drops packets, the pool would wait for its end.
#[derive(Debug)]
pub struct Held<D: Database> {
    connection: PoolConnection<D>,
    is_under_way: bool,
}

impl<D: Database> Held<D> {
    pub(super) fn new(connection: PoolConnection<D>) -> Self {
        Self { connection, is_under_way: false }
    }

    /// The connection, for statements that are not the store's.
    pub(super) fn connection(&mut self) -> &mut D::Connection {
        &mut self.connection
    }

    /// The result of a statement, which is given up after `limit`.
    pub(super) async fn run<'c, T, F>(
        &'c mut self,
        limit: Duration,
        statement: impl FnOnce(&'c mut D::Connection) -> F,
    ) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let Self { connection, is_under_way } = self;
        *is_under_way = true;
        let done = tokio::time::timeout(limit, statement(connection)).await;
        let done = done.map_err(|_| too_slow(limit))?;
        *is_under_way = false;
        done
    }

    /// Begins a transaction by this statement.
    pub(super) async fn begin(
        &mut self,
        statement: sqlx::SqlStr,
        limit: Duration,
    ) -> sqlx::Result<()> {
        let begin = |connection| D::TransactionManager::begin(connection, Some(statement));
        let begun = self.run(limit, begin).await;
        // The first of several statements may have begun one.
        self.is_under_way = begun.is_err();
        begun
    }

    pub(super) async fn commit(mut self, limit: Duration) -> sqlx::Result<()> {
        self.run(limit, |connection| D::TransactionManager::commit(connection)).await
    }
}

impl<D: Database> Drop for Held<D> {
    fn drop(&mut self) {
        if self.is_under_way {
            self.connection.close_on_drop();
        } else if D::TransactionManager::get_transaction_depth(&self.connection) > 0 {
            D::TransactionManager::start_rollback(&mut self.connection);
        }
    }
}

fn too_slow(limit: Duration) -> sqlx::Error {
    let seconds = limit.as_secs_f64();
    let reason = format!("the database has not answered a statement within {seconds} s");
    io::Error::new(io::ErrorKind::TimedOut, reason).into()
}
