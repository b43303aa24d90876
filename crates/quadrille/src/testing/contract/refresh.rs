//! Refresh tokens, which rotate.

use std::{sync::Arc, time::Duration};

use crate::{
    provider::store::{FamilyRecord, Issue, Rotated, Rotation, RowId, Store},
    testing::ManualClock,
};

use super::{
    checked::same,
    world::{World, hash},
};

/// A stale rotation gets the current family.
pub async fn a_refresh_token_turns_only_as_it_was_read<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let grant = world.grant(500);
    let family = world.family(502, grant.clone());
    let issue = Issue { access: world.access(501, grant), family: Some(family.clone()) };
    store.issue(world.issuer, issue).await;

    clock.advance(Duration::from_secs(10));
    let rotation = world.rotation(&family, 510);
    let turned = FamilyRecord {
        generation: 1,
        current: hash(511),
        previous: Some(family.current),
        rotated: rotation.rotated,
        expires: rotation.expires,
        ..family.clone()
    };
    let other = store.issuer("https://other.example").await;
    let found = store.family(world.issuer, family.row).await;
    same("`family` gives back a family as `issue` put it", found.as_deref(), Some(&family));
    let rule = "`rotate` turns no refresh token of another issuer";
    same(rule, store.rotate(other, rotation.clone()).await, Rotated::Gone);
    let rule = "`family` shows no issuer a family of another issuer";
    same(rule, store.family(other, family.row).await, None);
    let rotated = store.rotate(world.issuer, rotation.clone()).await;
    same("`rotate` issues a successor if the family is as it was read", rotated, Rotated::Issued);
    let found = store.family(world.issuer, family.row).await;
    let rule = "`rotate` keeps the successor, the secret before it, and its time";
    same(rule, found.as_deref(), Some(&turned));
    let rule = "`rotate` puts the access token that goes with it";
    same(rule, world.issued(510).await, Some(rotation.access.clone()));

    let late = world.rotation(&family, 520);
    let lost = store.rotate(world.issuer, late).await;
    let rule =
        "`rotate` turns no family of another generation than was read, and gives the present one";
    same(rule, lost, Rotated::Lost(Arc::new(turned.clone())));
    let forged = Rotation { presented: hash(9), ..world.rotation(&turned, 530) };
    let lost = store.rotate(world.issuer, forged).await;
    let rule = "`rotate` turns no family with another secret than was presented";
    same(rule, lost, Rotated::Lost(Arc::new(turned.clone())));
    let found = store.family(world.issuer, family.row).await;
    let rule = "a `rotate` that was refused writes nothing";
    same(rule, found.as_deref(), Some(&turned));
    same(rule, world.issued(520).await, None);
    same(rule, world.issued(530).await, None);

    let next = world.rotation(&turned, 540);
    let rule = "`rotate` turns a family as often as it is presented with its newest secret";
    same(rule, store.rotate(world.issuer, next).await, Rotated::Issued);
    let found = store.family(world.issuer, family.row).await;
    let found = found.map(|family| (family.generation, family.previous));
    same(rule, found, Some((2, Some(turned.current))));

    let found = store.family(world.issuer, family.row).await;
    let Some(family) = found.as_deref() else { return };
    clock.advance(Duration::from_secs(10));
    let kept = Rotation { successor: None, ..world.rotation(family, 550) };
    let rule = "`rotate` without a successor issues the access token";
    same(rule, store.rotate(world.issuer, kept.clone()).await, Rotated::Issued);
    same(rule, world.issued(550).await, Some(kept.access.clone()));
    let rule = "`rotate` without a successor keeps the token, and moves its expiry";
    let found = store.family(world.issuer, family.row).await;
    let same_token =
        FamilyRecord { rotated: kept.rotated, expires: kept.expires, ..family.clone() };
    same(rule, found.as_deref(), Some(&same_token));
}

/// As if it had never existed.
pub async fn a_refresh_token_of_a_revoked_grant_is_gone<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let grant = world.grant(500);
    let family = world.family(502, grant.clone());
    let issue = Issue { access: world.access(501, grant), family: Some(family.clone()) };
    store.issue(world.issuer, issue).await;
    store.revoke_grant(world.issuer, RowId(500), world.later(3600)).await;
    let rotation = world.rotation(&family, 510);
    let rule = "`rotate` turns no refresh token of a grant that was revoked";
    same(rule, store.rotate(world.issuer, rotation.clone()).await, Rotated::Gone);
    let never = Rotation { family: RowId(999), ..rotation };
    let rule = "`rotate` knows no family that was never put";
    same(rule, store.rotate(world.issuer, never).await, Rotated::Gone);
    same("a `rotate` that was refused writes nothing", world.issued(510).await, None);
}
