//! Opens the file and migrates its tables.

use std::{fs::OpenOptions, io, path::Path, thread, time::Duration};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use crate::{Env, provider::store::StoreError};

/// The store's own namespace in `quadrille_migrations`, which no application would choose.
pub(super) const NAMESPACE: &str = "quadrille/store";

/// The tables of the store. Append, never change.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/sqlite/0001_store.sql"),
    include_str!("../../../../migrations/sqlite/0002_oauth1.sql"),
    include_str!("../../../../migrations/sqlite/0003_newest.sql"),
    include_str!("../../../../migrations/sqlite/0004_pending.sql"),
    include_str!("../../../../migrations/sqlite/0005_binding.sql"),
    include_str!("../../../../migrations/sqlite/0006_grants.sql"),
    include_str!("../../../../migrations/sqlite/0007_registration.sql"),
    include_str!("../../../../migrations/sqlite/0009_exchange.sql"),
    include_str!("../../../../migrations/sqlite/0010_removed.sql"),
    include_str!("../../../../migrations/sqlite/0011_known_since.sql"),
    include_str!("../../../../migrations/sqlite/0012_rotated.sql"),
];

/// The way back from the last of them.
pub(super) const BACK: &str = include_str!("../../../../migrations/sqlite/0012_rotated.back.sql");

/// The table of what has run.
const HISTORY: &str = "CREATE TABLE IF NOT EXISTS quadrille_migrations (
    namespace TEXT NOT NULL,
    version   INTEGER NOT NULL,
    applied   INTEGER NOT NULL,
    PRIMARY KEY (namespace, version)
) STRICT, WITHOUT ROWID;
";

/// The number of attempts to lock, at most two milliseconds apart: about five seconds.
const PATIENCE: i32 = 2500;

/// The connection that writes. Creates the file if need be, for this operating system user only.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    make(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // SQLite does not call the busy handler if it fears a deadlock, as when two processes set the
    // same new file to WAL. Where it does, waiting twice would multiply.
    connection.busy_handler(None)?;
    let mut asked = 0;
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => break,
            Ok(_) => return Err(StoreError::ReadOnly),
            Err(error) => match StoreError::from(error) {
                StoreError::Busy if wait(asked) => asked += 1,
                error => return Err(error),
            },
        }
    }
    connection.busy_handler(Some(wait))?;
    // Synced with every commit. A log of up to 16 MB, overwritten in place, is checkpointed more
    // seldom and syncs faster than one that grows.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;")?;
    Ok(connection)
}

/// A read-only connection that never waits for a lock: the writer's thread does that.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_handler(None)?;
    Ok(connection)
}

/// Applies the `migrations` that are missing, all or none. Two processes that start at once take
/// turns.
pub(super) fn migrate(
    connection: &Connection,
    namespace: &str,
    migrations: &[&str],
    env: &Env,
) -> Result<(), StoreError> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(HISTORY)?;
    let found: i64 = transaction.query_row(
        "SELECT coalesce(max(version), 0) FROM quadrille_migrations WHERE namespace = ?1",
        [namespace],
        |row| row.get(0),
    )?;
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, sql) in (1..).zip(migrations).filter(|(version, _)| *version > found) {
        transaction.execute_batch(sql)?;
        transaction.execute(
            "INSERT INTO quadrille_migrations (namespace, version, applied) VALUES (?1, ?2, ?3)",
            params![namespace, version, env.now().seconds()],
        )?;
    }
    transaction.commit()?;
    Ok(())
}

/// The SQL of all `migrations`, as a transaction, with the versions that it leaves behind.
pub(super) fn sql(namespace: &str, migrations: &[&str]) -> String {
    let mut sql = format!("BEGIN IMMEDIATE;\n{HISTORY}");
    for (version, script) in (1..).zip(migrations) {
        let record = format!(
            "INSERT INTO quadrille_migrations (namespace, version, applied) \
             VALUES ({}, {version}, CAST(strftime('%s', 'now') AS INTEGER));\n",
            quoted(namespace)
        );
        sql.extend([&format!("\n-- Version {version}.\n"), *script, &record]);
    }
    sql + "COMMIT;\n"
}

/// The SQL of the way `back` from the last of `migrations`, as a transaction.
pub(super) fn back_sql(namespace: &str, migrations: &[&str], back: &str) -> String {
    let (version, namespace) = (migrations.len(), quoted(namespace));
    format!(
        "BEGIN IMMEDIATE;\n{back}DELETE FROM quadrille_migrations \
         WHERE namespace = {namespace} AND version = {version};\nCOMMIT;\n"
    )
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn make(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if is_read_only(&error) && path.exists() => Err(StoreError::ReadOnly),
        Err(error) => Err(StoreError::Unopenable(error.into())),
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

pub(super) fn open(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    // Without this a name such as "file:x" would be taken for a URI.
    let path = if path.is_relative() { Path::new(".").join(path) } else { path.to_owned() };
    Ok(Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// Other processes hold the lock for fractions of a millisecond, so short, even pauses are fair to
/// all.
pub(super) fn wait(asked: i32) -> bool {
    let pause = 100_u64 << asked.clamp(0, 5);
    thread::sleep(Duration::from_micros(pause.min(2000)));
    asked < PATIENCE
}
