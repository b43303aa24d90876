//! Tables of one row: the issuer of the database, the settings on which clients depend, and its
//! mark.

use std::sync::Arc;

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{PgStore, store_error};
use sqlx::{Row as _, postgres::PgRow};

use crate::data::{
    backend::{Known, RecordedIssuer},
    known::KnownColumns,
};

pub(super) async fn issuer(store: &PgStore) -> Result<Option<RecordedIssuer>, StoreError> {
    let rows =
        store.fetch(sqlx::query("SELECT issuer, given FROM quadrille_program_issuer")).await?;
    let recorded = |row: &PgRow| {
        Ok(RecordedIssuer { issuer: row.try_get("issuer")?, given: row.try_get("given")? })
    };
    rows.first().map(recorded).transpose().map_err(store_error)
}

pub(super) async fn record_issuer(
    store: &PgStore,
    recorded: RecordedIssuer,
    renamed_from: Option<String>,
) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM quadrille_issuers WHERE issuer = $1 AND issuer <> $2";
    const RENAME: &str = "UPDATE quadrille_issuers SET issuer = $1 WHERE issuer = $2";
    const RECORD: &str = "INSERT INTO quadrille_program_issuer (id, issuer, given)
        VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET issuer = $1, given = $2";
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

pub(super) async fn served_with(store: &PgStore) -> Result<Option<Known>, StoreError> {
    let sql = "SELECT scopes, resources, grant_types, oauth1 FROM quadrille_program_served_with";
    let rows = store.fetch(sqlx::query(sql)).await?;
    let columns = |row: &PgRow| {
        Ok(KnownColumns {
            scopes: row.try_get("scopes")?,
            resources: row.try_get("resources")?,
            grant_types: row.try_get("grant_types")?,
            oauth1: row.try_get("oauth1")?,
        })
    };
    let columns = rows.first().map(columns).transpose().map_err(store_error)?;
    columns.map(KnownColumns::read).transpose()
}

pub(super) async fn record_served_with(store: &PgStore, known: Known) -> Result<(), StoreError> {
    let columns = KnownColumns::of(&known)?;
    let sql = "INSERT INTO quadrille_program_served_with
        (id, scopes, resources, grant_types, oauth1) VALUES (1, $1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE
        SET scopes = $1, resources = $2, grant_types = $3, oauth1 = $4";
    let insert = sqlx::query(sql)
        .bind(columns.scopes)
        .bind(columns.resources)
        .bind(columns.grant_types)
        .bind(columns.oauth1);
    store.execute(insert).await.map(drop)
}

pub(super) async fn mark(store: &PgStore) -> Result<String, StoreError> {
    let rows = store.fetch(sqlx::query("SELECT mark FROM quadrille_program_mark")).await?;
    let row = rows.first().ok_or(StoreError::Corrupt("the mark of the database"))?;
    row.try_get("mark").map_err(store_error)
}

/// The number of processes that hold a lease of a worker number.
pub(super) async fn leases(store: &PgStore, now: Timestamp) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM quadrille_workers WHERE expires > $1";
    let rows = store.fetch(sqlx::query(sql).bind(now.millis())).await?;
    let row = rows.first().ok_or(StoreError::Corrupt("the number of leases"))?;
    row.try_get(0).map_err(store_error)
}

/// Whether the keys of the tables are hashed.
pub(super) async fn has_hashed_keys(store: &PgStore) -> Result<bool, StoreError> {
    let sql = "SELECT hashed_keys FROM quadrille_store_settings";
    let rows = store.fetch(sqlx::query(sql)).await?;
    let row = rows.first().ok_or(StoreError::Corrupt("the settings of the tables"))?;
    row.try_get(0).map_err(store_error)
}

/// Has the server write a temporary file of some pages, which it removes by itself: the rows need more
/// than the memory that the statement may have.
const WRITES_FILE: &str = "SELECT count(*) FROM
    (SELECT set_config('work_mem', '64kB', true) AS memory OFFSET 0) bounded,
    LATERAL generate_series(1, 8000 + 0 * length(bounded.memory)) number";

/// Whether the database answers, and is written: a standby is not, nor a full disk.
pub(super) async fn check(store: &PgStore) -> Result<(), StoreError> {
    store.execute(sqlx::query("UPDATE quadrille_program_mark SET mark = mark")).await?;
    // That row finds room in a page that is there, also where the disk is full.
    match store.fetch(sqlx::query(WRITES_FILE)).await {
        Err(StoreError::Full) => Err(StoreError::Full),
        // The row was written. A server may bound temporary files, or have other settings.
        Err(error) => {
            tracing::debug!(%error, "the server writes no temporary file");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}
