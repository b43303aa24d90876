//! The part of the contract that is about passwords that users change themselves, and their removal.

use std::{sync::Arc, time::Duration};

use quadrille::Timestamp;

use crate::{
    data::backend::{PasswordChange, Removed},
    sessions::Session,
    users::User,
};

use super::world::{ISSUER, NOON, Tested, add, counts, each, hash, later, name, open, session};

const MINUTE: Duration = Duration::from_secs(60);

/// A new password in the session of this number, which goes on under the number after it.
async fn change(backend: &Tested, user: &User, id: u8) -> bool {
    let change = PasswordChange {
        session: session(user, id),
        next: hash(id + 1),
        password: "new".into(),
        recount: later(7, MINUTE),
    };
    backend.change_password(change).await.unwrap()
}

pub(in crate::data) async fn a_password_that_a_user_changes_ends_the_other_sessions(
    backend: Tested,
) {
    let (ada, bob) = (add(&backend, "ada").await, add(&backend, "bob").await);
    for (user, id) in [(&ada, 1), (&ada, 3), (&bob, 4)] {
        assert!(open(&backend, &session(user, id)).await);
    }
    backend.join_session(hash(1), "web".into()).await.unwrap();
    backend.join_session(hash(3), "app".into()).await.unwrap();
    assert!(change(&backend, &ada, 1).await);
    let user = backend.user_by_subject(&ada.subject).await.unwrap().unwrap();
    assert_eq!((&*user.password, user.password_number), ("new", ada.password_number + 1));
    assert_eq!(backend.session(&hash(1)).await.unwrap(), None, "its secret is worth nothing");
    let goes_on = Session {
        id: hash(2),
        password_number: user.password_number,
        clients: vec!["web".into()],
        ..session(&ada, 1)
    };
    assert_eq!(backend.sessions_of(&ada.subject).await.unwrap(), [goes_on]);
    assert!(backend.session(&hash(4)).await.unwrap().is_some(), "nobody else's");
    assert_eq!(counts(&backend, 7).await, each(Timestamp::default() + MINUTE));
    let told = backend.lease_ended(NOON, MINUTE).await.unwrap();
    let told: Vec<_> = told.iter().map(|ended| (&*ended.name, ended.clients.len())).collect();
    assert_eq!(told, [(&*Session::name_of(&hash(3)), 1)]);

    // The password was verified before another one was set.
    assert!(!change(&backend, &ada, 2).await);
    assert!(backend.session(&hash(2)).await.unwrap().is_some(), "nothing was changed");
    assert_eq!(counts(&backend, 7).await, each(Timestamp::default() + MINUTE));
    // The user has signed out everywhere meanwhile: a thief in the session changes nothing.
    assert!(!change(&backend, &user, 8).await);
    let same = backend.user_by_subject(&ada.subject).await.unwrap().unwrap();
    assert_eq!((&*same.password, same.password_number), ("new", user.password_number));
}

pub(in crate::data) async fn a_user_who_has_another_password_by_now_is_not_removed(
    backend: Tested,
) {
    let ada = add(&backend, "ada").await;
    let changed = backend.set_password(&name("ada"), "new".into()).await.unwrap().unwrap();
    assert_eq!(backend.remove_user(Removed::Verified(&ada), ISSUER).await.unwrap(), None);
    let another = User { subject: Arc::from("another"), ..changed.clone() };
    assert_eq!(backend.remove_user(Removed::Verified(&another), ISSUER).await.unwrap(), None);
    let removed = backend.remove_user(Removed::Verified(&changed), ISSUER).await.unwrap();
    assert_eq!(removed, Some(changed));
}
