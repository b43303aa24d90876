//! Counts of failed sign-ins.

use std::{collections::BTreeMap, sync::Arc};

use quadrille::{
    Timestamp,
    provider::{guessing::CountChange, store::StoreError},
};
use quadrille_sqlx::{MySqlStore, MySqlTransaction};
use sqlx::{AssertSqlSafe, Row as _, mysql::MySqlRow};

use crate::{
    data::backend::{CountKey, Recount},
    throttle::{Each, Recovery},
};

use super::statements::about;

/// Makes the rows that are missing, and locks the others.
const LOCK: &str = "INSERT INTO quadrille_program_failures (`key`, recovered) VALUES [rows]
    ON DUPLICATE KEY UPDATE recovered = recovered";
const FIND: &str = "SELECT `key`, recovered FROM quadrille_program_failures WHERE `key` IN [any]";
const STORE: &str = "INSERT INTO quadrille_program_failures (`key`, recovered) VALUES [rows]
    ON DUPLICATE KEY UPDATE recovered = VALUES(recovered)";

/// The greatest number of ended counts that one attempt deletes: 32. Those that another attempt has locked
/// stay.
const OVER: &str = "SELECT `key` FROM quadrille_program_failures WHERE recovered <= ? LIMIT 32
    FOR UPDATE SKIP LOCKED";
const SWEEP: &str = "DELETE FROM quadrille_program_failures WHERE `key` IN [any]";

/// Changes counts, deletes some that have ended, and returns the counts as they were.
pub(super) async fn recount(
    store: &MySqlStore,
    recount: Recount,
    now: Timestamp,
) -> Result<Recovery, StoreError> {
    let recount = Arc::new(recount);
    let work = store.transaction(move |transaction| {
        let recount = Arc::clone(&recount);
        Box::pin(async move {
            let before = change(transaction, &recount).await?;
            sweep(transaction, now).await?;
            Ok(before)
        })
    });
    work.await
}

/// Changes one count, deletes some that have ended, and returns the count as it was.
pub(super) async fn count(
    store: &MySqlStore,
    key: CountKey,
    change: CountChange,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let work = store.transaction(move |transaction| {
        let change = Arc::clone(&change);
        Box::pin(async move {
            let held = hold(transaction, &[&key]).await?;
            let before = held.get(&key).copied().ok_or(sqlx::Error::RowNotFound)?;
            if let Some(after) = change(before) {
                put(transaction, STORE, &[(&key, after)]).await?;
            }
            sweep(transaction, now).await?;
            Ok(before)
        })
    });
    work.await
}

/// Changes counts, and returns them as they were.
pub(super) async fn change(
    transaction: &mut MySqlTransaction,
    recount: &Recount,
) -> sqlx::Result<Recovery> {
    let Each { device, pair, record, name, network } = &recount.keys;
    let keys: Vec<&CountKey> = device.iter().chain([pair, record, name, network]).collect();
    let found = hold(transaction, &keys).await?;
    let of = |key: &CountKey| found.get(key).copied().ok_or(sqlx::Error::RowNotFound);
    let before = Recovery {
        device: device.as_ref().map(of).transpose()?,
        pair: of(pair)?,
        record: of(record)?,
        name: of(name)?,
        network: of(network)?,
    };
    let after = (recount.change)(&before);
    let times = (after.device.iter())
        .chain([&after.pair, &after.record, &after.name, &after.network])
        .copied();
    let after: Vec<_> = keys.into_iter().zip(times).collect();
    put(transaction, STORE, &after).await?;
    Ok(before)
}

/// Makes the rows of keys that have none, locks those that are there, and returns all of them: in one order,
/// so that two attempts wait for each other once, and so that none is swept meanwhile.
async fn hold(
    transaction: &mut MySqlTransaction,
    keys: &[&CountKey],
) -> sqlx::Result<BTreeMap<CountKey, Timestamp>> {
    let mut rows: Vec<_> = keys.iter().map(|key| (*key, Timestamp::default())).collect();
    rows.sort();
    rows.dedup();
    put(transaction, LOCK, &rows).await?;
    let found = transaction.fetch(about(FIND, None, keys)).await?;
    let count = |row: &MySqlRow| {
        let key = row.try_get::<&[u8], _>("key")?.try_into();
        let key = key.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok((key, Timestamp::from_millis(row.try_get("recovered")?)))
    };
    found.iter().map(count).collect()
}

/// Stores rows by one of the statements above.
async fn put(
    transaction: &mut MySqlTransaction,
    sql: &str,
    rows: &[(&CountKey, Timestamp)],
) -> sqlx::Result<()> {
    let places = vec!["(?, ?)"; rows.len()].join(", ");
    let put = sqlx::query(AssertSqlSafe(sql.replace("[rows]", &places)));
    let put = rows.iter().fold(put, |put, (key, time)| put.bind(key.to_vec()).bind(time.millis()));
    transaction.execute(put).await.map(drop)
}

async fn sweep(transaction: &mut MySqlTransaction, now: Timestamp) -> sqlx::Result<()> {
    let over = transaction.fetch(sqlx::query(OVER).bind(now.millis())).await?;
    let over = over.iter().map(|row| row.try_get(0));
    let over: Vec<&[u8]> = over.collect::<sqlx::Result<_>>()?;
    if over.is_empty() {
        return Ok(());
    }
    transaction.execute(about(SWEEP, None, &over)).await.map(drop)
}
