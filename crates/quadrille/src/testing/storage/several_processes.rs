//! Leases, by which one of several processes refreshes while the others wait.

use std::time::Duration;

use crate::consumer::TokenStorage;

use super::{
    run,
    world::{World, account, token},
};

const LEASE: Duration = Duration::from_secs(15);

/// Of the processes that ask, for each account; and by that one as often as it asks.
pub async fn a_lease_is_held_by_one<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let cx = world.outside();
    let alice = account("alice", "github", "7");
    let others = [
        account("alice", "github", "8"),
        account("alice", "gitlab", "7"),
        account("Alice", "github", "7"),
    ];
    storage.link(&cx, &alice, &token(&world, "one")).await.unwrap();
    assert!(storage.lease(&cx, &alice, 1, LEASE).await.unwrap());
    assert!(!storage.lease(&cx, &alice, 2, LEASE).await.unwrap());
    assert!(storage.lease(&cx, &alice, 1, LEASE).await.unwrap());
    assert!(!storage.lease(&cx, &alice, u64::MAX, LEASE).await.unwrap());
    for other in &others {
        assert!(storage.lease(&cx, other, u64::MAX, LEASE).await.unwrap(), "{other:?}");
    }
}

/// For anyone, and only its holder can do that.
pub async fn a_lease_that_was_given_back_is_free<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let cx = world.outside();
    let account = account("alice", "github", "7");
    storage.release(&cx, &account, 1).await.unwrap();
    assert!(storage.lease(&cx, &account, 1, LEASE).await.unwrap());
    storage.release(&cx, &account, 2).await.unwrap();
    assert!(!storage.lease(&cx, &account, 2, LEASE).await.unwrap());
    storage.release(&cx, &account, 1).await.unwrap();
    assert!(storage.lease(&cx, &account, 2, LEASE).await.unwrap());
    assert!(!storage.lease(&cx, &account, 1, LEASE).await.unwrap());
}

/// When its holder never comes back; and a late return does not disturb the next one.
pub async fn a_lease_ends_by_itself<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let cx = world.outside();
    let account = account("alice", "github", "7");
    assert!(storage.lease(&cx, &account, 1, LEASE).await.unwrap());
    world.clock.advance(LEASE - Duration::from_secs(1));
    assert!(!storage.lease(&cx, &account, 2, LEASE).await.unwrap());
    world.clock.advance(Duration::from_secs(1));
    assert!(storage.lease(&cx, &account, 2, LEASE).await.unwrap());
    storage.release(&cx, &account, 1).await.unwrap();
    assert!(!storage.lease(&cx, &account, 1, LEASE).await.unwrap());
}

/// Exactly one, at the same time, on threads.
pub async fn one_of_many_gets_the_lease<S: TokenStorage>(storage: &S) {
    let world = World::new();
    for round in 0..20 {
        let account = account("alice", "github", &round.to_string());
        let ask =
            async |holder| storage.lease(&world.outside(), &account, holder, LEASE).await.unwrap();
        let given = std::thread::scope(|threads| {
            let threads: Vec<_> = (0..8)
                .map(|holder| {
                    let ask = &ask;
                    threads.spawn(move || {
                        let mut given = false;
                        run(async { given = ask(holder).await });
                        given
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(given.iter().filter(|given| **given).count(), 1, "round {round}: {given:?}");
        let late = storage.lease(&world.outside(), &account, 8, LEASE).await.unwrap();
        assert!(!late, "round {round}");
    }
}
