//! Pending requests as rows.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use crate::provider::store::{
    Approval, Identifier, IssuerId, PendingRecord, PendingRef, PendingState, RowId, StoreError,
    TokenRef,
};

use super::rows::{self, at, grant_columns, read_one};

pub(super) const PENDING: i64 = 0;
pub(super) const APPROVED: i64 = 1;
pub(super) const REDEEMED: i64 = 2;
pub(super) const DENIED: i64 = 3;

/// The columns that [`read`] reads.
macro_rules! pending_columns {
    () => {
        concat!(
            "row, identifier, is_foreign, user_code, asked, asked_resources, expires, state, kind, \
             proof, ",
            grant_columns!()
        )
    };
}
pub(super) use pending_columns;

pub(super) fn find(
    connection: &Connection,
    issuer: IssuerId,
    reference: &PendingRef,
) -> Result<Option<Arc<PendingRecord>>, StoreError> {
    let found = match reference {
        PendingRef::Identifier(TokenRef::Row { row, .. }) => {
            let sql = concat!(
                "SELECT ",
                pending_columns!(),
                " FROM quadrille_pending WHERE row = ?1 AND issuer = ?2"
            );
            read_one(connection, sql, [row.0, issuer.0], read)
        }
        PendingRef::Identifier(TokenRef::Foreign { hash }) => {
            let sql = concat!(
                "SELECT ",
                pending_columns!(),
                " FROM quadrille_pending WHERE issuer = ?1 AND identifier = ?2 AND is_foreign"
            );
            read_one(connection, sql, params![issuer.0, hash], read)
        }
        PendingRef::UserCode(hash) => {
            let sql = concat!(
                "SELECT ",
                pending_columns!(),
                " FROM quadrille_pending WHERE issuer = ?1 AND user_code = ?2"
            );
            read_one(connection, sql, params![issuer.0, hash], read)
        }
    };
    Ok(found?.filter(|found| found.is_found_by(reference)).map(Arc::new))
}

pub(super) fn read(row: &Row<'_>) -> Result<PendingRecord, StoreError> {
    let hash = row.get(at!(pending_columns, "identifier"))?;
    let is_foreign: bool = row.get(at!(pending_columns, "is_foreign"))?;
    let approval = || {
        Ok::<_, StoreError>(Approval {
            proof: row.get(at!(pending_columns, "proof"))?,
            grant: rows::grant(row, at!(pending_columns, "grant_id"))?,
        })
    };
    let kind = row.get_ref(at!(pending_columns, "kind"))?.as_str();
    let kind = kind.map_err(|_| rows::bad("the kind of a pending request"))?;
    Ok(PendingRecord {
        row: RowId(row.get(at!(pending_columns, "row"))?),
        identifier: if is_foreign { Identifier::Foreign(hash) } else { Identifier::Row(hash) },
        user_code: row.get(at!(pending_columns, "user_code"))?,
        client: row.get(at!(pending_columns, "client"))?,
        scopes: rows::scopes(row, at!(pending_columns, "asked"))?,
        resources: rows::resources(row, at!(pending_columns, "asked_resources"))?,
        expires: rows::seconds(row, at!(pending_columns, "expires"))?,
        state: match row.get(at!(pending_columns, "state"))? {
            PENDING => PendingState::Pending,
            APPROVED => PendingState::Approved(approval()?),
            REDEEMED => PendingState::Redeemed(approval()?),
            DENIED => PendingState::Denied,
            _ => return Err(rows::bad("the state of a pending request")),
        },
        kind: serde_json::from_str(kind).map_err(|_| rows::bad("the kind of a pending request"))?,
    })
}
