//! The numbers of issuers, and the changes reported to them.

use crate::{
    provider::store::{Change, RevokeAll, RowId, Store},
    testing::ManualClock,
};

use super::{
    checked::{Checked, holds, same},
    world::{CLIENT, World, client},
};

/// Changes of one verb, more than a store with small pages returns at a time.
const MANY: i64 = 300;

/// The number stays the same and differs from other issuers'.
pub async fn an_issuer_keeps_its_number<S: Store>(store: &S, _: &ManualClock) {
    let store = Checked(store);
    let first = store.issuer("https://id.example").await;
    let other = store.issuer("https://id.example/").await;
    holds("issuers that differ in a slash have different numbers", first != other);
    let upper = store.issuer("https://ID.example").await;
    holds("issuers that differ in case have different numbers", upper != first);
    let rule = "`issuer` gives an issuer the same number each time";
    same(rule, store.issuer("https://id.example").await, first);
    same(rule, store.issuer("https://id.example/").await, other);
}

/// Each once, in order, and only to its own issuer: other processes go on accepting from their
/// cache what is not reported.
pub async fn changes_are_told_in_order_to_their_issuer<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let mut position = store.changes(world.issuer, -1).await.position;
    let mut theirs = store.changes(other, -1).await.position;
    // The changes that the last verb reported to this issuer, and to the other one.
    let mut told = async |rule, to_this: Vec<Change>, to_other: Vec<Change>| {
        let here = store.changes(world.issuer, position).await;
        let there = store.changes(other, theirs).await;
        holds("`changes` has no gap after the newest position", !here.gap && !there.gap);
        (position, theirs) = (here.position, there.position);
        same(rule, here.changes, to_this);
        same("`changes` tells each issuer its own changes only", there.changes, to_other);
    };
    let client_changed = |id: &str| vec![Change::Client(id.into())];
    let alice = || vec![Change::Subject("alice".into())];

    store.replace_client(world.issuer, client("new", 3)).await;
    told("`changes` tells a client that was added", client_changed("new"), vec![]).await;
    store.replace_client(world.issuer, client("new", 4)).await;
    told("`changes` tells a client that was changed", client_changed("new"), vec![]).await;
    store.put_client(world.issuer, client("new", 5), None).await;
    told("`changes` tells no change that was refused", vec![], vec![]).await;
    store.replace_client(other, client("theirs", 4)).await;
    let rule = "`changes` tells each issuer its own changes only";
    told(rule, vec![], client_changed("theirs")).await;

    store.revoke_grant(world.issuer, RowId(500), world.later(60)).await;
    let rule = "`changes` tells a grant that was revoked";
    told(rule, vec![Change::Grant(RowId(500))], vec![]).await;
    let again = store.revoke_grant(world.issuer, RowId(500), world.later(60)).await;
    holds("a repeated `revoke_grant` says that it revoked nothing", !again);
    told("`changes` does not tell a repeated revocation again", vec![], vec![]).await;

    let subject = || "alice".into();
    let consent = RevokeAll::Consent { subject: subject(), client: CLIENT.into() };
    store.revoke_all(world.issuer, consent, RowId(600)).await;
    let rule = "`changes` tells a consent that was withdrawn, as a change of its subject";
    told(rule, alice(), vec![]).await;
    let never = RevokeAll::Consent { subject: subject(), client: "new".into() };
    store.revoke_all(world.issuer, never, RowId(600)).await;
    let rule =
        "`changes` tells a withdrawal also where no consent was remembered: tokens die of it";
    told(rule, alice(), vec![]).await;
    store.revoke_all(world.issuer, RevokeAll::Subject(subject()), RowId(600)).await;
    told("`changes` tells a person who was cut off", alice(), vec![]).await;
    store.revoke_all(world.issuer, RevokeAll::Removed(subject()), RowId(600)).await;
    told("`changes` tells a person who was removed", alice(), vec![]).await;

    store.remove_client(world.issuer, "new").await;
    told("`changes` tells a client that was removed", client_changed("new"), vec![]).await;
    store.remove_client(world.issuer, "new").await;
    told("`changes` does not tell a client that was removed before", vec![], vec![]).await;
}

/// A returning process receives everything in order, or learns of a gap.
pub async fn changes_are_told_from_a_position_or_with_a_gap<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let start = store.changes(world.issuer, -1).await;
    let rule = "`changes` after -1 tells a newcomer the newest position, with a gap and no changes";
    same(rule, (start.gap, start.changes), (true, Vec::new()));
    let none = store.changes(world.issuer, start.position).await;
    let rule = "`changes` after the newest position tells nothing, without a gap";
    same(rule, (none.gap, none.position, none.changes), (false, start.position, Vec::new()));

    let mut expected = Vec::new();
    for number in 0..50 {
        store.revoke_grant(world.issuer, RowId(1000 - number), world.later(60)).await;
        expected.push(Change::Grant(RowId(1000 - number)));
    }
    let told = store.changes(world.issuer, start.position).await;
    let rule = "`changes` tells all that changed after a position, in the order in which it did";
    same(rule, (told.gap, told.changes), (false, expected));
    let none = store.changes(world.issuer, told.position).await;
    let rule = "`changes` after the position that it told last tells nothing again";
    same(rule, (none.gap, none.changes), (false, Vec::new()));

    let ahead = store.changes(world.issuer, told.position + 1000).await;
    let rule = "`changes` after a position that was never given out is a gap, as of a store that was \
        put back from a backup";
    same(rule, (ahead.gap, ahead.changes), (true, Vec::new()));
    let none = store.changes(world.issuer, ahead.position).await;
    holds("the position that goes with a gap is one to go on from", !none.gap);
}

/// A process that reads now and then misses nothing, however much changes meanwhile.
pub async fn many_changes_are_told_page_by_page_or_with_a_gap<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let start = store.changes(issuer, -1).await.position;
    let all: Vec<_> = (0..MANY).map(|number| client(&format!("c{number:04}"), 100)).collect();
    let expected: Vec<_> = all.iter().map(|client| Change::Client(client.id.clone())).collect();
    store.add_clients(issuer, all).await;
    let (mut position, mut told, mut is_whole) = (start, Vec::new(), true);
    loop {
        let page = store.changes(issuer, position).await;
        is_whole &= !page.gap;
        let is_last = page.position == position || page.gap;
        position = page.position;
        told.extend(page.changes);
        if is_last {
            break;
        }
    }
    if is_whole {
        let rule = "`changes` tells many changes page by page, each once and in order";
        same(rule, told, expected);
    }
    store.revoke_grant(issuer, RowId(500), world.later(60)).await;
    let page = store.changes(issuer, position).await;
    let rule = "`changes` goes on from the position after many changes";
    same(rule, (page.gap, page.changes), (false, vec![Change::Grant(RowId(500))]));
}
