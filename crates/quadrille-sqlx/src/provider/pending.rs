//! Pending requests, and the token credentials that they may buy.

use std::sync::Arc;

use quadrille::provider::store::{
    Answer, Answered, Approval, Bought, CredentialRecord, GrantColumns, Identifier, IssuerId,
    PendingRecord, PendingRef, PendingState, Redeemed, RowId, StoreError, TokenRef, binding_column,
    is_same,
};

use super::{
    columns::{add_approval, add_grant, alive, grant_columns},
    database::Database,
    dialect::{Buys, Dialect},
    engine::{Engine, Write},
    reader::{APPROVED, DENIED, state_of},
    values::{Value, Values, values},
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
    ON CONFLICT DO NOTHING"
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
static ANSWER: Write = Write {
    lives: Some(concat!(
        "SELECT 1 FROM (SELECT p.issuer, $14::bigint AS grant_id, p.client, $15::bytea AS actor
            FROM quadrille_pending p WHERE p.\"row\" = $11 AND p.issuer = $1) t
        WHERE t.grant_id IS NULL OR (",
        alive!(),
        ")"
    )),
    ..Write::of(
        "UPDATE quadrille_pending SET state = $12, proof = $13, grant_id = $14,
        actor = $15, scopes = $16, resources = $17, auth = $18
        WHERE \"row\" = $11 AND issuer = $1 AND state = 0",
    )
};

static REDEEM_FOR_CREDENTIAL: Write = Write {
    then: &[concat!(
        "INSERT INTO quadrille_token_credentials (issuer, \"row\", ",
        credential_columns!(),
        ") SELECT $1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 FROM done"
    )],
    ..Write::of(concat!(
        "UPDATE quadrille_pending t SET state = 2
        WHERE t.\"row\" = $2 AND t.issuer = $1 AND t.state = 1 AND ",
        alive!()
    ))
};

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

pub(super) async fn put<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    pending: &PendingRecord,
) -> Result<bool, StoreError> {
    let (state, approval) = state_of(&pending.state);
    let kind = serde_json::to_string(&pending.kind)
        .map_err(|_| StoreError::Corrupt("the kind of a pending request"))?;
    let mut values = values![
        issuer.0,
        database.key(pending.row),
        pending.identifier.hash(),
        matches!(pending.identifier, Identifier::Foreign(_)),
        pending.user_code.as_ref(),
        pending.scopes.as_str(),
        pending.resources.as_str(),
        pending.expires.seconds(),
        state,
        kind,
        Value::key(&pending.client),
    ];
    add_approval(&mut values, approval)?;
    Ok(database.run(PUT, values).await? > 0)
}

pub(super) async fn find<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    reference: &PendingRef,
) -> Result<Option<Arc<PendingRecord>>, StoreError> {
    let (sql, key) = match reference {
        PendingRef::Identifier(TokenRef::Row { row, .. }) => {
            (BY_ROW, values![issuer.0, database.key(*row)])
        }
        PendingRef::Identifier(TokenRef::Foreign { hash }) => {
            (BY_IDENTIFIER, values![issuer.0, hash])
        }
        PendingRef::UserCode(hash) => (BY_USER_CODE, values![issuer.0, hash]),
        PendingRef::Identifier(_) => return Ok(None),
    };
    let found = database.one(sql, key, |row| row.pending()).await?;
    Ok(found.filter(|found| found.is_found_by(reference)).map(Arc::new))
}

/// Stores an answer with its consent, of which `values` has issuer and consent.
pub(super) async fn answer<E: Dialect>(
    database: &Database<E>,
    (issuer, answer): (IssuerId, &Answer),
    row: RowId,
    approval: Option<&Approval>,
    mut values: Values,
) -> Result<Answered, StoreError> {
    let state = if approval.is_some() { APPROVED } else { DENIED };
    values.push(database.key(row));
    values.push(state);
    add_approval(&mut values, approval)?;
    if E::answer(database, &ANSWER, values, issuer, answer).await? {
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

pub(super) async fn redeem<E: Dialect>(
    database: &Database<E>,
    issuer: IssuerId,
    row: RowId,
    bought: &Bought,
) -> Result<Redeemed, StoreError> {
    let won = match bought {
        Bought::Tokens(issue) => {
            E::redeem(database, Buys::Pending, &[(issuer, row, &**issue)]).await? == [true]
        }
        Bought::Credential(credential) => {
            let values = credential_values(database, issuer, row, credential)?;
            database.write(&REDEEM_FOR_CREDENTIAL, values).await?
        }
    };
    if won {
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

/// The values of [`REDEEM_FOR_CREDENTIAL`].
fn credential_values<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    row: RowId,
    credential: &CredentialRecord,
) -> Result<Values, StoreError> {
    let access = &credential.access;
    let mut values = values![issuer.0, database.key(row), database.key(access.grant.id)];
    add_grant(&mut values, Some(&GrantColumns::of(&access.grant)?));
    values.extend(values![
        &access.hash,
        credential.is_foreign,
        &credential.secret[..],
        access.expires.seconds(),
        binding_column(access.binding)
    ]);
    Ok(values)
}

pub(super) async fn credential<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    token: &TokenRef,
) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
    let (sql, key, hash) = match token {
        TokenRef::Row { row, hash } => {
            (CREDENTIAL_BY_ROW, values![issuer.0, database.key(*row)], hash)
        }
        TokenRef::Foreign { hash } => (CREDENTIAL_BY_IDENTIFIER, values![issuer.0, hash], hash),
        _ => return Ok(None),
    };
    let found = database.one(sql, key, |row| row.credential()).await?;
    Ok(found.filter(|found| is_same(&found.access.hash, hash)).map(Arc::new))
}

/// A pending request, and whether its grant, if there is one, is alive.
async fn with_life<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    row: RowId,
) -> Result<Option<(bool, PendingRecord)>, StoreError> {
    let key = values![issuer.0, database.key(row)];
    // Without a grant it is not known.
    database.one(WITH_LIFE, key, |row| Ok((row.known_flag()?, row.pending()?))).await
}
