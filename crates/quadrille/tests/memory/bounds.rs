//! The bounds of the memory store, beyond the numbers of the contract.

use std::{sync::Arc, time::Duration};

use quadrille::{
    Actor, Scopes, Timestamp,
    oauth2::Resources,
    provider::store::{
        AccessRecord, Change, Grant, Grants, Issue, IssuerId, MemoryStore, Part, RowId,
    },
    testing::ManualClock,
};

/// More changes than are kept.
const CHANGES: i64 = 5000;

const ISSUER: IssuerId = IssuerId(1);

#[tokio::test]
async fn a_reader_that_is_too_late_learns_it_and_others_go_on() {
    let clock = ManualClock::new();
    let store = MemoryStore::new(clock.env());
    let later = clock.now() + Duration::from_secs(60);
    for grant in 1..=CHANGES {
        store.revoke_grant(ISSUER, RowId(grant), later).await.unwrap();
    }
    let late = store.changes(ISSUER, 0).await.unwrap();
    assert_eq!((late.gap, late.position, late.changes), (true, CHANGES, vec![]));
    let told = store.changes(ISSUER, late.position - 2).await.unwrap();
    let last = [CHANGES - 1, CHANGES].map(|grant| Change::Grant(RowId(grant)));
    assert_eq!((told.gap, told.changes), (false, last.to_vec()));
}

#[tokio::test]
async fn a_grant_is_listed_however_many_others_there_are() {
    let clock = ManualClock::new();
    let store = MemoryStore::new(clock.env());
    let client: Arc<str> = "app".into();
    store.know_client(ISSUER, Some(RowId(1)), &client).await.unwrap();
    let user = |grant: i64| format!("user {}", grant % 1200);
    for grant in 1000..3500 {
        let access = AccessRecord {
            row: RowId(10_000 + grant),
            hash: [7; 32],
            grant: Grant {
                id: RowId(grant),
                client: Arc::clone(&client),
                actor: Actor::User(user(grant).into()),
                scopes: Scopes::of(["photos"]),
                resources: Resources::EMPTY,
                authentication: None,
                details: None,
            },
            expires: Timestamp::from_seconds(clock.now().seconds() + 3600),
            binding: None,
            exchange: None,
        };
        store.issue(ISSUER, Issue { access, family: None }).await.unwrap();
    }
    for grant in 1000..2200 {
        let listed = store.grants(ISSUER, &user(grant)).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|listed| listed.grant.id.0).collect();
        let of_user: Vec<_> = (grant..3500).step_by(1200).collect();
        assert_eq!(listed, of_user, "{}", user(grant));
    }
}
