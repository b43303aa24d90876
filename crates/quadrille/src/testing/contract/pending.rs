//! Pending requests: stored, found, answered and redeemed.

use crate::{
    Actor, Scopes,
    oauth2::Resources,
    provider::store::{
        Answer, Answered, Approval, Bought, DeviceCode, Grant, Identifier, Issue, Outcome,
        PendingKind, PendingRecord, PendingRef, PendingState, Redeemed, RowId, Store, TokenRef,
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World, hash, ours},
};

/// An answer to the request in this row, with a consent to photos.
pub(super) fn said<S: Store>(world: &World<'_, S>, row: i64, approval: Option<Approval>) -> Answer {
    Answer {
        outcome: Outcome::Pending(RowId(row), approval),
        asked: Scopes::of(["photos"]),
        consent: Some(world.consent("alice", CLIENT, "photos")),
    }
}

/// The tokens of a grant, in the rows `row` and `row + 1`.
fn tokens<S: Store>(world: &World<'_, S>, row: i64, grant: &Grant) -> Bought {
    let (access, family) = (world.access(row, grant.clone()), world.family(row + 1, grant.clone()));
    Bought::Tokens(Box::new(Issue { access, family: Some(family) }))
}

fn by_identifier(row: i64) -> PendingRef {
    PendingRef::Identifier(ours(row))
}

/// In every state, and only by its own identifier.
pub async fn a_pending_request_comes_back_as_it_was_put<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let bare = Approval {
        proof: None,
        grant: Grant {
            actor: Actor::Client("other".into()),
            scopes: Scopes::EMPTY,
            resources: Resources::EMPTY,
            authentication: None,
            details: None,
            ..world.grant(1)
        },
    };
    let states = [
        PendingState::Pending,
        PendingState::Approved(world.approval(50)),
        PendingState::Approved(bare.clone()),
        PendingState::Redeemed(bare),
        PendingState::Denied,
    ];
    for (row, state) in (100..).zip(states) {
        let mut put = PendingRecord { state, ..world.pending(row) };
        if row % 2 == 0 {
            put.user_code = Some(hash(-row));
            put.kind = PendingKind::Device(DeviceCode { from: Some([192, 0, 2, 7].into()) });
            put.scopes = Scopes::EMPTY;
            put.resources = Resources::EMPTY;
        }
        let rule = "`put_pending` says that it put a request";
        holds(rule, store.put_pending(world.issuer, put.clone()).await);
        let found = store.pending(world.issuer, &by_identifier(row)).await;
        let rule = "`pending` gives back a request as it was put, in every state";
        same(rule, found.as_deref(), Some(&put));
        let rule = "`pending` shows no issuer a request of another issuer";
        same(rule, store.pending(other, &by_identifier(row)).await, None);
        let forged = PendingRef::Identifier(TokenRef::Row { row: RowId(row), hash: hash(7) });
        let rule = "`pending` compares the whole identifier";
        same(rule, store.pending(world.issuer, &forged).await, None);
        let foreign = PendingRef::Identifier(TokenRef::Foreign { hash: hash(row) });
        let rule = "`pending` finds by its hash alone only what has an identifier of others";
        same(rule, store.pending(world.issuer, &foreign).await, None);
        let rule = "`pending` finds by a user code only what has it";
        same(rule, store.pending(world.issuer, &PendingRef::UserCode(hash(row))).await, None);
    }
    let rule = "`pending` finds no row that was never put";
    same(rule, store.pending(world.issuer, &by_identifier(99)).await, None);
}

/// Otherwise a request that was put again would be approved or redeemed again.
pub async fn a_pending_request_that_is_put_again_stays_as_it_is<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let coded = PendingRecord { user_code: Some(hash(-200)), ..world.pending(200) };
    for put in [world.pending(100), coded] {
        let row = put.row.0;
        store.put_pending(world.issuer, put.clone()).await;
        let state = async || {
            store.pending(world.issuer, &by_identifier(row)).await.map(|found| found.state.clone())
        };
        for denies in [false, true] {
            if denies {
                store.answer(world.issuer, said(&world, row, None)).await;
            }
            let before = state().await;
            let rule = "`put_pending` says `false` of a request that is there already";
            same(rule, store.put_pending(world.issuer, put.clone()).await, false);
            let rule = "a `put_pending` of a request that is there already changes nothing of it";
            same(rule, state().await, before);
        }
    }
}

