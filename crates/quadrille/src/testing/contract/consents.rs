//! Answers to a consent page, and the consents that they store.

use std::{sync::Arc, time::Duration};

use crate::{
    Scopes,
    oauth2::Resources,
    provider::store::{
        Answer, Answered, CodeRecord, Consent, Issue, Outcome, RevokeAll, RowId, Store, TicketUse,
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World},
};

/// The first answer stores code and consent; further ones change nothing.
pub async fn a_page_is_answered_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let (first, second) = (world.code(100), world.code(200));
    let answer = |ticket, code: &CodeRecord, scope| Answer {
        outcome: Outcome::Ticket(world.ticket(ticket), Some(code.clone())),
        asked: Scopes::of([scope]),
        consent: Some(world.consent("alice", CLIENT, scope)),
    };
    let again = answer(1, &first, "photos");
    let answered = store.answer(world.issuer, again.clone()).await;
    same("the first `answer` with a ticket counts", answered, Answered::First);
    let found = store.code(world.issuer, first.row).await;
    same("`answer` puts the code that was approved", found.as_deref(), Some(&first));
    let consent = store.consent(world.issuer, "alice", CLIENT).await;
    same("`answer` remembers the consent that goes with it", consent, again.consent.clone());
    let approved = Answered::Code(Arc::new(first.clone()));
    let denial = |ticket| Outcome::Ticket(world.ticket(ticket), None);
    let contrary = Answer { outcome: denial(1), consent: None, ..again.clone() };
    let rule = "a further `answer` with the same ticket gives the code of then, whatever is said";
    same(rule, store.answer(world.issuer, contrary.clone()).await, approved.clone());
    let other_code = answer(1, &second, "everything");
    same(rule, store.answer(world.issuer, other_code).await, approved);
    let rule = "a further `answer` with the same ticket puts no code";
    same(rule, store.code(world.issuer, second.row).await, None);
    let rule = "a further `answer` with the same ticket changes no consent";
    same(rule, store.consent(world.issuer, "alice", CLIENT).await, again.consent);

    let denied = Answer { outcome: denial(2), ..contrary };
    let answered = store.answer(world.issuer, denied).await;
    same("the first `answer` with a ticket counts, also a denial", answered, Answered::First);
    let approve = answer(2, &second, "everything");
    let rule = "what was denied on a page is not approved by a further `answer` with its ticket";
    same(rule, store.answer(world.issuer, approve.clone()).await, Answered::Denied);
    same(rule, store.code(world.issuer, second.row).await, None);
    let elsewhere = Answer { outcome: denial(2), consent: None, ..approve };
    let rule = "a ticket that one issuer knows is new to another";
    same(rule, store.answer(other, elsewhere).await, Answered::First);
}

/// Of a store that lost nothing, the moment since which it knows its answers lies before the first
/// one, and stays.
pub async fn answers_are_known_since_before_the_first_one<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let since = store.uses_known_since().await;
    let rule = "`uses_known_since` is not after the making of a store that lost nothing";
    holds(rule, since.knows(world.later(1)));
    clock.advance(Duration::from_secs(60));
    let outcome = Outcome::Ticket(world.ticket(1), Some(world.code(100)));
    let answer = Answer { outcome, asked: Scopes::of(["photos"]), consent: None };
    store.answer(world.issuer, answer).await;
    clock.advance(Duration::from_hours(24));
    store.sweep_all(clock.now()).await;
    let rule = "`uses_known_since` stays while nothing is lost";
    same(rule, store.uses_known_since().await, since);
}

/// The first code while it is unspent, and afterwards that it is spent.
pub async fn an_answer_given_again_says_what_became_of_the_first<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (ticket, row) in [(1, 100), (2, 200)] {
        let code = world.code(row);
        let answer = Answer {
            outcome: Outcome::Ticket(
                TicketUse { until: world.later(900), ..world.ticket(ticket) },
                Some(code.clone()),
            ),
            asked: Scopes::EMPTY,
            consent: None,
        };
        store.answer(world.issuer, answer.clone()).await;
        let approved = Answered::Code(Arc::new(code.clone()));
        let rule = "an `answer` given again gives the code of then while it is unspent";
        same(rule, store.answer(world.issuer, answer.clone()).await, approved);
        if ticket == 1 {
            let issue = Issue { access: world.access(row + 1, code.grant), family: None };
            store.redeem(world.issuer, code.row, issue).await;
        } else {
            store.revoke_grant(world.issuer, code.grant.id, world.later(60)).await;
        }
        let rule = "an `answer` given again says `Spent` when its code was redeemed or revoked";
        same(rule, store.answer(world.issuer, answer).await, Answered::Spent);
    }
}

