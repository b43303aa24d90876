//! The cache in memcached, on a server that the tests start.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "shared/ports.rs"]
mod ports;

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use quadrille::{
    KeyRing,
    provider::store::{
        MemoryStore, VolatileCache as _, VolatileEntry, VolatileKey, VolatileMemcached,
        VolatileStore,
    },
    testing::{ManualClock, volatile_contract, volatile_store_contract},
};

use ports::free_port;

const INSTALL: &str = "apt-get install --no-install-recommends memcached";

/// A server on a free port of loopback, until it is dropped.
struct Server {
    address: String,
    child: Child,
}

impl Server {
    fn start() -> Self {
        Self::at(free_port(), &[])
    }

    fn at(port: u16, more: &[&str]) -> Self {
        let mut command = Command::new("memcached");
        command.args(["-l", "127.0.0.1", "-p", &port.to_string(), "-u", "nobody"]).args(more);
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{error}; on Debian: {INSTALL}"));
        let address = format!("127.0.0.1:{port}");
        while TcpStream::connect(&address).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "memcached did not begin");
        }
        Self { address, child }
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

volatile_contract!(contract, |env| {
    let server = Server::start();
    (VolatileMemcached::new(&server.address, "test-", env), server)
});

volatile_store_contract!(store, |env| {
    let server = Server::start();
    let cache = VolatileMemcached::new(&server.address, "test-", env.clone());
    let keys = KeyRing::new([&[7; 32]]).unwrap();
    (VolatileStore::new(MemoryStore::new(env.clone()), cache, keys, env), server)
});

fn key(name: u16) -> VolatileKey {
    VolatileKey::new("test", 1, &name.to_be_bytes())
}

fn entry(clock: &ManualClock, size: usize) -> VolatileEntry {
    VolatileEntry::new(vec![7; size], clock.now() + Duration::from_secs(600))
}

#[test]
fn it_keeps_no_marks_since_it_cannot_tell_what_it_lost() {
    let (server, clock) = (Server::start(), ManualClock::new());
    let cache = VolatileMemcached::new(&server.address, "test-", clock.env());
    assert!(!cache.keeps_marks());
}

#[tokio::test]
async fn a_server_that_restarts_has_lost_everything_and_is_used_again() {
    let (mut server, clock) = (Server::start(), ManualClock::new());
    let cache = Arc::new(VolatileMemcached::new(&server.address, "test-", clock.env()));
    let now = clock.now();
    assert!(cache.add(&key(1), entry(&clock, 10), now).await.unwrap());
    let found = cache.find(&key(1), now).await.unwrap().unwrap();
    server.stop();
    let error = cache.find(&key(1), now).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), ("cache_unavailable", true));
    let _again = Server::at(server.port(), &[]);
    assert_eq!(cache.find(&key(1), now).await.unwrap(), None);
    assert!(!cache.replace(&key(1), &found, vec![8], now).await.unwrap());
    assert!(cache.add(&key(1), entry(&clock, 10), now).await.unwrap());
}

#[tokio::test]
async fn what_a_full_server_evicts_is_gone_and_the_rest_is_as_it_was() {
    let (server, clock) = (Server::at(free_port(), &["-m", "4"]), ManualClock::new());
    let cache = VolatileMemcached::new(&server.address, "test-", clock.env());
    let now = clock.now();
    for name in 0..2000 {
        assert!(cache.add(&key(name), entry(&clock, 4000), now).await.unwrap(), "{name}");
    }
    let mut left = 0;
    for name in 0..2000 {
        if let Some(found) = cache.find(&key(name), now).await.unwrap() {
            assert_eq!(found.value, vec![7; 4000]);
            left += 1;
        }
    }
    assert!((1..2000).contains(&left), "{left}");
    let too_long = cache.add(&key(9999), entry(&clock, 2 << 20), now).await.unwrap_err();
    assert_eq!(too_long.kind(), "cache_unavailable");
    assert!(cache.find(&key(1999), now).await.unwrap().is_some(), "and it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_ended_costs_no_verb() {
    let mut server = Server::start();
    let (clock, port) = (ManualClock::new(), server.port());
    let cache = VolatileMemcached::new(&server.address, "test-", clock.env());
    for name in 1..4 {
        cache.check().await.unwrap();
        server.stop();
        server = Server::at(port, &[]);
        let entry = VolatileEntry::new(Vec::new(), clock.now() + Duration::from_secs(60));
        assert!(cache.add(&key(name), entry, clock.now()).await.unwrap(), "{name}");
    }
}
