//! A cache in front of a storage: what is seen when, races, and failures of the cache.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::{
    GitHub, KeyRing, Login, Owner, Result,
    consumer::{
        Account, CacheKey, CachedStorage, Change, Context, CookieStorage, FileStorage, MemoryCache,
        MemoryStorage, Replaced, StorageError, Stored, Token, TokenCache, TokenStorage,
    },
    testing::{
        storage::{Verb, Watch, WatchedStorage},
        storage_contract,
    },
    transport::Purpose,
};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::support::{Browser, World, pages};

const MAX_AGE: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);

fn cache() -> MemoryCache {
    MemoryCache::new(1000)
}

storage_contract!(before_memory, || (CachedStorage::new(cache(), MemoryStorage::new()), ()));
storage_contract!(
    before_cookies,
    || (CachedStorage::new(cache(), CookieStorage), ()),
    [one_account]
);
storage_contract!(before_files, || {
    let folder = tempfile::tempdir().unwrap();
    (CachedStorage::new(cache(), FileStorage::open(folder.path()).unwrap()), folder)
});

fn account(owner: &str) -> Account {
    Account { owner: Owner::user(owner), service: "github".into(), subject: "7".into() }
}

fn token(name: &str) -> Token {
    Token::new(name)
}

async fn find(login: &Login, storage: &impl TokenStorage, account: &Account) -> Option<Stored> {
    let (cx, Account { owner, service, subject }) = (login.storage_context().unwrap(), account);
    let found = storage.load(&cx, owner, service, Some(subject)).await.unwrap();
    let current = storage.load(&cx, owner, service, None).await.unwrap();
    assert_eq!(found, current, "the owner has one account");
    found
}

/// Counts loads, and stops in the middle of a verb when it is told to.
struct Stopping {
    loads: AtomicUsize,
    stops: AtomicBool,
    has_stopped: Semaphore,
    goes_on: Semaphore,
}

