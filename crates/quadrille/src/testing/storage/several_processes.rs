//! Leases, by which one process refreshes while others wait.

use std::time::Duration;

use crate::{
    consumer::TokenStorage,
    testing::rules::{holds, same},
};

use super::{
    at_once,
    checked::Checked,
    world::{World, account, token},
};

const LEASE: Duration = Duration::from_secs(15);

/// Per account, by one of the processes that ask; that one may renew it.
pub async fn a_lease_is_held_by_one<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let cx = world.outside();
    let alice = account("alice", "github", "7");
    let others = [
        account("alice", "github", "8"),
        account("alice", "gitlab", "7"),
        account("Alice", "github", "7"),
    ];
    storage.link(&cx, &alice, &token(&world, "one")).await;
    let rule = "`lease` is given to the first that asks";
    holds(rule, storage.lease(&cx, &alice, 1, LEASE).await);
    let rule = "`lease` is given to no other while it is held";
    holds(rule, !storage.lease(&cx, &alice, 2, LEASE).await);
    holds(rule, !storage.lease(&cx, &alice, u64::MAX, LEASE).await);
    let rule = "`lease` is given again to its holder";
    holds(rule, storage.lease(&cx, &alice, 1, LEASE).await);
    for other in &others {
        let rule = format!("each account has a lease of its own: {other:?}");
        holds(rule, storage.lease(&cx, other, u64::MAX, LEASE).await);
    }
}

/// To any process; only the holder can release it.
pub async fn a_lease_that_was_given_back_is_free<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let cx = world.outside();
    let account = account("alice", "github", "7");
    storage.release(&cx, &account, 1).await;
    let rule = "`lease` is given after a `release` of what nobody held";
    holds(rule, storage.lease(&cx, &account, 1, LEASE).await);
    storage.release(&cx, &account, 2).await;
    let rule = "`release` gives back no lease of another holder";
    holds(rule, !storage.lease(&cx, &account, 2, LEASE).await);
    storage.release(&cx, &account, 1).await;
    let rule = "a lease that its holder gave back is free";
    holds(rule, storage.lease(&cx, &account, 2, LEASE).await);
    let rule = "a lease that was given back is no longer held by who held it";
    holds(rule, !storage.lease(&cx, &account, 1, LEASE).await);
}

/// Even if its holder never returns; a late release does not affect the next holder.
pub async fn a_lease_ends_by_itself<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let cx = world.outside();
    let account = account("alice", "github", "7");
    let second = Duration::from_secs(1);
    storage.lease(&cx, &account, 1, LEASE).await;
    world.clock.advance(LEASE - second);
    let rule = "a lease is held until it ends";
    holds(rule, !storage.lease(&cx, &account, 2, LEASE).await);
    world.clock.advance(second);
    let rule = "a lease whose holder never came back is free when it ends";
    holds(rule, storage.lease(&cx, &account, 2, LEASE).await);
    storage.release(&cx, &account, 1).await;
    let rule = "`release` by the holder of a lease that has ended leaves the next one alone";
    holds(rule, !storage.lease(&cx, &account, 1, LEASE).await);
    world.clock.advance(LEASE - second);
    storage.lease(&cx, &account, 2, LEASE).await;
    world.clock.advance(LEASE - second);
    let rule = "a lease that its holder was given again is held for the whole time anew";
    holds(rule, !storage.lease(&cx, &account, 1, LEASE).await);
}

/// Exactly one thread, at the same time.
pub async fn one_of_many_gets_the_lease<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    for round in 0..20 {
        let account = account("alice", "github", &round.to_string());
        let given = at_once(8, async |holder| {
            storage.lease(&world.outside(), &account, holder, LEASE).await
        });
        let rule = "of any number that ask for a lease at once one is given it";
        same(rule, given.iter().filter(|given| **given).count(), 1);
        let rule = "`lease` is given to nobody who comes after those who raced for it";
        holds(rule, !storage.lease(&world.outside(), &account, 8, LEASE).await);
    }
}
