//! The storage of a provider: clients, grants and tokens.
//!
//! A store keeps facts and decides nothing. Every verb is atomic: it says who won, and a process
//! that dies in the middle of one leaves all of it or nothing. Secrets arrive as SHA-256 hashes.
//! The server draws the numbers of rows ([`RowId`]), ordered by time, so inserts are appends and
//! look-ups use an integer key.
//!
//! `MemoryStore` is for tests and single processes that may forget; `SqliteStore` (feature
//! `sqlite`) is durable and may be shared by processes on one machine. Both pass the contract in
//! `quadrille::testing`, and so should a store of your own.

pub(crate) mod cache;
mod columns;
mod erased;
mod error;
mod forward;
mod grants;
pub(super) mod ids;
mod kept;
mod known_since;
mod memory;
mod oauth1;
mod part;
mod parts;
mod pending;
mod records;
mod registration;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod table;
mod transfer;
mod verbs;
mod volatile;
mod whole;

pub use super::openid::details::OpenIdDetails;
pub use columns::{
    GrantColumns, binding_column, exchange_column, read_binding, read_exchange, read_resources,
    read_scopes, user_column,
};
pub(crate) use erased::ErasedStore;
pub use error::StoreError;
pub use grants::Grants;
pub use ids::{IssuerId, RowId, SecretHash, TicketId, TokenRef, is_same};
pub use kept::{REVOCATION_SWEEP_DELAY, SWEEP_DELAY};
pub use known_since::KnownSince;
pub use memory::MemoryStore;
pub use oauth1::{CredentialRecord, SealedSecret};
pub use part::{Clients, Issuers, OnceKeys, Part, Registrations};
pub use parts::Parts;
pub use pending::{
    Approval, Bought, DeviceCode, Identifier, PendingKind, PendingRecord, PendingRef, PendingState,
    TemporaryCredentials,
};
pub use records::{
    AccessRecord, CodeRecord, Consent, Exchange, FamilyRecord, Grant, GrantDetails, Issue,
    LiveGrant, SubjectToken,
};
pub use registration::{Admission, Admitted, InitialTokenRecord, UnusedClient};
pub use row::RowIds;
/// The SQLite of [`SqliteStore`], for an application's own tables beside the store's: rusqlite
/// 0.37.
///
/// [`SqliteStore::write`], [`SqliteStore::read`] and the conversion to [`StoreError`] have its
/// types. One program links one SQLite, so use it from here, or depend on this version. A new
/// version of it is a breaking change of this crate.
#[cfg(feature = "sqlite")]
pub use rusqlite;
#[cfg(feature = "sqlite")]
pub use sqlite::{BackupProgress, SqliteStore};
pub use table::{AnySubject, ClientTable, TableClients, UserTable};
pub use transfer::{StoredColumn, StoredRow, StoredTable, StoredValue, Transfer};
pub use verbs::{
    Answer, Answered, Change, Changes, Outcome, Redeemed, RevokeAll, Rotated, Rotation, TicketUse,
    Worker,
};
#[cfg(feature = "memcached")]
pub use volatile::VolatileMemcached;
pub use volatile::{
    VolatileCache, VolatileEntry, VolatileFiles, VolatileFound, VolatileKey, VolatileMemory,
    VolatileStore,
};
pub use whole::Store;
