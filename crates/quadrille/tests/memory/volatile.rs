//! A store over a cache that loses what it has, or does not answer.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use quadrille::{
    Actor, KeyRing, Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        Client,
        store::{
            AccessRecord, Answer, Answered, Approval, Bought, Clients as _, CodeRecord, DeviceCode,
            Grant, Grants as _, Identifier, Issue, IssuerId, Issuers as _, KnownSince, MemoryStore,
            Outcome, Part as _, PendingKind, PendingRecord, PendingRef, PendingState, Redeemed,
            RevokeAll, RowId, RowIds, StoreError, TokenRef, Transfer as _, VolatileCache as _,
            VolatileEntry, VolatileKey, VolatileMemory, VolatileStore,
        },
    },
    testing::ManualClock,
};

use crate::lent::Lent;

struct World {
    clock: ManualClock,
    database: Arc<MemoryStore>,
    issuer: IssuerId,
}

type Store = VolatileStore<Arc<MemoryStore>, Lent>;

impl World {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let database = Arc::new(MemoryStore::new(clock.env()));
        let issuer = database.issuer("https://id.example").await.unwrap();
        database.know_client(issuer, Some(RowId(1)), "app").await.unwrap();
        Self { clock, database, issuer }
    }

    /// The store of one process.
    fn process(&self, cache: &Lent, keys: u8) -> Store {
        let (database, ring) = (Arc::clone(&self.database), KeyRing::new([&[keys; 32]]).unwrap());
        VolatileStore::new(database, cache.clone(), ring, self.clock.env())
    }

    fn later(&self, seconds: u64) -> Timestamp {
        self.clock.now() + Duration::from_secs(seconds)
    }

    fn grant(&self, id: i64) -> Grant {
        Grant {
            id: RowId(id),
            client: "app".into(),
            actor: Actor::User("ada".into()),
            scopes: Scopes::EMPTY,
            resources: Resources::EMPTY,
            authentication: None,
            details: None,
        }
    }

    fn code(&self, row: i64) -> CodeRecord {
        CodeRecord {
            row: RowId(row),
            hash: [7; 32],
            grant: self.grant(row),
            redirect_uri: None,
            challenge: None,
            expires: self.later(60),
            redeemed: false,
        }
    }

    fn issue(&self, row: i64, grant: Grant) -> Issue {
        let (row, hash, expires) = (RowId(row), [8; 32], self.later(3600));
        let (binding, exchange) = (None, None);
        Issue {
            access: AccessRecord { row, hash, grant, expires, binding, exchange },
            family: None,
        }
    }

    fn device(&self, row: i64) -> PendingRecord {
        PendingRecord {
            row: RowId(row),
            identifier: Identifier::Row([9; 32]),
            user_code: Some([1; 32]),
            client: "app".into(),
            scopes: Scopes::EMPTY,
            resources: Resources::EMPTY,
            expires: self.later(600),
            state: PendingState::Pending,
            kind: PendingKind::Device(DeviceCode { from: None }),
        }
    }

    fn approval(&self, row: i64) -> Answer {
        let approval = Approval { proof: None, grant: self.grant(row + 1) };
        let outcome = Outcome::Pending(RowId(row), Some(approval));
        Answer { outcome, asked: Scopes::EMPTY, consent: None }
    }

    fn bought(&self, row: i64) -> Bought {
        Bought::Tokens(Box::new(self.issue(row + 2, self.grant(row + 1))))
    }

    async fn has_token(&self, row: i64) -> bool {
        let token = TokenRef::Row { row: RowId(row), hash: [8; 32] };
        self.database.access(self.issuer, &token).await.unwrap().is_some()
    }
}

fn by_device_code(row: i64) -> PendingRef {
    PendingRef::Identifier(TokenRef::Row { row: RowId(row), hash: [9; 32] })
}

async fn state(store: &Store, world: &World, row: i64) -> Option<PendingState> {
    let found = store.pending(world.issuer, &by_device_code(row)).await.unwrap();
    found.map(|found| found.state.clone())
}

