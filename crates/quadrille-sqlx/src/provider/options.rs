//! What an application may choose about the tables of a store.

use std::{sync::Arc, time::Duration};

use quadrille::provider::store::StoreError;

use super::engine::Way;
use crate::{
    MigrateError, Migrations, Prefix,
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
    pub(super) way: Way,
    pub(super) settings: Arc<str>,
    hashed_keys: bool,
}

/// The longest time until a statement is answered, unless the application says otherwise.
const LIMIT: Duration = Duration::from_secs(15);

impl StoreOptions {
    /// The defaults: tables named `quadrille_...`, prepared statements, 15 seconds for each of them,
    /// keys ordered by time.
    pub fn new() -> Self {
        let way = Way { prepares: true, limit: LIMIT };
        Self { prefix: Prefix::default(), way, settings: "".into(), hashed_keys: false }
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
        self.way.prepares = false;
        self
    }

    /// The longest time until a statement is answered. Then its connection is closed, and the verb
    /// fails with [`StoreError::Unavailable`]:
    /// where a network drops packets, no answer would come for many minutes. Let the server give up
    /// first, by `statement_timeout` or `max_statement_time`.
    ///
    /// A rotation of a refresh token that its database begins later than this does nothing, so that
    /// [`Policy::refresh_repeat_window`](quadrille::Policy::refresh_repeat_window) can be long enough
    /// for a client that was told an error: ten seconds longer than this limit at least.
    #[must_use]
    pub fn statement_limit(mut self, limit: Duration) -> Self {
        self.way.limit = limit;
        self
    }

    /// Statements of PostgreSQL for the beginning of each transaction, such as
    /// `SET LOCAL lock_timeout = '2s'`, where a pooler in transaction mode keeps no settings of a
    /// session. The text is run as it is. With [`without_prepared_statements`](Self::without_prepared_statements) every
    /// statement of the store is in a transaction.
    #[must_use]
    pub fn settings_of_transactions(mut self, sql: impl Into<Arc<str>>) -> Self {
        self.settings = sql.into();
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
        Ok(run_missing(&self.plan(P::DIALECT), pool).await?)
    }

    /// Checks that the tables are there and of this version, for applications that run
    /// [`migrations_sql`](Self::migrations_sql) on their own. Writes nothing.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub async fn check<P: Pool>(&self, pool: &P) -> Result<(), MigrateError> {
        Ok(check(&self.plan(P::DIALECT), pool).await?)
    }

    /// [`migrate`](Self::migrate), and the migrations of the application's own tables after it, with
    /// the error of the database.
    ///
    /// # Errors
    /// [`StoreError::Newer`], which changes nothing, and those of the database.
    pub async fn migrate_with<P: Pool>(
        &self,
        pool: &P,
        own: &[Migrations],
    ) -> Result<(), StoreError> {
        run_missing(&self.plan(P::DIALECT), pool).await?;
        for migrations in own {
            run_missing(&migrations.plan::<P>(), pool).await?;
        }
        Ok(())
    }

    /// [`check`](Self::check), and that of the application's own tables after it, with the error of
    /// the database. Writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Older`], [`StoreError::Newer`], and those of the database.
    pub async fn check_with<P: Pool>(
        &self,
        pool: &P,
        own: &[Migrations],
    ) -> Result<(), StoreError> {
        check(&self.plan(P::DIALECT), pool).await?;
        for migrations in own {
            check(&migrations.plan::<P>(), pool).await?;
        }
        Ok(())
    }

    /// Changes the tables back to the version before this library's, for an earlier version of the
    /// program. What only the later version stores is lost; all else stays. Stop the processes of the
    /// later version first, since [`migrate`](Self::migrate) undoes it.
    ///
    /// # Errors
    /// [`MigrateError::Newer`], [`MigrateError::Older`] if the tables are older than the version
    /// before, [`MigrateError::First`]: nothing is changed; [`MigrateError::Storage`].
    pub async fn migrate_back<P: Pool>(&self, pool: &P) -> Result<(), MigrateError> {
        Ok(run_back(&self.plan(P::DIALECT), pool).await?)
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
                    (
                        include_str!(concat!("../../migrations/store/", $folder, "/3.sql")),
                        Some(include_str!(concat!(
                            "../../migrations/store/",
                            $folder,
                            "/3.back.sql"
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
