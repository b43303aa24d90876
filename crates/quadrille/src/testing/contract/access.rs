//! Access tokens, issued here and imported.

use std::sync::Arc;

use crate::{
    Act, Actor, Authentication, Binding, Timestamp,
    provider::store::{AccessRecord, Exchange, Issue, RowId, Store, SubjectToken, TokenRef},
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World, client, hash},
};

/// For users, with all and with few details of their sign-in, and for clients.
pub async fn an_access_token_comes_back_as_it_was_issued<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let mut signed_in = Authentication::new("7", Timestamp::from_seconds(1_700_000_000));
    signed_in.amr = vec!["pwd".into(), "otp".into()];
    signed_in.acr = Some("urn:gold".into());
    signed_in.session = Some("s \"1\"".into());
    let by_another = Authentication::new("admin", Timestamp::from_seconds(1));
    let actors: [(_, Option<Authentication>); 6] = [
        (Actor::User("7".into()), None),
        (Actor::User("7".into()), Some(signed_in)),
        (Actor::User("c7".into()), Some(by_another)),
        (Actor::User("".into()), None),
        (Actor::Client(CLIENT.into()), None),
        (Actor::Client("7".into()), None),
    ];
    for (row, (actor, authentication)) in (300..).zip(actors) {
        let mut grant = world.grant(row + 100);
        grant.actor = actor;
        grant.authentication = authentication.map(Arc::new);
        let access = world.access(row, grant);
        store.issue(world.issuer, Issue { access: access.clone(), family: None }).await;
        let rule = "`access` gives back a token as `issue` put it, whoever acts, signed in or not";
        same(rule, world.issued(row).await, Some(access));
    }
    let bindings = [Binding::Jwk([1; 32]), Binding::Jwk([2; 32]), Binding::Certificate([1; 32])];
    for (row, binding) in (320..).zip(bindings.map(Some).into_iter().chain([None])) {
        let access = AccessRecord { binding, ..world.access(row, world.grant(300)) };
        store.issue(world.issuer, Issue { access: access.clone(), family: None }).await;
        let rule = "`access` gives back the key to which a token is bound";
        same(rule, world.issued(row).await, Some(access));
    }
    let mut act = Act::new("mailer");
    act.act = Some(Box::new(Act::new("shop \u{e9}")));
    let subjects = [
        None,
        Some(SubjectToken::Access { row: RowId(300), hash: hash(300) }),
        Some(SubjectToken::Foreign { hash: hash(1) }),
        Some(SubjectToken::Refresh { family: RowId(301) }),
    ];
    for (row, subject) in (330..).zip(subjects) {
        let exchange = Exchange { act: subject.as_ref().map(|_| act.clone()), subject };
        let access = world.access(row, world.grant(300));
        let access = AccessRecord { exchange: Some(exchange.into()), ..access };
        store.issue(world.issuer, Issue { access: access.clone(), family: None }).await;
        let rule = "`access` gives back the exchange that a token comes from";
        same(rule, world.issued(row).await, Some(access));
    }
}

/// Any other hash, row or issuer finds nothing.
pub async fn an_access_token_needs_its_own_hash_row_and_issuer<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    store.replace_client(other, client(CLIENT, 1)).await;
    let access = world.access(300, world.grant(300));
    store.issue(world.issuer, Issue { access, family: None }).await;
    let token = |row, hash| TokenRef::Row { row: RowId(row), hash };
    let good = token(300, hash(300));
    let rule = "`access` finds a token by its row and the hash in it";
    holds(rule, store.access(world.issuer, &good).await.is_some());
    let rule = "`access` shows no issuer a token of another issuer";
    same(rule, store.access(other, &good).await, None);
    let mut nearly = hash(300);
    nearly[31] ^= 1;
    for bad in [
        token(300, nearly),
        token(301, hash(300)),
        token(-1, hash(300)),
        TokenRef::Foreign { hash: hash(300) },
    ] {
        let rule =
            "`access` compares the whole hash, and finds by hash alone only what was imported";
        same(format_args!("{rule} ({bad:?})"), store.access(world.issuer, &bad).await, None);
    }
}

/// Only for its own issuer, and until it is revoked.
pub async fn a_token_that_others_made_is_found_by_its_hash<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let access = world.access(300, world.grant(301));
    store.import(world.issuer, access.clone()).await;
    let token = TokenRef::Foreign { hash: access.hash };
    let found = store.access(world.issuer, &token).await;
    same("`access` finds an imported token by its hash", found.as_deref(), Some(&access));
    let rule = "`access` shows no issuer an imported token of another issuer";
    same(rule, store.access(other, &token).await, None);
    let again = AccessRecord { row: RowId(310), expires: world.later(60), ..access };
    store.import(world.issuer, again.clone()).await;
    let found = store.access(world.issuer, &token).await;
    let rule = "`import` replaces a token with the same hash";
    same(rule, found.as_deref(), Some(&again));
    store.revoke_grant(world.issuer, RowId(301), world.later(60)).await;
    let rule = "an imported token is dead when its grant was revoked";
    same(rule, store.access(world.issuer, &token).await, None);
}

/// Whether the future began or not.
pub async fn a_dropped_future_leaves_all_or_nothing<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for row in 0..20 {
        let grant = world.grant(1000 + row);
        let issue = Issue {
            access: world.access(2000 + row, grant.clone()),
            family: Some(world.family(3000 + row, grant)),
        };
        let mut asked = Box::pin(store.issue(world.issuer, issue));
        if row % 2 == 0 {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let _ = asked.as_mut().poll(&mut context);
        }
        drop(asked);
        let has_begun = row % 2 == 0;
        // Other verbs may overtake it.
        for other in 0..1000 {
            store.put_code(world.issuer, world.code(4000 + row * 1000 + other)).await;
            if !has_begun || world.issued(2000 + row).await.is_some() {
                break;
            }
        }
        let rule = "a verb that has begun runs to its end even if its future is dropped; one that has not \
            does nothing";
        same(rule, world.issued(2000 + row).await.is_some(), has_begun);
        let family = store.family(world.issuer, RowId(3000 + row)).await;
        let rule = "`issue` puts the access token and the family, or neither";
        same(rule, family.is_some(), has_begun);
    }
}
