//! The contract of [`Backend`](crate::data::backend::Backend), as tests that every backend has to pass.

use std::{sync::Arc, time::Duration};

use quadrille::{
    Env, KeyRing, Timestamp,
    oauth2::Resources,
    provider::{GrantType, NewClient, NewToken, guessing::CountChange},
};

use crate::{
    data::backend::{Known, RecordedIssuer, Removed},
    sessions::{Ended, Session, SomeSessions},
    users::{Added, User},
};

/// A test for each rule. `$open` makes a backend in an empty folder.
macro_rules! backend_contract {
    ($open:expr) => {
        $crate::data::tests::contract::backend_contract! { @tests $open,
            a_user_is_found_by_name_in_any_case_and_by_subject
            a_name_belongs_to_one_user_and_none_looks_like_it
            one_of_many_gets_a_name
            a_better_hash_is_stored_for_the_password_that_it_was_made_of
            a_new_password_ends_every_session_and_one_that_is_being_opened
            changes_of_claims_at_once_are_all_made
            a_password_that_a_user_changes_ends_the_other_sessions
            a_user_who_has_another_password_by_now_is_not_removed
            removing_a_user_ends_sessions_and_grants_and_nobody_elses
            a_session_that_is_not_opened_changes_nothing
            a_session_takes_the_place_of_another_and_counts_are_changed_with_it
            sessions_come_with_the_last_used_first_and_end
            a_user_has_so_many_sessions_at_most
            a_new_sign_in_of_the_same_user_goes_on_under_another_secret
            a_session_has_so_many_clients_at_most
            of_two_sign_ins_in_the_place_of_one_session_one_goes_on
            sessions_that_end_are_told_by_one_of_many_and_once
            counts_of_many_attempts_at_once_are_all_counted
            one_count_is_changed_at_once_or_left_as_it_is
            an_issuer_that_is_renamed_keeps_its_clients
            what_a_directory_is_served_with_is_recorded
            a_logo_is_kept_until_it_is_fetched_again_and_no_longer_than_pages_show_it
            a_mark_is_drawn_once
            a_sealed_secret_is_replaced_and_forgotten_as_it_was_read
        }
    };
    (@tests $open:expr, $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let opened = ($open)(folder.path()).await.unwrap();
                $crate::data::tests::contract::$name(std::sync::Arc::new(opened)).await;
            }
        )*
    };
}
pub(in crate::data) use backend_contract;

pub(in crate::data) use super::claims::changes_of_claims_at_once_are_all_made;

pub(in crate::data) use super::logos::a_logo_is_kept_until_it_is_fetched_again_and_no_longer_than_pages_show_it;

pub(in crate::data) use super::passwords::{
    a_password_that_a_user_changes_ends_the_other_sessions,
    a_user_who_has_another_password_by_now_is_not_removed,
};

pub(in crate::data) use super::sealed::a_sealed_secret_is_replaced_and_forgotten_as_it_was_read;

