//! The contract of a database for the program.

use std::{collections::BTreeMap, fmt, pin::Pin, sync::Arc, time::Duration};

use quadrille::{
    Timestamp,
    oauth2::Resources,
    provider::{
        AuthorizationServer, Error, GrantTypes, IssuerError, ResealProgress, UserClaims,
        guessing::CountChange,
        store::{
            IssuerId, KnownSince, Part, RowId, SecretHash, StoreError, StoredRow, StoredTable,
            Transfer,
        },
    },
};

use super::{
    Cache,
    logos::{LogoKey, StoredLogo},
    sealed::Sealed,
};
use crate::{
    sessions::{Ended, Session, SomeSessions},
    throttle::{Each, Recovery},
    users::{Added, User, UserName},
};

/// The future of a verb of a [`Backend`].
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The future of [`Backend::reseal`].
pub type Resealing<'a> = Pin<Box<dyn Future<Output = Result<ResealProgress, Error>> + Send + 'a>>;

/// The greatest number of sessions that [`Backend::lease_ended`] ends, and of those that it leases.
pub(super) const ENDED_AT_ONCE: i64 = 64;

/// What is done with a secret that is sealed under an older key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResealWork {
    /// It is sealed again.
    Seal,
    /// It is counted.
    Count,
}

/// A database: the provider's store, and the program's own records: users, sessions, counts of
/// failed sign-ins, and the marks of a data directory.
///
/// A backend keeps facts and decides nothing. Each verb is one transaction: concurrent callers see
/// all or nothing of each other's changes. `tests/contract.rs` tests every backend against these rules.
///
/// # Errors
/// [`StoreError`], for every verb that returns a future.
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// An authorization server over the provider's store, with short-lived records in the cache, if
    /// there is one.
    ///
    /// # Errors
    /// [`IssuerError`].
    fn server(
        &self,
        issuer: &str,
        cache: Option<Cache>,
    ) -> Result<AuthorizationServer, IssuerError>;

    /// Adds a user, unless another user has the same name or a name that [looks the
    /// same](UserName::looks_like).
    fn add_user(&self, user: User) -> Answering<'_, Added>;

    /// The user of this name, compared by [`UserName::key`].
    fn user_by_name<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>>;

    /// The user of this subject.
    fn user_by_subject<'a>(&'a self, subject: &'a str) -> Answering<'a, Option<User>>;

    /// All users, ordered by [`UserName::key`].
    fn users(&self) -> Answering<'_, Vec<User>>;

    /// Whether there is a user.
    fn has_users(&self) -> Answering<'_, bool>;

    /// Stores a better hash of the password of `user`, if its number is still the same.
    fn replace_hash<'a>(&'a self, user: &'a User, better: Arc<str>) -> Answering<'a, ()>;

    /// Gives a user a new password with the next number, and ends the user's sessions. Returns the
    /// user as stored; `None` if there is none.
    fn set_password<'a>(
        &'a self,
        name: &'a UserName,
        password: Arc<str>,
    ) -> Answering<'a, Option<User>>;

    /// Gives the user of a session a new password with the next number, if the number is still that of
    /// the session, ends the other sessions of the user, and makes a recount. The session goes on under
    /// another id.
    /// Returns `false`, and changes nothing, if the session has ended, or the user has another password by
    /// now or is gone.
    fn change_password(&self, change: PasswordChange) -> Answering<'_, bool>;

    /// Changes the claims about a user. Returns the user as stored; `None` if there is none.
    fn change_claims<'a>(
        &'a self,
        subject: &'a str,
        change: ClaimsChange,
    ) -> Answering<'a, Option<User>>;

    /// Removes a user, the user's sessions, and for ever all grants of the user at this issuer.
    /// Returns the user; `None` if there was none.
    fn remove_user<'a>(&'a self, who: Removed<'a>, issuer: &'a str) -> Answering<'a, Option<User>>;

    /// Opens a session in the place of the session `replaces`, and makes `recount`. A session that
    /// [goes on](Session::continues) has the name and the clients of the one before, and a later time of
    /// sign-in, at least by a second: clients tell the sign-ins of a session by it. One that does not
    /// go on is recorded as ended. A user has a hundred sessions at most: those that were used longest ago
    /// end, and are recorded.
    /// Returns `false`, and changes nothing, if there is no user with the session's subject and
    /// password number.
    fn open_session(
        &self,
        session: Session,
        replaces: Option<SecretHash>,
        recount: Recount,
    ) -> Answering<'_, bool>;

    /// A session by its id, even if it has expired.
    fn session<'a>(&'a self, id: &'a SecretHash) -> Answering<'a, Option<Session>>;

    /// The sessions of a user, the last used first.
    fn sessions_of<'a>(&'a self, subject: &'a str) -> Answering<'a, Vec<Session>>;

    /// Stores the time of a session's last request.
    fn session_used(&self, id: SecretHash, now: Timestamp) -> Answering<'_, ()>;

    /// Adds a client to a session, unless it has 256 already.
    fn join_session(&self, id: SecretHash, client: Arc<str>) -> Answering<'_, ()>;

    /// Ends a session whose clients are told by the caller: it is not recorded as ended. All other
    /// verbs that end sessions record them.
    fn end_session(&self, id: SecretHash) -> Answering<'_, ()>;

    /// Ends some sessions of a user. `false` if there is none.
    fn end_sessions_of(&self, subject: Arc<str>, which: SomeSessions) -> Answering<'_, bool>;

    /// Ends sessions that have expired, and leases sessions that are recorded as ended to the caller,
    /// some of each. No other caller gets them until the lease ends.
    fn lease_ended(&self, now: Timestamp, lease: Duration) -> Answering<'_, Vec<Ended>>;

    /// Forgets sessions that were recorded as ended, by their names.
    fn forget_ended(&self, names: Vec<Arc<str>>) -> Answering<'_, ()>;

    /// A logo of a client.
    fn logo<'a>(&'a self, which: LogoKey<'a>) -> Answering<'a, Option<StoredLogo>>;

    /// Stores a logo in the place of the one of the same URL. Logos that were fetched thirty days before it
    /// go, and those that were fetched first, if there are more than 1,024.
    fn put_logo(&self, logo: StoredLogo) -> Answering<'_, ()>;

    /// Removes the logo of a URL.
    fn forget_logo<'a>(&'a self, url: &'a str) -> Answering<'a, ()>;

    /// The time by which failures are counted: by the clock of the database, if it has one of its own; else
    /// `now`, of the machine on which the database is.
    fn clock(&self, now: Timestamp) -> Answering<'_, Timestamp>;

    /// Changes counts of failed sign-ins. Returns the counts as they were; a count that is not
    /// stored is the Unix epoch. Counts that ended before `now` may be forgotten.
    fn recount(&self, recount: Recount, now: Timestamp) -> Answering<'_, Recovery>;

    /// Changes one count of failures, and returns it as it was, as [`recount`](Self::recount) does.
    fn count(&self, key: CountKey, change: CountChange, now: Timestamp)
    -> Answering<'_, Timestamp>;

    /// The recorded issuer.
    fn issuer(&self) -> Answering<'_, Option<RecordedIssuer>>;

    /// Records the issuer. If `renamed_from` was recorded, its clients, consents and grants become
    /// those of the new issuer, and replace whatever the new issuer had.
    fn record_issuer(
        &self,
        recorded: RecordedIssuer,
        renamed_from: Option<String>,
    ) -> Answering<'_, ()>;

    /// The recorded settings on which clients depend.
    fn served_with(&self) -> Answering<'_, Option<Known>>;

    /// Records the settings on which clients depend.
    fn record_served_with(&self, known: Known) -> Answering<'_, ()>;

    /// The mark: random text, drawn when the tables are made, that separates this provider's
    /// cookies and seals from those of another provider at the same host.
    fn mark(&self) -> Answering<'_, String>;

    /// At most `limit` rows of the provider's store after the row `after`: see [`Transfer::rows`].
    fn rows<'a>(
        &'a self,
        issuer: &'a str,
        table: StoredTable,
        after: Option<StoredRow>,
        limit: u32,
    ) -> Answering<'a, Vec<StoredRow>>;

    /// Stores rows of another database: see [`Transfer::put_rows`].
    fn put_rows<'a>(
        &'a self,
        issuer: &'a str,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> Answering<'a, u64>;

    /// Seals the secrets of the provider's store again under the newest key of the server's ring, or
    /// only counts those under older ones: see [`Reseal`](quadrille::provider::Reseal). `told` gets the
    /// progress after each page.
    fn reseal<'a>(
        &'a self,
        server: &'a AuthorizationServer,
        work: ResealWork,
        told: &'a mut (dyn FnMut(ResealProgress) + Send),
    ) -> Resealing<'a>;

    /// The greatest number of the provider's store: see [`Part::newest`].
    fn newest(&self) -> Answering<'_, RowId>;

    /// The greatest number, and the position of the last change: others if the database was used.
    fn state(&self) -> Answering<'_, (RowId, i64)>;

    /// Raises the greatest number to that of another database.
    fn raise_newest(&self, newest: RowId) -> Answering<'_, ()>;

    /// The moment since which the database knows what was used once.
    fn known_since(&self) -> Answering<'_, KnownSince>;

    /// Raises the moment to that of another database.
    fn raise_known_since(&self, since: KnownSince) -> Answering<'_, ()>;

    /// Ends every session and all that was unfinished in a database that was restored, and records
    /// that it does not know what was used before `now`.
    fn end_unfinished(&self, now: Timestamp) -> Answering<'_, ()>;

    /// A secret that is sealed under the key ring; `None` if there is none yet.
    fn sealed(&self, which: Sealed) -> Answering<'_, Option<Vec<u8>>>;

    /// Compare-and-swap of a sealed secret: `false` if the stored one is not `before`.
    fn replace_sealed(
        &self,
        which: Sealed,
        before: Option<Vec<u8>>,
        after: Vec<u8>,
    ) -> Answering<'_, bool>;

    /// Removes a sealed secret: `false` if the stored one is not `before`.
    fn forget_sealed(&self, which: Sealed, before: Vec<u8>) -> Answering<'_, bool>;

    /// The proofs of rings that were given up.
    fn rings_given_up(&self) -> Answering<'_, Vec<Vec<u8>>>;

    /// Gives up the key ring of the proof `before`, if it is still the stored one, in favour of the
    /// ring of the proof `after`: ends every session and all tokens, forgets the sealed signing
    /// keys and [`Sealed::RingKeys`], and remembers the old proof and those `of_keys`. `false`, and
    /// nothing is changed, if another proof is stored.
    fn give_ring_up(
        &self,
        before: Vec<u8>,
        of_keys: Vec<Vec<u8>>,
        after: Vec<u8>,
        now: Timestamp,
    ) -> Answering<'_, bool>;

    /// Stores the users of another database. Those that are there already stay as they are.
    fn put_users(&self, users: Vec<User>) -> Answering<'_, ()>;

    /// Succeeds if the database answers and is written.
    fn check(&self) -> Answering<'_, ()>;

    /// The connections to a server of databases.
    fn connections(&self) -> Connections {
        Connections::default()
    }

    /// Finishes the writes under way, and closes the database: every later write fails.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The numbers of connections to a server of databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Those with a statement or a transaction, or that are being opened.
    pub in_use: u32,
    /// Those without.
    pub idle: u32,
    /// The greatest number of both.
    pub max: u32,
}

