//! A database of PostgreSQL: the provider's store and the program's own tables, for any number of
//! processes.

mod connect;
mod counts;
mod ended;
mod logos;
mod marks;
mod opening;
mod replicas;
mod sealed;
mod sessions;
mod users;

use std::{pin::Pin, sync::Arc, time::Duration};

use quadrille::{
    Env, Timestamp,
    provider::{
        AuthorizationServer, IssuerError, ResealProgress,
        guessing::CountChange,
        store::{
            Grants as _, Issuers as _, KnownSince, Part as _, RowId, SecretHash, StoreError,
            StoredRow, StoredTable, Transfer as _,
        },
    },
};
use quadrille_sqlx::{Migrations, PgStore, StoreOptions, store_error};
use sqlx::{PgPool, Row as _};

use crate::{
    config::{ConnectionSettings, PostgresUrl, ReadFrom},
    sessions::{Ended, Session, SomeSessions},
    throttle::Recovery,
    users::{Added, User, UserName},
};

use super::cache::{self, Cache};
use super::{
    backend::{
        Answering, Backend, ClaimsChange, Connections, CountKey, Known, PasswordChange,
        RecordedIssuer, Recount, Removed, ResealWork, Resealing, reseal_of, state_of,
    },
    logos::{LogoKey, StoredLogo},
    sealed::Sealed,
};

pub(super) use connect::{Connected, connect};
pub(super) use opening::{BEGUN, Opening};

/// The program's own tables. Append, never change.
const MIGRATIONS: Migrations = Migrations::new(
    "program",
    &[
        include_str!("../../../migrations/postgres/0001_program.sql"),
        include_str!("../../../migrations/postgres/0002_ended_and_claims.sql"),
        include_str!("../../../migrations/postgres/0003_logos.sql"),
    ],
)
.way_back(include_str!("../../../migrations/postgres/0003_logos.back.sql"));

/// [`MIGRATIONS`] of a database into which data is moved. Tables that are made have the mark
/// [`Sealed::Move`] of [`BEGUN`] in the same transaction, so that no process serves them.
const MIGRATIONS_OF_MOVE: Migrations = Migrations::new(
    "program",
    &[
        concat!(
            include_str!("../../../migrations/postgres/0001_program.sql"),
            "INSERT INTO quadrille_program_sealed (name, sealed) VALUES ('move', '');\n"
        ),
        include_str!("../../../migrations/postgres/0002_ended_and_claims.sql"),
        include_str!("../../../migrations/postgres/0003_logos.sql"),
    ],
);

/// A database of PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresBackend {
    store: Arc<PgStore>,
    pool: PgPool,
    /// Whether a pooler in transaction mode stands before the database.
    is_pooled: bool,
}

impl PostgresBackend {
    /// Opens the database, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Older`] if tables must exist and there are none, and those of [`PgStore::open`].
    pub(super) async fn open(
        connected: Connected,
        env: Env,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        match connected.options.check_with(&connected.pool, &[MIGRATIONS]).await {
            Err(error @ StoreError::Older { found: 0, .. }) if opening == Opening::Existing => {
                return Err(error);
            }
            Err(StoreError::Older { .. }) => {
                let pool = connected.for_migrations();
                let migrated = migrate(&pool, &connected.options, opening).await;
                pool.close().await;
                migrated?;
            }
            checked => checked?,
        }
        let Connected { pool, options, is_pooled, .. } = connected;
        let store = Arc::new(PgStore::open_with(pool.clone(), env, &options).await?);
        Ok(Self { store, pool, is_pooled })
    }

