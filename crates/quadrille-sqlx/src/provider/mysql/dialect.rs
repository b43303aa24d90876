//! Verbs of many entries as a transaction: it locks their rows, decides who won, and inserts many
//! rows with one statement.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use quadrille::{
    Actor, Env, Timestamp,
    provider::store::{
        Answer, FamilyRecord, GrantColumns, Issue, IssuerId, RowId, StoreError, StoredRow,
        StoredTable,
    },
};
use sqlx::{MySqlPool, mysql::MySqlRow};

use super::{
    super::{
        columns::{
            access_columns, access_values, add_family, add_grant, alive, code_columns, epoch_now,
            family_columns, number_now,
        },
        database::{Database, Steps},
        dialect::{Buys, Dialect, Turning},
        engine::{Engine, Statement, Write},
        fault::run,
        reader::Reader,
        values::{Value, Values, values},
    },
    remembering::remember,
    sweep, transfer,
};

const CODES: &str =
    concat!("INSERT INTO quadrille_codes (issuer, ", code_columns!(), ") VALUES [rows]");
const ACCESS_TOKENS: &str =
    concat!("INSERT INTO quadrille_access_tokens (issuer, ", access_columns!(), ") VALUES [rows]");
/// A token of a client itself, by one statement. The values are those of `access_values`.
const OWN_ACCESS_TOKEN: &str = concat!(
    "INSERT INTO quadrille_access_tokens (issuer, ",
    access_columns!(),
    ") SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
    FROM (SELECT $1::bigint AS issuer, $3::bigint AS grant_id, $4::bytea AS client, NULL AS actor) t
    WHERE ",
    alive!()
);
const LIVING: &str = concat!(
    "SELECT t.\"row\" FROM quadrille_access_tokens t WHERE t.\"row\" IN [keys] AND ",
    alive!()
);
const FAMILIES: &str =
    concat!("INSERT INTO quadrille_families (issuer, ", family_columns!(), ") VALUES [rows]");
/// The families are there.
const ROTATED: &str = concat!(
    "INSERT INTO quadrille_families (issuer, ",
    family_columns!(),
    ") VALUES [rows] ON DUPLICATE KEY UPDATE generation = VALUES(generation),
        current = VALUES(current), previous = VALUES(previous), rotated = VALUES(rotated),
        expires = VALUES(expires)"
);
const GRANTS: &str = "INSERT INTO quadrille_grants
    (issuer, \"row\", grant_id, client, actor, scopes, resources, auth, family, expires)
    VALUES [rows] ON DUPLICATE KEY UPDATE expires = greatest(expires, VALUES(expires))";

macro_rules! lock {
    ($columns:expr, $table:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM ",
            $table,
            " t WHERE t.\"row\" IN [keys] AND ",
            $condition,
            alive!(),
            " ORDER BY t.\"row\" FOR UPDATE"
        )
    };
}

const LOCK_CODES: &str = lock!("t.\"row\", t.issuer", "quadrille_codes", "NOT t.redeemed AND ");
const LOCK_PENDING: &str = lock!("t.\"row\", t.issuer", "quadrille_pending", "t.state = 1 AND ");
const LOCK_FAMILIES: &str =
    lock!(concat!("t.issuer, ", family_columns!()), "quadrille_families", "");
const MARK_CODES: &str = "UPDATE quadrille_codes SET redeemed = true WHERE \"row\" IN [keys]";
const MARK_PENDING: &str = "UPDATE quadrille_pending SET state = 2 WHERE \"row\" IN [keys]";

impl Dialect for MySqlPool {
    const BATCH: usize = 256;

