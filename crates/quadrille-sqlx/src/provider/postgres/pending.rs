//! Pending requests, and the token credentials that they may buy.

use std::sync::Arc;

use quadrille::provider::store::{
    Answered, Approval, Bought, CredentialRecord, GrantColumns, Identifier, IssuerId,
    PendingRecord, PendingRef, PendingState, Redeemed, RowId, StoreError, TokenRef, binding_column,
    is_same,
};
use sqlx::{Arguments as _, postgres::PgArguments};

use super::{
    super::reader::{APPROVED, DENIED, state_of},
    database::{Database, values},
    remembering::{add_approved, add_grant, era, remember},
    rows::{Reader, alive, grant_columns},
    tokens::{access_tokens, families, issues_values, put_access_tokens, put_families_and_grants},
};

macro_rules! pending_columns {
    () => {
        concat!(
            "\"row\", identifier, is_foreign, user_code, asked, asked_resources, expires, state, \
             kind, client, proof, grant_id, actor, scopes, resources, auth"
        )
    };
}

macro_rules! credential_columns {
    () => {
        concat!(grant_columns!(), ", hash, is_foreign, secret, expires, binding")
    };
}

const PUT: &str = concat!(
    "INSERT INTO quadrille_pending (issuer, ",
    pending_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    ON CONFLICT DO NOTHING RETURNING 1"
);

macro_rules! find {
    ($by:literal) => {
        concat!(
            "SELECT ",
            pending_columns!(),
            " FROM quadrille_pending WHERE issuer = $1 AND ",
            $by
        )
    };
}

const BY_ROW: &str = find!("\"row\" = $2");
const BY_IDENTIFIER: &str = find!("identifier = $2 AND is_foreign");
const BY_USER_CODE: &str = find!("user_code = $2");

const WITH_LIFE: &str = concat!(
    "SELECT ",
    alive!(),
    ", ",
    pending_columns!(),
    " FROM quadrille_pending t WHERE t.issuer = $1 AND t.\"row\" = $2"
);

