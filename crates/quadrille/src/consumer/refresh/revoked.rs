//! Deciding whether a 401 of an API means that the service no longer accepts a token.
//!
//! One response is not trusted, unless it says so in the terms of a specification: a path that
//! always responds with 401, or a server that does not know a new token yet, must not unlink an
//! account. Otherwise the account's identity is requested with the same token: that worked at the
//! login, so a 401 there concerns the token.
//!
//! In OAuth 1, only the service's explicit error counts: a wrong secret of this application and a
//! wrong clock cause a 401 everywhere, too, and must not unlink all accounts.

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    consumer::{dance::Dance, login::registered::Registered},
    oauth1::{Credentials, CredentialsError, Problem},
    oauth2::{ErrorCode, bearer::Challenge},
};

/// The meaning of a 401 for the token that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The token is invalid, expired or revoked: `invalid_token` (RFC 6750, section 3.1), or a
    /// problem of OAuth 1 with the token.
    Dead,
    /// The API requires a token and does not accept this one.
    Refused,
    /// The cause is unclear.
    Unclear,
    /// The cause is not the token.
    Alive,
}

/// Reads an error response of the API: one with status 401, or in the service's own way.
pub(crate) fn verdict(registered: &Registered, answer: &Response<Bytes>) -> Verdict {
    match &registered.dance {
        _ if registered.says_dead(answer) => Verdict::Dead,
        _ if answer.status() != StatusCode::UNAUTHORIZED => Verdict::Alive,
        Dance::OAuth2(_) => bearer(answer),
        Dance::OAuth1(_) => signed(answer),
    }
}

fn bearer(answer: &Response<Bytes>) -> Verdict {
    let challenges = Challenge::parse_all(answer.headers());
    let codes = || challenges.iter().filter_map(|challenge| challenge.error.as_ref());
    if codes().any(|error| error.error == ErrorCode::InvalidToken) {
        Verdict::Dead
    } else if codes().next().is_some() {
        Verdict::Alive
    } else if challenges.is_empty() {
        Verdict::Unclear
    } else {
        Verdict::Refused
    }
}

fn signed(answer: &Response<Bytes>) -> Verdict {
    match Credentials::parse(answer) {
        Err(CredentialsError::Problem(
            Problem::TokenRejected | Problem::TokenExpired | Problem::TokenRevoked,
        )) => Verdict::Dead,
        Err(CredentialsError::Problem(_)) => Verdict::Alive,
        _ => Verdict::Alive,
    }
}

impl Verdict {
    /// Whether the token is invalid, by the status of the identity request; `None` without such a
    /// request. A young token may not be known everywhere yet.
    pub(crate) fn is_end(self, second: Option<StatusCode>, is_young: bool) -> bool {
        let confirmed = second == Some(StatusCode::UNAUTHORIZED);
        match self {
            Self::Dead => confirmed || second.is_none(),
            Self::Refused => confirmed || (second.is_none() && !is_young),
            Self::Unclear => confirmed,
            Self::Alive => false,
        }
    }

    /// Whether the identity must be requested.
    pub(crate) fn wants_confirmation(self, is_young: bool) -> bool {
        match self {
            Self::Dead => is_young,
            Self::Refused | Self::Unclear => true,
            Self::Alive => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(challenge: &str, body: &'static str) -> Response<Bytes> {
        let answer = Response::builder().status(401);
        let answer = match challenge {
            "" => answer,
            challenge => answer.header("www-authenticate", challenge),
        };
        answer.body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_401_says_more_or_less_about_the_token() {
        for (challenge, verdict) in [
            ("", Verdict::Unclear),
            ("Basic realm=\"x\"", Verdict::Unclear),
            ("Bearer", Verdict::Refused),
            ("Bearer realm=\"x\"", Verdict::Refused),
            ("Bearer error=\"invalid_token\"", Verdict::Dead),
            ("bearer realm=\"x\", error=invalid_token", Verdict::Dead),
            ("Basic realm=\"x\", Bearer error=\"invalid_token\"", Verdict::Dead),
            ("Bearer error=\"insufficient_scope\"", Verdict::Alive),
            ("Bearer error=\"insufficient_user_authentication\"", Verdict::Alive),
            ("Bearer error=\"invalid_request\"", Verdict::Alive),
            ("DPoP error=\"invalid_token\"", Verdict::Unclear),
        ] {
            assert_eq!(bearer(&answer(challenge, "")), verdict, "{challenge}");
        }
        for (challenge, body, verdict) in [
            ("", "", Verdict::Alive),
            ("OAuth realm=\"x\"", "", Verdict::Alive),
            ("OAuth oauth_problem=\"token_revoked\"", "", Verdict::Dead),
            ("OAuth realm=\"x\", oauth_problem=token_expired", "", Verdict::Dead),
            ("", "oauth_problem=token_rejected", Verdict::Dead),
            ("", "oauth_problem=signature_invalid", Verdict::Alive),
            ("", "oauth_problem=nonce_used", Verdict::Alive),
            ("", "oauth_problem=timestamp_refused", Verdict::Alive),
            ("OAuth oauth_problem=\"permission_denied\"", "", Verdict::Alive),
        ] {
            assert_eq!(signed(&answer(challenge, body)), verdict, "{challenge} {body}");
        }
    }

    #[test]
    fn a_second_answer_decides_where_the_first_is_not_enough() {
        let no = Some(StatusCode::UNAUTHORIZED);
        let others = [200, 403, 429, 503].map(|code| StatusCode::from_u16(code).ok());
        for (verdict, young, unanswered) in [
            (Verdict::Dead, false, true),
            (Verdict::Dead, true, true),
            (Verdict::Refused, false, true),
            (Verdict::Refused, true, false),
            (Verdict::Unclear, false, false),
            (Verdict::Unclear, true, false),
        ] {
            assert!(verdict.is_end(no, young), "{verdict:?}");
            assert_eq!(verdict.is_end(None, young), unanswered, "{verdict:?}");
            for other in others {
                assert!(!verdict.is_end(other, young), "{verdict:?} {other:?}");
            }
        }
        assert!(!Verdict::Alive.is_end(no, false));
    }
}