/// Imported identifiers, and codes that a user types.
pub async fn a_pending_request_is_found_by_a_foreign_identifier_and_by_its_user_code<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let put = PendingRecord {
        identifier: Identifier::Foreign(hash(1)),
        user_code: Some(hash(2)),
        ..world.pending(100)
    };
    store.put_pending(world.issuer, put.clone()).await;
    let foreign = PendingRef::Identifier(TokenRef::Foreign { hash: hash(1) });
    let typed = PendingRef::UserCode(hash(2));
    for (reference, rule) in [
        (&foreign, "`pending` finds an identifier of others by its hash"),
        (&typed, "`pending` finds a request by its user code"),
    ] {
        let found = store.pending(world.issuer, reference).await;
        same(rule, found.as_deref(), Some(&put));
        let rule = "`pending` shows no issuer a request of another issuer";
        same(rule, store.pending(other, reference).await, None);
    }
    let as_row = PendingRef::Identifier(TokenRef::Row { row: RowId(100), hash: hash(1) });
    let rule = "`pending` finds an identifier of others not by its row";
    same(rule, store.pending(world.issuer, &as_row).await, None);
    for reference in
        [PendingRef::UserCode(hash(1)), PendingRef::Identifier(TokenRef::Foreign { hash: hash(2) })]
    {
        let rule = "`pending` takes no identifier for a user code, and no user code for one";
        same(rule, store.pending(world.issuer, &reference).await, None);
    }
    let answer = said(&world, 100, Some(world.approval(101)));
    store.answer(world.issuer, answer).await;
    let approved = PendingRecord { state: PendingState::Approved(world.approval(101)), ..put };
    let rule = "`pending` shows in every way how a request stands";
    for reference in [foreign, typed] {
        let found = store.pending(world.issuer, &reference).await;
        same(rule, found.as_deref(), Some(&approved));
    }
}

/// Otherwise a user would approve another user's request.
pub async fn a_user_code_leads_to_one_request<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let coded = |row, code| PendingRecord { user_code: Some(hash(code)), ..world.pending(row) };
    let named = |row, name| PendingRecord {
        identifier: Identifier::Foreign(hash(name)),
        ..world.pending(row)
    };
    store.put_pending(world.issuer, coded(100, 1)).await;
    store.put_pending(world.issuer, named(101, 2)).await;
    for (again, reference) in [
        (coded(200, 1), PendingRef::UserCode(hash(1))),
        (named(201, 2), PendingRef::Identifier(TokenRef::Foreign { hash: hash(2) })),
        (
            PendingRecord { user_code: Some(hash(1)), ..named(202, 3) },
            PendingRef::UserCode(hash(1)),
        ),
    ] {
        let row = again.row;
        let rule = "`put_pending` says `false` where another request has the user code or the \
            identifier of others";
        same(rule, store.put_pending(world.issuer, again.clone()).await, false);
        let found = store.pending(world.issuer, &reference).await;
        let rule = "a `put_pending` that was refused leaves the request that was there";
        holds(rule, found.is_some_and(|found| found.row < RowId(200)));
        let rule = "a `put_pending` that was refused stores nothing";
        same(rule, store.pending(world.issuer, &by_identifier(row.0)).await, None);
        let own = PendingRef::Identifier(TokenRef::Foreign { hash: hash(3) });
        same(rule, store.pending(world.issuer, &own).await, None);
    }
    let rule = "a user code that one issuer knows is new to another";
    holds(rule, store.put_pending(other, coded(300, 1)).await);
    let rule = "requests without a user code are as many as are put";
    holds(rule, store.put_pending(world.issuer, world.pending(301)).await);
    holds(rule, store.put_pending(world.issuer, world.pending(302)).await);
}

