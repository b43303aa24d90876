//! Sessions that have ended, and whose clients do not know it yet.

use std::{sync::Arc, time::Duration};

use quadrille::{
    Timestamp,
    provider::store::{SqliteStore, StoreError},
};
use rusqlite::{Params, Transaction, params};

use crate::{
    data::backend::ENDED_AT_ONCE,
    sessions::{self, Ended, FAR_LEASES, SomeSessions},
};

/// Ends the sessions that a condition names, and records them. Returns their number.
pub(super) fn end(
    transaction: &Transaction<'_>,
    which: &str,
    values: impl Params + Clone,
) -> Result<usize, StoreError> {
    let record = format!(
        "INSERT OR IGNORE INTO quadrille_program_ended (name, subject, signed_in, clients, leased)
         SELECT name, subject, signed_in, clients, 0 FROM quadrille_program_sessions WHERE {which}"
    );
    transaction.execute(&record, values.clone())?;
    let delete = format!("DELETE FROM quadrille_program_sessions WHERE {which}");
    Ok(transaction.execute(&delete, values)?)
}

/// Ends some sessions of a user. `false` if there is none.
pub(super) fn end_of(
    transaction: &Transaction<'_>,
    subject: &str,
    which: &SomeSessions,
) -> Result<bool, StoreError> {
    let (name, others) = which.columns();
    let which = "subject = ?1 AND (?2 IS NULL OR (name = ?2) <> ?3)";
    Ok(end(transaction, which, (subject, name, others))? > 0)
}

pub(super) async fn lease(
    store: &SqliteStore,
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<Ended>, StoreError> {
    let (until, far) = ((now + lease).seconds(), (now + lease * FAR_LEASES).seconds());
    let now = now.seconds();
    // A commit costs more than a look.
    let is_due = store.read(|connection| {
        let sql = "SELECT EXISTS (SELECT 1 FROM quadrille_program_sessions WHERE expires <= ?1)
            OR EXISTS (SELECT 1 FROM quadrille_program_ended WHERE leased <= ?1 OR leased > ?2)";
        let mut statement = connection.prepare_cached(sql)?;
        Ok::<_, StoreError>(statement.query_row([now, far], |row| row.get(0))?)
    });
    if !is_due.await? {
        return Ok(Vec::new());
    }
    store
        .write(move |transaction| {
            let expired = "id IN (SELECT id FROM quadrille_program_sessions WHERE expires <= ?1
                ORDER BY expires, id LIMIT ?2)";
            end(transaction, expired, [now, ENDED_AT_ONCE])?;
            let mut statement = transaction.prepare_cached(
                "UPDATE quadrille_program_ended SET leased = ?3 WHERE name IN
                 (SELECT name FROM quadrille_program_ended WHERE leased <= ?1 OR leased > ?2
                 LIMIT ?4) RETURNING name, subject, signed_in, clients",
            )?;
            let mut rows = statement.query([now, far, until, ENDED_AT_ONCE])?;
            let mut leased = Vec::new();
            while let Some(row) = rows.next()? {
                let clients: String = row.get("clients")?;
                leased.push(Ended {
                    name: row.get("name")?,
                    subject: row.get("subject")?,
                    signed_in: Timestamp::from_millis(row.get("signed_in")?),
                    clients: sessions::read_clients(&clients)?,
                });
            }
            Ok(leased)
        })
        .await
}

pub(super) async fn forget(store: &SqliteStore, names: Vec<Arc<str>>) -> Result<(), StoreError> {
    store
        .write(move |transaction| {
            for name in &names {
                let delete = "DELETE FROM quadrille_program_ended WHERE name = ?1";
                transaction.execute(delete, params![name])?;
            }
            Ok(())
        })
        .await
}
