//! Sessions, and what is remembered once.

use std::time::Duration;

use crate::{provider::store::Store, testing::ManualClock};

use super::world::{World, hash};

/// At its own issuer.
pub async fn a_session_lives_until_it_is_ended_or_replaced<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let mut session = world.session("alice", 1);
    session.authentication.amr = vec!["pwd".into()];
    store.put_session(world.issuer, session.clone(), None).await.unwrap();
    let found = store.session(world.issuer, &session.id).await.unwrap();
    assert_eq!(found.as_deref(), Some(&session));
    assert_eq!(store.session(other, &session.id).await.unwrap(), None);
    let next = world.session("alice", 2);
    store.put_session(world.issuer, next.clone(), Some(session.id)).await.unwrap();
    assert_eq!(store.session(world.issuer, &session.id).await.unwrap(), None);
    assert!(store.session(world.issuer, &next.id).await.unwrap().is_some());
    assert!(!store.end_session(other, &next.id).await.unwrap());
    assert!(!store.end_session(world.issuer, &session.id).await.unwrap());
    assert!(store.end_session(world.issuer, &next.id).await.unwrap());
    assert_eq!(store.session(world.issuer, &next.id).await.unwrap(), None);
}

/// In its space, of its issuer.
pub async fn a_key_is_remembered_once_until_it_expires<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let remember = async |issuer, space, key| {
        store.remember_once(issuer, space, hash(key), world.later(60)).await.unwrap()
    };
    assert!(remember(world.issuer, "nonce", 1).await);
    assert!(!remember(world.issuer, "nonce", 1).await);
    assert!(remember(world.issuer, "nonce", 2).await);
    assert!(remember(world.issuer, "jti", 1).await);
    assert!(remember(other, "nonce", 1).await);
    clock.advance(Duration::from_secs(59));
    assert!(!remember(world.issuer, "nonce", 1).await);
    clock.advance(Duration::from_secs(2));
    assert!(remember(world.issuer, "nonce", 1).await);
    assert!(!remember(world.issuer, "nonce", 1).await);
}