/// The row is `$11`, the state `$12`; the approval, if there is one, `$13` to `$18`.
const ANSWER: &str = concat!(
    "WITH done AS (UPDATE quadrille_pending SET state = $12, proof = $13, grant_id = $14,
        actor = $15, scopes = $16, resources = $17, auth = $18
        WHERE \"row\" = $11 AND issuer = $1 AND state = 0
        RETURNING issuer, grant_id, client, actor),
    lives AS (SELECT 1 FROM done t WHERE $14::bigint IS NULL OR (",
    alive!(),
    ")), ",
    remember!(),
    " SELECT 1 FROM done"
);

/// The row is `$30`, the issuer `$31`.
const REDEEM_FOR_TOKENS: &str = concat!(
    "WITH ",
    access_tokens!(),
    ", ",
    families!(),
    ", won AS (UPDATE quadrille_pending t SET state = 2
        WHERE t.\"row\" = $30 AND t.issuer = $31 AND t.state = 1 AND ",
    alive!(),
    " RETURNING 1::bigint AS n), ",
    put_access_tokens!(),
    ", ",
    put_families_and_grants!(),
    " SELECT n FROM won"
);

const REDEEM_FOR_CREDENTIAL: &str = concat!(
    "WITH won AS (UPDATE quadrille_pending t SET state = 2
        WHERE t.\"row\" = $2 AND t.issuer = $1 AND t.state = 1 AND ",
    alive!(),
    " RETURNING 1),
    put AS (INSERT INTO quadrille_token_credentials (issuer, \"row\", ",
    credential_columns!(),
    ") SELECT $1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 FROM won)
    SELECT 1 FROM won"
);

macro_rules! credential {
    ($by:literal) => {
        concat!(
            "SELECT ",
            credential_columns!(),
            " FROM quadrille_token_credentials t WHERE t.issuer = $1 AND ",
            $by,
            " AND ",
            alive!()
        )
    };
}

const CREDENTIAL_BY_ROW: &str = credential!("t.\"row\" = $2 AND NOT t.is_foreign");
const CREDENTIAL_BY_IDENTIFIER: &str = credential!("t.hash = $2 AND t.is_foreign");

pub(super) async fn put(
    database: &Database,
    issuer: IssuerId,
    pending: &PendingRecord,
) -> Result<bool, StoreError> {
    let (state, approval) = state_of(&pending.state);
    let kind = serde_json::to_string(&pending.kind)
        .map_err(|_| StoreError::Corrupt("the kind of a pending request"))?;
    let mut values = values![
        issuer.0,
        database.key(pending.row),
        &pending.identifier.hash()[..],
        matches!(pending.identifier, Identifier::Foreign(_)),
        pending.user_code.as_ref().map(|code| &code[..]),
        pending.scopes.as_str(),
        pending.resources.as_str(),
        pending.expires.seconds(),
        state,
        kind,
        pending.client.as_bytes(),
    ];
    add_approval(&mut values, approval)?;
    database.did(PUT, values).await
}

pub(super) async fn find(
    database: &Database,
    issuer: IssuerId,
    reference: &PendingRef,
) -> Result<Option<Arc<PendingRecord>>, StoreError> {
    let (sql, key) = match reference {
        PendingRef::Identifier(TokenRef::Row { row, .. }) => {
            (BY_ROW, values![issuer.0, database.key(*row)])
        }
        PendingRef::Identifier(TokenRef::Foreign { hash }) => {
            (BY_IDENTIFIER, values![issuer.0, &hash[..]])
        }
        PendingRef::UserCode(hash) => (BY_USER_CODE, values![issuer.0, &hash[..]]),
        PendingRef::Identifier(_) => return Ok(None),
    };
    let found = database.one(sql, key, |row| row.pending()).await?;
    Ok(found.filter(|found| found.is_found_by(reference)).map(Arc::new))
}

/// Stores an answer with its consent, of which `values` has issuer and consent.
pub(super) async fn answer(
    database: &Database,
    issuer: IssuerId,
    row: RowId,
    approval: Option<&Approval>,
    mut values: PgArguments,
) -> Result<Answered, StoreError> {
    let state = if approval.is_some() { APPROVED } else { DENIED };
    values.add(database.key(row)).map_err(StoreError::failed)?;
    values.add(state).map_err(StoreError::failed)?;
    add_approval(&mut values, approval)?;
    if database.did(ANSWER, values).await? {
        return Ok(Answered::First);
    }
    let Some((is_alive, held)) = with_life(database, issuer, row).await? else {
        return Ok(Answered::Spent);
    };
    match held.state {
        PendingState::Pending => Err(StoreError::Busy),
        PendingState::Denied => Ok(Answered::Denied),
        PendingState::Approved(_) if is_alive => Ok(Answered::Pending(Arc::new(held))),
        PendingState::Approved(_) | PendingState::Redeemed(_) => Ok(Answered::Spent),
    }
}

pub(super) async fn redeem(
    database: &Database,
    issuer: IssuerId,
    row: RowId,
    bought: &Bought,
) -> Result<Redeemed, StoreError> {
    let key = database.key(row);
    let (sql, values) = match bought {
        Bought::Tokens(issue) => {
            let mut values = issues_values(database, [(issuer, &**issue)].into_iter())?;
            values.add(key).map_err(StoreError::failed)?;
            values.add(issuer.0).map_err(StoreError::failed)?;
            (REDEEM_FOR_TOKENS, values)
        }
        Bought::Credential(credential) => {
            let access = &credential.access;
            let grant = GrantColumns::of(&access.grant)?;
            let mut values = values![issuer.0, key, database.key(access.grant.id)];
            add_grant(&mut values, Some(&grant)).map_err(StoreError::failed)?;
            let add = |values: &mut PgArguments| {
                values.add(&access.hash[..])?;
                values.add(credential.is_foreign)?;
                values.add(&credential.secret[..])?;
                values.add(access.expires.seconds())?;
                values.add(binding_column(access.binding))
            };
            add(&mut values).map_err(StoreError::failed)?;
            (REDEEM_FOR_CREDENTIAL, values)
        }
    };
    if database.did(sql, values).await? {
        return Ok(Redeemed::Issued);
    }
    match with_life(database, issuer, row).await?.map(|(is_alive, held)| (is_alive, held.state)) {
        None | Some((_, PendingState::Pending | PendingState::Denied)) => Ok(Redeemed::Unknown),
        Some((_, PendingState::Redeemed(before))) => Ok(Redeemed::Replayed(before.grant.id)),
        Some((false, PendingState::Approved(_))) => Ok(Redeemed::Revoked),
        // It was approved between the two statements.
        Some((true, PendingState::Approved(_))) => Ok(Redeemed::Unknown),
    }
}

pub(super) async fn credential(
    database: &Database,
    issuer: IssuerId,
    token: &TokenRef,
) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
    let (sql, key, hash) = match token {
        TokenRef::Row { row, hash } => {
            (CREDENTIAL_BY_ROW, values![issuer.0, database.key(*row)], hash)
        }
        TokenRef::Foreign { hash } => {
            (CREDENTIAL_BY_IDENTIFIER, values![issuer.0, &hash[..]], hash)
        }
        _ => return Ok(None),
    };
    let found = database.one(sql, key, |row| row.credential()).await?;
    Ok(found.filter(|found| is_same(&found.access.hash, hash)).map(Arc::new))
}

/// A pending request, and whether its grant, if there is one, is alive.
async fn with_life(
    database: &Database,
    issuer: IssuerId,
    row: RowId,
) -> Result<Option<(bool, PendingRecord)>, StoreError> {
    let key = values![issuer.0, database.key(row)];
    let read = |row: &mut Reader<'_>| {
        // Without a grant it is not known.
        Ok((row.known_flag()?, row.pending()?))
    };
    database.one(WITH_LIFE, key, read).await
}

/// The columns `proof`, `grant_id`, and those from `actor` on.
fn add_approval(values: &mut PgArguments, approval: Option<&Approval>) -> Result<(), StoreError> {
    let grant = approval.map(|approval| GrantColumns::of(&approval.grant)).transpose()?;
    let proof = approval.and_then(|approval| approval.proof);
    let add = |values: &mut PgArguments| {
        values.add(proof.as_ref().map(|proof| &proof[..]))?;
        values.add(grant.as_ref().map(|grant| grant.id))?;
        add_approved(values, grant.as_ref())
    };
    add(values).map_err(StoreError::failed)
}
