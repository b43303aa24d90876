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

use std::{collections::BTreeSet, future::Future, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Scopes, Timestamp};

use super::{Actor, Authentication, Client};

/// A SHA-256 hash of a secret of at least 128 random bits.
pub type SecretHash = [u8; 32];

/// The number of a row: 41 bits of milliseconds since 2024, 10 bits of leased worker, 12 bits of
/// sequence. Never negative, never drawn twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowId(pub i64);

/// A number that a store gives an issuer; it is part of every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub i64);

/// How a token is found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenRef {
    /// One of ours: it carries the number of its row.
    Row {
        /// The row.
        row: RowId,
        /// What the row must hold.
        hash: SecretHash,
    },
    /// One that others made (an import, a generator of the application): found by its hash.
    Foreign {
        /// The hash of the whole token.
        hash: SecretHash,
    },
}

/// What a person, or a client for itself, has been granted. The number is drawn when it is
/// approved and travels in the code, so that it can be revoked before any token exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its number.
    pub id: RowId,
    /// The `client_id` it was granted to.
    pub client: Arc<str>,
    /// For whom the client acts.
    pub actor: Actor,
    /// What may be done.
    pub scopes: Scopes,
    /// How and when the person signed in; `None` where nobody did (client credentials).
    pub authentication: Option<Arc<Authentication>>,
}

/// An authorization code that waits to be redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRecord {
    /// Its row.
    pub row: RowId,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// What it buys.
    pub grant: Grant,
    /// The `redirect_uri` of the authorization request; `None` when none was sent.
    pub redirect_uri: Option<Arc<str>>,
    /// The `code_challenge` (S256); `None` when PKCE was not used.
    pub challenge: Option<Arc<str>>,
    /// When it stops being good.
    pub expires: Timestamp,
    /// Whether it was redeemed.
    pub redeemed: bool,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// Its row.
    pub row: RowId,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// What it stands for. The scopes are the token's own, which may be fewer than the grant's.
    pub grant: Grant,
    /// When it stops being good.
    pub expires: Timestamp,
}

/// A refresh token and all that succeed it: one row, however often it turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyRecord {
    /// Its row.
    pub row: RowId,
    /// What it stands for.
    pub grant: Grant,
    /// How often it turned.
    pub generation: u32,
    /// The hash of the secret of this generation.
    pub current: SecretHash,
    /// The hash of the secret of the generation before.
    pub previous: Option<SecretHash>,
    /// When it last turned.
    pub rotated: Timestamp,
    /// The scopes asked for when it last turned: a repeat must ask for the same.
    pub rotated_scopes: Scopes,
    /// When it stops being good if it lies unused; moves at each turn.
    pub expires: Timestamp,
    /// When it stops being good in any case.
    pub ends: Timestamp,
}

/// What a token request puts into the store.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The access token.
    pub access: AccessRecord,
    /// The first refresh token of a new family, if one is given.
    pub family: Option<FamilyRecord>,
}

/// A turn of a refresh token: it happens only if the family still stands as it was read.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The family.
    pub family: RowId,
    /// The generation that was presented, which must be the current one.
    pub generation: u32,
    /// The hash that was presented, which must be the current one.
    pub presented: SecretHash,
    /// The hash of its successor.
    pub successor: SecretHash,
    /// The scopes of the access token.
    pub scopes: Scopes,
    /// Now.
    pub rotated: Timestamp,
    /// When the successor stops being good if it lies unused.
    pub expires: Timestamp,
    /// The access token that goes with it.
    pub access: AccessRecord,
}

/// How a code was redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// For the first time: the tokens are in.
    Issued,
    /// It had been already. Nothing was written; the grant with this number should be revoked.
    Replayed(RowId),
    /// Its grant was revoked. Nothing was written.
    Revoked,
    /// There is no such code (any more).
    Unknown,
}

/// How a refresh token turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// It did: the successor and the access token are in.
    Turned,
    /// The family no longer stands as it was read. Nothing was written; decide again.
    Lost(Arc<FamilyRecord>),
    /// Its grant was revoked, or it is gone.
    Gone,
}

/// The number of a consent page, drawn when it is shown.
pub type TicketId = [u8; 16];

/// A person's answer to a consent page.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The page's ticket, used up by this.
    pub ticket: TicketId,
    /// Until when the ticket's use must be remembered.
    pub expires: Timestamp,
    /// What was approved; `None` when it was denied.
    pub approved: Option<CodeRecord>,
    /// The consent to remember with it.
    pub consent: Option<Consent>,
}