/// From any page: the first answer counts, and its consent is stored with it.
pub async fn a_pending_request_is_answered_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let put = world.pending(100);
    store.put_pending(world.issuer, put.clone()).await;
    let first = said(&world, 100, Some(world.approval(101)));
    let other = store.issuer("https://other.example").await;
    let rule = "`answer` approves no pending request of another issuer";
    same(rule, store.answer(other, first.clone()).await, Answered::Spent);
    let rule = "the first `answer` to a pending request counts";
    same(rule, store.answer(world.issuer, first.clone()).await, Answered::First);
    let consent = store.consent(world.issuer, "alice", CLIENT).await;
    let rule = "`answer` remembers the consent that goes with a pending request";
    same(rule, consent.clone(), first.consent.clone());

    let approved = PendingRecord { state: PendingState::Approved(world.approval(101)), ..put };
    let held = Answered::Pending(approved.clone().into());
    let mut second = said(&world, 100, Some(world.approval(201)));
    second.consent = Some(world.consent("alice", CLIENT, "everything"));
    for again in [first, second, said(&world, 100, None)] {
        let rule = "a further `answer` to an approved request gives that of then, whatever is said";
        same(rule, store.answer(world.issuer, again).await, held.clone());
    }
    let found = store.pending(world.issuer, &by_identifier(100)).await;
    let rule = "a further `answer` to an approved request changes nothing of it";
    same(rule, found.as_deref(), Some(&approved));
    let found = store.consent(world.issuer, "alice", CLIENT).await;
    same("a further `answer` to an approved request changes no consent", found, consent);

    store.put_pending(world.issuer, world.pending(300)).await;
    let mut no = said(&world, 300, None);
    no.consent = None;
    let rule = "the first `answer` to a pending request counts, also a denial";
    same(rule, store.answer(world.issuer, no.clone()).await, Answered::First);
    let rule = "a pending request that was denied stays so";
    same(rule, store.answer(world.issuer, no).await, Answered::Denied);
    let yes = said(&world, 300, Some(world.approval(301)));
    same(rule, store.answer(world.issuer, yes).await, Answered::Denied);
    let found = store.pending(world.issuer, &by_identifier(300)).await;
    holds(rule, found.is_some_and(|found| found.state == PendingState::Denied));
    let unknown = said(&world, 999, Some(world.approval(301)));
    let rule = "`answer` approves no request that was never put";
    same(rule, store.answer(world.issuer, unknown).await, Answered::Spent);

    store.put_pending(world.issuer, world.pending(400)).await;
    let mut no = said(&world, 400, None);
    no.consent = Some(world.consent("carol", CLIENT, "photos"));
    store.answer(world.issuer, no.clone()).await;
    let rule = "a denial of a pending request may carry a consent, and `answer` remembers it";
    same(rule, store.consent(world.issuer, "carol", CLIENT).await, no.consent);
}

