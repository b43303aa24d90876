//! Revoking a grant, and everything of a user.

use crate::{
    Actor, Scopes,
    provider::store::{
        Answer, Answered, Bought, Grant, Issue, LiveGrant, Outcome, Redeemed, RevokeAll, RowId,
        Store,
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World, client},
};

/// No other grant is touched.
pub async fn a_grant_is_revoked_once_and_with_all_it_gave<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    for grant in [500, 600] {
        let grant = world.grant(grant);
        let issue = Issue {
            access: world.access(grant.id.0 + 1, grant.clone()),
            family: Some(world.family(grant.id.0 + 2, grant.clone())),
        };
        store.issue(world.issuer, issue).await;
        let rule = "`access` finds a token of a grant that was not revoked";
        holds(rule, world.issued(grant.id.0 + 1).await.is_some());
    }
    let rule = "`revoke_grant` says whether this call revoked the grant";
    holds(rule, store.revoke_grant(world.issuer, RowId(500), world.later(60)).await);
    holds(rule, !store.revoke_grant(world.issuer, RowId(500), world.later(60)).await);
    same("`revoke_grant` ends the grant's access tokens", world.issued(501).await, None);
    let family = store.family(world.issuer, RowId(502)).await;
    same("`revoke_grant` ends the grant's refresh tokens", family, None);
    let rule = "`revoke_grant` ends nothing of another grant";
    holds(rule, world.issued(601).await.is_some());
    store.revoke_grant(other, RowId(600), world.later(60)).await;
    let rule = "`revoke_grant` ends nothing of another issuer";
    holds(rule, world.issued(601).await.is_some());
    holds(rule, store.family(world.issuer, RowId(602)).await.is_some());
}

/// A later issue for it fails, whether the grant is a user's or the client's own.
pub async fn a_grant_can_be_revoked_before_anything_is_issued<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let grant = world.grant(500);
    let own = Grant { actor: Actor::Client(CLIENT.into()), ..world.grant(510) };
    let issues = [
        Issue { access: world.access(501, grant.clone()), family: Some(world.family(502, grant)) },
        Issue { access: world.access(511, own), family: None },
    ];
    for issue in &issues {
        let grant = issue.access.grant.id;
        let rule = "`revoke_grant` revokes a grant of which nothing is stored yet";
        holds(rule, store.revoke_grant(world.issuer, grant, world.later(3600)).await);
    }
    for issue in issues {
        let row = issue.access.row.0;
        let rule = "`issue` says that a grant was revoked before";
        holds(rule, !store.issue(world.issuer, issue).await);
        let rule = "what is issued of a grant that was revoked before is dead";
        same(rule, world.issued(row).await, None);
    }
    let family = store.family(world.issuer, RowId(502)).await;
    same("a grant that was revoked before gets no refresh tokens", family, None);
}

/// Later grants, other users and clients with the same name are unaffected.
pub async fn a_person_is_cut_off_from_what_was_granted_so_far<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
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
        store.issue(world.issuer, Issue { access, family: None }).await;
    }
    let subject = RevokeAll::Subject("alice".into());
    store.revoke_all(world.issuer, subject, RowId(600)).await;
    for (token, lives) in
        [(501, false), (521, false), (531, true), (541, true), (551, true), (701, true)]
    {
        let rule = format!(
            "`revoke_all` ends the grants of exactly this person, up to the number that it is given \
            (the one of token {token})"
        );
        same(rule, world.issued(token).await.is_some(), lives);
    }
    let rule = "`revoke_all` with a lesser number brings nothing back";
    store.revoke_all(world.issuer, RevokeAll::Subject("alice".into()), RowId(100)).await;
    same(rule, world.issued(501).await, None);
    let other = store.issuer("https://other.example").await;
    store.revoke_all(other, RevokeAll::Subject("alice".into()), RowId(9_000)).await;
    let rule = "`revoke_all` ends nothing of another issuer";
    holds(rule, world.issued(701).await.is_some());
}

