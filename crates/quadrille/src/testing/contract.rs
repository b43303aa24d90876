//! What every [`Store`] must do, as tests to be run on it.
//!
//! ```
//! # mod tests {
//! use quadrille::{provider::store::MemoryStore, testing::store_contract};
//!
//! // Makes an empty store, and what must live as long as it (a folder, a container).
//! store_contract!(memory, |env| (MemoryStore::new(env), ()));
//! # }
//! ```
//!
//! Each behaviour is a public function here as well, and a test of its own in the module made.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests, in the library so that others can run them"
)]

use std::{collections::HashSet, sync::Arc, time::Duration};

use crate::{
    Scopes, Timestamp,
    provider::{
        Actor, Authentication, Client, ClientType, GrantType,
        store::{
            AccessRecord, Answer, Answered, Change, CodeRecord, Consent, FamilyRecord, Grant,
            Issue, IssuerId, Redeemed, RevokeAll, Rotated, Rotation, RowId, RowIds, SecretHash,
            Session, Store, TokenRef,
        },
    },
};

use super::ManualClock;

/// Makes a module of tests that a store keeps the [contract](self), from a name for the module and a
/// function from an [`Env`](crate::Env) to an empty store and what must live as long as it.
#[macro_export]
macro_rules! store_contract {
    ($module:ident, $make:expr) => {
        $crate::store_contract! { @tests $module, $make,
            an_issuer_keeps_its_number
            clients_are_found_by_their_exact_id
            a_client_is_replaced_and_removed
            no_change_of_a_client_undoes_another
            a_code_comes_back_as_it_was_put
            a_code_is_redeemed_once
            a_code_of_a_revoked_grant_buys_nothing
            an_access_token_comes_back_as_it_was_issued
            an_access_token_needs_its_own_hash_row_and_issuer
            a_token_that_others_made_is_found_by_its_hash
            a_grant_is_revoked_once_and_with_all_it_gave
            a_grant_can_be_revoked_before_anything_is_issued
            a_person_is_cut_off_from_what_was_granted_so_far
            a_person_who_is_removed_is_cut_off_for_ever
            a_person_withdraws_one_consent
            a_removed_client_takes_its_tokens_with_it
            a_refresh_token_turns_only_as_it_was_read
            a_refresh_token_of_a_revoked_grant_is_gone
            a_page_is_answered_once
            an_answer_given_again_says_what_became_of_the_first
            a_consent_is_of_one_person_to_one_client
            a_consent_changes_only_what_was_asked_about
            a_key_is_remembered_once_until_it_expires
            a_session_lives_until_it_is_ended_or_replaced
            changes_are_told_in_order_to_their_issuer
            what_expired_is_given_back_by_sweeping
            what_expired_is_given_back_by_issuing
            no_two_hold_the_same_worker_number
            row_numbers_rise_and_never_repeat
            a_dropped_future_leaves_all_or_nothing
        }
    };
    (@tests $module:ident, $make:expr, $($name:ident)*) => {
        mod $module {
            #[allow(unused_imports, reason = "what is needed depends on the store")]
            use super::*;
            $(
                #[test]
                fn $name() {
                    let clock = $crate::testing::ManualClock::new();
                    let make: fn($crate::Env) -> _ = $make;
                    let (store, _alive) = make(clock.env());
                    $crate::testing::contract::run(
                        $crate::testing::contract::$name(&store, &clock),
                    );
                }
            )*
        }
    };
}

/// Drives one behaviour to its end.
pub fn run(behaviour: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(behaviour);
}

/// The number stays, and differs from those of others.
pub async fn an_issuer_keeps_its_number<S: Store>(store: &S, _: &ManualClock) {
    let first = store.issuer("https://id.example").await.unwrap();
    let other = store.issuer("https://id.example/").await.unwrap();
    assert_ne!(first, other);
    assert_ne!(store.issuer("https://ID.example").await.unwrap(), first);
    assert_eq!(store.issuer("https://id.example").await.unwrap(), first);
    assert_eq!(store.issuer("https://id.example/").await.unwrap(), other);
}

