//! The embedded database: the provider's store and the program's own tables in one SQLite file.

mod counts;
mod ended;
mod logos;
mod marks;
mod sealed;
mod sessions;
mod users;

pub(super) use marks::issuer_in;
pub(super) use sealed::sealed_in;

use std::{path::Path, pin::Pin, sync::Arc, time::Duration};

use quadrille::{
    Env, Timestamp,
    provider::{
        AuthorizationServer, IssuerError, ResealProgress,
        guessing::CountChange,
        store::{
            Grants as _, Issuers as _, KnownSince, Part as _, RowId, SecretHash, SqliteStore,
            StoreError, StoredRow, StoredTable, Transfer as _,
        },
    },
};

use crate::{
    sessions::{Ended, Session, SomeSessions},
    throttle::Recovery,
    users::{Added, User, UserName},
};

use super::cache::{self, Cache};
use super::{
    backend::{
        Answering, Backend, ClaimsChange, CountKey, Known, PasswordChange, RecordedIssuer, Recount,
        Removed, ResealWork, Resealing, reseal_of, state_of,
    },
    logos::{LogoKey, StoredLogo},
    sealed::Sealed,
};

/// The program's own tables. Append, never change.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_program.sql"),
    include_str!("../../../migrations/sqlite/0002_served_with.sql"),
    include_str!("../../../migrations/sqlite/0003_sign_in.sql"),
    include_str!("../../../migrations/sqlite/0004_served_with_grants.sql"),
    include_str!("../../../migrations/sqlite/0005_sealed.sql"),
    include_str!("../../../migrations/sqlite/0006_ended_and_claims.sql"),
    include_str!("../../../migrations/sqlite/0007_logos.sql"),
];

/// The way back from the last of them.
const BACK: &str = include_str!("../../../migrations/sqlite/0007_logos.back.sql");

const NAMESPACE: &str = "program";

/// An SQLite file.
#[derive(Debug)]
pub struct SqliteBackend(Arc<SqliteStore>);

impl SqliteBackend {
    /// Opens the file, or makes it for this user only, and brings its tables up to date.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`].
    pub async fn open(path: &Path, env: Env) -> Result<Self, StoreError> {
        let store = SqliteStore::open(path, env)?;
        store.migrate(NAMESPACE, MIGRATIONS).await?;
        users::normalize(&store).await?;
        Ok(Self(Arc::new(store)))
    }

    /// The SQL of all tables, for operators who run it on their own.
    pub fn migrations_sql() -> String {
        SqliteStore::migrations_sql() + &SqliteStore::migrations_sql_of(NAMESPACE, MIGRATIONS)
    }

    /// The SQL of the way back to the tables of the version before.
    pub fn migrations_back_sql() -> String {
        let own = SqliteStore::migrations_back_sql_of(NAMESPACE, MIGRATIONS, BACK);
        own + &SqliteStore::migrations_back_sql()
    }

    /// Checks that no page of the database is damaged.
    pub(super) async fn check_pages(&self) -> Result<(), StoreError> {
        let check = "PRAGMA integrity_check(1)";
        let found = self.0.read(|connection| {
            Ok::<_, StoreError>(connection.query_row(check, [], |row| row.get::<_, String>(0))?)
        });
        match &*found.await? {
            "ok" => Ok(()),
            _ => Err(StoreError::Corrupt("its pages are damaged")),
        }
    }
}

impl Backend for SqliteBackend {
    fn server(
        &self,
        issuer: &str,
        cache: Option<Cache>,
    ) -> Result<AuthorizationServer, IssuerError> {
        cache::server(issuer, Arc::clone(&self.0), cache)
    }