/// How an answer was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is the first: the ticket is used up, the code and the consent are in.
    First,
    /// The page was approved before, and this is the code of then. Nothing was written.
    Approved(Arc<CodeRecord>),
    /// The page was approved before, and the code of then is gone. Nothing was written.
    Spent,
    /// The page was denied before. Nothing was written.
    Denied,
}

/// What a person has let a client do, remembered so as not to ask again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The person.
    pub subject: Arc<str>,
    /// The `client_id`.
    pub client: Arc<str>,
    /// All scopes consented to so far. Storing a consent replaces the one of before.
    pub scopes: Scopes,
    /// When they last did.
    pub given: Timestamp,
}

/// A person's session at the provider's own pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of the id in the cookie.
    pub id: SecretHash,
    /// Who, how and when.
    pub authentication: Authentication,
    /// When it ends.
    pub expires: Timestamp,
}

/// Something that other processes must forget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Change {
    /// A client was added, changed or removed.
    Client(Arc<str>),
    /// A grant was revoked.
    Grant(RowId),
    /// Everything of a person was revoked.
    Subject(Arc<str>),
    /// A session ended.
    Session(SecretHash),
}

/// A page of [`Change`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Ask for what comes after this next time.
    pub position: i64,
    /// What changed, in order.
    pub changes: Vec<Change>,
    /// Changes between the position asked for and these may be missing: forget everything.
    pub gap: bool,
}

/// A lease of a worker number, so that no two processes draw the same [`RowId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// 0 to 1023.
    pub number: u16,
    /// Identifies the holder when it renews.
    pub holder: [u8; 16],
    /// Until when.
    pub expires: Timestamp,
    /// Row numbers must not be drawn for times before this.
    pub not_before: Timestamp,
}

/// What a person or client is cut off from: see [`Store::revoke_all`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevokeAll {
    /// Every grant and session of this subject.
    Subject(Arc<str>),
    /// Every grant this subject gave to this client, and the remembered consent.
    Consent {
        /// The person.
        subject: Arc<str>,
        /// The `client_id`.
        client: Arc<str>,
    },
}

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

/// Where a provider keeps its facts. See the [module](self).
///
/// Implementors write `async fn`. A verb that was called runs to its end even if its future is
/// dropped, or has not begun.
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

    /// Whether what was read may be kept and checked against [`Store::changes`]: worth it where a
    /// read costs more than memory.
    fn is_cacheable(&self) -> bool {
        true
    }

    /// What changed after `position`, at most a few thousand at a time.
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

    /// Adds a client, or replaces the one with its id; a change of who it is (`Client::number`)
    /// makes every token of before worthless.
    fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes a client and with it all it was granted. Says whether it was there.
    fn remove_client(
        &self,
        issuer: IssuerId,
        id: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes a person's answer.
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

    /// Turns a refresh token.
    fn rotate(
        &self,
        issuer: IssuerId,
        rotation: Rotation,
    ) -> impl Future<Output = Result<Rotated, StoreError>> + Send;

    /// Revokes a grant: its codes and tokens are dead, also those not yet issued. `until` is when
    /// the last of them would have ended. Says whether this call did it.
    fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Revokes all grants with numbers up to `last` of a person, or of a person to a client.
    fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What a person has consented to.
    fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
    ) -> impl Future<Output = Result<Option<Consent>, StoreError>> + Send;

    /// Remembers `key` (a nonce, a `jti`) in `space` until it expires. `false` when it was known:
    /// only one of any number of callers gets `true`.
    fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Opens a session, and ends the one it replaces.
    fn put_session(
        &self,
        issuer: IssuerId,
        session: Session,
        replaces: Option<SecretHash>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A session.
    fn session(
        &self,
        issuer: IssuerId,
        id: &SecretHash,
    ) -> impl Future<Output = Result<Option<Arc<Session>>, StoreError>> + Send;

    /// Ends a session. Says whether it was there.
    fn end_session(
        &self,
        issuer: IssuerId,
        id: &SecretHash,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives back what expired before `now`, a bounded amount at a time. Says how many rows went.
    /// Stores do some of it by themselves whenever they issue.
    fn sweep(&self, now: Timestamp) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// The grant types a client may use, by their names on the wire.
pub type GrantTypes = BTreeSet<super::GrantType>;
