//! Keys stored once.

use std::time::Duration;

use crate::{Timestamp, provider::store::Store, testing::ManualClock};

use super::{
    checked::{holds, same},
    world::{World, hash},
};

/// Within its space and issuer.
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
    let asked = async |rule, key, is_new| {
        let past = Timestamp::default();
        same(rule, store.remember_once(here, "nonce", hash(key), past).await, is_new);
    };
    let rule = "`remember_once` with an expiry in the past says whether a key is known";
    asked(rule, 1, false).await;
    asked(rule, 3, true).await;
    let rule = "`remember_once` with an expiry in the past remembers nothing";
    asked(rule, 3, true).await;
    remember(rule, here, "nonce", 3, true).await;
    clock.advance(Duration::from_secs(59));
    store.sweep_all(clock.now()).await;
    let rule = "`remember_once` knows a key until it expires";
    remember(rule, here, "nonce", 1, false).await;
    clock.advance(Duration::from_secs(1));
    let rule = "`remember_once` knows a key also in the second in which it expires";
    remember(rule, here, "nonce", 1, false).await;
    clock.advance(Duration::from_secs(1));
    let rule = "`remember_once` says of a key that has expired that it is new, swept or not";
    remember(rule, here, "nonce", 1, true).await;
    let rule = "`remember_once` remembers a key anew that had expired";
    remember(rule, here, "nonce", 1, false).await;
}

/// Removed or not: of what it was used for, nothing is accepted once more when the clock is right again.
pub async fn a_key_outlives_a_clock_that_was_ahead<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let used = clock.now();
    let remember = async |key: i64, expires: u64| {
        store.remember_once(world.issuer, "nonce", hash(key), world.later(expires)).await
    };
    remember(1, 600).await;
    let be_ahead = async |by: Duration, first: i64| {
        clock.set(used + by);
        for key in first..first + 40 {
            remember(key, 60).await;
            clock.advance(Duration::from_secs(10));
        }
        // With an expiry in the past, it remembers nothing.
        store.remember_once(world.issuer, "nonce", hash(1), Timestamp::default()).await;
        while store.sweep(clock.now()).await > 0 {}
        clock.set(used);
    };
    be_ahead(Duration::from_hours(1), 1000).await;
    let rule = "`remember_once` knows a key also after a clock that was ahead by an hour";
    holds(rule, !remember(1, 600).await);
    let rule = "`keys_known_since` stays after a clock that was ahead by an hour";
    holds(rule, store.keys_known_since().await.knows(used + Duration::from_secs(1)));
    be_ahead(Duration::from_hours(24), 2000).await;
    let rule = "`keys_known_since` does not know what was made before, if a clock that was ahead by a \
        day had keys removed";
    let is_safe = !remember(1, 600).await || !store.keys_known_since().await.knows(used);
    holds(rule, is_safe);
}

/// Of a store that lost nothing, the moment since which it knows its keys lies before the first one,
/// and stays.
pub async fn keys_are_known_since_before_the_first_one<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let since = store.keys_known_since().await;
    let rule = "`keys_known_since` is not after the making of a store that lost nothing";
    holds(rule, since.knows(world.later(1)));
    clock.advance(Duration::from_secs(60));
    let key = hash(1);
    store.remember_once(world.issuer, "nonce", key, world.later(60)).await;
    clock.advance(Duration::from_secs(120));
    store.sweep_all(clock.now()).await;
    let rule = "`keys_known_since` stays while nothing is lost";
    same(rule, store.keys_known_since().await, since);
}