/// A new password that a user sets in a session.
#[derive(Debug)]
pub struct PasswordChange {
    /// The session, whose password was verified.
    pub session: Session,
    /// The id of the session afterwards.
    pub next: SecretHash,
    /// The hash of the new password.
    pub password: Arc<str>,
    /// The change of counts.
    pub recount: Recount,
}

/// A user who is removed.
#[derive(Clone, Copy, Debug)]
pub enum Removed<'a> {
    /// The user of this name.
    Named(&'a UserName),
    /// This user, if the password is still the same.
    Verified(&'a User),
}

impl<'a> Removed<'a> {
    /// The key of the name; the subject and the number of the password, if they must be these.
    pub(super) fn columns(self) -> (&'a str, Option<&'a str>, Option<i64>) {
        match self {
            Self::Named(name) => (name.key(), None, None),
            Self::Verified(user) => {
                (user.name.key(), Some(&user.subject), Some(user.password_number))
            }
        }
    }
}

/// A change of claims about a user. A pure function: a backend may call it again if its transaction has
/// to be repeated.
pub type ClaimsChange = Box<dyn Fn(&UserClaims) -> UserClaims + Send + Sync>;

/// The key of a count: a keyed digest.
pub type CountKey = [u8; 16];

/// A change of the counts of one attempt to sign in.
pub struct Recount {
    /// The keys of the counts.
    pub keys: Each<CountKey>,
    /// The counts after the change, from those before. A pure function: a backend may call it again
    /// if its transaction has to be repeated.
    pub change: Box<dyn Fn(&Recovery) -> Recovery + Send + Sync>,
}

impl fmt::Debug for Recount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recount").finish_non_exhaustive()
    }
}

