//! Pending requests, and the token credentials that they may buy.

use std::sync::Arc;

use quadrille::provider::store::{
    Answered, Approval, Bought, CredentialRecord, GrantColumns, Identifier, IssuerId,
    PendingRecord, PendingRef, PendingState, Redeemed, RowId, StoreError, TokenRef, binding_column,
    is_same,
};
use sqlx::{Arguments as _, mysql::MySqlArguments};

use super::{
    super::{
        fault::run,
        reader::{DENIED, REDEEMED, state_of},
    },
    database::{Database, Steps, key, values},
    rows::{Reader, alive},
    tokens,
};

macro_rules! pending_columns {
    () => {
        "`row`, identifier, is_foreign, user_code, asked, asked_resources, expires, state, kind, \
         client, proof, grant_id, actor, scopes, resources, auth"
    };
}

macro_rules! credential_columns {
    () => {
        "grant_id, client, actor, scopes, resources, auth, hash, is_foreign, secret, expires, \
         binding"
    };
}

const PUT: &str = concat!(
    "INSERT INTO quadrille_pending (issuer, foreign_hash, ",
    pending_columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);

macro_rules! find {
    ($by:literal) => {
        concat!("SELECT ", pending_columns!(), " FROM quadrille_pending WHERE issuer = ? AND ", $by)
    };
}

const BY_ROW: &str = find!("`row` = ?");
const BY_IDENTIFIER: &str = find!("foreign_hash = ?");
const BY_USER_CODE: &str = find!("user_code = ?");

const LOCK: &str = concat!(
    "SELECT ",
    alive!(),
    ", ",
    pending_columns!(),
    " FROM quadrille_pending t WHERE t.issuer = ? AND t.`row` = ? FOR UPDATE"
);
const LIVES: &str =
    concat!("SELECT 1 FROM quadrille_pending t WHERE t.issuer = ? AND t.`row` = ? AND ", alive!());
const APPROVE: &str = "UPDATE quadrille_pending SET state = 1, proof = ?, grant_id = ?, actor = ?,
    scopes = ?, resources = ?, auth = ? WHERE `row` = ?";
const MARK: &str = "UPDATE quadrille_pending SET state = ? WHERE `row` = ?";

const PUT_CREDENTIAL: &str = concat!(
    "INSERT INTO quadrille_token_credentials (issuer, foreign_hash, `row`, ",
    credential_columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);

macro_rules! credential {
    ($by:literal) => {
        concat!(
            "SELECT ",
            credential_columns!(),
            " FROM quadrille_token_credentials t WHERE t.issuer = ? AND ",
            $by,
            " AND ",
            alive!()
        )
    };
}

const CREDENTIAL_BY_ROW: &str = credential!("t.`row` = ? AND NOT t.is_foreign");
const CREDENTIAL_BY_IDENTIFIER: &str = credential!("t.foreign_hash = ?");

pub(super) async fn put(
    database: &Database,
    issuer: IssuerId,
    pending: &PendingRecord,
) -> Result<bool, StoreError> {
    let (state, approval) = state_of(&pending.state);
    let kind = serde_json::to_vec(&pending.kind)
        .map_err(|_| StoreError::Corrupt("the kind of a pending request"))?;
    let foreign = match &pending.identifier {
        Identifier::Foreign(hash) => Some(&hash[..]),
        Identifier::Row(_) => None,
    };
    run(|| async {
        let mut values = values![
            issuer.0,
            foreign,
            pending.row.0,
            &pending.identifier.hash()[..],
            foreign.is_some(),
            pending.user_code.as_ref().map(|code| &code[..]),
            pending.scopes.as_str().as_bytes(),
            pending.resources.as_str().as_bytes(),
            pending.expires.seconds(),
            state,
            &kind[..],
            key(&pending.client)?,
        ];
        add_approval(&mut values, approval)?;
        let mut steps = database.begin().await?;
        let put = steps.insert(PUT, values).await?;
        steps.commit().await?;
        Ok(put)
    })
    .await
}

pub(super) async fn find(
    database: &Database,
    issuer: IssuerId,
    reference: &PendingRef,
) -> Result<Option<Arc<PendingRecord>>, StoreError> {
    let (sql, key) = match reference {
        PendingRef::Identifier(TokenRef::Row { row, .. }) => (BY_ROW, values![issuer.0, row.0]),
        PendingRef::Identifier(TokenRef::Foreign { hash }) => {
            (BY_IDENTIFIER, values![issuer.0, &hash[..]])
        }
        PendingRef::UserCode(hash) => (BY_USER_CODE, values![issuer.0, &hash[..]]),
        PendingRef::Identifier(_) => return Ok(None),
    };
    let found = database.one(sql, key, |row| row.pending()).await?;
    Ok(found.filter(|found| found.is_found_by(reference)).map(Arc::new))
}