use super::world::{
    ISSUER, NOON, Tested, add, counts, each, hash, later, name, none, open, session,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Opens a session in the place of another one.
async fn replace(backend: &Tested, session: &Session, before: u8) -> bool {
    backend.open_session(session.clone(), Some(hash(before)), none()).await.unwrap()
}

/// The sessions that a process gets to tell their clients, for a minute.
async fn ended(backend: &Tested, now: Timestamp) -> Vec<Ended> {
    backend.lease_ended(now, MINUTE).await.unwrap()
}

pub(in crate::data) async fn a_user_is_found_by_name_in_any_case_and_by_subject(backend: Tested) {
    assert!(!backend.has_users().await.unwrap());
    let (zoe, ada) = (add(&backend, "Zoë").await, add(&backend, "ada").await);
    assert!(backend.has_users().await.unwrap());
    assert_eq!(backend.user_by_name(&name("zOË")).await.unwrap(), Some(zoe.clone()));
    assert_eq!(backend.user_by_subject(&ada.subject).await.unwrap(), Some(ada.clone()));
    assert_eq!(backend.user_by_name(&name("zo")).await.unwrap(), None);
    assert_eq!(backend.user_by_subject("zoë").await.unwrap(), None);
    let shown = backend.user_by_name(&name("zoë")).await.unwrap().unwrap();
    assert_eq!(shown.name.as_str(), "Zoë", "as it was given");
    assert_eq!(backend.users().await.unwrap(), [ada, zoe], "by name");
}

pub(in crate::data) async fn a_name_belongs_to_one_user_and_none_looks_like_it(backend: Tested) {
    let ada = add(&backend, "paypal").await;
    let another = |text| backend.add_user(User::new(&Env::system(), name(text), "b".into()));
    assert_eq!(another("PayPal").await.unwrap(), Added::Taken);
    assert_eq!(another("pаypal").await.unwrap(), Added::LooksLike("paypal".to_owned()));
    assert_eq!(backend.users().await.unwrap(), [ada]);
}

pub(in crate::data) async fn one_of_many_gets_a_name(backend: Tested) {
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let backend = backend.clone();
            let user = User::new(&Env::system(), name("ada"), "a hash".into());
            tokio::spawn(async move { backend.add_user(user).await.unwrap() })
        })
        .collect();
    let mut won = 0;
    for tried in tries {
        won += usize::from(tried.await.unwrap() == Added::Now);
    }
    assert_eq!((won, backend.users().await.unwrap().len()), (1, 1));
}

pub(in crate::data) async fn a_better_hash_is_stored_for_the_password_that_it_was_made_of(
    backend: Tested,
) {
    let ada = add(&backend, "ada").await;
    backend.replace_hash(&ada, "better".into()).await.unwrap();
    let stored = backend.user_by_name(&ada.name).await.unwrap().unwrap();
    assert_eq!((&*stored.password, stored.password_number), ("better", ada.password_number));
    backend.set_password(&ada.name, "new".into()).await.unwrap();
    backend.replace_hash(&ada, "late".into()).await.unwrap();
    let stored = backend.user_by_name(&ada.name).await.unwrap().unwrap();
    assert_eq!(&*stored.password, "new");
}

pub(in crate::data) async fn a_new_password_ends_every_session_and_one_that_is_being_opened(
    backend: Tested,
) {
    let (ada, bob) = (add(&backend, "ada").await, add(&backend, "bob").await);
    assert!(open(&backend, &session(&ada, 1)).await && open(&backend, &session(&bob, 2)).await);
    let changed = backend.set_password(&ada.name, "new".into()).await.unwrap().unwrap();
    assert_eq!(&*changed.password, "new");
    assert!(changed.password_number > ada.password_number);
    assert_eq!(backend.session(&hash(1)).await.unwrap(), None);
    assert!(backend.session(&hash(2)).await.unwrap().is_some(), "nobody else's");
    assert!(!open(&backend, &session(&ada, 3)).await, "with the password before");
    assert!(open(&backend, &session(&changed, 4)).await);
    assert_eq!(backend.set_password(&name("eve"), "new".into()).await.unwrap(), None);
}

