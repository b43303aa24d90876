//! Creating and changing the tables.

use quadrille::consumer::StorageError;
#[cfg(feature = "provider")]
use quadrille::provider::store::StoreError;

use crate::{
    fault::{again_after, is_conflict, is_without_tables, logged},
    plan::{Direction, Migration, Plan},
    pool::Pool,
    statements::Prefix,
    storage::SqlStorage,
};

/// The reason why the tables of a storage cannot be used.
///
/// ```
/// use quadrille_sqlx::MigrateError;
///
/// let error = MigrateError::Newer { found: 3, known: 2 };
/// assert!(error.to_string().contains("newer version"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// A newer version of this library has changed the tables.
    #[error("the tables are of a newer version of this program: {found}, and it knows {known}")]
    Newer {
        /// The version of the tables.
        found: i64,
        /// The version that this library knows.
        known: i64,
    },
    /// Migrations have not run; `found` is 0 without tables.
    #[error("the tables are of version {found}, and this program needs {known}: migrate them")]
    Older {
        /// The version of the tables.
        found: i64,
        /// The version that this library needs.
        known: i64,
    },
    /// The tables are of the first version, which has none before it.
    #[error("the tables are of the first version of this program")]
    First,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The migrations of tables of the application's own, beside those of this library: in order, each
/// run once, by one of the processes that call it at the same time. Their history is in a table of
/// their own, `quadrille_NAME_migrations`.
///
/// ```
/// use quadrille_sqlx::Migrations;
/// use sqlx::SqlitePool;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// const PHOTOS: Migrations =
///     Migrations::new("photos", &["CREATE TABLE photos (id INTEGER PRIMARY KEY, title TEXT);\n"]);
/// let pool = SqlitePool::connect("sqlite::memory:").await?;
/// PHOTOS.run(&pool).await?;
/// assert_eq!(PHOTOS.check(&pool).await, Ok(()));
/// assert!(PHOTOS.sql::<SqlitePool>().contains("CREATE TABLE photos"));
/// let back = PHOTOS.way_back("DROP TABLE photos;\n").back_sql::<SqlitePool>();
/// assert!(back.is_some_and(|back| back.contains("DROP TABLE photos")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    name: &'static str,
    scripts: &'static [&'static str],
    back: Option<&'static str>,
}

impl Migrations {
    /// The migrations of this name: letters, digits and underscores. Append scripts, never change
    /// them.
    pub const fn new(name: &'static str, scripts: &'static [&'static str]) -> Self {
        Self { name, scripts, back: None }
    }

    /// Sets the script that undoes the last of them.
    pub const fn way_back(mut self, script: &'static str) -> Self {
        self.back = Some(script);
        self
    }

    /// The SQL that undoes the last of them, with the version that it leaves behind. `None` without a
    /// [way back](Self::way_back).
    pub fn back_sql<P: Pool>(&self) -> Option<String> {
        self.plan::<P>().back()
    }

    /// Runs those that are missing. If there are none, it only reads.
    ///
    /// # Errors
    /// [`MigrateError::Newer`], which changes nothing; [`MigrateError::Storage`].
    pub async fn run<P: Pool>(&self, pool: &P) -> Result<(), MigrateError> {
        Ok(run_missing(&self.plan::<P>(), pool).await?)
    }

    /// [`run`](Self::run), with the error of the database: for tables that are there before those of a
    /// store.
    ///
    /// # Errors
    /// [`StoreError::Newer`], which changes nothing, and those of the database.
    #[cfg(feature = "provider")]
    pub async fn run_for_store<P: Pool>(&self, pool: &P) -> Result<(), StoreError> {
        Ok(run_missing(&self.plan::<P>(), pool).await?)
    }

    /// Checks that all of them have run. Writes nothing.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub async fn check<P: Pool>(&self, pool: &P) -> Result<(), MigrateError> {
        Ok(check(&self.plan::<P>(), pool).await?)
    }

    /// The SQL of all of them with the version that each leaves behind.
    pub fn sql<P: Pool>(&self) -> String {
        self.plan::<P>().sql()
    }

    pub(crate) fn plan<P: Pool>(&self) -> Plan {
        let history = format!("{}_migrations", self.name);
        let file = |up: &&'static str| Migration { up: *up, back: None };
        let mut files: Vec<_> = self.scripts.iter().map(file).collect();
        if let Some(last) = files.last_mut() {
            last.back = self.back;
        }
        Plan::of(P::DIALECT, &Prefix::default(), &history, &files)
    }
}

