//! Counts of failed sign-ins.

use std::{collections::BTreeMap, sync::Arc};

use quadrille::{
    Timestamp,
    provider::{guessing::CountChange, store::StoreError},
};
use quadrille_sqlx::{PgStore, PgTransaction};
use sqlx::{Row as _, postgres::PgRow};

use crate::{
    data::backend::{CountKey, Recount},
    throttle::{Each, Recovery},
};

/// Makes the rows of all keys, locks those that are there, and returns them: in one order, so that
/// two attempts wait for each other once, and so that none is swept meanwhile.
const LOCK: &str = "INSERT INTO quadrille_program_failures AS f (key, recovered)
    SELECT DISTINCT key, 0::bigint FROM unnest($1::bytea[]) AS key ORDER BY key
    ON CONFLICT (key) DO UPDATE SET recovered = f.recovered RETURNING key, recovered";
const STORE: &str = "UPDATE quadrille_program_failures f SET recovered = after.recovered
    FROM unnest($1::bytea[], $2::bigint[]) AS after (key, recovered) WHERE f.key = after.key";

/// The greatest number of ended counts that one attempt deletes: 32.
const SWEEP: &str = "DELETE FROM quadrille_program_failures WHERE key IN
    (SELECT key FROM quadrille_program_failures WHERE recovered <= $1 LIMIT 32
    FOR UPDATE SKIP LOCKED)";

/// Changes counts, deletes some that have ended, and returns the counts as they were.
pub(super) async fn recount(
    store: &PgStore,
    recount: Recount,
    now: Timestamp,
) -> Result<Recovery, StoreError> {
    let recount = Arc::new(recount);
    let work = store.transaction(move |transaction| {
        let recount = Arc::clone(&recount);
        Box::pin(async move {
            let before = change(transaction, &recount).await?;
            transaction.execute(sqlx::query(SWEEP).bind(now.millis())).await?;
            Ok(before)
        })
    });
    work.await
}

/// Changes one count, deletes some that have ended, and returns the count as it was.
pub(super) async fn count(
    store: &PgStore,
    key: CountKey,
    change: CountChange,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let work = store.transaction(move |transaction| {
        let change = Arc::clone(&change);
        Box::pin(async move {
            let key = [&key[..]];
            let locked = transaction.fetch(sqlx::query(LOCK).bind(&key[..])).await?;
            let row = locked.first().ok_or(sqlx::Error::RowNotFound)?;
            let before = Timestamp::from_millis(row.try_get("recovered")?);
            if let Some(after) = change(before) {
                let after = [after.millis()];
                transaction.execute(sqlx::query(STORE).bind(&key[..]).bind(&after[..])).await?;
            }
            transaction.execute(sqlx::query(SWEEP).bind(now.millis())).await?;
            Ok(before)
        })
    });
    work.await
}

/// Changes counts, and returns them as they were.
pub(super) async fn change(
    transaction: &mut PgTransaction,
    recount: &Recount,
) -> sqlx::Result<Recovery> {
    let Each { device, pair, record, name, network } = &recount.keys;
    let keys: Vec<&CountKey> = device.iter().chain([pair, record, name, network]).collect();
    let texts: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    let rows = transaction.fetch(sqlx::query(LOCK).bind(&texts)).await?;
    let count = |row: &PgRow| Ok((row.try_get("key")?, row.try_get("recovered")?));
    let found: BTreeMap<Vec<u8>, i64> = rows.iter().map(count).collect::<sqlx::Result<_>>()?;
    let of = |key: &CountKey| {
        let millis = found.get(&key[..]).copied().ok_or(sqlx::Error::RowNotFound)?;
        Ok::<_, sqlx::Error>(Timestamp::from_millis(millis))
    };
    let before = Recovery {
        device: device.as_ref().map(of).transpose()?,
        pair: of(pair)?,
        record: of(record)?,
        name: of(name)?,
        network: of(network)?,
    };
    let after = (recount.change)(&before);
    let times: Vec<i64> = (after.device.iter())
        .chain([&after.pair, &after.record, &after.name, &after.network])
        .map(|time| time.millis())
        .collect();
    transaction.execute(sqlx::query(STORE).bind(&texts).bind(&times)).await?;
    Ok(before)
}