pub(in crate::data) async fn removing_a_user_ends_sessions_and_grants_and_nobody_elses(
    backend: Tested,
) {
    let (ada, bob) = (add(&backend, "ada").await, add(&backend, "bob").await);
    assert!(open(&backend, &session(&ada, 1)).await && open(&backend, &session(&bob, 2)).await);
    let nobody = backend.remove_user(Removed::Named(&name("eve")), ISSUER).await;
    assert_eq!(nobody.unwrap(), None, "before a server has run");
    let server = backend.server(ISSUER, None).unwrap().keys(KeyRing::new([&[7; 32]]).unwrap());
    let mint = |user: &User| server.mint(NewToken::personal(user.subject.clone(), "a script"));
    let (adas, bobs) = (mint(&ada).await.unwrap().token, mint(&bob).await.unwrap().token);
    assert_eq!(
        backend.remove_user(Removed::Named(&ada.name), ISSUER).await.unwrap(),
        Some(ada.clone())
    );
    assert_eq!(backend.remove_user(Removed::Named(&ada.name), ISSUER).await.unwrap(), None);
    assert!(!server.revoke_token(&adas).await.unwrap(), "it ended with the user");
    assert!(server.revoke_token(&bobs).await.unwrap());
    assert_eq!(backend.session(&hash(1)).await.unwrap(), None);
    assert!(backend.session(&hash(2)).await.unwrap().is_some());
    assert!(!open(&backend, &session(&ada, 3)).await);
    assert_eq!(backend.users().await.unwrap(), [bob]);
}

pub(in crate::data) async fn a_session_that_is_not_opened_changes_nothing(backend: Tested) {
    let ada = add(&backend, "ada").await;
    assert!(open(&backend, &session(&ada, 1)).await);
    let late = Session { password_number: ada.password_number + 1, ..session(&ada, 2) };
    let recount = later(7, Duration::from_secs(60));
    assert!(!backend.open_session(late, Some(hash(1)), recount).await.unwrap());
    assert_eq!(backend.session(&hash(2)).await.unwrap(), None);
    assert!(backend.session(&hash(1)).await.unwrap().is_some(), "nothing was replaced");
    assert_eq!(counts(&backend, 7).await, each(Timestamp::default()), "nothing was counted");
}

pub(in crate::data) async fn a_session_takes_the_place_of_another_and_counts_are_changed_with_it(
    backend: Tested,
) {
    let ada = add(&backend, "ada").await;
    assert!(open(&backend, &session(&ada, 1)).await);
    let recount = later(7, MINUTE);
    let second = session(&ada, 2);
    assert!(backend.open_session(second, Some(hash(1)), recount).await.unwrap());
    assert_eq!(backend.session(&hash(1)).await.unwrap(), None);
    assert!(backend.session(&hash(2)).await.unwrap().is_some());
    assert_eq!(counts(&backend, 7).await, each(Timestamp::default() + MINUTE));
}

pub(in crate::data) async fn sessions_come_with_the_last_used_first_and_end(backend: Tested) {
    let (ada, bob) = (add(&backend, "ada").await, add(&backend, "bob").await);
    for (user, id) in [(&ada, 1), (&ada, 2), (&ada, 3), (&bob, 4)] {
        assert!(open(&backend, &session(user, id)).await);
    }
    let used = |id, seconds| backend.session_used(hash(id), NOON + Duration::from_secs(seconds));
    used(1, 60).await.unwrap();
    used(3, 120).await.unwrap();
    let ids = async |user: &User| -> Vec<u8> {
        let sessions = backend.sessions_of(&user.subject).await.unwrap();
        sessions.iter().map(|session| session.id[0]).collect()
    };
    assert_eq!(ids(&ada).await, [3, 1, 2]);
    backend.end_session(hash(3)).await.unwrap();
    assert_eq!(ids(&ada).await, [1, 2]);
    let only = |id| SomeSessions::One(Session::name_of(&hash(id)));
    assert!(!backend.end_sessions_of(bob.subject.clone(), only(1)).await.unwrap());
    assert!(backend.end_sessions_of(ada.subject.clone(), only(1)).await.unwrap());
    assert_eq!(ids(&ada).await, [2]);
    assert!(backend.end_sessions_of(ada.subject.clone(), SomeSessions::All).await.unwrap());
    assert!(!backend.end_sessions_of(ada.subject.clone(), SomeSessions::All).await.unwrap());
    assert_eq!((ids(&ada).await, ids(&bob).await), (vec![], vec![4]));
}

