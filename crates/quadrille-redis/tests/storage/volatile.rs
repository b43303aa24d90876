//! The cache of a provider's short-lived records: the contract, and a server that loses them.

use std::{sync::Arc, time::Duration};

use quadrille::{
    Env, KeyRing, Timestamp,
    provider::store::{
        Issuers as _, MemoryStore, OnceKeys as _, RowId, VolatileCache, VolatileEntry,
        VolatileFound, VolatileKey, VolatileStore,
    },
    testing::{ManualClock, volatile_contract, volatile_store_contract},
};
use quadrille_redis::VolatileRedis;
use redis::aio::ConnectionManager;

use crate::server::{Door, Server};

type Cache = VolatileRedis<ConnectionManager>;

/// A connection lives in a runtime of its own, since a behaviour may have one for each thread.
fn connected(server: &Server) -> (ConnectionManager, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let connecting = server.connect();
    let connection = std::thread::scope(|threads| {
        threads.spawn(|| runtime.block_on(connecting)).join().unwrap()
    });
    (connection, runtime)
}

volatile_contract!(contract, |env| {
    let server = Server::start();
    let (connection, runtime) = connected(&server);
    (VolatileRedis::new(connection, env), (server, NoWait(Some(runtime))))
});

volatile_store_contract!(store, |env| {
    let server = Server::start();
    let (connection, runtime) = connected(&server);
    let cache = VolatileRedis::new(connection, env.clone());
    // It was begun before the processes started.
    let then = env.now() - Duration::from_secs(60);
    runtime.block_on(cache.lost_nothing_since(then)).unwrap();
    let keys = KeyRing::new([&[7; 32]]).unwrap();
    let store = VolatileStore::new(MemoryStore::new(env.clone()), cache, keys, env);
    (store, (server, NoWait(Some(runtime))))
});

/// A runtime that may be dropped within another one.
struct NoWait(Option<tokio::runtime::Runtime>);

impl Drop for NoWait {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

struct World {
    clock: ManualClock,
    server: Server,
    cache: Cache,
}

impl World {
    async fn new() -> Self {
        Self::on(Server::start()).await
    }

    async fn on(server: Server) -> Self {
        let clock = ManualClock::new();
        let cache = VolatileRedis::new(server.connect().await, clock.env());
        Self { clock, server, cache }
    }

    async fn since(&self) -> Timestamp {
        self.cache.lost_nothing_since(self.clock.now()).await.unwrap()
    }

    async fn add(&self, name: u8) -> bool {
        let expires = self.clock.now() + Duration::from_secs(600);
        let entry = VolatileEntry::new(vec![name], expires);
        self.cache.add(&key(name), entry, self.clock.now()).await.unwrap()
    }

    async fn find(&self, name: u8) -> Option<VolatileFound> {
        self.cache.find(&key(name), self.clock.now()).await.unwrap()
    }

