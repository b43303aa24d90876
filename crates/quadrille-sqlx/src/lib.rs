#![doc = include_str!("../README.md")]
#![cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::indexing_slicing, clippy::print_stderr, clippy::print_stdout)]

mod fault;
#[cfg(doctest)]
mod guide;
mod migrate;
mod plan;
mod pool;
#[cfg(all(feature = "provider", any(feature = "mysql", feature = "postgres")))]
mod provider;
mod reseal;
mod statements;
mod storage;
mod transaction;
mod users;

pub use migrate::{MigrateError, Migrations};
#[cfg(all(feature = "provider", feature = "postgres"))]
pub use provider::Replica;
#[cfg(all(feature = "provider", any(feature = "mysql", feature = "postgres")))]
pub use provider::{SqlStore, SqlTransaction, StoreOptions, TransactionError, store_error};
pub use statements::{Prefix, PrefixError};
pub use storage::SqlStorage;
pub use users::SqlUsers;

/// Accounts in SQLite.
///
/// The pool's options decide about waiting for locks (sqlx waits for five seconds by default) and
/// about the journal; `journal_mode(SqliteJournalMode::Wal)` lets requests read while others write.
/// An account is read on an idle connection without `test_before_acquire` and `before_acquire`,
/// which would take as long as the query.
///
/// ```
/// use quadrille_sqlx::SqliteStorage;
/// use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.db");
/// let options = SqliteConnectOptions::new()
///     .filename(path)
///     .create_if_missing(true)
///     .journal_mode(SqliteJournalMode::Wal);
/// let pool = SqlitePoolOptions::new().connect_with(options).await?;
/// let storage = SqliteStorage::new(pool);
/// storage.migrate().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "sqlite")]
pub type SqliteStorage = SqlStorage<sqlx::SqlitePool>;

/// Accounts in PostgreSQL.
///
/// ```no_run
/// use quadrille_sqlx::PgStorage;
/// use sqlx::postgres::PgPoolOptions;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = PgPoolOptions::new().connect("postgres://app@db.internal/app").await?;
/// let storage = PgStorage::new(pool);
/// storage.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "postgres")]
pub type PgStorage = SqlStorage<sqlx::PgPool>;

/// Accounts in MySQL or MariaDB.
///
/// ```no_run
/// use quadrille_sqlx::MySqlStorage;
/// use sqlx::mysql::MySqlPoolOptions;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = MySqlPoolOptions::new().connect("mysql://app@db.internal/app").await?;
/// let storage = MySqlStorage::new(pool);
/// storage.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "mysql")]
pub type MySqlStorage = SqlStorage<sqlx::MySqlPool>;

/// Users in SQLite. As for [`SqliteStorage`], the pool's options decide about locks.
///
/// ```
/// use quadrille_sqlx::SqliteUsers;
/// use sqlx::SqlitePool;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let users = SqliteUsers::new(SqlitePool::connect("sqlite::memory:").await?);
/// users.migrate().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "sqlite")]
pub type SqliteUsers = SqlUsers<sqlx::SqlitePool>;

/// Users in PostgreSQL.
///
/// ```no_run
/// use quadrille_sqlx::PgUsers;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let users = PgUsers::new(sqlx::PgPool::connect("postgres://app@db.internal/app").await?);
/// users.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "postgres")]
pub type PgUsers = SqlUsers<sqlx::PgPool>;

/// Users in MySQL or MariaDB.
///
/// ```no_run
/// use quadrille_sqlx::MySqlUsers;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let users = MySqlUsers::new(sqlx::MySqlPool::connect("mysql://app@db.internal/app").await?);
/// users.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "mysql")]
pub type MySqlUsers = SqlUsers<sqlx::MySqlPool>;

/// The store of a provider in PostgreSQL.
///
/// Each verb is one statement wherever one decides, and the statement returns who won.
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
#[cfg(all(feature = "provider", feature = "postgres"))]
pub type PgStore = SqlStore<sqlx::PgPool>;

/// The store of a provider in MySQL (from 8.0) or MariaDB (from 10.6).
///
/// A verb is a transaction at the isolation level `READ COMMITTED`, whichever the pool has, and is
/// run again if it lost a deadlock, a bounded number of times. Keys are never hashed. Ids of clients,
/// subjects and issuers may have 1024 bytes.
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
#[cfg(all(feature = "provider", feature = "mysql"))]
pub type MySqlStore = SqlStore<sqlx::MySqlPool>;

/// A transaction of the application's own in PostgreSQL, beside the rows of a [`PgStore`].
///
/// ```no_run
/// use quadrille_sqlx::{PgTransaction, TransactionError};
///
/// async fn remove(transaction: &mut PgTransaction, id: i64) -> Result<bool, TransactionError> {
///     transaction.execute(sqlx::query("DELETE FROM people WHERE id = $1").bind(id)).await?;
///     Ok(transaction.forget_subject("https://id.example", &id.to_string()).await?)
/// }
/// ```
#[cfg(all(feature = "provider", feature = "postgres"))]
pub type PgTransaction = SqlTransaction<sqlx::PgPool>;

/// A transaction of the application's own in MySQL or MariaDB, beside the rows of a [`MySqlStore`].
///
/// ```no_run
/// use quadrille_sqlx::{MySqlTransaction, TransactionError};
///
/// async fn remove(transaction: &mut MySqlTransaction, id: i64) -> Result<bool, TransactionError> {
///     transaction.execute(sqlx::query("DELETE FROM people WHERE id = ?").bind(id)).await?;
///     Ok(transaction.forget_subject("https://id.example", &id.to_string()).await?)
/// }
/// ```
#[cfg(all(feature = "provider", feature = "mysql"))]
pub type MySqlTransaction = SqlTransaction<sqlx::MySqlPool>;
