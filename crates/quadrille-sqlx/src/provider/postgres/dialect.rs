//! Verbs of many entries as one statement: the columns of the entries are arrays.

use std::collections::HashSet;

use quadrille::{
    Timestamp,
    provider::store::{
        Answer, Issue, IssuerId, Rotation, RowId, StoreError, StoredRow, StoredTable,
    },
};
use sqlx::{
    Arguments as _, PgPool,
    postgres::{PgArguments, PgRow},
};

use super::{
    super::{
        columns::{
            access_columns, access_values, alive, epoch_now, family_columns, family_values,
            number_now,
        },
        database::Database,
        dialect::{Buys, Dialect},
        engine::Write,
        reader::Reader,
        values::{Value, Values, values},
    },
    replicas, sweep, transfer,
};

/// The access tokens of a batch, `a`: 12 arrays, numbered in their order.
macro_rules! access_tokens {
    () => {
        concat!(
            "a AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[],
                $5::bytea[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bigint[],
                $11::text[], $12::text[])
                WITH ORDINALITY AS a(issuer, ",
            access_columns!(),
            ", n))"
        )
    };
}

/// The families of a batch, `f`: 17 arrays, the first of which has the numbers of their entries.
macro_rules! families {
    () => {
        concat!(
            "f AS (SELECT * FROM unnest($13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
                $17::bytea[], $18::bytea[], $19::text[], $20::text[], $21::text[], $22::bigint[],
                $23::bytea[], $24::bytea[], $25::bigint[], $26::text[], $27::text[], $28::bigint[],
                $29::bigint[]) AS f(n, issuer, ",
            family_columns!(),
            "))"
        )
    };
}

/// Stores the access tokens of the entries in `won`.
macro_rules! put_access_tokens {
    () => {
        concat!(
            "put_access AS (INSERT INTO quadrille_access_tokens (issuer, ",
            access_columns!(),
            ") SELECT issuer, ",
            access_columns!(),
            " FROM a JOIN won USING (n))"
        )
    };
}

/// Issues the tokens of the entries in `won`: stores access tokens and families, and lists their
/// grants or postpones their ends.
macro_rules! issue {
    ($won:expr) => {
        concat!(
            "WITH ",
            access_tokens!(),
            ", ",
            families!(),
            ", ",
            $won,
            ", ",
            put_access_tokens!(),
            ", put_families AS (INSERT INTO quadrille_families (issuer, ",
            family_columns!(),
            ") SELECT issuer, ",
            family_columns!(),
            " FROM f JOIN won USING (n)),
            listed AS (SELECT f.n, f.issuer, f.grant_id, f.client, f.actor, f.scopes, f.resources,
                f.auth, f.\"row\" AS family, greatest(f.ends, a.expires) AS expires
                FROM f JOIN a ON a.n = f.n
                UNION ALL
                SELECT a.n, a.issuer, a.grant_id, a.client, a.actor, a.scopes, a.resources, a.auth,
                NULL, a.expires FROM a WHERE NOT EXISTS (SELECT 1 FROM f WHERE f.n = a.n)),
            put_grants AS (INSERT INTO quadrille_grants (\"row\", grant_id, issuer, client, actor,
                scopes, resources, auth, family, expires)
                SELECT DISTINCT ON (l.grant_id) mix(l.grant_id), l.grant_id, l.issuer, l.client,
                l.actor, l.scopes, l.resources, l.auth, l.family, l.expires
                FROM listed l JOIN won ON won.n = l.n
                WHERE substring(l.actor from 1 for 1) = 'u'
                ORDER BY l.grant_id, l.expires DESC
                ON CONFLICT (\"row\") DO UPDATE
                SET expires = greatest(quadrille_grants.expires, excluded.expires))
            SELECT n FROM won"
        )
    };
}

const ISSUE: &str = issue!(concat!("won AS (SELECT t.n FROM a t WHERE ", alive!(), ")"));

/// The entries redeem the rows in `$30`.
macro_rules! redeem {
    ($change:literal, $condition:literal) => {
        issue!(concat!(
            "e AS (SELECT e.key, a.issuer, a.n
                FROM unnest($30::bigint[]) WITH ORDINALITY AS e(key, n) JOIN a ON a.n = e.n),
            won AS (UPDATE ",
            $change,
            " FROM e WHERE t.\"row\" = e.key AND t.issuer = e.issuer AND ",
            $condition,
            " AND ",
            alive!(),
            " RETURNING e.n)"
        ))
    };
}

const REDEEM: &str = redeem!("quadrille_codes t SET redeemed = true", "NOT t.redeemed");
const REDEEM_PENDING: &str = redeem!("quadrille_pending t SET state = 2", "t.state = 1");

/// The rotations are the arrays from `$13`.
const ROTATE: &str = concat!(
    "WITH ",
    access_tokens!(),
    ", e AS (SELECT a.issuer, e.* FROM unnest($13::bigint[], $14::bigint[], $15::bytea[],
        $16::bytea[], $17::bigint[], $18::text[], $19::text[], $20::bigint[])
        WITH ORDINALITY AS e(family, generation, presented, successor, rotated, scopes, resources,
        expires, n) JOIN a ON a.n = e.n),
    won AS (UPDATE quadrille_families t SET
        generation = t.generation + CASE WHEN e.successor IS NULL THEN 0 ELSE 1 END,
        previous = CASE WHEN e.successor IS NULL THEN t.previous ELSE t.current END,
        current = coalesce(e.successor, t.current), rotated = e.rotated,
        rotated_scopes = e.scopes, rotated_resources = e.resources, expires = e.expires
        FROM e WHERE t.\"row\" = e.family AND t.issuer = e.issuer
        AND t.generation = e.generation AND t.current = e.presented AND ",
    alive!(),
    " RETURNING e.n), ",
    put_access_tokens!(),
    " SELECT n FROM won"
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

    async fn issue(
        database: &Database<Self>,
        entries: &[(IssuerId, &Issue)],
    ) -> Result<Vec<bool>, StoreError> {
        let values = issues(database, entries.iter().copied())?;
        winners(database, ISSUE, values, entries.len()).await
    }

    async fn redeem(
        database: &Database<Self>,
        buys: Buys,
        entries: &[(IssuerId, RowId, &Issue)],
    ) -> Result<Vec<bool>, StoreError> {
        let entry = |(issuer, _, issue): &(IssuerId, RowId, _)| (*issuer, *issue);
        let mut values = issues(database, entries.iter().map(entry))?;
        let keys: Vec<_> = entries.iter().map(|(_, row, _)| database.key(*row)).collect();
        values.add(keys).map_err(StoreError::failed)?;
        let sql = match buys {
            Buys::Code => REDEEM,
            Buys::Pending => REDEEM_PENDING,
        };
        winners(database, sql, values, entries.len()).await
    }

    async fn rotate(
        database: &Database<Self>,
        entries: &[(IssuerId, &Rotation)],
    ) -> Result<Vec<bool>, StoreError> {
        let (mut tokens, mut rotations) = (Vec::new(), Vec::new());
        for (issuer, rotation) in entries {
            tokens.push(access_values(database, *issuer, &rotation.access)?);
            rotations.push(values![
                database.key(rotation.family),
                i64::from(rotation.generation),
                &rotation.presented,
                rotation.successor.as_ref(),
                rotation.rotated.seconds(),
                rotation.scopes.as_str(),
                rotation.resources.as_str(),
                rotation.expires.seconds()
            ]);
        }
        let mut values = PgArguments::default();
        add_arrays(&mut values, &ACCESS_TOKENS, &tokens)?;
        add_arrays(&mut values, &ROTATIONS, &rotations)?;
        winners(database, ROTATE, values, entries.len()).await
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

/// Whether each of `count` entries won.
async fn winners(
    database: &Database<PgPool>,
    sql: &'static str,
    values: PgArguments,
    count: usize,
) -> Result<Vec<bool>, StoreError> {
    let rows = database.rows(&database.text(sql).sql, values).await?;
    let number = |row| Reader::of(row, database.keys()).number();
    let won = rows.iter().map(number).collect::<Result<HashSet<i64>, _>>()?;
    Ok((1..).take(count).map(|number| won.contains(&number)).collect())
}

/// The values of access tokens and families.
fn issues<'i>(
    database: &Database<PgPool>,
    entries: impl Iterator<Item = (IssuerId, &'i Issue)>,
) -> Result<PgArguments, StoreError> {
    let (mut tokens, mut families) = (Vec::new(), Vec::new());
    for (number, (issuer, issue)) in (1..).zip(entries) {
        tokens.push(access_values(database, issuer, &issue.access)?);
        if let Some(family) = &issue.family {
            let mut values = values![number];
            values.extend(family_values(database, issuer, family)?);
            families.push(values);
        }
    }
    let mut values = PgArguments::default();
    add_arrays(&mut values, &ACCESS_TOKENS, &tokens)?;
    add_arrays(&mut values, &FAMILIES, &families)?;
    Ok(values)
}

/// The type of a column, which an array without entries has, too.
#[derive(Clone, Copy)]
enum Type {
    Number,
    Bytes,
    Text,
}
use Type::{Bytes, Number, Text};

const ACCESS_TOKENS: [Type; 12] =
    [Number, Number, Number, Bytes, Bytes, Text, Text, Text, Bytes, Number, Text, Text];
const FAMILIES: [Type; 17] = [
    Number, Number, Number, Number, Bytes, Bytes, Text, Text, Text, Number, Bytes, Bytes, Number,
    Text, Text, Number, Number,
];
const ROTATIONS: [Type; 8] = [Number, Number, Bytes, Bytes, Number, Text, Text, Number];

/// An array for each column.
fn add_arrays(
    arguments: &mut PgArguments,
    types: &[Type],
    rows: &[Values],
) -> Result<(), StoreError> {
    for (place, column) in types.iter().enumerate() {
        let values = rows.iter().map(|row| row.0.get(place));
        let added = match column {
            Number => arguments.add(
                values
                    .map(|value| match value {
                        Some(Value::Number(number)) => *number,
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            ),
            Bytes => arguments.add(
                values
                    .map(|value| match value {
                        Some(Value::Bytes(bytes) | Value::Key(bytes) | Value::Actor(bytes)) => {
                            bytes.as_deref()
                        }
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            ),
            Text => arguments.add(
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
    Ok(())
}
