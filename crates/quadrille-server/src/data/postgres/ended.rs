//! Sessions that have ended, and whose clients do not know it yet.

use std::{sync::Arc, time::Duration};

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{PgStore, PgTransaction, TransactionError, store_error};
use sqlx::{Postgres, Row as _, postgres::PgArguments, postgres::PgRow, query::Query};

use crate::{
    data::backend::ENDED_AT_ONCE,
    sessions::{self, Ended, FAR_LEASES, SomeSessions},
};

/// Ends sessions, and records them.
macro_rules! end {
    ($which:literal) => {
        concat!(
            "WITH gone AS (DELETE FROM quadrille_program_sessions WHERE ",
            $which,
            " RETURNING name, subject, signed_in, clients)
            INSERT INTO quadrille_program_ended (name, subject, signed_in, clients, leased)
            SELECT name, subject, signed_in, clients, 0 FROM gone ON CONFLICT DO NOTHING"
        )
    };
}

const END_ALL: &str = end!("TRUE");
const END_OF: &str = end!("subject = $1 AND ($2::text IS NULL OR (name = $2) <> $3)");
pub(super) const END_ONE: &str = end!("id = $1");
pub(super) const END_TOO_MANY: &str = end!(
    "id IN (SELECT id FROM quadrille_program_sessions WHERE subject = $1 AND id <> $2
    ORDER BY used DESC, signed_in DESC OFFSET $3)"
);
const END_EXPIRED: &str = end!(
    "id IN (SELECT id FROM quadrille_program_sessions WHERE expires <= $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)"
);

const IS_DUE: &str = "SELECT EXISTS (SELECT 1 FROM quadrille_program_sessions WHERE expires <= $1)
    OR EXISTS (SELECT 1 FROM quadrille_program_ended WHERE leased <= $1 OR leased > $2)";

const LEASE: &str = "UPDATE quadrille_program_ended SET leased = $3 WHERE name IN
    (SELECT name FROM quadrille_program_ended WHERE leased <= $1 OR leased > $2
    LIMIT $4 FOR UPDATE SKIP LOCKED)
    RETURNING name, subject, signed_in, clients";

/// Ends some sessions of a user, within a transaction.
pub(super) fn end_of(subject: &str, which: &SomeSessions) -> Query<'static, Postgres, PgArguments> {
    let (name, others) = which.columns();
    sqlx::query(END_OF).bind(subject.to_owned()).bind(name.map(str::to_owned)).bind(others)
}

/// Ends every session, within a transaction.
pub(super) async fn end_all(transaction: &mut PgTransaction) -> Result<(), TransactionError> {
    Ok(transaction.execute(sqlx::query(END_ALL)).await.map(drop)?)
}

pub(super) async fn lease(
    store: &PgStore,
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<Ended>, StoreError> {
    let (until, far) = ((now + lease).seconds(), (now + lease * FAR_LEASES).seconds());
    let now = now.seconds();
    let due = store.fetch(sqlx::query(IS_DUE).bind(now).bind(far)).await?;
    let is_due = due.first().map(|row| row.try_get(0)).transpose().map_err(store_error)?;
    if is_due != Some(true) {
        return Ok(Vec::new());
    }
    let work = store.transaction(move |transaction| {
        Box::pin(async move {
            let expired = sqlx::query(END_EXPIRED).bind(now).bind(ENDED_AT_ONCE);
            transaction.execute(expired).await?;
            let lease = sqlx::query(LEASE).bind(now).bind(far).bind(until).bind(ENDED_AT_ONCE);
            Ok(transaction.fetch(lease).await?)
        })
    });
    work.await?.iter().map(ended).collect()
}

pub(super) async fn forget(store: &PgStore, names: Vec<Arc<str>>) -> Result<(), StoreError> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let delete = "DELETE FROM quadrille_program_ended WHERE name = ANY($1)";
    store.execute(sqlx::query(delete).bind(names)).await.map(drop)
}

fn ended(row: &PgRow) -> Result<Ended, StoreError> {
    let read = || -> sqlx::Result<_> {
        let (name, subject): (&str, &str) = (row.try_get("name")?, row.try_get("subject")?);
        let clients: &str = row.try_get("clients")?;
        Ok((name, subject, row.try_get("signed_in")?, clients))
    };
    let (name, subject, signed_in, clients) = read().map_err(store_error)?;
    Ok(Ended {
        name: name.into(),
        subject: subject.into(),
        signed_in: Timestamp::from_millis(signed_in),
        clients: sessions::read_clients(clients)?,
    })
}
