//! Temporary credentials and token credentials (RFC 5849).

use std::{sync::Arc, time::Duration};

use crate::{
    Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        Actor,
        store::{
            Answer, Answered, Approval, CredentialRecord, Grant, Identifier, Outcome, Redeemed,
            RevokeAll, RowId, Store, TemporaryRecord, TemporaryState, TokenRef,
        },
    },
    testing::ManualClock,
};

use super::world::{CLIENT, World, client, hash, put_client};

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
async fn bought<S: Store>(store: &S, world: &World<'_, S>, row: i64) -> CredentialRecord {
    store.put_temporary(world.issuer, temporary(world, row)).await.unwrap();
    let approval = approval(world, row + 1);
    let credential = credential(world, approval.grant.clone());
    let answer = said(world, Outcome::Temporary(RowId(row), approval));
    assert_eq!(store.answer(world.issuer, answer).await.unwrap(), Answered::First);
    let redeemed = store.redeem_temporary(world.issuer, RowId(row), credential.clone()).await;
    assert_eq!(redeemed.unwrap(), Redeemed::Issued);
    credential
}

/// In every state, and for its own identifier only.
pub async fn temporary_credentials_come_back_as_they_were_put<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
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
        store.put_temporary(world.issuer, put.clone()).await.unwrap();
        let found = store.temporary(world.issuer, &ours(row)).await.unwrap().unwrap();
        assert_eq!(*found, put);
        assert_eq!(store.temporary(other, &ours(row)).await.unwrap(), None);
        let forged = TokenRef::Row { row: RowId(row), hash: hash(7) };
        assert_eq!(store.temporary(world.issuer, &forged).await.unwrap(), None);
        let foreign = TokenRef::Foreign { hash: hash(row) };
        assert_eq!(store.temporary(world.issuer, &foreign).await.unwrap(), None);
    }
    assert_eq!(store.temporary(world.issuer, &ours(99)).await.unwrap(), None);
}

/// Identifiers that the application made are found by their hash, of each kind apart.
pub async fn credentials_with_identifiers_of_others_are_found_by_their_hash<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let mut put = temporary(&world, 100);
    put.identifier = Identifier::Foreign(hash(1));
    store.put_temporary(world.issuer, put.clone()).await.unwrap();
    let foreign = TokenRef::Foreign { hash: hash(1) };
    let found = store.temporary(world.issuer, &foreign).await.unwrap();
    assert_eq!(found.as_deref(), Some(&put));
    assert_eq!(store.temporary(other, &foreign).await.unwrap(), None);
    let as_row = TokenRef::Row { row: RowId(100), hash: hash(1) };
    assert_eq!(store.temporary(world.issuer, &as_row).await.unwrap(), None);
    assert_eq!(store.credential(world.issuer, &foreign).await.unwrap(), None);

    let answer = said(&world, Outcome::Temporary(RowId(100), approval(&world, 101)));
    store.answer(world.issuer, answer).await.unwrap();
    let mut bought = credential(&world, world.grant(101));
    bought.is_foreign = true;
    Arc::make_mut(&mut bought.access).hash = hash(2);
    store.redeem_temporary(world.issuer, RowId(100), bought.clone()).await.unwrap();
    let foreign = TokenRef::Foreign { hash: hash(2) };
    for _ in 0..2 {
        let found = store.credential(world.issuer, &foreign).await.unwrap();
        assert_eq!(found.as_deref(), Some(&bought));
    }
    assert_eq!(store.credential(other, &foreign).await.unwrap(), None);
    let as_row = TokenRef::Row { row: RowId(101), hash: hash(2) };
    assert_eq!(store.credential(world.issuer, &as_row).await.unwrap(), None);
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await.unwrap();
    assert_eq!(store.credential(world.issuer, &foreign).await.unwrap(), None);
}

/// Whichever page asks: the first answer stands, and the consent is in with it.
pub async fn temporary_credentials_are_answered_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let put = temporary(&world, 100);
    store.put_temporary(world.issuer, put.clone()).await.unwrap();
    let first = said(&world, Outcome::Temporary(RowId(100), approval(&world, 101)));
    let other = store.issuer("https://other.example").await.unwrap();
    assert_eq!(store.answer(other, first.clone()).await.unwrap(), Answered::Spent);
    assert_eq!(store.answer(world.issuer, first.clone()).await.unwrap(), Answered::First);
    let consent = store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap();
    assert_eq!(consent, first.consent);

    let state = TemporaryState::Approved(approval(&world, 101));
    let approved = TemporaryRecord { state, ..put };
    let held = Answered::Verified(Arc::new(approved.clone()));
    let mut second = said(&world, Outcome::Temporary(RowId(100), approval(&world, 201)));
    second.ticket = [1; 16];
    second.consent = Some(world.consent("alice", CLIENT, "everything"));
    for again in [first, second, said(&world, Outcome::TemporaryDenied(RowId(100)))] {
        assert_eq!(store.answer(world.issuer, again).await.unwrap(), held);
    }
    let found = store.temporary(world.issuer, &ours(100)).await.unwrap();
    assert_eq!(found.as_deref(), Some(&approved));
    let found = store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap();
    assert_eq!(found, consent);

    store.put_temporary(world.issuer, temporary(&world, 300)).await.unwrap();
    let mut no = said(&world, Outcome::TemporaryDenied(RowId(300)));
    no.consent = None;
    assert_eq!(store.answer(world.issuer, no.clone()).await.unwrap(), Answered::First);
    assert_eq!(store.answer(world.issuer, no).await.unwrap(), Answered::Denied);
    let yes = said(&world, Outcome::Temporary(RowId(300), approval(&world, 301)));
    assert_eq!(store.answer(world.issuer, yes).await.unwrap(), Answered::Denied);
    let unknown = said(&world, Outcome::Temporary(RowId(999), approval(&world, 301)));
    assert_eq!(store.answer(world.issuer, unknown).await.unwrap(), Answered::Spent);
}

