//! The parts of a store but for the grants, a trait for each.

use std::{future::Future, sync::Arc};

use crate::{Timestamp, provider::client::record::Client};

#[cfg(doc)]
use super::Change;
use super::{
    Admission, Admitted, Changes, InitialTokenRecord, IssuerId, KnownSince, RowId, SecretHash,
    StoreError, UnusedClient, Worker, is_same,
};

/// The verbs of every part of a store.
///
/// Implementors write `async fn`. A verb that has begun runs to its end even if its future is
/// dropped. Times are stored as whole seconds, without their milliseconds.
///
/// Texts are compared byte for byte, with case and spaces: many databases treat `abc` and `ABC ` as
/// equal unless told otherwise. Issuers are separate: none sees, changes or ends rows of another.
/// [`Issuers`] gives them their numbers; the other parts take a number as it comes.
///
/// ```
/// use quadrille::{Timestamp, provider::store::{Part, StoreError}};
///
/// async fn remove_expired(part: &impl Part, now: Timestamp) -> Result<u64, StoreError> {
///     let mut rows = 0;
///     loop {
///         match part.sweep(now).await? {
///             0 => return Ok(rows),
///             more => rows += more,
///         }
///     }
/// }
/// ```
pub trait Part: Send + Sync + 'static {
    /// The greatest number stored in this part, of any issuer: of a client ([`Client::number`],
    /// [`know_client`](super::Grants::know_client)), of an initial access token, or in
    /// [`revoke_all`](super::Grants::revoke_all), even if its row is gone; of any other row, or of a
    /// grant, at least until it has expired and is removed, when nothing with the number is valid.
    /// Numbers follow the clock, and a clock may be set back: a number that must be greater than
    /// others is drawn above this one.
    fn newest(&self) -> impl Future<Output = Result<RowId, StoreError>> + Send;

    /// The number above which that of a new grant is drawn, so that it is younger than its client and
    /// than all that was revoked: no less than [`newest`](Self::newest) counts of clients and of
    /// [`revoke_all`](super::Grants::revoke_all).
    ///
    /// By default [`newest`](Self::newest). A store that keeps codes elsewhere returns that of the
    /// part which knows clients and revocations.
    fn floor(&self) -> impl Future<Output = Result<RowId, StoreError>> + Send {
        self.newest()
    }

    /// `true` if reads may be cached and checked against [`Part::changes`]: worth it if a read
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

    /// How often this store has heard that another process changed something. If the number is another
    /// one than at its last look, a cache reads [`changes`](Self::changes) at once, and not only after
    /// half a second. Nothing is heard by default.
    fn heard(&self) -> u64 {
        0
    }

    /// Removes rows that expired more than [`SWEEP_DELAY`](super::SWEEP_DELAY) before the second of `now`,
    /// revocations [later](super::REVOCATION_SWEEP_DELAY), a bounded number at a time, and nothing else:
    /// see above. Returns the number of rows; zero if none is left.
    ///
    /// The clock may be ahead by more than that, and marks of keys be removed that other clocks need:
    /// [`OnceKeys::keys_known_since`] tells it.
    fn sweep(&self, now: Timestamp) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// The numbers of issuers and of workers.
///
/// [`store_contract!`](crate::store_contract) (feature `testing`) tests them.
///
/// ```
/// use quadrille::provider::store::{IssuerId, Issuers, StoreError};
///
/// async fn number(store: &impl Issuers) -> Result<IssuerId, StoreError> {
///     store.issuer("https://id.example").await
/// }
/// ```
pub trait Issuers: Part {
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
}

/// Clients (RFC 6749, section 2). An application that has them in a table of its own implements
/// [`ClientTable`](super::ClientTable) instead, which is one look-up.
///
/// Clients are kept forever, but for those that must be used until a certain time
/// ([`Client::unused_until`]) and are not: [`Part::sweep`] removes them after it, as
/// [`remove_client`](Self::remove_client) does.
///
/// [`clients_contract!`](crate::clients_contract) (feature `testing`) tests this part and
/// [`Registrations`].
///
/// ```
/// use quadrille::provider::store::{Clients, IssuerId, StoreError};
///
/// async fn names(clients: &impl Clients, issuer: IssuerId) -> Result<Vec<String>, StoreError> {
///     Ok(clients.clients(issuer).await?.iter().map(|client| client.name.clone()).collect())
/// }
/// ```
pub trait Clients: Part {
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

    /// Stores new clients with different ids, all of them at once or none: the first id that is
    /// taken, if there is one. Each is included as [`Change::Client`].
    fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> impl Future<Output = Result<Option<Arc<str>>, StoreError>> + Send;

    /// Removes a client with its grants, token credentials and consents. `false` if there was none;
    /// else included as [`Change::Client`].
    fn remove_client(
        &self,
        issuer: IssuerId,
        id: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Clients that register themselves (RFC 7591), and initial access tokens, which end with their
/// `expires`.
///
/// ```
/// use quadrille::provider::store::{IssuerId, Registrations, StoreError};
///
/// async fn count(clients: &impl Registrations, issuer: IssuerId) -> Result<usize, StoreError> {
///     Ok(clients.unused_clients(issuer).await?.len())
/// }
/// ```
pub trait Registrations: Clients {
    /// The clients that must be used until a certain time ([`Client::unused_until`]), ordered by
    /// their numbers, those whose time is over included.
    ///
    /// By default, those among all [`clients`](Clients::clients); a store with an index of them
    /// reads fewer.
    fn unused_clients(
        &self,
        issuer: IssuerId,
    ) -> impl Future<Output = Result<Vec<UnusedClient>, StoreError>> + Send {
        async move {
            let clients = self.clients(issuer).await?;
            let mut unused: Vec<_> =
                clients.iter().filter_map(|client| UnusedClient::of(client)).collect();
            unused.sort_unstable_by_key(|client| client.number);
            Ok(unused)
        }
    }

    /// Stores a client that registers itself, takes a use of its initial access token, and removes
    /// the clients that make room for it as [`Clients::remove_client`] does, at once. A client to be
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
    ///
    /// By default, the one among all [`initial_tokens`](Self::initial_tokens).
    fn initial_token(
        &self,
        issuer: IssuerId,
        hash: &SecretHash,
    ) -> impl Future<Output = Result<Option<InitialTokenRecord>, StoreError>> + Send {
        async move {
            let tokens = self.initial_tokens(issuer).await?;
            Ok(tokens.into_iter().find(|token| is_same(&token.hash, hash)))
        }
    }

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
}

/// Keys that are used once: nonces, and the `jti` of assertions. They end with their `expires`.
///
/// [`once_contract!`](crate::once_contract) (feature `testing`) tests this part.
///
/// ```
/// use quadrille::{Timestamp, provider::store::{IssuerId, OnceKeys, StoreError}};
///
/// async fn is_new(once: &impl OnceKeys, jti: [u8; 32]) -> Result<bool, StoreError> {
///     let expires = Timestamp::from_seconds(1_800_000_000);
///     once.remember_once(IssuerId(1), "an assertion", jti, expires).await
/// }
/// ```
pub trait OnceKeys: Part {
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

    /// The moment since which this part knows every key that was used. The server calls it after
    /// [`remember_once`](Self::remember_once) said that a key is new, and accepts nothing that was
    /// made before this moment: so a loss before that call must be told here.
    ///
    /// It is [`KnownSince::ALWAYS`], or the moment of the last loss; or, if a clock that was ahead removed
    /// keys, [the time](KnownSince::after_sweep) before which they had expired by that clock.
    fn keys_known_since(&self) -> impl Future<Output = Result<KnownSince, StoreError>> + Send;
}
