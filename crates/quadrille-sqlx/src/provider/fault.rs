//! The errors of sqlx, as the reasons of a store.

use quadrille::provider::store::StoreError;

use crate::{
    MigrateError,
    fault::{Fault, again_after, fault},
    migrate::Unmigrated,
};

/// An error of sqlx as a fault of a store, for tables of the application's own beside the store's.
/// [`StoreError::Busy`] is a conflict with another transaction: nothing has changed.
///
/// ```
/// use quadrille_sqlx::store_error;
///
/// assert!(store_error(sqlx::Error::PoolTimedOut).is_transient());
/// ```
pub fn store_error(error: sqlx::Error) -> StoreError {
    reason(error)
}

/// An error of a database. [`StoreError::Busy`] is a conflict with another transaction: nothing has
/// changed, and the verb can be run again.
pub(super) fn reason(error: sqlx::Error) -> StoreError {
    match fault(&error) {
        Fault::Conflict => StoreError::Busy,
        Fault::Locked | Fault::Unavailable => StoreError::unavailable(error),
        Fault::Denied => StoreError::denied(error),
        Fault::Insecure => StoreError::insecure(error),
        Fault::Pooled => StoreError::failed(Pooled(error)),
        Fault::ReadOnly => StoreError::ReadOnly,
        Fault::Full => StoreError::Full,
        Fault::Unreadable => StoreError::Corrupt("a column's type"),
        Fault::NotMigrated | Fault::Failed => StoreError::failed(error),
    }
}

/// A prepared statement is not where it was prepared.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0}: a pooler such as PgBouncer in transaction mode stands before the database, and does not \
     know prepared statements; prepare none, or use PgBouncer 1.21 with max_prepared_statements"
)]
struct Pooled(#[source] sqlx::Error);

/// Runs a verb, again after a conflict with another transaction, a bounded number of times.
pub(super) async fn run<T, F>(attempt: impl FnMut() -> F + Send) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>> + Send,
{
    again_after(|error| matches!(error, StoreError::Busy), attempt).await
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Newer { found, known } => Self::Newer { found, known },
            MigrateError::Older { found, known } => Self::Older { found, known },
            MigrateError::First => Self::failed(error),
            MigrateError::Storage(error) => Self::unavailable(error),
        }
    }
}

impl From<Unmigrated> for StoreError {
    fn from(error: Unmigrated) -> Self {
        match error {
            Unmigrated::Tables(error) => error.into(),
            Unmigrated::Database(error) => reason(error),
        }
    }
}
