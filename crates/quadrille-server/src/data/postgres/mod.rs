//! A database of PostgreSQL: the provider's store and the program's own tables, for any number of
//! processes.

mod connect;
mod counts;
mod ended;
mod logos;
mod marks;
mod replicas;
mod sealed;
mod sessions;
mod users;

use std::{pin::Pin, sync::Arc, time::Duration};

use quadrille::{Env, Timestamp, provider::store::StoreError};
use quadrille_sqlx::{Migrations, PgStore, StoreOptions};
use sqlx::PgPool;

use crate::config::{ConnectionSettings, DatabaseUrl, Settings};

use super::{
    backend::Answering,
    opening::Opening,
    sealed::Sealed,
    shared::{SharedBackend, server_backend},
};

pub(super) use connect::{Connected, connect};

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
/// [`Sealed::Move`] of [`BEGUN`](super::opening::BEGUN) in the same transaction, so that no process serves them.
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

    /// Listens to what other processes change, by connections to the database at `direct` if that is
    /// another URL. Not through a pooler: announcements would come to others that share its connections,
    /// and break off their statements.
    fn listen(&self, direct: Option<&DatabaseUrl>) -> Result<(), StoreError> {
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

server_backend!(PostgresBackend);

impl SharedBackend for PostgresBackend {
    fn join(&self, settings: &Settings) -> Result<(), StoreError> {
        self.listen(settings.database_direct.as_ref())?;
        replicas::read_from(&self.store, &settings.read_from, &settings.connection)
    }

    fn announced_after(
        &self,
        seen: u64,
        longest: Duration,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + '_>> {
        Box::pin(async move {
            tokio::time::timeout(longest, self.store.announced_after(seen)).await.unwrap_or(seen)
        })
    }

    fn leases(&self, now: Timestamp) -> Answering<'_, i64> {
        Box::pin(marks::leases(&self.store, now))
    }

    fn replace_unless_leased(
        &self,
        which: Sealed,
        before: Vec<u8>,
        after: Vec<u8>,
        now: Timestamp,
    ) -> Answering<'_, bool> {
        Box::pin(async move {
            let replaced = sealed::replace_unless_leased(&self.store, which, (before, after), now);
            let is_replaced = replaced.await?;
            if is_replaced {
                self.store.announce().await;
            }
            Ok(is_replaced)
        })
    }

    fn has_hashed_keys(&self) -> Answering<'_, bool> {
        Box::pin(marks::has_hashed_keys(&self.store))
    }
}

#[cfg(test)]
mod tests;
