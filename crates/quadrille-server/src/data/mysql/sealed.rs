//! Secrets that the processes share, sealed under their key ring.

use std::sync::Arc;

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{MySqlStore, store_error};
use sqlx::{MySql, Row as _, mysql::MySqlArguments, query::Query};

use crate::data::sealed::{GIVEN_UP, Sealed, given_up};

const INSERT: &str = "INSERT INTO quadrille_program_sealed (name, sealed) VALUES (?, ?)";

pub(super) async fn find(store: &MySqlStore, which: Sealed) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT sealed FROM quadrille_program_sealed WHERE name = ?";
    let found = store.fetch(sqlx::query(sql).bind(which.name())).await?;
    found.first().map(|row| row.try_get(0)).transpose().map_err(store_error)
}

pub(super) async fn forget(
    store: &MySqlStore,
    which: Sealed,
    before: Vec<u8>,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM quadrille_program_sealed WHERE name = ? AND sealed = ?";
    Ok(store.execute(sqlx::query(sql).bind(which.name()).bind(before)).await? > 0)
}

pub(super) async fn replace(
    store: &MySqlStore,
    which: Sealed,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
) -> Result<bool, StoreError> {
    if let Some(before) = before {
        return Ok(store.execute(swap(which, before, after)).await? > 0);
    }
    let after = Arc::new(after);
    let work = store.transaction(move |transaction| {
        let after = Arc::clone(&after);
        Box::pin(async move {
            let insert = sqlx::query(INSERT).bind(which.name()).bind(after.to_vec());
            match transaction.execute(insert).await {
                Ok(_) => Ok(true),
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    });
    work.await
}

/// [`replace`], unless a process holds a lease of a worker number.
pub(super) async fn replace_unless_leased(
    store: &MySqlStore,
    which: Sealed,
    (before, after): (Vec<u8>, Vec<u8>),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE quadrille_program_sealed SET sealed = ? WHERE name = ? AND sealed = ?
        AND NOT EXISTS (SELECT 1 FROM quadrille_workers WHERE expires > ?)";
    let update = sqlx::query(sql).bind(after).bind(which.name()).bind(before).bind(now.millis());
    Ok(store.execute(update).await? > 0)
}

pub(super) async fn rings_given_up(store: &MySqlStore) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = "SELECT sealed FROM quadrille_program_sealed WHERE name LIKE ?";
    let found = store.fetch(sqlx::query(sql).bind([GIVEN_UP, "%"].concat())).await?;
    found.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(store_error)
}

pub(super) async fn give_ring_up(
    store: &MySqlStore,
    before: Vec<u8>,
    of_keys: Vec<Vec<u8>>,
    after: Vec<u8>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let proofs = Arc::new((before, of_keys, after));
    let work = store.transaction(move |transaction| {
        let proofs = Arc::clone(&proofs);
        Box::pin(async move {
            let (before, of_keys, after) = (*proofs).clone();
            let swap = swap(Sealed::Proof, before.clone(), after);
            if transaction.execute(swap).await? == 0 {
                return Ok(false);
            }
            for proof in of_keys.into_iter().chain([before]) {
                let give_up = sqlx::query(INSERT).bind(given_up(&proof)).bind(proof);
                transaction.execute(give_up).await?;
            }
            transaction.execute(deletion(Sealed::RingKeys)).await?;
            transaction.execute(deletion(Sealed::SigningKeys)).await?;
            transaction.execute(sqlx::query("DELETE FROM quadrille_program_sessions")).await?;
            transaction.end_all_tokens(now).await?;
            Ok(true)
        })
    });
    work.await
}

fn deletion(which: Sealed) -> Query<'static, MySql, MySqlArguments> {
    sqlx::query("DELETE FROM quadrille_program_sealed WHERE name = ?").bind(which.name())
}

/// Compare-and-swap of a sealed secret: it changes no row if the stored one is not `before`.
fn swap(which: Sealed, before: Vec<u8>, after: Vec<u8>) -> Query<'static, MySql, MySqlArguments> {
    let sql = "UPDATE quadrille_program_sealed SET sealed = ? WHERE name = ? AND sealed = ?";
    sqlx::query(sql).bind(after).bind(which.name()).bind(before)
}
