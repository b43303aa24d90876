//! Tables of one row: the issuer of the database, the settings on which clients depend, and its
//! mark.

use std::sync::Arc;

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{MySqlStore, store_error};
use sqlx::{Row as _, mysql::MySqlRow};

use crate::data::{
    backend::{Known, RecordedIssuer},
    known::KnownColumns,
};

use super::statements::text;

pub(super) async fn issuer(store: &MySqlStore) -> Result<Option<RecordedIssuer>, StoreError> {
    let rows =
        store.fetch(sqlx::query("SELECT issuer, given FROM quadrille_program_issuer")).await?;
    let recorded = |row: &MySqlRow| {
        Ok(RecordedIssuer { issuer: text(row, "issuer")?.to_owned(), given: row.try_get("given")? })
    };
    rows.first().map(recorded).transpose().map_err(store_error)
}

pub(super) async fn record_issuer(
    store: &MySqlStore,
    recorded: RecordedIssuer,
    renamed_from: Option<String>,
) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM quadrille_issuers WHERE issuer = ? AND issuer <> ?";
    const RENAME: &str = "UPDATE quadrille_issuers SET issuer = ? WHERE issuer = ?";
    const RECORD: &str = "INSERT INTO quadrille_program_issuer (id, issuer, given)
        VALUES (1, ?, ?) ON DUPLICATE KEY UPDATE issuer = VALUES(issuer), given = VALUES(given)";
    let change = Arc::new((recorded, renamed_from));
    let work = store.transaction(move |transaction| {
        let change = Arc::clone(&change);
        Box::pin(async move {
            let (RecordedIssuer { issuer, given }, renamed_from) = &*change;
            if let Some(before) = renamed_from {
                // Rows that an earlier attempt left under the new issuer are deleted.
                for sql in [DELETE, RENAME] {
                    let rename = sqlx::query(sql).bind(issuer.as_bytes()).bind(before.as_bytes());
                    transaction.execute(rename).await?;
                }
            }
            transaction.execute(sqlx::query(RECORD).bind(issuer).bind(given)).await?;
            Ok(())
        })
    });
    work.await
}

pub(super) async fn served_with(store: &MySqlStore) -> Result<Option<Known>, StoreError> {
    let sql = "SELECT scopes, resources, grant_types, oauth1 FROM quadrille_program_served_with";
    let rows = store.fetch(sqlx::query(sql)).await?;
    let columns = |row: &MySqlRow| {
        Ok(KnownColumns {
            scopes: text(row, "scopes")?.to_owned(),
            resources: text(row, "resources")?.to_owned(),
            grant_types: text(row, "grant_types")?.to_owned(),
            oauth1: row.try_get("oauth1")?,
        })
    };
    let columns = rows.first().map(columns).transpose().map_err(store_error)?;
    columns.map(KnownColumns::read).transpose()
}

pub(super) async fn record_served_with(store: &MySqlStore, known: Known) -> Result<(), StoreError> {
    let columns = KnownColumns::of(&known)?;
    let sql = "INSERT INTO quadrille_program_served_with
        (id, scopes, resources, grant_types, oauth1) VALUES (1, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE scopes = VALUES(scopes), resources = VALUES(resources),
        grant_types = VALUES(grant_types), oauth1 = VALUES(oauth1)";
    let insert = sqlx::query(sql)
        .bind(columns.scopes)
        .bind(columns.resources)
        .bind(columns.grant_types)
        .bind(columns.oauth1);
    store.execute(insert).await.map(drop)
}

pub(super) async fn mark(store: &MySqlStore) -> Result<String, StoreError> {
    let rows = store.fetch(sqlx::query("SELECT mark FROM quadrille_program_mark")).await?;
    let row = rows.first().ok_or(StoreError::Corrupt("the mark of the database"))?;
    text(row, "mark").map(str::to_owned).map_err(store_error)
}

/// The number of processes that hold a lease of a worker number.
pub(super) async fn leases(store: &MySqlStore, now: Timestamp) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM quadrille_workers WHERE expires > ?";
    let rows = store.fetch(sqlx::query(sql).bind(now.millis())).await?;
    let row = rows.first().ok_or(StoreError::Corrupt("the number of leases"))?;
    row.try_get(0).map_err(store_error)
}

/// Whether the database answers, and is written: a replica is not.
pub(super) async fn check(store: &MySqlStore) -> Result<(), StoreError> {
    // A row that stays as it is would not be written.
    let sql = "UPDATE quadrille_program_mark SET checks = checks + 1";
    store.execute(sqlx::query(sql)).await.map(drop)
}
