//! Counts of failed sign-ins.

use quadrille::{
    Timestamp,
    provider::{guessing::CountChange, store::StoreError},
};
use rusqlite::{OptionalExtension as _, Transaction};

use crate::{
    data::backend::{CountKey, Recount},
    throttle::{Each, Recovery},
};

/// The greatest number of ended counts that one attempt deletes.
const SWEPT: i64 = 32;

const FIND: &str = "SELECT recovered FROM quadrille_program_failures WHERE key = ?1";
const PUT: &str = "INSERT INTO quadrille_program_failures (key, recovered) VALUES (?1, ?2)
    ON CONFLICT (key) DO UPDATE SET recovered = ?2";

/// Changes counts, and returns them as they were.
pub(super) fn change(
    transaction: &Transaction<'_>,
    recount: &Recount,
) -> Result<Recovery, StoreError> {
    let before = load(transaction, &recount.keys)?;
    store(transaction, &recount.keys, &before, &(recount.change)(&before))?;
    Ok(before)
}

/// Changes one count, and returns it as it was.
pub(super) fn change_one(
    transaction: &Transaction<'_>,
    key: &CountKey,
    change: &CountChange,
) -> Result<Timestamp, StoreError> {
    let before = of(transaction, key)?;
    if let Some(after) = change(before) {
        transaction.prepare_cached(PUT)?.execute((&key[..], after.millis()))?;
    }
    Ok(before)
}

/// Deletes counts that have ended.
pub(super) fn sweep(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
    transaction.execute(
        "DELETE FROM quadrille_program_failures WHERE key IN
         (SELECT key FROM quadrille_program_failures WHERE recovered <= ?1 LIMIT ?2)",
        (now.millis(), SWEPT),
    )?;
    Ok(())
}

fn load(transaction: &Transaction<'_>, keys: &Each<CountKey>) -> Result<Recovery, StoreError> {
    let recovered = |key: &CountKey| of(transaction, key);
    Ok(Recovery {
        device: keys.device.as_ref().map(recovered).transpose()?,
        pair: recovered(&keys.pair)?,
        record: recovered(&keys.record)?,
        name: recovered(&keys.name)?,
        network: recovered(&keys.network)?,
    })
}

fn of(transaction: &Transaction<'_>, key: &CountKey) -> Result<Timestamp, StoreError> {
    let mut read = transaction.prepare_cached(FIND)?;
    let found: Option<i64> = read.query_row([&key[..]], |row| row.get("recovered")).optional()?;
    Ok(Timestamp::from_millis(found.unwrap_or(0)))
}

fn store(
    transaction: &Transaction<'_>,
    keys: &Each<CountKey>,
    before: &Recovery,
    after: &Recovery,
) -> Result<(), StoreError> {
    let mut write = transaction.prepare_cached(PUT)?;
    let mut changed = |key: &CountKey, before: Timestamp, after: Timestamp| {
        if before == after {
            return Ok(());
        }
        write.execute((&key[..], after.millis())).map(|_| ())
    };
    if let (Some(key), Some(before), Some(after)) = (&keys.device, before.device, after.device) {
        changed(key, before, after)?;
    }
    changed(&keys.pair, before.pair, after.pair)?;
    changed(&keys.record, before.record, after.record)?;
    changed(&keys.name, before.name, after.name)?;
    changed(&keys.network, before.network, after.network)?;
    Ok(())
}
