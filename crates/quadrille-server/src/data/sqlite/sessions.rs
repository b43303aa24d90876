//! Sessions.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{SecretHash, SqliteStore, StoreError},
};
use rusqlite::{Connection, Row, Transaction};

use crate::{
    data::backend::Recount,
    sessions::{MOST_CLIENTS, MOST_SESSIONS, Session, read_clients},
};

use super::{counts, ended};

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
                 (id, subject, password_number, signed_in, used, expires, browser, address, name)
                 SELECT ?1, subject, password_number, ?4, ?5, ?6, ?7, ?8, ?9
                 FROM quadrille_program_users
                 WHERE subject = ?2 AND password_number = ?3",
                (
                    &session.id[..],
                    &session.subject,
                    session.password_number,
                    session.signed_in.millis(),
                    session.used.seconds(),
                    session.expires.seconds(),
                    &session.browser,
                    &session.address,
                    &session.name,
                ),
            )?;
            if opened == 0 {
                return Ok(false);
            }
            if let Some(before) = replaces {
                replace(transaction, &session, &before)?;
            }
            let too_many = "id IN (SELECT id FROM quadrille_program_sessions
                WHERE subject = ?1 AND id <> ?2
                ORDER BY used DESC, signed_in DESC LIMIT -1 OFFSET ?3)";
            let others = MOST_SESSIONS - 1;
            ended::end(transaction, too_many, (&session.subject, &session.id[..], others))?;
            counts::change(transaction, &recount)?;
            Ok(true)
        })
        .await
}

/// Ends the session before a new one, which has its name and its clients if it goes on.
fn replace(
    transaction: &Transaction<'_>,
    session: &Session,
    id: &SecretHash,
) -> Result<(), StoreError> {
    let Some(before) = read(transaction, id)? else { return Ok(()) };
    if session.continues(&before) {
        let go_on = "UPDATE quadrille_program_sessions SET (name, clients, signed_in) =
            (SELECT name, clients, max(?3, signed_in + 1000) FROM quadrille_program_sessions
            WHERE id = ?2) WHERE id = ?1";
        transaction.execute(go_on, (&session.id[..], &id[..], session.signed_in.millis()))?;
        return delete(transaction, id);
    }
    ended::end(transaction, "id = ?1", [&id[..]]).map(drop)
}

/// Adds a client to a session.
pub(super) async fn join(
    store: &SqliteStore,
    id: SecretHash,
    client: Arc<str>,
) -> Result<(), StoreError> {
    store
        .write(move |transaction| {
            let sql = "UPDATE quadrille_program_sessions
                SET clients = json_insert(clients, '$[#]', ?2)
                WHERE id = ?1 AND json_array_length(clients) < ?3
                AND NOT EXISTS (SELECT 1 FROM json_each(clients) WHERE value = ?2)";
            transaction.execute(sql, (&id[..], &client, MOST_CLIENTS))?;
            Ok(())
        })
        .await
}

/// The session of this id, valid or not.
pub(super) async fn find(
    store: &SqliteStore,
    id: &SecretHash,
) -> Result<Option<Session>, StoreError> {
    store.read(|connection| read(connection, id)).await
}

fn read(connection: &Connection, id: &SecretHash) -> Result<Option<Session>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM quadrille_program_sessions WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([&id[..]])?;
    rows.next()?.map(session).transpose()
}

fn delete(transaction: &Transaction<'_>, id: &SecretHash) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM quadrille_program_sessions WHERE id = ?1", [&id[..]])?;
    Ok(())
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
    store.write(move |transaction| delete(transaction, &id)).await
}

const COLUMNS: &str =
    "id, name, subject, password_number, signed_in, used, expires, browser, address, clients";

fn session(row: &Row<'_>) -> Result<Session, StoreError> {
    let clients: String = row.get("clients")?;
    Ok(Session {
        id: row.get("id")?,
        name: row.get("name")?,
        subject: row.get("subject")?,
        password_number: row.get("password_number")?,
        signed_in: Timestamp::from_millis(row.get("signed_in")?),
        used: Timestamp::from_seconds(row.get("used")?),
        expires: Timestamp::from_seconds(row.get("expires")?),
        browser: row.get("browser")?,
        address: row.get("address")?,
        clients: read_clients(&clients)?,
    })
}