/// Including what is stored later, by a request in progress; no other user is affected.
pub async fn a_person_is_cut_off_from_what_is_under_way<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let answer = |ticket, row, subject: &str| {
        let mut code = world.code(row);
        code.grant.actor = Actor::User(subject.into());
        Answer {
            outcome: Outcome::Ticket(world.ticket(ticket), Some(code)),
            asked: Scopes::of(["photos"]),
            consent: Some(world.consent(subject, CLIENT, "photos")),
        }
    };
    store.answer(world.issuer, answer(1, 500, "alice")).await;
    let rule = "`answer` remembers the consent that goes with it";
    holds(rule, store.consent(world.issuer, "alice", CLIENT).await.is_some());
    let subject = RevokeAll::Subject("alice".into());
    store.revoke_all(world.issuer, subject.clone(), RowId(9_000)).await;
    store.revoke_all(world.issuer, subject, RowId(600)).await;
    store.answer(world.issuer, answer(2, 700, "alice")).await;
    store.answer(world.issuer, answer(3, 800, "bob")).await;
    let mut silent = world.code(9_000);
    silent.grant.actor = Actor::User("alice".into());
    store.put_code(world.issuer, silent.clone()).await;
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
        let rule = format!(
            "`revoke_all` ends also what is stored later with a smaller number, of this person only \
            ({subject}, {row})"
        );
        same(rule, store.redeem(world.issuer, RowId(row), issue).await, redeemed.clone());
        let consent = store.consent(world.issuer, subject, CLIENT).await;
        let rule = format!(
            "`revoke_all` forgets the person's consents, and `answer` remembers none with what is \
            dead already ({subject}, {row})"
        );
        same(rule, consent.is_some(), redeemed == Redeemed::Issued);
    }
}

/// Grants with later numbers live, and `subject_since` tells where they begin.
pub async fn a_subject_that_is_given_again_begins_anew<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    let since = async |subject: &str| store.subject_since(world.issuer, subject).await;
    let rule = "`subject_since` is zero if nobody with this subject was removed";
    same(rule, since("alice").await, Some(RowId(0)));
    let consent = world.consent("alice", CLIENT, "photos");
    store.answer(world.issuer, world.denial(1, consent)).await;
    store.revoke_all(world.issuer, RevokeAll::Subject("alice".into()), RowId(600)).await;
    store.revoke_all(other, RevokeAll::Removed("alice".into()), RowId(650)).await;
    let rule = "`revoke_all` of a subject that stays, or of another issuer, is no removal";
    same(rule, since("alice").await, Some(RowId(0)));

    let consent = world.consent("alice", CLIENT, "photos");
    store.answer(world.issuer, world.denial(2, consent)).await;
    let removed = RevokeAll::Removed("alice".into());
    store.revoke_all(world.issuer, removed.clone(), RowId(700)).await;
    let rule = "`subject_since` is the number of the removal";
    same(rule, since("alice").await, Some(RowId(700)));
    let rule = "`revoke_all` of a removed user removes the consents";
    same(rule, store.consent(world.issuer, "alice", CLIENT).await, None);
    store.revoke_all(world.issuer, removed.clone(), RowId(300)).await;
    let rule = "a removal with a lesser number brings nothing back";
    same(rule, since("alice").await, Some(RowId(700)));
    let rule = "`subject_since` is of exactly this person";
    for somebody in ["bob", "Alice", "alice "] {
        same(rule, since(somebody).await, Some(RowId(0)));
    }
    for (grant, lives) in [(690, false), (700, false), (701, true)] {
        let access = world.access(grant + 100, world.grant(grant));
        let rule = "`issue` serves a person whose subject is given again, from the removal on";
        same(rule, store.issue(world.issuer, Issue { access, family: None }).await, lives);
        same(rule, world.issued(grant + 100).await.is_some(), lives);
    }
    store.revoke_all(world.issuer, removed, RowId(8_000)).await;
    let rule = "`newest` counts the number of a removal";
    holds(rule, store.newest().await >= RowId(8_000));
    let rule = "`subject_since` is that of its issuer";
    same(rule, store.subject_since(other, "alice").await, Some(RowId(650)));
}

/// The consents for other clients stay.
pub async fn a_person_withdraws_one_consent<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    store.replace_client(world.issuer, client("other", 2)).await;
    for (row, ticket, name) in [(500, 1, CLIENT), (510, 2, "other")] {
        let grant = Grant { client: name.into(), ..world.grant(row) };
        let mut code = world.code(row + 1);
        code.grant = grant.clone();
        let answer = Answer {
            outcome: Outcome::Ticket(world.ticket(ticket), Some(code)),
            asked: Scopes::of(["photos"]),
            consent: Some(world.consent("alice", name, "photos")),
        };
        let answered = store.answer(world.issuer, answer).await;
        same("the first `answer` with a ticket counts", answered, Answered::First);
        let access = world.access(row + 2, grant);
        store.issue(world.issuer, Issue { access, family: None }).await;
    }
    let what = RevokeAll::Consent { subject: "alice".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, what, RowId(600)).await;
    let rule = "`revoke_all` of a consent ends what the client was granted";
    same(rule, world.issued(502).await, None);
    let rule = "`revoke_all` of a consent ends nothing that another client was granted";
    holds(rule, world.issued(512).await.is_some());
    let rule = "`revoke_all` of a consent forgets it";
    same(rule, store.consent(world.issuer, "alice", CLIENT).await, None);
    let rule = "`revoke_all` of a consent forgets no other";
    holds(rule, store.consent(world.issuer, "alice", "other").await.is_some());
    let left = store.consents(world.issuer, "alice").await;
    let left: Vec<_> = left.iter().map(|consent| &*consent.client).collect();
    same(rule, left, vec!["other"]);
    let rule = "`consents` tells those of exactly this person";
    same(rule, store.consents(world.issuer, "Alice").await, Vec::new());
}

