//! A refresh that the store carries out, and whose client is told an error: the statement was given up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use quadrille::{
    KeyRing, Policy, Timestamp,
    oauth2::Resources,
    provider::{
        AuthorizationServer, Error, NewClient, OperatorError,
        store::{
            AccessRecord, Answer, Answered, Bought, Changes, CodeRecord, Consent, CredentialRecord,
            FamilyRecord, Grants, Issue, IssuerId, KnownSince, LiveGrant, MemoryStore, Part, Parts,
            PendingRecord, PendingRef, Redeemed, RevokeAll, Rotated, Rotation, RowId, Store,
            StoreError, TokenRef,
        },
    },
    testing::ManualClock,
};

use crate::support::{CALLBACK, ISSUER, World};

/// The longest time of a statement.
const STATEMENT: Duration = Duration::from_secs(12);

/// Grants in a database whose next rotation is carried out, but answered with an error after the
/// longest time of a statement.
#[derive(Clone)]
struct Hanging {
    store: Arc<MemoryStore>,
    clock: ManualClock,
    hangs: Arc<AtomicBool>,
}

macro_rules! forwarded {
    ($($part:ident [$($more:tt)*] {$(
        $verb:ident($($name:ident: $type:ty),*) -> $output:ty;
    )*})*) => {$(
        impl $part for Hanging {
            $($more)*
            $(
                async fn $verb(&self, $($name: $type),*) -> Result<$output, StoreError> {
                    self.store.$verb($($name),*).await
                }
            )*
        }
    )*};
}

forwarded! {
    Part [] {
        newest() -> RowId;
        floor() -> RowId;
        changes(issuer: IssuerId, position: i64) -> Changes;
        sweep(now: Timestamp) -> u64;
    }
    Grants [
        fn longest_rotation(&self) -> Duration {
            STATEMENT
        }

        async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
            let rotated = self.store.rotate(issuer, rotation).await?;
            if self.hangs.swap(false, Ordering::SeqCst) {
                self.clock.advance(STATEMENT);
                return Err(StoreError::unavailable("no answer within 12 s"));
            }
            Ok(rotated)
        }
    ] {
        known_client(issuer: IssuerId, id: &str) -> Option<RowId>;
        know_client(issuer: IssuerId, number: Option<RowId>, id: &str) -> bool;
        answer(issuer: IssuerId, answer: Answer) -> Answered;
        put_code(issuer: IssuerId, code: CodeRecord) -> ();
        code(issuer: IssuerId, row: RowId) -> Option<Arc<CodeRecord>>;
        redeem(issuer: IssuerId, code: RowId, issue: Issue) -> Redeemed;
        issue(issuer: IssuerId, issue: Issue) -> bool;
        import(issuer: IssuerId, access: AccessRecord) -> ();
        access(issuer: IssuerId, token: &TokenRef) -> Option<Arc<AccessRecord>>;
        family(issuer: IssuerId, row: RowId) -> Option<Arc<FamilyRecord>>;
        put_pending(issuer: IssuerId, pending: PendingRecord) -> bool;
        pending(issuer: IssuerId, reference: &PendingRef) -> Option<Arc<PendingRecord>>;
        redeem_pending(issuer: IssuerId, pending: RowId, bought: Bought) -> Redeemed;
        credential(issuer: IssuerId, token: &TokenRef) -> Option<Arc<CredentialRecord>>;
        revoke_grant(issuer: IssuerId, grant: RowId, until: Timestamp) -> bool;
        revoke_all(issuer: IssuerId, what: RevokeAll, last: RowId) -> ();
        subject_since(issuer: IssuerId, subject: &str) -> Option<RowId>;
        uses_known_since() -> KnownSince;
        consent(issuer: IssuerId, subject: &str, client: &str, at: &Resources) -> Option<Consent>;
        consents(issuer: IssuerId, subject: &str) -> Vec<Consent>;
        grants(issuer: IssuerId, subject: &str) -> Vec<LiveGrant>;
    }
}

/// A store, its clock, and the switch that lets the next rotation hang.
fn store() -> (impl Store, ManualClock, Arc<AtomicBool>) {
    let (clock, hangs) = (ManualClock::new(), Arc::new(AtomicBool::new(false)));
    let store = Arc::new(MemoryStore::new(clock.env()));
    let grants =
        Hanging { store: Arc::clone(&store), clock: clock.clone(), hangs: Arc::clone(&hangs) };
    (Parts::of(store).grants(grants), clock, hangs)
}

async fn world() -> (World, Arc<AtomicBool>) {
    let (store, clock, hangs) = store();
    let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
    (World::build(store, clock, Policy::safe(), new, |server| server).await, hangs)
}

#[tokio::test]
async fn a_client_that_got_an_error_gets_the_successor_when_it_tries_again() {
    for pause in [0, 10, 17] {
        let (world, hangs) = world().await;
        let first = world.tokens("ada").await.refresh.unwrap();
        hangs.store(true, Ordering::SeqCst);
        assert_eq!(world.refresh(&first).await.status(), 503);
        world.clock.advance(Duration::from_secs(pause));
        let again = world.refresh(&first).await.tokens();
        assert_eq!(world.refresh(&first).await.tokens().refresh, again.refresh, "one successor");
        assert!(world.is_good(&again.access).await, "{pause}");
        let next = world.refresh(&again.refresh.unwrap()).await.tokens();
        assert!(world.is_good(&next.access).await, "{pause}");
    }
}

#[tokio::test]
async fn a_token_that_comes_later_than_a_client_would_try_again_is_a_copy() {
    let (world, hangs) = world().await;
    let first = world.tokens("ada").await;
    let refresh = first.refresh.unwrap();
    hangs.store(true, Ordering::SeqCst);
    assert_eq!(world.refresh(&refresh).await.status(), 503);
    world.clock.advance(Policy::safe().refresh_repeat_window - STATEMENT);
    assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
    assert!(!world.is_good(&first.access).await);
}

#[tokio::test]
async fn a_server_whose_clients_could_not_try_again_in_time_does_not_start() {
    let start = async |seconds| {
        let (store, clock, _) = store();
        let policy = Policy::safe().refresh_repeat_window(Duration::from_secs(seconds));
        let server = AuthorizationServer::new(ISSUER, store).unwrap().env(clock.env());
        server.keys(KeyRing::new([&[7; 32]]).unwrap()).policy(policy).start().await
    };
    assert!(start(22).await.is_ok());
    let error = start(21).await.unwrap_err();
    let Error::Operator(OperatorError::RepeatWindow { window, least }) = error else {
        panic!("{error}");
    };
    assert_eq!((window.as_secs(), least.as_secs()), (21, 22));
    assert!(error.to_string().contains("may be repeated for 21s"), "{error}");
}
