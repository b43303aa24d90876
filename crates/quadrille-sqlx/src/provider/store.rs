//! The store.

use std::{fmt, sync::Arc};

use quadrille::{
    Env,
    provider::store::{
        AccessRecord, CodeRecord, FamilyRecord, Redeemed, Rotated, RowId, StoreError,
    },
};

use super::{
    StoreOptions,
    batches::Batches,
    consents::PuttingCode,
    database::Database,
    dialect::Dialect,
    lookups::Lookup,
    newest::Newest,
    news::Listening,
    revoking::BeforeGrant,
    tokens::{Issuing, Redeeming, Rotating},
};
use crate::pool::Pool;

/// The store of a provider on a pool of the application, which any number of processes may share:
/// [`PgStore`] or [`MySqlStore`].
///
/// Each verb is a statement or a transaction that says who won. Issued tokens, refreshes and redeemed
/// codes that wait at the same time are written together, and answered after the commit; look-ups of
/// tokens and codes that wait are one query. There is no timer. A transaction that lost to another one is run again, a bounded number of times. Each write
/// may remove a few expired rows.
///
/// It belongs to the Tokio runtime on which it was opened, as the pool does.
///
/// ```no_run
/// use quadrille::{Env, provider::AuthorizationServer};
/// use quadrille_sqlx::SqlStore;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::PgPool::connect("postgres://id@db.internal/id").await?;
/// let store = SqlStore::open(pool, Env::system()).await?;
/// let server = AuthorizationServer::new("https://id.example", store);
/// # Ok(())
/// # }
/// ```
///
/// [`PgStore`]: crate::PgStore
/// [`MySqlStore`]: crate::MySqlStore
pub struct SqlStore<E: Dialect> {
    pub(super) database: Database<E>,
    pub(super) issuing: Batches<Issuing, bool>,
    pub(super) putting_codes: Batches<PuttingCode, ()>,
    pub(super) redeeming: Batches<Redeeming, Redeemed>,
    pub(super) rotating: Batches<Rotating, Rotated>,
    pub(super) accesses: Batches<Lookup<AccessRecord>, Option<Arc<AccessRecord>>>,
    pub(super) families: Batches<Lookup<FamilyRecord>, Option<Arc<FamilyRecord>>>,
    /// The task that listens to other processes.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "MySQL announces nothing"))]
    pub(super) listening: Listening,
    pub(super) codes: Batches<Lookup<CodeRecord>, Option<Arc<CodeRecord>>>,
    pub(super) newest: Batches<Newest, RowId>,
    pub(super) before_grants: Batches<BeforeGrant, RowId>,
}

impl<E: Dialect + Pool> SqlStore<E> {
    /// Migrates the tables and opens the store.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a later version of this program wrote the tables, and those of the
    /// database.
    pub async fn open(pool: E, env: Env) -> Result<Self, StoreError> {
        let options = StoreOptions::new();
        options.migrate_with(&pool, &[]).await?;
        Self::open_with(pool, env, &options).await
    }

    /// Opens a store whose tables are migrated.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Older`], and those of the database.
    pub async fn open_with(pool: E, env: Env, options: &StoreOptions) -> Result<Self, StoreError> {
        options.check_with(&pool, &[]).await?;
        let database = Database::open(pool, env, options).await?;
        Ok(Self {
            issuing: Batches::start(&database),
            putting_codes: Batches::start(&database),
            redeeming: Batches::start(&database),
            rotating: Batches::start(&database),
            accesses: Batches::start(&database),
            families: Batches::start(&database),
            codes: Batches::start(&database),
            newest: Batches::start(&database),
            before_grants: Batches::start(&database),
            listening: Listening::default(),
            database,
        })
    }
}

impl<E: Dialect> SqlStore<E> {
    /// [`SqlStore::run`], and the removal of a few expired rows after it.
    pub(super) async fn write<T: Send + 'static, F>(
        &self,
        verb: impl FnOnce(Database<E>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (database, verb) = (self.database.clone(), verb(self.database.clone()));
        self.database
            .spawn(async move {
                let result = verb.await?;
                E::sweep_beside(&database, 1);
                Ok(result)
            })
            .await
    }

    /// Runs a verb on the store's runtime.
    pub(super) async fn run<T: Send + 'static, F>(
        &self,
        verb: impl FnOnce(Database<E>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.database.spawn(verb(self.database.clone())).await
    }
}

impl<E: Dialect> fmt::Debug for SqlStore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").finish_non_exhaustive()
    }
}