    async fn answer(
        database: &Database<Self>,
        write: &'static Write,
        values: Values,
        issuer: IssuerId,
        answer: &Answer,
    ) -> Result<bool, StoreError> {
        run(|| async {
            let mut steps = database.begin().await?;
            if !steps.write(write, &values).await? {
                return Ok(false);
            }
            if let (Some(consent), Some(lives)) = (&answer.consent, write.lives)
                && steps.finds(lives, values.clone()).await?
            {
                remember(&mut steps, issuer, consent, &answer.asked).await?;
            }
            steps.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn put_codes(database: &Database<Self>, codes: Vec<Values>) -> Result<(), StoreError> {
        let inserts: Vec<_> = inserts(database, CODES, &codes).collect();
        if let [(statement, values)] = &*inserts {
            return database.run_alone(statement, values).await.map(drop);
        }
        run(|| async {
            let mut steps = database.begin().await?;
            for (statement, values) in &inserts {
                steps.execute(statement, values).await?;
            }
            steps.commit().await
        })
        .await
    }

    async fn issue(
        database: &Database<Self>,
        entries: &[(IssuerId, &Issue)],
    ) -> Result<Vec<bool>, StoreError> {
        if let [(issuer, Issue { access, family: None })] = entries
            && matches!(&access.grant.actor, Actor::Client(id) if *id == access.grant.client)
        {
            let values = access_values(database, *issuer, access)?;
            return Ok(vec![database.run(OWN_ACCESS_TOKEN, values).await? > 0]);
        }
        let mut lives = vec![true; entries.len()];
        while !issue_living(database, entries, &mut lives).await? {}
        Ok(lives)
    }

    async fn redeem(
        database: &Database<Self>,
        buys: Buys,
        entries: &[(IssuerId, RowId, &Issue)],
    ) -> Result<Vec<bool>, StoreError> {
        let (lock, mark) = match buys {
            Buys::Code => (LOCK_CODES, MARK_CODES),
            Buys::Pending => (LOCK_PENDING, MARK_PENDING),
        };
        let keys: Vec<_> = entries.iter().map(|(_, row, _)| row.0).collect();
        run(|| async {
            let mut steps = database.begin().await?;
            let mut unspent = HashMap::new();
            for row in &of_keys(database, &mut steps, lock, &keys).await? {
                let mut row = Reader::of(row, database.keys());
                unspent.insert(row.number()?, row.number()?);
            }
            let has_won =
                |(issuer, row, _): &(IssuerId, RowId, _)| unspent.get(&row.0) == Some(&issuer.0);
            let won: Vec<_> = entries.iter().map(has_won).collect();
            let winners = || entries.iter().filter(|entry| has_won(entry));
            let marked: Vec<_> = winners().map(|(_, row, _)| row.0).collect();
            if !marked.is_empty() {
                let (statement, values) = with_keys(database, mark, &marked);
                steps.execute(&statement, &values).await?;
                let bought = winners().map(|(issuer, _, issue)| (*issuer, *issue));
                for (statement, values) in issued(database, bought)? {
                    steps.execute(&statement, &values).await?;
                }
                steps.commit().await?;
            }
            Ok(won)
        })
        .await
    }

    async fn rotate(
        database: &Database<Self>,
        entries: &[Turning<'_>],
    ) -> Result<Vec<bool>, StoreError> {
        let keys: Vec<_> = entries.iter().map(|entry| entry.rotation.family.0).collect();
        let is_late = |until: &Timestamp| Env::system().steady() >= *until;
        run(|| async {
            let mut steps = database.begin().await?;
            let mut held = HashMap::new();
            for row in &of_keys(database, &mut steps, LOCK_FAMILIES, &keys).await? {
                let mut row = Reader::of(row, database.keys());
                let (issuer, family) = (row.number()?, row.family()?);
                held.insert((issuer, family.row), family);
            }
            let (mut tokens, mut families, mut won) = (Vec::new(), Vec::new(), Vec::new());
            let mut soonest = None;
            for Turning { issuer, rotation, until } in entries {
                let mut family = held.remove(&(issuer.0, rotation.family));
                let turns = |held: &mut FamilyRecord| !is_late(until) && rotation.apply(held);
                let family = family.as_mut().is_some_and(turns).then_some(family).flatten();
                if family.is_some() {
                    soonest =
                        Some(soonest.map_or(*until, |soonest: Timestamp| soonest.min(*until)));
                }
                won.push(family.is_some());
                if let Some(family) = family {
                    families.push(family_values(database, *issuer, &family)?);
                    tokens.push(access_values(database, *issuer, &rotation.access)?);
                }
            }
            let families = inserts(database, ROTATED, &families);
            for (statement, values) in families.chain(inserts(database, ACCESS_TOKENS, &tokens)) {
                steps.execute(&statement, &values).await?;
            }
            // Each statement has its own limit, and the callers wait no longer.
            if soonest.as_ref().is_some_and(is_late) {
                return Err(StoreError::unavailable("the database is too slow for a rotation"));
            }
            steps.commit().await?;
            Ok(won)
        })
        .await
    }

    async fn rows_of_keys(
        database: &Database<Self>,
        sql: &'static str,
        keys: &[i64],
    ) -> Result<Vec<MySqlRow>, StoreError> {
        let (statement, values) = with_keys(database, sql, keys);
        database.rows(&statement.sql, Self::arguments(&values, None)?).await
    }

    async fn rows_of_names(
        database: &Database<Self>,
        sql: &'static str,
        issuer: IssuerId,
        names: &[&[u8]],
    ) -> Result<Vec<MySqlRow>, StoreError> {
        let (statement, names) = with_any(database, sql, "[names]", names);
        let mut values = values![issuer.0];
        values.extend(names);
        database.rows(&statement.sql, Self::arguments(&values, None)?).await
    }

    const CONSENT_LIVES: &str = concat!(
        "c.number = ",
        number_now!("c.client"),
        " AND c.epoch = ",
        epoch_now!("c.client", "CONCAT('u', c.subject)")
    );

    async fn put_rows(
        database: &Database<Self>,
        issuer: IssuerId,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> Result<u64, StoreError> {
        transfer::put_rows(database, issuer, table, rows).await
    }

    fn sweep_beside(database: &Database<Self>, _: usize) {
        sweep::beside(database);
    }

    async fn sweep(database: &Database<Self>, now: Timestamp) -> Result<u64, StoreError> {
        sweep::all(database, now).await
    }
}

/// Issues the tokens of entries that live as far as is known. If some of them are dead, their places
/// are marked, nothing is issued, and the answer is `false`.
async fn issue_living(
    database: &Database<MySqlPool>,
    entries: &[(IssuerId, &Issue)],
    lives: &mut [bool],
) -> Result<bool, StoreError> {
    let living =
        || entries.iter().zip(&*lives).filter(|(_, lives)| **lives).map(|(entry, _)| *entry);
    let inserts = issued(database, living())?;
    let keys: Vec<_> = living().map(|(_, issue)| issue.access.row.0).collect();
    if keys.is_empty() {
        return Ok(true);
    }
    let found = run(|| async {
        let mut steps = database.begin().await?;
        for (statement, values) in &inserts {
            steps.execute(statement, values).await?;
        }
        let rows = of_keys(database, &mut steps, LIVING, &keys).await?;
        let row = |row| Reader::of(row, database.keys()).number();
        let found = rows.iter().map(row).collect::<Result<HashSet<_>, _>>()?;
        if found.len() == keys.len() {
            steps.commit().await?;
        }
        Ok(found)
    });
    let found = found.await?;
    for ((_, issue), lives) in entries.iter().zip(lives) {
        *lives = *lives && found.contains(&issue.access.row.0);
    }
    Ok(found.len() == keys.len())
}

/// The issuer and the values of `family_columns`.
fn family_values(
    database: &Database<MySqlPool>,
    issuer: IssuerId,
    family: &FamilyRecord,
) -> Result<Values, StoreError> {
    let mut values = values![issuer.0];
    add_family(&mut values, database, Some(family))?;
    Ok(values)
}

/// Stores issued tokens, and lists the grants of users, or postpones their ends.
fn issued<'i>(
    database: &Database<MySqlPool>,
    entries: impl Iterator<Item = (IssuerId, &'i Issue)>,
) -> Result<Vec<(Statement, Values)>, StoreError> {
    let (mut tokens, mut families, mut grants) = (Vec::new(), Vec::new(), Vec::new());
    for (issuer, Issue { access, family }) in entries {
        tokens.push(access_values(database, issuer, access)?);
        let family = family.as_ref();
        if let Some(family) = family {
            families.push(family_values(database, issuer, family)?);
        }
        let grant = family.map_or(&access.grant, |family| &family.grant);
        if matches!(grant.actor, Actor::User(_)) {
            let ends = family.map_or(access.expires, |family| family.ends);
            let mut values = values![issuer.0, grant.id.0];
            add_grant(&mut values, Some(&GrantColumns::of(grant)?));
            values.push(family.map(|family| family.row.0));
            values.push(ends.max(access.expires).seconds());
            grants.push((grant.id, values));
        }
    }
    // All transactions lock them in the same order.
    grants.sort_by_key(|(id, _)| *id);
    let grants: Vec<_> = grants.into_iter().map(|(_, values)| values).collect();
    let tables = [(ACCESS_TOKENS, tokens), (FAMILIES, families), (GRANTS, grants)];
    Ok(tables.iter().flat_map(|(sql, rows)| inserts(database, sql, rows)).collect())
}

/// Inserts rows. The numbers of rows in a statement are powers of two, so that few statements are
/// prepared.
fn inserts<'r>(
    database: &Database<MySqlPool>,
    sql: &'static str,
    rows: &'r [Values],
) -> impl Iterator<Item = (Statement, Values)> + 'r {
    let text = Arc::clone(&database.text(sql).sql);
    let mut rest = rows;
    std::iter::from_fn(move || {
        let columns = rest.first()?.0.len();
        let count = 1 << rest.len().ilog2();
        let (rows, others) = rest.split_at_checked(count)?;
        rest = others;
        let row = format!("({})", marks(columns));
        let text = text.replace("[rows]", &vec![row; count].join(", "));
        let values = rows.iter().flat_map(|row| row.0.iter().cloned()).collect();
        Some((Statement::plain(text), Values(values)))
    })
}

/// The rows of a query with these keys.
async fn of_keys(
    database: &Database<MySqlPool>,
    steps: &mut Steps<MySqlPool>,
    sql: &'static str,
    keys: &[i64],
) -> Result<Vec<MySqlRow>, StoreError> {
    let (statement, values) = with_keys(database, sql, keys);
    steps.rows(&statement.sql, MySqlPool::arguments(&values, None)?).await
}

/// A statement about these keys.
fn with_keys(
    database: &Database<MySqlPool>,
    sql: &'static str,
    keys: &[i64],
) -> (Statement, Values) {
    with_any(database, sql, "[keys]", keys)
}

/// A statement with these keys or names at a place. Their number is a power of two: the last one is
/// repeated.
fn with_any<T: Copy + Into<Value>>(
    database: &Database<MySqlPool>,
    sql: &'static str,
    place: &str,
    any: &[T],
) -> (Statement, Values) {
    let count = any.len().next_power_of_two();
    let all = any.iter().chain(any.last().into_iter().cycle()).take(count);
    let text = database.text(sql).sql.replace(place, &format!("({})", marks(count)));
    (Statement::plain(text), Values(all.map(|one| (*one).into()).collect()))
}

/// A `?` for each of `count` values.
fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}
