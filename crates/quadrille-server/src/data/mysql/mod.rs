//! A database of MariaDB or MySQL: the provider's store and the program's own tables, for any number of
//! processes.
//!
//! Neither returns rows of every statement that changes some, so a verb locks the rows, and then changes
//! them.

mod connect;
mod counts;
mod ended;
mod logos;
mod marks;
mod sealed;
mod sessions;
mod statements;
mod users;

use std::{pin::Pin, sync::Arc, time::Duration};

use quadrille::{Env, Timestamp, provider::store::StoreError};
use quadrille_sqlx::{Migrations, MySqlStore, StoreOptions};
use sqlx::MySqlPool;

use crate::config::Settings;

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
        include_str!("../../../migrations/mysql/0001_sealed.sql"),
        include_str!("../../../migrations/mysql/0002_program.sql"),
    ],
);

/// [`MIGRATIONS`] of a database into which data is moved. The first table that is made gets the mark
/// [`Sealed::Move`] of [`BEGUN`](super::opening::BEGUN) at once, so that no process serves them.
const MIGRATIONS_OF_MOVE: Migrations = Migrations::new(
    "program",
    &[
        concat!(
            include_str!("../../../migrations/mysql/0001_sealed.sql"),
            "INSERT IGNORE INTO quadrille_program_sealed (name, sealed) VALUES ('move', '');\n"
        ),
        include_str!("../../../migrations/mysql/0002_program.sql"),
    ],
);

/// A database of MariaDB or MySQL.
#[derive(Clone, Debug)]
pub struct MySqlBackend {
    store: Arc<MySqlStore>,
    pool: MySqlPool,
    /// Whether a commit waits for the disk.
    is_durable: bool,
}

impl MySqlBackend {
    /// Opens the database, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Older`] if tables must exist and there are none, and those of [`MySqlStore::open`].
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
        let Connected { pool, options, is_durable, .. } = connected;
        let store = Arc::new(MySqlStore::open_with(pool.clone(), env, &options).await?);
        Ok(Self { store, pool, is_durable })
    }

    /// The SQL of all tables, for operators who run it on their own.
    pub fn migrations_sql() -> String {
        StoreOptions::new().migrations_sql::<MySqlPool>() + &MIGRATIONS.sql::<MySqlPool>()
    }
}

/// Makes the tables, or brings them up to date.
async fn migrate(
    pool: &MySqlPool,
    options: &StoreOptions,
    opening: Opening,
) -> Result<(), StoreError> {
    if opening == Opening::Moved {
        // Before the tables of the store: without the program's, a process would make them.
        MIGRATIONS_OF_MOVE.run_for_store(pool).await?;
    }
    options.migrate_with(pool, &[MIGRATIONS]).await
}

server_backend!(MySqlBackend);

impl SharedBackend for MySqlBackend {
    fn join(&self, _: &Settings) -> Result<(), StoreError> {
        if !self.is_durable {
            tracing::warn!(
                "innodb_flush_log_at_trx_commit of the database is not 1: a crash of its machine loses what \
                 was answered, revocations, too"
            );
        }
        Ok(())
    }

    fn announced_after(
        &self,
        seen: u64,
        longest: Duration,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + '_>> {
        // These databases tell processes nothing.
        Box::pin(async move {
            tokio::time::sleep(longest).await;
            seen
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
        Box::pin(sealed::replace_unless_leased(&self.store, which, (before, after), now))
    }

    fn has_hashed_keys(&self) -> Answering<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }
}

#[cfg(test)]
mod tests;
