//! Removes expired rows as others are stored.

use std::sync::atomic::Ordering;

use quadrille::{
    Timestamp,
    provider::store::{REVOCATION_SWEEP_DELAY, SWEEP_DELAY, StoreError},
};

use sqlx::MySqlPool;

use super::super::{database::Database as AnyDatabase, known_since::tell_of_sweep, values::values};

type Database = AnyDatabase<MySqlPool>;

/// The rows that one statement removes, beside the verbs and explicitly.
const BESIDE: i64 = 1000;
const PER_SWEEP: i64 = 10_000;

macro_rules! remove {
    ($table:literal) => {
        concat!("DELETE FROM quadrille_", $table, " WHERE expires < $1 ORDER BY expires LIMIT $2")
    };
}

/// Token credentials that were stored while their grant was revoked go before the revocation.
const CREDENTIALS: &str = "DELETE FROM quadrille_token_credentials WHERE \"row\" IN
    (SELECT r.\"row\" FROM quadrille_revoked r WHERE r.expires < $1
        AND r.issuer = quadrille_token_credentials.issuer)";

const REVOKED: &str = remove!("revoked");

/// The marks of keys, whose removal was told.
const ONCE: &str = "DELETE FROM quadrille_once WHERE expires < $1
    AND expires < (SELECT expired FROM quadrille_swept) ORDER BY expires LIMIT $2";

/// The tables whose rows expire. The last one lists what others count.
const TABLES: [&str; 11] = [
    remove!("access_tokens"),
    remove!("codes"),
    remove!("families"),
    REVOKED,
    remove!("pending"),
    remove!("token_credentials"),
    remove!("initial_tokens"),
    remove!("foreign_tokens"),
    remove!("tickets"),
    ONCE,
    remove!("grants"),
];

/// Removes expired rows while others go on, once a second.
pub(super) fn beside(database: &Database) {
    let (now, sweeping) = (database.env().now().seconds(), database.sweeping());
    let next = sweeping.load(Ordering::Relaxed);
    let take = || sweeping.compare_exchange(next, i64::MAX, Ordering::Relaxed, Ordering::Relaxed);
    if now < next || take().is_err() {
        return;
    }
    let other = database.clone();
    database.beside(async move {
        let next = match remove(&other, Timestamp::from_seconds(now), BESIDE, true).await {
            // There may be more.
            Ok((_, true)) => now,
            Ok((_, false)) => now + 1,
            Err(error) => {
                if !other.is_closed() {
                    tracing::warn!(%error, "expired rows could not be removed");
                }
                now + 1
            }
        };
        other.sweeping().store(next, Ordering::Relaxed);
    });
}

/// Removes expired rows of all tables; returns their number.
pub(super) async fn all(database: &Database, now: Timestamp) -> Result<u64, StoreError> {
    // The caller waits, so another process may not know for a second that marks are removed.
    remove(database, now, PER_SWEEP, false).await.map(|(gone, _)| gone)
}

/// The number of rows that went, and whether there may be more.
async fn remove(
    database: &Database,
    now: Timestamp,
    limit: i64,
    is_patient: bool,
) -> Result<(u64, bool), StoreError> {
    let (mut gone, mut more) = (0, false);
    let (until, of_revocations) = (now - SWEEP_DELAY, now - REVOCATION_SWEEP_DELAY);
    database.run(CREDENTIALS, values![of_revocations.seconds()]).await?;
    let told = tell_of_sweep(database, until).await?;
    for (place, sql) in TABLES.into_iter().enumerate() {
        let until = match sql {
            REVOKED => of_revocations,
            ONCE if is_patient => told,
            _ => until,
        };
        let removed = database.run(sql, values![until.seconds(), limit]).await?;
        more |= removed == limit.unsigned_abs();
        gone += if place + 1 == TABLES.len() { 0 } else { removed };
    }
    Ok((gone, more))
}
