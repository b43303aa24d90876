//! SQLite's errors as errors of the store.

use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::provider::store::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::ReadOnly => Self::ReadOnly,
                ErrorCode::DatabaseCorrupt => Self::Corrupt("its pages are damaged"),
                ErrorCode::NotADatabase => Self::Corrupt("it is not a database"),
                _ => Self::Failed(Arc::new(error)),
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Corrupt("a column's type"),
            _ => Self::Failed(Arc::new(error)),
        }
    }
}
