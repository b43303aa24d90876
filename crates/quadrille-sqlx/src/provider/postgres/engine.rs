//! PostgreSQL: its driver and its SQL.

use std::{sync::Arc, time::Duration};

use quadrille::provider::store::StoreError;
use sqlx::{
    Arguments as _, AssertSqlSafe, PgConnection, PgPool, Postgres, Row as _, SqlSafeStr as _,
    postgres::{PgArguments, PgRow},
};

use super::{
    super::{
        engine::{Engine, Script, Statement, Way, Write, driver},
        fault::reason,
        held::Held,
        reader::Fields,
        values::{Value, Values},
    },
    laps::Laps,
    remembering::REMEMBER,
    replicas::Replicas,
};

impl Fields for PgRow {
    fn number(&self, place: usize) -> Result<Option<i64>, StoreError> {
        self.try_get(place).map_err(reason)
    }

    fn flag(&self, place: usize) -> Result<Option<bool>, StoreError> {
        self.try_get(place).map_err(reason)
    }

    fn bytes(&self, place: usize) -> Result<Option<&[u8]>, StoreError> {
        // Columns of texts, too.
        self.try_get_unchecked(place).map_err(reason)
    }
}

impl Engine for PgPool {
    type Driver = Postgres;
    type Row = PgRow;
    type Arguments = PgArguments;
    type Sweeping = Laps;
    type Replicas = Replicas;

    const ANNOUNCES: bool = true;
    const HASHED_KEYS: Option<&str> = Some("SELECT hashed_keys FROM quadrille_store_settings");
    const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

    fn statement(sql: &str) -> Statement {
        // An array is a query of its own, so that one plan serves all lengths.
        let names = "= ANY((SELECT $2::bytea[])::bytea[])";
        Statement::plain(of_keys(sql).replace("IN [names]", names))
    }

    fn script(write: &Write) -> Script<String> {
        Script { in_turn: vec![one_statement(write)], then: Vec::new() }
    }

    fn arguments(values: &Values, _: Option<&[usize]>) -> Result<PgArguments, StoreError> {
        let mut arguments = PgArguments::default();
        for value in &values.0 {
            let added = match value {
                Value::Number(number) => arguments.add(number),
                Value::Flag(flag) => arguments.add(flag),
                Value::Bytes(bytes) | Value::Key(bytes) | Value::Actor(bytes) => {
                    arguments.add(bytes)
                }
                Value::Text(text) => arguments.add(text),
            };
            added.map_err(StoreError::failed)?;
        }
        Ok(arguments)
    }

    async fn begin(held: &mut Held<Postgres>, settings: &str, limit: Duration) -> sqlx::Result<()> {
        // One message with all of them, which is one round trip.
        let begin = match settings {
            "" => "BEGIN ISOLATION LEVEL READ COMMITTED".into_sql_str(),
            settings => {
                let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {settings}");
                AssertSqlSafe(begin).into_sql_str()
            }
        };
        held.begin(begin, limit).await
    }

    async fn announce(
        held: &mut Held<Postgres>,
        channel: &str,
        text: &str,
        limit: Duration,
    ) -> sqlx::Result<()> {
        // Neither has a quotation mark. It is not prepared, for poolers.
        let sql = AssertSqlSafe(format!("SELECT pg_notify('{channel}', '{text}')"));
        held.run(limit, |connection| sqlx::raw_sql(sql).execute(connection)).await.map(drop)
    }

    driver!(PgConnection);
}

/// A query of the rows with keys, which looks each of them up by itself: a plan for an array of keys
/// would read the whole table for ever, if it was made when the table was empty.
fn of_keys(sql: &str) -> String {
    let parts = sql.split_once(" t WHERE t.\"row\" IN [keys]");
    let parts = parts.and_then(|(head, rest)| Some((head.rsplit_once("FROM ")?, rest)));
    let Some(((head, table), rest)) = parts else { return sql.to_owned() };
    format!(
        "{head}FROM unnest((SELECT $1::bigint[])) AS looked_for(key) CROSS JOIN LATERAL
            (SELECT * FROM {table} WHERE \"row\" = looked_for.key OFFSET 0) t WHERE true{rest}"
    )
}

/// A write as one statement, which returns a row if it did something. All its parts see the same
/// state of the tables.
fn one_statement(write: &Write) -> String {
    let Write { first, then, tells, lives, .. } = write;
    if then.is_empty() && tells.is_none() && lives.is_none() {
        return (*first).to_owned();
    }
    let mut parts = vec![format!("done AS ({first} RETURNING 1)")];
    parts.extend(then.iter().enumerate().map(|(place, sql)| format!("then_{place} AS ({sql})")));
    if let Some(lives) = lives {
        parts.push(format!("lives AS ({lives}), {REMEMBER}"));
    }
    if let Some(change) = tells {
        // The row of the last position stays locked until the commit.
        parts.push(format!(
            "counted AS (UPDATE quadrille_positions SET last = last + 1
                WHERE id = 1 AND EXISTS (SELECT 1 FROM done) RETURNING last),
            told AS (INSERT INTO quadrille_changes (position, issuer, told)
                SELECT last, $1, ${change} FROM counted),
            forgotten AS (DELETE FROM quadrille_changes
                WHERE position = (SELECT last - 10000 FROM counted))"
        ));
    }
    format!("WITH {} SELECT 1 FROM done", parts.join(", "))
}
