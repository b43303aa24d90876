//! What goes wrong in a store.

use std::{error::Error, io, sync::Arc};

/// Why a store could not do its work. All of these are the operator's to mend, and say how.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Others held it too long.
    #[error(
        "the database is locked by another program; end it, or wait until its backup or migration is done"
    )]
    Busy,
    /// The disk or the database has no room.
    #[error("the database or its disk is full; make room, nothing needs to be restarted")]
    Full,
    /// It can be read but not written.
    #[error("the database is read-only; make the file and its folder writable for this user")]
    ReadOnly,
    /// It cannot be opened, or made.
    #[error("the database file cannot be opened or made ({0}); check that its folder exists")]
    Unopenable(#[source] Arc<io::Error>),
    /// It was made by a later version of this program.
    #[error(
        "the database has schema version {found}, this program knows up to {known}; run the version that made it"
    )]
    Newer {
        /// The version of the database.
        found: i64,
        /// The latest that this program knows.
        known: i64,
    },
    /// It is being shut down.
    #[error("the store is closed")]
    Closed,
    /// What it holds makes no sense.
    #[error("the database holds something unreadable: {0}; restore it from a backup")]
    Corrupt(&'static str),
    /// Anything else.
    #[error("the database failed: {0}")]
    Failed(#[source] Arc<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same may work later, without a restart: when a lock, a full disk or a file that
    /// cannot be written has been seen to, or by another process.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::ReadOnly | Self::Closed)
    }
}
