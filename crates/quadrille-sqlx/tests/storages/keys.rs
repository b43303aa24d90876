//! Sealing tokens again under a new key.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use quadrille::consumer::{Change, Replaced, TokenStorage};
use tokio::task::JoinSet;

use crate::{
    databases::{Database, Storage as _},
    on_each_database,
    world::{NEW, OLD, World, account, find, token},
};

on_each_database! {
    after_resealing_the_old_key_is_not_needed
    resealing_goes_on_where_it_stopped
    resealing_undoes_no_refresh_that_comes_meanwhile
    a_refresh_that_began_before_resealing_is_stored
    what_does_not_open_is_counted_and_left
}

const ALL: usize = usize::MAX;

async fn after_resealing_the_old_key_is_not_needed<D: Database>() {
    let (_database, storage) = D::migrated().await;
    let world = World::new();
    let old = world.login(&[OLD], &storage);
    for number in 0..250 {
        let cx = old.storage_context().unwrap();
        let account = account(number % 100, &number.to_string());
        storage.link(&cx, &account, &token(number)).await.unwrap();
    }
    let both = world.login(&[NEW, OLD], &storage);
    let cx = both.storage_context().unwrap();
    let first = storage.reseal(&cx, None, 1).await.unwrap();
    assert_eq!((first.seen, first.total, first.resealed), (100, 250, 100));
    let done = storage.reseal(&cx, None, ALL).await.unwrap();
    assert_eq!((done.seen, done.total, done.resealed), (250, 250, 150));
    assert_eq!(storage.reseal(&cx, None, ALL).await.unwrap().resealed, 0);

    let new = world.login(&[NEW], &storage);
    for number in 0..250 {
        let account = account(number % 100, &number.to_string());
        let found = find(&new, &storage, &account).await.unwrap().unwrap();
        assert!(found.token == token(number), "{number}");
    }
}

async fn resealing_goes_on_where_it_stopped<D: Database>() {
    let (database, storage) = D::migrated().await;
    let world = World::new();
    let old = world.login(&[OLD], &storage);
    for number in 0..120 {
        let cx = old.storage_context().unwrap();
        storage.link(&cx, &account(number, "7"), &token(number)).await.unwrap();
    }
    let both = world.login(&[NEW, OLD], &storage);
    let cx = both.storage_context().unwrap();
    let first = storage.reseal(&cx, None, 1).await.unwrap();
    assert_eq!((first.seen, first.resealed), (100, 100));
    let rest = database.open().await.reseal(&cx, Some(first), ALL).await.unwrap();
    assert_eq!((rest.seen, rest.resealed), (20, 20));
}

async fn resealing_undoes_no_refresh_that_comes_meanwhile<D: Database>() {
    let (database, storage) = D::migrated().await;
    let world = World::new();
    // The other process has the new key, and not yet in front.
    let other = (world.login(&[OLD, NEW], &storage), database.open().await);
    for number in 0..10 {
        let cx = other.0.storage_context().unwrap();
        other.1.link(&cx, &account(number, "7"), &token(number)).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut refreshing = JoinSet::new();
    for number in 0..10 {
        let ((login, storage), stop) = (other.clone(), Arc::clone(&stop));
        refreshing.spawn(async move {
            let cx = login.storage_context().unwrap();
            let account = account(number, "7");
            let mut seen = find(&login, &storage, &account).await.unwrap().unwrap();
            for round in 0.. {
                let token = token(format!("{number}-{round}"));
                let done = storage.replace(&cx, &seen, Change::Token(&token)).await.unwrap();
                let Replaced::Done(now) = done else { panic!("resealing is no change: {done:?}") };
                seen = now;
                let found = find(&login, &storage, &account).await.unwrap();
                assert_eq!(found.as_ref(), Some(&seen), "{number} {round}");
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
            seen
        });
    }
    let both = world.login(&[NEW, OLD], &storage);
    let cx = both.storage_context().unwrap();
    for _ in 0..5 {
        let progress = storage.reseal(&cx, None, ALL).await.unwrap();
        assert_eq!((progress.seen, progress.unreadable), (10, 0));
    }
    stop.store(true, Ordering::SeqCst);
    for last in refreshing.join_all().await {
        let found = find(&both, &storage, &last.account).await.unwrap();
        assert_eq!(found, Some(last));
    }
}

async fn a_refresh_that_began_before_resealing_is_stored<D: Database>() {
    let (_database, storage) = D::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let old = world.login(&[OLD], &storage);
    let cx = old.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let seen = find(&old, &storage, &alice).await.unwrap().unwrap();
    let both = world.login(&[NEW, OLD], &storage);
    let cx = both.storage_context().unwrap();
    assert_eq!(storage.reseal(&cx, None, ALL).await.unwrap().resealed, 1);
    let two = token("two");
    let done = storage.replace(&cx, &seen, Change::Token(&two)).await.unwrap();
    assert!(matches!(done, Replaced::Done(_)));
    assert!(find(&both, &storage, &alice).await.unwrap().unwrap().token == two);
}

async fn what_does_not_open_is_counted_and_left<D: Database>() {
    let (_database, storage) = D::migrated().await;
    let (world, lost) = (World::new(), account("lost", "7"));
    let gone = world.login(&[[9; 32]], &storage);
    let cx = gone.storage_context().unwrap();
    storage.link(&cx, &lost, &token("lost")).await.unwrap();
    let old = world.login(&[OLD], &storage);
    let cx = old.storage_context().unwrap();
    for owner in ["alice", "zoe"] {
        storage.link(&cx, &account(owner, "7"), &token(owner)).await.unwrap();
    }
    let both = world.login(&[NEW, OLD], &storage);
    let cx = both.storage_context().unwrap();
    let done = storage.reseal(&cx, None, ALL).await.unwrap();
    assert_eq!((done.seen, done.resealed, done.unreadable), (3, 2, 1));
    assert!(find(&gone, &storage, &lost).await.unwrap().is_some());
}
