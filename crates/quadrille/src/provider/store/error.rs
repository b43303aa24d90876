//! Faults of a store.

use std::{error::Error, io, sync::Arc};

/// The reason why a store failed. All of them are the operator's to mend, and their texts say how.
///
/// ```
/// use quadrille::provider::store::StoreError;
///
/// assert!(StoreError::Full.is_transient());
/// assert!(!StoreError::Corrupt("a row without a grant").is_transient());
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another program holds the database for too long.
    #[error(
        "the database is locked by another program; end it, or wait for its backup or migration"
    )]
    Busy,
    /// The disk or the database has no room.
    #[error("the database or its disk is full; make room, nothing needs to be restarted")]
    Full,
    /// The database can be read but not written.
    #[error(
        "the database is read-only; make its file and folder writable for this user, or connect to \
         the server that may be written, which a standby may not"
    )]
    ReadOnly,
    /// The server refuses the user, the database or the statement.
    #[error(
        "the server of the database refuses this ({0}); check the name of the database, the user, \
         the password and the rights"
    )]
    Denied(#[source] Arc<dyn Error + Send + Sync>),
    /// There is no encrypted connection to the server, or not to the right one.
    #[error(
        "the connection to the database cannot be secured ({0}); check the TLS of the server, and \
         sslmode and sslrootcert"
    )]
    Insecure(#[source] Arc<dyn Error + Send + Sync>),
    /// The file cannot be opened or created.
    #[error("the database file cannot be opened or created ({0}); check that its folder exists")]
    Unopenable(#[source] Arc<io::Error>),
    /// A later version of this program wrote the database.
    #[error(
        "the database has schema version {found}, this program knows up to {known}; run the version \
         that wrote it"
    )]
    Newer {
        /// The schema version of the database.
        found: i64,
        /// The latest schema version of this program.
        known: i64,
    },
    /// No server with this issuer has used the store.
    #[error("the store has no such issuer; spell it as the server does")]
    UnknownIssuer,
    /// The application keeps this in its own tables, which it changes itself.
    #[error("{0} are managed by the application, in tables of its own; change them there")]
    ManagedByApplication(&'static str),
    /// The application's table and the store have clients with one id.
    #[error(
        "the application's table and the store both have a client {0:?}; rename or remove one of \
         them"
    )]
    ClientTwice(Arc<str>),
    /// The database does not respond, or has no connection left.
    #[error("the database is unavailable ({0}); check that it runs and accepts connections")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The cache of short-lived records does not respond.
    #[error("the cache is unavailable ({0}); check that it runs and accepts connections")]
    CacheUnavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The tables are missing, or an earlier version of this program wrote them.
    #[error("the tables are of schema version {found}, this program needs {known}; migrate them")]
    Older {
        /// The schema version of the database; 0 without tables.
        found: i64,
        /// The schema version that this program needs.
        known: i64,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// A stored value makes no sense.
    #[error("the database holds something unreadable: {0}; restore it from a backup")]
    Corrupt(&'static str),
    /// Any other fault.
    #[error("the database failed: {0}")]
    Failed(#[source] Arc<dyn Error + Send + Sync>),
}

impl StoreError {
    /// The names that [`kind`](Self::kind) returns.
    #[cfg(feature = "metrics")]
    pub(crate) const KINDS: [&str; 16] = [
        "busy",
        "full",
        "read_only",
        "denied",
        "insecure",
        "unopenable",
        "newer",
        "older",
        "unknown_issuer",
        "managed_by_application",
        "client_twice",
        "unavailable",
        "cache_unavailable",
        "closed",
        "corrupt",
        "failed",
    ];

    /// The failure of a database of the application's own: [`StoreError::Failed`].
    ///
    /// ```
    /// use quadrille::provider::store::StoreError;
    ///
    /// assert_eq!(StoreError::failed("no route").to_string(), "the database failed: no route");
    /// ```
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into().into())
    }

    /// A database that does not respond: [`StoreError::Unavailable`].
    ///
    /// ```
    /// use quadrille::provider::store::StoreError;
    ///
    /// assert!(StoreError::unavailable("connection refused").is_transient());
    /// ```
    pub fn unavailable(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into().into())
    }

    /// A server that refuses the user, the database or the statement: [`StoreError::Denied`].
    ///
    /// ```
    /// use quadrille::provider::store::StoreError;
    ///
    /// assert!(StoreError::denied("permission denied").to_string().contains("the rights"));
    /// ```
    pub fn denied(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Denied(error.into().into())
    }

    /// A server to which there is no secure connection: [`StoreError::Insecure`].
    ///
    /// ```
    /// use quadrille::provider::store::StoreError;
    ///
    /// assert!(StoreError::insecure("invalid peer certificate").to_string().contains("sslmode"));
    /// ```
    pub fn insecure(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Insecure(error.into().into())
    }

    /// A cache that does not respond: [`StoreError::CacheUnavailable`].
    ///
    /// ```
    /// use quadrille::provider::store::StoreError;
    ///
    /// assert!(StoreError::cache_unavailable("connection refused").is_transient());
    /// ```
    pub fn cache_unavailable(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::CacheUnavailable(error.into().into())
    }

    /// A short name of the kind of the fault, as metrics have it.
    ///
    /// ```
    /// use quadrille::provider::store::StoreError;
    ///
    /// assert_eq!(StoreError::ReadOnly.kind(), "read_only");
    /// ```
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Denied(_) => "denied",
            Self::Insecure(_) => "insecure",
            Self::Unopenable(_) => "unopenable",
            Self::Newer { .. } => "newer",
            Self::Older { .. } => "older",
            Self::UnknownIssuer => "unknown_issuer",
            Self::ManagedByApplication(_) => "managed_by_application",
            Self::ClientTwice(_) => "client_twice",
            Self::Unavailable(_) => "unavailable",
            Self::CacheUnavailable(_) => "cache_unavailable",
            Self::Closed => "closed",
            Self::Corrupt(_) => "corrupt",
            Self::Failed(_) => "failed",
        }
    }

    /// `true` if a retry may succeed later without a restart: when a lock is released, room made or
    /// permission granted, or on another process.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Full
                | Self::ReadOnly
                | Self::Denied(_)
                | Self::Insecure(_)
                | Self::Unavailable(_)
                | Self::CacheUnavailable(_)
                | Self::Closed
        )
    }
}
