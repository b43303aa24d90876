//! The databases of the tests: each test has its own.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use quadrille::consumer::{Context, Progress, StorageError, TokenStorage, users::UserStorage};
use quadrille_sqlx::{
    MigrateError, MySqlStorage, MySqlUsers, PgStorage, PgUsers, Prefix, SqlStorage, SqlUsers,
    SqliteStorage, SqliteUsers,
};
use sqlx::{
    AssertSqlSafe, Connection as _, MySqlConnection, MySqlPool, PgConnection, PgPool,
    SqliteConnection, SqlitePool,
    mysql::MySqlPoolOptions,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

use crate::servers;

/// A database of one test.
pub(crate) trait Database: Sized + Send + Sync + 'static {
    type Storage: Storage;
    type Users: UserStorage + Clone;
    /// The type of bytes.
    const BYTES: &str;

    /// A new database, without tables.
    fn new() -> impl Future<Output = Self> + Send;
    /// A storage with a pool of its own, as another process has.
    fn open(&self) -> impl Future<Output = Self::Storage> + Send;
    /// [`Database::open`] with a prefix for the tables.
    fn open_with(&self, prefix: &str) -> impl Future<Output = Self::Storage> + Send;
    /// A storage of users, with a pool of its own.
    fn open_users(&self) -> impl Future<Output = Self::Users> + Send;
    /// A storage whose statements may not write.
    fn open_read_only(&self) -> impl Future<Output = Self::Storage> + Send;
    /// Runs statements.
    fn run(&self, sql: &str) -> impl Future<Output = ()> + Send;
    /// The numbers of a query.
    fn numbers(&self, sql: &str) -> impl Future<Output = Vec<i64>> + Send;
    /// The only value of a query.
    fn bytes(&self, sql: &str) -> impl Future<Output = Vec<u8>> + Send;

    /// A storage with tables.
    fn migrated() -> impl Future<Output = (Self, Self::Storage)> + Send {
        async {
            let database = Self::new().await;
            let storage = database.open().await;
            storage.migrate().await.unwrap();
            (database, storage)
        }
    }
}

/// The methods of [`SqlStorage`], whichever its pool.
pub(crate) trait Storage: TokenStorage + Clone {
    fn migrate(&self) -> impl Future<Output = Result<(), MigrateError>> + Send;
    fn check(&self) -> impl Future<Output = Result<(), MigrateError>> + Send;
    fn migrate_back(&self) -> impl Future<Output = Result<(), MigrateError>> + Send;
    fn migrations_sql(&self) -> String;
    fn migrations_back_sql(&self) -> Option<String>;
    /// Seals everything again; one page only, after the progress of one, if `pages` is 1.
    fn reseal(
        &self,
        cx: &Context<'_>,
        after: Option<Progress>,
        pages: usize,
    ) -> impl Future<Output = Result<Progress, StorageError>> + Send;
}

macro_rules! storage {
    ($($pool:ty),+) => {$(
        impl Storage for SqlStorage<$pool> {
            async fn migrate(&self) -> Result<(), MigrateError> {
                self.migrate().await
            }

            async fn check(&self) -> Result<(), MigrateError> {
                self.check().await
            }

            async fn migrate_back(&self) -> Result<(), MigrateError> {
                self.migrate_back().await
            }

            fn migrations_sql(&self) -> String {
                self.migrations_sql()
            }

            fn migrations_back_sql(&self) -> Option<String> {
                self.migrations_back_sql()
            }

            async fn reseal(
                &self,
                cx: &Context<'_>,
                after: Option<Progress>,
                pages: usize,
            ) -> Result<Progress, StorageError> {
                let mut reseal = self.reseal(cx).await?;
                if let Some(last) = after.and_then(|progress| progress.last) {
                    reseal = reseal.after(last);
                }
                let mut reached = Progress::default();
                for _ in 0..pages {
                    match reseal.next().await? {
                        Some(progress) => reached = progress,
                        None => break,
                    }
                }
                Ok(reached)
            }
        }
    )+};
}
storage!(SqlitePool, PgPool, MySqlPool);

/// The methods that differ in types only.
macro_rules! queries {
    () => {
        async fn open(&self) -> Self::Storage {
            SqlStorage::new(self.pool().await)
        }

        async fn open_with(&self, prefix: &str) -> Self::Storage {
            SqlStorage::with_prefix(self.pool().await, Prefix::new(prefix).unwrap())
        }

        async fn open_users(&self) -> Self::Users {
            SqlUsers::new(self.pool().await)
        }

        async fn run(&self, sql: &str) {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.pool().await).await.unwrap();
        }

        async fn numbers(&self, sql: &str) -> Vec<i64> {
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.pool().await).await.unwrap()
        }

        async fn bytes(&self, sql: &str) -> Vec<u8> {
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.pool().await).await.unwrap()
        }
    };
}

/// SQLite in a file.
pub(crate) struct SqliteFile(TempDir);

impl SqliteFile {
    pub(crate) fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new().filename(self.0.path().join("app.db")).create_if_missing(true)
    }

    async fn pool(&self) -> SqlitePool {
        SqlitePool::connect_with(self.options()).await.unwrap()
    }
}