/// After they were approved, and never when they were not.
pub async fn temporary_credentials_are_redeemed_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let redeem = async |row, grant| {
        let credential = credential(&world, world.grant(grant));
        store.redeem_temporary(world.issuer, RowId(row), credential).await.unwrap()
    };
    assert_eq!(redeem(100, 101).await, Redeemed::Unknown);
    store.put_temporary(world.issuer, temporary(&world, 100)).await.unwrap();
    assert_eq!(redeem(100, 101).await, Redeemed::Unknown, "nobody has approved");
    let answer = said(&world, Outcome::Temporary(RowId(100), approval(&world, 101)));
    store.answer(world.issuer, answer.clone()).await.unwrap();
    assert_eq!(store.credential(world.issuer, &ours(101)).await.unwrap(), None);
    assert_eq!(redeem(100, 101).await, Redeemed::Issued);
    for _ in 0..2 {
        let found = store.credential(world.issuer, &ours(101)).await.unwrap();
        assert_eq!(found.as_deref(), Some(&credential(&world, world.grant(101))));
    }
    let forged = TokenRef::Row { row: RowId(101), hash: hash(7) };
    assert_eq!(store.credential(world.issuer, &forged).await.unwrap(), None);
    let other = store.issuer("https://other.example").await.unwrap();
    assert_eq!(store.credential(other, &ours(101)).await.unwrap(), None);
    assert_eq!(redeem(100, 101).await, Redeemed::Replayed(RowId(101)));
    assert_eq!(store.answer(world.issuer, answer).await.unwrap(), Answered::Spent);

    store.put_temporary(world.issuer, temporary(&world, 200)).await.unwrap();
    let no = said(&world, Outcome::TemporaryDenied(RowId(200)));
    store.answer(world.issuer, no).await.unwrap();
    assert_eq!(redeem(200, 201).await, Redeemed::Unknown);
}

/// Nor is the consent remembered.
pub async fn temporary_credentials_of_a_revoked_grant_buy_nothing<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    store.put_temporary(world.issuer, temporary(&world, 100)).await.unwrap();
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await.unwrap();
    let answer = said(&world, Outcome::Temporary(RowId(100), approval(&world, 101)));
    assert_eq!(store.answer(world.issuer, answer.clone()).await.unwrap(), Answered::First);
    assert_eq!(
        store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap(),
        None
    );
    assert_eq!(store.answer(world.issuer, answer).await.unwrap(), Answered::Spent);
    let credential = credential(&world, world.grant(101));
    let redeemed = store.redeem_temporary(world.issuer, RowId(100), credential).await.unwrap();
    assert_eq!(redeemed, Redeemed::Revoked);
    assert_eq!(store.credential(world.issuer, &ours(101)).await.unwrap(), None);
}

/// They outlive every tombstone, so that they must be gone and not just hidden.
pub async fn token_credentials_stay_revoked_for_ever<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    for row in [100, 200, 300, 400] {
        bought(store, &world, row).await;
        assert!(store.credential(world.issuer, &ours(row + 1)).await.unwrap().is_some());
    }
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await.unwrap();
    let consent = RevokeAll::Consent { subject: "alice".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, consent, RowId(201)).await.unwrap();
    store.revoke_all(world.issuer, RevokeAll::Subject("alice".into()), RowId(301)).await.unwrap();
    let lives = async || {
        let mut alive = Vec::new();
        for grant in [101, 201, 301, 401] {
            if store.credential(world.issuer, &ours(grant)).await.unwrap().is_some() {
                alive.push(grant);
            }
        }
        alive
    };
    assert_eq!(lives().await, [401]);
    clock.advance(Duration::from_secs(24 * 3600));
    while store.sweep(clock.now()).await.unwrap() > 0 {}
    assert_eq!(lives().await, [401], "also when it is forgotten that they were revoked");
    store.remove_client(world.issuer, CLIENT).await.unwrap();
    assert_eq!(lives().await, [0_i64; 0]);
    put_client(store, world.issuer, client(CLIENT, 402)).await;
    assert_eq!(lives().await, [0_i64; 0], "that is another client");
}

/// What never expires stays.
pub async fn credentials_that_expired_are_given_back<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let kept = bought(store, &world, 100).await;
    store.put_temporary(world.issuer, temporary(&world, 200)).await.unwrap();
    let answer = said(&world, Outcome::Temporary(RowId(200), approval(&world, 201)));
    store.answer(world.issuer, answer).await.unwrap();
    let mut brief = credential(&world, world.grant(201));
    Arc::make_mut(&mut brief.access).expires = world.later(600);
    store.redeem_temporary(world.issuer, RowId(200), brief).await.unwrap();
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 0);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 3);
    let found = store.credential(world.issuer, &ours(101)).await.unwrap();
    assert_eq!(found.as_deref(), Some(&kept));
    assert_eq!(store.temporary(world.issuer, &ours(200)).await.unwrap(), None);
}