/// Once approved, for tokens and for token credentials; never while it is not.
pub async fn a_pending_request_is_redeemed_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let redeem = async |rule: &str, issuer, row: i64, grant: i64, expected: Redeemed| {
        let grant = world.grant(grant);
        for bought in
            [tokens(&world, grant.id.0 + 10, &grant), Bought::Credential(world.credential(&grant))]
        {
            let redeemed = store.redeem_pending(issuer, RowId(row), bought).await;
            same(rule, redeemed, expected.clone());
        }
    };
    let stored = async |grant: i64| {
        let access = world.issued(grant + 10).await.is_some();
        let family = store.family(world.issuer, RowId(grant + 11)).await.is_some();
        let credential = store.credential(world.issuer, &ours(grant)).await.is_some();
        (access, family, credential)
    };
    let rule = "`redeem_pending` knows no row that was never put";
    redeem(rule, world.issuer, 100, 201, Redeemed::Unknown).await;
    store.put_pending(world.issuer, world.pending(100)).await;
    let rule = "`redeem_pending` stores nothing for a request that nobody approved";
    redeem(rule, world.issuer, 100, 201, Redeemed::Unknown).await;
    store.answer(world.issuer, said(&world, 100, None)).await;
    let rule = "`redeem_pending` stores nothing for a request that was denied";
    redeem(rule, world.issuer, 100, 201, Redeemed::Unknown).await;
    same(rule, stored(201).await, (false, false, false));

    for (row, grant, is_for_tokens) in [(300, 401, true), (500, 601, false)] {
        store.put_pending(world.issuer, world.pending(row)).await;
        let approval = world.approval(grant);
        let answer = said(&world, row, Some(approval.clone()));
        store.answer(world.issuer, answer.clone()).await;
        let rule = "`redeem_pending` redeems no request of another issuer";
        redeem(rule, other, row, grant, Redeemed::Unknown).await;
        let rule = "nothing that a pending request buys is there before `redeem_pending`";
        same(rule, stored(grant).await, (false, false, false));
        let bought = match is_for_tokens {
            true => tokens(&world, grant + 10, &approval.grant),
            false => Bought::Credential(world.credential(&approval.grant)),
        };
        let redeemed = store.redeem_pending(world.issuer, RowId(row), bought).await;
        same("the first `redeem_pending` issues", redeemed, Redeemed::Issued);
        let rule = "`redeem_pending` stores what the request buys, tokens or token credentials";
        same(rule, stored(grant).await, (is_for_tokens, is_for_tokens, !is_for_tokens));
        let found = store.pending(world.issuer, &by_identifier(row)).await;
        let rule = "`redeem_pending` marks the request, and `pending` still shows it";
        let state = PendingState::Redeemed(approval.clone());
        holds(rule, found.is_some_and(|found| found.state == state));
        // Other rows than before: those of the first redemption exist already.
        let second = world.grant(grant + 20);
        for bought in [
            tokens(&world, second.id.0 + 10, &second),
            Bought::Credential(world.credential(&second)),
        ] {
            let again = store.redeem_pending(world.issuer, RowId(row), bought).await;
            let rule = "a second `redeem_pending` tells the number of the grant to be revoked";
            same(rule, again, Redeemed::Replayed(RowId(grant)));
        }
        let rule = "a `redeem_pending` that was refused stores nothing";
        same(rule, stored(grant + 20).await, (false, false, false));
        let rule = "a further `answer` to a request that was redeemed says `Spent`";
        same(rule, store.answer(world.issuer, answer).await, Answered::Spent);
    }
    let access = world.issued(411).await;
    let rule = "`redeem_pending` stores an access token as `issue` does";
    same(rule, access, Some(world.access(411, world.grant(401))));
    let family = store.family(world.issuer, RowId(412)).await;
    let rule = "`redeem_pending` stores a family as `issue` does";
    same(rule, family.as_deref(), Some(&world.family(412, world.grant(401))));
}

/// The consent is not stored either.
pub async fn a_pending_request_of_a_revoked_grant_buys_nothing<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    store.put_pending(world.issuer, world.pending(100)).await;
    store.revoke_grant(world.issuer, RowId(101), world.later(60)).await;
    let answer = said(&world, 100, Some(world.approval(101)));
    let rule = "the first `answer` to a pending request counts, also when its grant is dead";
    same(rule, store.answer(world.issuer, answer.clone()).await, Answered::First);
    let rule = "`answer` remembers no consent with what is dead already";
    same(rule, store.consent(world.issuer, "alice", CLIENT).await, None);
    let rule = "a further `answer` to a request whose grant is dead says `Spent`";
    same(rule, store.answer(world.issuer, answer).await, Answered::Spent);
    let grant = world.grant(101);
    for bought in [tokens(&world, 200, &grant), Bought::Credential(world.credential(&grant))] {
        let redeemed = store.redeem_pending(world.issuer, RowId(100), bought).await;
        let rule = "`redeem_pending` stores nothing for a grant that was revoked";
        same(rule, redeemed, Redeemed::Revoked);
        let found = store.pending(world.issuer, &by_identifier(100)).await;
        let rule = "a `redeem_pending` that was refused does not mark the request";
        let state = PendingState::Approved(world.approval(101));
        holds(rule, found.is_some_and(|found| found.state == state));
    }
}
