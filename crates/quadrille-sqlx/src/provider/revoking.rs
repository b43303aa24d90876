//! Revocation of a grant, and of all grants of a user.

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

/// The client `$4` is empty for all clients.
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
        "UPDATE quadrille_newest SET number = $5
            WHERE number < $5 AND $5 <> 9223372036854775807",
    ],
    tells: Some(6),
    lives: None,
};

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
    let (subject, client) = match what {
        RevokeAll::Subject(subject) => (subject, ""),
        RevokeAll::Consent { subject, client } => (subject, &**client),
    };
    database.write(&REVOKE_ALL, all_values(issuer, subject, client, last)?).await.map(drop)
}

/// The values of [`REVOKE_ALL`].
pub(super) fn all_values(
    issuer: IssuerId,
    subject: &str,
    client: &str,
    last: RowId,
) -> Result<Values, StoreError> {
    let change = change_column(&Change::Subject(subject.into()))?;
    Ok(values![
        issuer.0,
        Value::key(subject),
        Value::actor(user_column(subject)),
        Value::key(client),
        last.0,
        change
    ])
}

/// A change in JSON.
pub(super) fn change_column(change: &Change) -> Result<String, StoreError> {
    serde_json::to_string(change).map_err(|_| StoreError::Corrupt("a change"))
}
