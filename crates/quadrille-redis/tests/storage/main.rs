//! The storage on a real server: the contract, two processes, faults, changes of keys.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which these lints do not know for such"
)]

mod cache;
#[path = "../../../quadrille/tests/shared/ports.rs"]
mod ports;
#[allow(dead_code, reason = "the tests of the provider's cache need more of it")]
mod server;
#[cfg(feature = "provider")]
mod volatile;

use std::sync::Arc;

use quadrille::{
    GitHub, KeyRing, Login, Owner, Result,
    consumer::{
        Account, Begin, CachedStorage, Change, Jar, MemoryCache, Replaced, StorageError, Stored,
        Token, TokenStorage,
    },
    testing::{FakeService, storage_contract},
};
use quadrille_redis::RedisStorage;
use redis::aio::ConnectionManager;
use tokio::{sync::Barrier, task::JoinSet};

use server::Server;

type Storage = RedisStorage<ConnectionManager>;

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

storage_contract!(contract, || {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start();
    let storage = RedisStorage::new(runtime.block_on(server.connect()));
    (storage, (server, runtime))
});

storage_contract!(cached_in_memory, || {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start();
    let storage = RedisStorage::new(runtime.block_on(server.connect()));
    (CachedStorage::new(MemoryCache::new(1000), storage), (server, runtime))
});

fn login(keys: &[[u8; 32]]) -> Login {
    Login::new(KeyRing::new(keys).unwrap(), "https://app.example")
        .with(GitHub::new("our-id", "our-secret"))
        .http(FakeService::new("our-id", "our-secret"))
}

fn account(owner: impl std::fmt::Display, subject: &str) -> Account {
    Account { owner: Owner::user(owner), service: "github".into(), subject: subject.into() }
}

fn token(name: impl std::fmt::Display) -> Token {
    Token::new(format!("access-canary-{name}")).refresh_token(format!("refresh-canary-{name}"))
}

async fn find(login: &Login, storage: &Storage, account: &Account) -> Result<Option<Stored>> {
    let Account { owner, service, subject } = account;
    storage.load(&login.storage_context()?, owner, service, Some(subject)).await
}

