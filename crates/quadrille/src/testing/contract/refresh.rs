//! Refresh tokens, which turn.

use std::{sync::Arc, time::Duration};

use crate::{
    provider::store::{FamilyRecord, Issue, Rotated, Rotation, RowId, Store},
    testing::ManualClock,
};

use super::world::{World, hash};

/// Whoever read it before it turned learns how it stands now.
pub async fn a_refresh_token_turns_only_as_it_was_read<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let grant = world.grant(500);
    let family = world.family(502, grant.clone());
    let issue = Issue { access: world.access(501, grant), family: Some(family.clone()) };
    store.issue(world.issuer, issue).await.unwrap();

    clock.advance(Duration::from_secs(10));
    let rotation = world.rotation(&family, 510);
    let turned = FamilyRecord {
        generation: 1,
        current: rotation.successor,
        previous: Some(family.current),
        rotated: rotation.rotated,
        rotated_scopes: rotation.scopes.clone(),
        rotated_resources: rotation.resources.clone(),
        expires: rotation.expires,
        ..family.clone()
    };
    let other = store.issuer("https://other.example").await.unwrap();
    assert_eq!(store.rotate(other, rotation.clone()).await.unwrap(), Rotated::Gone);
    let rotated = store.rotate(world.issuer, rotation.clone()).await.unwrap();
    assert_eq!(rotated, Rotated::Turned);
    let found = store.family(world.issuer, family.row).await.unwrap();
    assert_eq!(found.as_deref(), Some(&turned));
    assert_eq!(world.issued(510).await, Some(rotation.access.clone()));

    let late = world.rotation(&family, 520);
    let lost = store.rotate(world.issuer, late).await.unwrap();
    assert_eq!(lost, Rotated::Lost(Arc::new(turned.clone())));
    let forged = Rotation { presented: hash(9), ..world.rotation(&turned, 530) };
    let lost = store.rotate(world.issuer, forged).await.unwrap();
    assert_eq!(lost, Rotated::Lost(Arc::new(turned.clone())));
    assert_eq!(world.issued(520).await, None);
    assert_eq!(world.issued(530).await, None);

    let next = world.rotation(&turned, 540);
    assert_eq!(store.rotate(world.issuer, next).await.unwrap(), Rotated::Turned);
    let found = store.family(world.issuer, family.row).await.unwrap().unwrap();
    assert_eq!((found.generation, found.previous), (2, Some(turned.current)));
}

/// As is one that never was.
pub async fn a_refresh_token_of_a_revoked_grant_is_gone<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let grant = world.grant(500);
    let family = world.family(502, grant.clone());
    let issue = Issue { access: world.access(501, grant), family: Some(family.clone()) };
    store.issue(world.issuer, issue).await.unwrap();
    store.revoke_grant(world.issuer, RowId(500), world.later(3600)).await.unwrap();
    let rotation = world.rotation(&family, 510);
    assert_eq!(store.rotate(world.issuer, rotation.clone()).await.unwrap(), Rotated::Gone);
    let never = Rotation { family: RowId(999), ..rotation };
    assert_eq!(store.rotate(world.issuer, never).await.unwrap(), Rotated::Gone);
    assert_eq!(world.issued(510).await, None);
}
