//! Verbs of many entries as one statement: the columns of the entries are arrays.

use std::collections::HashSet;

use quadrille::{
    Actor, Timestamp,
    provider::store::{Answer, Issue, IssuerId, RowId, StoreError, StoredRow, StoredTable},
};
use sqlx::{
    Arguments as _, PgPool,
    postgres::{PgArguments, PgRow},
};

use super::{
    super::{
        columns::{
            access_columns, access_values, add_family, alive, code_columns, epoch_now,
            family_columns, number_now,
        },
        database::Database,
        dialect::{Buys, Dialect, Turning},
        engine::Write,
        reader::Reader,
        server_time,
        values::{Value, Values, values},
    },
    replicas, sweep, transfer,
};

/// The 12 arrays of access tokens, numbered in the order of their columns. The first one is a query
/// of its own, so that the planner does not look at its length: a plan for the lengths of one batch
/// takes longer to make than to run, and PostgreSQL would make one each time it looks cheaper than
/// the plan for any length.
macro_rules! access_arrays {
    () => {
        "(SELECT $1::bigint[]), $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[], \
         $7::text[], $8::text[], $9::bytea[], $10::bigint[], $11::text[], $12::text[]"
    };
}

const PUT_CODES: &str = concat!(
    "INSERT INTO quadrille_codes (issuer, ",
    code_columns!(),
    ") SELECT * FROM unnest((SELECT $1::bigint[]), $2::bigint[], $3::bigint[], $4::bytea[], \
     $5::bytea[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bigint[], $11::bytea[], \
     $12::bytea[], $13::boolean[])"
);

/// The columns of an access token, and those of the family that is issued with it, which are null
/// where there is none.
macro_rules! issue_columns {
    () => {
        concat!(
            "issuer, ",
            access_columns!(),
            ", family, family_grant, family_client, family_actor, family_scopes, \
             family_resources, family_auth, generation, current, previous, rotated, \
             family_expires, ends"
        )
    };
}

/// The arrays of `issue_columns`.
macro_rules! issue_arrays {
    () => {
        concat!(
            access_arrays!(),
            ", $13::bigint[], $14::bigint[], $15::bytea[], $16::bytea[], $17::text[], \
             $18::text[], $19::text[], $20::bigint[], $21::bytea[], $22::bytea[], $23::bigint[], \
             $24::bigint[], $25::bigint[]"
        )
    };
}

/// Issues the tokens of the entries that `$won` has: stores access tokens and families, and lists
/// their grants or postpones their ends. No part joins another one, so the statement costs the same
/// for each entry, however many there are.
macro_rules! issue {
    ($won:expr) => {
        concat!(
            "WITH won AS (",
            $won,
            "), put_access AS (INSERT INTO quadrille_access_tokens (issuer, ",
            access_columns!(),
            ") SELECT issuer, ",
            access_columns!(),
            " FROM won), put_families AS (INSERT INTO quadrille_families (issuer, ",
            family_columns!(),
            ") SELECT issuer, family, family_grant, family_client, family_actor, family_scopes,
                family_resources, family_auth, generation, current, previous, rotated,
                family_expires, ends
                FROM won WHERE family IS NOT NULL),
            put_grants AS (INSERT INTO quadrille_grants (\"row\", grant_id, issuer, client, actor,
                scopes, resources, auth, family, expires)
                SELECT DISTINCT ON (grant_id) mix(grant_id), grant_id, issuer, client, actor,
                coalesce(family_scopes, scopes), coalesce(family_resources, resources),
                CASE WHEN family IS NULL THEN auth ELSE family_auth END, family,
                greatest(ends, expires)
                FROM won WHERE substring(actor from 1 for 1) = 'u'
                ORDER BY grant_id, greatest(ends, expires) DESC
                ON CONFLICT (\"row\") DO UPDATE
                SET expires = greatest(quadrille_grants.expires, excluded.expires))
            SELECT \"row\" FROM won"
        )
    };
}

const ISSUE: &str = issue!(concat!(
    "SELECT * FROM unnest(",
    issue_arrays!(),
    ") AS t(",
    issue_columns!(),
    ") WHERE ",
    alive!()
));

/// Tokens of clients themselves, which have no families and are not listed.
const ISSUE_OWN: &str = concat!(
    "INSERT INTO quadrille_access_tokens (issuer, ",
    access_columns!(),
    ") SELECT * FROM unnest(",
    access_arrays!(),
    ") AS t(issuer, ",
    access_columns!(),
    ") WHERE ",
    alive!(),
    " RETURNING \"row\""
);

