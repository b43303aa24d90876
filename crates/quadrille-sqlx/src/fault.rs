//! The errors of sqlx, as the reasons of a storage.

use std::time::Duration;

use quadrille::{Env, consumer::StorageError};
use sqlx::error::DatabaseError;
use tracing::error;

/// How often a statement is run again that lost to another one, and for how long. SQLite has waited
/// for its lock by then, as long as the pool's options say.
const RETRIES: u32 = 12;
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest pause before the first of them; it doubles, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What follows from an error of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another statement was in the way: a deadlock, or a lock of SQLite. Nothing has changed.
    Conflict,
    /// A lock was not available in time. Nothing has changed.
    Locked,
    /// The database does not respond, or not in time.
    Unavailable,
    ReadOnly,
    /// The server refuses the user, the database or the statement.
    Denied,
    /// There is no secure connection.
    Insecure,
    /// The prepared statements of this connection are gone: a pooler has given it another one.
    Pooled,
    Full,
    /// A table or a column is missing.
    NotMigrated,
    Unreadable,
    /// Any other reason.
    Failed,
}

impl From<Fault> for StorageError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Conflict
            | Fault::Locked
            | Fault::Unavailable
            | Fault::Insecure
            | Fault::Pooled
            | Fault::Failed => Self::Unavailable,
            Fault::ReadOnly | Fault::Denied | Fault::Full => Self::Unwritable,
            Fault::NotMigrated => Self::NotMigrated,
            Fault::Unreadable => Self::Unreadable,
        }
    }
}

/// Runs a verb, again if it lost to another one.
pub(crate) async fn run<T, F>(
    verb: &'static str,
    attempt: impl FnMut() -> F + Send,
) -> Result<T, StorageError>
where
    F: Future<Output = sqlx::Result<T>> + Send,
{
    again_after(is_conflict, attempt).await.map_err(|error| logged(verb, &error))
}

/// Whether a statement lost to another one, and may be run again.
pub(crate) fn is_conflict(error: &sqlx::Error) -> bool {
    fault(error) == Fault::Conflict
}

/// The reason without the error, which is in the log.
pub(crate) fn logged(verb: &'static str, error: &sqlx::Error) -> StorageError {
    let reason = fault(error).into();
    error!(verb, %error, %reason, "the storage of tokens failed");
    reason
}

/// Runs `attempt`, again after a conflict, a bounded number of times.
pub(crate) async fn again_after<T, E, F>(
    is_conflict: impl Fn(&E) -> bool + Send,
    mut attempt: impl FnMut() -> F + Send,
) -> Result<T, E>
where
    E: Send,
    F: Future<Output = Result<T, E>> + Send,
{
    let env = Env::system();
    let (mut retries, began) = (0, env.steady());
    loop {
        match attempt().await {
            Err(error)
                if is_conflict(&error)
                    && retries < RETRIES
                    && env.steady().since(began) < PATIENCE =>
            {
                tokio::time::sleep(pause(&env, retries)).await;
                retries += 1;
            }
            result => return result,
        }
    }
}

/// A random pause, so that those that were in each other's way meet no more.
fn pause(env: &Env, retries: u32) -> Duration {
    let longest = LONGEST_PAUSE.min(FIRST_PAUSE * (1 << retries.min(10)));
    longest.mul_f64(f64::from(u16::from_be_bytes(env.random())) / f64::from(u16::MAX))
}

/// Whether another statement was faster to insert this key.
pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}

/// Whether a database lacks a function or a feature.
#[cfg(feature = "provider")]
pub(crate) fn is_unsupported(error: &sqlx::Error) -> bool {
    let state = error.as_database_error().and_then(DatabaseError::code);
    matches!(state.as_deref(), Some("0A000" | "42883"))
}

/// Whether a table is missing.
pub(crate) fn is_without_tables(error: &sqlx::Error) -> bool {
    fault(error) == Fault::NotMigrated
}

pub(crate) fn fault(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(error) => of_database(&**error),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Fault::Unreadable,
        sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
            Fault::NotMigrated
        }
        sqlx::Error::Tls(_) => Fault::Insecure,
        // The network, the pool, or a thread of it.
        _ => Fault::Unavailable,
    }
}

fn of_database(error: &(dyn DatabaseError + 'static)) -> Fault {
    #[cfg(feature = "sqlite")]
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return of_sqlite(error.code().and_then(|code| code.parse().ok()), error.message());
    }
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return of_mysql(error.number(), error.message());
    }
    of_postgres(&error.code().unwrap_or_default())
}

/// By the result code (<https://www.sqlite.org/rescode.html>).
#[cfg(feature = "sqlite")]
fn of_sqlite(code: Option<i32>, message: &str) -> Fault {
    match code.map(|extended| extended & 0xff) {
        // BUSY and LOCKED.
        Some(5 | 6) => Fault::Conflict,
        // PERM, READONLY.
        Some(3 | 8) => Fault::ReadOnly,
        // FULL.
        Some(13) => Fault::Full,
        // CORRUPT and NOTADB.
        Some(11 | 26) => Fault::Unreadable,
        // ERROR has no finer code.
        Some(1) if message.contains("no such") || message.contains("has no column") => {
            Fault::NotMigrated
        }
        _ => Fault::Failed,
    }
}

