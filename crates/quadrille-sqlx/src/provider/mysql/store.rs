//! The store.

use std::fmt;

use quadrille::{Env, provider::store::StoreError};
use sqlx::MySqlPool;

use super::{super::StoreOptions, database::Database};

/// A store in MySQL (from 8.0) or MariaDB (from 10.6), on the application's own pool, which any
/// number of processes may share.
///
/// A verb is a transaction at the isolation level `READ COMMITTED`, whichever the pool has, and is
/// run again if it lost a deadlock, a bounded number of times. Each write may remove a few expired
/// rows. Ids of clients, subjects and issuers may have 1024 bytes.
///
/// It belongs to the Tokio runtime on which it was opened, as the pool does.
///
/// ```no_run
/// use quadrille::{Env, provider::AuthorizationServer};
/// use quadrille_sqlx::MySqlStore;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::MySqlPool::connect("mysql://id@db.internal/id").await?;
/// let store = MySqlStore::open(pool, Env::system()).await?;
/// let server = AuthorizationServer::new("https://id.example", store);
/// # Ok(())
/// # }
/// ```
pub struct MySqlStore {
    pub(super) database: Database,
}

impl MySqlStore {
    /// Migrates the tables and opens the store.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a later version of this program wrote the tables, and those of the
    /// database.
    pub async fn open(pool: MySqlPool, env: Env) -> Result<Self, StoreError> {
        let options = StoreOptions::new();
        options.migrate(&pool).await?;
        Self::open_with(pool, env, &options).await
    }

    /// Opens a store whose tables are migrated. Keys are never hashed.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Older`], and those of the database.
    pub async fn open_with(
        pool: MySqlPool,
        env: Env,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        options.check(&pool).await?;
        Ok(Self { database: Database::open(pool, env, options)? })
    }
}

impl fmt::Debug for MySqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlStore").finish_non_exhaustive()
    }
}
