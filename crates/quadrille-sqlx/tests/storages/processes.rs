//! Two processes over one database: each is a pool and a `Login` of its own.

use std::{sync::Arc, time::Duration};

use quadrille::{
    GitHub,
    consumer::{Begin, Change, Jar, Replaced, TokenStorage},
    transport::Purpose,
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    databases::Database,
    on_each_database,
    world::{LEASE, OLD, World, account, find, token},
};

on_each_database! {
    of_two_refreshes_of_one_token_one_wins
    two_hundred_owners_who_link_at_once_each_have_their_own_token
    accounts_of_one_owner_that_are_linked_at_once_are_all_there
    the_lease_of_a_process_that_was_killed_ends
    two_processes_send_one_refresh
}

async fn of_two_refreshes_of_one_token_one_wins<D: Database>() {
    let (database, first) = D::migrated().await;
    let (world, second) = (World::new(), database.open().await);
    let logins = [world.login(&[OLD], &first), world.login(&[OLD], &second)];
    let alice = account("alice", "7");
    let cx = logins[0].storage_context().unwrap();
    first.link(&cx, &alice, &token("first")).await.unwrap();
    for round in 0..20 {
        let seen = find(&logins[0], &second, &alice).await.unwrap().unwrap();
        let start = Arc::new(Barrier::new(2));
        let mut both = JoinSet::new();
        for (number, storage) in [&first, &second].into_iter().enumerate() {
            let (storage, login, seen) = (storage.clone(), logins[number].clone(), seen.clone());
            let start = Arc::clone(&start);
            both.spawn(async move {
                let token = token(format!("{round}-{number}"));
                let cx = login.storage_context().unwrap();
                start.wait().await;
                (storage.replace(&cx, &seen, Change::Token(&token)).await.unwrap(), token)
            });
        }
        let both = both.join_all().await;
        let now = find(&logins[0], &first, &alice).await.unwrap().unwrap();
        let winners: Vec<_> =
            both.iter().filter(|(done, _)| matches!(done, Replaced::Done(_))).collect();
        assert_eq!(winners.len(), 1, "{round}");
        assert!(winners[0].1 == now.token, "{round}");
        for (done, _) in &both {
            let (Replaced::Done(told) | Replaced::Changed(Some(told))) = done else { panic!() };
            assert_eq!(*told, now, "{round}");
        }
    }
}

async fn two_hundred_owners_who_link_at_once_each_have_their_own_token<D: Database>() {
    let (database, first) = D::migrated().await;
    let (world, second) = (World::new(), database.open().await);
    let mut all = JoinSet::new();
    for number in 0..200 {
        let storage = if number % 2 == 0 { first.clone() } else { second.clone() };
        let login = world.login(&[OLD], &storage);
        all.spawn(async move {
            let cx = login.storage_context().unwrap();
            storage.link(&cx, &account(number, "7"), &token(number)).await.unwrap();
        });
    }
    all.join_all().await;
    let login = world.login(&[OLD], &first);
    for number in 0..200 {
        let found = find(&login, &second, &account(number, "7")).await.unwrap();
        assert!(found.unwrap().token == token(number), "{number}");
    }
    let cx = login.storage_context().unwrap();
    let page = first.accounts(&cx, "github", None, 1000).await.unwrap();
    assert_eq!(page.len(), 200);
}

async fn accounts_of_one_owner_that_are_linked_at_once_are_all_there<D: Database>() {
    let (database, first) = D::migrated().await;
    let (world, second) = (World::new(), database.open().await);
    let login = world.login(&[OLD], &first);
    for round in 0..5 {
        let mut all = JoinSet::new();
        for number in 0..20 {
            let storage = if number % 2 == 0 { first.clone() } else { second.clone() };
            let login = login.clone();
            all.spawn(async move {
                let cx = login.storage_context().unwrap();
                let subject = (number % 10).to_string();
                let alice = account("alice", &subject);
                storage.link(&cx, &alice, &token(subject)).await.unwrap();
                if number >= 10 {
                    storage.unlink(&cx, &account("alice", "gone")).await.unwrap();
                }
            });
        }
        all.join_all().await;
        for subject in 0..10 {
            let alice = account("alice", &subject.to_string());
            let found = find(&login, &second, &alice).await.unwrap().unwrap();
            assert!(found.token == token(subject), "{round} {subject}");
        }
        let cx = login.storage_context().unwrap();
        let last = account("alice", "last");
        second.link(&cx, &last, &token("last")).await.unwrap();
        let current = first.load(&cx, &last.owner, "github", None).await.unwrap();
        assert_eq!(current.unwrap().account, last, "{round}");
        assert!(first.unlink(&cx, &last).await.unwrap(), "{round}");
    }
}

async fn the_lease_of_a_process_that_was_killed_ends<D: Database>() {
    let (database, first) = D::migrated().await;
    let (world, second) = (World::new(), database.open().await);
    let login = world.login(&[OLD], &second);
    let cx = login.storage_context().unwrap();
    let alice = account("alice", "7");
    first.link(&cx, &alice, &token("one")).await.unwrap();
    assert!(first.lease(&cx, &alice, u64::MAX, LEASE).await.unwrap());
    drop(first);
    assert!(!second.lease(&cx, &alice, 2, LEASE).await.unwrap());
    world.clock.advance(LEASE);
    assert!(second.lease(&cx, &alice, 2, LEASE).await.unwrap());

    // Nor does it stay behind when the account is removed.
    world.clock.advance(LEASE);
    assert!(second.unlink(&cx, &alice).await.unwrap());
    assert_eq!(database.numbers("SELECT COUNT(*) FROM quadrille_leases").await, [0]);
}

async fn two_processes_send_one_refresh<D: Database>() {
    let (database, first) = D::migrated().await;
    let (world, second) = (World::new(), database.open().await);
    let hour = Duration::from_secs(3600);
    world.service.change(|its| its.expire(hour, true));
    let logins = [world.login(&[OLD], &first), world.login(&[OLD], &second)];

    let leaving = Jar::new(&http::HeaderMap::new());
    let alice = quadrille::Owner::user("alice");
    let begin = Begin::new("github").owner(&alice);
    let url = logins[0].begin(&leaving, &begin).await.unwrap();
    let query = world.service.consent(&url, 7).unwrap();
    let mut headers = http::HeaderMap::new();
    for line in leaving.close() {
        let pair = line.to_str().unwrap().split(';').next().unwrap().to_owned();
        headers.append(http::header::COOKIE, pair.parse().unwrap());
    }
    let done = logins[1].finish(&Jar::new(&headers), "github", &query, &alice).await.unwrap();

    for period in 1..=3 {
        world.clock.advance(hour);
        world.service.ends_access_tokens();
        let mut all = JoinSet::new();
        for number in 0..20 {
            let (login, account) = (logins[number % 2].clone(), done.account.clone());
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
    assert_eq!(database.numbers("SELECT COUNT(*) FROM quadrille_leases").await, [0]);
}