/// Neither case nor a trailing space makes one id another, and no issuer sees those of others.
pub async fn clients_are_found_by_their_exact_id<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    for (number, id) in (1..).zip(EXACT) {
        put_client(store, world.issuer, client(id, number)).await;
    }
    put_client(store, other, client("elsewhere", 9)).await;
    for (number, id) in (1..).zip(EXACT) {
        let found = store.client(world.issuer, id).await.unwrap().unwrap();
        assert_eq!(*found, client(id, number));
        assert_eq!(store.client(other, id).await.unwrap(), None);
    }
    assert_eq!(store.client(world.issuer, "abc  ").await.unwrap(), None);
    assert_eq!(store.client(world.issuer, "elsewhere").await.unwrap(), None);
    let ids: Vec<_> = store.clients(world.issuer).await.unwrap();
    let ids: Vec<_> = ids.iter().map(|client| &*client.id).collect();
    let mut sorted = EXACT.to_vec();
    sorted.push(CLIENT);
    sorted.sort_unstable();
    assert_eq!(ids, sorted);
}

/// Of two changes of one client the second must know of the first, and who was removed stays away.
pub async fn no_change_of_a_client_undoes_another<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let held = store.client(world.issuer, CLIENT).await.unwrap().unwrap();
    let renamed = |name: &str| Client { name: name.to_owned(), ..Client::clone(&held) };
    let put = |client, before| store.put_client(world.issuer, client, before);
    assert!(!put(renamed("Twin"), None).await.unwrap(), "the id is taken");
    assert!(put(renamed("One"), Some(held.clone())).await.unwrap());
    assert!(!put(renamed("Two"), Some(held.clone())).await.unwrap(), "it is no longer that");
    let one = store.client(world.issuer, CLIENT).await.unwrap().unwrap();
    assert_eq!(one.name, "One");
    store.remove_client(world.issuer, CLIENT).await.unwrap();
    assert!(!put(renamed("Two"), Some(one)).await.unwrap(), "it was removed");
    assert_eq!(store.client(world.issuer, CLIENT).await.unwrap(), None);
}

/// The newest record counts, and removing says whether there was anything to remove.
pub async fn a_client_is_replaced_and_removed<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let mut changed = client(CLIENT, 1);
    changed.name = "Renamed".to_owned();
    changed.grant_types = [GrantType::ClientCredentials].into();
    put_client(store, world.issuer, changed.clone()).await;
    assert_eq!(*store.client(world.issuer, CLIENT).await.unwrap().unwrap(), changed);
    let other = store.issuer("https://other.example").await.unwrap();
    assert!(!store.remove_client(other, CLIENT).await.unwrap());
    assert!(store.remove_client(world.issuer, CLIENT).await.unwrap());
    assert!(!store.remove_client(world.issuer, CLIENT).await.unwrap());
    assert_eq!(store.client(world.issuer, CLIENT).await.unwrap(), None);
    assert!(store.clients(world.issuer).await.unwrap().is_empty());
}

/// With everything in it, or with what may be absent absent.
pub async fn a_code_comes_back_as_it_was_put<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let full = world.code(100);
    let mut bare = world.code(101);
    bare.redirect_uri = None;
    bare.challenge = None;
    bare.grant.scopes = Scopes::EMPTY;
    bare.grant.authentication = None;
    for code in [full, bare] {
        store.put_code(world.issuer, code.clone()).await.unwrap();
        assert_eq!(*store.code(world.issuer, code.row).await.unwrap().unwrap(), code);
        assert_eq!(store.code(other, code.row).await.unwrap(), None);
    }
    assert_eq!(store.code(world.issuer, RowId(99)).await.unwrap(), None);
}

