//! Sessions, as clients know them (OpenID Connect Front-Channel Logout, section 3).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{actor::Authentication, provider::token::format::sha256};

/// The identifier of a user's session for a client; `None` if the application has no sessions. The
/// application's own may be the secret of a cookie, so this one does not lead back to it, and two
/// clients cannot tell by it that their users are one.
pub(crate) fn sid(issuer: &str, authentication: &Authentication, client: &str) -> Option<String> {
    let session = authentication.session.as_deref()?;
    let hash = sha256(["quadrille sid", issuer, client, session].join("\n").as_bytes());
    let (start, _) = hash.split_at(16);
    Some(BASE64_URL_SAFE_NO_PAD.encode(start))
}

/// `true` if a grant is of this session. Without sessions, a sign-in is told by its time.
pub(crate) fn is_same(ended: &Authentication, granted: &Authentication) -> bool {
    match (&ended.session, &granted.session) {
        (Some(ended), Some(granted)) => ended == granted,
        (None, None) => ended.auth_time.seconds() == granted.auth_time.seconds(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn ada(session: Option<&str>, time: i64) -> Authentication {
        let mut ada = Authentication::new("ada", Timestamp::from_seconds(time));
        ada.session = session.map(Into::into);
        ada
    }

    #[test]
    fn a_session_has_another_name_at_each_client_and_issuer() {
        let ada = ada(Some("secret-of-a-cookie"), 1);
        let issuer = "https://id.example";
        let name = sid(issuer, &ada, "web").unwrap();
        assert_eq!(sid(issuer, &ada, "web").as_deref(), Some(&*name));
        assert_ne!(sid(issuer, &ada, "app").unwrap(), name);
        assert_ne!(sid("https://other.example", &ada, "web").unwrap(), name);
        assert_eq!(sid(issuer, &self::ada(None, 1), "web"), None);
    }

    #[test]
    fn a_grant_is_of_the_session_in_which_it_was_given() {
        assert!(is_same(&ada(Some("a"), 1), &ada(Some("a"), 2)));
        assert!(!is_same(&ada(Some("a"), 1), &ada(Some("b"), 1)));
        assert!(!is_same(&ada(Some("a"), 1), &ada(None, 1)));
        assert!(is_same(&ada(None, 1), &ada(None, 1)));
        assert!(!is_same(&ada(None, 1), &ada(None, 2)));
    }
}
