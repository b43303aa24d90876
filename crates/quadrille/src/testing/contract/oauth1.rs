//! Temporary credentials and token credentials (RFC 5849).

use std::{sync::Arc, time::Duration};

use crate::{
    Scopes, Timestamp,
    provider::{
        Actor,
        store::{
            Answer, Answered, Approval, CredentialRecord, Grant, Identifier, Outcome, Redeemed,
            RevokeAll, RowId, Store, TemporaryRecord, TemporaryState, TokenRef,
        },
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World, client, hash},
};

fn temporary<S: Store>(world: &World<'_, S>, row: i64) -> TemporaryRecord {
    TemporaryRecord {
        row: RowId(row),
        identifier: Identifier::Row(hash(row)),
        secret: b"\x00sealed\xff".as_slice().into(),
        client: CLIENT.into(),
        callback: Some("https://app.example/back?a=b%20c".parse().unwrap()),
        scopes: Scopes::of(["photos", "profile"]),
        expires: world.later(600),
        state: TemporaryState::Pending,
    }
}

fn approval<S: Store>(world: &World<'_, S>, grant: i64) -> Approval {
    Approval { verifier: hash(grant + 1), grant: world.grant(grant) }
}

/// Said on a page, with a consent to photos.
fn said<S: Store>(world: &World<'_, S>, outcome: Outcome) -> Answer {
    Answer {
        ticket: [0; 16],
        expires: world.later(60),
        outcome,
        asked: Scopes::of(["photos"]),
        consent: Some(world.consent("alice", CLIENT, "photos")),
    }
}

/// The token credentials of a grant.
fn credential<S: Store>(world: &World<'_, S>, grant: Grant) -> CredentialRecord {
    let number = grant.id.0;
    let mut access = world.access(number, grant);
    access.expires = Timestamp::NEVER;
    let secret = b"\x00other\xff".as_slice().into();
    CredentialRecord { access: Arc::new(access), is_foreign: false, secret }
}

fn ours(row: i64) -> TokenRef {
    TokenRef::Row { row: RowId(row), hash: hash(row) }
}

/// Temporary credentials in `row`, approved, and the token credentials of grant `row + 1` bought.
async fn bought<S: Store>(world: &World<'_, S>, row: i64) -> CredentialRecord {
    let store = world.store;
    store.put_temporary(world.issuer, temporary(world, row)).await;
    let approval = approval(world, row + 1);
    let credential = credential(world, approval.grant.clone());
    let answer = said(world, Outcome::Temporary(RowId(row), approval));
    let answered = store.answer(world.issuer, answer).await;
    same("the first `answer` to temporary credentials counts", answered, Answered::First);
    let redeemed = store.redeem_temporary(world.issuer, RowId(row), credential.clone()).await;
    same("the first `redeem_temporary` issues", redeemed, Redeemed::Issued);
    credential
}

/// In every state, and for its own identifier only.
pub async fn temporary_credentials_come_back_as_they_were_put<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let bare = Approval {
        verifier: hash(1),
        grant: Grant {
            actor: Actor::Client("other".into()),
            scopes: Scopes::EMPTY,
            authentication: None,
            ..world.grant(1)
        },
    };
    let states = [
        TemporaryState::Pending,
        TemporaryState::Approved(approval(&world, 50)),
        TemporaryState::Redeemed(bare),
        TemporaryState::Denied,
    ];
    for (row, state) in (100..).zip(states) {
        let put = TemporaryRecord { state, ..temporary(&world, row) };
        store.put_temporary(world.issuer, put.clone()).await;
        let found = store.temporary(world.issuer, &ours(row)).await;
        let rule = "`temporary` gives back temporary credentials as they were put, in every state";
        same(rule, found.as_deref(), Some(&put));
        let rule = "`temporary` shows no issuer temporary credentials of another issuer";
        same(rule, store.temporary(other, &ours(row)).await, None);
        let forged = TokenRef::Row { row: RowId(row), hash: hash(7) };
        let rule = "`temporary` compares the whole identifier";
        same(rule, store.temporary(world.issuer, &forged).await, None);
        let foreign = TokenRef::Foreign { hash: hash(row) };
        let rule = "`temporary` finds by its hash alone only what has an identifier of others";
        same(rule, store.temporary(world.issuer, &foreign).await, None);
    }
    let rule = "`temporary` finds no row that was never put";
    same(rule, store.temporary(world.issuer, &ours(99)).await, None);
}