/// The first one gets the tokens; the second learns which grant to revoke, and adds nothing.
pub async fn a_code_is_redeemed_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let code = world.code(100);
    store.put_code(world.issuer, code.clone()).await.unwrap();
    let other = store.issuer("https://other.example").await.unwrap();
    let issue = |row| Issue {
        access: world.access(row, code.grant.clone()),
        family: Some(world.family(row + 1, code.grant.clone())),
    };
    assert_eq!(store.redeem(other, code.row, issue(200)).await.unwrap(), Redeemed::Unknown);
    let redeemed = store.redeem(world.issuer, code.row, issue(210)).await.unwrap();
    assert_eq!(redeemed, Redeemed::Issued);
    assert!(store.code(world.issuer, code.row).await.unwrap().unwrap().redeemed);
    let replayed = store.redeem(world.issuer, code.row, issue(220)).await.unwrap();
    assert_eq!(replayed, Redeemed::Replayed(code.grant.id));
    assert_eq!(world.issued(210).await, Some(world.access(210, code.grant.clone())));
    let family = store.family(world.issuer, RowId(211)).await.unwrap();
    assert_eq!(family.as_deref(), Some(&world.family(211, code.grant.clone())));
    for absent in [200, 220] {
        assert_eq!(world.issued(absent).await, None);
        assert_eq!(store.family(world.issuer, RowId(absent + 1)).await.unwrap(), None);
    }
    let unknown = store.redeem(world.issuer, RowId(1), issue(230)).await.unwrap();
    assert_eq!(unknown, Redeemed::Unknown);
}

/// And the code is not used up by it.
pub async fn a_code_of_a_revoked_grant_buys_nothing<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let code = world.code(100);
    store.put_code(world.issuer, code.clone()).await.unwrap();
    store.revoke_grant(world.issuer, code.grant.id, world.later(60)).await.unwrap();
    let issue = Issue { access: world.access(200, code.grant.clone()), family: None };
    let redeemed = store.redeem(world.issuer, code.row, issue).await.unwrap();
    assert_eq!(redeemed, Redeemed::Revoked);
    assert!(!store.code(world.issuer, code.row).await.unwrap().unwrap().redeemed);
    assert_eq!(world.issued(200).await, None);
}

/// For a person, signed in one way or another, and for a client.
pub async fn an_access_token_comes_back_as_it_was_issued<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
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
        store.issue(world.issuer, Issue { access: access.clone(), family: None }).await.unwrap();
        assert_eq!(world.issued(row).await, Some(access));
    }
}

/// No other will do.
pub async fn an_access_token_needs_its_own_hash_row_and_issuer<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    put_client(store, other, client(CLIENT, 1)).await;
    let access = world.access(300, world.grant(300));
    store.issue(world.issuer, Issue { access, family: None }).await.unwrap();
    let token = |row, hash| TokenRef::Row { row: RowId(row), hash };
    let good = token(300, hash(300));
    assert!(store.access(world.issuer, &good).await.unwrap().is_some());
    assert_eq!(store.access(other, &good).await.unwrap(), None);
    let mut nearly = hash(300);
    nearly[31] ^= 1;
    for bad in [
        token(300, nearly),
        token(301, hash(300)),
        token(-1, hash(300)),
        TokenRef::Foreign { hash: hash(300) },
    ] {
        assert_eq!(store.access(world.issuer, &bad).await.unwrap(), None, "{bad:?}");
    }
}

/// By its own issuer only, and until it is revoked.
pub async fn a_token_that_others_made_is_found_by_its_hash<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let access = world.access(300, world.grant(301));
    store.import(world.issuer, access.clone()).await.unwrap();
    let token = TokenRef::Foreign { hash: access.hash };
    let found = store.access(world.issuer, &token).await.unwrap();
    assert_eq!(found.as_deref(), Some(&access));
    assert_eq!(store.access(other, &token).await.unwrap(), None);
    assert!(store.revoke_grant(world.issuer, RowId(301), world.later(60)).await.unwrap());
    assert_eq!(store.access(world.issuer, &token).await.unwrap(), None);
}

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
            approved: Some(code),
            asked: Scopes::of(["photos"]),
            consent: Some(world.consent(subject, CLIENT, "photos")),
        }
    };
    store.answer(world.issuer, answer(1, 500, "alice")).await.unwrap();
    assert!(store.consent(world.issuer, "alice", CLIENT).await.unwrap().is_some());
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
        let consent = store.consent(world.issuer, subject, CLIENT).await.unwrap();
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
            approved: Some(code),
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
    assert_eq!(store.consent(world.issuer, "alice", CLIENT).await.unwrap(), None);
    assert!(store.consent(world.issuer, "alice", "other").await.unwrap().is_some());
    let left = store.consents(world.issuer, "alice").await.unwrap();
    assert_eq!(left.iter().map(|consent| &*consent.client).collect::<Vec<_>>(), ["other"]);
    assert_eq!(store.consents(world.issuer, "Alice").await.unwrap(), []);
}

