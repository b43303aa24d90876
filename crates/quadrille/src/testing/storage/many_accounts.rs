//! Many accounts, of many owners.

use crate::{
    Owner,
    consumer::{Account, Change, Replaced, Token, TokenStorage},
    testing::rules::{holds, same},
};

use super::{
    at_once,
    checked::Checked,
    one_account::Whole,
    world::{EXACT, World, account, token},
};

/// Every part of the key counts: case, trailing space, and the boundaries of parts.
pub async fn accounts_are_told_apart_byte_by_byte<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let mut all: Vec<_> =
        EXACT.iter().flat_map(|a| EXACT.iter().map(|b| account(a, "github", b))).collect();
    all.extend([account("alice", "git", "hub"), account("alice", "github", "")]);
    all.extend([account("alice", "crm~acme", "7"), account("alice", "crm~ACME", "7")]);
    // An issuer and a subject of 255 characters.
    let long = "7".repeat(511);
    all.extend(["a", "b"].map(|end| account("alice", "github", &format!("{long}{end}"))));
    let browser = Owner::from_key("b:alice");
    all.extend([Owner::NOBODY, browser].map(|owner| Account { owner, ..account("", "git", "7") }));
    for (number, account) in all.iter().enumerate() {
        storage.link(&world.visit(), account, &token(&world, &number.to_string())).await;
    }
    for (number, account) in all.iter().enumerate() {
        let found = storage.find(&world, account).await;
        let found = found.as_ref().map(|found| (&found.account, Whole(&found.token)));
        let token = token(&world, &number.to_string());
        let rule = "accounts are told apart byte for byte, by owner, service and subject";
        same(rule, found, Some((account, Whole(&token))));
    }
}

/// A refresh does not count.
pub async fn without_a_subject_the_one_linked_last_is_found<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let rule = "`load` without a subject finds the account that was linked last";
    for subject in ["2", "3", "1"] {
        let account = account("alice", "github", subject);
        storage.link(&world.visit(), &account, &token(&world, subject)).await;
        same(rule, storage.current(&world, &account).await.as_deref(), Some(subject));
    }
    let first = account("alice", "github", "2");
    let seen = storage.find(&world, &first).await;
    let refreshed = token(&world, "refreshed");
    if let Some(seen) = seen {
        storage.replace(&world.visit(), &seen, Change::Token(&refreshed)).await;
    }
    let current = storage.current(&world, &first).await;
    same("`replace` does not make an account the current one", current.as_deref(), Some("1"));
    storage.link(&world.visit(), &first, &refreshed).await;
    let rule = "`link` of an account that is linked already makes it the current one";
    same(rule, storage.current(&world, &first).await.as_deref(), Some("2"));
    storage.unlink(&world.visit(), &first).await;
    let rule = "after the current account was unlinked, the one linked before it is found";
    same(rule, storage.current(&world, &first).await.as_deref(), Some("1"));
}

/// Of the same owner, and of others.
pub async fn changing_one_leaves_the_others<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let all = [
        account("alice", "github", "7"),
        account("alice", "github", "8"),
        account("alice", "gitlab", "7"),
        account("bob", "github", "7"),
    ];
    let [one, others @ ..] = &all;
    let mut left = Vec::new();
    let seen = storage.linked(&world, one, &token(&world, "one")).await;
    for account in others {
        left.push(storage.linked(&world, account, &token(&world, "other")).await);
    }
    // Outside of a request, too.
    let two = token(&world, "two");
    let done = storage.replace(&world.outside(), &seen, Change::Token(&two)).await;
    let mut seen = seen;
    if let Replaced::Done(now) = done {
        seen = now;
    }
    let unchanged = async |rule| {
        for before in &left {
            same(rule, storage.find(&world, &before.account).await.as_ref(), Some(before));
        }
    };
    unchanged("`replace` of one account leaves the others").await;
    storage.replace(&world.outside(), &seen, Change::NeedsLinkingAgain).await;
    unchanged("a token that has ended leaves the other accounts").await;
    let rule = "`unlink` works outside a request";
    holds(rule, storage.unlink(&world.outside(), one).await);
    let rule = "an account that was unlinked outside a request is no longer found";
    same(rule, storage.find(&world, one).await, None);
    unchanged("`unlink` of one account leaves the others").await;
}

/// Each account once, only of this service, even if accounts come and go between pages.
pub async fn accounts_come_page_by_page_in_the_order_of_their_keys<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let mut all: Vec<_> = (0..25)
        .map(|number| account(&format!("user-{}", number % 7), "github", &number.to_string()))
        .chain(EXACT.map(|text| account(text, "github", text)))
        .collect();
    all.push(Account { owner: Owner::NOBODY, ..account("", "github", "7") });
    for account in &all {
        let seen = storage.linked(&world, account, &token(&world, &account.subject)).await;
        if account.subject.starts_with('1') {
            storage.replace(&world.visit(), &seen, Change::NeedsLinkingAgain).await;
        }
        let elsewhere = Account { service: "gitlab".into(), ..account.clone() };
        storage.link(&world.visit(), &elsewhere, &token(&world, "elsewhere")).await;
    }
    all.sort();
    let mut found: Vec<Account> = Vec::new();
    // One page more than necessary.
    for _ in 0..=all.len() {
        let cx = world.outside();
        let page = storage.accounts(&cx, "github", found.last(), 10).await;
        let rule = "`accounts` gives at most as many as the limit says";
        holds(format_args!("{rule}: {} of 10", page.len()), page.len() <= 10);
        let Some(last) = page.last() else { break };
        for stored in &page {
            let rule = "`accounts` gives each account as `load` finds it";
            same(rule, Some(stored), storage.find(&world, &stored.account).await.as_ref());
        }
        let last = last.account.clone();
        found.extend(page.into_iter().map(|stored| stored.account));
        // The account before the next page may be removed by then.
        storage.unlink(&cx, &last).await;
    }
    let rule = "`accounts` gives each account of the service once, in the order of their keys";
    same(rule, found, all);
    let rule = "`accounts` compares services byte for byte";
    same(rule, storage.accounts(&world.outside(), "git", None, 10).await, Vec::new());
}

/// Exactly one thread, at the same time.
pub async fn one_of_many_replaces_what_all_have_seen<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let account = account("alice", "github", "7");
    let mut seen = storage.linked(&world, &account, &token(&world, "0")).await;
    for round in 0..20 {
        let done: Vec<(Token, Replaced)> = at_once(8, async |number| {
            let token = token(&world, &format!("{round}-{number}"));
            let done = storage.replace(&world.outside(), &seen, Change::Token(&token)).await;
            (token, done)
        });
        let now = storage.find(&world, &account).await;
        let mut winners = 0;
        for (token, done) in done {
            match done {
                Replaced::Done(stored) => {
                    winners += 1;
                    let rule = "of any number of `replace`s at once the token of the one that is told \
                        so is kept";
                    same(rule, Whole(&stored.token), Whole(&token));
                    same(rule, Some(&stored), now.as_ref());
                }
                Replaced::Changed(stored) => {
                    let rule =
                        "of any number of `replace`s at once the others are told what there is now";
                    same(rule, stored.as_ref(), now.as_ref());
                }
            }
        }
        let rule = "of any number of `replace`s at once one changes what all have seen";
        same(rule, winners, 1);
        let Some(now) = now else { return };
        seen = now;
    }
}
