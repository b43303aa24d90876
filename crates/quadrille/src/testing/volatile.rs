//! The contract of a [`VolatileCache`], as tests.
//!
//! ```
//! # mod tests {
//! use quadrille::{provider::store::VolatileMemory, testing::volatile_contract};
//!
//! // Makes an empty cache, and what must live as long as it (a folder, a server).
//! volatile_contract!(memory, |_env| (VolatileMemory::new(1000), ()));
//! # }
//! ```
//!
//! A failing test names the verb, the broken rule, the value found and the value required. Each
//! behaviour is also a public function.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests, in the library so that others can run them"
)]

use std::{sync::Barrier, time::Duration};

use crate::{
    Timestamp,
    provider::store::{RowId, VolatileCache, VolatileEntry, VolatileFound, VolatileKey},
};

use super::{
    ManualClock,
    rules::{holds, same, worked},
};

/// Makes a module that tests a cache against the [contract](self). Takes a name for the module, and
/// a function from an [`Env`](crate::Env) to an empty cache and values that must live as long as it.
/// The function is called within a runtime of Tokio.
#[macro_export]
macro_rules! volatile_contract {
    ($module:ident, $make:expr) => {
        $crate::volatile_contract! { @tests $module, $make,
            an_entry_comes_back_as_it_was_added
            an_entry_is_added_once
            an_entry_is_there_until_it_expires
            an_entry_is_replaced_only_as_it_was_found
            an_entry_that_was_removed_is_gone
            the_newest_row_is_the_greatest_that_was_added
            one_of_many_adds_an_entry
            one_of_many_replaces_an_entry
            a_cache_that_lost_nothing_says_so
        }
    };
    (@tests $module:ident, $make:expr, $($name:ident)*) => {
        mod $module {
            #[allow(unused_imports, reason = "what is needed depends on the cache")]
            use super::*;
            $(
                #[test]
                fn $name() {
                    let clock = $crate::testing::ManualClock::new();
                    $crate::testing::volatile::run(async {
                        let make: fn($crate::Env) -> _ = $make;
                        let (cache, _alive) = make(clock.env());
                        $crate::testing::volatile::$name(&cache, &clock).await;
                    });
                }
            )*
        }
    };
}

/// Runs one behaviour to its end, in a runtime with threads of its own.
pub fn run(behaviour: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(behaviour);
}

const RACERS: u8 = 200;