    async fn replace(&self, name: u8, found: &VolatileFound) -> bool {
        let (key, now) = (key(name), self.clock.now());
        self.cache.replace(&key, found, b"redeemed".to_vec(), now).await.unwrap()
    }
}

fn key(name: u8) -> VolatileKey {
    VolatileKey::new("test", 1, &[name])
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_from_before_a_flush_is_known_and_the_moment_is_told() {
    for command in ["FLUSHALL", "FLUSHDB"] {
        let world = World::new().await;
        world.add(1).await;
        let first = world.since().await;
        world.clock.advance(Duration::from_secs(100));
        assert_eq!(world.since().await, first);
        world.server.run(&[command]).await;
        assert!(world.add(1).await, "the mark is lost");
        let moved = world.since().await;
        assert!(moved >= world.clock.now() && moved > first, "{command}");
        world.clock.advance(Duration::from_secs(100));
        assert_eq!(world.since().await, moved);
    }
}

/// The cache of another process, whose clock is an hour behind.
async fn behind(world: &World) -> (ManualClock, Cache) {
    let clock = ManualClock::at(world.clock.now() - Duration::from_hours(1));
    let cache = VolatileRedis::new(world.server.connect().await, clock.env());
    (clock, cache)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_counts_by_the_clock_of_each_process() {
    for is_new in [false, true] {
        let world = World::new().await;
        let (clock, other) = behind(&world).await;
        let first = world.since().await;
        assert_eq!(other.lost_nothing_since(clock.now()).await.unwrap(), first);
        assert!(world.add(1).await);
        world.server.run(&["FLUSHALL"]).await;
        world.clock.advance(Duration::from_secs(100));
        let noticed = other.lost_nothing_since(clock.now()).await.unwrap();
        assert!(noticed < first, "by a clock that is behind");
        let world = if is_new {
            // A process that has started since knows it, too.
            let World { clock, server, .. } = world;
            let cache = VolatileRedis::new(server.connect().await, clock.env());
            World { clock, server, cache }
        } else {
            world
        };
        assert!(world.add(1).await, "the mark is lost");
        let moved = world.since().await;
        assert!(moved >= world.clock.now());
        assert_eq!(other.lost_nothing_since(clock.now()).await.unwrap(), moved);
        world.clock.advance(Duration::from_secs(100));
        assert_eq!(world.since().await, moved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evictions_count_by_the_clock_of_each_process_too() {
    let world = World::new().await;
    let (clock, other) = behind(&world).await;
    world.since().await;
    world.add(1).await;
    world.server.run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]).await;
    world.server.run(&["SET", "another", "program"]).await;
    world.server.run(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let mut connection = world.server.connect().await;
    let set = redis::cmd("SET").arg("a").arg("b").query_async(&mut connection).await;
    let _: Result<(), _> = set;
    world.server.run(&["CONFIG", "SET", "maxmemory", "0"]).await;
    world.clock.advance(Duration::from_secs(100));
    other.lost_nothing_since(clock.now()).await.unwrap();
    assert!(world.since().await >= world.clock.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_starts_ends_nothing() {
    let world = World::new().await;
    let first = world.since().await;
    let cache = VolatileRedis::new(world.server.connect().await, world.clock.env());
    assert_eq!(cache.lost_nothing_since(world.clock.now()).await.unwrap(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_outlives_the_clock_of_a_process_that_is_ahead() {
    let world = World::new().await;
    let real = Env::system().now();
    // It expires in a minute by the clock of the process, and in an hour by that of the server.
    let entry = VolatileEntry::new(vec![1], real + Duration::from_hours(1));
    let now = entry.expires - Duration::from_secs(60);
    assert!(world.cache.add(&key(1), entry, now).await.unwrap());
    let left: i64 = world.server.query(&["PTTL", "{quadrille-volatile}:test-1-01"]).await;
    assert!(left > 3_500_000, "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_eviction_the_moment_is_that_of_the_eviction_at_the_earliest() {
    let world = World::new().await;
    let first = world.since().await;
    world.clock.advance(Duration::from_secs(100));
    world.add(1).await;
    let found = world.find(1).await.unwrap();
    assert!(!world.cache.evicts().await.unwrap());
    world.server.run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]).await;
    assert!(!world.cache.evicts().await.unwrap(), "its memory is not bounded");
    world.server.run(&["SET", "another", "program"]).await;
    let used = world.server.run(&["MEMORY", "USAGE", "another"]).await;
    assert_ne!(used, redis::Value::Nil);
    world.server.run(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert!(world.cache.evicts().await.unwrap());
    // It evicts when a command comes that takes memory, and refuses it if nothing is left.
    let mut connection = world.server.connect().await;
    let set = redis::cmd("SET").arg("a").arg("b").query_async(&mut connection).await;
    let _: Result<(), _> = set;
    world.server.run(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert!(world.add(1).await, "the mark is lost");
    let moved = world.since().await;
    assert!(moved >= world.clock.now() && moved > first);
    assert!(!world.replace(1, &found).await, "nor is an entry of then replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_from_a_snapshot_brings_no_entry_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on(Server::in_folder(folder.path())).await;
    let first = world.since().await;
    world.add(1).await;
    let found = world.find(1).await.unwrap();
    world.server.run(&["SAVE"]).await;
    // Redeemed after the snapshot.
    assert!(world.replace(1, &found).await);
    let World { clock, server, .. } = world;
    server.stop().await;
    clock.advance(Duration::from_secs(30));
    let server = Server::in_folder(folder.path());
    let cache = VolatileRedis::new(server.connect().await, clock.env());
    let world = World { clock, server, cache };
    let restored = world.find(1).await;
    assert_eq!(restored, Some(found.clone()), "the snapshot has it as it was");
    assert!(!world.replace(1, &found).await, "but nobody redeems it");
    assert_eq!(world.find(1).await, None);
    let moved = world.since().await;
    assert!(moved >= world.clock.now() && moved > first);
    world.add(2).await;
    let fresh = world.find(2).await.unwrap();
    assert!(world.replace(2, &fresh).await, "what is new is good");
}

/// Waits until a replica has the first entry.
async fn arrives(replica: &Cache, now: Timestamp) {
    let mut tries = 0;
    while replica.find(&key(1), now).await.unwrap_or_default().is_none() {
        tries += 1;
        assert!(tries < 100_000, "the replica gets nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_lags_and_is_promoted_redeems_nothing_again() {
    let (world, replica) = (World::new().await, Server::start());
    replica.follow(&world.server).await;
    world.since().await;
    world.add(1).await;
    let found = world.find(1).await.unwrap();
    let cache = VolatileRedis::new(replica.connect().await, world.clock.env());
    let now = world.clock.now();
    arrives(&cache, now).await;
    // It gets no more from here on.
    replica.run(&["REPLICAOF", "NO", "ONE"]).await;
    assert!(world.replace(1, &found).await);
    world.clock.advance(Duration::from_secs(3));
    let now = world.clock.now();
    let stale = cache.find(&key(1), now).await.unwrap();
    assert_eq!(stale, Some(found.clone()));
    assert!(!cache.replace(&key(1), &found, b"again".to_vec(), now).await.unwrap());
    assert!(cache.lost_nothing_since(now).await.unwrap() >= now);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_takes_the_data_of_its_replica_redeems_nothing_again() {
    let (world, replica) = (World::new().await, Server::start());
    replica.follow(&world.server).await;
    let first = world.since().await;
    world.add(1).await;
    let found = world.find(1).await.unwrap();
    let cache = VolatileRedis::new(replica.connect().await, world.clock.env());
    arrives(&cache, world.clock.now()).await;
    // The replica gets no more, and takes the place of the primary, which does not know it yet.
    replica.run(&["REPLICAOF", "NO", "ONE"]).await;
    assert!(world.replace(1, &found).await);
    assert!(world.add(2).await, "a mark that the replica has not");
    assert_eq!(world.since().await, first);
    world.clock.advance(Duration::from_secs(30));
    world.server.follow(&replica).await;
    world.server.run(&["REPLICAOF", "NO", "ONE"]).await;
    assert_eq!(world.find(1).await, Some(found.clone()), "it is as it was");
    assert!(!world.replace(1, &found).await, "but nobody redeems it");
    assert_eq!(world.find(1).await, None);
    assert!(world.add(2).await, "the mark is lost");
    let moved = world.since().await;
    assert!(moved >= world.clock.now() && moved > first);
    world.add(3).await;
    let fresh = world.find(3).await.unwrap();
    assert!(world.replace(3, &fresh).await, "what is new is good");
    assert_eq!(world.since().await, moved);
}

#[tokio::test(flavor = "multi_thread")]
async fn used_keys_are_marked_in_the_cache_until_it_loses_them() {
    let world = World::new().await;
    let (env, keys) = (world.clock.env(), KeyRing::new([&[7; 32]]).unwrap());
    let database = Arc::new(MemoryStore::new(env.clone()));
    let store = VolatileStore::new(Arc::clone(&database), world.cache.clone(), keys, env);
    let issuer = store.issuer("https://id.example").await.unwrap();
    world.since().await;
    world.clock.advance(Duration::from_secs(60));
    let remember = async |space, key| {
        let expires = world.clock.now() + Duration::from_secs(300);
        store.remember_once(issuer, space, [key; 32], expires).await.unwrap()
    };
    let spaces = ["oauth1", "client_assertion", "assertion"];
    for space in spaces {
        assert!(remember(space, 1).await && !remember(space, 1).await, "{space}");
        let past = Timestamp::default();
        let is_free = |key| store.remember_once(issuer, space, [key; 32], past);
        assert_eq!((is_free(1).await.unwrap(), is_free(2).await.unwrap()), (false, true));
        assert!(database.remember_once(issuer, space, [1; 32], past).await.unwrap());
    }
    assert!(remember("another", 1).await && !remember("another", 1).await);
    let used = world.clock.now();
    assert!(store.keys_known_since().await.unwrap().knows(used));
    world.server.run(&["FLUSHALL"]).await;
    world.clock.advance(Duration::from_secs(1));
    assert!(!remember("another", 1).await, "the loss of which nobody makes up for");
    for space in spaces {
        assert!(remember(space, 1).await, "it is lost");
        let since = store.keys_known_since().await.unwrap();
        assert!(!since.knows(used), "but nothing made before is accepted");
        assert!(since.knows(world.clock.now() + Duration::from_secs(6)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_on_one_server_do_not_meet() {
    let world = World::new().await;
    let connection = world.server.connect().await;
    let other = VolatileRedis::with_prefix(connection, world.clock.env(), "{other}:");
    world.add(1).await;
    assert_eq!(other.find(&key(1), world.clock.now()).await.unwrap(), None);
    let keys: Vec<String> = world.server.query(&["KEYS", "*"]).await;
    assert!(keys.iter().all(|key| key.starts_with("{quadrille-volatile}:")), "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_removed_by_the_server_itself() {
    let world = World::new().await;
    world.add(1).await;
    let name = "{quadrille-volatile}:test-1-01";
    let left: i64 = world.server.query(&["PTTL", name]).await;
    // Two hours more, if the server's clock is behind.
    let expected = 600_000..=660_000 + 7_200_000;
    assert!(expected.contains(&left), "{left}");
    let found = world.find(1).await.unwrap();
    world.replace(1, &found).await;
    let left: i64 = world.server.query(&["PTTL", name]).await;
    assert!(expected.contains(&left), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_unavailable_and_it_is_back_when_it_is_back() {
    let server = Server::start();
    let (clock, port) = (ManualClock::new(), server.port());
    let cache = Arc::new(VolatileRedis::new(server.connect().await, clock.env()));
    server.stop().await;
    let error = cache.newest().await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), ("cache_unavailable", true));
    cache.newest().await.unwrap_err();
    let _again = Server::at(&port);
    let entry = || VolatileEntry::new(Vec::new(), clock.now() + Duration::from_secs(60));
    assert!(cache.add(&key(1), entry(), clock.now()).await.unwrap(), "the first call is answered");
    assert!(cache.find(&key(1), clock.now()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_idle_for_too_long_costs_no_verb() {
    let world = World::new().await;
    for name in 1..6 {
        world.server.run(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        assert!(world.add(name).await, "{name}");
        world.server.run(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        let found = world.find(name).await.unwrap();
        world.server.run(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        assert!(world.replace(name, &found).await, "{name}");
        world.server.run(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        world.since().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_entries_is_told() {
    let (world, primary) = (World::new().await, Server::start());
    world.cache.check().await.unwrap();
    world.server.run(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let full = world.cache.check().await.unwrap_err();
    world.server.run(&["CONFIG", "SET", "maxmemory", "0"]).await;
    world.cache.check().await.unwrap();
    world.server.follow(&primary).await;
    let replica = world.cache.check().await.unwrap_err();
    for error in [full, replica] {
        assert_eq!(error.kind(), "cache_unavailable");
    }
    assert_eq!(world.cache.newest().await.unwrap(), RowId(0), "it reads all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_the_new_primary_is_looked_up_again() {
    let (old, new, clock) = (Server::start(), Server::start(), ManualClock::new());
    let door = Door::to(&old);
    let cache = VolatileRedis::new(door.connect().await, clock.env());
    let entry = || VolatileEntry::new(vec![1], clock.now() + Duration::from_secs(60));
    assert!(cache.add(&key(1), entry(), clock.now()).await.unwrap());
    door.lead_to(&new);
    old.follow(&new).await;
    assert!(cache.add(&key(2), entry(), clock.now()).await.unwrap());
    assert_eq!(cache.find(&key(1), clock.now()).await.unwrap(), None);
    let there: Vec<String> = new.query(&["KEYS", "*test*"]).await;
    assert_eq!(there.len(), 1);
}
