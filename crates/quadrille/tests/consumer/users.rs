use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use proptest::prelude::*;
use quadrille::{
    Profile,
    consumer::users::{
        Arrival, ExternalId, MemoryUsers, RefusedError, SignInError, SignedIn, UnlinkError, UserId,
        Users,
    },
    testing::users_contract,
};

users_contract!(memory, || (MemoryUsers::new(), ()));

fn arrival(service: &str, subject: &str) -> Arrival {
    Arrival::new(service, Profile::new(subject)).unwrap()
}

fn with_email(service: &str, subject: &str, email: &str, verified: Option<bool>) -> Arrival {
    let mut profile = Profile::new(subject);
    (profile.email, profile.email_verified) = (Some(email.to_owned()), verified);
    Arrival::new(service, profile).unwrap()
}

fn created(signed_in: Result<SignedIn, SignInError>) -> UserId {
    match signed_in {
        Ok(SignedIn::Created(user)) => user,
        other => panic!("no user was created: {other:?}"),
    }
}

#[tokio::test]
async fn an_account_of_another_user_is_refused_and_stays_where_it_is() {
    let users = Users::new(MemoryUsers::new());
    let (github, google) = (arrival("github", "41"), arrival("google", "1"));
    let ada = created(users.sign_in(&github, None).await);
    let bob = created(users.sign_in(&google, None).await);
    assert_ne!(ada, bob);
    let refused = users.sign_in(&github, Some(bob)).await;
    assert_eq!(refused, Err(RefusedError::LinkedToAnother.into()));
    assert_eq!(users.sign_in(&github, None).await, Ok(SignedIn::Existing(ada)));
    assert_eq!(users.sign_in(&github, Some(ada)).await, Ok(SignedIn::Existing(ada)));
}

#[tokio::test]
async fn a_user_who_was_removed_is_not_brought_back_by_an_old_session() {
    let users = Users::new(MemoryUsers::new());
    let github = arrival("github", "41");
    let ada = created(users.sign_in(&github, None).await);
    assert_eq!(users.remove(ada).await, Ok(true));
    let refused = users.sign_in(&github, Some(ada)).await;
    assert_eq!(refused, Err(RefusedError::UserUnknown.into()));
    assert_ne!(created(users.sign_in(&github, None).await), ada);
}

#[tokio::test]
async fn the_last_way_in_is_unlinked_by_the_long_name_only() {
    let users = Users::new(MemoryUsers::new());
    let (github, google) = (arrival("github", "41"), arrival("google", "1"));
    let ada = created(users.sign_in(&github, None).await);
    users.sign_in(&google, Some(ada)).await.unwrap();
    assert_eq!(users.unlink(ada, github.id()).await, Ok(()));
    assert_eq!(users.unlink(ada, github.id()).await, Err(UnlinkError::NotLinked));
    assert_eq!(users.unlink(ada, google.id()).await, Err(UnlinkError::LastWay));
    assert_eq!(users.sign_in(&google, None).await, Ok(SignedIn::Existing(ada)));
    assert_eq!(users.unlink_even_the_last_way_in(ada, google.id()).await, Ok(()));
    assert_eq!(users.external_ids(ada).await, Ok(vec![]));
}

#[tokio::test]
async fn no_address_takes_over_a_user_by_default() {
    let users = Users::new(MemoryUsers::new());
    let email = "ada@a.example";
    let ada = created(users.sign_in(&with_email("github", "41", email, Some(true)), None).await);
    for (subject, verified) in [("1", Some(true)), ("2", Some(false)), ("3", None)] {
        let other = with_email("google", subject, email, verified);
        assert_ne!(created(users.sign_in(&other, None).await), ada, "{verified:?}");
    }
}

