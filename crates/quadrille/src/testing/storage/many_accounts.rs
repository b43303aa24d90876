//! Many accounts, of many owners.

use crate::{
    Owner,
    consumer::{Account, Change, Replaced, Token, TokenStorage},
};

use super::{
    run,
    world::{EXACT, World, account, current, find, token},
};

/// In every part of their keys: case, trailing space, and where one part ends.
pub async fn accounts_are_told_apart_byte_by_byte<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let mut all: Vec<_> =
        EXACT.iter().flat_map(|a| EXACT.iter().map(|b| account(a, "github", b))).collect();
    all.extend([account("alice", "git", "hub"), account("alice", "github", "")]);
    all.extend([account("alice", "crm~acme", "7"), account("alice", "crm~ACME", "7")]);
    let browser = Owner::from_key("b:alice");
    all.extend([Owner::NOBODY, browser].map(|owner| Account { owner, ..account("", "git", "7") }));
    for (number, account) in all.iter().enumerate() {
        let token = token(&world, &number.to_string());
        storage.link(&world.visit(), account, &token).await.unwrap();
    }
    for (number, account) in all.iter().enumerate() {
        let found = find(storage, &world, account).await.unwrap();
        assert_eq!(found.account, *account);
        assert_eq!(found.token, token(&world, &number.to_string()), "{account:?}");
    }
}

/// Not the one refreshed last.
pub async fn without_a_subject_the_one_linked_last_is_found<S: TokenStorage>(storage: &S) {
    let world = World::new();
    for subject in ["2", "3", "1"] {
        let account = account("alice", "github", subject);
        storage.link(&world.visit(), &account, &token(&world, subject)).await.unwrap();
        assert_eq!(current(storage, &world, &account).await.as_deref(), Some(subject));
    }
    let first = account("alice", "github", "2");
    let seen = find(storage, &world, &first).await.unwrap();
    let refreshed = token(&world, "refreshed");
    storage.replace(&world.visit(), &seen, Change::Token(&refreshed)).await.unwrap();
    assert_eq!(current(storage, &world, &first).await.as_deref(), Some("1"));
    storage.link(&world.visit(), &first, &refreshed).await.unwrap();
    assert_eq!(current(storage, &world, &first).await.as_deref(), Some("2"));
    storage.unlink(&world.visit(), &first).await.unwrap();
    assert_eq!(current(storage, &world, &first).await.as_deref(), Some("1"));
}

/// Of the same owner, and of others.
pub async fn unlinking_one_leaves_the_others<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let all = [
        account("alice", "github", "7"),
        account("alice", "github", "8"),
        account("alice", "gitlab", "7"),
        account("bob", "github", "7"),
    ];
    for account in &all {
        storage.link(&world.visit(), account, &token(&world, "one")).await.unwrap();
    }
    let [gone, left @ ..] = &all;
    // Outside a request, too.
    assert!(storage.unlink(&world.outside(), gone).await.unwrap());
    assert_eq!(find(storage, &world, gone).await, None);
    for account in left {
        assert!(find(storage, &world, account).await.is_some(), "{account:?}");
    }
}

/// Each once, of one service only, also when some come and go between the pages.
pub async fn accounts_come_page_by_page_in_the_order_of_their_keys<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let mut all: Vec<_> = (0..25)
        .map(|number| account(&format!("user-{}", number % 7), "github", &number.to_string()))
        .chain(EXACT.map(|text| account(text, "github", text)))
        .collect();
    all.push(Account { owner: Owner::NOBODY, ..account("", "github", "7") });
    for account in &all {
        storage.link(&world.visit(), account, &token(&world, &account.subject)).await.unwrap();
        let elsewhere = Account { service: "gitlab".into(), ..account.clone() };
        storage.link(&world.visit(), &elsewhere, &token(&world, "elsewhere")).await.unwrap();
    }
    all.sort();
    let mut found: Vec<Account> = Vec::new();
    loop {
        let cx = world.outside();
        let page = storage.accounts(&cx, "github", found.last(), 10).await.unwrap();
        assert!(page.len() <= 10);
        if page.is_empty() {
            break;
        }
        for stored in &page {
            let account = &stored.account;
            assert_eq!(stored.token, token(&world, &account.subject), "{account:?}");
            assert_eq!(find(storage, &world, account).await.as_ref(), Some(stored));
        }
        found.extend(page.into_iter().map(|stored| stored.account));
        // What the next page begins after may be gone by then.
        storage.unlink(&cx, found.last().unwrap()).await.unwrap();
    }
    assert_eq!(found, all);
    assert!(storage.accounts(&world.outside(), "git", None, 10).await.unwrap().is_empty());
}

/// Exactly one, at the same time, on threads.
pub async fn one_of_many_replaces_what_all_have_seen<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let account = account("alice", "github", "7");
    storage.link(&world.outside(), &account, &token(&world, "0")).await.unwrap();
    for round in 0..20 {
        let seen = find(storage, &world, &account).await.unwrap();
        let replace = async |number: usize| {
            let token = token(&world, &format!("{round}-{number}"));
            let done = storage.replace(&world.outside(), &seen, Change::Token(&token)).await;
            (token, done.unwrap())
        };
        let done: Vec<(Token, Replaced)> = std::thread::scope(|threads| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let replace = &replace;
                    threads.spawn(move || {
                        let mut done = None;
                        run(async { done = Some(replace(number).await) });
                        done.unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let now = find(storage, &world, &account).await.unwrap();
        let mut winners = 0;
        for (token, done) in done {
            match done {
                Replaced::Done(stored) => {
                    winners += 1;
                    assert_eq!((&stored, &stored.token), (&now, &token));
                }
                Replaced::Changed(stored) => assert_eq!(stored.as_ref(), Some(&now)),
            }
        }
        assert_eq!(winners, 1, "round {round}");
    }
}
