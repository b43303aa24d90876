//! A store in an SQLite file.

mod backup;
mod error;
mod forget;
mod oauth1;
mod pace;
mod pending;
mod reader;
mod room;
mod rows;
mod schema;
mod sweep;
mod transfer;
mod verbs;
mod writer;
mod writes;

use std::{fmt, path::Path};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::Env;

use super::StoreError;

use reader::Readers;
use writer::Writer;

pub use backup::BackupProgress;

/// A durable store in an SQLite file, which any number of processes on one machine may share.
///
/// A thread of its own commits concurrent writes together, and answers when they are on the disk
/// (write-ahead log, `synchronous = FULL`). Reads run beside it. Each commit removes a few expired
/// rows. Dropping the store finishes pending writes.
///
/// An application can keep tables of its own in the same file: the store's tables and indices are
/// all named `quadrille_...`, and it leaves the pragmas `user_version` and `application_id` alone.
/// The file is set to write-ahead logging.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use quadrille::{Env, provider::store::{SqliteStore, StoreError, rusqlite::params}};
///
/// # let folder = std::env::temp_dir().join(format!("quadrille-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("quadrille.db");
/// let store = SqliteStore::open(&path, Env::system())?;
/// store.migrate("photos", &["CREATE TABLE photos (id INTEGER PRIMARY KEY, title TEXT)"]).await?;
/// store
///     .write(|tx| {
///         tx.execute("INSERT INTO photos (title) VALUES (?1)", params!["A dance for four"])?;
///         Ok::<_, StoreError>(())
///     })
///     .await?;
/// let count = store.read(|db| {
///     Ok::<i64, StoreError>(db.query_row("SELECT count(*) FROM photos", [], |row| row.get(0))?)
/// });
/// let count = count.await?;
/// assert_eq!(count, 1);
/// # drop(store);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
    env: Env,
}

impl SqliteStore {
    /// Opens the file, or creates it for this operating system user only, and migrates its tables.
    ///
    /// # Errors
    /// [`StoreError::Unopenable`], [`StoreError::ReadOnly`], [`StoreError::Busy`] if other programs
    /// hold it for longer than five seconds, [`StoreError::Full`], [`StoreError::Corrupt`] if it is
    /// no such database, and [`StoreError::Newer`].
    pub fn open(path: impl AsRef<Path>, env: Env) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let connection = schema::open_writer(path)?;
        schema::migrate(&connection, schema::NAMESPACE, schema::MIGRATIONS, &env)?;
        let writer = Writer::start(connection, env.clone())?;
        Ok(Self { readers: Readers::new(path), writer, env })
    }

    /// Migrates tables of the application's own: `migrations` are scripts, in order; those that
    /// `namespace` has not run yet are run, all or none. Append to them, never change them. Several
    /// processes may call it at once.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if the file has more migrations than `migrations`.
    pub async fn migrate(
        &self,
        namespace: &'static str,
        migrations: &'static [&'static str],
    ) -> Result<(), StoreError> {
        let env = self.env.clone();
        self.writer
            .alone(move |connection| schema::migrate(connection, namespace, migrations, &env))
            .await?
    }

    /// The SQL of all tables of the store, as a transaction, for an operator who runs it on a file of
    /// their own. [`open`](Self::open) finds nothing to do then.
    ///
    /// ```
    /// use quadrille::provider::store::SqliteStore;
    ///
    /// let sql = SqliteStore::migrations_sql();
    /// assert!(sql.contains("CREATE TABLE quadrille_access_tokens"));
    /// ```
    pub fn migrations_sql() -> String {
        schema::sql(schema::NAMESPACE, schema::MIGRATIONS)
    }

    /// The SQL that changes the tables back to the version before this library's, as a transaction,
    /// for an earlier version of the program. What only the later version stores is lost; all else
    /// stays. Stop the processes of the later version first, since [`open`](Self::open) undoes it.
    pub fn migrations_back_sql() -> String {
        schema::back_sql(schema::NAMESPACE, schema::MIGRATIONS, schema::BACK)
    }

    /// The SQL of tables of the application's own, with the arguments of [`migrate`](Self::migrate).
    /// It comes after [`migrations_sql`](Self::migrations_sql).
    pub fn migrations_sql_of(namespace: &str, migrations: &[&str]) -> String {
        schema::sql(namespace, migrations)
    }

    /// The SQL that takes the last migration of the application's own back, as a transaction: `back` is
    /// a script that undoes it.
    pub fn migrations_back_sql_of(namespace: &str, migrations: &[&str], back: &str) -> String {
        schema::back_sql(namespace, migrations, back)
    }

    /// Runs `write` in a transaction of its own: committed on `Ok`, rolled back on `Err`. It runs
    /// to its end even if the future is dropped.
    ///
    /// The transaction is one of [`rusqlite`](super::rusqlite) 0.37.
    ///
    /// # Errors
    /// Those of `write`, and those of the commit.
    pub async fn write<T, E>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let transaction = move |connection: &Connection| {
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
                    .map_err(StoreError::from)?;
            let result = write(&transaction)?;
            transaction.commit().map_err(StoreError::from)?;
            Ok(result)
        };
        self.writer.alone(transaction).await?
    }

    /// Runs `read` on a read-only connection, on this thread: for short queries, which all see the
    /// same state. The connection is one of [`rusqlite`](super::rusqlite) 0.37.
    ///
    /// # Errors
    /// Those of `read`, and those of opening another connection.
    pub async fn read<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.look(reader::touch).await?;
        self.readers.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            Ok(read(&snapshot))
        })?
    }

    /// Accepts no more calls, finishes pending writes, and closes the file. Dropping does the same.
    pub fn close(&self) {
        self.readers.close();
        self.writer.close();
    }

    /// Reads on this thread, unless the file is locked, as during recovery by another process: then
    /// the writer's thread waits for it.
    async fn look<T>(
        &self,
        mut read: impl FnMut(&Connection) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        match self.readers.read(&mut read) {
            Err(StoreError::Busy) => {
                self.writer.alone(reader::touch).await??;
                self.readers.read(read)
            }
            result => result,
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteStore").field(&self.readers).finish()
    }
}