/// With their scopes, and until they are revoked.
pub async fn the_live_grants_of_a_person_are_listed<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    store.replace_client(world.issuer, client("other", 1)).await;
    let of = |id, subject: &str| {
        let mut grant = world.grant(id);
        grant.actor = Actor::User(subject.into());
        grant
    };
    let listed = async || {
        let listed = store.grants(world.issuer, "alice").await;
        listed.iter().map(|listed| listed.grant.id.0).collect::<Vec<_>>()
    };
    let issue = |id: i64, grant: Grant, lasts: bool| {
        let access = world.access(id + 1, Grant { scopes: Scopes::EMPTY, ..grant.clone() });
        Issue { access, family: lasts.then(|| world.family(id + 2, grant)) }
    };
    // Issued out of order, for other users, and for a client itself.
    store.issue(world.issuer, issue(520, of(520, "alice"), false)).await;
    store.put_code(world.issuer, world.code(500)).await;
    store.redeem(world.issuer, RowId(500), issue(500, of(500, "alice"), true)).await;
    store.issue(world.issuer, issue(530, of(530, "Alice"), true)).await;
    store.issue(world.issuer, issue(540, of(540, "alice "), true)).await;
    let itself = Grant { actor: Actor::Client("alice".into()), ..world.grant(550) };
    store.issue(world.issuer, issue(550, itself, false)).await;
    let elsewhere = Grant { client: "other".into(), ..of(560, "alice") };
    store.issue(world.issuer, issue(560, elsewhere, true)).await;
    let credential = world.credential(&world.grant(570));
    store.put_pending(world.issuer, world.pending(571)).await;
    let approval = Outcome::Pending(RowId(571), Some(world.approval(570)));
    let answer = Answer { outcome: approval, asked: Scopes::EMPTY, consent: None };
    store.answer(world.issuer, answer).await;
    store.redeem_pending(world.issuer, RowId(571), Bought::Credential(credential)).await;
    let rule = "`grants` lists the grants of exactly this person, ordered by number";
    same(rule, listed().await, vec![500, 520, 560, 570]);

    let first = store.grants(world.issuer, "alice").await.into_iter().next();
    let first = first.map(|first| (first.grant, first.expires));
    let rule = "`grants` has the whole grant, and the expiry of its last token";
    same(rule, first, Some((of(500, "alice"), world.later(36_000))));
    // Another access token of a listed grant.
    let mut again = issue(520, of(520, "alice"), false);
    again.access.row = RowId(523);
    again.access.expires = world.later(7200);
    store.issue(world.issuer, again).await;
    let rule = "`grants` lists a grant once, with the latest expiry";
    same(rule, listed().await, vec![500, 520, 560, 570]);
    let expires = |listed: &[LiveGrant]| listed.get(1).map(|listed| listed.expires);
    let all = store.grants(world.issuer, "alice").await;
    same(rule, expires(&all), Some(world.later(7200)));

    let other = store.issuer("https://other.example").await;
    let rule = "`grants` shows no issuer a grant of another issuer";
    same(rule, store.grants(other, "alice").await, Vec::new());
    store.revoke_grant(world.issuer, RowId(520), world.later(7200)).await;
    let rule = "`grants` lists no grant that `revoke_grant` revoked";
    same(rule, listed().await, vec![500, 560, 570]);
    store.remove_client(world.issuer, "other").await;
    let rule = "`grants` lists no grant of a client that is gone";
    same(rule, listed().await, vec![500, 570]);
    let what = RevokeAll::Consent { subject: "alice".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, what, RowId(600)).await;
    let rule = "`grants` lists no grant that `revoke_all` revoked";
    same(rule, listed().await, Vec::new());
}