pub(in crate::data) async fn a_user_has_so_many_sessions_at_most(backend: Tested) {
    let (ada, bob) = (add(&backend, "ada").await, add(&backend, "bob").await);
    assert!(open(&backend, &session(&bob, 200)).await);
    let used = |id: u8| NOON + Duration::from_secs(id.into());
    for id in 1..=100 {
        assert!(open(&backend, &Session { used: used(id), ..session(&ada, id) }).await);
    }
    backend.session_used(hash(1), NOON + HOUR).await.unwrap();
    // The new one counts as used last, whatever the clock shows.
    assert!(open(&backend, &session(&ada, 101)).await);
    let sessions = backend.sessions_of(&ada.subject).await.unwrap();
    let mut left: Vec<u8> = sessions.iter().map(|session| session.id[0]).collect();
    left.sort_unstable();
    let expected: Vec<u8> = (1..=101).filter(|id| *id != 2).collect();
    assert_eq!(left, expected, "the one that was used longest ago has ended");
    assert!(backend.session(&hash(200)).await.unwrap().is_some(), "of another user");
    let told: Vec<_> = ended(&backend, NOON).await.into_iter().map(|ended| ended.name).collect();
    assert_eq!(told, [Session::name_of(&hash(2))]);
}

pub(in crate::data) async fn a_new_sign_in_of_the_same_user_goes_on_under_another_secret(
    backend: Tested,
) {
    let (ada, bob) = (add(&backend, "ada").await, add(&backend, "bob").await);
    assert!(open(&backend, &session(&ada, 1)).await);
    for client in ["web", "app", "web"] {
        backend.join_session(hash(1), client.into()).await.unwrap();
    }
    let clients: Vec<Arc<str>> = vec!["web".into(), "app".into()];
    let second = Session { signed_in: NOON + MINUTE, ..session(&ada, 2) };
    assert!(replace(&backend, &second, 1).await);
    assert_eq!(backend.session(&hash(1)).await.unwrap(), None, "nobody signs in by it");
    let stored = backend.session(&hash(2)).await.unwrap().unwrap();
    let name = Session::name_of(&hash(1));
    assert_eq!(stored, Session { name, clients: clients.clone(), ..second });
    assert!(ended(&backend, NOON).await.is_empty(), "it has not ended");
    // Another user, the same one after the expiry, and a session that is gone.
    assert!(replace(&backend, &session(&bob, 3), 2).await);
    let late = Session { signed_in: NOON + HOUR, expires: NOON + HOUR * 2, ..session(&bob, 4) };
    assert!(replace(&backend, &late, 3).await);
    assert!(replace(&backend, &session(&bob, 5), 3).await);
    for id in [4, 5] {
        let stored = backend.session(&hash(id)).await.unwrap().unwrap();
        assert_eq!(stored.name, Session::name_of(&hash(id)));
    }
    let mut gone = ended(&backend, NOON).await;
    gone.sort_by(|a, b| a.name.cmp(&b.name));
    let of = |user: &User, name, signed_in, clients| Ended {
        name: Session::name_of(&hash(name)),
        subject: user.subject.clone(),
        signed_in,
        clients,
    };
    assert_eq!(gone, [of(&ada, 1, NOON + MINUTE, clients), of(&bob, 3, NOON, vec![])]);
}

pub(in crate::data) async fn a_session_has_so_many_clients_at_most(backend: Tested) {
    let ada = add(&backend, "ada").await;
    assert!(open(&backend, &session(&ada, 1)).await);
    let joins: Vec<_> = (0..260)
        .map(|number: usize| {
            let backend = backend.clone();
            tokio::spawn(async move {
                backend.join_session(hash(1), number.to_string().into()).await.unwrap();
            })
        })
        .collect();
    for join in joins {
        join.await.unwrap();
    }
    let clients = backend.session(&hash(1)).await.unwrap().unwrap().clients;
    assert_eq!(clients.len(), 256);
}

