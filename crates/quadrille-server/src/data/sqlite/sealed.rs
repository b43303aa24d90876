//! Secrets that are sealed under the key ring.

use std::path::Path;

use quadrille::{
    Timestamp,
    provider::store::{SqliteStore, StoreError},
};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, params};

use crate::data::sealed::{GIVEN_UP, Sealed, given_up};

pub(super) async fn find(
    store: &SqliteStore,
    which: Sealed,
) -> Result<Option<Vec<u8>>, StoreError> {
    store.read(|connection| read(connection, which)).await
}

/// A secret in a file that is left as it is. `None` also if the file cannot be read.
pub(in crate::data) fn sealed_in(path: &Path, which: Sealed) -> Option<Vec<u8>> {
    let opened = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    read(&opened.ok()?, which).ok().flatten()
}

pub(super) async fn replace(
    store: &SqliteStore,
    which: Sealed,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
) -> Result<bool, StoreError> {
    store.write(move |transaction| swap(transaction, which, before.as_deref(), &after)).await
}

pub(super) async fn forget(
    store: &SqliteStore,
    which: Sealed,
    before: Vec<u8>,
) -> Result<bool, StoreError> {
    store
        .write(move |transaction| {
            let is_as_before = read(transaction, which)?.is_some_and(|found| found == before);
            if is_as_before {
                delete(transaction, which)?;
            }
            Ok(is_as_before)
        })
        .await
}

fn delete(transaction: &Transaction<'_>, which: Sealed) -> Result<(), StoreError> {
    let sql = "DELETE FROM quadrille_program_sealed WHERE name = ?1";
    transaction.execute(sql, [which.name()])?;
    Ok(())
}

pub(super) async fn rings_given_up(store: &SqliteStore) -> Result<Vec<Vec<u8>>, StoreError> {
    store
        .read(|connection| {
            let sql = "SELECT sealed FROM quadrille_program_sealed
                WHERE substr(name, 1, length(?1)) = ?1";
            let mut statement = connection.prepare(sql)?;
            let found = statement.query_map([GIVEN_UP], |row| row.get(0))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
}

pub(super) async fn give_ring_up(
    store: &SqliteStore,
    before: Vec<u8>,
    of_keys: Vec<Vec<u8>>,
    after: Vec<u8>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    store
        .write(move |transaction| {
            if !swap(transaction, Sealed::Proof, Some(&before), &after)? {
                return Ok(false);
            }
            for proof in of_keys.iter().chain([&before]) {
                transaction.execute(
                    "INSERT INTO quadrille_program_sealed (name, sealed) VALUES (?1, ?2)",
                    params![given_up(proof), proof],
                )?;
            }
            delete(transaction, Sealed::RingKeys)?;
            transaction.execute("DELETE FROM quadrille_program_sessions", [])?;
            SqliteStore::end_all_tokens(transaction, now)?;
            Ok(true)
        })
        .await
}

fn read(connection: &Connection, which: Sealed) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT sealed FROM quadrille_program_sealed WHERE name = ?1";
    Ok(connection.query_row(sql, [which.name()], |row| row.get(0)).optional()?)
}

fn swap(
    transaction: &Transaction<'_>,
    which: Sealed,
    before: Option<&[u8]>,
    after: &[u8],
) -> Result<bool, StoreError> {
    let is_as_before = read(transaction, which)?.as_deref() == before;
    if is_as_before {
        let sql = "INSERT INTO quadrille_program_sealed (name, sealed) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET sealed = ?2";
        transaction.execute(sql, params![which.name(), after])?;
    }
    Ok(is_as_before)
}
