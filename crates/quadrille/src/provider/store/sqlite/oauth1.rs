//! Temporary and token credentials of OAuth 1.0a as rows.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use crate::{
    oauth1::OUT_OF_BAND,
    provider::{
        client::redirect_uri::RedirectUri,
        store::{
            AccessRecord, Approval, CredentialRecord, Identifier, IssuerId, RowId, StoreError,
            TemporaryRecord, TemporaryState, TokenRef, is_same,
        },
    },
};

use super::{
    read_one,
    rows::{self, alive, grant_columns},
};

pub(super) const PENDING: i64 = 0;
pub(super) const APPROVED: i64 = 1;
pub(super) const REDEEMED: i64 = 2;
pub(super) const DENIED: i64 = 3;

/// The columns that [`read_temporary`] reads. The grant comes last.
macro_rules! temporary_columns {
    () => {
        concat!(
            "row, identifier, is_foreign, secret, client, callback, asked, expires, state, verifier, ",
            grant_columns!()
        )
    };
}
pub(super) use temporary_columns;

/// The columns that [`read_credential`] reads. The grant comes first.
macro_rules! credential_columns {
    () => {
        concat!(grant_columns!(), ", hash, is_foreign, secret, expires")
    };
}

pub(super) fn temporary(
    connection: &Connection,
    issuer: IssuerId,
    token: &TokenRef,
) -> Result<Option<Arc<TemporaryRecord>>, StoreError> {
    let (found, hash) = match token {
        TokenRef::Row { row, hash } => {
            let sql = concat!(
                "SELECT ",
                temporary_columns!(),
                " FROM quadrille_temporary_credentials WHERE row = ?1 AND issuer = ?2
                AND NOT is_foreign"
            );
            (read_one(connection, sql, [row.0, issuer.0], read_temporary)?, hash)
        }
        TokenRef::Foreign { hash } => {
            let sql = concat!(
                "SELECT ",
                temporary_columns!(),
                " FROM quadrille_temporary_credentials WHERE issuer = ?1 AND identifier = ?2
                AND is_foreign"
            );
            (read_one(connection, sql, params![issuer.0, hash], read_temporary)?, hash)
        }
    };
    Ok(found.filter(|found| is_same(found.identifier.hash(), hash)).map(Arc::new))
}

pub(super) fn credential(
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
            (read_one(connection, sql, [row.0, issuer.0], read_credential)?, hash)
        }
        TokenRef::Foreign { hash } => {
            let sql = concat!(
                "SELECT ",
                credential_columns!(),
                " FROM quadrille_token_credentials t
                WHERE issuer = ?1 AND hash = ?2 AND is_foreign AND ",
                alive!()
            );
            (read_one(connection, sql, params![issuer.0, hash], read_credential)?, hash)
        }
    };
    Ok(found.filter(|found| is_same(&found.access.hash, hash)).map(Arc::new))
}

pub(super) fn read_temporary(row: &Row<'_>) -> Result<TemporaryRecord, StoreError> {
    let hash = row.get(1)?;
    let approval = |row: &Row<'_>| {
        Ok::<_, StoreError>(Approval { verifier: row.get(9)?, grant: rows::grant(row, 10)? })
    };
    Ok(TemporaryRecord {
        row: RowId(row.get(0)?),
        identifier: if row.get(2)? { Identifier::Foreign(hash) } else { Identifier::Row(hash) },
        secret: row.get::<_, Vec<u8>>(3)?.into(),
        client: row.get(4)?,
        callback: match row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)? {
            OUT_OF_BAND => None,
            uri => Some(RedirectUri::parse(uri).map_err(|_| rows::bad("temporary credentials"))?),
        },
        scopes: rows::scopes(row, 6)?,
        expires: rows::seconds(row, 7)?,
        state: match row.get(8)? {
            PENDING => TemporaryState::Pending,
            APPROVED => TemporaryState::Approved(approval(row)?),
            REDEEMED => TemporaryState::Redeemed(approval(row)?),
            DENIED => TemporaryState::Denied,
            _ => return Err(rows::bad("temporary credentials")),
        },
    })
}

fn read_credential(row: &Row<'_>) -> Result<CredentialRecord, StoreError> {
    let grant = rows::grant(row, 0)?;
    Ok(CredentialRecord {
        access: Arc::new(AccessRecord {
            row: grant.id,
            hash: row.get(6)?,
            grant,
            expires: rows::seconds(row, 9)?,
        }),
        is_foreign: row.get(7)?,
        secret: row.get::<_, Vec<u8>>(8)?.into(),
    })
}