/// One with the same id that comes later inherits neither tokens nor consents.
pub async fn a_removed_client_takes_its_tokens_with_it<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let grant = world.grant(500);
    let issue =
        Issue { access: world.access(501, grant.clone()), family: Some(world.family(502, grant)) };
    store.issue(world.issuer, issue).await.unwrap();
    let answer = Answer {
        ticket: [1; 16],
        expires: world.later(60),
        approved: None,
        asked: Scopes::of(["photos"]),
        consent: Some(world.consent("alice", CLIENT, "photos")),
    };
    store.answer(world.issuer, answer).await.unwrap();
    let is_alive = async || {
        let token = world.issued(501).await.is_some();
        assert_eq!(store.family(world.issuer, RowId(502)).await.unwrap().is_some(), token);
        let consent = store.consent(world.issuer, "alice", CLIENT).await.unwrap();
        assert_eq!(consent.is_some(), token);
        token
    };
    assert!(is_alive().await);
    put_client(store, world.issuer, client(CLIENT, 1)).await;
    assert!(is_alive().await, "the same client, changed, keeps what it has");
    put_client(store, world.issuer, client(CLIENT, 600)).await;
    assert!(!is_alive().await, "another client under the same id");
    let access = world.access(701, world.grant(700));
    store.issue(world.issuer, Issue { access, family: None }).await.unwrap();
    assert!(world.issued(701).await.is_some());
    assert!(store.remove_client(world.issuer, CLIENT).await.unwrap());
    assert_eq!(world.issued(701).await, None);
    put_client(store, world.issuer, client(CLIENT, 800)).await;
    assert_eq!(world.issued(701).await, None);
}

/// Whoever read it before it turned learns how it stands now.
pub async fn a_refresh_token_turns_only_as_it_was_read<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let grant = world.grant(500);
    let family = world.family(502, grant.clone());
    let issue = Issue { access: world.access(501, grant), family: Some(family.clone()) };
    store.issue(world.issuer, issue).await.unwrap();

    clock.advance(Duration::from_secs(10));
    let rotation = world.rotation(&family, 510);
    let turned = FamilyRecord {
        generation: 1,
        current: rotation.successor,
        previous: Some(family.current),
        rotated: rotation.rotated,
        rotated_scopes: rotation.scopes.clone(),
        expires: rotation.expires,
        ..family.clone()
    };
    let other = store.issuer("https://other.example").await.unwrap();
    assert_eq!(store.rotate(other, rotation.clone()).await.unwrap(), Rotated::Gone);
    let rotated = store.rotate(world.issuer, rotation.clone()).await.unwrap();
    assert_eq!(rotated, Rotated::Turned);
    let found = store.family(world.issuer, family.row).await.unwrap();
    assert_eq!(found.as_deref(), Some(&turned));
    assert_eq!(world.issued(510).await, Some(rotation.access.clone()));

    let late = world.rotation(&family, 520);
    let lost = store.rotate(world.issuer, late).await.unwrap();
    assert_eq!(lost, Rotated::Lost(Arc::new(turned.clone())));
    let forged = Rotation { presented: hash(9), ..world.rotation(&turned, 530) };
    let lost = store.rotate(world.issuer, forged).await.unwrap();
    assert_eq!(lost, Rotated::Lost(Arc::new(turned.clone())));
    assert_eq!(world.issued(520).await, None);
    assert_eq!(world.issued(530).await, None);

    let next = world.rotation(&turned, 540);
    assert_eq!(store.rotate(world.issuer, next).await.unwrap(), Rotated::Turned);
    let found = store.family(world.issuer, family.row).await.unwrap().unwrap();
    assert_eq!((found.generation, found.previous), (2, Some(turned.current)));
}

/// As is one that never was.
pub async fn a_refresh_token_of_a_revoked_grant_is_gone<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let grant = world.grant(500);
    let family = world.family(502, grant.clone());
    let issue = Issue { access: world.access(501, grant), family: Some(family.clone()) };
    store.issue(world.issuer, issue).await.unwrap();
    store.revoke_grant(world.issuer, RowId(500), world.later(3600)).await.unwrap();
    let rotation = world.rotation(&family, 510);
    assert_eq!(store.rotate(world.issuer, rotation.clone()).await.unwrap(), Rotated::Gone);
    let never = Rotation { family: RowId(999), ..rotation };
    assert_eq!(store.rotate(world.issuer, never).await.unwrap(), Rotated::Gone);
    assert_eq!(world.issued(510).await, None);
}

