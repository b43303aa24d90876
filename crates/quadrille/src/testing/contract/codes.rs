//! Authorization codes.

use crate::{
    Scopes,
    oauth2::Resources,
    provider::store::{Issue, Redeemed, RowId, Store},
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::World,
};

/// With all members, and with all optional ones absent.
pub async fn a_code_comes_back_as_it_was_put<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let full = world.code(100);
    let mut bare = world.code(101);
    bare.redirect_uri = None;
    bare.challenge = None;
    bare.grant.scopes = Scopes::EMPTY;
    bare.grant.resources = Resources::EMPTY;
    bare.grant.authentication = None;
    for code in [full, bare] {
        store.put_code(world.issuer, code.clone()).await;
        let found = store.code(world.issuer, code.row).await;
        let rule =
            "`code` gives back a code as `put_code` put it: what was absent is absent, not empty";
        same(rule, found.as_deref(), Some(&code));
        let rule = "`code` shows no issuer a code of another issuer";
        same(rule, store.code(other, code.row).await, None);
    }
    same("`code` finds no row that was never put", store.code(world.issuer, RowId(99)).await, None);
}

/// The first redemption gets the tokens; the second learns which grant to revoke, and stores
/// nothing.
pub async fn a_code_is_redeemed_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let code = world.code(100);
    store.put_code(world.issuer, code.clone()).await;
    let other = store.issuer("https://other.example").await;
    let issue = |row| Issue {
        access: world.access(row, code.grant.clone()),
        family: Some(world.family(row + 1, code.grant.clone())),
    };
    let rule = "`redeem` redeems no code of another issuer";
    same(rule, store.redeem(other, code.row, issue(200)).await, Redeemed::Unknown);
    let found = store.code(world.issuer, code.row).await;
    let rule = "`code` shows a code that was not redeemed as it was put";
    same(rule, found.as_deref(), Some(&code));
    let redeemed = store.redeem(world.issuer, code.row, issue(210)).await;
    same("the first `redeem` of a code issues", redeemed, Redeemed::Issued);
    let found = store.code(world.issuer, code.row).await;
    let rule = "`redeem` marks the code, and `code` still shows it";
    holds(rule, found.is_some_and(|code| code.redeemed));
    let replayed = store.redeem(world.issuer, code.row, issue(220)).await;
    let rule = "a second `redeem` tells the number of the grant to be revoked";
    same(rule, replayed, Redeemed::Replayed(code.grant.id));
    let rule = "`redeem` puts the access token that the code buys";
    same(rule, world.issued(210).await, Some(world.access(210, code.grant.clone())));
    let family = store.family(world.issuer, RowId(211)).await;
    let rule = "`redeem` puts the family that the code buys";
    same(rule, family.as_deref(), Some(&world.family(211, code.grant.clone())));
    for absent in [200, 220] {
        let rule = "a `redeem` that was refused writes nothing";
        same(rule, world.issued(absent).await, None);
        same(rule, store.family(world.issuer, RowId(absent + 1)).await, None);
    }
    let unknown = store.redeem(world.issuer, RowId(1), issue(230)).await;
    same("`redeem` knows no code that was never put", unknown, Redeemed::Unknown);
}

/// The code is not used up.
pub async fn a_code_of_a_revoked_grant_buys_nothing<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let code = world.code(100);
    store.put_code(world.issuer, code.clone()).await;
    store.revoke_grant(world.issuer, code.grant.id, world.later(60)).await;
    let issue = Issue { access: world.access(200, code.grant.clone()), family: None };
    let redeemed = store.redeem(world.issuer, code.row, issue).await;
    same("`redeem` issues nothing for a grant that was revoked", redeemed, Redeemed::Revoked);
    let found = store.code(world.issuer, code.row).await;
    let rule = "a `redeem` that was refused does not mark the code";
    holds(rule, found.is_some_and(|code| !code.redeemed));
    let rule = "a `redeem` that was refused writes nothing";
    same(rule, world.issued(200).await, None);
}
