//! Counts of failed sign-ins.

use std::{collections::BTreeMap, sync::Arc};

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::PgStore;
use sqlx::PgConnection;

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
            let connection = transaction.connection();
            let before = change(connection, &recount).await?;
            sqlx::query(SWEEP).bind(now.millis()).execute(connection).await?;
            Ok(before)
        })
    });
    work.await
}

/// Changes counts, and returns them as they were.
pub(super) async fn change(
    connection: &mut PgConnection,
    recount: &Recount,
) -> sqlx::Result<Recovery> {
    let Each { device, pair, record, name, network } = &recount.keys;
    let keys: Vec<&CountKey> = device.iter().chain([pair, record, name, network]).collect();
    let texts: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    let rows: Vec<(Vec<u8>, i64)> =
        sqlx::query_as(LOCK).bind(&texts).fetch_all(&mut *connection).await?;
    let found: BTreeMap<Vec<u8>, i64> = rows.into_iter().collect();
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
    sqlx::query(STORE).bind(&texts).bind(&times).execute(connection).await?;
    Ok(before)
}
