//! Secrets that the processes share, sealed under their key ring.

use std::sync::Arc;

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{PgStore, store_error};
use sqlx::{Postgres, Row as _, postgres::PgArguments, query::Query};

use crate::data::sealed::{GIVEN_UP, Sealed, given_up};

pub(super) async fn find(store: &PgStore, which: Sealed) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT sealed FROM quadrille_program_sealed WHERE name = $1";
    let found = store.fetch(sqlx::query(sql).bind(which.name())).await?;
    found.first().map(|row| row.try_get(0)).transpose().map_err(store_error)
}

pub(super) async fn forget(
    store: &PgStore,
    which: Sealed,
    before: Vec<u8>,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM quadrille_program_sealed WHERE name = $1 AND sealed = $2";
    Ok(store.execute(sqlx::query(sql).bind(which.name()).bind(before)).await? > 0)
}

pub(super) async fn replace(
    store: &PgStore,
    which: Sealed,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
) -> Result<bool, StoreError> {
    Ok(store.execute(swap(which, before, after)).await? > 0)
}

/// [`replace`], unless a process holds a lease of a worker number.
pub(super) async fn replace_unless_leased(
    store: &PgStore,
    which: Sealed,
    (before, after): (Vec<u8>, Vec<u8>),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE quadrille_program_sealed SET sealed = $2 WHERE name = $1 AND sealed = $3
        AND NOT EXISTS (SELECT FROM quadrille_workers WHERE expires > $4)";
    let update = sqlx::query(sql).bind(which.name()).bind(after).bind(before).bind(now.millis());
    Ok(store.execute(update).await? > 0)
}

pub(super) async fn rings_given_up(store: &PgStore) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = "SELECT sealed FROM quadrille_program_sealed WHERE starts_with(name, $1)";
    let found = store.fetch(sqlx::query(sql).bind(GIVEN_UP)).await?;
    found.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(store_error)
}

pub(super) async fn give_ring_up(
    store: &PgStore,
    before: Vec<u8>,
    of_keys: Vec<Vec<u8>>,
    after: Vec<u8>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const GIVE_UP: &str = "INSERT INTO quadrille_program_sealed (name, sealed) VALUES ($1, $2)";
    let proofs = Arc::new((before, of_keys, after));
    let work = store.transaction(move |transaction| {
        let proofs = Arc::clone(&proofs);
        Box::pin(async move {
            let (before, of_keys, after) = (*proofs).clone();
            let swap = swap(Sealed::Proof, Some(before.clone()), after);
            if transaction.execute(swap).await? == 0 {
                return Ok(false);
            }
            for proof in of_keys.into_iter().chain([before]) {
                let give_up = sqlx::query(GIVE_UP).bind(given_up(&proof)).bind(proof);
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

fn deletion(which: Sealed) -> Query<'static, Postgres, PgArguments> {
    sqlx::query("DELETE FROM quadrille_program_sealed WHERE name = $1").bind(which.name())
}

/// Compare-and-swap of a sealed secret: it changes no row if the stored one is not `before`.
fn swap(
    which: Sealed,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
) -> Query<'static, Postgres, PgArguments> {
    let sql = match before {
        Some(_) => {
            "UPDATE quadrille_program_sealed SET sealed = $2 WHERE name = $1 AND sealed = $3"
        }
        None => {
            "INSERT INTO quadrille_program_sealed (name, sealed)
            SELECT $1, $2 WHERE $3::bytea IS NULL ON CONFLICT DO NOTHING"
        }
    };
    sqlx::query(sql).bind(which.name()).bind(after).bind(before)
}
