//! Codes and tokens: stored, redeemed, rotated.

use std::sync::Arc;

use quadrille::{
    Actor,
    provider::store::{
        AccessRecord, CodeRecord, FamilyRecord, GrantColumns, Issue, IssuerId, Redeemed, Rotated,
        Rotation, RowId, StoreError, binding_column, exchange_column,
    },
};
use sqlx::{Arguments as _, mysql::MySqlArguments};

use super::{
    super::fault::run,
    database::{Database, Steps, key, values},
    rows::{access_columns, alive, code_columns, family_columns},
};

const PUT_CODE: &str = concat!(
    "INSERT INTO quadrille_codes (issuer, ",
    code_columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
const PUT_ACCESS: &str = concat!(
    "INSERT INTO quadrille_access_tokens (issuer, ",
    access_columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
/// A client's own token: its grant is alive while its client is there, and it is not revoked.
const PUT_OWN_ACCESS: &str = concat!(
    "INSERT INTO quadrille_access_tokens (issuer, ",
    access_columns!(),
    ") SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM quadrille_clients c
    WHERE c.issuer = ? AND c.id = ? AND c.number <= ? AND NOT EXISTS
    (SELECT 1 FROM quadrille_revoked r WHERE r.`row` = ? AND r.issuer = c.issuer)"
);
const LIVES: &str = concat!(
    "SELECT 1 FROM quadrille_access_tokens t WHERE t.`row` = ? AND t.issuer = ? AND ",
    alive!()
);
const PUT_FAMILY: &str = concat!(
    "INSERT INTO quadrille_families (issuer, ",
    family_columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
const PUT_GRANT: &str = "INSERT INTO quadrille_grants (issuer, `row`, grant_id, client, actor,
    scopes, resources, auth, family, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON DUPLICATE KEY UPDATE expires = greatest(expires, VALUES(expires))";
const PUT_FOREIGN: &str = "INSERT INTO quadrille_foreign_tokens (issuer, hash, `row`, expires)
    VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE `row` = VALUES(`row`), expires = VALUES(expires)";

const LOCK_CODE: &str = concat!(
    "SELECT t.redeemed, t.grant_id, ",
    alive!(),
    " FROM quadrille_codes t WHERE t.`row` = ? AND t.issuer = ? FOR UPDATE"
);
const MARK_CODE: &str = "UPDATE quadrille_codes SET redeemed = 1 WHERE `row` = ?";
const LOCK_FAMILY: &str = concat!(
    "SELECT ",
    family_columns!(),
    " FROM quadrille_families t WHERE t.`row` = ? AND t.issuer = ? AND ",
    alive!(),
    " FOR UPDATE"
);
const ROTATE: &str = "UPDATE quadrille_families SET generation = ?, current = ?, previous = ?,
    rotated = ?, rotated_scopes = ?, rotated_resources = ?, expires = ? WHERE `row` = ?";

pub(super) async fn put_code(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    code: &CodeRecord,
) -> Result<(), StoreError> {
    let mut values = values![issuer.0, code.row.0];
    add_grant(&mut values, &GrantColumns::of(&code.grant)?)?;
    let add = |values: &mut MySqlArguments| {
        values.add(&code.hash[..])?;
        values.add(code.expires.seconds())?;
        values.add(code.redirect_uri.as_deref().map(str::as_bytes))?;
        values.add(code.challenge.as_deref().map(str::as_bytes))?;
        values.add(code.redeemed)
    };
    add(&mut values).map_err(StoreError::failed)?;
    steps.run(PUT_CODE, values).await.map(drop)
}

pub(super) async fn issue(
    database: &Database,
    issuer: IssuerId,
    issue: &Issue,
) -> Result<bool, StoreError> {
    let grant = &issue.access.grant;
    let is_own = matches!(&grant.actor, Actor::Client(id) if *id == grant.client);
    if issue.family.is_none() && is_own {
        // One row, by one statement.
        let mut values = access_values(issuer, &issue.access)?;
        let add = |values: &mut MySqlArguments| {
            values.add(issuer.0)?;
            values.add(grant.client.as_bytes())?;
            values.add(grant.id.0)?;
            values.add(grant.id.0)
        };
        add(&mut values).map_err(StoreError::failed)?;
        return Ok(database.run(PUT_OWN_ACCESS, values).await? > 0);
    }
    run(|| async {
        let mut steps = database.begin().await?;
        put(&mut steps, issuer, issue).await?;
        let key = values![issue.access.row.0, issuer.0];
        let lives = steps.one(LIVES, key, |_| Ok(())).await?.is_some();
        if lives {
            steps.commit().await?;
        }
        Ok(lives)
    })
    .await
}

pub(super) async fn import(
    database: &Database,
    issuer: IssuerId,
    access: &AccessRecord,
) -> Result<(), StoreError> {
    run(|| async {
        let mut steps = database.begin().await?;
        steps.run(PUT_ACCESS, access_values(issuer, access)?).await?;
        let (row, expires) = (access.row.0, access.expires.seconds());
        steps.run(PUT_FOREIGN, values![issuer.0, &access.hash[..], row, expires]).await?;
        steps.commit().await
    })
    .await
}

pub(super) async fn redeem(
    database: &Database,
    issuer: IssuerId,
    code: RowId,
    issue: &Issue,
) -> Result<Redeemed, StoreError> {
    run(|| async {
        let mut steps = database.begin().await?;
        let found = steps.one(LOCK_CODE, values![code.0, issuer.0], |row| {
            Ok((row.flag()?, RowId(row.number()?), row.flag()?))
        });
        match found.await? {
            None => Ok(Redeemed::Unknown),
            Some((true, grant, _)) => Ok(Redeemed::Replayed(grant)),
            Some((false, _, false)) => Ok(Redeemed::Revoked),
            Some((false, _, true)) => {
                steps.run(MARK_CODE, values![code.0]).await?;
                put(&mut steps, issuer, issue).await?;
                steps.commit().await?;
                Ok(Redeemed::Issued)
            }
        }
    })
    .await
}

pub(super) async fn rotate(
    database: &Database,
    issuer: IssuerId,
    rotation: &Rotation,
) -> Result<Rotated, StoreError> {
    run(|| async {
        let mut steps = database.begin().await?;
        let key = values![rotation.family.0, issuer.0];
        let found = steps.one(LOCK_FAMILY, key, |row| row.family()).await?;
        let Some(family) = found else { return Ok(Rotated::Gone) };
        if family.generation != rotation.generation || family.current != rotation.presented {
            return Ok(Rotated::Lost(Arc::new(family)));
        }
        let (generation, current, previous) = match rotation.successor {
            Some(successor) => (family.generation + 1, successor, Some(family.current)),
            None => (family.generation, family.current, family.previous),
        };
        let values = values![
            i64::from(generation),
            &current[..],
            previous.as_ref().map(|hash| &hash[..]),
            rotation.rotated.seconds(),
            rotation.scopes.as_str().as_bytes(),
            rotation.resources.as_str().as_bytes(),
            rotation.expires.seconds(),
            rotation.family.0
        ];
        steps.run(ROTATE, values).await?;
        steps.run(PUT_ACCESS, access_values(issuer, &rotation.access)?).await?;
        steps.commit().await?;
        Ok(Rotated::Issued)
    })
    .await
}

/// Stores tokens, and lists their grant, if it is a user's, or postpones its end.
pub(super) async fn put(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    issue: &Issue,
) -> Result<(), StoreError> {
    steps.run(PUT_ACCESS, access_values(issuer, &issue.access)?).await?;
    let family = issue.family.as_ref();
    if let Some(family) = family {
        steps.run(PUT_FAMILY, family_values(issuer, family)?).await?;
    }
    let granted = family.map_or(&issue.access.grant, |family| &family.grant);
    if !matches!(granted.actor, Actor::User(_)) {
        return Ok(());
    }
    let ends = family.map_or(issue.access.expires, |family| family.ends);
    let mut values = values![issuer.0, granted.id.0];
    add_grant(&mut values, &GrantColumns::of(granted)?)?;
    values.add(family.map(|family| family.row.0)).map_err(StoreError::failed)?;
    values.add(ends.max(issue.access.expires).seconds()).map_err(StoreError::failed)?;
    steps.run(PUT_GRANT, values).await.map(drop)
}

fn access_values(issuer: IssuerId, access: &AccessRecord) -> Result<MySqlArguments, StoreError> {
    let mut values = values![issuer.0, access.row.0];
    add_grant(&mut values, &GrantColumns::of(&access.grant)?)?;
    let exchange = exchange_column(access.exchange.as_deref())?;
    let add = |values: &mut MySqlArguments| {
        values.add(&access.hash[..])?;
        values.add(access.expires.seconds())?;
        values.add(binding_column(access.binding).map(String::into_bytes))?;
        values.add(exchange.map(String::into_bytes))
    };
    add(&mut values).map_err(StoreError::failed)?;
    Ok(values)
}

fn family_values(issuer: IssuerId, family: &FamilyRecord) -> Result<MySqlArguments, StoreError> {
    let mut values = values![issuer.0, family.row.0];
    add_grant(&mut values, &GrantColumns::of(&family.grant)?)?;
    let add = |values: &mut MySqlArguments| {
        values.add(i64::from(family.generation))?;
        values.add(&family.current[..])?;
        values.add(family.previous.as_ref().map(|hash| &hash[..]))?;
        values.add(family.rotated.seconds())?;
        values.add(family.rotated_scopes.as_str().as_bytes())?;
        values.add(family.rotated_resources.as_str().as_bytes())?;
        values.add(family.expires.seconds())?;
        values.add(family.ends.seconds())
    };
    add(&mut values).map_err(StoreError::failed)?;
    Ok(values)
}

/// The values of the columns of a grant.
pub(super) fn add_grant(
    values: &mut MySqlArguments,
    grant: &GrantColumns<'_>,
) -> Result<(), StoreError> {
    let (client, actor) = (key(&grant.client)?, grant.actor.as_deref());
    let add = |values: &mut MySqlArguments| {
        values.add(grant.id)?;
        values.add(client)?;
        values.add(actor.map(str::as_bytes))?;
        values.add(grant.scopes.as_bytes())?;
        values.add(grant.resources.as_bytes())?;
        values.add(grant.auth.as_deref().map(str::as_bytes))
    };
    // The first letter of an actor says what it is.
    key(actor.and_then(|actor| actor.get(1..)).unwrap_or(""))?;
    add(values).map_err(StoreError::failed)
}