impl Database for SqliteFile {
    type Storage = SqliteStorage;
    type Users = SqliteUsers;
    const BYTES: &str = "BLOB";

    async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open_read_only(&self) -> SqliteStorage {
        let options = self.options().create_if_missing(false).read_only(true);
        SqliteStorage::new(SqlitePool::connect_with(options).await.unwrap())
    }

    queries!();
}

/// SQLite in memory, which is gone with its last connection.
pub(crate) struct SqliteMemory(SqliteConnectOptions, #[expect(dead_code)] SqliteConnection);

impl SqliteMemory {
    async fn pool(&self) -> SqlitePool {
        SqlitePool::connect_with(self.0.clone()).await.unwrap()
    }
}

impl Database for SqliteMemory {
    type Storage = SqliteStorage;
    type Users = SqliteUsers;
    const BYTES: &str = "BLOB";

    async fn new() -> Self {
        // Each `sqlite::memory:` is another database, which all that clone the options share.
        let options: SqliteConnectOptions = "sqlite::memory:".parse().unwrap();
        let connection = SqliteConnection::connect_with(&options).await.unwrap();
        Self(options, connection)
    }

    async fn open_read_only(&self) -> SqliteStorage {
        let options = self.0.clone().pragma("query_only", "1");
        SqliteStorage::new(SqlitePool::connect_with(options).await.unwrap())
    }

    queries!();
}

/// A name for a database of a server.
fn name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// PostgreSQL.
pub(crate) struct Postgres(String);

impl Postgres {
    pub(crate) async fn pool(&self) -> PgPool {
        PgPool::connect(&self.0).await.unwrap()
    }
}

impl Database for Postgres {
    type Storage = PgStorage;
    type Users = PgUsers;
    const BYTES: &str = "BYTEA";

    async fn new() -> Self {
        let port = servers::postgres().port;
        let url = format!("postgres://postgres@127.0.0.1:{port}/");
        let connected = PgConnection::connect(&[&url, "postgres"].concat()).await;
        let mut server = connected
            .unwrap_or_else(|error| panic!("{error}; the server:\n{}", servers::postgres().log()));
        let name = name();
        let create = format!("CREATE DATABASE {name}");
        sqlx::query(AssertSqlSafe(create)).execute(&mut server).await.unwrap();
        Self([url, name].concat())
    }

    async fn open_read_only(&self) -> PgStorage {
        let options = PgPoolOptions::new().after_connect(|connection, _| {
            Box::pin(async move {
                let only = "SET default_transaction_read_only = on";
                sqlx::query(only).execute(connection).await.map(drop)
            })
        });
        PgStorage::new(options.connect(&self.0).await.unwrap())
    }

    queries!();
}

/// MariaDB.
pub(crate) struct MariaDb(String);

impl MariaDb {
    pub(crate) async fn pool(&self) -> MySqlPool {
        MySqlPool::connect(&self.0).await.unwrap()
    }
}

impl Database for MariaDb {
    type Storage = MySqlStorage;
    type Users = MySqlUsers;
    const BYTES: &str = "BINARY";

    async fn new() -> Self {
        let port = servers::mariadb().port;
        let url = format!("mysql://root@127.0.0.1:{port}/");
        let mut server = MySqlConnection::connect(&url).await.unwrap();
        let name = name();
        let create = format!("CREATE DATABASE {name}");
        sqlx::query(AssertSqlSafe(create)).execute(&mut server).await.unwrap();
        Self([url, name].concat())
    }

    async fn open_read_only(&self) -> MySqlStorage {
        let options = MySqlPoolOptions::new().after_connect(|connection, _| {
            Box::pin(async move {
                let only = "SET SESSION TRANSACTION READ ONLY";
                sqlx::query(only).execute(connection).await.map(drop)
            })
        });
        MySqlStorage::new(options.connect(&self.0).await.unwrap())
    }

    queries!();
}

impl Postgres {
    /// The URL of the database at another port.
    pub(crate) fn at(&self, port: u16) -> String {
        let (_, name) = self.0.rsplit_once('/').unwrap();
        format!("postgres://postgres@127.0.0.1:{port}/{name}")
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.0.parse().unwrap()
    }

    /// A storage of this database that waits for locks for a second at most.
    pub(crate) async fn open_impatient(&self) -> PgStorage {
        let options: PgConnectOptions = self.0.parse().unwrap();
        let options = options.options([("lock_timeout", "1000")]);
        PgStorage::new(PgPool::connect_with(options).await.unwrap())
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.0).await.unwrap()
    }
}

/// Storages whose server is down.
pub(crate) fn down() -> (PgStorage, MySqlStorage) {
    let (port, wait) = (crate::ports::free_port(), Duration::from_millis(200));
    let postgres = PgPoolOptions::new().acquire_timeout(wait);
    let mysql = MySqlPoolOptions::new().acquire_timeout(wait);
    let postgres = postgres.connect_lazy(&format!("postgres://postgres@127.0.0.1:{port}/app"));
    let mysql = mysql.connect_lazy(&format!("mysql://root@127.0.0.1:{port}/app"));
    (PgStorage::new(postgres.unwrap()), MySqlStorage::new(mysql.unwrap()))
}
