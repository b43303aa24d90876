//! Answers to a page that asked, and the consents that they leave.

use std::sync::Arc;

use crate::{
    Scopes,
    oauth2::Resources,
    provider::store::{
        Answer, Answered, CodeRecord, Consent, Issue, Outcome, RevokeAll, RowId, Store,
    },
    testing::ManualClock,
};

use super::world::{CLIENT, World};

/// The code and the consent are in with the first answer; further ones change nothing.
pub async fn a_page_is_answered_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let (first, second) = (world.code(100), world.code(200));
    let answer = |ticket, code: &CodeRecord, scope| Answer {
        ticket: [ticket; 16],
        expires: world.later(60),
        outcome: Outcome::Code(code.clone()),
        asked: Scopes::of([scope]),
        consent: Some(world.consent("alice", CLIENT, scope)),
    };
    let again = answer(1, &first, "photos");
    assert_eq!(store.answer(world.issuer, again.clone()).await.unwrap(), Answered::First);
    assert_eq!(*store.code(world.issuer, first.row).await.unwrap().unwrap(), first);
    let consent = store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap();
    assert_eq!(consent, again.consent);
    let approved = Answered::Approved(Arc::new(first.clone()));
    let contrary = Answer { outcome: Outcome::Denied, consent: None, ..again };
    assert_eq!(store.answer(world.issuer, contrary.clone()).await.unwrap(), approved);
    let other_code = answer(1, &second, "everything");
    assert_eq!(store.answer(world.issuer, other_code).await.unwrap(), approved);
    assert_eq!(store.code(world.issuer, second.row).await.unwrap(), None);
    let consent =
        store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap().unwrap();
    assert_eq!(consent.scopes.as_str(), "photos");

    let denied = Answer { ticket: [2; 16], ..contrary };
    assert_eq!(store.answer(world.issuer, denied).await.unwrap(), Answered::First);
    let approve = answer(2, &second, "everything");
    assert_eq!(store.answer(world.issuer, approve.clone()).await.unwrap(), Answered::Denied);
    assert_eq!(store.code(world.issuer, second.row).await.unwrap(), None);
    let elsewhere = Answer { outcome: Outcome::Denied, consent: None, ..approve };
    assert_eq!(store.answer(other, elsewhere).await.unwrap(), Answered::First);
}

/// The code of then while it is unspent, and that it is spent afterwards.
pub async fn an_answer_given_again_says_what_became_of_the_first<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    for (ticket, row) in [(1, 100), (2, 200)] {
        let code = world.code(row);
        let answer = Answer {
            ticket: [ticket; 16],
            expires: world.later(900),
            outcome: Outcome::Code(code.clone()),
            asked: Scopes::EMPTY,
            consent: None,
        };
        store.answer(world.issuer, answer.clone()).await.unwrap();
        let approved = Answered::Approved(Arc::new(code.clone()));
        assert_eq!(store.answer(world.issuer, answer.clone()).await.unwrap(), approved);
        if ticket == 1 {
            let issue = Issue { access: world.access(row + 1, code.grant), family: None };
            store.redeem(world.issuer, code.row, issue).await.unwrap();
        } else {
            store.revoke_grant(world.issuer, code.grant.id, world.later(60)).await.unwrap();
        }
        assert_eq!(store.answer(world.issuer, answer).await.unwrap(), Answered::Spent);
    }
}

/// And the newest counts.
pub async fn a_consent_is_of_one_person_to_one_client<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let give = async |ticket, consent: &Consent| {
        let answer = Answer {
            ticket: [ticket; 16],
            expires: world.later(60),
            outcome: Outcome::Denied,
            asked: consent.scopes.clone(),
            consent: Some(consent.clone()),
        };
        store.answer(world.issuer, answer).await.unwrap();
    };
    let first = world.consent("alice", CLIENT, "photos");
    give(1, &first).await;
    let more = world.consent("alice", CLIENT, "photos profile");
    give(2, &more).await;
    let found = store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap();
    assert_eq!(found, Some(more));
    for (subject, client) in [("Alice", CLIENT), ("alice ", CLIENT), ("alice", "App"), ("", CLIENT)]
    {
        assert_eq!(
            store.consent(world.issuer, subject, client, &Resources::EMPTY).await.unwrap(),
            None
        );
    }
    assert_eq!(store.consent(other, "alice", CLIENT, &Resources::EMPTY).await.unwrap(), None);
}

/// So that what is asked for there is asked anew.
pub async fn a_consent_is_for_certain_apis<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let give = async |ticket, resources: &str, scopes: &str| {
        let consent = Consent {
            resources: Resources::parse(resources).unwrap(),
            ..world.consent("alice", CLIENT, scopes)
        };
        let answer = Answer {
            ticket: [ticket; 16],
            expires: world.later(60),
            outcome: Outcome::Denied,
            asked: consent.scopes.clone(),
            consent: Some(consent),
        };
        store.answer(world.issuer, answer).await.unwrap();
    };
    let (photos, both) = ("https://photos.example", "https://photos.example https://mail.example");
    give(1, "", "read").await;
    give(2, both, "read write").await;
    give(3, photos, "write").await;
    give(4, photos, "delete").await;
    let held = async |resources: &str| {
        let resources = Resources::parse(resources).unwrap();
        let consent = store.consent(world.issuer, "alice", CLIENT, &resources).await.unwrap();
        consent.map(|consent| {
            assert_eq!(consent.resources, resources);
            consent.scopes.as_str().to_owned()
        })
    };
    assert_eq!(held("").await.as_deref(), Some("read"));
    assert_eq!(held(photos).await.as_deref(), Some("write delete"));
    assert_eq!(held(both).await.as_deref(), Some("read write"));
    assert_eq!(held("https://mail.example").await, None);
    let all = store.consents(world.issuer, "alice").await.unwrap();
    let all: Vec<_> = all.iter().map(|consent| consent.resources.as_str()).collect();
    assert_eq!(all, ["", photos, both]);
    let what = RevokeAll::Consent { subject: "alice".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, what, RowId(600)).await.unwrap();
    assert_eq!(store.consents(world.issuer, "alice").await.unwrap(), []);
}

/// So two pages that were open at once both count, and what was unticked is forgotten.
pub async fn a_consent_changes_only_what_was_asked_about<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let answer = async |ticket, asked: &str, granted: &str| {
        let consent = Consent {
            scopes: Scopes::parse(granted).unwrap(),
            ..world.consent("alice", CLIENT, "none")
        };
        let asked = Scopes::parse(asked).unwrap();
        let (ticket, expires) = ([ticket; 16], world.later(60));
        let consent = Some(consent);
        let answer = Answer { ticket, expires, outcome: Outcome::Denied, asked, consent };
        store.answer(world.issuer, answer).await.unwrap();
        let consent =
            store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap();
        consent.unwrap().scopes.as_str().to_owned()
    };
    assert_eq!(answer(1, "photos", "photos").await, "photos");
    assert_eq!(answer(2, "profile albums", "profile albums").await, "photos profile albums");
    assert_eq!(answer(3, "albums photos", "albums").await, "profile albums");
}