/// The code and the consent are in with the first answer; further ones change nothing.
pub async fn a_page_is_answered_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let (first, second) = (world.code(100), world.code(200));
    let answer = |ticket, code: &CodeRecord, scope| Answer {
        ticket: [ticket; 16],
        expires: world.later(60),
        approved: Some(code.clone()),
        asked: Scopes::of([scope]),
        consent: Some(world.consent("alice", CLIENT, scope)),
    };
    let again = answer(1, &first, "photos");
    assert_eq!(store.answer(world.issuer, again.clone()).await.unwrap(), Answered::First);
    assert_eq!(*store.code(world.issuer, first.row).await.unwrap().unwrap(), first);
    let consent = store.consent(world.issuer, "alice", CLIENT).await.unwrap();
    assert_eq!(consent, again.consent);
    let approved = Answered::Approved(Arc::new(first.clone()));
    let contrary = Answer { approved: None, consent: None, ..again };
    assert_eq!(store.answer(world.issuer, contrary.clone()).await.unwrap(), approved);
    let other_code = answer(1, &second, "everything");
    assert_eq!(store.answer(world.issuer, other_code).await.unwrap(), approved);
    assert_eq!(store.code(world.issuer, second.row).await.unwrap(), None);
    let consent = store.consent(world.issuer, "alice", CLIENT).await.unwrap().unwrap();
    assert_eq!(consent.scopes.as_str(), "photos");

    let denied = Answer { ticket: [2; 16], ..contrary };
    assert_eq!(store.answer(world.issuer, denied).await.unwrap(), Answered::First);
    let approve = answer(2, &second, "everything");
    assert_eq!(store.answer(world.issuer, approve.clone()).await.unwrap(), Answered::Denied);
    assert_eq!(store.code(world.issuer, second.row).await.unwrap(), None);
    let elsewhere = Answer { approved: None, consent: None, ..approve };
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
            approved: Some(code.clone()),
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
            approved: None,
            asked: consent.scopes.clone(),
            consent: Some(consent.clone()),
        };
        store.answer(world.issuer, answer).await.unwrap();
    };
    let first = world.consent("alice", CLIENT, "photos");
    give(1, &first).await;
    let more = world.consent("alice", CLIENT, "photos profile");
    give(2, &more).await;
    let found = store.consent(world.issuer, "alice", CLIENT).await.unwrap();
    assert_eq!(found, Some(more));
    for (subject, client) in [("Alice", CLIENT), ("alice ", CLIENT), ("alice", "App"), ("", CLIENT)]
    {
        assert_eq!(store.consent(world.issuer, subject, client).await.unwrap(), None);
    }
    assert_eq!(store.consent(other, "alice", CLIENT).await.unwrap(), None);
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
        let answer = Answer { ticket, expires, approved: None, asked, consent };
        store.answer(world.issuer, answer).await.unwrap();
        let consent = store.consent(world.issuer, "alice", CLIENT).await.unwrap();
        consent.unwrap().scopes.as_str().to_owned()
    };
    assert_eq!(answer(1, "photos", "photos").await, "photos");
    assert_eq!(answer(2, "profile albums", "profile albums").await, "photos profile albums");
    assert_eq!(answer(3, "albums photos", "albums").await, "profile albums");
}

/// In its space, of its issuer.
pub async fn a_key_is_remembered_once_until_it_expires<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let remember = async |issuer, space, key| {
        store.remember_once(issuer, space, hash(key), world.later(60)).await.unwrap()
    };
    assert!(remember(world.issuer, "nonce", 1).await);
    assert!(!remember(world.issuer, "nonce", 1).await);
    assert!(remember(world.issuer, "nonce", 2).await);
    assert!(remember(world.issuer, "jti", 1).await);
    assert!(remember(other, "nonce", 1).await);
    clock.advance(Duration::from_secs(59));
    assert!(!remember(world.issuer, "nonce", 1).await);
    clock.advance(Duration::from_secs(2));
    assert!(remember(world.issuer, "nonce", 1).await);
    assert!(!remember(world.issuer, "nonce", 1).await);
}