#[tokio::test]
async fn a_code_that_the_cache_lost_buys_nothing_and_the_next_one_does() {
    let (world, cache) = (World::new().await, Lent::new());
    let store = world.process(&cache, 1);
    store.put_code(world.issuer, world.code(10)).await.unwrap();
    let emptied = world.process(&Lent::new(), 1);
    let issue = world.issue(20, world.grant(10));
    let redeemed = emptied.redeem(world.issuer, RowId(10), issue).await.unwrap();
    assert_eq!(redeemed, Redeemed::Unknown);
    assert!(!world.has_token(20).await);
    emptied.put_code(world.issuer, world.code(11)).await.unwrap();
    let issue = world.issue(21, world.grant(11));
    let redeemed = emptied.redeem(world.issuer, RowId(11), issue).await.unwrap();
    assert_eq!(redeemed, Redeemed::Issued);
}

#[tokio::test]
async fn a_code_of_one_process_is_redeemed_once_at_another() {
    let (world, cache) = (World::new().await, Lent::new());
    let [first, second] = [world.process(&cache, 1), world.process(&cache, 1)];
    first.put_code(world.issuer, world.code(10)).await.unwrap();
    assert_eq!(
        second.code(world.issuer, RowId(10)).await.unwrap().as_deref(),
        Some(&world.code(10))
    );
    assert_eq!(world.database.code(world.issuer, RowId(10)).await.unwrap(), None);
    let issue = |row| world.issue(row, world.grant(10));
    let redeemed = second.redeem(world.issuer, RowId(10), issue(20)).await.unwrap();
    assert_eq!(redeemed, Redeemed::Issued);
    let again = first.redeem(world.issuer, RowId(10), issue(21)).await.unwrap();
    assert_eq!(again, Redeemed::Replayed(RowId(10)));
    assert!(world.has_token(20).await && !world.has_token(21).await);
}

#[tokio::test]
async fn a_cache_that_is_away_issues_nothing_and_codes_are_good_again_when_it_is_back() {
    let (world, cache) = (World::new().await, Lent::new());
    let store = world.process(&cache, 1);
    store.put_code(world.issuer, world.code(10)).await.unwrap();
    cache.is_away.store(true, Ordering::SeqCst);
    let issue = || world.issue(20, world.grant(10));
    for error in [
        store.redeem(world.issuer, RowId(10), issue()).await.unwrap_err(),
        store.code(world.issuer, RowId(10)).await.unwrap_err(),
        store.put_code(world.issuer, world.code(11)).await.unwrap_err(),
        store.put_pending(world.issuer, world.device(12)).await.unwrap_err(),
        store.pending(world.issuer, &by_device_code(12)).await.unwrap_err(),
        store.newest().await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::CacheUnavailable(_)) && error.is_transient());
        assert_eq!(error.kind(), "cache_unavailable");
    }
    assert!(!world.has_token(20).await);
    cache.is_away.store(false, Ordering::SeqCst);
    let redeemed = store.redeem(world.issuer, RowId(10), issue()).await.unwrap();
    assert_eq!(redeemed, Redeemed::Issued);
}

#[tokio::test]
async fn what_a_user_has_answered_outlives_the_cache() {
    let (world, cache) = (World::new().await, Lent::new());
    let store = world.process(&cache, 1);
    for row in [100, 200] {
        let device = PendingRecord { user_code: None, ..world.device(row) };
        assert!(store.put_pending(world.issuer, device).await.unwrap());
        assert_eq!(state(&store, &world, row).await, Some(PendingState::Pending));
    }
    let answered = store.answer(world.issuer, world.approval(100)).await.unwrap();
    assert_eq!(answered, Answered::First);
    let emptied = world.process(&Lent::new(), 1);
    assert!(matches!(state(&emptied, &world, 100).await, Some(PendingState::Approved(_))));
    assert_eq!(state(&emptied, &world, 200).await, None, "that device begins again");
    let bought = world.bought(100);
    let redeemed = emptied.redeem_pending(world.issuer, RowId(100), bought).await.unwrap();
    assert_eq!(redeemed, Redeemed::Issued);
    let bought = world.bought(100);
    let again = store.redeem_pending(world.issuer, RowId(100), bought).await.unwrap();
    assert_eq!(again, Redeemed::Replayed(RowId(101)), "also with the cache of then");
    let answered = emptied.answer(world.issuer, world.approval(200)).await.unwrap();
    assert_eq!(answered, Answered::Spent, "it approves nothing that is lost");
}

