//! Sessions, and what is remembered once.

use std::time::Duration;

use crate::{provider::store::Store, testing::ManualClock};

use super::{
    checked::{holds, same},
    world::{World, hash},
};

/// At its own issuer.
pub async fn a_session_lives_until_it_is_ended_or_replaced<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let mut session = world.session("alice", 1);
    session.authentication.amr = vec!["pwd".into()];
    store.put_session(world.issuer, session.clone(), None).await;
    let found = store.session(world.issuer, &session.id).await;
    let rule = "`session` gives back a session as `put_session` put it";
    same(rule, found.as_deref(), Some(&session));
    let rule = "`session` shows no issuer a session of another issuer";
    same(rule, store.session(other, &session.id).await, None);
    let next = world.session("alice", 2);
    store.put_session(world.issuer, next.clone(), Some(session.id)).await;
    let rule = "`put_session` ends the session that it replaces";
    same(rule, store.session(world.issuer, &session.id).await, None);
    let rule = "`put_session` opens the session that takes the place of another";
    holds(rule, store.session(world.issuer, &next.id).await.is_some());
    let rule = "`end_session` ends no session of another issuer";
    holds(rule, !store.end_session(other, &next.id).await);
    let rule = "`end_session` says whether there was a session";
    holds(rule, !store.end_session(world.issuer, &session.id).await);
    holds(rule, store.end_session(world.issuer, &next.id).await);
    let rule = "a session that was ended is no longer found";
    same(rule, store.session(world.issuer, &next.id).await, None);
}

/// In its space, of its issuer.
pub async fn a_key_is_remembered_once_until_it_expires<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let remember = async |rule, issuer, space, key, is_new| {
        let new = store.remember_once(issuer, space, hash(key), world.later(60)).await;
        same(rule, new, is_new);
    };
    let here = world.issuer;
    remember("`remember_once` says that a key is new", here, "nonce", 1, true).await;
    let rule = "`remember_once` says that a key was known";
    remember(rule, here, "nonce", 1, false).await;
    remember("`remember_once` tells keys apart", here, "nonce", 2, true).await;
    let rule = "a key that is known in one space is new in another";
    remember(rule, here, "jti", 1, true).await;
    let rule = "a key that is known to one issuer is new to another";
    remember(rule, other, "nonce", 1, true).await;
    clock.advance(Duration::from_secs(59));
    store.sweep_all(clock.now()).await;
    let rule = "`remember_once` knows a key until it expires";
    remember(rule, here, "nonce", 1, false).await;
    clock.advance(Duration::from_secs(2));
    let rule = "`remember_once` says of a key that has expired that it is new, swept or not";
    remember(rule, here, "nonce", 1, true).await;
    let rule = "`remember_once` remembers a key anew that had expired";
    remember(rule, here, "nonce", 1, false).await;
}
