//! Sessions that have ended, and whose clients do not know it yet.

use std::{sync::Arc, time::Duration};

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{MySqlStore, MySqlTransaction, TransactionError, store_error};
use sqlx::{MySql, Row as _, mysql::MySqlArguments, mysql::MySqlRow, query::Query};

use crate::{
    data::backend::ENDED_AT_ONCE,
    sessions::{self, Ended, FAR_LEASES, Session, SomeSessions},
};

use super::statements::{about, text};

/// Finds sessions to end, and locks them.
macro_rules! find {
    ($which:literal) => {
        concat!("SELECT id FROM quadrille_program_sessions WHERE ", $which)
    };
}

pub(super) const ONE: &str = find!("id = ? FOR UPDATE");
const ALL: &str = find!("TRUE FOR UPDATE");
const OF: &str = find!("subject = ? FOR UPDATE");
const NAMED: &str = find!("subject = ? AND (name = ?) <> ? FOR UPDATE");
const THESE: &str = find!("id IN [any] FOR UPDATE");
const EXPIRED: &str = find!("expires <= ? ORDER BY expires LIMIT ? FOR UPDATE SKIP LOCKED");

/// The sessions of a user beyond the newest ones. Without a lock: of sessions that are opened at once, each
/// would wait for the others.
const TOO_MANY: &str =
    find!("subject = ? AND id <> ? ORDER BY used DESC, signed_in DESC LIMIT 1000 OFFSET ?");

const RECORD: &str = "INSERT INTO quadrille_program_ended
    (name, subject, signed_in, clients, leased)
    SELECT name, subject, signed_in, clients, 0 FROM quadrille_program_sessions WHERE id IN [any]
    ON DUPLICATE KEY UPDATE leased = leased";
const END: &str = "DELETE FROM quadrille_program_sessions WHERE id IN [any]";

/// The greatest number of sessions that one statement ends.
const AT_ONCE: usize = 256;

const IS_DUE: &str = "SELECT 1 FROM DUAL
    WHERE EXISTS (SELECT 1 FROM quadrille_program_sessions WHERE expires <= ?)
    OR EXISTS (SELECT 1 FROM quadrille_program_ended WHERE leased <= ? OR leased > ?)";

const FREE: &str = "SELECT name, subject, signed_in, clients FROM quadrille_program_ended
    WHERE leased <= ? OR leased > ? LIMIT ? FOR UPDATE SKIP LOCKED";
const LEASE: &str = "UPDATE quadrille_program_ended SET leased = ? WHERE name IN [any]";
const FORGET: &str = "DELETE FROM quadrille_program_ended WHERE name IN [any]";

/// Ends the sessions that a query finds and locks, and records them. Returns their number.
pub(super) async fn end(
    transaction: &mut MySqlTransaction,
    find: Query<'static, MySql, MySqlArguments>,
) -> Result<usize, TransactionError> {
    let found = transaction.fetch(find).await?;
    let ids = found.iter().map(|row| row.try_get(0));
    let ids: Vec<&[u8]> = ids.collect::<sqlx::Result<_>>()?;
    for some in ids.chunks(AT_ONCE) {
        for sql in [RECORD, END] {
            transaction.execute(about(sql, None, some)).await?;
        }
    }
    Ok(ids.len())
}

/// Ends some sessions of a user. Returns their number.
pub(super) async fn end_of(
    transaction: &mut MySqlTransaction,
    subject: &str,
    which: &SomeSessions,
) -> Result<usize, TransactionError> {
    let find = match which.columns() {
        (None, _) => sqlx::query(OF).bind(subject.to_owned()),
        (Some(name), others) => {
            sqlx::query(NAMED).bind(subject.to_owned()).bind(name.to_owned()).bind(others)
        }
    };
    end(transaction, find).await
}

/// Ends the sessions of a user beyond so many others than this one: those that were used longest ago.
pub(super) async fn end_too_many(
    transaction: &mut MySqlTransaction,
    session: &Session,
    others: u8,
) -> Result<(), TransactionError> {
    let find = sqlx::query(TOO_MANY).bind(session.subject.to_string()).bind(session.id.to_vec());
    let found = transaction.fetch(find.bind(i64::from(others))).await?;
    let ids = found.iter().map(|row| row.try_get(0));
    let ids: Vec<&[u8]> = ids.collect::<sqlx::Result<_>>()?;
    if ids.is_empty() {
        return Ok(());
    }
    end(transaction, about(THESE, None, &ids)).await.map(drop)
}

/// Ends every session.
pub(super) async fn end_all(transaction: &mut MySqlTransaction) -> Result<(), TransactionError> {
    end(transaction, sqlx::query(ALL)).await.map(drop)
}

pub(super) async fn lease(
    store: &MySqlStore,
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<Ended>, StoreError> {
    let (until, far) = ((now + lease).seconds(), (now + lease * FAR_LEASES).seconds());
    let now = now.seconds();
    let due = store.fetch(sqlx::query(IS_DUE).bind(now).bind(now).bind(far)).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let work = store.transaction(move |transaction| {
        Box::pin(async move {
            end(transaction, sqlx::query(EXPIRED).bind(now).bind(ENDED_AT_ONCE)).await?;
            let free = sqlx::query(FREE).bind(now).bind(far).bind(ENDED_AT_ONCE);
            let leased = transaction.fetch(free).await?;
            let names = leased.iter().map(|row| row.try_get("name"));
            let names: Vec<&[u8]> = names.collect::<sqlx::Result<_>>()?;
            if !names.is_empty() {
                transaction.execute(about(LEASE, Some(until), &names)).await?;
            }
            Ok(leased)
        })
    });
    work.await?.iter().map(ended).collect()
}

pub(super) async fn forget(store: &MySqlStore, names: Vec<Arc<str>>) -> Result<(), StoreError> {
    let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    if names.is_empty() {
        return Ok(());
    }
    store.execute(about(FORGET, None, &names)).await.map(drop)
}

fn ended(row: &MySqlRow) -> Result<Ended, StoreError> {
    let read = || -> sqlx::Result<_> {
        let (name, subject) = (text(row, "name")?, text(row, "subject")?);
        Ok((name, subject, row.try_get("signed_in")?, text(row, "clients")?))
    };
    let (name, subject, signed_in, clients) = read().map_err(store_error)?;
    Ok(Ended {
        name: name.into(),
        subject: subject.into(),
        signed_in: Timestamp::from_millis(signed_in),
        clients: sessions::read_clients(clients)?,
    })
}
