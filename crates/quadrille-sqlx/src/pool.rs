//! The three kinds of pool, behind one trait.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    plan::{Direction, Plan},
    statements::Dialect,
};

/// A value of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A key or a sealed token.
    Bytes(&'a [u8]),
    /// A version, an order, a holder, a time or a limit.
    Number(i64),
    /// Whether an account needs linking again.
    Flag(bool),
}

/// The row of an account whose owner and service are known, its token sealed.
#[derive(Debug)]
pub struct Found {
    pub(crate) subject: Vec<u8>,
    pub(crate) token: Vec<u8>,
    pub(crate) version: i64,
    pub(crate) needs_linking_again: bool,
}

/// A row of a page of accounts.
#[derive(Debug)]
pub struct Listed {
    pub(crate) owner: Vec<u8>,
    pub(crate) service: Vec<u8>,
    pub(crate) found: Found,
}

/// A pool of sqlx that [`SqlStorage`](crate::SqlStorage) works on. A connection is taken for one
/// statement.
pub trait Pool: Clone + Send + Sync + 'static {
    /// The SQL that its database understands.
    const DIALECT: Dialect;

    /// Runs a statement; returns the number of rows that it inserted, found to update, or deleted.
    fn execute(
        &self,
        sql: &Arc<str>,
        values: &[Value<'_>],
    ) -> impl Future<Output = sqlx::Result<u64>> + Send;

    /// The account that a query finds, which has one at most.
    fn account(
        &self,
        sql: &Arc<str>,
        values: &[Value<'_>],
    ) -> impl Future<Output = sqlx::Result<Option<Found>>> + Send;

    /// The accounts that a query finds.
    fn accounts(
        &self,
        sql: &Arc<str>,
        values: &[Value<'_>],
    ) -> impl Future<Output = sqlx::Result<Vec<Listed>>> + Send;

    /// The number that a query finds.
    fn number(
        &self,
        sql: &Arc<str>,
        values: &[Value<'_>],
    ) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// The number that a query without values finds, which leaves no prepared statement behind.
    fn version(&self, sql: &Arc<str>) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// Runs the missing migrations, or the last one back, of which other processes may run the same;
    /// returns the version of the tables before.
    fn migrate(
        &self,
        plan: &Plan,
        direction: Direction,
    ) -> impl Future<Output = sqlx::Result<i64>> + Send;
}

/// Implements [`Pool`] for a pool of sqlx. The code is the same for each; its types are not.
macro_rules! pool {
    ($pool:ident, $row:path, $dialect:expr, |$begun:ident| $begin:expr) => {
        impl TryFrom<&$row> for Found {
            type Error = sqlx::Error;

            fn try_from(row: &$row) -> sqlx::Result<Self> {
                Ok(Self {
                    subject: row.try_get(0)?,
                    token: row.try_get(1)?,
                    version: row.try_get(2)?,
                    needs_linking_again: row.try_get::<i16, _>(3)? != 0,
                })
            }
        }

        impl TryFrom<&$row> for Listed {
            type Error = sqlx::Error;

            fn try_from(row: &$row) -> sqlx::Result<Self> {
                let found = Found::try_from(row)?;
                Ok(Self { owner: row.try_get(4)?, service: row.try_get(5)?, found })
            }
        }

        impl Pool for sqlx::$pool {
            const DIALECT: Dialect = $dialect;

            async fn execute(&self, sql: &Arc<str>, values: &[Value<'_>]) -> sqlx::Result<u64> {
                let query = bound!(sqlx::query(AssertSqlSafe(Arc::clone(sql))), values);
                Ok(query.execute(self).await?.rows_affected())
            }

            async fn account(
                &self,
                sql: &Arc<str>,
                values: &[Value<'_>],
            ) -> sqlx::Result<Option<Found>> {
                let query = || bound!(sqlx::query(AssertSqlSafe(Arc::clone(sql))), values);
                // A connection of SQLite is a thread of this process. To ask it whether it still
                // runs, as the pool does first, costs as much as the query.
                let idle = (Self::DIALECT == Dialect::Sqlite).then(|| self.try_acquire()).flatten();
                let found = match idle {
                    Some(mut idle) => match query().fetch_optional(&mut *idle).await {
                        // The thread has ended; the pool has others.
                        Err(sqlx::Error::WorkerCrashed) => None,
                        found => Some(found),
                    },
                    None => None,
                };
                let found = match found {
                    Some(found) => found,
                    None => query().fetch_optional(self).await,
                };
                found?.as_ref().map(Found::try_from).transpose()
            }

            async fn accounts(
                &self,
                sql: &Arc<str>,
                values: &[Value<'_>],
            ) -> sqlx::Result<Vec<Listed>> {
                let query = bound!(sqlx::query(AssertSqlSafe(Arc::clone(sql))), values);
                query.fetch_all(self).await?.iter().map(Listed::try_from).collect()
            }

            async fn number(&self, sql: &Arc<str>, values: &[Value<'_>]) -> sqlx::Result<i64> {
                let query = bound!(sqlx::query(AssertSqlSafe(Arc::clone(sql))), values);
                query.fetch_one(self).await?.try_get(0)
            }

            async fn version(&self, sql: &Arc<str>) -> sqlx::Result<i64> {
                sqlx::raw_sql(AssertSqlSafe(Arc::clone(sql))).fetch_one(self).await?.try_get(0)
            }

            async fn migrate(&self, plan: &Plan, direction: Direction) -> sqlx::Result<i64> {
                let $begun = self;
                let mut tx = $begin;
                sqlx::raw_sql(AssertSqlSafe(plan.history.clone())).execute(&mut *tx).await?;
                let version = sqlx::raw_sql(AssertSqlSafe(Arc::clone(&plan.version)));
                let before: i64 = version.fetch_one(&mut *tx).await?.try_get(0)?;
                for (number, sql) in plan.steps(before, direction) {
                    let direction = direction.as_str();
                    tracing::info!(migration = number, direction, "the tables are changed");
                    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
                }
                tx.commit().await?;
                Ok(before)
            }
        }
    };
}

macro_rules! bound {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match *value {
                Value::Bytes(bytes) => query.bind(bytes.to_vec()),
                Value::Number(number) => query.bind(number),
                Value::Flag(flag) => query.bind(i16::from(flag)),
            };
        }
        query
    }};
}
pub(crate) use bound;

// A transaction that begins by reading cannot be sure to write, so this one takes the lock first.
#[cfg(feature = "sqlite")]
pool!(SqlitePool, sqlx::sqlite::SqliteRow, Dialect::Sqlite, |pool| pool
    .begin_with("BEGIN IMMEDIATE")
    .await?);

// The lock ends with the transaction. `IF NOT EXISTS` alone fails when two create one table at
// once.
#[cfg(feature = "postgres")]
pool!(PgPool, sqlx::postgres::PgRow, Dialect::Postgres, |pool| {
    let mut tx = pool.begin().await?;
    let lock = "SELECT pg_advisory_xact_lock(8101993740912661857)";
    sqlx::raw_sql(lock).execute(&mut *tx).await?;
    tx
});

// MySQL commits before and after every change of a table, so the migrations may be run again.
#[cfg(feature = "mysql")]
pool!(MySqlPool, sqlx::mysql::MySqlRow, Dialect::MySql, |pool| pool.begin().await?);
