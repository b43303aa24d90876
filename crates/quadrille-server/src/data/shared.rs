//! Databases on a server, which any number of processes share.

use std::{pin::Pin, time::Duration};

use quadrille::{Timestamp, provider::store::StoreError};

use super::{
    backend::{Answering, Backend},
    sealed::Sealed,
};
use crate::config::Settings;

/// A database on a server: what processes need that share one.
pub trait SharedBackend: Backend {
    /// Hears at once what other processes change, and looks tokens up in replicas, where the database can:
    /// for a process that serves.
    ///
    /// # Errors
    /// [`StoreError::Failed`] for a URL that does not fit.
    fn join(&self, settings: &Settings) -> Result<(), StoreError>;

    /// Waits until another number of changes in the program's tables was heard of than `seen`, or for
    /// so long; returns the number.
    fn announced_after(
        &self,
        seen: u64,
        longest: Duration,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + '_>>;

    /// The number of processes that hold a lease of a worker number.
    fn leases(&self, now: Timestamp) -> Answering<'_, i64>;

    /// [`Backend::replace_sealed`], unless a process holds a lease, in one statement.
    fn replace_unless_leased(
        &self,
        which: Sealed,
        before: Vec<u8>,
        after: Vec<u8>,
        now: Timestamp,
    ) -> Answering<'_, bool>;

    /// Whether the keys of the tables are hashed, where that is a choice.
    fn has_hashed_keys(&self) -> Answering<'_, bool>;
}

/// Implements [`Backend`] for a database on a server, by the statements in the modules beside it: `counts`,
/// `ended`, `logos`, `marks`, `sealed`, `sessions` and `users`.
macro_rules! server_backend {
    ($backend:ty) => {
        const _: () = {
            use std::{pin::Pin, sync::Arc, time::Duration};

            use quadrille::{
                Timestamp,
                provider::{
                    AuthorizationServer, IssuerError, ResealProgress,
                    guessing::CountChange,
                    store::{
                        Grants as _, Issuers as _, KnownSince, Part as _, RowId, SecretHash,
                        StoredRow, StoredTable, Transfer as _,
                    },
                },
            };

            use super::{
                backend::{
                    Answering, Backend, ClaimsChange, Connections, CountKey, Known, PasswordChange,
                    RecordedIssuer, Recount, Removed, ResealWork, Resealing, reseal_of, state_of,
                },
                cache::{self, Cache},
                logos::{LogoKey, StoredLogo},
                sealed::Sealed,
            };
            use crate::{
                sessions::{Ended, Session, SomeSessions},
                throttle::Recovery,
                users::{Added, User, UserName},
            };

            impl Backend for $backend {
                fn server(
                    &self,
                    issuer: &str,
                    cache: Option<Cache>,
                ) -> Result<AuthorizationServer, IssuerError> {
                    cache::server(issuer, Arc::clone(&self.store), cache)
                }

                fn add_user(&self, user: User) -> Answering<'_, Added> {
                    Box::pin(users::add(&self.store, user))
                }

                fn user_by_name<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>> {
                    Box::pin(users::by_name(&self.store, name))
                }

                fn user_by_subject<'a>(&'a self, subject: &'a str) -> Answering<'a, Option<User>> {
                    Box::pin(users::by_subject(&self.store, subject))
                }

                fn users(&self) -> Answering<'_, Vec<User>> {
                    Box::pin(users::all(&self.store))
                }

                fn has_users(&self) -> Answering<'_, bool> {
                    Box::pin(users::any(&self.store))
                }

                fn replace_hash<'a>(
                    &'a self,
                    user: &'a User,
                    better: Arc<str>,
                ) -> Answering<'a, ()> {
                    Box::pin(users::replace_hash(&self.store, user, better))
                }

                fn set_password<'a>(
                    &'a self,
                    name: &'a UserName,
                    password: Arc<str>,
                ) -> Answering<'a, Option<User>> {
                    Box::pin(users::set_password(&self.store, name, password))
                }

                fn change_password(&self, change: PasswordChange) -> Answering<'_, bool> {
                    Box::pin(users::change_password(&self.store, change))
                }

                fn change_claims<'a>(
                    &'a self,
                    subject: &'a str,
                    change: ClaimsChange,
                ) -> Answering<'a, Option<User>> {
                    Box::pin(users::change_claims(&self.store, subject, change))
                }

                fn remove_user<'a>(
                    &'a self,
                    who: Removed<'a>,
                    issuer: &'a str,
                ) -> Answering<'a, Option<User>> {
                    Box::pin(users::remove(&self.store, who, issuer))
                }

                fn open_session(
                    &self,
                    session: Session,
                    replaces: Option<SecretHash>,
                    recount: Recount,
                ) -> Answering<'_, bool> {
                    Box::pin(sessions::open(&self.store, session, replaces, recount))
                }

                fn session<'a>(&'a self, id: &'a SecretHash) -> Answering<'a, Option<Session>> {
                    Box::pin(sessions::find(&self.store, id))
                }

                fn sessions_of<'a>(&'a self, subject: &'a str) -> Answering<'a, Vec<Session>> {
                    Box::pin(sessions::of(&self.store, subject))
                }

                fn session_used(&self, id: SecretHash, now: Timestamp) -> Answering<'_, ()> {
                    Box::pin(sessions::used(&self.store, id, now))
                }

                fn join_session(&self, id: SecretHash, client: Arc<str>) -> Answering<'_, ()> {
                    Box::pin(sessions::join(&self.store, id, client))
                }

                fn end_session(&self, id: SecretHash) -> Answering<'_, ()> {
                    Box::pin(sessions::end(&self.store, id))
                }

                fn end_sessions_of(
                    &self,
                    subject: Arc<str>,
                    which: SomeSessions,
                ) -> Answering<'_, bool> {
                    Box::pin(sessions::end_of(&self.store, subject, which))
                }

                fn lease_ended(
                    &self,
                    now: Timestamp,
                    lease: Duration,
                ) -> Answering<'_, Vec<Ended>> {
                    Box::pin(ended::lease(&self.store, now, lease))
                }

                fn forget_ended(&self, names: Vec<Arc<str>>) -> Answering<'_, ()> {
                    Box::pin(ended::forget(&self.store, names))
                }

                fn logo<'a>(&'a self, which: LogoKey<'a>) -> Answering<'a, Option<StoredLogo>> {
                    Box::pin(logos::find(&self.store, which))
                }

                fn put_logo(&self, logo: StoredLogo) -> Answering<'_, ()> {
                    Box::pin(logos::put(&self.store, logo))
                }

                fn forget_logo<'a>(&'a self, url: &'a str) -> Answering<'a, ()> {
                    Box::pin(logos::forget(&self.store, url))
                }

                fn clock(&self, _: Timestamp) -> Answering<'_, Timestamp> {
                    Box::pin(self.store.server_time())
                }

                fn recount(&self, recount: Recount, now: Timestamp) -> Answering<'_, Recovery> {
                    Box::pin(counts::recount(&self.store, recount, now))
                }

                fn count(
                    &self,
                    key: CountKey,
                    change: CountChange,
                    now: Timestamp,
                ) -> Answering<'_, Timestamp> {
                    Box::pin(counts::count(&self.store, key, change, now))
                }

                fn issuer(&self) -> Answering<'_, Option<RecordedIssuer>> {
                    Box::pin(marks::issuer(&self.store))
                }

                fn record_issuer(
                    &self,
                    recorded: RecordedIssuer,
                    renamed_from: Option<String>,
                ) -> Answering<'_, ()> {
                    Box::pin(async move {
                        marks::record_issuer(&self.store, recorded, renamed_from).await?;
                        self.store.announce().await;
                        Ok(())
                    })
                }

                fn served_with(&self) -> Answering<'_, Option<Known>> {
                    Box::pin(marks::served_with(&self.store))
                }

                fn record_served_with(&self, known: Known) -> Answering<'_, ()> {
                    Box::pin(marks::record_served_with(&self.store, known))
                }

                fn mark(&self) -> Answering<'_, String> {
                    Box::pin(marks::mark(&self.store))
                }

                fn rows<'a>(
                    &'a self,
                    issuer: &'a str,
                    table: StoredTable,
                    after: Option<StoredRow>,
                    limit: u32,
                ) -> Answering<'a, Vec<StoredRow>> {
                    Box::pin(async move {
                        let issuer = self.store.issuer(issuer).await?;
                        self.store.rows(issuer, table, after, limit).await
                    })
                }

                fn put_rows<'a>(
                    &'a self,
                    issuer: &'a str,
                    table: StoredTable,
                    rows: Vec<StoredRow>,
                ) -> Answering<'a, u64> {
                    Box::pin(async move {
                        let issuer = self.store.issuer(issuer).await?;
                        self.store.put_rows(issuer, table, rows).await
                    })
                }

                fn reseal<'a>(
                    &'a self,
                    server: &'a AuthorizationServer,
                    work: ResealWork,
                    told: &'a mut (dyn FnMut(ResealProgress) + Send),
                ) -> Resealing<'a> {
                    reseal_of(&*self.store, server, work, told)
                }

                fn newest(&self) -> Answering<'_, RowId> {
                    Box::pin(self.store.newest())
                }

                fn state(&self) -> Answering<'_, (RowId, i64)> {
                    Box::pin(state_of(&*self.store))
                }

                fn raise_newest(&self, newest: RowId) -> Answering<'_, ()> {
                    Box::pin(self.store.raise_newest(newest))
                }

                fn known_since(&self) -> Answering<'_, KnownSince> {
                    Box::pin(self.store.uses_known_since())
                }

                fn raise_known_since(&self, since: KnownSince) -> Answering<'_, ()> {
                    Box::pin(self.store.raise_known_since(since))
                }

                fn end_unfinished(&self, now: Timestamp) -> Answering<'_, ()> {
                    Box::pin(self.store.transaction(move |transaction| {
                        Box::pin(async move {
                            ended::end_all(transaction).await?;
                            Ok(transaction.end_unfinished(now).await?)
                        })
                    }))
                }

                fn sealed(&self, which: Sealed) -> Answering<'_, Option<Vec<u8>>> {
                    Box::pin(sealed::find(&self.store, which))
                }

                fn replace_sealed(
                    &self,
                    which: Sealed,
                    before: Option<Vec<u8>>,
                    after: Vec<u8>,
                ) -> Answering<'_, bool> {
                    Box::pin(async move {
                        let is_replaced =
                            sealed::replace(&self.store, which, before, after).await?;
                        if is_replaced {
                            self.store.announce().await;
                        }
                        Ok(is_replaced)
                    })
                }

                fn forget_sealed(&self, which: Sealed, before: Vec<u8>) -> Answering<'_, bool> {
                    Box::pin(sealed::forget(&self.store, which, before))
                }

                fn rings_given_up(&self) -> Answering<'_, Vec<Vec<u8>>> {
                    Box::pin(sealed::rings_given_up(&self.store))
                }

                fn give_ring_up(
                    &self,
                    before: Vec<u8>,
                    of_keys: Vec<Vec<u8>>,
                    after: Vec<u8>,
                    now: Timestamp,
                ) -> Answering<'_, bool> {
                    Box::pin(async move {
                        let is_given_up =
                            sealed::give_ring_up(&self.store, before, of_keys, after, now);
                        let is_given_up = is_given_up.await?;
                        if is_given_up {
                            self.store.announce().await;
                        }
                        Ok(is_given_up)
                    })
                }

                fn put_users(&self, users: Vec<User>) -> Answering<'_, ()> {
                    Box::pin(users::put(&self.store, users))
                }

                fn check(&self) -> Answering<'_, ()> {
                    Box::pin(marks::check(&self.store))
                }

                fn connections(&self) -> Connections {
                    let (open, idle) = (self.pool.size(), self.pool.num_idle());
                    let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(open);
                    Connections {
                        in_use: open - idle,
                        idle,
                        max: self.pool.options().get_max_connections(),
                    }
                }

                fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
                    Box::pin(self.pool.close())
                }
            }
        };
    };
}
pub(super) use server_backend;
