//! Transactions of the three kinds of pool.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    fault::is_duplicate,
    pool::{Pool, Value, bound},
};

/// A statement of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    sql: &'a Arc<str>,
    values: &'a [Value<'a>],
    must: bool,
}

impl<'a> Step<'a> {
    /// A statement that must change a row.
    pub(crate) fn must(sql: &'a Arc<str>, values: &'a [Value<'a>]) -> Self {
        Self { sql, values, must: true }
    }

    /// A statement that may change none.
    pub(crate) fn may(sql: &'a Arc<str>, values: &'a [Value<'a>]) -> Self {
        Self { sql, values, must: false }
    }
}

/// The columns of an account of a user: service, subject, user.
pub(crate) type ExternalIdRow = (Vec<u8>, Vec<u8>, i64);

/// A pool that [`SqlUsers`](crate::SqlUsers) works on. A connection is taken for one transaction.
pub trait TransactionPool: Pool {
    /// Runs all steps in a transaction. If one must change a row and changes none, or inserts a key
    /// that is there, nothing is changed; returns the place of that step.
    fn all_or_none(
        &self,
        steps: &[Step<'_>],
    ) -> impl Future<Output = sqlx::Result<Option<usize>>> + Send;

    /// The accounts that a query finds.
    fn external_ids(
        &self,
        sql: &Arc<str>,
        values: &[Value<'_>],
    ) -> impl Future<Output = sqlx::Result<Vec<ExternalIdRow>>> + Send;
}

/// Implements [`TransactionPool`] for a pool of sqlx. The code is the same for each; its types are
/// not.
macro_rules! transactions {
    ($pool:ident, |$begun:ident| $begin:expr) => {
        impl TransactionPool for sqlx::$pool {
            async fn all_or_none(&self, steps: &[Step<'_>]) -> sqlx::Result<Option<usize>> {
                let $begun = self;
                let mut tx = $begin;
                for (place, step) in steps.iter().enumerate() {
                    let query = sqlx::query(AssertSqlSafe(Arc::clone(step.sql)));
                    let changed = match bound!(query, step.values).execute(&mut *tx).await {
                        Ok(done) => done.rows_affected() > 0,
                        Err(error) if is_duplicate(&error) => false,
                        Err(error) => return Err(error),
                    };
                    if step.must && !changed {
                        tx.rollback().await?;
                        return Ok(Some(place));
                    }
                }
                tx.commit().await?;
                Ok(None)
            }

            async fn external_ids(
                &self,
                sql: &Arc<str>,
                values: &[Value<'_>],
            ) -> sqlx::Result<Vec<ExternalIdRow>> {
                let query = bound!(sqlx::query(AssertSqlSafe(Arc::clone(sql))), values);
                let rows = query.fetch_all(self).await?;
                let row =
                    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)));
                row.collect()
            }
        }
    };
}

// A transaction that may wait for the lock after it has read fails at once instead.
#[cfg(feature = "sqlite")]
transactions!(SqlitePool, |pool| pool.begin_with("BEGIN IMMEDIATE").await?);

#[cfg(feature = "postgres")]
transactions!(PgPool, |pool| pool.begin().await?);

#[cfg(feature = "mysql")]
transactions!(MySqlPool, |pool| pool.begin().await?);