/// The entries redeem the rows in `$26`.
macro_rules! redeem {
    ($change:literal, $condition:literal) => {
        issue!(concat!(
            "UPDATE ",
            $change,
            " FROM unnest(",
            issue_arrays!(),
            ", $26::bigint[]) AS e(",
            issue_columns!(),
            ", redeemed) WHERE t.\"row\" = e.redeemed AND t.issuer = e.issuer AND ",
            $condition,
            " AND ",
            alive!(),
            " RETURNING e.*"
        ))
    };
}

const REDEEM: &str = redeem!("quadrille_codes t SET redeemed = true", "NOT t.redeemed");
const REDEEM_PENDING: &str = redeem!("quadrille_pending t SET state = 2", "t.state = 1");

/// The rotations are the arrays from `$13`. A server that went on after a while carries out what it
/// had received, so each has the time of the server until which it may be carried out.
const ROTATE: &str = concat!(
    "WITH won AS (UPDATE quadrille_families t SET
        generation = t.generation + CASE WHEN e.successor IS NULL THEN 0 ELSE 1 END,
        previous = CASE WHEN e.successor IS NULL THEN t.previous ELSE t.current END,
        current = coalesce(e.successor, t.current), rotated = e.rotated,
        expires = e.family_expires
        FROM unnest(",
    access_arrays!(),
    ", $13::bigint[], $14::bigint[], $15::bytea[], $16::bytea[], $17::bigint[], $18::bigint[],
        $19::bigint[]) AS e(issuer, ",
    access_columns!(),
    ", family, generation, presented, successor, rotated, family_expires, until) WHERE t.\"row\" = e.family AND t.issuer = e.issuer
        AND t.generation = e.generation AND t.current = e.presented
        AND extract(epoch FROM clock_timestamp()) * 1000 < e.until AND ",
    alive!(),
    " RETURNING e.*)
    INSERT INTO quadrille_access_tokens (issuer, ",
    access_columns!(),
    ") SELECT issuer, ",
    access_columns!(),
    " FROM won RETURNING \"row\""
);

impl Dialect for PgPool {
    const BATCH: usize = 1024;

    async fn answer(
        database: &Database<Self>,
        write: &'static Write,
        values: Values,
        _: IssuerId,
        _: &Answer,
    ) -> Result<bool, StoreError> {
        database.write(write, values).await
    }

    async fn put_codes(database: &Database<Self>, codes: Vec<Values>) -> Result<(), StoreError> {
        database.execute(&database.text(PUT_CODES).sql, arrays(&codes)?).await.map(drop)
    }

    async fn issue(
        database: &Database<Self>,
        entries: &[(IssuerId, &Issue)],
    ) -> Result<Vec<bool>, StoreError> {
        let is_own = |(_, issue): &(IssuerId, &Issue)| {
            issue.family.is_none() && !matches!(issue.access.grant.actor, Actor::User(_))
        };
        let is_all_own = entries.iter().all(is_own);
        let values = entries.iter().map(|(issuer, issue)| match is_all_own {
            true => access_values(database, *issuer, &issue.access),
            false => issue_values(database, *issuer, issue),
        });
        let values = values.collect::<Result<_, _>>()?;
        winners(database, if is_all_own { ISSUE_OWN } else { ISSUE }, values).await
    }

    async fn redeem(
        database: &Database<Self>,
        buys: Buys,
        entries: &[(IssuerId, RowId, &Issue)],
    ) -> Result<Vec<bool>, StoreError> {
        let sql = match buys {
            Buys::Code => REDEEM,
            Buys::Pending => REDEEM_PENDING,
        };
        let values = entries.iter().map(|(issuer, row, issue)| {
            let mut values = issue_values(database, *issuer, issue)?;
            values.push(database.key(*row));
            Ok(values)
        });
        let values = values.collect::<Result<_, StoreError>>()?;
        winners(database, sql, values).await
    }

    async fn rotate(
        database: &Database<Self>,
        entries: &[Turning<'_>],
    ) -> Result<Vec<bool>, StoreError> {
        let ahead = server_time::ahead(database).await?;
        let values = entries.iter().map(|Turning { issuer, rotation, until }| {
            let mut values = access_values(database, *issuer, &rotation.access)?;
            values.extend(values![
                database.key(rotation.family),
                i64::from(rotation.generation),
                &rotation.presented,
                rotation.successor.as_ref(),
                rotation.rotated.seconds(),
                rotation.expires.seconds(),
                until.millis().saturating_add(ahead)
            ]);
            Ok(values)
        });
        let values = values.collect::<Result<_, StoreError>>()?;
        let won = winners(database, ROTATE, values).await?;
        if won.contains(&false) {
            // Perhaps the clock of the server is another one now.
            database.server_clock().forget();
        }
        Ok(won)
    }

    async fn rows_of_keys(
        database: &Database<Self>,
        sql: &'static str,
        keys: &[i64],
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut values = PgArguments::default();
        values.add(keys).map_err(StoreError::failed)?;
        database.rows(&database.text(sql).sql, values).await
    }

    async fn rows_of_names(
        database: &Database<Self>,
        sql: &'static str,
        issuer: IssuerId,
        names: &[&[u8]],
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut values = PgArguments::default();
        values.add(issuer.0).map_err(StoreError::failed)?;
        values.add(names).map_err(StoreError::failed)?;
        database.rows(&database.text(sql).sql, values).await
    }

    const CONSENT_LIVES: &str = concat!(
        "c.number = ",
        number_now!("c.client"),
        " AND c.epoch = ",
        epoch_now!("c.client", "('u'::bytea || c.subject)")
    );

    async fn put_rows(
        database: &Database<Self>,
        issuer: IssuerId,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> Result<u64, StoreError> {
        transfer::put_rows(database, issuer, table, rows).await
    }

    async fn rows_of_replica(
        database: &Database<Self>,
        sql: &'static str,
        keys: &[i64],
    ) -> Option<Vec<PgRow>> {
        replicas::rows(database, sql, keys).await
    }

    fn tell_up_to(database: &Database<Self>, position: i64) {
        database.replicas().require(position);
    }

    fn sweep_beside(database: &Database<Self>, writes: usize) {
        sweep::beside(database, writes);
    }

    async fn sweep(database: &Database<Self>, now: Timestamp) -> Result<u64, StoreError> {
        sweep::all(database, now).await
    }
}

/// Runs a statement over the values of entries, of which each begins with an issuer and the key of an
/// access token. Whether each entry won: the statement returns the keys of the winners.
async fn winners(
    database: &Database<PgPool>,
    sql: &'static str,
    entries: Vec<Values>,
) -> Result<Vec<bool>, StoreError> {
    let rows = database.rows(&database.text(sql).sql, arrays(&entries)?).await?;
    let key = |row| Reader::of(row, database.keys()).number();
    let won = rows.iter().map(key).collect::<Result<HashSet<i64>, _>>()?;
    let has_won = |entry: &Values| match entry.0.get(1) {
        Some(Value::Number(Some(key))) => won.contains(key),
        _ => false,
    };
    Ok(entries.iter().map(has_won).collect())
}

/// The values of `issue_columns`.
fn issue_values(
    database: &Database<PgPool>,
    issuer: IssuerId,
    issue: &Issue,
) -> Result<Values, StoreError> {
    let mut values = access_values(database, issuer, &issue.access)?;
    add_family(&mut values, database, issue.family.as_ref())?;
    Ok(values)
}

/// An array for each column of the rows.
fn arrays(rows: &[Values]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for (place, first) in rows.iter().take(1).flat_map(|row| row.0.iter().enumerate()) {
        let values = rows.iter().map(|row| row.0.get(place));
        let added = match first {
            Value::Number(_) => arguments.add(
                values
                    .map(|value| match value {
                        Some(Value::Number(number)) => *number,
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            ),
            Value::Flag(_) => arguments.add(
                values
                    .map(|value| match value {
                        Some(Value::Flag(flag)) => *flag,
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            ),
            Value::Bytes(_) | Value::Key(_) | Value::Actor(_) => arguments.add(
                values
                    .map(|value| match value {
                        Some(Value::Bytes(bytes) | Value::Key(bytes) | Value::Actor(bytes)) => {
                            bytes.as_deref()
                        }
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            ),
            Value::Text(_) => arguments.add(
                values
                    .map(|value| match value {
                        Some(Value::Text(text)) => text.as_deref(),
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            ),
        };
        added.map_err(StoreError::failed)?;
    }
    Ok(arguments)
}