/// Identifiers that the application made are found by their hash, of each kind apart.
pub async fn credentials_with_identifiers_of_others_are_found_by_their_hash<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let mut put = temporary(&world, 100);
    put.identifier = Identifier::Foreign(hash(1));
    store.put_temporary(world.issuer, put.clone()).await;
    let foreign = TokenRef::Foreign { hash: hash(1) };
    let found = store.temporary(world.issuer, &foreign).await;
    let rule = "`temporary` finds an identifier of others by its hash";
    same(rule, found.as_deref(), Some(&put));
    let rule = "`temporary` shows no issuer temporary credentials of another issuer";
    same(rule, store.temporary(other, &foreign).await, None);
    let as_row = TokenRef::Row { row: RowId(100), hash: hash(1) };
    let rule = "`temporary` finds an identifier of others not by its row";
    same(rule, store.temporary(world.issuer, &as_row).await, None);
    let rule = "`credential` finds no temporary credentials";
    same(rule, store.credential(world.issuer, &foreign).await, None);

    let answer = said(&world, Outcome::Temporary(RowId(100), approval(&world, 101)));
    store.answer(world.issuer, answer).await;
    let mut bought = credential(&world, world.grant(101));
    bought.is_foreign = true;
    Arc::make_mut(&mut bought.access).hash = hash(2);
    store.redeem_temporary(world.issuer, RowId(100), bought.clone()).await;
    let foreign = TokenRef::Foreign { hash: hash(2) };
    for _ in 0..2 {
        let found = store.credential(world.issuer, &foreign).await;
        let rule = "`credential` finds an identifier of others by its hash";
        same(rule, found.as_deref(), Some(&bought));
    }
    let rule = "`credential` shows no issuer token credentials of another issuer";
    same(rule, store.credential(other, &foreign).await, None);
    let as_row = TokenRef::Row { row: RowId(101), hash: hash(2) };
    let rule = "`credential` finds an identifier of others not by its row";
    same(rule, store.credential(world.issuer, &as_row).await, None);
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await;
    let rule = "token credentials of a grant that was revoked are dead";
    same(rule, store.credential(world.issuer, &foreign).await, None);
}

/// Whichever page asks: the first answer stands, and the consent is in with it.
pub async fn temporary_credentials_are_answered_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let put = temporary(&world, 100);
    store.put_temporary(world.issuer, put.clone()).await;
    let first = said(&world, Outcome::Temporary(RowId(100), approval(&world, 101)));
    let other = store.issuer("https://other.example").await;
    let rule = "`answer` approves no temporary credentials of another issuer";
    same(rule, store.answer(other, first.clone()).await, Answered::Spent);
    let rule = "the first `answer` to temporary credentials counts";
    same(rule, store.answer(world.issuer, first.clone()).await, Answered::First);
    let consent = store.consent(world.issuer, "alice", CLIENT).await;
    let rule = "`answer` remembers the consent that goes with temporary credentials";
    same(rule, consent.clone(), first.consent.clone());

    let state = TemporaryState::Approved(approval(&world, 101));
    let approved = TemporaryRecord { state, ..put };
    let held = Answered::Verified(Arc::new(approved.clone()));
    let mut second = said(&world, Outcome::Temporary(RowId(100), approval(&world, 201)));
    second.ticket = [1; 16];
    second.consent = Some(world.consent("alice", CLIENT, "everything"));
    for again in [first, second, said(&world, Outcome::TemporaryDenied(RowId(100)))] {
        let rule =
            "a further `answer` to approved credentials gives those of then, whatever is said";
        same(rule, store.answer(world.issuer, again).await, held.clone());
    }
    let found = store.temporary(world.issuer, &ours(100)).await;
    let rule = "a further `answer` to approved credentials changes nothing of them";
    same(rule, found.as_deref(), Some(&approved));
    let found = store.consent(world.issuer, "alice", CLIENT).await;
    same("a further `answer` to approved credentials changes no consent", found, consent);

    store.put_temporary(world.issuer, temporary(&world, 300)).await;
    let mut no = said(&world, Outcome::TemporaryDenied(RowId(300)));
    no.consent = None;
    let rule = "the first `answer` to temporary credentials counts, also a denial";
    same(rule, store.answer(world.issuer, no.clone()).await, Answered::First);
    let rule = "temporary credentials that were denied stay so";
    same(rule, store.answer(world.issuer, no).await, Answered::Denied);
    let yes = said(&world, Outcome::Temporary(RowId(300), approval(&world, 301)));
    same(rule, store.answer(world.issuer, yes).await, Answered::Denied);
    let unknown = said(&world, Outcome::Temporary(RowId(999), approval(&world, 301)));
    let rule = "`answer` approves no temporary credentials that were never put";
    same(rule, store.answer(world.issuer, unknown).await, Answered::Spent);

    store.put_temporary(world.issuer, temporary(&world, 400)).await;
    let mut no = said(&world, Outcome::TemporaryDenied(RowId(400)));
    no.consent = Some(world.consent("carol", CLIENT, "photos"));
    store.answer(world.issuer, no.clone()).await;
    let rule = "a denial of temporary credentials may carry a consent, and `answer` remembers it";
    same(rule, store.consent(world.issuer, "carol", CLIENT).await, no.consent);
}