/// The newest consent counts.
pub async fn a_consent_is_of_one_person_to_one_client<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let first = world.consent("alice", CLIENT, "photos");
    store.answer(world.issuer, world.denial(1, first)).await;
    clock.advance(Duration::from_secs(10));
    let more = world.consent("alice", CLIENT, "photos profile");
    store.answer(world.issuer, world.denial(2, more.clone())).await;
    let found = store.consent(world.issuer, "alice", CLIENT).await;
    let rule = "`answer` remembers the newest consent and when it was given, also with a denial";
    same(rule, found, Some(more));
    for (subject, client) in [("Alice", CLIENT), ("alice ", CLIENT), ("alice", "App"), ("", CLIENT)]
    {
        let rule = format!(
            "`consent` finds that of exactly this person and client, not for {subject:?} and {client:?}"
        );
        same(rule, store.consent(world.issuer, subject, client).await, None);
    }
    let rule = "`consent` shows no issuer a consent of another issuer";
    same(rule, store.consent(other, "alice", CLIENT).await, None);
    let rule = "`consents` shows no issuer a consent of another issuer";
    same(rule, store.consents(other, "alice").await, Vec::new());
}

/// A request for another API asks again.
pub async fn a_consent_is_for_certain_apis<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let give = async |ticket, resources: &str, scopes: &str| {
        let consent = Consent {
            resources: Resources::parse(resources).unwrap(),
            ..world.consent("alice", CLIENT, scopes)
        };
        store.answer(world.issuer, world.denial(ticket, consent)).await;
    };
    let (photos, both) = ("https://photos.example", "https://photos.example https://mail.example");
    give(1, "", "read").await;
    give(2, both, "read write").await;
    give(3, photos, "write").await;
    give(4, photos, "delete").await;
    for (resources, scopes) in [
        ("", Some("read")),
        (photos, Some("write delete")),
        (both, Some("read write")),
        ("https://mail.example", None),
    ] {
        let resources = Resources::parse(resources).unwrap();
        let consent = store.consent_at(world.issuer, "alice", CLIENT, &resources).await;
        let found = consent.as_ref().map(|consent| (&consent.resources, consent.scopes.as_str()));
        let rule = format!("`consent` is for exactly the APIs that are asked about: {resources:?}");
        same(rule, found, scopes.map(|scopes| (&resources, scopes)));
    }
    let all = store.consents(world.issuer, "alice").await;
    let all: Vec<_> = all.iter().map(|consent| consent.resources.as_str()).collect();
    let rule = "`consents` tells all consents of a person, ordered by client and resources";
    same(rule, all, ["", photos, both].to_vec());
    let what = RevokeAll::Consent { subject: "alice".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, what, RowId(600)).await;
    let rule = "`revoke_all` of a consent forgets it at every API";
    same(rule, store.consents(world.issuer, "alice").await, Vec::new());
}

/// Two pages open at the same time both count, and an unticked scope is removed.
pub async fn a_consent_changes_only_what_was_asked_about<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (ticket, asked, granted, remembered, rule) in [
        (1, "photos", "photos", "photos", "`answer` remembers what was granted"),
        (
            2,
            "profile albums",
            "profile albums",
            "photos profile albums",
            "`answer` keeps, of what was remembered, all that the page did not ask about",
        ),
        (
            3,
            "albums photos",
            "albums",
            "profile albums",
            "`answer` forgets what the page asked about and was not granted",
        ),
    ] {
        let consent = Consent {
            scopes: Scopes::parse(granted).unwrap(),
            ..world.consent("alice", CLIENT, "none")
        };
        let asked = Scopes::parse(asked).unwrap();
        let answer = Answer { asked, ..world.denial(ticket, consent) };
        store.answer(world.issuer, answer).await;
        let consent = store.consent(world.issuer, "alice", CLIENT).await;
        same(rule, consent.as_ref().map(|consent| consent.scopes.as_str()), Some(remembered));
    }
}
