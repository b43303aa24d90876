//! A database of PostgreSQL: the provider's store and the program's own tables, for any number of
//! processes.

mod connect;
mod counts;
mod marks;
mod sealed;
mod sessions;
mod users;

use std::{pin::Pin, sync::Arc};

use quadrille::{
    Env, Timestamp,
    provider::{
        AuthorizationServer, IssuerError,
        store::{
            Grants as _, Issuers as _, KnownSince, Part as _, RowId, SecretHash, StoreError,
            StoredRow, StoredTable, Transfer as _,
        },
    },
};
use quadrille_sqlx::{MigrateError, Migrations, PgStore, StoreOptions, store_error};
use sqlx::PgPool;

use crate::{
    sessions::Session,
    throttle::Recovery,
    users::{Added, User, UserName},
};

use super::backend::{Answering, Backend, Known, RecordedIssuer, Recount};

pub(super) use connect::connect;
pub(super) use sealed::Sealed;

/// The program's own tables. Append, never change.
const MIGRATIONS: Migrations =
    Migrations::new("program", &[include_str!("../../../migrations/postgres/0001_program.sql")]);

/// A database of PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresBackend {
    store: Arc<PgStore>,
    pool: PgPool,
}

impl PostgresBackend {
    /// Opens the database, and brings its tables up to date.
    ///
    /// # Errors
    /// Those of [`PgStore::open`].
    pub async fn open(pool: PgPool, env: Env) -> Result<Self, StoreError> {
        let options = StoreOptions::new();
        options.migrate(&pool).await?;
        MIGRATIONS.run(&pool).await?;
        let store = Arc::new(PgStore::open_with(pool.clone(), env, &options).await?);
        Ok(Self { store, pool })
    }

    /// Opens the database unless it has no tables.
    ///
    /// # Errors
    /// [`StoreError::Older`] without tables, and those of [`open`](Self::open).
    pub async fn open_existing(pool: PgPool, env: Env) -> Result<Self, StoreError> {
        match MIGRATIONS.check(&pool).await {
            Err(error @ MigrateError::Older { found: 0, .. }) => Err(error.into()),
            _ => Self::open(pool, env).await,
        }
    }

    /// The number of processes that hold a lease of a worker number.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn leases(&self, now: Timestamp) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM quadrille_workers WHERE expires > $1";
        let leases = sqlx::query_scalar(sql).bind(now.millis()).fetch_one(&self.pool);
        leases.await.map_err(store_error)
    }

    /// The SQL of all tables, for operators who run it on their own.
    pub fn migrations_sql() -> String {
        StoreOptions::new().migrations_sql::<PgPool>() + &MIGRATIONS.sql::<PgPool>()
    }
}

impl Backend for PostgresBackend {
    fn server(&self, issuer: &str) -> Result<AuthorizationServer, IssuerError> {
        AuthorizationServer::new(issuer, Arc::clone(&self.store))
    }