pub(in crate::data) async fn of_two_sign_ins_in_the_place_of_one_session_one_goes_on(
    backend: Tested,
) {
    let ada = add(&backend, "ada").await;
    assert!(open(&backend, &session(&ada, 1)).await);
    let tries: Vec<_> = (2..10)
        .map(|id| {
            let (backend, session) = (backend.clone(), session(&ada, id));
            tokio::spawn(async move { replace(&backend, &session, 1).await })
        })
        .collect();
    for tried in tries {
        assert!(tried.await.unwrap());
    }
    let sessions = backend.sessions_of(&ada.subject).await.unwrap();
    let name = Session::name_of(&hash(1));
    let same: Vec<_> = sessions.iter().filter(|session| session.name == name).collect();
    let [one] = same[..] else { panic!("{same:?}") };
    assert_eq!(one.signed_in, NOON + Duration::from_secs(1), "later than the sign-in before");
    assert_eq!(sessions.len(), 8);
}

pub(in crate::data) async fn sessions_that_end_are_told_by_one_of_many_and_once(backend: Tested) {
    let users =
        [add(&backend, "ada").await, add(&backend, "bob").await, add(&backend, "eve").await];
    let [ada, bob, eve] = &users;
    for (user, id) in [(ada, 1), (bob, 2), (eve, 3), (eve, 4)] {
        assert!(open(&backend, &session(user, id)).await);
    }
    let short = Session { expires: NOON + MINUTE, ..session(eve, 5) };
    assert!(open(&backend, &short).await);
    assert!(ended(&backend, NOON).await.is_empty());
    backend.set_password(&ada.name, "new".into()).await.unwrap();
    let clients: Vec<Arc<str>> = vec!["web".into(), "app".into()];
    for client in &clients {
        backend.join_session(hash(2), client.clone()).await.unwrap();
    }
    backend.remove_user(Removed::Named(&bob.name), ISSUER).await.unwrap();
    let only = SomeSessions::One(Session::name_of(&hash(3)));
    backend.end_sessions_of(eve.subject.clone(), only).await.unwrap();
    // The caller of this one tells its clients.
    backend.end_session(hash(4)).await.unwrap();
    let now = NOON + MINUTE;
    let looks: Vec<_> = (0..8)
        .map(|_| {
            let backend = backend.clone();
            tokio::spawn(async move { ended(&backend, now).await })
        })
        .collect();
    let mut found = Vec::new();
    for look in looks {
        found.extend(look.await.unwrap());
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let names = |found: &[Ended]| found.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    let of = |ids: &[u8]| ids.iter().map(|id| Session::name_of(&hash(*id))).collect::<Vec<_>>();
    assert_eq!(names(&found), of(&[1, 2, 3, 5]));
    assert_eq!((&found[1].clients, &found[0].clients), (&clients, &vec![]));
    assert_eq!((&found[0].subject, found[0].signed_in), (&ada.subject, NOON));
    assert_eq!(backend.session(&hash(5)).await.unwrap(), None, "it has expired");
    // The process that had them has ended before it told the last two.
    backend.forget_ended(of(&[1, 2])).await.unwrap();
    assert!(ended(&backend, now + MINUTE / 2).await.is_empty());
    let mut again = names(&ended(&backend, now + MINUTE).await);
    again.sort();
    assert_eq!(again, of(&[3, 5]));
    // The clock was set back by more than leases last.
    assert_eq!(ended(&backend, now - HOUR).await.len(), 2);
}

pub(in crate::data) async fn counts_of_many_attempts_at_once_are_all_counted(backend: Tested) {
    let second = Duration::from_secs(1);
    let attempts: Vec<_> = (0..32)
        .map(|_| {
            let backend = backend.clone();
            tokio::spawn(async move {
                backend.recount(later(7, second), Timestamp::default()).await.unwrap()
            })
        })
        .collect();
    let mut before = Vec::new();
    for attempt in attempts {
        before.push(attempt.await.unwrap().name);
    }
    before.sort();
    let expected: Vec<_> = (0..32).map(Timestamp::from_seconds).collect();
    assert_eq!(before, expected, "each sees those before it");
    assert_eq!(counts(&backend, 7).await, each(Timestamp::from_seconds(32)));
    assert_eq!(counts(&backend, 8).await, each(Timestamp::default()), "nobody else's");
}

pub(in crate::data) async fn one_count_is_changed_at_once_or_left_as_it_is(backend: Tested) {
    let attempts: Vec<_> = (0..32)
        .map(|_| {
            let backend = backend.clone();
            let change: CountChange = Arc::new(|before| Some(before + Duration::from_secs(1)));
            let count = async move { backend.count([1; 16], change, Timestamp::default()).await };
            tokio::spawn(count)
        })
        .collect();
    let mut before = Vec::new();
    for attempt in attempts {
        before.push(attempt.await.unwrap().unwrap());
    }
    before.sort();
    let expected: Vec<_> = (0..32).map(Timestamp::from_seconds).collect();
    assert_eq!(before, expected, "each sees those before it");

    let later = NOON + Duration::from_secs(60);
    let raise: CountChange = Arc::new(move |_| Some(later));
    backend.count([2; 16], raise, NOON).await.unwrap();
    let leave: CountChange = Arc::new(|_| None);
    assert_eq!(backend.count([2; 16], leave.clone(), NOON).await.unwrap(), later);
    assert_eq!(backend.count([2; 16], leave.clone(), NOON).await.unwrap(), later, "left as it is");
    assert_eq!(backend.count([3; 16], leave, NOON).await.unwrap(), Timestamp::default());
}

pub(in crate::data) async fn an_issuer_that_is_renamed_keeps_its_clients(backend: Tested) {
    let (old, new) = ("https://old.example", "https://new.example");
    let recorded = |issuer: &str, given| RecordedIssuer { issuer: issuer.to_owned(), given };
    assert_eq!(backend.issuer().await.unwrap(), None);
    backend.record_issuer(recorded(old, false), None).await.unwrap();
    assert_eq!(backend.issuer().await.unwrap(), Some(recorded(old, false)));
    let client = NewClient::public("Printer").id("printer").redirect_uri("https://a.example/");
    let server =
        |issuer| backend.server(issuer, None).unwrap().keys(KeyRing::new([&[7; 32]]).unwrap());
    server(old).register(client).await.unwrap();
    let is_known = async |issuer| server(issuer).client("printer").await.unwrap().is_some();
    assert!(is_known(old).await && !is_known(new).await);
    backend.record_issuer(recorded(new, true), Some(old.to_owned())).await.unwrap();
    assert_eq!(backend.issuer().await.unwrap(), Some(recorded(new, true)));
    assert!(is_known(new).await);
    assert!(!is_known(old).await);
}

pub(in crate::data) async fn what_a_directory_is_served_with_is_recorded(backend: Tested) {
    assert_eq!(backend.served_with().await.unwrap(), None);
    for uris in [&["https://api.example", "https://other.example"][..], &[]] {
        let known = Known {
            scopes: [("photos:read".to_owned(), "See \"your\" photos".to_owned())].into(),
            resources: Resources::of(uris.iter().copied()).unwrap(),
            grant_types: uris.iter().map(|_| GrantType::DeviceCode).collect(),
            oauth1: uris.is_empty(),
        };
        backend.record_served_with(known.clone()).await.unwrap();
        assert_eq!(backend.served_with().await.unwrap(), Some(known));
    }
}

pub(in crate::data) async fn a_mark_is_drawn_once(backend: Tested) {
    backend.check().await.unwrap();
    let mark = backend.mark().await.unwrap();
    assert!(!mark.is_empty());
    assert_eq!(backend.mark().await.unwrap(), mark);
    backend.close().await;
    assert!(backend.end_session(hash(1)).await.is_err(), "closed");
}
