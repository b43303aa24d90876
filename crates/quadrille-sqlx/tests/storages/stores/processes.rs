//! Two processes over one database: each is a store on a pool of its own.

use std::sync::Arc;

use quadrille::provider::store::{
    Change, Grants as _, Issue, Issuers as _, OnceKeys as _, Part as _, Redeemed, Rotated, RowId,
    Store, TokenRef,
};
use tokio::task::JoinSet;

use super::{
    Open, on_each_store,
    world::{access, code, family, grant, hash, issue, issuer, rotation, token},
};

const RACERS: i64 = 200;

on_each_store! {
    of_200_requests_with_one_code_one_gets_tokens
    of_200_requests_with_one_refresh_token_one_rotates_it
    a_refresh_token_that_stays_serves_200_requests
    of_200_uses_of_a_key_one_is_the_first
    tokens_that_are_issued_at_once_are_all_stored
    look_ups_at_once_find_each_their_own_row
    an_entry_that_fails_fails_alone
    every_change_is_told_once_while_two_processes_make_them
}

/// Runs a verb 200 times at once, on two stores by turns.
async fn race<S: Store, T: Send + 'static, F>(
    stores: &[Arc<S>; 2],
    verb: impl Fn(Arc<S>, i64) -> F,
) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let mut all = JoinSet::new();
    for (racer, store) in (0..RACERS).zip(stores.iter().cycle()) {
        all.spawn(verb(Arc::clone(store), racer));
    }
    all.join_all().await
}

fn count<T>(all: &[T], is_counted: impl Fn(&T) -> bool) -> usize {
    all.iter().filter(|one| is_counted(one)).count()
}

async fn of_200_requests_with_one_code_one_gets_tokens<O: Open>() {
    let (_database, stores) = O::two().await;
    let issuer = issuer(&*stores[0]).await;
    stores[0].put_code(issuer, code(1000)).await.unwrap();
    let all = race(&stores, move |store, racer| async move {
        let bought = Issue { access: access(2000 + racer, grant(1000, "alice")), family: None };
        store.redeem(issuer, RowId(1000), bought).await.unwrap()
    });
    let all = all.await;
    assert_eq!(count(&all, |one| *one == Redeemed::Issued), 1);
    assert_eq!(count(&all, |one| *one == Redeemed::Replayed(RowId(1000))), 199);
    let mut stored = 0;
    for row in 2000..2000 + RACERS {
        stored += usize::from(stores[1].access(issuer, &token(row)).await.unwrap().is_some());
    }
    assert_eq!(stored, 1);
}

async fn of_200_requests_with_one_refresh_token_one_rotates_it<O: Open>() {
    let (_database, stores) = O::two().await;
    let issuer = issuer(&*stores[0]).await;
    let held = family(1000);
    let issued = Issue { family: Some(held.clone()), ..issue(1000) };
    stores[0].issue(issuer, issued).await.unwrap();
    let all = race(&stores, move |store, racer| {
        let rotation = rotation(&held, 2000 + racer);
        async move { store.rotate(issuer, rotation).await.unwrap() }
    });
    let all = all.await;
    assert_eq!(count(&all, |one| *one == Rotated::Issued), 1);
    let now = stores[1].family(issuer, RowId(1000)).await.unwrap().unwrap();
    assert_eq!(now.generation, 1);
    assert_eq!(count(&all, |one| matches!(one, Rotated::Lost(lost) if *lost == now)), 199);
}

async fn a_refresh_token_that_stays_serves_200_requests<O: Open>() {
    let (_database, stores) = O::two().await;
    let issuer = issuer(&*stores[0]).await;
    let held = family(1000);
    let issued = Issue { family: Some(held.clone()), ..issue(1000) };
    stores[0].issue(issuer, issued).await.unwrap();
    let all = race(&stores, move |store, racer| {
        let mut rotation = rotation(&held, 2000 + racer);
        rotation.successor = None;
        async move { store.rotate(issuer, rotation).await.unwrap() }
    });
    assert_eq!(count(&all.await, |one| *one == Rotated::Issued), 200);
    for row in 2000..2000 + RACERS {
        assert!(stores[0].access(issuer, &token(row)).await.unwrap().is_some(), "{row}");
    }
}

