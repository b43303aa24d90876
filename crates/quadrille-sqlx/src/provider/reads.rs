//! Grants and tokens of others: read; single-use keys.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{AccessRecord, IssuerId, LiveGrant, SecretHash, StoreError, user_column},
};

use super::{
    columns::{access_columns, alive, grant_columns},
    database::Database,
    engine::{Engine, Write},
    values::values,
};

const FOREIGN: &str = concat!(
    "SELECT ",
    access_columns!(),
    " FROM quadrille_access_tokens t WHERE t.\"row\" =
        (SELECT f.\"row\" FROM quadrille_foreign_tokens f WHERE f.issuer = $1 AND f.hash = $2)
    AND t.issuer = $1 AND ",
    alive!()
);

const LISTED: &str = concat!(
    "SELECT ",
    grant_columns!(),
    ", expires, family,
        (SELECT f.rotated FROM quadrille_families f WHERE f.\"row\" = t.family)
    FROM quadrille_grants t WHERE t.issuer = $1 AND t.actor = $2 AND ",
    alive!(),
    " UNION ALL SELECT ",
    grant_columns!(),
    ", expires, NULL, NULL FROM quadrille_token_credentials t
    WHERE t.issuer = $1 AND t.actor = $2 AND ",
    alive!()
);

const REMEMBER_NEW: &str = "INSERT INTO quadrille_once (issuer, space, hash, expires)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

static REMEMBER: Write = Write {
    in_turn: &[
        REMEMBER_NEW,
        "UPDATE quadrille_once SET expires = greatest(expires, $4)
            WHERE issuer = $1 AND space = $2 AND hash = $3 AND expires < $5",
        // The expired one may have been swept in between.
        REMEMBER_NEW,
    ],
    ..Write::of(
        "INSERT INTO quadrille_once AS held (issuer, space, hash, expires)
        VALUES ($1, $2, $3, $4) ON CONFLICT (hash, space, issuer) DO UPDATE
        SET expires = greatest(held.expires, excluded.expires) WHERE held.expires < $5",
    )
};

/// An access token that others made.
pub(super) async fn foreign<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    hash: SecretHash,
) -> Result<Option<Arc<AccessRecord>>, StoreError> {
    let found = database.one(FOREIGN, values![issuer.0, &hash], |row| row.access()).await?;
    Ok(found.map(Arc::new))
}

pub(super) async fn listed<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    subject: &str,
) -> Result<Vec<LiveGrant>, StoreError> {
    let key = values![issuer.0, user_column(subject).into_bytes()];
    let mut grants = database.all(LISTED, key, |row| row.listed()).await?;
    grants.sort_unstable_by_key(|listed| listed.grant.id);
    Ok(grants)
}

pub(super) async fn remember_once<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    space: &str,
    key: &SecretHash,
    expires: Timestamp,
) -> Result<bool, StoreError> {
    let now = database.env().now().seconds();
    database.write(&REMEMBER, values![issuer.0, space, key, expires.seconds(), now]).await
}