/// At its own issuer.
pub async fn a_session_lives_until_it_is_ended_or_replaced<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let mut session = world.session("alice", 1);
    session.authentication.amr = vec!["pwd".into()];
    store.put_session(world.issuer, session.clone(), None).await.unwrap();
    let found = store.session(world.issuer, &session.id).await.unwrap();
    assert_eq!(found.as_deref(), Some(&session));
    assert_eq!(store.session(other, &session.id).await.unwrap(), None);
    let next = world.session("alice", 2);
    store.put_session(world.issuer, next.clone(), Some(session.id)).await.unwrap();
    assert_eq!(store.session(world.issuer, &session.id).await.unwrap(), None);
    assert!(store.session(world.issuer, &next.id).await.unwrap().is_some());
    assert!(!store.end_session(other, &next.id).await.unwrap());
    assert!(!store.end_session(world.issuer, &session.id).await.unwrap());
    assert!(store.end_session(world.issuer, &next.id).await.unwrap());
    assert_eq!(store.session(world.issuer, &next.id).await.unwrap(), None);
}

/// A newcomer learns where to begin; a position that was never given out is a gap.
pub async fn changes_are_told_in_order_to_their_issuer<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let start = store.changes(world.issuer, -1).await.unwrap();
    assert!(start.gap);
    assert_eq!(start.changes, []);
    let none = store.changes(world.issuer, start.position).await.unwrap();
    assert!(!none.gap);
    assert_eq!((none.position, none.changes), (start.position, Vec::new()));

    put_client(store, world.issuer, client("new", 3)).await;
    store.revoke_grant(world.issuer, RowId(500), world.later(60)).await.unwrap();
    store.revoke_grant(world.issuer, RowId(500), world.later(60)).await.unwrap();
    put_client(store, other, client("theirs", 4)).await;
    store.put_session(world.issuer, world.session("alice", 1), None).await.unwrap();
    store.end_session(world.issuer, &hash(1)).await.unwrap();
    store.end_session(world.issuer, &hash(1)).await.unwrap();
    let subject = RevokeAll::Subject("alice".into());
    store.revoke_all(world.issuer, subject, RowId(600)).await.unwrap();
    store.remove_client(world.issuer, "new").await.unwrap();
    store.remove_client(world.issuer, "new").await.unwrap();
    let told = store.changes(world.issuer, start.position).await.unwrap();
    assert!(!told.gap);
    assert_eq!(
        told.changes,
        [
            Change::Client("new".into()),
            Change::Grant(RowId(500)),
            Change::Session(hash(1)),
            Change::Subject("alice".into()),
            Change::Client("new".into()),
        ]
    );
    let none = store.changes(world.issuer, told.position).await.unwrap();
    assert!(!none.gap && none.changes.is_empty());
    let ahead = store.changes(world.issuer, told.position + 1000).await.unwrap();
    assert!(ahead.gap, "a store that was put back from a backup");
    assert_eq!(ahead.changes, []);
    let none = store.changes(world.issuer, ahead.position).await.unwrap();
    assert!(!none.gap);
}

/// And what lives stays.
pub async fn what_expired_is_given_back_by_sweeping<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let put = async |row, seconds| {
        let expires = world.later(seconds);
        let grant = world.grant(row);
        let mut issue = Issue {
            access: world.access(row, grant.clone()),
            family: Some(world.family(row + 1, grant)),
        };
        issue.access.expires = expires;
        issue.family.as_mut().unwrap().expires = expires;
        store.issue(world.issuer, issue).await.unwrap();
        store.remember_once(world.issuer, "nonce", hash(row), expires).await.unwrap();
        let mut session = world.session("alice", row);
        session.expires = expires;
        store.put_session(world.issuer, session, None).await.unwrap();
        let mut code = world.code(row + 2);
        code.expires = expires;
        store.put_code(world.issuer, code).await.unwrap();
    };
    put(1000, 60).await;
    put(2000, 7200).await;
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 0);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 5);
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 0);
    for (row, lives) in [(1000, false), (2000, true)] {
        assert_eq!(world.issued(row).await.is_some(), lives);
        let family = store.family(world.issuer, RowId(row + 1)).await.unwrap();
        assert_eq!(family.is_some(), lives);
        let code = store.code(world.issuer, RowId(row + 2)).await.unwrap();
        assert_eq!(code.is_some(), lives);
        let session = store.session(world.issuer, &hash(row)).await.unwrap();
        assert_eq!(session.is_some(), lives);
    }
}

