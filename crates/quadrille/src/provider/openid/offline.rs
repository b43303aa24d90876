//! Offline access (OpenID Connect Core, section 11): pure decisions about the scope `offline_access`.

use crate::{Scopes, oauth2::ResponseType};

use super::details::OPENID;

/// The scope of a request for a refresh token.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// The facts about a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) response_type: ResponseType,
    /// `true` if the user is asked whatever is remembered (`prompt=consent`).
    pub(crate) asks: bool,
    /// `true` if the client is a website, and no program of the user.
    pub(crate) is_web: bool,
}

/// The scopes of a request of OpenID Connect, without `offline_access` where it must be ignored: if
/// there is no code, or a website does not have the user asked.
pub(crate) fn requested(scopes: Scopes, request: Request) -> Scopes {
    let may_ask = request.response_type.has_code() && (request.asks || !request.is_web);
    match may_ask || !scopes.contains(OPENID) {
        true => scopes,
        false => scopes.iter().filter(|name| *name != OFFLINE_ACCESS).collect(),
    }
}

/// `true` if a grant with these scopes may have a refresh token, on a server with offline access.
pub(crate) fn may_refresh(scopes: &Scopes) -> bool {
    !scopes.contains(OPENID) || scopes.contains(OFFLINE_ACCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offline_access_needs_a_code_and_a_question_to_the_user() {
        let (both, openid) = (Scopes::of(["offline_access", "openid"]), Scopes::of(["openid"]));
        let left = |response_type, asks, is_web| {
            requested(both.clone(), Request { response_type, asks, is_web })
        };
        for (response_type, asks, is_web, is_kept) in [
            (ResponseType::Code, true, true, true),
            (ResponseType::Code, false, true, false),
            (ResponseType::Code, false, false, true),
            (ResponseType::CodeIdToken, true, true, true),
            (ResponseType::IdToken, true, true, false),
        ] {
            let expected = if is_kept { &both } else { &openid };
            assert_eq!(left(response_type, asks, is_web), *expected, "{response_type:?}");
        }
        let plain = Scopes::of(["offline_access", "photos:read"]);
        let request = Request { response_type: ResponseType::Code, asks: false, is_web: true };
        assert_eq!(requested(plain.clone(), request), plain);
    }

    #[test]
    fn a_refresh_token_of_openid_connect_needs_the_scope() {
        assert!(may_refresh(&Scopes::of(["openid", "offline_access"])));
        assert!(!may_refresh(&Scopes::of(["openid", "email"])));
        assert!(may_refresh(&Scopes::of(["photos:read"])));
    }
}
