//! Token credentials (RFC 5849, section 2.3).

use std::{sync::Arc, time::Duration};

use crate::{
    provider::store::{
        Answered, Bought, CredentialRecord, PendingRef, REVOCATION_SWEEP_DELAY, Redeemed,
        RevokeAll, RowId, SWEEP_DELAY, Store, TokenRef,
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    pending::said,
    world::{CLIENT, World, client, hash, ours},
};

/// The token credentials of grant `row + 1`, in exchange for an approved request in `row`.
async fn bought<S: Store>(world: &World<'_, S>, row: i64) -> CredentialRecord {
    let credential = world.credential(&world.grant(row + 1));
    buy(world, row, credential.clone()).await;
    credential
}

async fn buy<S: Store>(world: &World<'_, S>, row: i64, credential: CredentialRecord) {
    let store = world.store;
    store.put_pending(world.issuer, world.pending(row)).await;
    let answer = said(world, row, Some(world.approval(row + 1)));
    let answered = store.answer(world.issuer, answer).await;
    same("the first `answer` to a pending request counts", answered, Answered::First);
    let bought = Bought::Credential(credential);
    let redeemed = store.redeem_pending(world.issuer, RowId(row), bought).await;
    same("the first `redeem_pending` issues", redeemed, Redeemed::Issued);
}

/// Only by its own identifier.
pub async fn token_credentials_come_back_as_they_were_bought<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let credential = bought(&world, 100).await;
    for _ in 0..2 {
        let found = store.credential(world.issuer, &ours(101)).await;
        let rule = "`credential` gives back token credentials as `redeem_pending` stored them";
        same(rule, found.as_deref(), Some(&credential));
    }
    let forged = TokenRef::Row { row: RowId(101), hash: hash(7) };
    let rule = "`credential` compares the whole identifier";
    same(rule, store.credential(world.issuer, &forged).await, None);
    let other = store.issuer("https://other.example").await;
    let rule = "`credential` shows no issuer token credentials of another issuer";
    same(rule, store.credential(other, &ours(101)).await, None);
}

/// Imported identifiers are found by their hash.
pub async fn token_credentials_with_a_foreign_identifier_are_found_by_its_hash<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let mut credential = world.credential(&world.grant(101));
    credential.is_foreign = true;
    Arc::make_mut(&mut credential.access).hash = hash(2);
    buy(&world, 100, credential.clone()).await;
    let foreign = TokenRef::Foreign { hash: hash(2) };
    for _ in 0..2 {
        let found = store.credential(world.issuer, &foreign).await;
        let rule = "`credential` finds an identifier of others by its hash";
        same(rule, found.as_deref(), Some(&credential));
    }
    let rule = "`credential` shows no issuer token credentials of another issuer";
    same(rule, store.credential(other, &foreign).await, None);
    let as_row = TokenRef::Row { row: RowId(101), hash: hash(2) };
    let rule = "`credential` finds an identifier of others not by its row";
    same(rule, store.credential(world.issuer, &as_row).await, None);
    let rule = "`credential` finds no pending request";
    same(rule, store.credential(world.issuer, &ours(100)).await, None);
    let rule = "`pending` finds no token credentials";
    let reference = PendingRef::Identifier(foreign.clone());
    same(rule, store.pending(world.issuer, &reference).await, None);
    let another = RevokeAll::Subject("bob".into());
    store.revoke_all(world.issuer, another, RowId(600)).await;
    let found = store.credential(world.issuer, &foreign).await;
    let rule = "`revoke_all` of a user leaves others' token credentials to be found by their hash";
    same(rule, found.as_deref(), Some(&credential));
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await;
    let rule = "token credentials of a grant that was revoked are dead";
    same(rule, store.credential(world.issuer, &foreign).await, None);
}

/// They outlive every tombstone, so they must be removed and not just hidden.
pub async fn token_credentials_stay_revoked_for_ever<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for row in [100, 200, 300, 400] {
        bought(&world, row).await;
        let rule = "`credential` finds token credentials that were bought";
        holds(rule, store.credential(world.issuer, &ours(row + 1)).await.is_some());
    }
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await;
    clock.advance(REVOCATION_SWEEP_DELAY + Duration::from_secs(24 * 3600));
    store.sweep_all(clock.now()).await;
    let rule = "token credentials, which never expire, are removed by `revoke_grant`: they are dead \
        also when it is forgotten that their grant was revoked";
    same(rule, store.credential(world.issuer, &ours(101)).await, None);
    let consent = RevokeAll::Consent { subject: "alice".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, consent, RowId(201)).await;
    store.revoke_all(world.issuer, RevokeAll::Subject("alice".into()), RowId(301)).await;
    let lives = async || {
        let mut alive = Vec::new();
        for grant in [101, 201, 301, 401] {
            if store.credential(world.issuer, &ours(grant)).await.is_some() {
                alive.push(grant);
            }
        }
        alive
    };
    let rule = "`revoke_grant` and `revoke_all` end the token credentials of their grants only";
    same(rule, lives().await, vec![401]);
    clock.advance(Duration::from_secs(24 * 3600));
    store.sweep_all(clock.now()).await;
    let rule = "token credentials that were revoked stay so, however long ago it was";
    same(rule, lives().await, vec![401]);
    store.remove_client(world.issuer, CLIENT).await;
    same("`remove_client` ends the client's token credentials", lives().await, vec![]);
    store.replace_client(world.issuer, client(CLIENT, 1)).await;
    let rule = "`remove_client` removes the client's token credentials: one that is registered \
        under the same id inherits none, whatever its number";
    same(rule, lives().await, vec![]);
    bought(&world, 500).await;
    store.replace_client(world.issuer, client(CLIENT, 600)).await;
    store.replace_client(world.issuer, client(CLIENT, 402)).await;
    let rule = "a changed `Client::number` removes the client's token credentials";
    same(rule, store.credential(world.issuer, &ours(501)).await, None);
}

/// Credentials without an expiry stay.
pub async fn credentials_that_expired_are_given_back<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let kept = bought(&world, 100).await;
    let mut brief = world.credential(&world.grant(201));
    Arc::make_mut(&mut brief.access).expires = world.later(600);
    buy(&world, 200, brief).await;
    let rule = "`sweep` gives back no credentials that have not expired";
    same(rule, store.sweep_all(clock.now()).await, 0);
    clock.advance(Duration::from_secs(3600) + SWEEP_DELAY);
    let rule = "`sweep` gives back pending requests and token credentials that expired";
    same(rule, store.sweep_all(clock.now()).await, 3);
    let found = store.credential(world.issuer, &ours(101)).await;
    let rule = "`sweep` gives back no token credentials that never expire";
    same(rule, found.as_deref(), Some(&kept));
    let rule = "a pending request that was swept is no longer found";
    let swept = PendingRef::Identifier(ours(200));
    same(rule, store.pending(world.issuer, &swept).await, None);
}