    /// Whether the keys of the tables are hashed.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn has_hashed_keys(&self) -> Result<bool, StoreError> {
        let sql = "SELECT hashed_keys FROM quadrille_store_settings";
        let rows = self.store.fetch(sqlx::query(sql)).await?;
        let row = rows.first().ok_or(StoreError::Corrupt("the settings of the tables"))?;
        row.try_get(0).map_err(store_error)
    }

    /// Looks access tokens up in replicas.
    pub(super) fn read_from(
        &self,
        replicas: &ReadFrom,
        settings: &ConnectionSettings,
    ) -> Result<(), StoreError> {
        replicas::read_from(&self.store, replicas, settings)
    }

    /// Listens to what other processes change, by connections to the database at `direct` if that is
    /// another URL. Not through a pooler: announcements would come to others that share its connections,
    /// and break off their statements.
    pub(super) fn listen(&self, direct: Option<&PostgresUrl>) -> Result<(), StoreError> {
        match direct {
            Some(url) => self.store.listen_at(connect::options_of(url)?),
            None if self.is_pooled => tracing::info!(
                "changes of other processes are seen after half a second: a pooler stands before the \
                 database, and database_direct is not set"
            ),
            None => self.store.listen(),
        }
        Ok(())
    }

    /// Waits until another number of changes in the program's tables was heard of than `seen`, or for
    /// so long; returns the number.
    pub(super) async fn announced_after(&self, seen: u64, longest: Duration) -> u64 {
        tokio::time::timeout(longest, self.store.announced_after(seen)).await.unwrap_or(seen)
    }

    /// The number of processes that hold a lease of a worker number.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn leases(&self, now: Timestamp) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM quadrille_workers WHERE expires > $1";
        let rows = self.store.fetch(sqlx::query(sql).bind(now.millis())).await?;
        let row = rows.first().ok_or(StoreError::Corrupt("the number of leases"))?;
        row.try_get(0).map_err(store_error)
    }

    /// [`Backend::replace_sealed`], unless a process holds a lease, in one statement.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn replace_unless_leased(
        &self,
        which: Sealed,
        before: Vec<u8>,
        after: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let is_replaced =
            sealed::replace_unless_leased(&self.store, which, (before, after), now).await?;
        if is_replaced {
            self.store.announce().await;
        }
        Ok(is_replaced)
    }

    /// The SQL of all tables, for operators who run it on their own.
    pub fn migrations_sql(settings: &ConnectionSettings) -> String {
        connect::tables(settings).migrations_sql::<PgPool>() + &MIGRATIONS.sql::<PgPool>()
    }

    /// The SQL of the way back to the tables of the version before.
    pub fn migrations_back_sql() -> String {
        let own = MIGRATIONS.back_sql::<PgPool>().unwrap_or_default();
        let back = StoreOptions::new().migrations_back_sql::<PgPool>().unwrap_or_default();
        format!("BEGIN;\n{own}{back}COMMIT;\n")
    }
}

/// Makes the tables, or brings them up to date.
async fn migrate(
    pool: &PgPool,
    options: &StoreOptions,
    opening: Opening,
) -> Result<(), StoreError> {
    if opening == Opening::Moved {
        // Before the tables of the store: without the program's, a process would make them.
        MIGRATIONS_OF_MOVE.run_for_store(pool).await?;
    }
    options.migrate_with(pool, &[MIGRATIONS]).await
}

impl Backend for PostgresBackend {
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

    fn replace_hash<'a>(&'a self, user: &'a User, better: Arc<str>) -> Answering<'a, ()> {
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

    fn remove_user<'a>(&'a self, who: Removed<'a>, issuer: &'a str) -> Answering<'a, Option<User>> {
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

    fn end_sessions_of(&self, subject: Arc<str>, which: SomeSessions) -> Answering<'_, bool> {
        Box::pin(sessions::end_of(&self.store, subject, which))
    }

    fn lease_ended(&self, now: Timestamp, lease: Duration) -> Answering<'_, Vec<Ended>> {
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
            let is_replaced = sealed::replace(&self.store, which, before, after).await?;
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
            let is_given_up = sealed::give_ring_up(&self.store, before, of_keys, after, now);
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
        Connections { in_use: open - idle, idle, max: self.pool.options().get_max_connections() }
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.pool.close())
    }
}

#[cfg(test)]
mod tests;