impl Watch for Stopping {
    async fn before(&self, _: &Context<'_>, verb: Verb<'_>) -> Result<()> {
        if matches!(verb, Verb::Load) {
            self.loads.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn after(&self, verb: Verb<'_>) {
        let may_stop = matches!(verb, Verb::Load | Verb::Replace(_));
        if may_stop && self.stops.swap(false, Ordering::SeqCst) {
            self.has_stopped.add_permits(1);
            self.goes_on.acquire().await.unwrap().forget();
        }
    }
}

type Watched = WatchedStorage<Arc<MemoryStorage>, Arc<Stopping>>;

/// A storage, the same behind its watch, and the watch.
fn watched() -> (Arc<MemoryStorage>, Watched, Arc<Stopping>) {
    let storage = Arc::new(MemoryStorage::new());
    let watch = Arc::new(Stopping {
        loads: AtomicUsize::default(),
        stops: AtomicBool::default(),
        has_stopped: Semaphore::new(0),
        goes_on: Semaphore::new(0),
    });
    (Arc::clone(&storage), WatchedStorage::new(storage, Arc::clone(&watch)), watch)
}

#[tokio::test]
async fn an_account_is_loaded_once_and_anew_after_each_change_here() {
    let (world, (_, watched, watch)) = (World::new(), watched());
    let (login, alice) = (world.login(), account("alice"));
    let cached = CachedStorage::new(cache(), watched);
    let cx = login.storage_context().unwrap();
    let loads = || watch.loads.swap(0, Ordering::SeqCst);

    assert_eq!(find(&login, &cached, &alice).await, None);
    assert_eq!(find(&login, &cached, &alice).await, None);
    assert_eq!(loads(), 4, "nothing is remembered about what is not there");
    cached.link(&cx, &alice, &token("one")).await.unwrap();
    for _ in 0..10 {
        assert!(find(&login, &cached, &alice).await.unwrap().token == token("one"));
    }
    assert_eq!(loads(), 2, "one by subject, one without");

    let seen = find(&login, &cached, &alice).await.unwrap();
    cached.replace(&cx, &seen, Change::Token(&token("two"))).await.unwrap();
    let seen = find(&login, &cached, &alice).await.unwrap();
    assert!(seen.token == token("two"));
    cached.replace(&cx, &seen, Change::NeedsLinkingAgain).await.unwrap();
    assert!(find(&login, &cached, &alice).await.unwrap().needs_linking_again);
    assert!(cached.unlink(&cx, &alice).await.unwrap());
    assert_eq!(find(&login, &cached, &alice).await, None);
}

#[tokio::test]
async fn a_change_by_another_process_is_seen_when_the_entry_is_too_old() {
    let (world, storage) = (World::new(), Arc::new(MemoryStorage::new()));
    let (login, alice) = (world.login(), account("alice"));
    let here = CachedStorage::new(cache(), Arc::clone(&storage));
    let there = CachedStorage::new(cache(), storage);
    let cx = login.storage_context().unwrap();
    here.link(&cx, &alice, &token("one")).await.unwrap();
    let first = find(&login, &here, &alice).await.unwrap();

    there.replace(&cx, &first, Change::Token(&token("two"))).await.unwrap();
    world.wait(MAX_AGE - Duration::from_millis(1));
    assert_eq!(find(&login, &here, &alice).await.unwrap(), first);
    world.wait(Duration::from_millis(1));
    let second = find(&login, &here, &alice).await.unwrap();
    assert!(second.token == token("two"));

    assert!(there.unlink(&cx, &alice).await.unwrap());
    assert_eq!(find(&login, &here, &alice).await.unwrap(), second);
    world.wait(MAX_AGE);
    assert_eq!(find(&login, &here, &alice).await, None);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_entry_younger() {
    let (world, storage) = (World::new(), Arc::new(MemoryStorage::new()));
    let (login, alice) = (world.login(), account("alice"));
    let cached = CachedStorage::new(cache(), Arc::clone(&storage));
    let cx = login.storage_context().unwrap();
    cached.link(&cx, &alice, &token("one")).await.unwrap();
    find(&login, &cached, &alice).await.unwrap();
    storage.unlink(&cx, &alice).await.unwrap();
    world.clock.set(world.clock.now() - HOUR);
    assert_eq!(find(&login, &cached, &alice).await, None);
}

#[tokio::test]
async fn a_change_of_what_is_too_old_is_told_so_and_changes_nothing() {
    let (world, storage) = (World::new(), Arc::new(MemoryStorage::new()));
    let (login, alice) = (world.login(), account("alice"));
    let here = CachedStorage::new(cache(), Arc::clone(&storage));
    let cx = login.storage_context().unwrap();
    here.link(&cx, &alice, &token("one")).await.unwrap();
    let first = find(&login, &here, &alice).await.unwrap();
    storage.replace(&cx, &first, Change::Token(&token("two"))).await.unwrap();

    let seen = find(&login, &here, &alice).await.unwrap();
    assert_eq!(seen, first, "as the cache has it");
    let late = here.replace(&cx, &seen, Change::Token(&token("late"))).await.unwrap();
    let Replaced::Changed(Some(now)) = late else { panic!("{late:?}") };
    assert!(now.token == token("two"));
    assert_eq!(find(&login, &here, &alice).await, Some(now), "the cache knows it, too");
}

#[tokio::test]
async fn a_load_that_began_before_a_change_does_not_put_the_old_token_back() {
    let (world, (storage, watched, watch)) = (World::new(), watched());
    let (login, alice) = (world.login(), account("alice"));
    let cached = Arc::new(CachedStorage::new(cache(), watched));
    let cx = login.storage_context().unwrap();
    cached.link(&cx, &alice, &token("one")).await.unwrap();
    let Account { owner, service, subject } = alice.clone();
    for subject in [Some(&*subject), None] {
        cached.link(&cx, &alice, &token("one")).await.unwrap();
        watch.stops.store(true, Ordering::SeqCst);
        let early = cached.load(&cx, &owner, &service, subject);
        let change = async {
            watch.has_stopped.acquire().await.unwrap().forget();
            let seen = storage.load(&cx, &owner, &service, None).await.unwrap().unwrap();
            cached.replace(&cx, &seen, Change::Token(&token("two"))).await.unwrap();
            watch.goes_on.add_permits(1);
        };
        let (early, ()) = tokio::join!(early, change);
        assert!(early.unwrap().unwrap().token == token("one"), "it had read that");
        let found = cached.load(&cx, &owner, &service, subject).await.unwrap().unwrap();
        assert!(found.token == token("two"));
    }
}

#[tokio::test]
async fn a_change_whose_caller_is_gone_is_seen_nevertheless() {
    let (world, (_, watched, watch)) = (World::new(), watched());
    let (login, alice) = (world.login(), account("alice"));
    let cached = CachedStorage::new(cache(), watched);
    let cx = login.storage_context().unwrap();
    cached.link(&cx, &alice, &token("one")).await.unwrap();
    let seen = find(&login, &cached, &alice).await.unwrap();
    watch.stops.store(true, Ordering::SeqCst);
    let two = token("two");
    tokio::select! {
        biased;
        _ = cached.replace(&cx, &seen, Change::Token(&two)) => panic!("it stops"),
        stopped = watch.has_stopped.acquire() => stopped.unwrap().forget(),
    }
    assert!(find(&login, &cached, &alice).await.unwrap().token == token("two"));
    world.wait(MAX_AGE);
    assert!(find(&login, &cached, &alice).await.unwrap().token == token("two"));
}

#[tokio::test]
async fn two_processes_with_a_cache_each_send_one_refresh() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let keys = KeyRing::new([&[1; 32]]).unwrap();
    let logins = [0, 1].map(|_| {
        let storage = FileStorage::open(folder.path()).unwrap();
        // So old that each process still has the token of the last round when the next begins.
        let storage = CachedStorage::new(cache(), storage).max_age(48 * HOUR);
        world.login_with(keys.clone()).storage(storage)
    });
    let mut browser = Browser::new(logins[0].attach(pages()));
    browser.log_in(&world.service, "/album", 7).await;
    let mut accounts = logins[1].accounts::<GitHub>().unwrap();
    let account = accounts.next().await.unwrap().unwrap().account();
    for period in 1..=4 {
        world.wait(HOUR);
        world.service.ends_access_tokens();
        let mut all = JoinSet::new();
        // First one process alone, so that the other has an old entry.
        for number in if period % 2 == 0 { 0..20 } else { 0..1 } {
            let (login, account) = (logins[number % 2].clone(), account.clone());
            all.spawn(async move {
                let github = login.linked::<GitHub>(&account).await.unwrap();
                github.get::<serde_json::Value>("user").await.unwrap()
            });
        }
        for me in all.join_all().await {
            assert_eq!(me["login"], "user-7");
        }
        assert_eq!(world.service.times_asked(Purpose::Refresh), period);
    }
    let github = logins[1].linked::<GitHub>(&account).await.unwrap();
    assert_eq!(github.get::<serde_json::Value>("user").await.unwrap()["login"], "user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 4);
}

/// A cache whose verbs fail when they are told to.
struct Failing {
    cache: MemoryCache,
    find: AtomicBool,
    keep: AtomicBool,
    forget: AtomicBool,
}

impl Failing {
    fn check(flag: &AtomicBool) -> Result<(), StorageError> {
        if flag.load(Ordering::SeqCst) { Err(StorageError::Unavailable) } else { Ok(()) }
    }
}

impl TokenCache for Shared {
    async fn find(&self, key: &CacheKey) -> Result<(u64, Option<Vec<u8>>), StorageError> {
        Failing::check(&self.0.find)?;
        self.0.cache.find(key).await
    }

    async fn keep(
        &self,
        key: &CacheKey,
        mark: u64,
        entry: Vec<u8>,
        max_age: Duration,
    ) -> Result<(), StorageError> {
        Failing::check(&self.0.keep)?;
        self.0.cache.keep(key, mark, entry, max_age).await
    }

    async fn forget(
        &self,
        key: &CacheKey,
        mark: u64,
        max_age: Duration,
    ) -> Result<(), StorageError> {
        Failing::check(&self.0.forget)?;
        self.0.cache.forget(key, mark, max_age).await
    }
}

struct Shared(Arc<Failing>);

#[tokio::test]
async fn a_cache_that_fails_is_as_if_there_were_none() {
    let (world, (_, watched, watch)) = (World::new(), watched());
    let (login, alice) = (world.login(), account("alice"));
    let failing = Arc::new(Failing {
        cache: cache(),
        find: AtomicBool::default(),
        keep: AtomicBool::default(),
        forget: AtomicBool::default(),
    });
    let cached = CachedStorage::new(Shared(Arc::clone(&failing)), watched);
    let cx = login.storage_context().unwrap();
    for flag in [&failing.find, &failing.keep] {
        flag.store(true, Ordering::SeqCst);
        cached.link(&cx, &alice, &token("one")).await.unwrap();
        watch.loads.store(0, Ordering::SeqCst);
        for _ in 0..3 {
            assert!(find(&login, &cached, &alice).await.unwrap().token == token("one"));
        }
        assert_eq!(watch.loads.load(Ordering::SeqCst), 6);
        flag.store(false, Ordering::SeqCst);
        // It is asked again after a second.
        world.wait(Duration::from_secs(1));
    }
    // The cache has the token, and learns of no change.
    find(&login, &cached, &alice).await.unwrap();
    failing.forget.store(true, Ordering::SeqCst);
    assert!(cached.unlink(&cx, &alice).await.unwrap());
    assert_eq!(find(&login, &cached, &alice).await, None);
    cached.link(&cx, &alice, &token("two")).await.unwrap();
    for wait in [Duration::ZERO, MAX_AGE - Duration::from_millis(1), Duration::from_millis(1)] {
        world.wait(wait);
        assert!(find(&login, &cached, &alice).await.unwrap().token == token("two"));
    }
}

#[tokio::test]
async fn in_front_of_cookies_nobody_sees_the_account_of_another() {
    let world = World::new();
    let login = world.login().storage(CachedStorage::new(cache(), CookieStorage));
    let app = login.attach(pages());
    let (mut ada, mut bob) = (Browser::new(app.clone()), Browser::new(app));
    ada.log_in(&world.service, "/album", 7).await;
    assert_eq!(ada.visit("/maybe").await.text, "number 7");
    assert_eq!(bob.visit("/maybe").await.text, "nobody");
}

#[tokio::test]
async fn two_sites_over_one_cache_have_entries_of_their_own() {
    let (world, alice) = (World::new(), account("alice"));
    let storage = CachedStorage::new(cache(), MemoryStorage::new());
    let keys = KeyRing::new([&[1; 32]]).unwrap();
    let (one, two) = (world.login_with(keys.clone()), world.login_with(keys).at("/admin/login"));
    storage.link(&one.storage_context().unwrap(), &alice, &token("one")).await.unwrap();
    find(&one, &storage, &alice).await.unwrap();
    // A storage in a database has tables for each; this one has none.
    storage.link(&two.storage_context().unwrap(), &alice, &token("two")).await.unwrap();
    assert!(find(&two, &storage, &alice).await.unwrap().token == token("two"));
    assert!(find(&one, &storage, &alice).await.unwrap().token == token("one"), "its entry stays");
}

/// A cache that somebody else may write to.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<HashMap<CacheKey, Vec<u8>>>>);

impl TokenCache for Open {
    async fn find(&self, key: &CacheKey) -> Result<(u64, Option<Vec<u8>>), StorageError> {
        Ok((0, self.0.lock().unwrap().get(key).cloned()))
    }

    async fn keep(
        &self,
        key: &CacheKey,
        _: u64,
        entry: Vec<u8>,
        _: Duration,
    ) -> Result<(), StorageError> {
        self.0.lock().unwrap().insert(*key, entry);
        Ok(())
    }

    async fn forget(&self, key: &CacheKey, _: u64, _: Duration) -> Result<(), StorageError> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }
}

#[tokio::test]
async fn an_entry_that_somebody_changed_or_moved_brings_no_account_back() {
    let (world, cache) = (World::new(), Open::default());
    let (login, alice, bob) = (world.login(), account("alice"), account("bob"));
    let cached = CachedStorage::new(cache.clone(), MemoryStorage::new());
    let cx = login.storage_context().unwrap();
    cached.link(&cx, &alice, &token("one")).await.unwrap();
    find(&login, &cached, &alice).await.unwrap();
    let kept = cache.0.lock().unwrap().clone();
    cached.link(&cx, &bob, &token("bob")).await.unwrap();
    find(&login, &cached, &bob).await.unwrap();
    let bobs: Vec<_> = cache.0.lock().unwrap().keys().copied().collect();
    cached.unlink(&cx, &alice).await.unwrap();
    cached.unlink(&cx, &bob).await.unwrap();

    // What was written back as it was lasts until it is too old.
    cache.0.lock().unwrap().clone_from(&kept);
    assert!(find(&login, &cached, &alice).await.is_some());
    world.wait(MAX_AGE);
    cache.0.lock().unwrap().clone_from(&kept);
    assert_eq!(find(&login, &cached, &alice).await, None);
    world.clock.set(world.clock.now() - MAX_AGE);

    let length = kept.values().map(Vec::len).min().unwrap();
    let put = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut entries = kept.clone();
        entries.values_mut().for_each(change);
        *cache.0.lock().unwrap() = entries;
    };
    for later in [Duration::ZERO, MAX_AGE, HOUR] {
        world.wait(later);
        for at in 0..length {
            for bit in 0..8 {
                put(&|entry| entry[at] ^= 1 << bit);
                assert_eq!(find(&login, &cached, &alice).await, None, "byte {at}, bit {bit}");
            }
        }
        world.clock.set(world.clock.now() - later);
    }
    put(&|entry| entry.truncate(length / 2));
    assert_eq!(find(&login, &cached, &alice).await, None);
    // In the place of another owner's.
    let entry = kept.values().next().unwrap();
    *cache.0.lock().unwrap() = bobs.iter().map(|key| (*key, entry.clone())).collect();
    assert_eq!(find(&login, &cached, &bob).await, None);
}