/// The results of many threads that begin at the same time.
fn race<T: Send>(attempt: impl AsyncFn(u8) -> T + Sync) -> Vec<T> {
    let (start, runtime) = (Barrier::new(RACERS.into()), tokio::runtime::Handle::current());
    std::thread::scope(|threads| {
        let racers: Vec<_> = (0..RACERS)
            .map(|racer| {
                let (attempt, start, runtime) = (&attempt, &start, &runtime);
                threads.spawn(move || {
                    start.wait();
                    runtime.block_on(attempt(racer))
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

struct World<'c, C> {
    cache: &'c C,
    clock: &'c ManualClock,
}

impl<C: VolatileCache> World<'_, C> {
    fn later(&self, seconds: u64) -> Timestamp {
        self.clock.now() + Duration::from_secs(seconds)
    }

    async fn add(&self, key: &VolatileKey, value: &[u8]) -> bool {
        self.put(key, VolatileEntry::new(value.to_vec(), self.later(60))).await
    }

    async fn put(&self, key: &VolatileKey, entry: VolatileEntry) -> bool {
        worked("add", self.cache.add(key, entry, self.clock.now()).await)
    }

    async fn find(&self, key: &VolatileKey) -> Option<VolatileFound> {
        worked("find", self.cache.find(key, self.clock.now()).await)
    }

    async fn value(&self, key: &VolatileKey) -> Option<Vec<u8>> {
        self.find(key).await.map(|found| found.value)
    }

    async fn replace(&self, key: &VolatileKey, found: &VolatileFound, value: &[u8]) -> bool {
        let replaced = self.cache.replace(key, found, value.to_vec(), self.clock.now()).await;
        worked("replace", replaced)
    }

    async fn newest(&self) -> RowId {
        worked("newest", self.cache.newest().await)
    }
}

fn key(name: u8) -> VolatileKey {
    VolatileKey::new("test", 1, &[name])
}

/// Whatever its bytes are.
pub async fn an_entry_comes_back_as_it_was_added<C: VolatileCache>(cache: &C, clock: &ManualClock) {
    let world = World { cache, clock };
    let values: [&[u8]; 5] = [b"", b"\0", b"\r\nEND\r\n", b"a\xff b", &[7; 9000]];
    for (name, value) in (1..).zip(values) {
        let rule = "`add` says that it added an entry";
        holds(rule, world.add(&key(name), value).await);
        let found = world.find(&key(name)).await;
        let rule = "`find` gives back the value that was added";
        same(rule, found.as_ref().map(|found| &*found.value), Some(value));
        let rule = "`find` gives back the expiry that was added";
        same(rule, found.map(|found| found.expires), Some(world.later(60)));
    }
    let rule = "`find` finds nothing that was never added";
    same(rule, world.find(&key(99)).await, None);
    let rule = "keys that differ in kind, issuer or name are different";
    for other in [
        VolatileKey::new("tests", 1, &[1]),
        VolatileKey::new("test", 11, &[1]),
        VolatileKey::new("test", 1, &[1, 0]),
        VolatileKey::new("test", 1, &[]),
    ] {
        same(rule, world.find(&other).await, None);
    }
    let longest = VolatileKey::new("a-kind-of-sixteen", i64::MIN, &[255; 32]);
    let rule = "`add` takes the longest keys";
    holds(rule, world.add(&longest, b"long").await);
    same(rule, world.value(&longest).await, Some(b"long".to_vec()));
}

/// The first one stays.
pub async fn an_entry_is_added_once<C: VolatileCache>(cache: &C, clock: &ManualClock) {
    let world = World { cache, clock };
    world.add(&key(1), b"first").await;
    let rule = "`add` says `false` of a key that is there";
    holds(rule, !world.add(&key(1), b"second").await);
    holds(rule, !world.add(&key(1), b"first").await);
    let rule = "an `add` that was refused changes nothing";
    same(rule, world.value(&key(1)).await, Some(b"first".to_vec()));
}

/// To the second.
pub async fn an_entry_is_there_until_it_expires<C: VolatileCache>(cache: &C, clock: &ManualClock) {
    let world = World { cache, clock };
    world.add(&key(1), b"first").await;
    world.add(&key(2), b"another").await;
    clock.advance(Duration::from_secs(59));
    let found = world.find(&key(2)).await.unwrap();
    world.replace(&key(2), &found, b"changed").await;
    clock.advance(Duration::from_secs(1));
    let rule = "`find` finds an entry also in the second in which it expires";
    same(rule, world.value(&key(1)).await, Some(b"first".to_vec()));
    let rule = "`add` says `false` also in the second in which the entry expires";
    holds(rule, !world.add(&key(1), b"second").await);
    let found = world.find(&key(1)).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let rule = "`find` finds no entry that has expired";
    same(rule, world.find(&key(1)).await, None);
    let rule = "`replace` does not postpone the expiry";
    same(rule, world.find(&key(2)).await, None);
    let rule = "`replace` replaces no entry that has expired";
    holds(rule, !world.replace(&key(1), &found, b"late").await);
    let rule = "`add` adds where an entry has expired";
    holds(rule, world.add(&key(1), b"third").await);
    same(rule, world.value(&key(1)).await, Some(b"third".to_vec()));
}

/// Otherwise a code would be redeemed twice.
pub async fn an_entry_is_replaced_only_as_it_was_found<C: VolatileCache>(
    cache: &C,
    clock: &ManualClock,
) {
    let world = World { cache, clock };
    world.add(&key(1), b"one").await;
    let first = world.find(&key(1)).await.unwrap();
    let rule = "`replace` replaces an entry that is as it was found";
    holds(rule, world.replace(&key(1), &first, b"two").await);
    let second = world.find(&key(1)).await.unwrap();
    same(rule, &*second.value, b"two");
    let rule = "`replace` leaves the expiry as it is";
    same(rule, second.expires, first.expires);
    let rule = "`replace` says `false` of an entry that has changed since it was found";
    holds(rule, !world.replace(&key(1), &first, b"three").await);
    let rule = "a `replace` that was refused changes nothing";
    same(rule, world.find(&key(1)).await, Some(second.clone()));
    let rule = "an entry that is replaced by the same value has changed, too";
    holds(rule, world.replace(&key(1), &second, b"two").await);
    holds(rule, !world.replace(&key(1), &second, b"two").await);
    let rule = "`replace` replaces nothing that is not there";
    holds(rule, !world.replace(&key(2), &first, b"one").await);
    same(rule, world.find(&key(2)).await, None);
}

/// One that is added again is another.
pub async fn an_entry_that_was_removed_is_gone<C: VolatileCache>(cache: &C, clock: &ManualClock) {
    let world = World { cache, clock };
    world.add(&key(1), b"one").await;
    world.add(&key(2), b"other").await;
    let found = world.find(&key(1)).await.unwrap();
    worked("remove", cache.remove(&key(1)).await);
    worked("remove", cache.remove(&key(3)).await);
    let rule = "`find` finds no entry that was removed";
    same(rule, world.find(&key(1)).await, None);
    let rule = "`replace` replaces no entry that was removed";
    holds(rule, !world.replace(&key(1), &found, b"two").await);
    let rule = "`remove` removes no other entry";
    same(rule, world.value(&key(2)).await, Some(b"other".to_vec()));
    let rule = "`add` adds again what was removed";
    holds(rule, world.add(&key(1), b"one").await);
    let rule = "`replace` says `false` of an entry that was removed and added again";
    holds(rule, !world.replace(&key(1), &found, b"two").await);
}

/// Also if numbers are added out of order.
pub async fn the_newest_row_is_the_greatest_that_was_added<C: VolatileCache>(
    cache: &C,
    clock: &ManualClock,
) {
    let world = World { cache, clock };
    same("`newest` of an empty cache is zero", world.newest().await, RowId(0));
    for (name, row) in [(1, 7_000_000_000_000_000_001), (2, 7_000_000_000_000_000_002), (3, 5)] {
        let entry = VolatileEntry::new(Vec::new(), world.later(60)).row(RowId(row));
        world.put(&key(name), entry).await;
        let rule = "`newest` counts the numbers of entries, to the last digit";
        holds(rule, world.newest().await >= RowId(row));
    }
    world.add(&key(4), b"without a number").await;
    let rule = "`newest` is the greatest number that was added";
    same(rule, world.newest().await, RowId(7_000_000_000_000_000_002));
}

/// The others change nothing.
pub async fn one_of_many_adds_an_entry<C: VolatileCache>(cache: &C, clock: &ManualClock) {
    let world = World { cache, clock };
    for round in 0..3 {
        let added = race(async |racer| world.add(&key(round), &[racer]).await);
        let rule = "of any number of `add`s at once one adds the entry";
        same(rule, added.iter().filter(|added| **added).count(), 1);
        let winner = (0..RACERS).zip(added).find(|(_, added)| *added).map(|(racer, _)| racer);
        let rule = "the entry is that of the `add` that was told so";
        same(rule, world.value(&key(round)).await, winner.map(|racer| vec![racer]));
    }
}

/// Otherwise a code would be redeemed twice.
pub async fn one_of_many_replaces_an_entry<C: VolatileCache>(cache: &C, clock: &ManualClock) {
    let world = World { cache, clock };
    for round in 0..3 {
        world.add(&key(round), b"before").await;
        let found = world.find(&key(round)).await.unwrap();
        let replaced = race(async |racer| world.replace(&key(round), &found, &[racer]).await);
        let rule = "of any number of `replace`s at once one replaces the entry";
        same(rule, replaced.iter().filter(|replaced| **replaced).count(), 1);
        let winner = (0..RACERS).zip(replaced).find(|(_, did)| *did).map(|(racer, _)| racer);
        let rule = "the entry is that of the `replace` that was told so";
        same(rule, world.value(&key(round)).await, winner.map(|racer| vec![racer]));
    }
}

/// Its moment does not move.
pub async fn a_cache_that_lost_nothing_says_so<C: VolatileCache>(cache: &C, clock: &ManualClock) {
    let world = World { cache, clock };
    let since = async || worked("lost_nothing_since", cache.lost_nothing_since(clock.now()).await);
    let first = since().await;
    for name in 0..50 {
        world.add(&key(name), b"a mark").await;
        clock.advance(Duration::from_secs(1));
        let rule = "`lost_nothing_since` stays as it is while nothing is lost";
        same(rule, since().await, first);
    }
    let rule = "`lost_nothing_since` is near the time at which the cache was begun";
    let near = world.later(60);
    holds(rule, first <= near);
    let rule = "`lost_nothing_since` is the Unix epoch of a cache that keeps no marks";
    holds(rule, cache.keeps_marks() || first == Timestamp::default());
}
