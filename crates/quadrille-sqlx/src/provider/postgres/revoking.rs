//! Revocation of a grant, and of all grants of a user.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{Change, IssuerId, RevokeAll, RowId, StoreError, user_column},
};

use super::database::{Database, values};

/// Tells a change if `done` has a row. The row of the last position stays locked until the commit.
macro_rules! tell {
    ($issuer:literal, $change:literal) => {
        concat!(
            "counted AS (UPDATE quadrille_positions SET last = last + 1
                WHERE id = 1 AND EXISTS (SELECT 1 FROM done) RETURNING last),
            told AS (INSERT INTO quadrille_changes (position, issuer, change)
                SELECT last, ",
            $issuer,
            ", ",
            $change,
            " FROM counted),
            forgotten AS (DELETE FROM quadrille_changes
                WHERE position = (SELECT last - 10000 FROM counted))"
        )
    };
}
pub(super) use tell;

const REVOKE_GRANT: &str = concat!(
    "WITH done AS (INSERT INTO quadrille_revoked (\"row\", issuer, expires) VALUES ($2, $1, $3)
        ON CONFLICT DO NOTHING RETURNING 1),
    credentials AS (DELETE FROM quadrille_token_credentials
        WHERE \"row\" = $2 AND issuer = $1 AND EXISTS (SELECT 1 FROM done)), ",
    tell!("$1", "$4"),
    " SELECT 1 FROM done"
);

/// The client `$4` is empty for all clients.
const REVOKE_ALL: &str = concat!(
    "WITH done AS (INSERT INTO quadrille_cut AS cut (issuer, actor, client, last, epoch)
        VALUES ($1, $3, $4, $5, 1) ON CONFLICT (issuer, actor, client) DO UPDATE
        SET last = greatest(cut.last, excluded.last), epoch = cut.epoch + 1 RETURNING 1),
    consents AS (DELETE FROM quadrille_consents
        WHERE issuer = $1 AND subject = $2 AND ($4 = '' OR client = $4)),
    credentials AS (DELETE FROM quadrille_token_credentials
        WHERE issuer = $1 AND actor = $3 AND ($4 = '' OR client = $4) AND grant_id <= $5),
    newest AS (UPDATE quadrille_newest SET number = $5
        WHERE number < $5 AND $5 <> 9223372036854775807), ",
    tell!("$1", "$6"),
    " SELECT 1 FROM done"
);

pub(super) async fn revoke_grant(
    database: &Database,
    issuer: IssuerId,
    grant: RowId,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let change = change_column(&Change::Grant(grant))?;
    let values = values![issuer.0, database.key(grant), until.seconds(), change];
    database.did(REVOKE_GRANT, values).await
}

pub(super) async fn revoke_all(
    database: &Database,
    issuer: IssuerId,
    what: &RevokeAll,
    last: RowId,
) -> Result<(), StoreError> {
    let (subject, client) = match what {
        RevokeAll::Subject(subject) => (subject, ""),
        RevokeAll::Consent { subject, client } => (subject, &**client),
    };
    let change = change_column(&Change::Subject(Arc::clone(subject)))?;
    let values = values![
        issuer.0,
        subject.as_bytes(),
        user_column(subject).into_bytes(),
        client.as_bytes(),
        last.0,
        change
    ];
    database.rows(REVOKE_ALL, values).await?;
    Ok(())
}

/// A change in JSON.
pub(super) fn change_column(change: &Change) -> Result<String, StoreError> {
    serde_json::to_string(change).map_err(|_| StoreError::Corrupt("a change"))
}
