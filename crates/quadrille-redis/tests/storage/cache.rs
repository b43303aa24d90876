//! The cache in Redis, in front of a storage elsewhere.

use std::{sync::Arc, time::Duration};

use quadrille::{
    Login,
    consumer::{
        Account, CacheKey, CachedStorage, Change, FileStorage, MemoryStorage, Stored,
        TokenCache as _, TokenStorage,
    },
    testing::storage_contract,
};
use quadrille_redis::RedisCache;
use redis::aio::ConnectionManager;

use crate::{NEW, OLD, account, login, server::Server, token};

type Cached = CachedStorage<RedisCache<ConnectionManager>, Arc<MemoryStorage>>;

storage_contract!(contract, || {
    let (runtime, folder) = (tokio::runtime::Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start();
    let cache = RedisCache::new(runtime.block_on(server.connect()));
    let storage = FileStorage::open(folder.path()).unwrap();
    (CachedStorage::new(cache, storage), (server, runtime, folder))
});

async fn cached(server: &Server, storage: &Arc<MemoryStorage>) -> Cached {
    CachedStorage::new(RedisCache::new(server.connect().await), Arc::clone(storage))
}

async fn find(login: &Login, storage: &impl TokenStorage, account: &Account) -> Option<Stored> {
    let (cx, Account { owner, service, subject }) = (login.storage_context().unwrap(), account);
    storage.load(&cx, owner, service, Some(subject)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_share_the_cache_see_each_others_changes_at_once() {
    let (server, storage) = (Server::start(), Arc::new(MemoryStorage::new()));
    let (here, there) = (cached(&server, &storage).await, cached(&server, &storage).await);
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    here.link(&cx, &alice, &token("one")).await.unwrap();
    let first = find(&login, &here, &alice).await.unwrap();
    // Behind the back of both: they have it from the cache.
    storage.unlink(&cx, &alice).await.unwrap();
    assert_eq!(find(&login, &there, &alice).await, Some(first));
    storage.link(&cx, &alice, &token("two")).await.unwrap();
    let seen = storage.load(&cx, &alice.owner, "github", None).await.unwrap().unwrap();

    there.replace(&cx, &seen, Change::Token(&token("three"))).await.unwrap();
    assert!(find(&login, &here, &alice).await.unwrap().token == token("three"));
    assert!(there.unlink(&cx, &alice).await.unwrap());
    assert_eq!(find(&login, &here, &alice).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_loaded_before_a_change_is_not_kept_after_it() {
    let server = Server::start();
    let cache = RedisCache::new(server.connect().await);
    let (key, max_age) = (CacheKey::from([7; 32]), Duration::from_secs(60));
    assert_eq!(cache.find(&key).await.unwrap(), (0, None));
    for (mark, next) in [(0, 5), (5, 6), (6, u64::MAX)] {
        cache.forget(&key, next, max_age).await.unwrap();
        cache.keep(&key, mark, b"old".to_vec(), max_age).await.unwrap();
        assert_eq!(cache.find(&key).await.unwrap(), (next, None));
        cache.keep(&key, next, b"new".to_vec(), max_age).await.unwrap();
        assert_eq!(cache.find(&key).await.unwrap(), (next, Some(b"new".to_vec())));
        cache.keep(&key, mark, b"old".to_vec(), max_age).await.unwrap();
        assert_eq!(cache.find(&key).await.unwrap(), (next, Some(b"new".to_vec())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_cache_is_sealed_expires_and_may_be_spoilt() {
    let (server, storage) = (Server::start(), Arc::new(MemoryStorage::new()));
    let cached = cached(&server, &storage).await;
    let (old, new, alice) = (login(&[OLD]), login(&[NEW]), account("alice", "7"));
    let cx = old.storage_context().unwrap();
    cached.link(&cx, &alice, &token("one")).await.unwrap();
    find(&old, &cached, &alice).await.unwrap();
    let keys: Vec<Vec<u8>> = server.query(&["KEYS", "quadrille-cache:*"]).await;
    assert_eq!(keys.len(), 2, "by subject, and that of the current account, which is forgotten");
    for key in &keys {
        let value: Vec<u8> = server.query(&[b"GET", &**key]).await;
        assert!(!value.windows(6).any(|window| window == b"canary"));
        let lives: i64 = server.query(&[b"PTTL", &**key]).await;
        assert!((1..=20_000).contains(&lives), "{lives}");
    }
    // Sealed under a key that this process does not have.
    assert!(find(&new, &cached, &alice).await.unwrap().token == token("one"));
    for spoilt in [&b""[..], b"1234567", b"12345678", b"12345678\x01", &[255; 300]] {
        for key in &keys {
            let _: () = server.query(&[b"SET", &**key, spoilt]).await;
        }
        assert!(find(&old, &cached, &alice).await.unwrap().token == token("one"), "{spoilt:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_server_accounts_are_loaded_as_without_a_cache() {
    let (server, storage) = (Server::start(), Arc::new(MemoryStorage::new()));
    let cached = cached(&server, &storage).await;
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    cached.link(&cx, &alice, &token("one")).await.unwrap();
    let first = find(&login, &cached, &alice).await.unwrap();
    server.stop().await;
    assert_eq!(find(&login, &cached, &alice).await.as_ref(), Some(&first));
    cached.replace(&cx, &first, Change::Token(&token("two"))).await.unwrap();
    assert!(find(&login, &cached, &alice).await.unwrap().token == token("two"));
    assert!(cached.unlink(&cx, &alice).await.unwrap());
    assert_eq!(find(&login, &cached, &alice).await, None);
}