#[tokio::test]
async fn a_trusted_address_links_if_both_are_verified_and_one_user_has_it() {
    let trusting = || Users::new(MemoryUsers::new()).trust_every_service_to_verify_addresses();
    let email = "ada@a.example";
    for (first, second, links) in [
        (Some(true), Some(true), true),
        (Some(true), Some(false), false),
        (Some(true), None, false),
        (Some(false), Some(true), false),
        (None, Some(true), false),
    ] {
        let users = trusting();
        let ada = created(users.sign_in(&with_email("github", "41", email, first), None).await);
        let second_way = with_email("google", "1", email, second);
        let signed_in = users.sign_in(&second_way, None).await.unwrap();
        assert_eq!(signed_in == SignedIn::Linked(ada), links, "{first:?} {second:?}");
    }
    // The user signed in stays the user. An address that two users have decides nothing.
    let users = trusting();
    let ada = created(users.sign_in(&with_email("github", "41", email, Some(true)), None).await);
    let bob = created(users.sign_in(&arrival("github", "42"), None).await);
    let of_ada = with_email("google", "1", email, Some(true));
    assert_eq!(users.sign_in(&of_ada, Some(bob)).await, Ok(SignedIn::Linked(bob)));
    let third = created(users.sign_in(&with_email("x", "1", email, Some(true)), None).await);
    assert!(third != ada && third != bob);
}

#[tokio::test]
async fn the_application_may_refuse_each_sign_in_before_anything_is_stored() {
    let closed = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&closed);
    let users = Users::new(MemoryUsers::new()).admit(move |arrival: Arrival, _| {
        let open = !gate.load(Ordering::Relaxed) && arrival.id().service() != "google";
        async move { open }
    });
    let (github, google) = (arrival("github", "41"), arrival("google", "1"));
    let refused = Err(SignInError::from(RefusedError::NotAdmitted));
    assert_eq!(users.sign_in(&github, None).await, refused);
    closed.store(false, Ordering::Relaxed);
    let ada = created(users.sign_in(&github, None).await);
    assert_eq!(users.sign_in(&google, Some(ada)).await, refused);
    assert_eq!(users.external_ids(ada).await, Ok(vec![github.id().clone()]));
    closed.store(true, Ordering::Relaxed);
    assert_eq!(users.sign_in(&github, None).await, refused);
}

#[derive(Clone, Debug)]
enum Step {
    SignIn { subject: u8, as_owner_of: Option<u8> },
    Unlink { subject: u8, by_owner_of: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let subject = 0..5_u8;
    prop_oneof![
        (subject.clone(), proptest::option::of(subject.clone()))
            .prop_map(|(subject, as_owner_of)| Step::SignIn { subject, as_owner_of }),
        (subject.clone(), subject)
            .prop_map(|(subject, by_owner_of)| Step::Unlink { subject, by_owner_of }),
    ]
}

proptest! {
    #[test]
    fn an_account_changes_its_user_by_unlinking_only(steps in prop::collection::vec(step(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let users = Users::new(MemoryUsers::new());
            let mut owners: [Option<UserId>; 5] = [None; 5];
            for step in steps {
                match step {
                    Step::SignIn { subject, as_owner_of } => {
                        let signed_in = as_owner_of.and_then(|of| owners[usize::from(of)]);
                        let arrival = arrival("github", &subject.to_string());
                        let owner = &mut owners[usize::from(subject)];
                        match (users.sign_in(&arrival, signed_in).await, *owner, signed_in) {
                            (Ok(SignedIn::Existing(user)), Some(owner), _) => {
                                assert_eq!(user, owner);
                                assert!(signed_in.is_none_or(|signed_in| signed_in == owner));
                            }
                            (Ok(SignedIn::Created(user)), None, None) => *owner = Some(user),
                            (Ok(SignedIn::Linked(user)), None, Some(signed_in)) => {
                                assert_eq!(user, signed_in);
                                *owner = Some(user);
                            }
                            (Err(error), Some(owner), Some(signed_in)) => {
                                assert_eq!(error, RefusedError::LinkedToAnother.into());
                                assert_ne!(owner, signed_in);
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    Step::Unlink { subject, by_owner_of } => {
                        let Some(user) = owners[usize::from(by_owner_of)] else { continue };
                        let id = ExternalId::new("github", subject.to_string()).unwrap();
                        let ways = owners.iter().filter(|owner| **owner == Some(user)).count();
                        let is_own = owners[usize::from(subject)] == Some(user);
                        match users.unlink(user, &id).await {
                            Ok(()) => {
                                assert!(is_own && ways > 1);
                                owners[usize::from(subject)] = None;
                            }
                            Err(UnlinkError::LastWay) => assert!(is_own && ways == 1),
                            Err(error) => assert!(!is_own && error == UnlinkError::NotLinked),
                        }
                    }
                }
            }
        });
    }
}
