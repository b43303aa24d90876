//! Columns and conditions that statements have in common, and the values of columns.

use quadrille::provider::store::{
    AccessRecord, Approval, CodeRecord, FamilyRecord, GrantColumns, IssuerId, StoreError,
    binding_column, exchange_column,
};

use super::{
    database::Database,
    engine::Engine,
    values::{Value, Values, values},
};

/// The columns of a grant.
macro_rules! grant_columns {
    () => {
        "grant_id, client, actor, scopes, resources, auth"
    };
}

macro_rules! code_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, hash, expires, redirect_uri, \
         challenge, redeemed"
    };
}

macro_rules! access_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, hash, expires, binding, exchange"
    };
}

macro_rules! family_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, generation, current, previous, \
         rotated, expires, ends"
    };
}

/// The condition that the grant of row `t` is alive: its client exists and is not younger, and the
/// grant is not revoked.
macro_rules! alive {
    () => {
        "EXISTS (SELECT 1 FROM quadrille_clients c
            WHERE c.issuer = t.issuer AND c.id = t.client AND c.number <= t.grant_id)
        AND NOT EXISTS (SELECT 1 FROM quadrille_revoked r
            WHERE r.\"row\" = mix(t.grant_id) AND r.issuer = t.issuer)
        AND (t.actor IS NULL OR NOT EXISTS (SELECT 1 FROM quadrille_cut cut
            WHERE cut.issuer = t.issuer AND cut.actor = t.actor
            AND cut.client IN ('', t.client) AND cut.last >= t.grant_id))"
    };
}

/// The number of the client `$client` of issuer `$1`, or -1.
macro_rules! number_now {
    ($client:literal) => {
        concat!(
            "coalesce((SELECT k.number FROM quadrille_clients k WHERE k.issuer = $1 AND k.id = ",
            $client,
            "), -1)"
        )
    };
}

/// The sum of the epochs of the user `$user` and the client `$client` of issuer `$1`.
macro_rules! epoch_now {
    ($client:literal, $user:literal) => {
        concat!(
            "coalesce((SELECT sum(cut.epoch) FROM quadrille_cut cut WHERE cut.issuer = $1
                AND cut.actor = ",
            $user,
            " AND cut.client IN ('', ",
            $client,
            ")), 0)"
        )
    };
}
pub(super) use {
    access_columns, alive, code_columns, epoch_now, family_columns, grant_columns, number_now,
};

/// The values of `grant_columns`.
pub(super) fn add_grant(values: &mut Values, grant: Option<&GrantColumns<'_>>) {
    values.push(grant.map(|grant| grant.id));
    values.push(Value::Key(grant.map(|grant| grant.client.as_bytes().to_vec())));
    add_approved(values, grant);
}

/// The values of the columns of a grant from `actor` on.
fn add_approved(values: &mut Values, grant: Option<&GrantColumns<'_>>) {
    let actor = grant.and_then(|grant| grant.actor.as_deref());
    values.push(Value::Actor(actor.map(|actor| actor.as_bytes().to_vec())));
    values.push(grant.map(|grant| &*grant.scopes));
    values.push(grant.map(|grant| &*grant.resources));
    values.push(grant.and_then(|grant| grant.auth.as_deref()));
}

/// The values of the columns `proof`, `grant_id`, and those from `actor` on.
pub(super) fn add_approval(
    values: &mut Values,
    approval: Option<&Approval>,
) -> Result<(), StoreError> {
    let grant = approval.map(|approval| GrantColumns::of(&approval.grant)).transpose()?;
    let proof = approval.and_then(|approval| approval.proof);
    values.push(proof.as_ref());
    values.push(grant.as_ref().map(|grant| grant.id));
    add_approved(values, grant.as_ref());
    Ok(())
}

/// The values of `code_columns`.
pub(super) fn add_code<E: Engine>(
    values: &mut Values,
    database: &Database<E>,
    code: Option<&CodeRecord>,
) -> Result<(), StoreError> {
    let grant = code.map(|code| GrantColumns::of(&code.grant)).transpose()?;
    values.push(code.map(|code| database.key(code.row)));
    add_grant(values, grant.as_ref());
    values.push(code.map(|code| &code.hash));
    values.push(code.map(|code| code.expires.seconds()));
    values.push(code.and_then(|code| code.redirect_uri.as_deref()).map(str::as_bytes));
    values.push(code.and_then(|code| code.challenge.as_deref()).map(str::as_bytes));
    values.push(code.map(|code| code.redeemed));
    Ok(())
}

/// The issuer and the values of `access_columns`.
pub(super) fn access_values<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    access: &AccessRecord,
) -> Result<Values, StoreError> {
    let mut values = values![issuer.0, database.key(access.row)];
    add_grant(&mut values, Some(&GrantColumns::of(&access.grant)?));
    values.push(&access.hash);
    values.push(access.expires.seconds());
    values.push(binding_column(access.binding));
    values.push(exchange_column(access.exchange.as_deref())?);
    Ok(values)
}

/// The values of `family_columns`.
pub(super) fn add_family<E: Engine>(
    values: &mut Values,
    database: &Database<E>,
    family: Option<&FamilyRecord>,
) -> Result<(), StoreError> {
    let grant = family.map(|family| GrantColumns::of(&family.grant)).transpose()?;
    values.push(family.map(|family| database.key(family.row)));
    add_grant(values, grant.as_ref());
    values.extend(values![
        family.map(|family| i64::from(family.generation)),
        family.map(|family| &family.current),
        family.and_then(|family| family.previous.as_ref()),
        family.map(|family| family.rotated.seconds()),
        family.map(|family| family.expires.seconds()),
        family.map(|family| family.ends.seconds())
    ]);
    Ok(())
}