#[tokio::test]
async fn what_a_user_has_answered_needs_no_cache() {
    let (world, cache) = (World::new().await, Lent::new());
    let store = world.process(&cache, 1);
    for row in [100, 200] {
        store.put_pending(world.issuer, world.device(row)).await.unwrap();
    }
    store.answer(world.issuer, world.approval(100)).await.unwrap();
    // A page's code is stored with the consent.
    world.database.put_code(world.issuer, world.code(10)).await.unwrap();
    let revoked = RowId(5_000);
    let what = RevokeAll::Subject("bob".into());
    store.revoke_all(world.issuer, what, revoked).await.unwrap();
    cache.is_away.store(true, Ordering::SeqCst);
    let code = store.code(world.issuer, RowId(10)).await.unwrap();
    assert_eq!(code.as_deref(), Some(&world.code(10)));
    for (row, expected) in [(20, Redeemed::Issued), (21, Redeemed::Replayed(RowId(10)))] {
        let issue = world.issue(row, world.grant(10));
        assert_eq!(store.redeem(world.issuer, RowId(10), issue).await.unwrap(), expected);
    }
    assert!(matches!(state(&store, &world, 100).await, Some(PendingState::Approved(_))));
    let bought = store.redeem_pending(world.issuer, RowId(100), world.bought(100)).await.unwrap();
    assert_eq!(bought, Redeemed::Issued);
    let waiting = store.pending(world.issuer, &by_device_code(200)).await.unwrap_err();
    assert_eq!(waiting.kind(), "cache_unavailable", "it may be there");
    assert!(store.floor().await.unwrap() >= revoked);
}

/// A cache whose entry is again as it was before the answer, as a snapshot would have it.
#[tokio::test]
async fn a_request_that_comes_back_unanswered_is_not_approved_or_redeemed_twice() {
    let (world, cache, snapshot) = (World::new().await, Lent::new(), Lent::new());
    for cache in [&cache, &snapshot] {
        let put = world.process(cache, 1).put_pending(world.issuer, world.device(100)).await;
        assert!(put.unwrap());
    }
    let store = world.process(&cache, 1);
    store.answer(world.issuer, world.approval(100)).await.unwrap();
    let bought = store.redeem_pending(world.issuer, RowId(100), world.bought(100)).await.unwrap();
    assert_eq!(bought, Redeemed::Issued);
    let restored = world.process(&snapshot, 1);
    let again = restored.answer(world.issuer, world.approval(100)).await.unwrap();
    assert_eq!(again, Answered::Spent);
    let again = restored.redeem_pending(world.issuer, RowId(100), world.bought(100)).await.unwrap();
    assert_eq!(again, Redeemed::Replayed(RowId(101)));
}

