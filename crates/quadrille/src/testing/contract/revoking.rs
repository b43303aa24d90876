//! Revoking a grant, and all that a person gave.

use crate::{
    Scopes,
    oauth2::Resources,
    provider::{
        Actor,
        store::{Answer, Answered, Grant, Issue, Outcome, Redeemed, RevokeAll, RowId, Store},
    },
    testing::ManualClock,
};

use super::world::{CLIENT, World, client, hash, put_client};

/// And nobody else's is touched.
pub async fn a_grant_is_revoked_once_and_with_all_it_gave<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    for grant in [500, 600] {
        let grant = world.grant(grant);
        let issue = Issue {
            access: world.access(grant.id.0 + 1, grant.clone()),
            family: Some(world.family(grant.id.0 + 2, grant.clone())),
        };
        store.issue(world.issuer, issue).await.unwrap();
        assert!(world.issued(grant.id.0 + 1).await.is_some());
    }
    assert!(store.revoke_grant(world.issuer, RowId(500), world.later(60)).await.unwrap());
    assert!(!store.revoke_grant(world.issuer, RowId(500), world.later(60)).await.unwrap());
    assert_eq!(world.issued(501).await, None);
    assert_eq!(store.family(world.issuer, RowId(502)).await.unwrap(), None);
    store.revoke_grant(other, RowId(600), world.later(60)).await.unwrap();
    assert!(world.issued(601).await.is_some());
    assert!(store.family(world.issuer, RowId(602)).await.unwrap().is_some());
}

/// Whoever is about to issue for it comes too late.
pub async fn a_grant_can_be_revoked_before_anything_is_issued<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    assert!(store.revoke_grant(world.issuer, RowId(500), world.later(3600)).await.unwrap());
    let grant = world.grant(500);
    let issue =
        Issue { access: world.access(501, grant.clone()), family: Some(world.family(502, grant)) };
    store.issue(world.issuer, issue).await.unwrap();
    assert_eq!(world.issued(501).await, None);
    assert_eq!(store.family(world.issuer, RowId(502)).await.unwrap(), None);
}

/// With the sessions; later grants, other people and clients of the same name are left alone.
pub async fn a_person_is_cut_off_from_what_was_granted_so_far<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let grant = |id, actor| Grant { actor, ..world.grant(id) };
    let actors = [
        (500, Actor::User("alice".into())),
        (520, Actor::User("alice".into())),
        (530, Actor::User("Alice".into())),
        (540, Actor::User("alice ".into())),
        (550, Actor::Client("alice".into())),
        (700, Actor::User("alice".into())),
    ];
    for (id, actor) in actors {
        let access = world.access(id + 1, grant(id, actor));
        store.issue(world.issuer, Issue { access, family: None }).await.unwrap();
    }
    let sessions = [("alice", 1), ("Alice", 2)];
    for (subject, id) in sessions {
        store.put_session(world.issuer, world.session(subject, id), None).await.unwrap();
    }
    let subject = RevokeAll::Subject("alice".into());
    store.revoke_all(world.issuer, subject, RowId(600)).await.unwrap();
    for (token, lives) in
        [(501, false), (521, false), (531, true), (541, true), (551, true), (701, true)]
    {
        assert_eq!(world.issued(token).await.is_some(), lives, "{token}");
    }
    assert_eq!(store.session(world.issuer, &hash(1)).await.unwrap(), None);
    assert!(store.session(world.issuer, &hash(2)).await.unwrap().is_some());
}

/// Also from what is granted later, by a request that was under way; nobody else is.
pub async fn a_person_who_is_removed_is_cut_off_for_ever<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let answer = |ticket, row, subject: &str| {
        let mut code = world.code(row);
        code.grant.actor = Actor::User(subject.into());
        Answer {
            ticket: [ticket; 16],
            expires: world.later(60),
            outcome: Outcome::Code(code),
            asked: Scopes::of(["photos"]),
            consent: Some(world.consent(subject, CLIENT, "photos")),
        }
    };
    store.answer(world.issuer, answer(1, 500, "alice")).await.unwrap();
    assert!(
        store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap().is_some()
    );
    let subject = RevokeAll::Subject("alice".into());
    store.revoke_all(world.issuer, subject.clone(), RowId::MAX).await.unwrap();
    store.revoke_all(world.issuer, subject, RowId(600)).await.unwrap();
    store.answer(world.issuer, answer(2, 700, "alice")).await.unwrap();
    store.answer(world.issuer, answer(3, 800, "bob")).await.unwrap();
    let mut silent = world.code(i64::MAX - 9);
    silent.grant.actor = Actor::User("alice".into());
    store.put_code(world.issuer, silent.clone()).await.unwrap();
    for (row, subject, redeemed) in [
        (500, "alice", Redeemed::Revoked),
        (700, "alice", Redeemed::Revoked),
        (silent.row.0, "alice", Redeemed::Revoked),
        (800, "bob", Redeemed::Issued),
    ] {
        let grant = Grant { actor: Actor::User(subject.into()), ..world.grant(row) };
        let issue = Issue {
            access: world.access(row + 1, grant.clone()),
            family: Some(world.family(row + 2, grant)),
        };
        assert_eq!(store.redeem(world.issuer, RowId(row), issue).await.unwrap(), redeemed, "{row}");
        let consent =
            store.consent(world.issuer, subject, CLIENT, &Resources::EMPTY).await.unwrap();
        assert_eq!(consent.is_some(), redeemed == Redeemed::Issued, "{row}");
    }
}

/// The other clients keep theirs.
pub async fn a_person_withdraws_one_consent<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    put_client(store, world.issuer, client("other", 2)).await;
    for (row, name) in [(500, CLIENT), (510, "other")] {
        let grant = Grant { client: name.into(), ..world.grant(row) };
        let mut code = world.code(row + 1);
        code.grant = grant.clone();
        let answer = Answer {
            ticket: hash(row)[..16].try_into().unwrap(),
            expires: world.later(60),
            outcome: Outcome::Code(code),
            asked: Scopes::of(["photos"]),
            consent: Some(world.consent("alice", name, "photos")),
        };
        assert_eq!(store.answer(world.issuer, answer).await.unwrap(), Answered::First);
        let access = world.access(row + 2, grant);
        store.issue(world.issuer, Issue { access, family: None }).await.unwrap();
    }
    let what = RevokeAll::Consent { subject: "alice".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, what, RowId(600)).await.unwrap();
    assert_eq!(world.issued(502).await, None);
    assert!(world.issued(512).await.is_some());
    assert_eq!(
        store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap(),
        None
    );
    assert!(
        store.consent(world.issuer, "alice", "other", &Resources::EMPTY).await.unwrap().is_some()
    );
    let left = store.consents(world.issuer, "alice").await.unwrap();
    assert_eq!(left.iter().map(|consent| &*consent.client).collect::<Vec<_>>(), ["other"]);
    assert_eq!(store.consents(world.issuer, "Alice").await.unwrap(), []);
}
