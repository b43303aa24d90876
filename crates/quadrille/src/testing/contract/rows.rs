//! The numbers of rows, and of the workers that draw them.

use std::{collections::HashSet, time::Duration};

use crate::{
    provider::store::{
        Answer, Bought, Issue, Outcome, PendingRecord, PendingState, RevokeAll, RowId, RowIds,
        Store, StoreError,
    },
    testing::ManualClock,
};

use super::{
    checked::{Checked, holds, same},
    registration,
    world::World,
};

/// While their leases last; a successor must not draw numbers for its predecessor's time.
pub async fn no_two_hold_the_same_worker_number<S: Store>(store: &S, clock: &ManualClock) {
    let (now, expires) = (clock.now(), clock.now() + Duration::from_millis(60_500));
    let store = Checked(store);
    let first = store.lease(None, [1; 16], now, expires).await;
    let rule = "`lease` keeps the holder, and the end to the millisecond";
    same(rule, (first.holder, first.expires), ([1; 16], expires));
    let second = store.lease(None, [2; 16], now, expires).await;
    let rule = "`lease` gives no two holders the same number";
    holds(rule, first.number != second.number);
    let later = expires + Duration::from_secs(60);
    let renewed = store.lease(Some(first), [1; 16], now, later).await;
    let rule = "`lease` renews the number of its holder";
    same(rule, (renewed.number, renewed.expires), (first.number, later));
    let forged = store.lease(Some(first), [9; 16], now, later).await;
    let rule = "`lease` renews a number for nobody but its holder";
    holds(rule, forged.number != first.number);

    clock.set(expires + Duration::from_millis(1));
    let third = store.lease(None, [3; 16], clock.now(), later).await;
    if third.number == second.number {
        let rule = "`lease` lets nobody draw rows for times of the holder before (`not_before`)";
        holds(rule, third.not_before >= second.expires);
        let stolen = store.lease(Some(second), [2; 16], clock.now(), later).await;
        let rule = "`lease` does not renew a number that another holds by now";
        holds(rule, stolen.number != second.number);
    }
    let rule = "`lease` gives nobody a number whose lease was renewed";
    holds(rule, third.number != first.number);
    let mut held = HashSet::new();
    for holder in 10..60 {
        let lease = store.lease(None, [holder; 16], clock.now(), later).await;
        holds("the numbers that `lease` gives are below 1024", lease.number < 1024);
        holds("`lease` gives no two holders the same number", held.insert(lease.number));
    }
}

/// However many processes there were.
pub async fn a_worker_number_is_free_again_when_its_lease_ends<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let holder = |number: u16| {
        let mut holder = [7; 16];
        holder[..2].copy_from_slice(&number.to_be_bytes());
        holder
    };
    let raw = store;
    let store = Checked(store);
    let end = clock.now() + Duration::from_secs(60);
    let mut held = HashSet::new();
    for number in 0..1024 {
        let lease = store.lease(None, holder(number), clock.now(), end).await;
        holds("`lease` gives no two holders the same number", held.insert(lease.number));
    }
    clock.set(end - Duration::from_millis(1));
    let none = raw.lease(None, holder(2000), clock.now(), end).await;
    let rule = "`lease` fails with `StoreError::Busy` while all numbers are held";
    holds(rule, matches!(none, Err(StoreError::Busy)));
    clock.set(end);
    let later = end + Duration::from_secs(60);
    let rule = "`lease` gives a number away again from the time at which its lease ends";
    let again = raw.lease(None, holder(2000), clock.now(), later).await;
    holds(rule, again.is_ok_and(|lease| held.contains(&lease.number)));
}

/// Across processes, restarts, and steps of the clock in either direction.
pub async fn row_numbers_rise_and_never_repeat<S: Store>(store: &S, clock: &ManualClock) {
    let mut seen = HashSet::new();
    let mut running = [RowIds::new(clock.env()), RowIds::new(clock.env())];
    let start = clock.now();
    // In seconds from the start: no change, a step back, beyond the lease, and back again.
    for (step, at) in [0, 0, 100, 50, 1000, 900, 900, 5000, 4000, 4001].into_iter().enumerate() {
        clock.set(start + Duration::from_secs(at));
        for rows in &running {
            let mut last = RowId(0);
            for _ in 0..5000 {
                let row = rows.draw(store).await.unwrap();
                holds("the rows that a process draws rise", row > last && row.0 > 0);
                let rule =
                    "no row is drawn twice, as long as `lease` gives each number to one holder";
                holds(format_args!("{rule} ({row:?}, step {step})"), seen.insert(row));
                last = row;
            }
            holds("a row is of the time when it was drawn", last.time() >= clock.now());
        }
        if step % 2 == 1 {
            // A restart, orderly or not.
            let [first, _] = &mut running;
            if step % 4 == 1 {
                first.release(store).await.unwrap();
            }
            *first = RowIds::new(clock.env());
        }
    }
}

