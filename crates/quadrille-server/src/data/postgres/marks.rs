//! Tables of one row: the issuer of the database, the settings on which clients depend, and its
//! mark.

use std::sync::Arc;

use quadrille::provider::store::StoreError;
use quadrille_sqlx::{PgStore, store_error};
use sqlx::PgPool;

use crate::data::{
    backend::{Known, RecordedIssuer},
    known::KnownColumns,
};

pub(super) async fn issuer(pool: &PgPool) -> Result<Option<RecordedIssuer>, StoreError> {
    let sql = "SELECT issuer, given FROM quadrille_program_issuer";
    let row: Option<(String, bool)> =
        sqlx::query_as(sql).fetch_optional(pool).await.map_err(store_error)?;
    Ok(row.map(|(issuer, given)| RecordedIssuer { issuer, given }))
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
            let connection = transaction.connection();
            if let Some(before) = renamed_from {
                // Rows that an earlier attempt left under the new issuer are deleted.
                for sql in [DELETE, RENAME] {
                    let rename = sqlx::query(sql).bind(issuer.as_bytes()).bind(before.as_bytes());
                    rename.execute(&mut *connection).await?;
                }
            }
            sqlx::query(RECORD).bind(issuer).bind(given).execute(connection).await?;
            Ok(())
        })
    });
    work.await
}

pub(super) async fn served_with(pool: &PgPool) -> Result<Option<Known>, StoreError> {
    let sql = "SELECT scopes, resources, grant_types, oauth1 FROM quadrille_program_served_with";
    let row: Option<(String, String, String, bool)> =
        sqlx::query_as(sql).fetch_optional(pool).await.map_err(store_error)?;
    let columns = row.map(|(scopes, resources, grant_types, oauth1)| KnownColumns {
        scopes,
        resources,
        grant_types,
        oauth1,
    });
    columns.map(KnownColumns::read).transpose()
}

pub(super) async fn record_served_with(pool: &PgPool, known: Known) -> Result<(), StoreError> {
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
    insert.execute(pool).await.map(drop).map_err(store_error)
}

pub(super) async fn mark(pool: &PgPool) -> Result<String, StoreError> {
    let sql = "SELECT mark FROM quadrille_program_mark";
    sqlx::query_scalar(sql).fetch_one(pool).await.map_err(store_error)
}

/// Whether the database answers, and may be written: a standby may not.
pub(super) async fn check(pool: &PgPool) -> Result<(), StoreError> {
    let sql = "SELECT current_setting('transaction_read_only') = 'on'";
    let is_read_only = sqlx::query_scalar(sql).fetch_one(pool).await.map_err(store_error)?;
    if is_read_only { Err(StoreError::ReadOnly) } else { Ok(()) }
}
