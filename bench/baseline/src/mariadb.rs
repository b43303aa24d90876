//! A group commit in MariaDB on one connection, and look-ups on a pool.

use super::{Job, Op, Row};
use sqlx::{mysql::MySqlPoolOptions, AssertSqlSafe, Connection, MySqlConnection, MySqlPool, Row as _};
use std::{collections::HashSet, fmt::Write as _};
use tokio::sync::{mpsc, oneshot};

const TABLE: &str = "CREATE TABLE tok(hash BINARY(32) PRIMARY KEY, kind SMALLINT NOT NULL, client VARCHAR(255) NOT NULL, usr INT NOT NULL, scope TEXT NOT NULL, exp BIGINT NOT NULL)";
const CODES: &str = "CREATE TABLE code(hash BINARY(32) PRIMARY KEY, challenge BINARY(43) NOT NULL, client VARCHAR(255) NOT NULL, usr INT NOT NULL, scope TEXT NOT NULL, exp BIGINT NOT NULL)";
const FIND_CODE: &str = "SELECT challenge,exp FROM code WHERE hash=?";
const FIND: &str = "SELECT client,usr,scope,exp FROM tok WHERE hash=? AND kind=0";

pub(crate) struct MariaDb {
    group: mpsc::Sender<Job>,
    pool: MySqlPool,
}

impl MariaDb {
    pub(crate) async fn start(url: &str) -> Self {
        let mut one = MySqlConnection::connect(url).await.unwrap();
        sqlx::raw_sql(TABLE).execute(&mut one).await.unwrap();
        sqlx::raw_sql(CODES).execute(&mut one).await.unwrap();
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

    pub(crate) async fn find_code(&self, hash: &[u8; 32]) -> Option<(Vec<u8>, i64)> {
        let found = sqlx::query(FIND_CODE).bind(&hash[..]).fetch_optional(&self.pool).await.ok()?;
        found.map(|row| (row.get(0), row.get(1)))
    }

    pub(crate) async fn lookup(&self, hash: &[u8; 32]) -> Option<i64> {
        let found = sqlx::query(FIND).bind(&hash[..]).fetch_optional(&self.pool).await.ok()?;
        found.map(|row| row.get(3))
    }
}

/// Writes a batch; returns whether each of its jobs won.
async fn write(one: &mut MySqlConnection, batch: &[Job]) -> sqlx::Result<Vec<bool>> {
    let (mut delete, mut used, mut codes) = (String::new(), String::new(), String::new());
    for (op, _) in batch {
        match op {
            Op::Rotate(old, _) => {
                put_key(&mut delete, "DELETE FROM tok WHERE kind=1 AND hash IN (", old);
            }
            Op::Redeem(code, _) => put_key(&mut used, "DELETE FROM code WHERE hash IN (", code),
            Op::Code(hash, code) => {
                put_key(&mut codes, "INSERT INTO code VALUES (", hash);
                let challenge = std::str::from_utf8(&code.challenge).unwrap();
                let _ = write!(codes, ",'{challenge}','bench',7,'read write',{}),(", code.exp);
            }
            Op::Insert(_) => {}
        }
    }
    if delete.is_empty() && used.is_empty() && codes.is_empty() {
        let insert = insert(batch.iter().flat_map(|(op, _)| op.rows()));
        sqlx::raw_sql(AssertSqlSafe(insert)).execute(one).await?;
        return Ok(vec![true; batch.len()]);
    }
    let mut all = one.begin().await?;
    let mut gone = HashSet::<Vec<u8>>::new();
    for mut delete in [delete, used].into_iter().filter(|delete| !delete.is_empty()) {
        delete.push_str(") RETURNING hash");
        let rows = sqlx::raw_sql(AssertSqlSafe(delete)).fetch_all(&mut *all).await?;
        gone.extend(rows.iter().map(|row| row.get::<Vec<u8>, _>(0)));
    }
    let won: Vec<bool> = batch.iter().map(|(op, _)| op.wins(|key| gone.contains(key))).collect();
    let winners = batch.iter().zip(&won).filter(|(_, won)| **won);
    let tokens = insert(winners.flat_map(|((op, _), _)| op.rows()));
    codes.truncate(codes.len().saturating_sub(2));
    for insert in [tokens, codes].into_iter().filter(|insert| !insert.is_empty()) {
        sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut *all).await?;
    }
    all.commit().await?;
    Ok(won)
}

/// Another key of a statement, which begins with `head`.
fn put_key(sql: &mut String, head: &str, key: &[u8; 32]) {
    if sql.is_empty() {
        sql.push_str(head);
    } else if !sql.ends_with('(') {
        sql.push(',');
    }
    put_hash(sql, key);
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