    fn add_user(&self, user: User) -> Answering<'_, Added> {
        Box::pin(users::add(&self.store, user))
    }

    fn user_by_name<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>> {
        Box::pin(users::by_name(&self.pool, name))
    }

    fn user_by_subject<'a>(&'a self, subject: &'a str) -> Answering<'a, Option<User>> {
        Box::pin(users::by_subject(&self.pool, subject))
    }

    fn users(&self) -> Answering<'_, Vec<User>> {
        Box::pin(users::all(&self.pool))
    }

    fn has_users(&self) -> Answering<'_, bool> {
        Box::pin(users::any(&self.pool))
    }

    fn replace_hash<'a>(&'a self, user: &'a User, better: Arc<str>) -> Answering<'a, ()> {
        Box::pin(users::replace_hash(&self.pool, user, better))
    }

    fn set_password<'a>(
        &'a self,
        name: &'a UserName,
        password: Arc<str>,
    ) -> Answering<'a, Option<User>> {
        Box::pin(users::set_password(&self.store, name, password))
    }

    fn remove_user<'a>(
        &'a self,
        name: &'a UserName,
        issuer: &'a str,
    ) -> Answering<'a, Option<User>> {
        Box::pin(users::remove(&self.store, name, issuer))
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
        Box::pin(sessions::find(&self.pool, id))
    }

    fn sessions_of<'a>(&'a self, subject: &'a str) -> Answering<'a, Vec<Session>> {
        Box::pin(sessions::of(&self.pool, subject))
    }

    fn session_used(&self, id: SecretHash, now: Timestamp) -> Answering<'_, ()> {
        Box::pin(sessions::used(&self.pool, id, now))
    }

    fn end_session(&self, id: SecretHash) -> Answering<'_, ()> {
        Box::pin(sessions::end(&self.pool, id))
    }

    fn end_sessions_of(&self, subject: Arc<str>) -> Answering<'_, ()> {
        Box::pin(sessions::end_all(&self.pool, subject))
    }

    fn recount(&self, recount: Recount, now: Timestamp) -> Answering<'_, Recovery> {
        Box::pin(counts::recount(&self.store, recount, now))
    }

    fn issuer(&self) -> Answering<'_, Option<RecordedIssuer>> {
        Box::pin(marks::issuer(&self.pool))
    }

    fn record_issuer(
        &self,
        recorded: RecordedIssuer,
        renamed_from: Option<String>,
    ) -> Answering<'_, ()> {
        Box::pin(marks::record_issuer(&self.store, recorded, renamed_from))
    }

    fn served_with(&self) -> Answering<'_, Option<Known>> {
        Box::pin(marks::served_with(&self.pool))
    }

    fn record_served_with(&self, known: Known) -> Answering<'_, ()> {
        Box::pin(marks::record_served_with(&self.pool, known))
    }

    fn mark(&self) -> Answering<'_, String> {
        Box::pin(marks::mark(&self.pool))
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

    fn newest(&self) -> Answering<'_, RowId> {
        Box::pin(self.store.newest())
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
                let delete = sqlx::query("DELETE FROM quadrille_program_sessions");
                delete.execute(transaction.connection()).await?;
                Ok(transaction.end_unfinished(now).await?)
            })
        }))
    }

    fn put_users(&self, users: Vec<User>) -> Answering<'_, ()> {
        Box::pin(users::put(&self.store, users))
    }

    fn check(&self) -> Answering<'_, ()> {
        Box::pin(marks::check(&self.pool))
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.pool.close())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::PostgresUrl, data::tests::servers};

    async fn pool(url: &str) -> PgPool {
        connect(&PostgresUrl::parse(url).unwrap(), 2).await.unwrap()
    }

    #[tokio::test]
    async fn a_commit_waits_for_the_disk_where_the_database_says_otherwise() {
        let url = servers::postgres_database();
        for (options, expected) in [
            ("?options=-c%20synchronous_commit%3Doff", "on"),
            ("?options=-c%20synchronous_commit%3Dremote_write", "remote_write"),
            ("", "on"),
        ] {
            let pool = pool(&[&url, options].concat()).await;
            let setting = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&pool);
            let setting: String = setting.await.unwrap();
            assert_eq!(setting, expected, "{options}");
        }
    }

    #[tokio::test]
    async fn a_database_that_may_not_be_written_is_not_ready() {
        let url = servers::postgres_database();
        marks::check(&pool(&url).await).await.unwrap();
        let only = "?options=-c%20default_transaction_read_only%3Don";
        let checked = marks::check(&pool(&[&url, only].concat()).await).await;
        assert!(matches!(checked, Err(StoreError::ReadOnly)), "{checked:?}");
    }

    crate::data::tests::contract::backend_contract!(async |_| {
        let url = PostgresUrl::parse(&servers::postgres_database()).unwrap();
        PostgresBackend::open(connect(&url, 8).await?, Env::system()).await
    });
}
