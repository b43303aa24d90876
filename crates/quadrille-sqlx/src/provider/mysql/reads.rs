//! Grants, codes and tokens: read; single-use keys.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{
        AccessRecord, CodeRecord, FamilyRecord, IssuerId, LiveGrant, RowId, SecretHash, StoreError,
        TokenRef, is_same, user_column,
    },
};

use super::{
    database::{Database, values},
    rows::{access_columns, alive, code_columns, family_columns},
};

const CODE: &str =
    concat!("SELECT ", code_columns!(), " FROM quadrille_codes WHERE `row` = ? AND issuer = ?");

macro_rules! access {
    ($by:literal) => {
        concat!(
            "SELECT ",
            access_columns!(),
            " FROM quadrille_access_tokens t WHERE ",
            $by,
            " AND ",
            alive!()
        )
    };
}

const ACCESS: &str = access!("t.issuer = ? AND t.`row` = ?");
const FOREIGN: &str = access!(
    "t.`row` = (SELECT f.`row` FROM quadrille_foreign_tokens f WHERE f.issuer = ? AND f.hash = ?)
    AND t.issuer = ?"
);

const FAMILY: &str = concat!(
    "SELECT ",
    family_columns!(),
    " FROM quadrille_families t WHERE t.issuer = ? AND t.`row` = ? AND ",
    alive!()
);

const LISTED: &str = concat!(
    "SELECT grant_id, client, actor, scopes, resources, auth, expires, family,
        (SELECT f.rotated FROM quadrille_families f WHERE f.`row` = t.family)
    FROM quadrille_grants t WHERE t.issuer = ? AND t.actor = ? AND ",
    alive!(),
    " UNION ALL SELECT grant_id, client, actor, scopes, resources, auth, expires, NULL, NULL
    FROM quadrille_token_credentials t WHERE t.issuer = ? AND t.actor = ? AND ",
    alive!()
);

const REMEMBER: &str =
    "INSERT IGNORE INTO quadrille_once (issuer, space, hash, expires) VALUES (?, ?, ?, ?)";
const REMEMBER_AGAIN: &str = "UPDATE quadrille_once SET expires = ?
    WHERE issuer = ? AND space = ? AND hash = ? AND expires < ?";

pub(super) async fn code(
    database: &Database,
    issuer: IssuerId,
    row: RowId,
) -> Result<Option<Arc<CodeRecord>>, StoreError> {
    let key = values![row.0, issuer.0];
    Ok(database.one(CODE, key, |row| row.code()).await?.map(Arc::new))
}

pub(super) async fn access(
    database: &Database,
    issuer: IssuerId,
    token: &TokenRef,
) -> Result<Option<Arc<AccessRecord>>, StoreError> {
    let (sql, key, hash) = match token {
        TokenRef::Row { row, hash } => (ACCESS, values![issuer.0, row.0], hash),
        TokenRef::Foreign { hash } => (FOREIGN, values![issuer.0, &hash[..], issuer.0], hash),
        _ => return Ok(None),
    };
    let found = database.one(sql, key, |row| row.access()).await?;
    Ok(found.filter(|found| is_same(&found.hash, hash)).map(Arc::new))
}

pub(super) async fn family(
    database: &Database,
    issuer: IssuerId,
    row: RowId,
) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
    let key = values![issuer.0, row.0];
    Ok(database.one(FAMILY, key, |row| row.family()).await?.map(Arc::new))
}

pub(super) async fn listed(
    database: &Database,
    issuer: IssuerId,
    subject: &str,
) -> Result<Vec<LiveGrant>, StoreError> {
    let actor = user_column(subject).into_bytes();
    let key = values![issuer.0, &actor[..], issuer.0, &actor[..]];
    let mut grants = database.all(LISTED, key, |row| row.listed()).await?;
    grants.sort_unstable_by_key(|listed| listed.grant.id);
    Ok(grants)
}

pub(super) async fn remember_once(
    database: &Database,
    issuer: IssuerId,
    space: &str,
    key: &SecretHash,
    expires: Timestamp,
) -> Result<bool, StoreError> {
    let now = database.env().now().seconds();
    let (space, expires) = (space.as_bytes(), expires.seconds());
    let remembered = values![issuer.0, space, &key[..], expires];
    if database.run(REMEMBER, remembered).await? > 0 {
        return Ok(true);
    }
    let again = values![expires, issuer.0, space, &key[..], now];
    Ok(database.run(REMEMBER_AGAIN, again).await? > 0)
}