async fn two_processes(server: &Server) -> [Storage; 2] {
    [RedisStorage::new(server.connect().await), RedisStorage::new(server.connect().await)]
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_refreshes_of_one_token_one_wins() {
    let server = Server::start();
    let [first, second] = two_processes(&server).await;
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    first.link(&login.storage_context().unwrap(), &alice, &token("first")).await.unwrap();
    for round in 0..20 {
        let seen = find(&login, &second, &alice).await.unwrap().unwrap();
        let start = Arc::new(Barrier::new(2));
        let mut both = JoinSet::new();
        for (number, storage) in [first.clone(), second.clone()].into_iter().enumerate() {
            let (login, seen, start) = (login.clone(), seen.clone(), Arc::clone(&start));
            both.spawn(async move {
                let token = token(format!("{round}-{number}"));
                let cx = login.storage_context().unwrap();
                start.wait().await;
                storage.replace(&cx, &seen, Change::Token(&token)).await.unwrap()
            });
        }
        let both = both.join_all().await;
        let now = find(&login, &first, &alice).await.unwrap().unwrap();
        let winners = both.iter().filter(|done| matches!(done, Replaced::Done(_))).count();
        assert_eq!(winners, 1, "{round}");
        for done in both {
            let (Replaced::Done(told) | Replaced::Changed(Some(told))) = done else { panic!() };
            assert_eq!(told, now, "{round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_owners_who_link_at_once_each_have_their_own_token() {
    let server = Server::start();
    let [first, second] = two_processes(&server).await;
    let login = login(&[OLD]);
    let mut all = JoinSet::new();
    for number in 0..200 {
        let storage = if number % 2 == 0 { first.clone() } else { second.clone() };
        let login = login.clone();
        all.spawn(async move {
            let cx = login.storage_context().unwrap();
            storage.link(&cx, &account(number, "7"), &token(number)).await.unwrap();
        });
    }
    all.join_all().await;
    for number in 0..200 {
        let found = find(&login, &second, &account(number, "7")).await.unwrap();
        assert!(found.unwrap().token == token(number), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_not_be_written_is_503_and_loses_nothing() {
    let server = Server::start();
    let storage = RedisStorage::new(server.connect().await);
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let before = find(&login, &storage, &alice).await.unwrap().unwrap();
    let limits: [[&[&str]; 2]; 2] = [
        [&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]],
        [&["REPLICAOF", "127.0.0.1", &ports::free_port().to_string()], &["REPLICAOF", "NO", "ONE"]],
    ];
    for [limit, lift] in limits {
        server.run(limit).await;
        let (one, two) = (token("one"), token("two"));
        for error in [
            storage.link(&cx, &account("bob", "7"), &one).await.unwrap_err(),
            storage.replace(&cx, &before, Change::Token(&two)).await.unwrap_err(),
            storage.lease(&cx, &alice, 1, std::time::Duration::from_secs(15)).await.unwrap_err(),
        ] {
            assert_eq!(error, StorageError::Unwritable.into(), "{limit:?}");
            assert_eq!(error.status(), 503);
        }
        server.run(lift).await;
        assert_eq!(find(&login, &storage, &alice).await.unwrap().as_ref(), Some(&before));
        assert_eq!(storage.accounts(&cx, "github", None, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_503() {
    let server = Server::start();
    let storage = RedisStorage::new(server.connect().await);
    drop(server);
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let error = loop {
        // It ends a moment after it is told to.
        if let Err(error) = find(&login, &storage, &alice).await {
            break error;
        }
    };
    assert_eq!(error, StorageError::Unavailable.into());
    assert_eq!(error.status(), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_slow_is_503_and_loses_nothing() {
    let server = Server::start();
    let storage = RedisStorage::new(server.connect_impatient().await);
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let before = find(&login, &storage, &alice).await.unwrap().unwrap();
    server.run(&["CLIENT", "PAUSE", "3000", "ALL"]).await;
    let error = find(&login, &storage, &alice).await.unwrap_err();
    assert_eq!((error.status().as_u16(), error), (503, StorageError::Unavailable.into()));
    let patient = RedisStorage::new(server.connect().await);
    assert_eq!(find(&login, &patient, &alice).await.unwrap(), Some(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_a_newer_version_is_left_alone() {
    let server = Server::start();
    let storage = RedisStorage::new(server.connect().await);
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let key = "quadrille:6:{github}:accounts:7:u:alice";
    server.run(&["HSET", key, "7", "12345678\x02something else"]).await;
    let error = find(&login, &storage, &alice).await.unwrap_err();
    assert_eq!((error.status().as_u16(), error), (500, StorageError::Newer.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_a_cookie_moves_to_the_server_of_its_user_alone() {
    let server = Server::start();
    let storage = RedisStorage::new(server.connect().await);
    let service = FakeService::new("our-id", "our-secret");
    let before = login(&[OLD]).http(service.clone());
    let after = before.clone().storage(storage.clone());
    let (alice, bob) = (Owner::user("alice"), Owner::user("bob"));
    let jar = Jar::new(&http::HeaderMap::new());
    let url = before.begin(&jar, &Begin::new("github").owner(&alice)).await.unwrap();
    let query = service.consent(&url, 7).unwrap();
    before.finish(&jar, "github", &query, &alice).await.unwrap();
    assert_eq!(after.adopt(&jar, "github", &bob).await.unwrap(), None);
    let account = after.adopt(&jar, "github", &alice).await.unwrap().unwrap();
    assert!(find(&after, &storage, &account).await.unwrap().is_some());
    assert_eq!(after.adopt(&jar, "github", &alice).await.unwrap(), None);
    assert!(after.linked_of_owner::<GitHub>(&alice).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_in_the_server_as_it_is_and_none_opens_for_another() {
    let server = Server::start();
    let storage = RedisStorage::new(server.connect().await);
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let (here, there) =
        ("quadrille:6:{github}:accounts:7:u:alice", "quadrille:6:{github}:accounts:9:u:mallory");
    let redis::Value::BulkString(value) = server.run(&["HGET", here, "7"]).await else { panic!() };
    assert!(value.len() > 50);
    assert!(!value.windows(6).any(|window| window == b"canary"));
    server.run(&["COPY", here, there]).await;
    let error = find(&login, &storage, &account("mallory", "7")).await.unwrap_err();
    assert_eq!(error, StorageError::Unreadable.into());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_resealing_the_old_key_is_not_needed() {
    let server = Server::start();
    let [storage, other] = two_processes(&server).await;
    let (old, both, new) = (login(&[OLD]), login(&[NEW, OLD]), login(&[NEW]));
    for number in 0..250 {
        let account = account(number % 100, &number.to_string());
        let cx = old.storage_context().unwrap();
        storage.link(&cx, &account, &token(number)).await.unwrap();
    }
    let seen = find(&old, &storage, &account(0, "0")).await.unwrap().unwrap();
    let cx = both.storage_context().unwrap();
    let mut reseal = storage.reseal(&cx, "github").await.unwrap();
    let first = reseal.next().await.unwrap().unwrap();
    assert_eq!((first.seen, first.total, first.resealed), (100, 250, 100));
    let rest = other.reseal(&cx, "github").await.unwrap().after(first.last.unwrap());
    let rest = rest.finish().await.unwrap();
    assert_eq!((rest.seen, rest.resealed, rest.unreadable), (150, 150, 0));
    let again = storage.reseal(&cx, "github").await.unwrap().finish().await.unwrap();
    assert_eq!((again.seen, again.resealed), (250, 0));
    for number in 0..250 {
        let account = account(number % 100, &number.to_string());
        let found = find(&new, &storage, &account).await.unwrap().unwrap();
        assert!(found.token == token(number), "{number}");
    }
    // A refresh that began before.
    let two = token("two");
    let done = storage.replace(&cx, &seen, Change::Token(&two)).await.unwrap();
    assert!(matches!(done, Replaced::Done(_)));

    // What does not open is counted, and left.
    let gone = login(&[[9; 32]]);
    let (cx, lost) = (gone.storage_context().unwrap(), account("lost", "7"));
    storage.link(&cx, &lost, &token("lost")).await.unwrap();
    let cx = both.storage_context().unwrap();
    let done = storage.reseal(&cx, "github").await.unwrap().finish().await.unwrap();
    assert_eq!((done.seen, done.unreadable), (251, 1));
    assert!(find(&gone, &storage, &lost).await.unwrap().is_some());
}