/// After they were approved, and never when they were not.
pub async fn temporary_credentials_are_redeemed_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let redeem = async |rule, row, grant, redeemed| {
        let credential = credential(&world, world.grant(grant));
        let found = store.redeem_temporary(world.issuer, RowId(row), credential).await;
        same(rule, found, redeemed);
    };
    let rule = "`redeem_temporary` knows no row that was never put";
    redeem(rule, 100, 101, Redeemed::Unknown).await;
    store.put_temporary(world.issuer, temporary(&world, 100)).await;
    let rule = "`redeem_temporary` issues nothing for credentials that nobody approved";
    redeem(rule, 100, 101, Redeemed::Unknown).await;
    let answer = said(&world, Outcome::Temporary(RowId(100), approval(&world, 101)));
    store.answer(world.issuer, answer.clone()).await;
    let rule = "there are no token credentials before `redeem_temporary`";
    same(rule, store.credential(world.issuer, &ours(101)).await, None);
    redeem("the first `redeem_temporary` issues", 100, 101, Redeemed::Issued).await;
    for _ in 0..2 {
        let found = store.credential(world.issuer, &ours(101)).await;
        let rule = "`credential` gives back token credentials as `redeem_temporary` put them";
        same(rule, found.as_deref(), Some(&credential(&world, world.grant(101))));
    }
    let forged = TokenRef::Row { row: RowId(101), hash: hash(7) };
    let rule = "`credential` compares the whole identifier";
    same(rule, store.credential(world.issuer, &forged).await, None);
    let other = store.issuer("https://other.example").await;
    let rule = "`credential` shows no issuer token credentials of another issuer";
    same(rule, store.credential(other, &ours(101)).await, None);
    let rule = "a second `redeem_temporary` tells the number of the grant to be revoked";
    redeem(rule, 100, 101, Redeemed::Replayed(RowId(101))).await;
    let rule = "a further `answer` to credentials that were exchanged says `Spent`";
    same(rule, store.answer(world.issuer, answer).await, Answered::Spent);

    store.put_temporary(world.issuer, temporary(&world, 200)).await;
    let no = said(&world, Outcome::TemporaryDenied(RowId(200)));
    store.answer(world.issuer, no).await;
    let rule = "`redeem_temporary` issues nothing for credentials that were denied";
    redeem(rule, 200, 201, Redeemed::Unknown).await;
}