/// So that nobody needs to remember to sweep.
pub async fn what_expired_is_given_back_by_issuing<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let rows = RowIds::new(clock.env());
    let mut tokens = Vec::new();
    for round in 0..6 {
        for _ in 0..100 {
            let row = rows.draw(store).await.unwrap().0;
            let mut access = world.access(row, Grant { id: RowId(row), ..world.grant(1) });
            access.expires = world.later(60);
            store.issue(world.issuer, Issue { access, family: None }).await.unwrap();
            tokens.push((round, row));
        }
        clock.advance(Duration::from_secs(600));
    }
    let mut left = 0;
    for (round, row) in tokens {
        if round < 4 && world.issued(row).await.is_some() {
            left += 1;
        }
    }
    assert!(left < 100, "{left} of 400 tokens that expired long ago are still there");
}

/// While their leases last; who comes next must not draw for times of the one before.
pub async fn no_two_hold_the_same_worker_number<S: Store>(store: &S, clock: &ManualClock) {
    let (now, expires) = (clock.now(), clock.now() + Duration::from_millis(60_500));
    let first = store.lease(None, [1; 16], now, expires).await.unwrap();
    assert_eq!((first.holder, first.expires), ([1; 16], expires));
    let second = store.lease(None, [2; 16], now, expires).await.unwrap();
    assert_ne!(first.number, second.number);
    let later = expires + Duration::from_secs(60);
    let renewed = store.lease(Some(first), [1; 16], now, later).await.unwrap();
    assert_eq!((renewed.number, renewed.expires), (first.number, later));

    clock.set(expires + Duration::from_millis(1));
    let third = store.lease(None, [3; 16], clock.now(), later).await.unwrap();
    if third.number == second.number {
        assert!(third.not_before >= second.expires);
        let stolen = store.lease(Some(second), [2; 16], clock.now(), later).await.unwrap();
        assert_ne!(stolen.number, second.number, "the lease was lost in the meantime");
    }
    assert_ne!(third.number, first.number, "it was renewed");
    let mut held = HashSet::new();
    for holder in 10..60 {
        let lease = store.lease(None, [holder; 16], clock.now(), later).await.unwrap();
        assert!(lease.number < 1024);
        assert!(held.insert(lease.number), "{} is held twice", lease.number);
    }
}

/// Not across processes, restarts, or steps of the clock in either direction.
pub async fn row_numbers_rise_and_never_repeat<S: Store>(store: &S, clock: &ManualClock) {
    let mut seen = HashSet::new();
    let mut running = [RowIds::new(clock.env()), RowIds::new(clock.env())];
    let start = clock.now();
    // In seconds from the start: standing still, stepping back, past the lease, and back again.
    for (step, at) in [0, 0, 100, 50, 1000, 900, 900, 5000, 4000, 4001].into_iter().enumerate() {
        clock.set(start + Duration::from_secs(at));
        for rows in &running {
            let mut last = RowId(0);
            for _ in 0..5000 {
                let row = rows.draw(store).await.unwrap();
                assert!(row > last && row.0 > 0);
                assert!(seen.insert(row), "{row:?} came twice, in step {step}");
                last = row;
            }
            assert!(last.time() >= clock.now());
        }
        if step % 2 == 1 {
            // A restart: in order, or not.
            let [first, _] = &mut running;
            if step % 4 == 1 {
                first.release(store).await.unwrap();
            }
            *first = RowIds::new(clock.env());
        }
    }
    assert!(RowId::last_at(clock.now()).time() == clock.now());
}

/// Whether it began or not.
pub async fn a_dropped_future_leaves_all_or_nothing<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
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
        // Writes are done in the order in which they began.
        store.remember_once(world.issuer, "fence", hash(row), world.later(60)).await.unwrap();
        let has_begun = row % 2 == 0;
        assert_eq!(world.issued(2000 + row).await.is_some(), has_begun);
        let family = store.family(world.issuer, RowId(3000 + row)).await.unwrap();
        assert_eq!(family.is_some(), has_begun);
    }
}

