//! Where a provider keeps clients, grants and tokens.
//!
//! A store keeps facts and decides nothing. Every verb is atomic: it says who won, and a process
//! that dies in the middle of one leaves either all of it or nothing. Secrets arrive as SHA-256
//! hashes. Rows have numbers ([`RowId`]) that the server draws, ordered by time, so that inserts
//! are appends and look-ups an integer key.
//!
//! `MemoryStore` is for tests and single processes that may forget; `SqliteStore` (feature
//! `sqlite`) is durable and may be shared by processes on one machine. Both pass the contract in
//! `quadrille::testing`, and so should a store of your own.

pub(super) mod cache;
mod erased;
mod error;
mod memory;
mod oauth1;
mod pending;
mod records;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(crate) use erased::ErasedStore;
pub use error::StoreError;
pub use memory::MemoryStore;
pub use oauth1::{CredentialRecord, SealedSecret};
pub use pending::{
    Approval, Bought, Identifier, PendingKind, PendingRecord, PendingRef, PendingState,
    TemporaryCredentials,
};
pub use records::{
    AccessRecord, Answer, Answered, Change, Changes, CodeRecord, Consent, FamilyRecord, Grant,
    GrantTypes, Issue, IssuerId, Outcome, Redeemed, RevokeAll, Rotated, Rotation, RowId,
    SecretHash, TicketId, TicketUse, TokenRef, Worker,
};
pub use row::RowIds;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

use std::{future::Future, sync::Arc};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{Timestamp, oauth2::Resources};

use super::client::record::Client;