/// Even of a removed row: numbers drawn after a step of the clock must be greater.
pub async fn the_newest_number_is_known_for_ever<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (raw, store) = (store, world.store);
    let at_least = |rule, found: RowId, number: i64| holds(rule, found >= RowId(number));
    let client = "`newest` counts the number of a client, also one that was removed";
    store.replace_client(world.issuer, super::world::client("ahead", 7_000)).await;
    at_least(client, store.newest().await, 7_000);
    store.remove_client(world.issuer, "ahead").await;
    at_least(client, store.newest().await, 7_000);
    let rule = "`floor` counts the number of a client, also one that was removed";
    at_least(rule, store.floor().await, 7_000);
    store.put_code(world.issuer, world.code(8_000)).await;
    at_least("`newest` counts the row of a code", store.newest().await, 8_000);
    let issue = Issue { access: world.access(9_000, world.grant(500)), family: None };
    store.issue(world.issuer, issue).await;
    at_least("`newest` counts the row of a token", store.newest().await, 9_000);

    // Rows stored while the clock is ahead stay below all those drawn later.
    let (start, day) = (clock.now(), Duration::from_secs(86_400));
    clock.set(start + day);
    let last = RowId::last_at(clock.now());
    let what = RevokeAll::Consent { subject: "ada".into(), client: "elsewhere".into() };
    store.revoke_all(world.issuer, what, last).await;
    clock.set(start);
    same("`newest` counts up to where something was revoked", store.newest().await, last);
    holds("`floor` counts up to where something was revoked", store.floor().await >= last);
    let rows = RowIds::new(clock.env());
    let above = rows.draw_above(raw, last).await.unwrap();
    holds("`lease` serves numbers of the future, too", above > last);
    holds("numbers go on from there", rows.draw(raw).await.unwrap() > above);

    // Long after the last row expired.
    clock.set(start + day * 365);
    while store.sweep(clock.now()).await > 0 {}
    let rule = "`newest` counts up to where something was revoked, also after a sweep";
    same(rule, store.newest().await, last);
}

/// A clock that is set back makes no number smaller than one that some verb has stored.
pub async fn the_newest_number_counts_what_every_verb_stores<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let check = async |what: &str, number: i64| {
        let rule = format!("`newest` counts {what}");
        holds(rule, store.newest().await >= RowId(number));
    };
    let new = registration::arrived("registered", 10_000, None);
    store.admit(issuer, registration::admission(new, None)).await;
    check("the number of a client that `admit` stored", 10_000).await;
    store.put_initial_token(issuer, registration::token(11_000, 1, world.later(60))).await;
    check("the row of an initial access token", 11_000).await;

    let code = world.code(12_000);
    let answer = Answer {
        outcome: Outcome::Ticket(world.ticket(1), Some(code.clone())),
        asked: code.grant.scopes.clone(),
        consent: None,
    };
    store.answer(issuer, answer).await;
    check("the row of a code that `answer` stored", 12_000).await;
    let tokens = |row: i64, family: Option<i64>| Issue {
        access: world.access(row, code.grant.clone()),
        family: family.map(|family| world.family(family, code.grant.clone())),
    };
    store.redeem(issuer, code.row, tokens(12_500, Some(13_000))).await;
    check("the row of a family that `redeem` stored", 13_000).await;
    store.issue(issuer, tokens(13_500, Some(14_000))).await;
    check("the row of a family that `issue` stored", 14_000).await;
    let mut early = tokens(15_000, None);
    early.access.grant.id = RowId(15_500);
    store.issue(issuer, early).await;
    check("the number of a grant", 15_500).await;
    let rotation = world.rotation(&world.family(14_000, code.grant.clone()), 16_000);
    store.rotate(issuer, rotation).await;
    check("the row of an access token that `rotate` stored", 16_000).await;
    store.import(issuer, world.access(17_000, code.grant.clone())).await;
    check("the row of an access token that `import` stored", 17_000).await;

    store.put_pending(issuer, world.pending(18_000)).await;
    check("the row of a pending request", 18_000).await;
    let approval = Outcome::Pending(RowId(18_000), Some(world.approval(19_000)));
    let asked = code.grant.scopes.clone();
    store.answer(issuer, Answer { outcome: approval, asked, consent: None }).await;
    let bought = Bought::Tokens(Box::new(tokens(20_000, Some(21_000))));
    store.redeem_pending(issuer, RowId(18_000), bought).await;
    check("the row of a family that `redeem_pending` stored", 21_000).await;
    let state = PendingState::Approved(world.approval(22_000));
    store.put_pending(issuer, PendingRecord { state, ..world.pending(21_500) }).await;
    let bought = Bought::Credential(world.credential(&world.grant(22_000)));
    store.redeem_pending(issuer, RowId(21_500), bought).await;
    check("the number of token credentials' grant", 22_000).await;
}