/// Nor is the consent remembered.
pub async fn temporary_credentials_of_a_revoked_grant_buy_nothing<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    store.put_temporary(world.issuer, temporary(&world, 100)).await;
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await;
    let answer = said(&world, Outcome::Temporary(RowId(100), approval(&world, 101)));
    let rule = "the first `answer` to temporary credentials counts, also when their grant is dead";
    same(rule, store.answer(world.issuer, answer.clone()).await, Answered::First);
    let rule = "`answer` remembers no consent with what is dead already";
    same(rule, store.consent(world.issuer, "alice", CLIENT).await, None);
    let rule = "a further `answer` to credentials whose grant is dead says `Spent`";
    same(rule, store.answer(world.issuer, answer).await, Answered::Spent);
    let credential = credential(&world, world.grant(101));
    let redeemed = store.redeem_temporary(world.issuer, RowId(100), credential).await;
    let rule = "`redeem_temporary` issues nothing for a grant that was revoked";
    same(rule, redeemed, Redeemed::Revoked);
    same(rule, store.credential(world.issuer, &ours(101)).await, None);
}

/// They outlive every tombstone, so that they must be gone and not just hidden.
pub async fn token_credentials_stay_revoked_for_ever<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for row in [100, 200, 300, 400] {
        bought(&world, row).await;
        let rule = "`credential` finds token credentials that were bought";
        holds(rule, store.credential(world.issuer, &ours(row + 1)).await.is_some());
    }
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await;
    clock.advance(Duration::from_secs(24 * 3600));
    store.sweep_all(clock.now()).await;
    let rule = "token credentials, which never expire, are removed by `revoke_grant`: they are dead \
        also when it is forgotten that their grant was revoked";
    same(rule, store.credential(world.issuer, &ours(101)).await, None);
    let consent = RevokeAll::Consent { subject: "alice".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, consent, RowId(201)).await;
    store.revoke_all(world.issuer, RevokeAll::Subject("alice".into()), RowId(301)).await;
    let lives = async || {
        let mut alive = Vec::new();
        for grant in [101, 201, 301, 401] {
            if store.credential(world.issuer, &ours(grant)).await.is_some() {
                alive.push(grant);
            }
        }
        alive
    };
    let rule = "`revoke_grant` and `revoke_all` end the token credentials of their grants only";
    same(rule, lives().await, vec![401]);
    clock.advance(Duration::from_secs(24 * 3600));
    store.sweep_all(clock.now()).await;
    let rule = "token credentials that were revoked stay so, however long ago it was";
    same(rule, lives().await, vec![401]);
    store.remove_client(world.issuer, CLIENT).await;
    same("`remove_client` ends the client's token credentials", lives().await, vec![]);
    store.replace_client(world.issuer, client(CLIENT, 1)).await;
    let rule = "`remove_client` removes the client's token credentials: one that is registered \
        under the same id inherits none, whatever its number";
    same(rule, lives().await, vec![]);
    bought(&world, 500).await;
    store.replace_client(world.issuer, client(CLIENT, 600)).await;
    store.replace_client(world.issuer, client(CLIENT, 402)).await;
    let rule = "a changed `Client::number` removes the client's token credentials";
    same(rule, store.credential(world.issuer, &ours(501)).await, None);
}

/// What never expires stays.
pub async fn credentials_that_expired_are_given_back<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let kept = bought(&world, 100).await;
    store.put_temporary(world.issuer, temporary(&world, 200)).await;
    let answer = said(&world, Outcome::Temporary(RowId(200), approval(&world, 201)));
    store.answer(world.issuer, answer).await;
    let mut brief = credential(&world, world.grant(201));
    Arc::make_mut(&mut brief.access).expires = world.later(600);
    store.redeem_temporary(world.issuer, RowId(200), brief).await;
    let rule = "`sweep` gives back no credentials that have not expired";
    same(rule, store.sweep_all(clock.now()).await, 0);
    clock.advance(Duration::from_secs(3600));
    let rule = "`sweep` gives back temporary and token credentials that expired";
    same(rule, store.sweep_all(clock.now()).await, 3);
    let found = store.credential(world.issuer, &ours(101)).await;
    let rule = "`sweep` gives back no token credentials that never expire";
    same(rule, found.as_deref(), Some(&kept));
    let rule = "temporary credentials that were swept are no longer found";
    same(rule, store.temporary(world.issuer, &ours(200)).await, None);
}
