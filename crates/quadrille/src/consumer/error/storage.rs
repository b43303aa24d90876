//! The reasons why a storage of tokens fails.

/// The reason why a storage of tokens fails. Storages log the details themselves.
///
/// ```
/// use quadrille::{Error, consumer::StorageError};
///
/// for error in [StorageError::Unavailable, StorageError::Unwritable].map(Error::from) {
///     assert_eq!(error.status(), 503);
///     assert!(error.is_transient());
/// }
/// assert_eq!(Error::from(StorageError::Unreadable).status(), 500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The storage does not respond in time.
    #[error("the storage of tokens is unavailable")]
    Unavailable,
    /// A stored value cannot be read.
    #[error("a value in the storage of tokens is unreadable")]
    Unreadable,
    /// The storage is full or read-only.
    #[error("the storage of tokens cannot be written")]
    Unwritable,
    /// The storage has no tables, or others than this version of it.
    #[error("the tables of the storage of tokens are missing: run its migrations")]
    NotMigrated,
    /// The storage has a format that only a newer version of it can read.
    #[error("the storage of tokens has been written by a newer version")]
    Newer,
    /// An owner, a service's name or a subject has more bytes than the storage's keys.
    #[error("an owner, service or subject is too long for the storage of tokens")]
    KeyTooLong,
}
