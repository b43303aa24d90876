//! The statements that remove expired rows.

use std::time::Duration;

use quadrille::{
    Timestamp,
    provider::store::{REVOCATION_SWEEP_DELAY, SWEEP_DELAY, StoreError},
};

use sqlx::PgPool;

use super::{
    super::{database::Database as AnyDatabase, known_since::tell_of_sweep, values::values},
    laps::{self, Seen},
};

type Database = AnyDatabase<PgPool>;

/// The rows that an explicit sweep removes from a table at a time.
const PER_SWEEP: i64 = 10_000;

/// A table whose rows expire.
struct Table {
    /// Visits `$2` rows after the key `$1` and removes those that expired before `$3`. It returns
    /// the number of rows visited and the key of the last one, the number of rows removed, and the
    /// earliest expiry of the others. `None` if an index finds the expired rows.
    visit: Option<&'static str>,
    /// Removes up to `$2` rows that expired before `$1`, and returns their number.
    remove: &'static str,
    /// `false` if the rows list what other tables count.
    counts: bool,
    /// The time for which expired rows are kept.
    delay: Duration,
    /// `true` for marks of keys, whose removal is told before.
    is_of_keys: bool,
}

macro_rules! by_row {
    ($table:literal) => {
        by_row!($table, "")
    };
    ($table:literal, $also:literal) => {
        Table {
            visit: Some(concat!(
                "WITH seen AS (SELECT \"row\", expires FROM quadrille_",
                $table,
                " WHERE \"row\" > $1 ORDER BY \"row\" LIMIT $2),
                gone AS (DELETE FROM quadrille_",
                $table,
                " WHERE \"row\" IN (SELECT \"row\" FROM seen WHERE expires < $3) AND expires < $3
                    RETURNING \"row\", issuer)",
                $also,
                " SELECT (SELECT count(*) FROM seen), (SELECT max(\"row\") FROM seen),
                (SELECT count(*) FROM gone),
                (SELECT min(expires) FROM seen WHERE expires >= $3)"
            )),
            remove: concat!(
                "WITH gone AS (DELETE FROM quadrille_",
                $table,
                " WHERE \"row\" IN (SELECT \"row\" FROM quadrille_",
                $table,
                " WHERE expires < $1 LIMIT $2) AND expires < $1 RETURNING \"row\", issuer)",
                $also,
                " SELECT count(*) FROM gone"
            ),
            counts: true,
            delay: SWEEP_DELAY,
            is_of_keys: false,
        }
    };
}

macro_rules! by_expiry {
    ($table:literal, $key:literal) => {
        by_expiry!($table, $key, "")
    };
    ($table:literal, $key:literal, $if:literal) => {
        Table {
            visit: None,
            remove: concat!(
                "WITH gone AS (DELETE FROM quadrille_",
                $table,
                " WHERE (",
                $key,
                ") IN (SELECT ",
                $key,
                " FROM quadrille_",
                $table,
                " WHERE expires < $1",
                $if,
                " ORDER BY expires LIMIT $2) AND expires < $1 RETURNING 1)
                SELECT count(*) FROM gone"
            ),
            counts: true,
            delay: SWEEP_DELAY,
            is_of_keys: false,
        }
    };
}

/// The tables whose rows expire. Token credentials that were stored while
/// their grant was revoked go with the revocation.
static TABLES: [Table; laps::TABLES] = [
    by_row!("access_tokens"),
    by_row!("codes"),
    by_row!("families"),
    Table {
        delay: REVOCATION_SWEEP_DELAY,
        ..by_row!(
            "revoked",
            ", credentials AS (DELETE FROM quadrille_token_credentials t USING gone
                WHERE t.\"row\" = gone.\"row\" AND t.issuer = gone.issuer)"
        )
    },
    by_row!("pending"),
    by_row!("token_credentials"),
    Table { counts: false, ..by_row!("grants") },
    by_row!("initial_tokens"),
    by_expiry!("foreign_tokens", "hash, issuer"),
    by_expiry!("tickets", "ticket, issuer"),
    Table {
        is_of_keys: true,
        ..by_expiry!(
            "once",
            "hash, space, issuer",
            " AND expires < (SELECT expired FROM quadrille_swept)"
        )
    },
];

/// Removes a few expired rows while others go on, in proportion to the number of writes.
pub(super) fn beside(database: &Database, writes: usize) {
    if !database.sweeping().is_due(database.env().now(), writes) {
        return;
    }
    let other = database.clone();
    database.beside(async move {
        if let Err(error) = step(&other).await
            && !other.is_closed()
        {
            tracing::warn!(%error, "expired rows could not be removed");
        }
    });
}

/// Removes expired rows of all tables; returns their number.
pub(super) async fn all(database: &Database, now: Timestamp) -> Result<u64, StoreError> {
    // Two statements that delete the same rows in different orders may wait for each other, and the
    // server notices after a second.
    let _pause = database.sweeping().pause().await;
    let mut gone = 0;
    for table in &TABLES {
        let until = now - table.delay;
        if table.is_of_keys {
            // The caller waits, so another process may not know it for a second.
            tell_of_sweep(database, until).await?;
        }
        let removed = remove(database, table, until, PER_SWEEP).await?;
        gone += if table.counts { removed } else { 0 };
    }
    Ok(gone)
}

async fn step(database: &Database) -> Result<(), StoreError> {
    let Some((mut laps, limit)) = database.sweeping().step() else { return Ok(()) };
    let now = database.env().now();
    for (lap, table) in laps.iter_mut().zip(&TABLES).filter(|(lap, _)| lap.is_due(now)) {
        let (mut until, delay) = (now - table.delay, seconds(table.delay));
        if table.is_of_keys {
            until = tell_of_sweep(database, until).await?;
        }
        let Some(visit) = table.visit else {
            let gone = remove(database, table, until, limit).await?;
            // If more rows have expired, they go with the next step.
            lap.next = now.seconds() + i64::from(gone < limit.unsigned_abs());
            continue;
        };
        let from = values![lap.at.unwrap_or(-1), limit, until.seconds()];
        let seen = database.one(visit, from, |row| {
            let (rows, last) = (row.number()?, row.optional_number()?);
            let (gone, soonest) = (row.number()?, row.optional_number()?);
            let soonest = soonest.map(|expires| expires.saturating_add(delay));
            Ok(Seen { rows, last, gone, soonest })
        });
        if let Some(seen) = seen.await? {
            lap.go_on(&seen, limit, now, database.keys());
        }
    }
    database.sweeping().stepped(&laps);
    Ok(())
}

fn seconds(duration: Duration) -> i64 {
    duration.as_secs().try_into().unwrap_or(i64::MAX)
}

/// Removes rows of a table that expired before `until`, wherever they are.
async fn remove(
    database: &Database,
    table: &Table,
    until: Timestamp,
    limit: i64,
) -> Result<u64, StoreError> {
    let gone = database.one(table.remove, values![until.seconds(), limit], |row| row.number());
    Ok(gone.await?.unwrap_or(0).try_into().unwrap_or(0))
}