/// The recorded issuer of a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedIssuer {
    /// The issuer.
    pub issuer: String,
    /// Whether the operator gave it; otherwise it follows the port.
    pub given: bool,
}

/// The settings of the provider on which clients depend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The scopes, each with its description.
    pub scopes: BTreeMap<String, String>,
    /// The APIs that tokens can be issued for.
    pub resources: Resources,
    /// The grants that are on.
    pub grant_types: GrantTypes,
    /// `true` if OAuth 1.0a is offered.
    pub oauth1: bool,
}

/// [`Backend::state`] of a store. Positions are those of all issuers.
pub(super) async fn state_of(store: &impl Part) -> Result<(RowId, i64), StoreError> {
    let told = store.changes(IssuerId(0), -1).await?;
    Ok((store.newest().await?, told.position))
}

/// [`Backend::reseal`] of a store.
pub(super) fn reseal_of<'a>(
    store: &'a impl Transfer,
    server: &'a AuthorizationServer,
    work: ResealWork,
    told: &'a mut (dyn FnMut(ResealProgress) + Send),
) -> Resealing<'a> {
    Box::pin(async move {
        let reseal = server.reseal(store);
        let mut reseal = match work {
            ResealWork::Seal => reseal,
            ResealWork::Count => reseal.only_count(),
        };
        let mut last = ResealProgress::default();
        while let Some(progress) = reseal.next().await? {
            last = progress;
            told(progress);
        }
        Ok(last)
    })
}
