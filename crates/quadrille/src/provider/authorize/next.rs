//! The next step of a valid authorization request: a pure decision about the signed-in user and the
//! user's consent.

use std::sync::Arc;

use crate::{
    Policy, Timestamp,
    actor::Authentication,
    provider::{
        store::{Consent, SecretHash},
        token::format::sha256,
    },
};

use super::{
    error::AuthorizeError,
    request::{Asked, is_trusted},
};

/// The next step of a valid request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A user must sign in, or do so again.
    SignIn,
    /// The user must choose an account: the one that is signed in, or another one by a sign-in.
    Choose,
    /// The user must be asked.
    Ask,
    /// The request is granted without asking.
    Grant,
    /// The client receives the error.
    Refuse(AuthorizeError),
    /// The user sees the error: the client is not [trusted](is_trusted).
    Warn(AuthorizeError),
}

/// The note of this server that it sent the user to sign in for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) at: Timestamp,
    /// The authentication that the user had then, which does not count.
    pub(crate) before: Option<Before>,
    /// The [hash](chosen) of the authentication that the user has chosen to go on with.
    pub(crate) chosen: Option<SecretHash>,
    /// The hash of the cookie of the browser that was sent, if the server's layer sets one.
    pub(crate) browser: Option<SecretHash>,
}

/// An authentication, to be told from a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) time: Timestamp,
    /// The hash of the application's session, if there is one.
    pub(crate) session: Option<SecretHash>,
}

impl Before {
    pub(crate) fn of(authentication: &Authentication) -> Self {
        let session = authentication.session.as_deref();
        Self {
            time: authentication.auth_time,
            session: session.map(|session| sha256(session.as_bytes())),
        }
    }
}

/// The hash that names an authentication of a user.
pub(crate) fn chosen(authentication: &Authentication) -> SecretHash {
    let Before { time, session } = Before::of(authentication);
    let user = sha256(authentication.subject.as_bytes());
    let session = session.as_ref().map_or(&[][..], |hash| &hash[..]);
    sha256(&[&user[..], &time.millis().to_be_bytes(), session].concat())
}

impl Sent {
    /// `true` if the authentication came after the note. Of an application that keeps whole seconds, one
    /// of the same second is a new one if it is not the one from before, by its session or its time.
    fn was_answered_by(self, authentication: &Authentication) -> bool {
        let time = authentication.auth_time;
        let is_later = match time.millis() % 1000 {
            0 => time.seconds() >= self.at.seconds(),
            _ => time >= self.at,
        };
        is_later && Some(Before::of(authentication)) != self.before
    }

    /// `true` if the user has chosen to go on with this authentication.
    fn has_chosen(self, authentication: &Authentication) -> bool {
        self.chosen == Some(chosen(authentication))
    }
}

