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
mod erased;
mod error;
pub(super) mod ids;
mod memory;
mod oauth1;
mod pending;
mod records;
mod registration;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod verbs;

pub(crate) use erased::ErasedStore;
pub use error::StoreError;
use ids::is_same;
pub use ids::{IssuerId, RowId, SecretHash, TicketId, TokenRef};
pub use memory::MemoryStore;
pub use oauth1::{CredentialRecord, SealedSecret};
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
pub use sqlite::SqliteStore;
pub use verbs::{
    Answer, Answered, Change, Changes, Outcome, Redeemed, RevokeAll, Rotated, Rotation, TicketUse,
    Worker,
};

use std::{future::Future, sync::Arc};

use crate::{Timestamp, oauth2::Resources};

use super::client::record::Client;

/// The storage of a provider. See the [module](self).
///
/// Implementors write `async fn`. A verb that has begun runs to its end even if its future is
/// dropped. Times are stored as whole seconds, without their milliseconds.
///
/// A grant is dead if it was revoked ([`Store::revoke_grant`], [`Store::revoke_all`]), if its
/// client is gone, or if its client was registered later: [`Client::number`] is greater than
/// [`Grant::id`]. It may be dead before anything of it is stored.
///
/// Texts are compared byte for byte, with case and spaces: many databases treat `abc` and `ABC ` as
/// equal unless told otherwise. Issuers are separate: none sees, changes or ends rows of another.
///
/// [`store_contract!`](crate::store_contract) (feature `testing`) tests all of this.
///
/// # Expiry
///
/// Codes, access tokens, families, pending requests, token credentials, used tickets, keys of
/// [`Store::remember_once`] and revocations by [`Store::revoke_grant`] end with their `expires` (or
/// `until`) and are removed after it: by [`Store::sweep`], and a few at a time by the verbs that
/// store more of the kind ([`Store::rotate`] stores access tokens), so an application need not
/// sweep. A family ends with its current `expires`, which the caller never sets beyond `ends`.
///
/// Initial access tokens end with their `expires`, too. A client that must be used until a certain
/// time ([`Client::unused_until`]) and is not is removed after it by [`Store::sweep`], as
/// [`Store::remove_client`] removes it.
///
/// All other clients, consents and the effects of [`Store::revoke_all`] are kept forever.
///
/// ```
/// use quadrille::{Env, provider::store::{MemoryStore, Store, StoreError}};
///
/// async fn names(store: &impl Store, issuer: &str) -> Result<Vec<String>, StoreError> {
///     let issuer = store.issuer(issuer).await?;
///     Ok(store.clients(issuer).await?.iter().map(|client| client.name.to_string()).collect())
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let store = MemoryStore::new(Env::system());
/// assert!(names(&store, "https://id.example").await?.is_empty());
/// # Ok::<(), StoreError>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store: Send + Sync + 'static {
    /// The number of this issuer, drawn at the first call.
    fn issuer(&self, issuer: &str) -> impl Future<Output = Result<IssuerId, StoreError>> + Send;

    /// Leases a worker number that no other live process holds: the one in `renew` if it is still
    /// ours, else a free one.
    fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> impl Future<Output = Result<Worker, StoreError>> + Send;

    /// The greatest number ever stored, of any issuer and even if its row is gone: of a row, a
    /// grant, a client ([`Client::number`]), or in [`Store::revoke_all`], where [`RowId::MAX`] does
    /// not count. Numbers follow the clock, and a clock may be set back: a number that must be
    /// greater than others is drawn above this one.
    fn newest(&self) -> impl Future<Output = Result<RowId, StoreError>> + Send;

    /// `true` if reads may be cached and checked against [`Store::changes`]: worth it if a read
    /// costs more than memory.
    fn is_cacheable(&self) -> bool {
        true
    }

    /// The changes after `position`, in order, at most a few thousand at a time: each [`Change`] of
    /// this issuer, once. Every effective change must be included, or other processes go on
    /// accepting from memory what was revoked here; a verb without effect (a repeated revocation,
    /// the removal of an absent client) is not a change.
    ///
    /// If changes may be missing, or this store did not return `position`, the answer is a gap and
    /// the newest position. A new process begins with -1.
    fn changes(
        &self,
        issuer: IssuerId,
        position: i64,
    ) -> impl Future<Output = Result<Changes, StoreError>> + Send;

    /// The client with this `client_id`.
    fn client(
        &self,
        issuer: IssuerId,
        id: &str,
    ) -> impl Future<Output = Result<Option<Arc<Client>>, StoreError>> + Send;

    /// All clients, ordered by id.
    fn clients(
        &self,
        issuer: IssuerId,
    ) -> impl Future<Output = Result<Vec<Arc<Client>>, StoreError>> + Send;

    /// Compare-and-swap of a client: `false` if the stored client is not `before` (`None` for a new
    /// one), so that no change undoes another and no removed client comes back. Under another
    /// [`Client::number`] it is another client: grants with smaller numbers are dead, and the old
    /// client's consents and token credentials are removed. Under the same number it keeps them.
    /// Included as [`Change::Client`].
    fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes a client with its grants, token credentials and consents. `false` if there was none;
    /// else included as [`Change::Client`].
    fn remove_client(
        &self,
        issuer: IssuerId,
        id: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The clients that must be used until a certain time ([`Client::unused_until`]), ordered by
    /// their numbers, those whose time is over included.
    fn unused_clients(
        &self,
        issuer: IssuerId,
    ) -> impl Future<Output = Result<Vec<UnusedClient>, StoreError>> + Send;

    /// Stores a client that registers itself, takes a use of its initial access token, and removes
    /// the clients that make room for it as [`Store::remove_client`] does, at once. A client to be
    /// removed stays unless all of its [`UnusedClient`] is as the caller loaded it: if it was used,
    /// replaced, or has got another time. A token without further uses is removed. The expiry of
    /// the token is checked by the caller.
    fn admit(
        &self,
        issuer: IssuerId,
        admission: Admission,
    ) -> impl Future<Output = Result<Admitted, StoreError>> + Send;

    /// Stores an initial access token.
    fn put_initial_token(
        &self,
        issuer: IssuerId,
        token: InitialTokenRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The initial access token with this hash. The caller checks its expiry.
    fn initial_token(
        &self,
        issuer: IssuerId,
        hash: &SecretHash,
    ) -> impl Future<Output = Result<Option<InitialTokenRecord>, StoreError>> + Send;

    /// All initial access tokens that have uses left, ordered by row, expired ones included.
    fn initial_tokens(
        &self,
        issuer: IssuerId,
    ) -> impl Future<Output = Result<Vec<InitialTokenRecord>, StoreError>> + Send;

    /// Removes an initial access token. `false` if there was none.
    fn remove_initial_token(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores a user's answer: ticket and code (or the approval of a pending request) and consent,
    /// at once. A denial, too, may carry a consent, which is remembered: a user who unticked
    /// everything has answered. If the approved grant is dead already, the consent is not
    /// remembered. Later answers write nothing: a ticket, or a pending request that is approved or
    /// denied, stays as it is.
    fn answer(
        &self,
        issuer: IssuerId,
        answer: Answer,
    ) -> impl Future<Output = Result<Answered, StoreError>> + Send;

    /// Stores a code granted without a page.
    fn put_code(
        &self,
        issuer: IssuerId,
        code: CodeRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A code, redeemed or not, by its row. The caller compares the hash.
    fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> impl Future<Output = Result<Option<Arc<CodeRecord>>, StoreError>> + Send;

    /// Marks a code as redeemed, issues the tokens it buys and links the two, at once.
    fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> impl Future<Output = Result<Redeemed, StoreError>> + Send;

    /// Issues tokens without a code.
    fn issue(
        &self,
        issuer: IssuerId,
        issue: Issue,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Imports a foreign access token, to be found by [`TokenRef::Foreign`]. One with the same hash
    /// is replaced.
    fn import(
        &self,
        issuer: IssuerId,
        access: AccessRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A live access token: `None` if there is none, its hash differs, its grant was revoked or its
    /// client is gone. The caller checks its expiry.
    fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> impl Future<Output = Result<Option<Arc<AccessRecord>>, StoreError>> + Send;

    /// A family of refresh tokens: `None` if there is none, its grant was revoked or its client is
    /// gone.
    fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> impl Future<Output = Result<Option<Arc<FamilyRecord>>, StoreError>> + Send;

    /// Rotates a refresh token: stores the successor and the access token at once, if generation
    /// and secret are those of the [`Rotation`].
    fn rotate(
        &self,
        issuer: IssuerId,
        rotation: Rotation,
    ) -> impl Future<Output = Result<Rotated, StoreError>> + Send;

    /// Stores a pending request, which [`Store::answer`] approves or denies. `false`, with nothing
    /// stored, if another one of this issuer has the user code or the
    /// [foreign](Identifier::Foreign) identifier: the caller draws again.
    fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// A pending request in any state; `None` if there is none, or its identifier differs. The
    /// caller checks its expiry.
    fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> impl Future<Output = Result<Option<Arc<PendingRecord>>, StoreError>> + Send;

    /// Marks an approved pending request as redeemed and stores what it buys, at once.
    /// [`Redeemed::Unknown`] if it was not approved. Unless it returns [`Redeemed::Issued`],
    /// nothing is stored.
    fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> impl Future<Output = Result<Redeemed, StoreError>> + Send;

    /// Live token credentials (RFC 5849, section 2.3): `None` if there are none, their identifier
    /// differs, their grant was revoked or their client is gone. The caller checks their expiry.
    fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> impl Future<Output = Result<Option<Arc<CredentialRecord>>, StoreError>> + Send;

    /// Revokes a grant: its codes and tokens are dead, also those issued later. `until` is the last
    /// expiry among them, after which the store may forget the revocation; token credentials, which
    /// may never expire, are removed. `false` if it was revoked already; else included as
    /// [`Change::Grant`].
    fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Revokes all grants with numbers up to `last` (see [`RowId::last_at`]) of a user, or of a
    /// user to one client, also those stored later: with [`RowId::MAX`], every grant there will
    /// ever be. A smaller `last` than before restores nothing. Consents and token credentials are
    /// removed. Always included as [`Change::Subject`], also for one client.
    fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The consent of a user to a client, at exactly these APIs.
    fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> impl Future<Output = Result<Option<Consent>, StoreError>> + Send;

    /// All consents of a user, ordered by client and resources.
    fn consents(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> impl Future<Output = Result<Vec<Consent>, StoreError>> + Send;

    /// The grants of a user that are alive and have tokens, ordered by number: one for each first
    /// issue ([`Store::redeem`], [`Store::redeem_pending`], [`Store::issue`]), with the scopes of
    /// its refresh tokens if it has any. Grants whose tokens have expired may be among them; the
    /// caller checks. It is found by an index: a user's grants cost other requests nothing.
    fn grants(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> impl Future<Output = Result<Vec<LiveGrant>, StoreError>> + Send;

    /// Remembers `key` (a nonce, a `jti`) in `space` until it expires. `false` if it was known:
    /// only one of any number of callers gets `true`. With an `expires` in the past it says whether
    /// the key was known, and remembers nothing.
    fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes rows that expired before the second of `now`, a bounded number at a time, and
    /// nothing else: see above. Returns the number of rows; zero if none is left.
    fn sweep(&self, now: Timestamp) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
