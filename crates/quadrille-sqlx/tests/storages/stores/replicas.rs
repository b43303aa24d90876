//! Look-ups in a streaming standby. The primary's expiry of a token is changed without telling, so that
//! an answer shows where it comes from.

use std::{sync::Arc, time::Duration};

use quadrille::{
    provider::store::{Grants, IssuerId, RowId},
    testing::{ManualClock, cached},
};
use quadrille_sqlx::{PgStore, Replica};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};

use super::{
    becomes,
    world::{clock_now, issue, issuer, token},
};
use crate::servers::{self, Server};

/// The longest lag of a replica that is used.
const LONGEST: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// A store with a standby, and another process. The tokens 100 to 109 are in the standby.
struct Replicated {
    standby: Option<Server>,
    primary: Server,
    store: Arc<PgStore>,
    other: PgStore,
    pool: PgPool,
    issuer: IssuerId,
    clock: ManualClock,
}

impl Replicated {
    /// A standby with this setting.
    async fn new(setting: &str) -> Self {
        let (primary, clock) = (servers::primary(), clock_now());
        let pool = connect(&primary).await;
        let other = PgStore::open(pool.clone(), clock.env()).await.unwrap();
        let issuer = issuer(&other).await;
        for row in 100..110 {
            other.issue(issuer, issue(row)).await.unwrap();
        }
        // The primary has told its timeline, so that a standby that lags has all changes.
        let first = PgStore::open(pool.clone(), clock.env()).await.unwrap();
        assert!(first.read_from([pool.clone()], LONGEST));
        first.replicas().await;
        let standby = servers::standby(&primary, setting);
        let store = PgStore::open(connect(&primary).await, clock.env()).await.unwrap();
        assert!(store.read_from([connect(&standby).await], LONGEST));
        let store = Arc::new(store);
        let standby = Some(standby);
        let all = Self { standby, primary, store, other, pool, issuer, clock };
        becomes("the standby has all", || async { all.replica().await.is_used }).await;
        all
    }

    /// The replica, a second later.
    async fn replica(&self) -> Replica {
        self.clock.advance(SECOND);
        self.store.replicas().await.remove(0)
    }

    /// Makes the tokens of the primary differ from those of the standby.
    async fn mark_primary(&self) {
        let mark = "UPDATE quadrille_access_tokens SET expires = expires + 1000000";
        sqlx::query(AssertSqlSafe(mark)).execute(&self.pool).await.unwrap();
    }

    /// Where a token is found.
    async fn found_in(&self, store: &impl Grants, row: i64) -> Option<Place> {
        let found = store.access(self.issuer, &token(row)).await.unwrap()?;
        let is_marked = found.expires.seconds() > issue(row).access.expires.seconds() + 500_000;
        Some(if is_marked { Primary } else { Standby })
    }