/// By the SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn of_postgres(state: &str) -> Fault {
    match state {
        // Serialization failure, deadlock.
        "40001" | "40P01" => Fault::Conflict,
        // Lock not available.
        "55P03" => Fault::Locked,
        // Read-only transaction.
        "25006" => Fault::ReadOnly,
        // Insufficient privilege, invalid authorization, wrong password, no such database.
        "42501" | "28000" | "28P01" | "3D000" => Fault::Denied,
        // No such prepared statement, or another one of this name.
        "26000" | "42P05" => Fault::Pooled,
        // Disk full.
        "53100" => Fault::Full,
        // Undefined table, undefined column.
        "42P01" | "42703" => Fault::NotMigrated,
        // Data corrupted, index corrupted.
        "XX001" | "XX002" => Fault::Unreadable,
        // Connections, resources, operator.
        _ if ["08", "53", "57"].iter().any(|class| state.starts_with(class)) => Fault::Unavailable,
        _ => Fault::Failed,
    }
}

/// By the number (<https://mariadb.com/docs/server/reference/error-codes>).
#[cfg(feature = "mysql")]
fn of_mysql(number: u16, message: &str) -> Fault {
    match number {
        // Deadlock, and a record that changed since it was read.
        1213 | 1020 => Fault::Conflict,
        // Errors of writing, read-only server or transaction.
        3 | 1026 | 1036 | 1290 | 1792 | 1836 => Fault::ReadOnly,
        // Rights to a database or a table, wrong password, no such database.
        1044 | 1045 | 1049 | 1142 | 1143 => Fault::Denied,
        // A lock that is not available in time.
        1205 => Fault::Locked,
        // Disk full, table full.
        1021 | 1114 => Fault::Full,
        // The engine passes on the system's "no space left".
        1030 if message.contains("28") => Fault::Full,
        // Too many connections, shutdown, a connection that was killed or timed out, a statement that
        // took too long.
        1040 | 1053 | 1203 | 1317 | 1927 | 1969 | 2006 | 2013 | 3024 | 4031 => Fault::Unavailable,
        // No such table, unknown column.
        1146 | 1054 => Fault::NotMigrated,
        // Corrupt index or table.
        1034 | 1035 | 1712 => Fault::Unreadable,
        _ => Fault::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pool_that_gives_no_connection_is_unavailable_at_once() {
        let mut tries = 0;
        let done: Result<(), _> = run("load", || {
            tries += 1;
            std::future::ready(Err(sqlx::Error::PoolTimedOut))
        })
        .await;
        assert_eq!((done, tries), (Err(StorageError::Unavailable), 1));
    }

    #[test]
    fn pauses_are_short_and_become_longer() {
        for retries in 0..RETRIES {
            let longest = Duration::from_millis(2 << retries).min(LONGEST_PAUSE);
            assert!((0..100).all(|_| pause(&Env::system(), retries) <= longest), "{retries}");
        }
    }

    #[test]
    fn each_database_says_in_its_own_way_what_is_wrong() {
        use Fault::{
            Conflict, Denied, Failed, Full, Locked, NotMigrated, Pooled, ReadOnly, Unavailable,
            Unreadable,
        };
        for (state, fault) in [
            ("40001", Conflict),
            ("40P01", Conflict),
            ("53100", Full),
            ("25006", ReadOnly),
            ("42501", Denied),
            ("28P01", Denied),
            ("3D000", Denied),
            ("55P03", Locked),
            ("26000", Pooled),
            ("53300", Unavailable),
            ("57014", Unavailable),
            ("57P01", Unavailable),
            ("42P01", NotMigrated),
            ("XX001", Unreadable),
        ] {
            assert_eq!(of_postgres(state), fault, "{state}");
        }
        #[cfg(feature = "mysql")]
        for (number, message, fault) in [
            (1213, "Deadlock found", Conflict),
            (1205, "Lock wait timeout exceeded", Locked),
            (1045, "Access denied", Denied),
            (1290, "--read-only", ReadOnly),
            (1030, "Got error 28 from storage engine", Full),
            (1030, "Got error 122 from storage engine", Failed),
            (1114, "The table is full", Full),
            (1146, "Table doesn't exist", NotMigrated),
            (1969, "Query execution was interrupted (max_statement_time exceeded)", Unavailable),
            (3024, "maximum statement execution time exceeded", Unavailable),
        ] {
            assert_eq!(of_mysql(number, message), fault, "{number}");
        }
        #[cfg(feature = "sqlite")]
        for (code, message, fault) in [
            (5, "database is locked", Conflict),
            (517, "database is locked", Conflict),
            (262, "database table is locked", Conflict),
            (13, "database or disk is full", Full),
            (1032, "attempt to write a readonly database", ReadOnly),
            (11, "malformed", Unreadable),
            (1, "no such table: quadrille_accounts", NotMigrated),
            (14, "unable to open", Failed),
        ] {
            assert_eq!(of_sqlite(Some(code), message), fault, "{code}");
        }
    }
}
