//! Sessions.

use quadrille::{
    Timestamp,
    provider::store::{SecretHash, SqliteStore, StoreError},
};
use rusqlite::{Row, Transaction};

use crate::{data::backend::Recount, sessions::Session};

use super::counts;

/// The greatest number of ended sessions that one sign-in deletes.
const SWEPT: i64 = 32;

/// Opens a session in the place of `replaces`, and makes `recount`. Returns `false`, and changes
/// nothing, if the user is gone or has changed the password.
pub(super) async fn open(
    store: &SqliteStore,
    session: Session,
    replaces: Option<SecretHash>,
    recount: Recount,
) -> Result<bool, StoreError> {
    store
        .write(move |transaction| {
            let opened = transaction.execute(
                "INSERT INTO quadrille_program_sessions
                 (id, subject, password_number, signed_in, used, expires, browser, address)
                 SELECT ?1, subject, password_number, ?4, ?5, ?6, ?7, ?8 FROM quadrille_program_users
                 WHERE subject = ?2 AND password_number = ?3",
                (
                    &session.id[..],
                    &session.subject,
                    session.password_number,
                    session.signed_in.seconds(),
                    session.used.seconds(),
                    session.expires.seconds(),
                    &session.browser,
                    &session.address,
                ),
            )?;
            if opened == 0 {
                return Ok(false);
            }
            if let Some(before) = replaces {
                transaction
                    .execute("DELETE FROM quadrille_program_sessions WHERE id = ?1", [&before[..]])?;
            }
            transaction.execute(
                "DELETE FROM quadrille_program_sessions WHERE id IN
                 (SELECT id FROM quadrille_program_sessions WHERE expires <= ?1 LIMIT ?2)",
                (session.signed_in.seconds(), SWEPT),
            )?;
            counts::change(transaction, &recount)?;
            Ok(true)
        })
        .await
}

/// The session of this id, valid or not.
pub(super) async fn find(
    store: &SqliteStore,
    id: &SecretHash,
) -> Result<Option<Session>, StoreError> {
    store
        .read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM quadrille_program_sessions WHERE id = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([&id[..]])?;
            rows.next()?.map(session).transpose()
        })
        .await
}

/// The sessions of a user, the most recently used first.
pub(super) async fn of(store: &SqliteStore, subject: &str) -> Result<Vec<Session>, StoreError> {
    store
        .read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM quadrille_program_sessions WHERE subject = ?1
                 ORDER BY used DESC, signed_in DESC"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([subject])?;
            let mut sessions = Vec::new();
            while let Some(row) = rows.next()? {
                sessions.push(session(row)?);
            }
            Ok(sessions)
        })
        .await
}

/// Stores the time of the last request of a session.
pub(super) async fn used(
    store: &SqliteStore,
    id: SecretHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    store
        .write(move |transaction| {
            let sql = "UPDATE quadrille_program_sessions SET used = ?2 WHERE id = ?1";
            transaction.execute(sql, (&id[..], now.seconds()))?;
            Ok(())
        })
        .await
}

/// Ends a session.
pub(super) async fn end(store: &SqliteStore, id: SecretHash) -> Result<(), StoreError> {
    store
        .write(move |transaction| {
            transaction
                .execute("DELETE FROM quadrille_program_sessions WHERE id = ?1", [&id[..]])?;
            Ok(())
        })
        .await
}

/// Ends all sessions of a user.
pub(super) fn end_all(transaction: &Transaction<'_>, subject: &str) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM quadrille_program_sessions WHERE subject = ?1", [subject])?;
    Ok(())
}

const COLUMNS: &str = "id, subject, password_number, signed_in, used, expires, browser, address";

fn session(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.get("id")?,
        subject: row.get("subject")?,
        password_number: row.get("password_number")?,
        signed_in: Timestamp::from_seconds(row.get("signed_in")?),
        used: Timestamp::from_seconds(row.get("used")?),
        expires: Timestamp::from_seconds(row.get("expires")?),
        browser: row.get("browser")?,
        address: row.get("address")?,
    })
}
