//! Giving back what has expired.

use std::time::Duration;

use crate::{
    provider::store::{Grant, Issue, RowId, RowIds, Store},
    testing::ManualClock,
};

use super::world::{World, hash};

/// And what lives stays.
pub async fn what_expired_is_given_back_by_sweeping<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let put = async |row, seconds| {
        let expires = world.later(seconds);
        let grant = world.grant(row);
        let mut issue = Issue {
            access: world.access(row, grant.clone()),
            family: Some(world.family(row + 1, grant)),
        };
        issue.access.expires = expires;
        issue.family.as_mut().unwrap().expires = expires;
        store.issue(world.issuer, issue).await.unwrap();
        store.remember_once(world.issuer, "nonce", hash(row), expires).await.unwrap();
        let mut session = world.session("alice", row);
        session.expires = expires;
        store.put_session(world.issuer, session, None).await.unwrap();
        let mut code = world.code(row + 2);
        code.expires = expires;
        store.put_code(world.issuer, code).await.unwrap();
    };
    put(1000, 60).await;
    put(2000, 7200).await;
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 0);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 5);
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 0);
    for (row, lives) in [(1000, false), (2000, true)] {
        assert_eq!(world.issued(row).await.is_some(), lives);
        let family = store.family(world.issuer, RowId(row + 1)).await.unwrap();
        assert_eq!(family.is_some(), lives);
        let code = store.code(world.issuer, RowId(row + 2)).await.unwrap();
        assert_eq!(code.is_some(), lives);
        let session = store.session(world.issuer, &hash(row)).await.unwrap();
        assert_eq!(session.is_some(), lives);
    }
}

/// So that nobody needs to remember to sweep.
pub async fn what_expired_is_given_back_by_issuing<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let rows = RowIds::new(clock.env());
    let mut tokens = Vec::new();
    for round in 0..6 {
        for _ in 0..100 {
            let row = rows.draw(store).await.unwrap().0;
            let mut access = world.access(row, Grant { id: RowId(row), ..world.grant(1) });
            access.expires = world.later(60);
            store.issue(world.issuer, Issue { access, family: None }).await.unwrap();
            tokens.push((round, row));
        }
        clock.advance(Duration::from_secs(600));
    }
    let mut left = 0;
    for (round, row) in tokens {
        if round < 4 && world.issued(row).await.is_some() {
            left += 1;
        }
    }
    assert!(left < 100, "{left} of 400 tokens that expired long ago are still there");
}