/// Stores an answer, and says whether its grant is alive.
pub(super) async fn answer(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    row: RowId,
    approval: Option<&Approval>,
) -> Result<(Answered, bool), StoreError> {
    let Some((is_alive, held)) = lock(steps, issuer, row).await? else {
        return Ok((Answered::Spent, false));
    };
    let answered = match held.state {
        PendingState::Pending => {
            let Some(approval) = approval else {
                steps.run(MARK, values![DENIED, row.0]).await?;
                return Ok((Answered::First, true));
            };
            let mut values = MySqlArguments::default();
            add_approval(&mut values, Some(approval))?;
            values.add(row.0).map_err(StoreError::failed)?;
            steps.run(APPROVE, values).await?;
            let lives = steps.one(LIVES, values![issuer.0, row.0], |_| Ok(())).await?;
            return Ok((Answered::First, lives.is_some()));
        }
        PendingState::Denied => Answered::Denied,
        PendingState::Approved(_) if is_alive => Answered::Pending(Arc::new(held)),
        PendingState::Approved(_) | PendingState::Redeemed(_) => Answered::Spent,
    };
    Ok((answered, false))
}

pub(super) async fn redeem(
    database: &Database,
    issuer: IssuerId,
    row: RowId,
    bought: &Bought,
) -> Result<Redeemed, StoreError> {
    run(|| async {
        let mut steps = database.begin().await?;
        let held = lock(&mut steps, issuer, row).await?;
        match held.map(|(is_alive, held)| (is_alive, held.state)) {
            None | Some((_, PendingState::Pending | PendingState::Denied)) => {
                return Ok(Redeemed::Unknown);
            }
            Some((_, PendingState::Redeemed(before))) => {
                return Ok(Redeemed::Replayed(before.grant.id));
            }
            Some((false, PendingState::Approved(_))) => return Ok(Redeemed::Revoked),
            Some((true, PendingState::Approved(_))) => {}
        }
        steps.run(MARK, values![REDEEMED, row.0]).await?;
        match bought {
            Bought::Tokens(issue) => tokens::put(&mut steps, issuer, issue).await?,
            Bought::Credential(bought) => put_credential(&mut steps, issuer, bought).await?,
        }
        steps.commit().await?;
        Ok(Redeemed::Issued)
    })
    .await
}

async fn put_credential(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    credential: &CredentialRecord,
) -> Result<(), StoreError> {
    let access = &credential.access;
    let foreign = credential.is_foreign.then_some(&access.hash[..]);
    let mut values = values![issuer.0, foreign, access.grant.id.0];
    tokens::add_grant(&mut values, &GrantColumns::of(&access.grant)?)?;
    let add = |values: &mut MySqlArguments| {
        values.add(&access.hash[..])?;
        values.add(credential.is_foreign)?;
        values.add(&credential.secret[..])?;
        values.add(access.expires.seconds())?;
        values.add(binding_column(access.binding).map(String::into_bytes))
    };
    add(&mut values).map_err(StoreError::failed)?;
    steps.run(PUT_CREDENTIAL, values).await.map(drop)
}

pub(super) async fn credential(
    database: &Database,
    issuer: IssuerId,
    token: &TokenRef,
) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
    let (sql, key, hash) = match token {
        TokenRef::Row { row, hash } => (CREDENTIAL_BY_ROW, values![issuer.0, row.0], hash),
        TokenRef::Foreign { hash } => {
            (CREDENTIAL_BY_IDENTIFIER, values![issuer.0, &hash[..]], hash)
        }
        _ => return Ok(None),
    };
    let found = database.one(sql, key, |row| row.credential()).await?;
    Ok(found.filter(|found| is_same(&found.access.hash, hash)).map(Arc::new))
}

/// A pending request, locked, and whether its grant, if there is one, is alive.
async fn lock(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    row: RowId,
) -> Result<Option<(bool, PendingRecord)>, StoreError> {
    let read = |row: &mut Reader<'_>| {
        // Without a grant it is not known.
        Ok((row.known_flag()?, row.pending()?))
    };
    steps.one(LOCK, values![issuer.0, row.0], read).await
}

/// The columns `proof`, `grant_id`, and those from `actor` on.
fn add_approval(
    values: &mut MySqlArguments,
    approval: Option<&Approval>,
) -> Result<(), StoreError> {
    let grant = approval.map(|approval| GrantColumns::of(&approval.grant)).transpose()?;
    let proof = approval.and_then(|approval| approval.proof);
    let add = |values: &mut MySqlArguments| {
        values.add(proof.as_ref().map(|proof| &proof[..]))?;
        values.add(grant.as_ref().map(|grant| grant.id))?;
        let actor = grant.as_ref().and_then(|grant| grant.actor.as_deref());
        values.add(actor.map(str::as_bytes))?;
        values.add(grant.as_ref().map(|grant| grant.scopes.as_bytes()))?;
        values.add(grant.as_ref().map(|grant| grant.resources.as_bytes()))?;
        let auth = grant.as_ref().and_then(|grant| grant.auth.as_deref());
        values.add(auth.map(str::as_bytes))
    };
    add(values).map_err(StoreError::failed)
}