/// Where a provider keeps its facts. See the [module](self).
///
/// Implementors write `async fn`. A verb that has begun runs to its end even if its future is
/// dropped. Times are kept as whole seconds: what is read back has lost its milliseconds.
///
/// A grant is dead when it was revoked ([`Store::revoke_grant`], [`Store::revoke_all`]), when its
/// client is gone, or when its client was registered after it: that is, when [`Client::number`] is
/// greater than [`Grant::id`]. It may be dead before anything of it is stored.
///
/// Texts are compared byte for byte, with case and spaces: many databases take `abc` and `ABC ` for
/// the same unless they are told otherwise. An issuer sees, changes and ends nothing of another one.
///
/// With the feature `testing`, [`store_contract!`](crate::store_contract) tests all that is said
/// here.
///
/// # What is given back
///
/// Codes, access tokens, families, pending requests, token credentials, used tickets, keys of
/// [`Store::remember_once`] and what [`Store::revoke_grant`] remembers end with their `expires` (or
/// `until`), and are given back after it: by [`Store::sweep`], and a few at a time by the verbs that
/// store more of the kind ([`Store::rotate`] stores access tokens), so that nobody needs to sweep. A
/// family ends with its `expires` as it stands now: the caller never puts it off beyond `ends`.
///
/// Clients, consents and what [`Store::revoke_all`] did are kept for good: a person who was cut off
/// stays so, however long ago it was.
pub trait Store: Send + Sync + 'static {
    /// The number of this issuer, drawn at the first call.
    fn issuer(&self, issuer: &str) -> impl Future<Output = Result<IssuerId, StoreError>> + Send;

    /// A worker number that no other live process holds: the one in `renew` if it is still ours,
    /// else a free one.
    fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> impl Future<Output = Result<Worker, StoreError>> + Send;

    /// The greatest number that was ever stored, of any issuer and whatever became of it: of a row, a
    /// grant, a client ([`Client::number`]), or in [`Store::revoke_all`], where [`RowId::MAX`] does
    /// not count. Numbers follow the clock, and a clock goes back: what is to be younger than
    /// something is drawn above this.
    fn newest(&self) -> impl Future<Output = Result<RowId, StoreError>> + Send;

    /// Whether what was read may be kept and checked against [`Store::changes`]: worth it where a
    /// read costs more than memory.
    fn is_cacheable(&self) -> bool {
        true
    }

    /// What changed after `position`, in the order in which it did, at most a few thousand at a time:
    /// each [`Change`] of this issuer, once. A change that is not told is one that other processes
    /// never hear of: they go on accepting from memory what was revoked here. What changed nothing
    /// (a repeated revocation, a client that was gone) is not told.
    /// Where changes may be
    /// missing, or `position` is not one that this store gave out, the answer is a gap and the
    /// newest position, so that a newcomer begins by asking for what comes after -1.
    fn changes(
        &self,
        issuer: IssuerId,
        position: i64,
    ) -> impl Future<Output = Result<Changes, StoreError>> + Send;

    /// A client.
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

    /// Puts a client in the place of `before`, which must be what the store holds under its id:
    /// `None` for a new one. Says whether it was, so that no change undoes another, and nobody comes
    /// back who was removed. With another [`Client::number`] it is another client: grants with lesser
    /// numbers are dead, and consents given to the client before, and its token credentials, are
    /// removed. With the same number it keeps them. Told as [`Change::Client`].
    fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes a client and with it all it was granted: its grants are dead, its token credentials and
    /// the consents given to it removed. Says whether it was there; if so, it is told as
    /// [`Change::Client`].
    fn remove_client(
        &self,
        issuer: IssuerId,
        id: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes a user's answer: ticket and code (or the approval of a pending request) and consent at
    /// once. A denial, too, may carry a consent, which is remembered like another: somebody who
    /// unticked everything has still answered. With an approval whose grant is dead already the
    /// consent is not remembered. Answers after the first write nothing: a ticket, or a pending
    /// request that is approved or denied, stays as it is.
    fn answer(
        &self,
        issuer: IssuerId,
        answer: Answer,
    ) -> impl Future<Output = Result<Answered, StoreError>> + Send;

    /// Stores a code that needed no page.
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

    /// Marks a code as redeemed, issues what it buys and links the two, at once.
    fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> impl Future<Output = Result<Redeemed, StoreError>> + Send;

    /// Issues tokens that no code bought.
    fn issue(
        &self,
        issuer: IssuerId,
        issue: Issue,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes in an access token that others made, to be found by [`TokenRef::Foreign`]. One with
    /// the same hash is replaced.
    fn import(
        &self,
        issuer: IssuerId,
        access: AccessRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A live access token: `None` when there is none, its hash differs, its grant was revoked or
    /// its client is gone. Expiry is the caller's to judge.
    fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> impl Future<Output = Result<Option<Arc<AccessRecord>>, StoreError>> + Send;

    /// A family of refresh tokens: `None` when there is none, its grant was revoked or its client
    /// is gone.
    fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> impl Future<Output = Result<Option<Arc<FamilyRecord>>, StoreError>> + Send;

    /// Turns a refresh token: the successor and the access token at once, if generation and secret
    /// are those of the [`Rotation`].
    fn rotate(
        &self,
        issuer: IssuerId,
        rotation: Rotation,
    ) -> impl Future<Output = Result<Rotated, StoreError>> + Send;

    /// Stores a pending request. It is approved or denied by [`Store::answer`]. `false`, and nothing
    /// is stored, where another one of this issuer has the user code or the
    /// [foreign](Identifier::Foreign) identifier: the caller draws again.
    fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// A pending request in any state; `None` when there is none, or its identifier differs. Expiry
    /// is the caller's to judge.
    fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> impl Future<Output = Result<Option<Arc<PendingRecord>>, StoreError>> + Send;

    /// Marks an approved pending request as redeemed and stores what it buys, at once.
    /// [`Redeemed::Unknown`] when it was not approved. Where it is not [`Redeemed::Issued`], nothing
    /// is stored.
    fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> impl Future<Output = Result<Redeemed, StoreError>> + Send;

    /// Live token credentials (RFC 5849, section 2.3): `None` when there are none, their identifier
    /// differs, their grant was revoked or their client is gone. Expiry is the caller's to judge.
    fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> impl Future<Output = Result<Option<Arc<CredentialRecord>>, StoreError>> + Send;

    /// Revokes a grant: its codes and tokens are dead, also those not yet issued. `until` is when
    /// the last of them would have ended, and the first moment at which the store may forget it;
    /// token credentials, which may never end, are removed. Says whether this call did it: if so, it
    /// is told as [`Change::Grant`]; a repeated revocation is not told twice.
    fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Revokes all grants with numbers up to `last` (see [`RowId::last_at`]) of a person, or of a
    /// person to a client, also those that are stored only later: with [`RowId::MAX`] whatever
    /// that person is ever granted. A lesser `last` than before brings nothing back. Consents and
    /// token credentials are removed. Always told, as
    /// [`Change::Subject`], with one consent as with all.
    fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What a person has consented to, at exactly these APIs.
    fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> impl Future<Output = Result<Option<Consent>, StoreError>> + Send;

    /// All that a person has consented to, ordered by client and resources.
    fn consents(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> impl Future<Output = Result<Vec<Consent>, StoreError>> + Send;

    /// Remembers `key` (a nonce, a `jti`) in `space` until it expires. `false` when it was known:
    /// only one of any number of callers gets `true`.
    fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives back what expired before the second of `now`, a bounded amount at a time, and nothing
    /// else: see above. Says how many rows went; zero when there is no more to do.
    fn sweep(&self, now: Timestamp) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// Compares hashes without telling, by the time it takes, how much of them is right.
fn is_same(a: &SecretHash, b: &SecretHash) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}
