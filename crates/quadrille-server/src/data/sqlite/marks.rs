//! Tables of one row: the issuer of the data directory, the settings on which clients depend,
//! and its mark.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use quadrille::provider::store::{SqliteStore, StoreError};

use crate::data::{
    backend::{Known, RecordedIssuer},
    known::KnownColumns,
};

pub(super) async fn issuer(store: &SqliteStore) -> Result<Option<RecordedIssuer>, StoreError> {
    store.read(|connection| Ok::<_, StoreError>(recorded(connection)?)).await
}

/// The issuer in a file that is left as it is. `None` also if the file cannot be read.
pub(in crate::data) fn issuer_in(path: &Path) -> Option<RecordedIssuer> {
    let opened = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    recorded(&opened.ok()?).ok().flatten()
}

fn recorded(connection: &Connection) -> Result<Option<RecordedIssuer>, rusqlite::Error> {
    let mut statement = connection.prepare("SELECT issuer, given FROM quadrille_program_issuer")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(RecordedIssuer { issuer: row.get("issuer")?, given: row.get("given")? }))
}

pub(super) async fn record_issuer(
    store: &SqliteStore,
    recorded: RecordedIssuer,
    renamed_from: Option<String>,
) -> Result<(), StoreError> {
    let RecordedIssuer { issuer, given } = recorded;
    store
        .write(move |transaction| {
            if let Some(before) = &renamed_from {
                // Rows that an earlier attempt left under the new issuer are deleted.
                transaction.execute(
                    "DELETE FROM quadrille_issuers WHERE issuer = ?1 AND ?1 <> ?2",
                    [&issuer, before],
                )?;
                transaction.execute(
                    "UPDATE quadrille_issuers SET issuer = ?1 WHERE issuer = ?2",
                    [&issuer, before],
                )?;
            }
            transaction.execute(
                "INSERT INTO quadrille_program_issuer (only, issuer, given) VALUES (1, ?1, ?2)
                 ON CONFLICT (only) DO UPDATE SET issuer = ?1, given = ?2",
                (&issuer, given),
            )?;
            Ok(())
        })
        .await
}

pub(super) async fn served_with(store: &SqliteStore) -> Result<Option<Known>, StoreError> {
    store
        .read(|connection| {
            let sql = "SELECT scopes, resources, grant_types, oauth1
                       FROM quadrille_program_served_with";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let columns = KnownColumns {
                scopes: row.get("scopes")?,
                resources: row.get("resources")?,
                grant_types: row.get("grant_types")?,
                oauth1: row.get("oauth1")?,
            };
            columns.read().map(Some)
        })
        .await
}

pub(super) async fn record_served_with(
    store: &SqliteStore,
    known: Known,
) -> Result<(), StoreError> {
    let known = KnownColumns::of(&known)?;
    store
        .write(move |transaction| {
            transaction.execute(
                "INSERT INTO quadrille_program_served_with
                 (only, scopes, resources, grant_types, oauth1)
                 VALUES (1, ?1, ?2, ?3, ?4)
                 ON CONFLICT (only) DO UPDATE
                 SET scopes = ?1, resources = ?2, grant_types = ?3, oauth1 = ?4",
                (&known.scopes, &known.resources, &known.grant_types, known.oauth1),
            )?;
            Ok(())
        })
        .await
}

pub(super) async fn mark(store: &SqliteStore) -> Result<String, StoreError> {
    store
        .read(|connection| {
            let sql = "SELECT mark FROM quadrille_program_mark";
            Ok(connection.query_row(sql, [], |row| row.get("mark"))?)
        })
        .await
}

/// Whether the database answers, and is written: a full disk is not. SQLite does not write a row that
/// stays as it is.
pub(super) async fn check(store: &SqliteStore) -> Result<(), StoreError> {
    let write = "INSERT INTO quadrille_program_failures (key, recovered) VALUES (x'00', 0)";
    let undo = "DELETE FROM quadrille_program_failures WHERE key = x'00'";
    store
        .write(move |transaction| {
            transaction.execute(write, [])?;
            transaction.execute(undo, [])?;
            Ok(())
        })
        .await
}