const CLIENT: &str = "app";

/// Ids that differ in case and trailing space only.
const EXACT: [&str; 5] = ["abc", "Abc", "ABC", "abc ", "abc\u{e9}"];

/// A store with an issuer and a client.
struct World<'s, S> {
    store: &'s S,
    clock: &'s ManualClock,
    issuer: IssuerId,
}

impl<'s, S: Store> World<'s, S> {
    async fn of(store: &'s S, clock: &'s ManualClock) -> Self {
        let issuer = store.issuer("https://id.example").await.unwrap();
        put_client(store, issuer, client(CLIENT, 1)).await;
        Self { store, clock, issuer }
    }

    /// In so many seconds. The clock stands at a whole second.
    fn later(&self, seconds: u64) -> Timestamp {
        self.clock.now() + Duration::from_secs(seconds)
    }

    fn grant(&self, id: i64) -> Grant {
        let mut authentication = Authentication::new("alice", self.clock.now());
        authentication.amr = vec!["pwd".into()];
        Grant {
            id: RowId(id),
            client: CLIENT.into(),
            actor: Actor::User("alice".into()),
            scopes: Scopes::of(["photos", "profile"]),
            authentication: Some(Arc::new(authentication)),
        }
    }

    fn code(&self, row: i64) -> CodeRecord {
        CodeRecord {
            row: RowId(row),
            hash: hash(row),
            grant: self.grant(row),
            redirect_uri: Some("https://app.example/back?a=b%20c".into()),
            challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into()),
            expires: self.later(60),
            redeemed: false,
        }
    }

    fn access(&self, row: i64, grant: Grant) -> AccessRecord {
        AccessRecord { row: RowId(row), hash: hash(row), grant, expires: self.later(3600) }
    }

    fn family(&self, row: i64, grant: Grant) -> FamilyRecord {
        FamilyRecord {
            row: RowId(row),
            rotated_scopes: grant.scopes.clone(),
            grant,
            generation: 0,
            current: hash(row),
            previous: None,
            rotated: self.clock.now(),
            expires: self.later(3600),
            ends: self.later(36_000),
        }
    }

    /// Turns `family` as it stands, with an access token in this row.
    fn rotation(&self, family: &FamilyRecord, row: i64) -> Rotation {
        let scopes = Scopes::of(["photos"]);
        let grant = Grant { scopes: scopes.clone(), ..family.grant.clone() };
        Rotation {
            family: family.row,
            generation: family.generation,
            presented: family.current,
            successor: hash(row + 1),
            scopes,
            rotated: self.clock.now(),
            expires: self.later(7200),
            access: self.access(row, grant),
        }
    }

    fn consent(&self, subject: &str, client: &str, scopes: &str) -> Consent {
        Consent {
            subject: subject.into(),
            client: client.into(),
            scopes: Scopes::of(scopes.split(' ')),
            given: self.clock.now(),
        }
    }

    fn session(&self, subject: &str, id: i64) -> Session {
        Session {
            id: hash(id),
            authentication: Authentication::new(subject, self.clock.now()),
            expires: self.later(3600),
        }
    }

    /// The access token in this row.
    async fn issued(&self, row: i64) -> Option<AccessRecord> {
        let token = TokenRef::Row { row: RowId(row), hash: hash(row) };
        self.store.access(self.issuer, &token).await.unwrap().map(Arc::unwrap_or_clone)
    }
}

fn client(id: &str, number: i64) -> Client {
    Client {
        id: id.into(),
        number: RowId(number),
        name: "An application".to_owned(),
        client_type: ClientType::Confidential,
        secrets: Vec::new(),
        redirect_uris: vec!["https://app.example/back".to_owned()],
        scopes: Scopes::of(["photos", "profile"]),
        grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        first_party: false,
        created: Timestamp::from_seconds(1_700_000_000),
    }
}

fn hash(of: i64) -> SecretHash {
    let mut hash = [0x5a; 32];
    hash[..8].copy_from_slice(&of.to_be_bytes());
    hash
}

/// Puts a client there, whatever was before.
async fn put_client(store: &impl Store, issuer: IssuerId, client: Client) {
    let before = store.client(issuer, &client.id).await.unwrap();
    assert!(store.put_client(issuer, client, before).await.unwrap());
}