#[tokio::test]
async fn what_the_cache_has_from_before_a_restore_is_not_known() {
    let (world, cache) = (World::new().await, Lent::new());
    let store = world.process(&cache, 1);
    let now = RowId::last_at(world.clock.now()).0;
    let (code, device) = (now + 1, now + 2);
    store.put_code(world.issuer, world.code(code)).await.unwrap();
    store.put_pending(world.issuer, world.device(device)).await.unwrap();
    assert!(store.code(world.issuer, RowId(code)).await.unwrap().is_some());
    assert!(state(&store, &world, device).await.is_some());
    world.clock.advance(Duration::from_secs(5));
    let restored = KnownSince::moment(world.clock.now());
    world.database.raise_known_since(restored).await.unwrap();
    assert_eq!(store.code(world.issuer, RowId(code)).await.unwrap(), None);
    let issue = world.issue(code + 10, world.grant(code));
    let redeemed = store.redeem(world.issuer, RowId(code), issue).await.unwrap();
    assert_eq!(redeemed, Redeemed::Unknown);
    assert_eq!(state(&store, &world, device).await, None, "that device begins again");
    assert!(!world.has_token(code + 10).await);
    world.clock.advance(Duration::from_secs(5));
    let later = RowId::last_at(world.clock.now()).0;
    store.put_code(world.issuer, world.code(later)).await.unwrap();
    assert!(store.code(world.issuer, RowId(later)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_record_that_was_not_sealed_for_its_key_is_none() {
    let (world, cache) = (World::new().await, Lent::new());
    let (ours, theirs) = (world.process(&cache, 1), world.process(&cache, 2));
    theirs.put_code(world.issuer, world.code(10)).await.unwrap();
    theirs.put_pending(world.issuer, world.device(11)).await.unwrap();
    assert_eq!(ours.code(world.issuer, RowId(10)).await.unwrap(), None);
    assert_eq!(ours.pending(world.issuer, &by_device_code(11)).await.unwrap(), None);
    let issue = world.issue(20, world.grant(10));
    let redeemed = ours.redeem(world.issuer, RowId(10), issue).await.unwrap();
    assert_eq!(redeemed, Redeemed::Unknown);

    // Copied under the key of another code.
    let key = |row: i64| VolatileKey::new("code", world.issuer.0, &row.to_be_bytes());
    ours.put_code(world.issuer, world.code(12)).await.unwrap();
    let now = world.clock.now();
    let found = cache.find(&key(12), now).await.unwrap().unwrap();
    assert!(!found.value.windows(3).any(|window| window == b"ada"), "nor does it name the user");
    let copy = VolatileEntry::new(found.value, found.expires);
    assert!(cache.add(&key(13), copy, now).await.unwrap());
    assert_eq!(ours.code(world.issuer, RowId(13)).await.unwrap(), None);
}

#[tokio::test]
async fn the_removal_of_a_user_ends_a_code_in_the_cache_also_after_the_clock_was_set_back() {
    let (world, cache) = (World::new().await, Lent::new());
    let store = world.process(&cache, 1);
    let ahead = RowId::last_at(world.later(3600));
    store.put_code(world.issuer, world.code(ahead.0)).await.unwrap();
    assert!(store.newest().await.unwrap() >= ahead);
}

#[tokio::test]
async fn a_number_that_somebody_wrote_into_the_cache_uses_no_numbers_up() {
    let (world, cache) = (World::new().await, Lent::new());
    let store = world.process(&cache, 1);
    let (far, now) = (RowId(i64::MAX - 9_000_000), world.clock.now());
    let entry = VolatileEntry::new(Vec::new(), world.later(60)).row(far);
    assert!(cache.add(&VolatileKey::new("test", 1, &[1]), entry, now).await.unwrap());
    let newest = store.newest().await.unwrap();
    assert_eq!(newest, RowId::last_at(world.later(86_400)));
    let rows = RowIds::new(world.clock.env());
    assert!(rows.draw_above(&store, newest).await.unwrap() > newest);
    // Nor do they wrap.
    for floor in [far, RowId::MAX] {
        let error = rows.draw_above(&store, floor).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    }
}

#[tokio::test]
async fn a_full_cache_in_the_process_drops_what_expires_first() {
    let clock = ManualClock::new();
    let (cache, now) = (VolatileMemory::new(3), clock.now());
    let key = |name| VolatileKey::new("test", 1, &[name]);
    for (name, seconds) in [(1, 50), (2, 10), (3, 70), (4, 60)] {
        let entry = VolatileEntry::new(vec![name], now + Duration::from_secs(seconds));
        assert!(cache.add(&key(name), entry, now).await.unwrap());
    }
    let mut left = Vec::new();
    for name in 1..=4 {
        left.extend(cache.find(&key(name), now).await.unwrap().map(|_| name));
    }
    assert_eq!(left, [1, 3, 4]);
    assert_eq!(cache.sweep(now + Duration::from_secs(65)).await.unwrap(), 2);
    assert_eq!(cache.sweep(now + Duration::from_secs(65)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_removed_client_s_code_buys_nothing() {
    let (world, cache) = (World::new().await, Lent::new());
    let store = world.process(&cache, 1);
    store.put_code(world.issuer, world.code(10)).await.unwrap();
    store.know_client(world.issuer, None, "app").await.unwrap();
    let issue = world.issue(20, world.grant(10));
    let redeemed = store.redeem(world.issuer, RowId(10), issue).await.unwrap();
    assert_eq!(redeemed, Redeemed::Revoked);
    let found: Option<Arc<Client>> = store.client(world.issuer, "app").await.unwrap();
    assert!(found.is_none() && !world.has_token(20).await);
}
