//! A group commit in MariaDB on one connection, and look-ups on a pool.

use super::{Job, Op, Row};
use sqlx::{mysql::MySqlPoolOptions, AssertSqlSafe, Connection, MySqlConnection, MySqlPool, Row as _};
use std::{collections::HashSet, fmt::Write as _};
use tokio::sync::{mpsc, oneshot};

const TABLE: &str = "CREATE TABLE tok(hash BINARY(32) PRIMARY KEY, kind SMALLINT NOT NULL, client VARCHAR(255) NOT NULL, usr INT NOT NULL, scope TEXT NOT NULL, exp BIGINT NOT NULL)";
const FIND: &str = "SELECT client,usr,scope,exp FROM tok WHERE hash=? AND kind=0";

pub(crate) struct MariaDb {
    group: mpsc::Sender<Job>,
    pool: MySqlPool,
}

impl MariaDb {
    pub(crate) async fn start(url: &str) -> Self {
        let mut one = MySqlConnection::connect(url).await.unwrap();
        sqlx::raw_sql(TABLE).execute(&mut one).await.unwrap();
        let (group, mut waiting) = mpsc::channel::<Job>(65536);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, 1024).await > 0 {
                let done = write(&mut one, &batch).await.unwrap();
                for ((_, reply), ok) in batch.drain(..).zip(done) {
                    let _ = reply.send(ok);
                }
            }
        });
        let pool = MySqlPoolOptions::new().max_connections(16).test_before_acquire(false);
        Self { group, pool: pool.connect(url).await.unwrap() }
    }

    pub(crate) async fn apply(&self, op: Op) -> bool {
        let (reply, done) = oneshot::channel();
        self.group.send((op, reply)).await.is_ok() && done.await.unwrap_or(false)
    }

    pub(crate) async fn lookup(&self, hash: &[u8; 32]) -> Option<i64> {
        let found = sqlx::query(FIND).bind(&hash[..]).fetch_optional(&self.pool).await.ok()?;
        found.map(|row| row.get(3))
    }
}

/// Writes a batch; returns whether each of its jobs won.
async fn write(one: &mut MySqlConnection, batch: &[Job]) -> sqlx::Result<Vec<bool>> {
    let olds = batch.iter().filter_map(|(op, _)| match op {
        Op::Rotate(old, _) => Some(old),
        Op::Insert(_) => None,
    });
    let mut delete = String::new();
    for old in olds {
        delete.push_str(if delete.is_empty() {
            "DELETE FROM tok WHERE kind=1 AND hash IN ("
        } else {
            ","
        });
        put_hash(&mut delete, old);
    }
    if delete.is_empty() {
        sqlx::raw_sql(AssertSqlSafe(insert(batch.iter().flat_map(|(op, _)| rows(op)))))
            .execute(one)
            .await?;
        return Ok(vec![true; batch.len()]);
    }
    delete.push_str(") RETURNING hash");
    let mut both = one.begin().await?;
    let gone = sqlx::raw_sql(AssertSqlSafe(delete)).fetch_all(&mut *both).await?;
    let gone: HashSet<Vec<u8>> = gone.iter().map(|row| row.get(0)).collect();
    let won: Vec<bool> = (batch.iter())
        .map(|(op, _)| match op {
            Op::Rotate(old, _) => gone.contains(&old[..]),
            Op::Insert(_) => true,
        })
        .collect();
    let winners = batch.iter().zip(&won).filter(|(_, won)| **won);
    let insert = insert(winners.flat_map(|((op, _), _)| rows(op)));
    if !insert.is_empty() {
        sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut *both).await?;
    }
    both.commit().await?;
    Ok(won)
}

fn rows(op: &Op) -> &[Row] {
    match op {
        Op::Insert(rows) | Op::Rotate(_, rows) => rows,
    }
}

fn insert<'r>(rows: impl Iterator<Item = &'r Row>) -> String {
    let mut sql = String::new();
    for Row { hash, kind, client, user, scope, exp } in rows {
        sql.push_str(if sql.is_empty() { "INSERT INTO tok VALUES (" } else { ",(" });
        put_hash(&mut sql, hash);
        let _ = write!(sql, ",{kind},'{client}',{user},'{scope}',{exp})");
    }
    sql
}

fn put_hash(sql: &mut String, hash: &[u8; 32]) {
    sql.push_str("x'");
    for byte in hash {
        let _ = write!(sql, "{byte:02x}");
    }
    sql.push('\'');
}
