//! The next step of a valid request for logout (OpenID Connect RP-Initiated Logout, sections 2 and
//! 3): a pure decision about the signed-in user.

use crate::{actor::Authentication, oidc::IdToken, provider::openid::session::sid};

use super::check::Asked;

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The user must be asked.
    Ask,
    /// The session ends without a question.
    SignOut,
    /// No user is signed in.
    Nobody,
}

/// The next step, for the signed-in user. Only a client that shows an ID token of this very session
/// ends it without asking the user: everybody can send a browser here.
/// With the user comes the subject as the client knows it.
pub(super) fn next(asked: &Asked, user: Option<(&Authentication, &str)>, issuer: &str) -> Next {
    match (user, &asked.hint) {
        (None, _) => Next::Nobody,
        (Some(user), Some(hint)) if is_of(hint, user, issuer) => Next::SignOut,
        (Some(_), _) => Next::Ask,
    }
}

/// `true` if an ID token is of this user and of this session.
fn is_of(hint: &IdToken, (user, subject): (&Authentication, &str), issuer: &str) -> bool {
    let [client] = &*hint.audience else { return false };
    hint.subject == subject && hint.sid == sid(issuer, user, client)
}

/// `true` if a browser may be sent on without a click of its user. Anyone can register clients that
/// nobody here vouches for, so that their addresses would be an open redirector (RFC 9700, section
/// 4.11.2), unless a user has just ended a session there. Without an ID token nothing shows that the
/// client has sent the request (section 3).
pub(super) fn may_send_on(asked: &Asked, has_signed_out: bool) -> bool {
    let is_unknown =
        asked.client.as_ref().is_none_or(|it| it.from_document || it.is_of_a_stranger());
    has_signed_out || asked.hint.is_some() && !is_unknown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Timestamp, provider::client::record::tests::client};

    const ISSUER: &str = "https://id.example";

    fn user(subject: &str, session: Option<&str>) -> Authentication {
        let mut user = Authentication::new(subject, Timestamp::from_seconds(1));
        user.session = session.map(Into::into);
        user
    }

    fn asked(hint: Option<&Authentication>) -> Asked {
        let now = Timestamp::from_seconds(1);
        let hint = hint.map(|user| {
            let mut token = IdToken::new(ISSUER, &*user.subject, "web", now, now);
            token.sid = sid(ISSUER, user, "web");
            token
        });
        let client = Some(Arc::new(client("web", "https://app.example/cb")));
        Asked { client, hint, onward: None }
    }

    fn as_known(user: &Authentication) -> Option<(&Authentication, &str)> {
        Some((user, &user.subject))
    }

    #[test]
    fn only_an_id_token_of_the_same_user_and_session_saves_the_question() {
        let ada = user("ada", Some("a"));
        assert_eq!(next(&asked(Some(&ada)), as_known(&ada), ISSUER), Next::SignOut);
        assert_eq!(next(&asked(Some(&ada)), None, ISSUER), Next::Nobody);
        assert_eq!(next(&asked(None), None, ISSUER), Next::Nobody);
        for other in [user("bob", Some("a")), user("ada", Some("b")), user("ada", None)] {
            assert_eq!(next(&asked(Some(&other)), as_known(&ada), ISSUER), Next::Ask);
        }
        assert_eq!(next(&asked(None), as_known(&ada), ISSUER), Next::Ask);
        let without = user("ada", None);
        assert_eq!(next(&asked(Some(&without)), as_known(&without), ISSUER), Next::SignOut);
    }

    #[test]
    fn a_browser_is_sent_on_for_a_client_that_somebody_vouches_for() {
        let ada = user("ada", None);
        let mut unknown = client("web", "https://app.example/cb");
        unknown.from_document = true;
        let of_unknown = Asked { client: Some(Arc::new(unknown)), ..asked(Some(&ada)) };
        assert!(may_send_on(&asked(Some(&ada)), false));
        assert!(!may_send_on(&asked(None), false));
        assert!(!may_send_on(&of_unknown, false));
        assert!(may_send_on(&of_unknown, true) && may_send_on(&asked(None), true));
    }
}
