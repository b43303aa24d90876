//! Numbers of issuers, and what is told of them.

use crate::{
    provider::store::{Change, RevokeAll, RowId, Store},
    testing::ManualClock,
};

use super::world::{World, client, hash, put_client};

/// The number stays, and differs from those of others.
pub async fn an_issuer_keeps_its_number<S: Store>(store: &S, _: &ManualClock) {
    let first = store.issuer("https://id.example").await.unwrap();
    let other = store.issuer("https://id.example/").await.unwrap();
    assert_ne!(first, other);
    assert_ne!(store.issuer("https://ID.example").await.unwrap(), first);
    assert_eq!(store.issuer("https://id.example").await.unwrap(), first);
    assert_eq!(store.issuer("https://id.example/").await.unwrap(), other);
}

/// A newcomer learns where to begin; a position that was never given out is a gap.
pub async fn changes_are_told_in_order_to_their_issuer<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let start = store.changes(world.issuer, -1).await.unwrap();
    assert!(start.gap);
    assert_eq!(start.changes, []);
    let none = store.changes(world.issuer, start.position).await.unwrap();
    assert!(!none.gap);
    assert_eq!((none.position, none.changes), (start.position, Vec::new()));

    put_client(store, world.issuer, client("new", 3)).await;
    store.revoke_grant(world.issuer, RowId(500), world.later(60)).await.unwrap();
    store.revoke_grant(world.issuer, RowId(500), world.later(60)).await.unwrap();
    put_client(store, other, client("theirs", 4)).await;
    store.put_session(world.issuer, world.session("alice", 1), None).await.unwrap();
    store.end_session(world.issuer, &hash(1)).await.unwrap();
    store.end_session(world.issuer, &hash(1)).await.unwrap();
    let subject = RevokeAll::Subject("alice".into());
    store.revoke_all(world.issuer, subject, RowId(600)).await.unwrap();
    store.remove_client(world.issuer, "new").await.unwrap();
    store.remove_client(world.issuer, "new").await.unwrap();
    let told = store.changes(world.issuer, start.position).await.unwrap();
    assert!(!told.gap);
    assert_eq!(
        told.changes,
        [
            Change::Client("new".into()),
            Change::Grant(RowId(500)),
            Change::Session(hash(1)),
            Change::Subject("alice".into()),
            Change::Client("new".into()),
        ]
    );
    let none = store.changes(world.issuer, told.position).await.unwrap();
    assert!(!none.gap && none.changes.is_empty());
    let ahead = store.changes(world.issuer, told.position + 1000).await.unwrap();
    assert!(ahead.gap, "a store that was put back from a backup");
    assert_eq!(ahead.changes, []);
    let none = store.changes(world.issuer, ahead.position).await.unwrap();
    assert!(!none.gap);
}
