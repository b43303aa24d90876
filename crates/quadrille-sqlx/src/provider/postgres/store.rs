//! The store.

use std::fmt;

use quadrille::{Env, provider::store::StoreError};
use sqlx::PgPool;

use super::{
    super::StoreOptions,
    batches::Batches,
    database::Database,
    tokens::{Issuing, Redeeming, Rotating},
};

/// A store in PostgreSQL, on the application's own pool, which any number of processes may share.
///
/// Each verb is one statement wherever one decides, and the statement returns who won. Issued
/// tokens, refreshes and redeemed codes that wait at the same time are written together, and
/// answered after the commit; there is no timer. A transaction that lost to another one is run
/// again, a bounded number of times. Each write may remove a few expired rows.
///
/// It belongs to the Tokio runtime on which it was opened, as the pool does.
///
/// ```no_run
/// use quadrille::{Env, provider::AuthorizationServer};
/// use quadrille_sqlx::PgStore;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::PgPool::connect("postgres://id@db.internal/id").await?;
/// let store = PgStore::open(pool, Env::system()).await?;
/// let server = AuthorizationServer::new("https://id.example", store);
/// # Ok(())
/// # }
/// ```
pub struct PgStore {
    pub(super) database: Database,
    pub(super) issuing: Batches<Issuing>,
    pub(super) redeeming: Batches<Redeeming>,
    pub(super) rotating: Batches<Rotating>,
}

impl PgStore {
    /// Migrates the tables and opens the store.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a later version of this program wrote the tables, and those of the
    /// database.
    pub async fn open(pool: PgPool, env: Env) -> Result<Self, StoreError> {
        let options = StoreOptions::new();
        options.migrate(&pool).await?;
        Self::open_with(pool, env, &options).await
    }

    /// Opens a store whose tables are migrated.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Older`], and those of the database.
    pub async fn open_with(
        pool: PgPool,
        env: Env,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        options.check(&pool).await?;
        let database = Database::open(pool, env, options).await?;
        Ok(Self {
            issuing: Batches::start(&database),
            redeeming: Batches::start(&database),
            rotating: Batches::start(&database),
            database,
        })
    }
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore").finish_non_exhaustive()
    }
}