/// The next step, for the signed-in user. `since` is the note that this server sent the user to sign
/// in for this request, if it did, and `known_as` the user's subject as the client knows it.
pub(crate) fn next(
    asked: &Asked,
    authentication: Option<&Authentication>,
    consent: Option<&Consent>,
    since: Option<Sent>,
    known_as: Option<&str>,
    (policy, now): (&Policy, Timestamp),
) -> Next {
    let refuse = match is_trusted(&asked.client, consent) {
        true => Next::Refuse,
        false => Next::Warn,
    };
    let Some(authentication) = authentication else {
        return if asked.prompt.none {
            refuse(AuthorizeError::LoginRequired)
        } else {
            Next::SignIn
        };
    };
    let is_fresh = since.is_some_and(|since| since.was_answered_by(authentication));
    // `max_age=0` is `prompt=login`: no authentication from before the request is new enough.
    let is_old = asked
        .prompt
        .max_age
        .is_some_and(|longest| longest.is_zero() || !authentication.is_at_most(longest, now));
    let acr_values = &asked.prompt.acr_values;
    let is_strong = || authentication.acr.as_ref().is_some_and(|acr| acr_values.contains(acr));
    let is_weak = !acr_values.is_empty() && !is_strong();
    let subjects = asked.prompt.subjects.as_ref();
    let is_known = |subject: &Arc<str>| known_as == Some(&**subject);
    let is_other = subjects.is_some_and(|subjects| !subjects.iter().any(is_known));
    if asked.prompt.none && (is_old || is_weak || is_other) {
        return refuse(match is_other {
            true => AuthorizeError::OtherUser,
            false => AuthorizeError::LoginRequired,
        });
    }
    if (asked.prompt.sign_in || is_old || is_weak || is_other) && !is_fresh {
        return Next::SignIn;
    }
    // A sign-in for this request is a choice, too.
    let has_chosen = is_fresh || since.is_some_and(|since| since.has_chosen(authentication));
    if asked.prompt.hints.select_account && !has_chosen {
        return Next::Choose;
    }
    // The user has signed in for this request, as another one than it requires.
    if is_other {
        return refuse(AuthorizeError::OtherUser);
    }
    // The user has signed in for this request, and not as strongly as it requires.
    if is_weak {
        return refuse(AuthorizeError::AuthenticationUnmet);
    }
    let is_remembered = consent.is_some_and(|consent| {
        let scopes = policy.scope_tree.expand(&consent.scopes);
        let openid = asked.dance.rules().openid();
        scopes.is_superset(&asked.scopes)
            // A claim that is not given is no error (OpenID Connect Core, section 5.5).
            && (asked.prompt.none || openid.is_none_or(|openid| openid.beyond(&scopes).is_empty()))
    });
    // Otherwise neither a remembered consent nor `first_party` may skip the consent page.
    let is_identity_assured = asked.dance.rules().is_identity_assured(&asked.client);
    let may_skip = (asked.client.first_party || is_remembered) && is_identity_assured;
    match (may_skip && !asked.prompt.consent, asked.prompt.none) {
        (true, _) => Next::Grant,
        // No client learns of a user without a consent whether a condition on the sign-in is met, except
        // one that has an ID token of this user.
        (false, true) if asked.prompt.may_need_sign_in() => {
            refuse(match consent.is_some() || asked.prompt.is_known_user {
                true => AuthorizeError::ConsentRequired,
                false => AuthorizeError::ConsentRequiredUntold,
            })
        }
        (false, true) => refuse(AuthorizeError::ConsentRequired),
        (false, false) => Next::Ask,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        Scopes,
        oauth2::{Resources, ResponseMode, ResponseType},
        provider::{
            authorize::{
                dance::{Dance, ForRedirect},
                page_hints::PageHints,
                request::Prompt,
            },
            client::record::{ClientType, tests::client},
        },
    };
    use proptest::prelude::*;

    const CALLBACK: &str = "https://app.example/cb";

    proptest! {
        #[test]
        fn nobody_is_bothered_against_the_clients_wish_and_nothing_granted_without_consent(
            none: bool, sign_in: bool, consent: bool, first_party: bool, is_public: bool,
            is_native: bool, auth_time in proptest::option::of(0..3i64),
            given in proptest::option::of(prop_oneof![Just("a"), Just("a b"), Just("b")]),
            since in proptest::option::of(0..3i64), before in proptest::option::of(0..3i64),
            from_document: bool,
            max_age in proptest::option::of(0..3u64),
            (acr, acr_values, is_known_user) in
                (proptest::option::of("[ab]"), proptest::option::of("[ab]"), any::<bool>()),
            response_type in proptest::sample::select(&ResponseType::ALL[..]),
            other: bool, select: bool, has_chosen: bool,
        ) {
            let redirect_uri = if is_native { "com.example.app:/cb" } else { CALLBACK };
            let mut asker = client("app", redirect_uri);
            asker.first_party = first_party;
            asker.from_document = from_document;
            if is_public {
                asker.client_type = ClientType::Public;
            }
            let asked = Asked {
                client: Arc::new(asker),
                dance: Dance::Redirect(ForRedirect {
                    response_type,
                    mode: ResponseMode::default_of(response_type.as_str()),
                    redirect_uri: redirect_uri.parse().unwrap(),
                    redirect_uri_sent: true,
                    state: None,
                    challenge: None,
                    openid: None,
                }),
                scopes: Scopes::of(["a", "b"]),
                resources: Resources::EMPTY,
                prompt: Prompt {
                    none: none && !sign_in && !consent && !select,
                    sign_in,
                    consent,
                    max_age: max_age.map(Duration::from_secs),
                    acr_values: acr_values.clone().map(|acr| vec![acr.into()]).unwrap_or_default(),
                    subjects: other.then(|| vec!["bob".into()]),
                    is_known_user,
                    hints: PageHints { select_account: select, ..PageHints::default() },
                },
            };
            let at = |seconds: i64| Timestamp::from_seconds(seconds);
            let authentication = auth_time.map(|time| {
                let mut authentication = Authentication::new("ada", at(time));
                authentication.acr = acr.as_deref().map(Into::into);
                authentication
            });
            let is_weak = acr_values.is_some() && acr != acr_values;
            let is_old = max_age.is_some_and(|age| auth_time.is_some_and(|at| {
                age == 0 || 2 - at > age as i64
            }));
            let remembered = given.map(|scopes| Consent {
                subject: "ada".into(),
                client: "app".into(),
                resources: Resources::EMPTY,
                scopes: Scopes::of(scopes.split(' ')),
                given: at(0),
                data: serde_json::Map::new(),
            });
            let before_that = |time| Before { time: at(time), session: None };
            let chosen = authentication.as_ref().filter(|_| has_chosen).map(chosen);
            let since = since.map(|sent| {
                Sent { at: at(sent), before: before.map(before_that), chosen, browser: None }
            });
            let next = next(
                &asked,
                authentication.as_ref(),
                remembered.as_ref(),
                since,
                authentication.as_ref().map(|user| &*user.subject),
                (&Policy::safe(), at(2)),
            );
            let is_fresh = since.is_some_and(|since| {
                auth_time >= Some(since.at.seconds()) && auth_time != before
            });
            if asked.prompt.none {
                prop_assert!(!matches!(next, Next::SignIn | Next::Choose | Next::Ask));
            }
            match next {
                Next::Grant => {
                    prop_assert!(!consent && authentication.is_some());
                    prop_assert!(first_party || given == Some("a b"));
                    prop_assert!(!(is_native && (is_public || response_type.has_any_token())));
                    prop_assert!(!sign_in || is_fresh);
                    prop_assert!(!select || is_fresh || (has_chosen && since.is_some()));
                    prop_assert!(!is_weak && !other && (!is_old || is_fresh));
                }
                Next::Ask => prop_assert!(authentication.is_some()),
                // Only where the account that is signed in would do.
                Next::Choose => {
                    prop_assert!(select && authentication.is_some() && !is_fresh);
                    prop_assert!(!sign_in && !is_weak && !is_old && !other);
                }
                Next::SignIn => {
                    prop_assert!(
                        authentication.is_none() || sign_in || is_weak || is_old || other
                    );
                }
                Next::Refuse(ref error) | Next::Warn(ref error) => {
                    let is_unmet = *error == AuthorizeError::AuthenticationUnmet;
                    let is_other = *error == AuthorizeError::OtherUser;
                    let is_answered = is_unmet && is_weak || is_other && other;
                    prop_assert!(asked.prompt.none || (is_answered && is_fresh));
                    let is_told = *error == AuthorizeError::ConsentRequired;
                    let is_conditional = asked.prompt.may_need_sign_in();
                    prop_assert!(!is_told || !is_conditional || given.is_some() || is_known_user);
                    let is_unknown = from_document && given.is_none();
                    prop_assert_eq!(matches!(next, Next::Warn(_)), is_unknown, "{}", error);
                }
            }
        }
    }
}