impl<P: Pool> SqlStorage<P> {
    /// Creates or changes the tables if necessary. Call it at each start: if there is nothing to
    /// do, it only reads. Several processes may call it at the same time.
    ///
    /// The history is in a table of this storage, beside the application's own migrations.
    ///
    /// # Errors
    /// [`MigrateError::Newer`], which changes nothing; [`MigrateError::Storage`].
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        Ok(run_missing(&self.plan(), &self.pool).await?)
    }

    /// Checks that the tables are there and of this version, for applications that run
    /// [`migrations_sql`](SqlStorage::migrations_sql) on their own. Writes nothing.
    ///
    /// ```
    /// use quadrille_sqlx::{MigrateError, SqliteStorage};
    /// use sqlx::SqlitePool;
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let storage = SqliteStorage::new(SqlitePool::connect("sqlite::memory:").await?);
    /// assert_eq!(storage.check().await, Err(MigrateError::Older { found: 0, known: 2 }));
    /// storage.migrate().await?;
    /// assert_eq!(storage.check().await, Ok(()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`MigrateError`].
    pub async fn check(&self) -> Result<(), MigrateError> {
        Ok(check(&self.plan(), &self.pool).await?)
    }

    /// The SQL of all migrations with the version that each leaves behind, for those who run it on
    /// their own. The migrations are separated by comments.
    ///
    /// ```
    /// use quadrille_sqlx::SqliteStorage;
    /// use sqlx::SqlitePool;
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let storage = SqliteStorage::new(SqlitePool::connect("sqlite::memory:").await?);
    /// let sql = storage.migrations_sql();
    /// assert!(sql.contains("CREATE TABLE quadrille_accounts"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn migrations_sql(&self) -> String {
        self.plan().sql()
    }

    /// Changes the tables back to the version before this library's, for an earlier version of the
    /// program. What only the later version stores is lost; all else stays. Stop the processes of the
    /// later version first, since [`migrate`](Self::migrate) undoes it.
    ///
    /// ```
    /// use quadrille_sqlx::{MigrateError, SqliteStorage};
    /// use sqlx::SqlitePool;
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let storage = SqliteStorage::new(SqlitePool::connect("sqlite::memory:").await?);
    /// storage.migrate().await?;
    /// storage.migrate_back().await?;
    /// assert_eq!(storage.check().await, Err(MigrateError::Older { found: 1, known: 2 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`MigrateError::Newer`], [`MigrateError::Older`] if the tables are older than the version
    /// before, [`MigrateError::First`]: nothing is changed; [`MigrateError::Storage`].
    pub async fn migrate_back(&self) -> Result<(), MigrateError> {
        Ok(run_back(&self.plan(), &self.pool).await?)
    }

    /// The SQL of [`migrate_back`](Self::migrate_back), for those who run it on their own. `None` if
    /// there is no version before.
    pub fn migrations_back_sql(&self) -> Option<String> {
        self.plan().back()
    }

    fn plan(&self) -> Plan {
        Plan::new(P::DIALECT, &self.prefix)
    }
}

/// The reason why tables cannot be used, with the error of the database.
pub(crate) enum Unmigrated {
    /// The tables are of another version.
    Tables(MigrateError),
    /// The database failed.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Unmigrated {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Unmigrated> for MigrateError {
    fn from(error: Unmigrated) -> Self {
        match error {
            Unmigrated::Tables(error) => error,
            Unmigrated::Database(error) => Self::Storage(logged("migrate", &error)),
        }
    }
}

/// Runs the migrations of a plan that are missing. If there are none, it only reads.
///
/// # Errors
/// [`MigrateError::Newer`], which changes nothing; those of the database.
pub(crate) async fn run_missing(plan: &Plan, pool: &impl Pool) -> Result<(), Unmigrated> {
    match check(plan, pool).await {
        Err(Unmigrated::Tables(MigrateError::Older { .. })) => {}
        other => return other,
    }
    let before = again_after(is_conflict, || pool.migrate(plan, Direction::Forward)).await?;
    is_known(before, plan)
}

/// Changes the tables of a plan from the known version to the one before. If they are of that one
/// already, it only reads.
///
/// # Errors
/// [`MigrateError`].
pub(crate) async fn run_back(plan: &Plan, pool: &impl Pool) -> Result<(), Unmigrated> {
    let before = plan.known - 1;
    let wrong = |error| Err(Unmigrated::Tables(error));
    match check(plan, pool).await {
        Ok(()) | Err(Unmigrated::Tables(MigrateError::Older { .. })) if plan.back().is_none() => {
            return wrong(MigrateError::First);
        }
        Err(Unmigrated::Tables(MigrateError::Older { found, .. })) if found == before => {
            return Ok(());
        }
        Err(Unmigrated::Tables(MigrateError::Older { found, .. })) => {
            return wrong(MigrateError::Older { found, known: before });
        }
        checked => checked?,
    }
    let before = again_after(is_conflict, || pool.migrate(plan, Direction::Back)).await?;
    is_known(before, plan)
}

/// Checks that the tables of a plan are there and of the known version.
///
/// # Errors
/// [`MigrateError`].
pub(crate) async fn check(plan: &Plan, pool: &impl Pool) -> Result<(), Unmigrated> {
    let found = again_after(is_conflict, || async {
        match pool.version(&plan.version).await {
            Err(error) if is_without_tables(&error) => Ok(0),
            found => found,
        }
    });
    let (found, known) = (found.await?, plan.known);
    match found < known {
        true => Err(Unmigrated::Tables(MigrateError::Older { found, known })),
        false => is_known(found, plan),
    }
}

fn is_known(found: i64, plan: &Plan) -> Result<(), Unmigrated> {
    match found > plan.known {
        true => Err(Unmigrated::Tables(MigrateError::Newer { found, known: plan.known })),
        false => Ok(()),
    }
}
