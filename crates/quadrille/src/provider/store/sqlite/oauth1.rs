//! Token credentials of OAuth 1.0a as rows.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use crate::provider::store::{
    AccessRecord, CredentialRecord, IssuerId, StoreError, TokenRef, is_same,
};

use super::rows::{self, alive, at, grant_columns, read_one};

/// The columns that [`read`] reads.
macro_rules! credential_columns {
    () => {
        concat!(grant_columns!(), ", hash, is_foreign, secret, expires, binding")
    };
}
pub(super) use credential_columns;

pub(super) fn find(
    connection: &Connection,
    issuer: IssuerId,
    token: &TokenRef,
) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
    let (found, hash) = match token {
        TokenRef::Row { row, hash } => {
            let sql = concat!(
                "SELECT ",
                credential_columns!(),
                " FROM quadrille_token_credentials t
                WHERE grant_id = ?1 AND issuer = ?2 AND NOT is_foreign AND ",
                alive!()
            );
            (read_one(connection, sql, [row.0, issuer.0], read)?, hash)
        }
        TokenRef::Foreign { hash } => {
            let sql = concat!(
                "SELECT ",
                credential_columns!(),
                " FROM quadrille_token_credentials t
                WHERE issuer = ?1 AND hash = ?2 AND is_foreign AND ",
                alive!()
            );
            (read_one(connection, sql, params![issuer.0, hash], read)?, hash)
        }
    };
    Ok(found.filter(|found| is_same(&found.access.hash, hash)).map(Arc::new))
}

fn read(row: &Row<'_>) -> Result<CredentialRecord, StoreError> {
    let grant = rows::grant(row, at!(credential_columns, "grant_id"))?;
    Ok(CredentialRecord {
        access: Arc::new(AccessRecord {
            row: grant.id,
            hash: row.get(at!(credential_columns, "hash"))?,
            grant,
            expires: rows::seconds(row, at!(credential_columns, "expires"))?,
            binding: rows::binding(row, at!(credential_columns, "binding"))?,
            exchange: None,
        }),
        is_foreign: row.get(at!(credential_columns, "is_foreign"))?,
        secret: row.get::<_, Vec<u8>>(at!(credential_columns, "secret"))?.into(),
    })
}
