//! A database that was restored from a backup, or whose key ring was lost.

use std::time::Duration;

use quadrille::{
    Timestamp,
    provider::store::{Grants as _, KnownSince, OnceKeys as _, Part as _, RowId},
};

use super::{
    Open,
    application::Application,
    on_each_store,
    world::{clock_now, code, hash, issue, issuer, token},
};

on_each_store! {
    what_was_unfinished_ends_and_every_process_learns_the_moment
    every_token_ends_with_its_key_ring
    keys_that_a_clock_far_ahead_removed_are_known_to_be_gone_until_a_restore
}

async fn what_was_unfinished_ends_and_every_process_learns_the_moment<
    O: Open<Store: Application>,
>() {
    let clock = clock_now();
    let (_database, [store, other]) = O::two_at(clock.env()).await;
    let issuer = issuer(&*store).await;
    store.put_code(issuer, code(1000)).await.unwrap();
    store.issue(issuer, issue(2000)).await.unwrap();
    assert_eq!(other.uses_known_since().await.unwrap(), KnownSince::ALWAYS);

    let before = other.changes(issuer, 0).await.unwrap().position;
    let restored = Timestamp::from_millis(clock.now().millis() + 7);
    store.end_unfinished(restored).await;
    let after = other.changes(issuer, 0).await.unwrap().position;
    assert!(after > before, "by which a standby of the history before is known");
    assert_eq!(other.code(issuer, RowId(1000)).await.unwrap(), None);
    assert!(other.access(issuer, &token(2000)).await.unwrap().is_some());
    clock.advance(Duration::from_secs(1));
    for process in [&store, &other] {
        assert_eq!(process.uses_known_since().await.unwrap(), KnownSince::moment(restored));
        assert_eq!(process.keys_known_since().await.unwrap(), KnownSince::moment(restored));
    }

    // Restored once more, by a clock that is behind: this is the last time.
    let again = Timestamp::from_millis(restored.millis() - 3);
    store.end_unfinished(again).await;
    clock.advance(Duration::from_secs(1));
    assert_eq!(other.uses_known_since().await.unwrap(), KnownSince::moment(again));
}

async fn every_token_ends_with_its_key_ring<O: Open<Store: Application>>() {
    let clock = clock_now();
    let (_database, [store, other]) = O::two_at(clock.env()).await;
    let issuer = issuer(&*store).await;
    store.put_code(issuer, code(1000)).await.unwrap();
    store.issue(issuer, issue(2000)).await.unwrap();
    store.end_all_tokens(clock.now()).await;
    assert_eq!(other.code(issuer, RowId(1000)).await.unwrap(), None);
    assert_eq!(other.access(issuer, &token(2000)).await.unwrap(), None);
    assert_eq!(other.uses_known_since().await.unwrap(), KnownSince::moment(clock.now()));
    assert!(other.known_client(issuer, "app").await.unwrap().is_some(), "clients stay");
}

async fn keys_that_a_clock_far_ahead_removed_are_known_to_be_gone_until_a_restore<
    O: Open<Store: Application>,
>() {
    let clock = clock_now();
    let (_database, [store, other]) = O::two_at(clock.env()).await;
    let (issuer, second) = (issuer(&*store).await, Duration::from_secs(1));
    let used = clock.now();
    let expires = used + Duration::from_secs(600);
    assert!(store.remember_once(issuer, "nonce", hash(1), expires).await.unwrap());
    assert!(store.keys_known_since().await.unwrap().knows(used));
    clock.set(used + Duration::from_hours(24));
    while other.sweep(clock.now()).await.unwrap() > 0 {}
    clock.set(used);
    clock.advance(second);
    assert!(store.remember_once(issuer, "nonce", hash(1), expires).await.unwrap(), "it is gone");
    for process in [&store, &other] {
        assert!(!process.keys_known_since().await.unwrap().knows(clock.now()));
        assert_eq!(process.uses_known_since().await.unwrap(), KnownSince::ALWAYS);
    }
    let restored = clock.now();
    store.end_unfinished(restored).await;
    clock.advance(second);
    for process in [&store, &other] {
        assert_eq!(process.keys_known_since().await.unwrap(), KnownSince::moment(restored));
    }
}
