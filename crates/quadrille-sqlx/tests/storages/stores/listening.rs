//! Processes that hear at once what others change. The clock of their caches stands still.

use std::{sync::Arc, time::Duration};

use quadrille::{
    provider::store::{Grants, IssuerId, Part, RowId, Store},
    testing::{ManualClock, cached},
};
use quadrille_sqlx::PgStore;

use super::{
    becomes, behind_pgbouncer,
    world::{clock_now, issue, issuer, token},
};
use crate::databases::{Database as _, Postgres};

/// Two processes: one that serves and remembers the tokens 100 and 101, and another one.
struct Two {
    database: Postgres,
    listening: Arc<PgStore>,
    other: PgStore,
    issuer: IssuerId,
    clock: ManualClock,
}

impl Two {
    async fn new() -> Self {
        let (database, clock) = (Postgres::new().await, clock_now());
        let listening = PgStore::open(database.pool().await, clock.env()).await.unwrap();
        let other = PgStore::open(database.pool().await, clock.env()).await.unwrap();
        let issuer = issuer(&other).await;
        for row in [100, 101] {
            other.issue(issuer, issue(row)).await.unwrap();
        }
        Self { database, listening: Arc::new(listening), other, issuer, clock }
    }

    /// The store as a server uses it.
    async fn serving(&self) -> impl Store + use<> {
        let serving = cached(Arc::clone(&self.listening), self.clock.env());
        for row in [100, 101, 100, 101] {
            assert!(is_valid(&serving, self.issuer, row).await);
        }
        serving
    }

    async fn revoke(&self, row: i64) {
        let until = self.clock.now() + Duration::from_secs(3600);
        assert!(self.other.revoke_grant(self.issuer, RowId(row), until).await.unwrap());
    }
}

async fn is_valid(store: &impl Store, issuer: IssuerId, row: i64) -> bool {
    store.access(issuer, &token(row)).await.unwrap().is_some()
}

async fn hears(store: &impl Part) {
    becomes("the store listens", || async { store.heard() > 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_revoked_by_another_process_is_refused_at_once() {
    let two = Two::new().await;
    two.listening.listen();
    hears(&*two.listening).await;
    let serving = two.serving().await;
    two.revoke(100).await;
    becomes("it is refused", || async { !is_valid(&serving, two.issuer, 100).await }).await;
    assert!(is_valid(&serving, two.issuer, 101).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_listening_it_is_refused_half_a_second_later() {
    let two = Two::new().await;
    let serving = two.serving().await;
    two.revoke(100).await;
    assert!(is_valid(&serving, two.issuer, 100).await, "this is what listening is for");
    two.clock.advance(Duration::from_millis(500));
    assert!(!is_valid(&serving, two.issuer, 100).await);
    assert_eq!(two.listening.heard(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_connection_what_was_missed_is_looked_for() {
    let two = Two::new().await;
    two.listening.listen();
    hears(&*two.listening).await;
    let serving = two.serving().await;
    let pool = two.database.pool().await;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    let ended: i64 = sqlx::query_scalar(end).fetch_one(&pool).await.unwrap();
    assert_eq!(ended, 1);
    two.revoke(100).await;
    becomes("it is refused", || async { !is_valid(&serving, two.issuer, 100).await }).await;
    two.revoke(101).await;
    becomes("it hears again", || async { !is_valid(&serving, two.issuer, 101).await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pgbouncer_a_direct_connection_hears() {
    let two = Two::new().await;
    let clock = two.clock.env();
    let pooled = Arc::new(behind_pgbouncer(&two.database, clock).await);
    pooled.listen_at(two.database.pool().await.connect_options().as_ref().clone());
    hears(&*pooled).await;
    let two = Two { listening: pooled, ..two };
    let serving = two.serving().await;
    two.revoke(100).await;
    becomes("it is refused", || async { !is_valid(&serving, two.issuer, 100).await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_heard_the_half_second_remains() {
    let two = Two::new().await;
    let nowhere = "postgres://postgres@127.0.0.1:1/nothing".parse().unwrap();
    two.listening.listen_at(nowhere);
    let serving = two.serving().await;
    two.revoke(100).await;
    two.clock.advance(Duration::from_millis(500));
    assert!(!is_valid(&serving, two.issuer, 100).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_announces_wakes_its_other_processes_and_no_cache() {
    let two = Two::new().await;
    two.listening.listen();
    hears(&*two.listening).await;
    let (changes, seen) = (two.listening.heard(), two.listening.announced_after(0).await);
    two.other.announce().await;
    let heard = tokio::time::timeout(Duration::from_secs(60), two.listening.announced_after(seen));
    assert_eq!(heard.await, Ok(seen + 1));
    assert_eq!(two.listening.heard(), changes);
}
