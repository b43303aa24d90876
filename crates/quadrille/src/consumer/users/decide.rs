//! The decision who an account at a service is here.

use super::{error::RefusedError, id::UserId};

/// What is known about an account that has just logged in.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The user to whom the account belongs.
    pub(super) owner: Option<UserId>,
    /// The user signed in.
    pub(super) signed_in: Option<UserId>,
    /// The users with the same verified address: none, unless the application trusts addresses.
    pub(super) same_email: Vec<UserId>,
}

/// What follows from the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The account is this user's.
    Enter(UserId),
    /// The account becomes this user's, who is signed in.
    Link(UserId),
    /// The account becomes this user's, who has the same verified address.
    LinkByEmail(UserId),
    /// The account is a new user's.
    Create,
    Refuse(RefusedError),
}

pub(super) fn decide(facts: &Facts) -> Decision {
    match (facts.owner, facts.signed_in) {
        (Some(owner), None) => Decision::Enter(owner),
        (Some(owner), Some(signed_in)) if owner == signed_in => Decision::Enter(owner),
        (Some(_), Some(_)) => Decision::Refuse(RefusedError::LinkedToAnother),
        (None, Some(signed_in)) => Decision::Link(signed_in),
        // An address of two users decides nothing.
        (None, None) => match *facts.same_email {
            [one] => Decision::LinkByEmail(one),
            _ => Decision::Create,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn user() -> impl Strategy<Value = UserId> {
        (1_i64..4).prop_map(UserId::from_number)
    }

    proptest! {
        #[test]
        fn an_account_is_never_moved_and_nobody_becomes_another(
            owner in option::of(user()),
            signed_in in option::of(user()),
            same_email in vec(user(), 0..3),
        ) {
            let decision = decide(&Facts { owner, signed_in, same_email: same_email.clone() });
            let enters = match decision {
                Decision::Enter(user) | Decision::Link(user) | Decision::LinkByEmail(user) => {
                    Some(user)
                }
                Decision::Create | Decision::Refuse(_) => None,
            };
            if let Some(owner) = owner {
                prop_assert!(matches!(decision, Decision::Enter(_) | Decision::Refuse(_)));
                prop_assert!(enters.is_none_or(|user| user == owner));
            }
            if let Some(signed_in) = signed_in {
                prop_assert!(enters.is_none_or(|user| user == signed_in));
                prop_assert!(decision != Decision::Create);
            }
            let is_by_email = matches!(decision, Decision::LinkByEmail(_));
            prop_assert!(!is_by_email || (owner, signed_in, same_email.len()) == (None, None, 1));
            let is_refused = matches!(decision, Decision::Refuse(_));
            let belongs_to_another =
                matches!((owner, signed_in), (Some(owner), Some(user)) if owner != user);
            prop_assert_eq!(is_refused, belongs_to_another);
        }
    }
}
