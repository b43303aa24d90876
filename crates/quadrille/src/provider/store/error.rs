//! What goes wrong in a store.

/// Why a store could not do its work. All of these are the operator's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Others held it too long.
    #[error("the database is locked by others")]
    Busy,
    /// The disk or the database has no room.
    #[error("the database or its disk is full")]
    Full,
    /// It can be read but not written.
    #[error("the database is read-only")]
    ReadOnly,
    /// It was made by a later version of this program.
    #[error("the database has schema version {found}, this program knows up to {known}")]
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
    #[error("the database holds something unreadable: {0}")]
    Corrupt(&'static str),
    /// Anything else.
    #[error("the database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