    fn add_user(&self, user: User) -> Answering<'_, Added> {
        Box::pin(users::add(&self.0, user))
    }

    fn user_by_name<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>> {
        Box::pin(users::find(&self.0, "key", name.key()))
    }

    fn user_by_subject<'a>(&'a self, subject: &'a str) -> Answering<'a, Option<User>> {
        Box::pin(users::find(&self.0, "subject", subject))
    }

    fn users(&self) -> Answering<'_, Vec<User>> {
        Box::pin(users::all(&self.0))
    }

    fn has_users(&self) -> Answering<'_, bool> {
        Box::pin(users::any(&self.0))
    }

    fn replace_hash<'a>(&'a self, user: &'a User, better: Arc<str>) -> Answering<'a, ()> {
        Box::pin(users::replace_hash(&self.0, user, better))
    }

    fn set_password<'a>(
        &'a self,
        name: &'a UserName,
        password: Arc<str>,
    ) -> Answering<'a, Option<User>> {
        Box::pin(users::set_password(&self.0, name, password))
    }

    fn change_password(&self, change: PasswordChange) -> Answering<'_, bool> {
        Box::pin(users::change_password(&self.0, change))
    }

    fn change_claims<'a>(
        &'a self,
        subject: &'a str,
        change: ClaimsChange,
    ) -> Answering<'a, Option<User>> {
        Box::pin(users::change_claims(&self.0, subject, change))
    }

    fn remove_user<'a>(&'a self, who: Removed<'a>, issuer: &'a str) -> Answering<'a, Option<User>> {
        Box::pin(users::remove(&self.0, who, issuer))
    }

    fn open_session(
        &self,
        session: Session,
        replaces: Option<SecretHash>,
        recount: Recount,
    ) -> Answering<'_, bool> {
        Box::pin(sessions::open(&self.0, session, replaces, recount))
    }

    fn session<'a>(&'a self, id: &'a SecretHash) -> Answering<'a, Option<Session>> {
        Box::pin(sessions::find(&self.0, id))
    }

    fn sessions_of<'a>(&'a self, subject: &'a str) -> Answering<'a, Vec<Session>> {
        Box::pin(sessions::of(&self.0, subject))
    }

    fn session_used(&self, id: SecretHash, now: Timestamp) -> Answering<'_, ()> {
        Box::pin(sessions::used(&self.0, id, now))
    }

    fn join_session(&self, id: SecretHash, client: Arc<str>) -> Answering<'_, ()> {
        Box::pin(sessions::join(&self.0, id, client))
    }

    fn end_session(&self, id: SecretHash) -> Answering<'_, ()> {
        Box::pin(sessions::end(&self.0, id))
    }

    fn end_sessions_of(&self, subject: Arc<str>, which: SomeSessions) -> Answering<'_, bool> {
        Box::pin(self.0.write(move |transaction| ended::end_of(transaction, &subject, &which)))
    }

    fn lease_ended(&self, now: Timestamp, lease: Duration) -> Answering<'_, Vec<Ended>> {
        Box::pin(ended::lease(&self.0, now, lease))
    }

    fn forget_ended(&self, names: Vec<Arc<str>>) -> Answering<'_, ()> {
        Box::pin(ended::forget(&self.0, names))
    }

    fn logo<'a>(&'a self, which: LogoKey<'a>) -> Answering<'a, Option<StoredLogo>> {
        Box::pin(logos::find(&self.0, which))
    }

    fn put_logo(&self, logo: StoredLogo) -> Answering<'_, ()> {
        Box::pin(logos::put(&self.0, logo))
    }

    fn forget_logo<'a>(&'a self, url: &'a str) -> Answering<'a, ()> {
        Box::pin(logos::forget(&self.0, url))
    }

    fn clock(&self, now: Timestamp) -> Answering<'_, Timestamp> {
        Box::pin(async move { Ok(now) })
    }

    fn recount(&self, recount: Recount, now: Timestamp) -> Answering<'_, Recovery> {
        Box::pin(self.0.write(move |transaction| {
            let before = counts::change(transaction, &recount)?;
            counts::sweep(transaction, now)?;
            Ok(before)
        }))
    }

    fn count(
        &self,
        key: CountKey,
        change: CountChange,
        now: Timestamp,
    ) -> Answering<'_, Timestamp> {
        Box::pin(self.0.write(move |transaction| {
            let before = counts::change_one(transaction, &key, &change)?;
            counts::sweep(transaction, now)?;
            Ok(before)
        }))
    }

    fn issuer(&self) -> Answering<'_, Option<RecordedIssuer>> {
        Box::pin(marks::issuer(&self.0))
    }

    fn record_issuer(
        &self,
        recorded: RecordedIssuer,
        renamed_from: Option<String>,
    ) -> Answering<'_, ()> {
        Box::pin(marks::record_issuer(&self.0, recorded, renamed_from))
    }

    fn served_with(&self) -> Answering<'_, Option<Known>> {
        Box::pin(marks::served_with(&self.0))
    }

    fn record_served_with(&self, known: Known) -> Answering<'_, ()> {
        Box::pin(marks::record_served_with(&self.0, known))
    }

    fn mark(&self) -> Answering<'_, String> {
        Box::pin(marks::mark(&self.0))
    }

    fn rows<'a>(
        &'a self,
        issuer: &'a str,
        table: StoredTable,
        after: Option<StoredRow>,
        limit: u32,
    ) -> Answering<'a, Vec<StoredRow>> {
        Box::pin(async move {
            let issuer = self.0.issuer(issuer).await?;
            self.0.rows(issuer, table, after, limit).await
        })
    }

    fn put_rows<'a>(
        &'a self,
        issuer: &'a str,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> Answering<'a, u64> {
        Box::pin(async move {
            let issuer = self.0.issuer(issuer).await?;
            self.0.put_rows(issuer, table, rows).await
        })
    }

    fn reseal<'a>(
        &'a self,
        server: &'a AuthorizationServer,
        work: ResealWork,
        told: &'a mut (dyn FnMut(ResealProgress) + Send),
    ) -> Resealing<'a> {
        reseal_of(&*self.0, server, work, told)
    }

    fn newest(&self) -> Answering<'_, RowId> {
        Box::pin(self.0.newest())
    }

    fn state(&self) -> Answering<'_, (RowId, i64)> {
        Box::pin(state_of(&self.0))
    }

    fn raise_newest(&self, newest: RowId) -> Answering<'_, ()> {
        Box::pin(self.0.raise_newest(newest))
    }

    fn known_since(&self) -> Answering<'_, KnownSince> {
        Box::pin(self.0.uses_known_since())
    }

    fn raise_known_since(&self, since: KnownSince) -> Answering<'_, ()> {
        Box::pin(self.0.raise_known_since(since))
    }

    fn end_unfinished(&self, now: Timestamp) -> Answering<'_, ()> {
        Box::pin(self.0.write(move |transaction| {
            ended::end(transaction, "TRUE", [])?;
            SqliteStore::end_unfinished(transaction, now)
        }))
    }

    fn sealed(&self, which: Sealed) -> Answering<'_, Option<Vec<u8>>> {
        Box::pin(sealed::find(&self.0, which))
    }

    fn replace_sealed(
        &self,
        which: Sealed,
        before: Option<Vec<u8>>,
        after: Vec<u8>,
    ) -> Answering<'_, bool> {
        Box::pin(sealed::replace(&self.0, which, before, after))
    }

    fn forget_sealed(&self, which: Sealed, before: Vec<u8>) -> Answering<'_, bool> {
        Box::pin(sealed::forget(&self.0, which, before))
    }

    fn rings_given_up(&self) -> Answering<'_, Vec<Vec<u8>>> {
        Box::pin(sealed::rings_given_up(&self.0))
    }

    fn give_ring_up(
        &self,
        before: Vec<u8>,
        of_keys: Vec<Vec<u8>>,
        after: Vec<u8>,
        now: Timestamp,
    ) -> Answering<'_, bool> {
        Box::pin(sealed::give_ring_up(&self.0, before, of_keys, after, now))
    }

    fn put_users(&self, users: Vec<User>) -> Answering<'_, ()> {
        Box::pin(users::put(&self.0, users))
    }

    fn check(&self) -> Answering<'_, ()> {
        Box::pin(marks::check(&self.0))
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let store = Arc::clone(&self.0);
        Box::pin(async move {
            // The wait for the last commit must not block other tasks.
            let _ = tokio::task::spawn_blocking(move || store.close()).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::data::tests::contract::backend_contract!(async |folder: &Path| {
        SqliteBackend::open(&folder.join("quadrille.db"), Env::system()).await
    });
}