    async fn revoke(&self, row: i64) {
        let until = self.clock.now() + LONGEST * 1000;
        assert!(self.other.revoke_grant(self.issuer, RowId(row), until).await.unwrap());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Primary,
    Replica,
}
use Place::{Primary, Replica as Standby};

async fn connect(server: &Server) -> PgPool {
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port);
    PgPoolOptions::new().max_connections(4).connect(&url).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_lags_answers_until_something_is_revoked_or_it_lags_too_far() {
    let all = Replicated::new("recovery_min_apply_delay=1h").await;
    let (store, serving) = (&all.store, cached(Arc::clone(&all.store), all.clock.env()));
    all.mark_primary().await;
    assert_eq!(all.found_in(&**store, 100).await, Some(Standby));
    // A token that the standby does not have yet.
    all.other.issue(all.issuer, issue(200)).await.unwrap();
    assert!(store.access(all.issuer, &token(200)).await.unwrap().is_some());
    assert_eq!(store.access(all.issuer, &token(300)).await.unwrap(), None);
    // The lag is measured, and not too long.
    assert_eq!(all.replica().await.lag, Some(SECOND));
    assert_eq!(all.found_in(&serving, 101).await, Some(Standby));
    // The primary's answer is that of the replica half a second after a revocation at the latest.
    all.revoke(101).await;
    all.clock.advance(Duration::from_millis(500));
    assert_eq!(all.found_in(&serving, 101).await, None);
    assert_eq!(all.found_in(&**store, 101).await, None);
    assert_eq!(all.found_in(&serving, 102).await, Some(Primary), "the standby lacks the change");
    let replica = all.replica().await;
    assert!(replica.is_used && replica.lag > Some(SECOND), "{replica:?}");
    all.clock.advance(LONGEST);
    let replica = all.replica().await;
    assert!(!replica.is_used && replica.lag > Some(LONGEST), "{replica:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_lags_too_far_is_left_out() {
    let all = Replicated::new("recovery_min_apply_delay=1h").await;
    all.mark_primary().await;
    assert_eq!(all.found_in(&*all.store, 100).await, Some(Standby));
    all.clock.advance(LONGEST);
    assert!(!all.replica().await.is_used);
    assert_eq!(all.found_in(&*all.store, 101).await, Some(Primary));
}

/// A cache that has read a change is told of it once: a replica must not bring the token back.
#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_knows_of_a_revocation_gets_no_older_answer() {
    let all = Replicated::new("recovery_min_apply_delay=1h").await;
    let serving = cached(Arc::clone(&all.store), all.clock.env());
    assert!(all.found_in(&serving, 100).await.is_some());
    assert!(all.found_in(&serving, 100).await.is_some());
    all.clock.advance(Duration::from_millis(499));
    // The position is read now, and the revocation is after it.
    assert!(all.found_in(&*all.store, 102).await.is_some());
    all.revoke(101).await;
    all.clock.advance(Duration::from_millis(1));
    // The cache looks at the changes for this token.
    assert!(all.found_in(&serving, 100).await.is_some());
    assert_eq!(all.found_in(&serving, 101).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_gone_is_left_out() {
    let mut all = Replicated::new("hot_standby=on").await;
    assert!(all.found_in(&*all.store, 100).await.is_some());
    all.standby = None;
    becomes("it is noticed", || async { all.replica().await.lag.is_none() }).await;
    assert!(!all.replica().await.is_used);
    assert!(all.found_in(&*all.store, 101).await.is_some());
    all.revoke(101).await;
    assert_eq!(all.found_in(&*all.store, 101).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_follows_and_answers_again() {
    let all = Replicated::new("hot_standby=on").await;
    all.revoke(100).await;
    all.other.issue(all.issuer, issue(200)).await.unwrap();
    becomes("it has the change", || async { all.replica().await.lag == Some(Duration::ZERO) })
        .await;
    assert_eq!(all.found_in(&*all.store, 100).await, None);
    assert!(all.found_in(&*all.store, 200).await.is_some());
    assert!(!all.store.read_from([], LONGEST), "it has replicas");
}

/// The old primary and its standby go on, with a change that the new primary does not have.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_follows_the_primary_of_before_is_left_out() {
    let all = Replicated::new("hot_standby=on").await;
    let promoted = servers::standby(&all.primary, "hot_standby=on");
    let new = connect(&promoted).await;
    let standby = connect(all.standby.as_ref().unwrap()).await;
    let last = async |pool: &PgPool| {
        let last = sqlx::query_scalar::<_, i64>("SELECT last FROM quadrille_positions");
        last.fetch_one(pool).await.unwrap()
    };
    all.revoke(105).await;
    let common = last(&all.pool).await;
    becomes("the new primary has the change", || async { last(&new).await == common }).await;
    sqlx::query("SELECT pg_promote()").execute(&new).await.unwrap();
    // By its log, the standby does not lag.
    sqlx::query("SELECT pg_switch_wal()").execute(&all.pool).await.unwrap();
    all.revoke(106).await;
    becomes("its standby has the change", || async { last(&standby).await > common }).await;

    let store = PgStore::open(new.clone(), all.clock.env()).await.unwrap();
    let other = PgStore::open(new.clone(), all.clock.env()).await.unwrap();
    assert!(store.read_from([standby.clone(), all.pool.clone()], LONGEST));
    let all = Replicated { store: Arc::new(store), other, pool: new.clone(), ..all };
    let measured = async || {
        all.clock.advance(SECOND);
        all.store.replicas().await
    };
    all.mark_primary().await;
    assert_eq!(all.found_in(&*all.store, 102).await, Some(Primary), "no lag is known yet");
    let replicas = measured().await;
    assert!(replicas.iter().all(|replica| !replica.is_used && replica.lag.is_none()));
    assert_eq!(last(&new).await, last(&standby).await, "both count on from one position");
    assert_eq!(all.found_in(&*all.store, 101).await, Some(Primary), "the promotion is a change");
    let lost = all.found_in(&*all.store, 106).await;
    assert_eq!(lost, Some(Primary), "its revocation is lost");
    all.revoke(101).await;
    all.clock.advance(Duration::from_millis(500));
    assert_eq!(all.found_in(&*all.store, 101).await, None);
    let replicas = measured().await;
    assert!(replicas.iter().all(|replica| !replica.is_used));
}
