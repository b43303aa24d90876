//! What an application may choose about the tables of a store.

use crate::{
    MigrateError, Prefix,
    migrate::{check, run_back, run_missing},
    plan::{Migration, Plan},
    pool::Pool,
    statements::Dialect,
};

/// The options of a store, for its migrations and its connections.
///
/// ```no_run
/// use quadrille::Env;
/// use quadrille_sqlx::{PgStore, StoreOptions};
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::PgPool::connect("postgres://id@pgbouncer.internal/id").await?;
/// let options = StoreOptions::new().without_prepared_statements();
/// options.migrate(&pool).await?;
/// let store = PgStore::open_with(pool, Env::system(), &options).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub(super) prefix: Prefix,
    pub(super) prepares: bool,
    hashed_keys: bool,
}

impl StoreOptions {
    /// The defaults: tables named `quadrille_...`, prepared statements, keys ordered by time.
    pub fn new() -> Self {
        Self { prefix: Prefix::default(), prepares: true, hashed_keys: false }
    }

    /// The prefix of the tables.
    #[must_use]
    pub fn prefix(mut self, prefix: Prefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// Statements are prepared anew for each transaction, as PgBouncer in transaction mode requires
    /// before version 1.21: each statement is in a transaction, which costs two more round trips.
    #[must_use]
    pub fn without_prepared_statements(mut self) -> Self {
        self.prepares = false;
        self
    }

    /// [`migrate`](Self::migrate) makes tables whose keys do not rise with time, for databases that
    /// divide a table by ranges of its keys (CockroachDB, YugabyteDB): otherwise all inserts go to
    /// the machine with the last range. Tables that exist keep their keys.
    #[must_use]
    pub fn hashed_keys(mut self) -> Self {
        self.hashed_keys = true;
        self
    }

    /// Creates or changes the tables if necessary. If there is nothing to do, it only reads.
    /// Several processes may call it at the same time.
    ///
    /// # Errors
    /// [`MigrateError::Newer`], which changes nothing; [`MigrateError::Storage`].
    pub async fn migrate<P: Pool>(&self, pool: &P) -> Result<(), MigrateError> {
        run_missing(&self.plan(P::DIALECT), pool).await
    }

    /// Checks that the tables are there and of this version, for applications that run
    /// [`migrations_sql`](Self::migrations_sql) on their own. Writes nothing.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub async fn check<P: Pool>(&self, pool: &P) -> Result<(), MigrateError> {
        check(&self.plan(P::DIALECT), pool).await
    }

    /// Changes the tables back to the version before this library's, for an earlier version of the
    /// program. What only the later version stores is lost; all else stays. Stop the processes of the
    /// later version first, since [`migrate`](Self::migrate) undoes it.
    ///
    /// # Errors
    /// [`MigrateError::Newer`], [`MigrateError::Older`] if the tables are older than the version
    /// before, [`MigrateError::First`]: nothing is changed; [`MigrateError::Storage`].
    pub async fn migrate_back<P: Pool>(&self, pool: &P) -> Result<(), MigrateError> {
        run_back(&self.plan(P::DIALECT), pool).await
    }

    /// The SQL of [`migrate_back`](Self::migrate_back), for those who run it on their own. `None` if
    /// there is no version before.
    pub fn migrations_back_sql<P: Pool>(&self) -> Option<String> {
        self.plan(P::DIALECT).back()
    }

    /// The SQL of all migrations with the version that each leaves behind, for those who run it on
    /// their own.
    ///
    /// ```
    /// use quadrille_sqlx::StoreOptions;
    ///
    /// let sql = StoreOptions::new().migrations_sql::<sqlx::PgPool>();
    /// assert!(sql.contains("CREATE TABLE quadrille_access_tokens"));
    /// ```
    pub fn migrations_sql<P: Pool>(&self) -> String {
        self.plan(P::DIALECT).sql()
    }

    fn plan(&self, dialect: Dialect) -> Plan {
        macro_rules! files {
            ($folder:literal) => {
                &[
                    (include_str!(concat!("../../migrations/store/", $folder, "/1.sql")), None),
                    (
                        include_str!(concat!("../../migrations/store/", $folder, "/2.sql")),
                        Some(include_str!(concat!(
                            "../../migrations/store/",
                            $folder,
                            "/2.back.sql"
                        ))),
                    ),
                ]
            };
        }
        let files: &[(&str, Option<&str>)] = match dialect {
            Dialect::Postgres => files!("postgres"),
            Dialect::MySql => files!("mysql"),
            // A provider has `SqliteStore`.
            Dialect::Sqlite => &[],
        };
        let hashed = if self.hashed_keys { "true" } else { "false" };
        let text = |file: &str| file.replace("{hashed_keys}", hashed);
        let files: Vec<_> = files
            .iter()
            .map(|(up, back)| Migration { up: text(up), back: back.map(text) })
            .collect();
        Plan::of(dialect, &self.prefix, "store_migrations", &files)
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self::new()
    }
}
