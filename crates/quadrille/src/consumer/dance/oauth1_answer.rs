//! Responses of OAuth 1 services to requests for credentials (RFC 5849, sections 2.1 and 2.3), and
//! the meaning of their refusals.

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    Timestamp,
    consumer::{error::ServiceError, exchange::retry_after},
    oauth1::{Credentials, CredentialsError, Problem},
    oauth2::answer,
};

/// Longer credentials do not fit into a cookie.
const LONGEST: usize = 1024;

/// The two requests for credentials.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// Temporary credentials: only this application is involved.
    Temporary,
    /// Token credentials, in exchange for a verifier.
    Token,
}

/// Reads the response to a request for credentials, in any shape.
pub(super) fn credentials(
    response: &Response<Bytes>,
    asked: Asked,
    now: Timestamp,
) -> Result<Credentials, ServiceError> {
    let status = response.status();
    let is_exact = |char: char| !char.is_control() && char != answer::UNREADABLE;
    let fit = |text: &str| text.len() <= LONGEST && text.chars().all(is_exact);
    let error = match Credentials::parse(response) {
        Ok(credentials) if fit(&credentials.token) && fit(credentials.secret.expose()) => {
            return match asked {
                Asked::Temporary if !credentials.callback_confirmed => {
                    Err(ServiceError::CallbackNotConfirmed)
                }
                _ => Ok(credentials),
            };
        }
        Ok(_) => CredentialsError::Malformed,
        Err(error) => error,
    };
    let unavailable = || {
        let retry_after = retry_after(response.headers(), now);
        ServiceError::Unavailable { status, retry_after }
    };
    // The body of an overloaded service means nothing.
    if ServiceError::is_overload(status) {
        return Err(unavailable());
    }
    Err(match (error, asked) {
        (CredentialsError::Problem(Problem::ConsumerKeyRateExceeded), _) => unavailable(),
        (CredentialsError::Problem(problem), _) if is_the_clients(problem) => {
            ServiceError::ClientRefused
        }
        (CredentialsError::Problem(problem), _) => {
            ServiceError::TokenRefused { error: problem.as_str().into() }
        }
        (CredentialsError::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), asked) => {
            match asked {
                Asked::Temporary => ServiceError::ClientRefused,
                Asked::Token => ServiceError::TokenRefused { error: "unauthorized".into() },
            }
        }
        _ => ServiceError::Malformed { status },
    })
}

/// Problems that the operator of this application must fix.
pub(super) fn is_the_clients(problem: Problem) -> bool {
    matches!(
        problem,
        Problem::ConsumerKeyUnknown
            | Problem::ConsumerKeyRefused
            | Problem::SignatureInvalid
            | Problem::SignatureMethodRejected
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_credentials_is_told_by_fault() {
        let refused = |word: &str| ServiceError::TokenRefused { error: word.into() };
        let code = |status| StatusCode::from_u16(status).unwrap();
        let malformed = |status| ServiceError::Malformed { status: code(status) };
        let busy = |status| ServiceError::Unavailable { status: code(status), retry_after: None };
        let client = || ServiceError::ClientRefused;
        let long = format!("oauth_token=t&oauth_token_secret={}", "s".repeat(1025));
        for (status, body, temporary, token) in [
            (200, "", malformed(200), malformed(200)),
            (200, "<html>a=b&oauth_tokens", malformed(200), malformed(200)),
            (200, "oauth_token=t", malformed(200), malformed(200)),
            (200, "oauth_token=&oauth_token_secret=s", malformed(200), malformed(200)),
            (200, "oauth_token=a%0Ab&oauth_token_secret=s", malformed(200), malformed(200)),
            (200, "oauth_token=%E9&oauth_token_secret=s", malformed(200), malformed(200)),
            (200, "oauth_token=t&oauth_token_secret=%E9", malformed(200), malformed(200)),
            (200, &long, malformed(200), malformed(200)),
            (302, "", malformed(302), malformed(302)),
            (400, "Bad", malformed(400), malformed(400)),
            (401, "Failed to validate", client(), refused("unauthorized")),
            (403, r#"{"errors":[]}"#, client(), refused("unauthorized")),
            (401, "oauth_problem=%3Cscript%3E", client(), refused("unauthorized")),
            (401, "oauth_problem=token_used", refused("token_used"), refused("token_used")),
            (200, "oauth_problem=nonce_used", refused("nonce_used"), refused("nonce_used")),
            (401, "oauth_problem=signature_invalid&base=canary", client(), client()),
            (401, "oauth_problem=consumer_key_rate_exceeded", busy(401), busy(401)),
            (429, "oauth_problem=user_refused", busy(429), busy(429)),
            (503, "<html>", busy(503), busy(503)),
        ] {
            let answer = Response::builder().status(status).body(Bytes::from(body.to_owned()));
            let answer = answer.unwrap();
            for (asked, error) in [(Asked::Temporary, temporary), (Asked::Token, token)] {
                let read = credentials(&answer, asked, Timestamp::default());
                assert_eq!(read, Err(error), "{status} {body}");
            }
        }
    }

    #[test]
    fn only_temporary_credentials_need_the_callback_confirmed() {
        let answer = Response::new(Bytes::from("oauth_token=t&oauth_token_secret=s"));
        let unconfirmed = ServiceError::CallbackNotConfirmed;
        let now = Timestamp::default();
        assert_eq!(credentials(&answer, Asked::Temporary, now), Err(unconfirmed));
        assert!(credentials(&answer, Asked::Token, now).is_ok());
    }
}
