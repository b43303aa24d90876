//! Revocation of a grant, and of all grants of a user.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{Change, IssuerId, RevokeAll, RowId, StoreError, user_column},
};

use super::{
    database::Database,
    engine::{Engine, Write},
    values::{Value, Values, values},
};

static REVOKE_GRANT: Write = Write {
    first: "INSERT INTO quadrille_revoked (\"row\", issuer, expires) VALUES ($2, $1, $3)
        ON CONFLICT DO NOTHING",
    in_turn: &[],
    then: &["DELETE FROM quadrille_token_credentials
        WHERE \"row\" = $2 AND issuer = $1 AND EXISTS (SELECT 1 FROM done)"],
    tells: Some(4),
    lives: None,
};

/// The client `$4` is empty for all clients; `$7` is true for a user who was removed.
pub(super) static REVOKE_ALL: Write = Write {
    first: "INSERT INTO quadrille_cut (issuer, actor, client, last, epoch)
        VALUES ($1, $3, $4, $5, 1) ON CONFLICT (issuer, actor, client) DO UPDATE
        SET last = greatest(quadrille_cut.last, excluded.last), epoch = quadrille_cut.epoch + 1",
    in_turn: &[],
    then: &[
        "DELETE FROM quadrille_consents
            WHERE issuer = $1 AND subject = $2 AND $4 IN ('', client)",
        "DELETE FROM quadrille_token_credentials
            WHERE issuer = $1 AND actor = $3 AND $4 IN ('', client) AND grant_id <= $5",
        "INSERT INTO quadrille_removed (issuer, subject, last) SELECT $1, $2, $5 FROM done WHERE $7
            ON CONFLICT (issuer, subject) DO UPDATE
            SET last = greatest(quadrille_removed.last, excluded.last)",
        "UPDATE quadrille_newest SET number = $5 WHERE number < $5",
    ],
    tells: Some(6),
    lives: None,
};

const SINCE: &str = "SELECT last FROM quadrille_removed WHERE issuer = $1 AND subject = $2";

pub(super) async fn revoke_grant<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    grant: RowId,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let change = change_column(&Change::Grant(grant))?;
    let values = values![issuer.0, database.key(grant), until.seconds(), change];
    database.write(&REVOKE_GRANT, values).await
}

pub(super) async fn revoke_all<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    what: &RevokeAll,
    last: RowId,
) -> Result<(), StoreError> {
    database.write(&REVOKE_ALL, all_values(issuer, what, last)?).await.map(drop)
}

pub(super) async fn subject_since<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    subject: &str,
) -> Result<Option<RowId>, StoreError> {
    let key = values![issuer.0, subject.as_bytes()];
    let removed = database.one(SINCE, key, |row| Ok(RowId(row.number()?))).await?;
    Ok(Some(removed.unwrap_or(RowId(0))))
}

/// The values of [`REVOKE_ALL`].
pub(super) fn all_values(
    issuer: IssuerId,
    what: &RevokeAll,
    last: RowId,
) -> Result<Values, StoreError> {
    let (subject, client) = (what.subject(), what.client().map_or("", |client| &**client));
    let change = change_column(&Change::Subject(Arc::clone(subject)))?;
    Ok(values![
        issuer.0,
        Value::key(subject),
        Value::actor(user_column(subject)),
        Value::key(client),
        last.0,
        change,
        matches!(what, RevokeAll::Removed(_))
    ])
}

/// A change in JSON.
pub(super) fn change_column(change: &Change) -> Result<String, StoreError> {
    serde_json::to_string(change).map_err(|_| StoreError::Corrupt("a change"))
}