async fn of_200_uses_of_a_key_one_is_the_first<O: Open>() {
    let (_database, stores) = O::two().await;
    let issuer = issuer(&*stores[0]).await;
    let expires = code(1).expires;
    let all = race(&stores, move |store, _| async move {
        store.remember_once(issuer, "nonce", hash(1), expires).await.unwrap()
    });
    assert_eq!(count(&all.await, |first| *first), 1);
}

async fn tokens_that_are_issued_at_once_are_all_stored<O: Open>() {
    let (_database, stores) = O::two().await;
    let issuer = issuer(&*stores[0]).await;
    race(&stores, move |store, racer| async move {
        store.issue(issuer, issue(2000 + racer)).await.unwrap();
        assert!(store.access(issuer, &token(2000 + racer)).await.unwrap().is_some());
    })
    .await;
    assert_eq!(stores[1].grants(issuer, "alice").await.unwrap().len(), 200);
}

/// Each row is looked for with the right issuer, with another one, and with a wrong hash.
async fn look_ups_at_once_find_each_their_own_row<O: Open>() {
    let (_database, stores) = O::two().await;
    let issuer = issuer(&*stores[0]).await;
    let other = stores[0].issuer("https://other.example").await.unwrap();
    for row in 2000..2010 {
        let issued = Issue { family: Some(family(row)), ..issue(row) };
        stores[0].issue(issuer, issued).await.unwrap();
        stores[0].put_code(issuer, code(row)).await.unwrap();
    }
    race(&stores, move |store, racer| async move {
        let row = 2000 + racer % 20;
        let found = store.access(issuer, &token(row)).await.unwrap();
        let expected = (row < 2010).then_some(RowId(row));
        assert_eq!(found.map(|found| found.row), expected);
        let wrong = TokenRef::Row { row: RowId(row), hash: hash(1) };
        assert_eq!(store.access(issuer, &wrong).await.unwrap(), None);
        assert_eq!(store.access(other, &token(row)).await.unwrap(), None);
        let found = store.family(issuer, RowId(row)).await.unwrap();
        assert_eq!(found.map(|found| found.row), expected);
        assert_eq!(store.family(other, RowId(row)).await.unwrap(), None);
        let found = store.code(issuer, RowId(row)).await.unwrap();
        assert_eq!(found.map(|found| found.row), expected);
        assert_eq!(store.code(other, RowId(row)).await.unwrap(), None);
    })
    .await;
}

/// A number of a row that is taken.
async fn an_entry_that_fails_fails_alone<O: Open>() {
    let (_database, stores) = O::two().await;
    let issuer = issuer(&*stores[0]).await;
    stores[0].issue(issuer, issue(2007)).await.unwrap();
    let all = race(&stores, move |store, racer| async move {
        (racer, store.issue(issuer, issue(2000 + racer)).await)
    });
    for (racer, issued) in all.await {
        assert_eq!(issued.is_err(), racer == 7, "{racer}: {issued:?}");
    }
    for row in 2000..2000 + RACERS {
        assert!(stores[1].access(issuer, &token(row)).await.unwrap().is_some(), "{row}");
    }
}

async fn every_change_is_told_once_while_two_processes_make_them<O: Open>() {
    let (_database, stores) = O::two().await;
    let issuer = issuer(&*stores[0]).await;
    let until = code(1).expires;
    let start = stores[0].changes(issuer, -1).await.unwrap().position;
    let reader = Arc::clone(&stores[1]);
    let reading = tokio::spawn(async move {
        let (mut position, mut told) = (start, Vec::new());
        while told.len() < 200 {
            let page = reader.changes(issuer, position).await.unwrap();
            assert!(!page.gap && page.position >= position);
            position = page.position;
            told.extend(page.changes);
        }
        told
    });
    race(&stores, move |store, racer| async move {
        assert!(store.revoke_grant(issuer, RowId(5000 + racer), until).await.unwrap());
    })
    .await;
    let told = reading.await.unwrap();
    for row in 5000..5000 + RACERS {
        let of_row = |change: &&Change| **change == Change::Grant(RowId(row));
        assert_eq!(told.iter().filter(of_row).count(), 1, "{row}");
    }
    assert_eq!(told.len(), 200);
}
