//! The reasons why a signed request is refused, and the answer (RFC 5849, section 3.2).

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::oauth1::{Challenge, Problem, RequestError};

/// The reason why a signed request is refused (RFC 5849, section 3.2). The reason goes to the log;
/// the answer has the status of that section and a word of the problem reporting extension.
///
/// ```
/// use quadrille::{guard::SignatureError, oauth1::Problem};
///
/// assert_eq!(SignatureError::NonceUsed.problem(), Some(Problem::NonceUsed));
/// assert_eq!(SignatureError::NonceUsed.status(), 401);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The request cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The request is not signed.
    #[error("the request is not signed")]
    Unsigned,
    /// The body is longer than the limit.
    #[error("the body is too long")]
    BodyTooLong,
    /// The body did not arrive.
    #[error("the body did not arrive")]
    BodyBroken,
    /// The server does not accept this signature method.
    #[error("this signature method is not accepted here")]
    SignatureMethod,
    /// The client may not use this signature method.
    #[error("the client may not use this signature method")]
    SignatureMethodOfClient,
    /// The signature method is PLAINTEXT, and there is no TLS.
    #[error("PLAINTEXT needs TLS")]
    PlaintextWithoutTls,
    /// The nonce is longer than 255 characters.
    #[error("the nonce is too long")]
    NonceTooLong,
    /// The timestamp is too old.
    #[error("the timestamp is too old")]
    TimestampOld,
    /// The timestamp lies in the future.
    #[error("the timestamp lies in the future")]
    TimestampAhead,
    /// The timestamp is from before this server started, which does not know the nonces of that
    /// time; or the client's clock is ahead, and a request with this timestamp came before the
    /// start.
    #[error("the timestamp is from before the server's start, or was used before it")]
    TimestampBeforeStart,
    /// The nonce was used before.
    #[error("the nonce was used before")]
    NonceUsed,
    /// The client has reached its share of remembered requests
    /// ([`OAuth1::remember_at_most`](crate::provider::oauth1::OAuth1::remember_at_most)). Try again
    /// after this time.
    #[error("the client has reached its share of signed requests")]
    TooManyRequests(Duration),
    /// The client is unknown, or does not use OAuth 1.0a.
    #[error("the client is unknown, or does not use OAuth 1.0a")]
    UnknownClient,
    /// The client has no key for this signature method, for example an RSA key for HMAC.
    #[error("the client has no key for this signature method")]
    NoKey,
    /// The signature is invalid.
    #[error("the signature is wrong")]
    SignatureWrong,
    /// The client sent too many invalid signatures. Try again after this time.
    #[error("too many wrong signatures")]
    Throttled(Duration),
    /// The `oauth_token` is missing.
    #[error("the oauth_token is missing")]
    TokenMissing,
    /// The request has an `oauth_token` where none belongs.
    #[error("the request has an oauth_token where none belongs")]
    TokenUnexpected,
    /// The token is unknown, or no longer exists.
    #[error("there is no such token")]
    TokenUnknown,
    /// The token was issued to another client.
    #[error("the token was issued to another client")]
    TokenOfOtherClient,
    /// The token has expired.
    #[error("the token has expired")]
    TokenExpired,
    /// The client signed for itself, and may not act for itself here.
    #[error("the client may not act for itself here")]
    NotForItself,
    /// The issuer elsewhere refused the request.
    #[error("the issuer refused the request: {}", .0.as_str())]
    ByIssuer(Problem),
    /// The request cannot be checked now: the server failed. The log has the reason.
    #[error("signed requests cannot be checked now")]
    Unavailable,
}

impl SignatureError {
    /// `Unavailable`; the reason goes to the log.
    pub(crate) fn unavailable(reason: impl fmt::Display) -> Self {
        tracing::error!(%reason, "a signed request could not be checked");
        Self::Unavailable
    }

    /// The word of the problem reporting extension; `None` if there is none for the reason.
    pub const fn problem(&self) -> Option<Problem> {
        Some(match self {
            Self::Request(error) => error.problem(),
            Self::ByIssuer(problem) => *problem,
            Self::Unsigned | Self::BodyTooLong | Self::BodyBroken | Self::Unavailable => {
                return None;
            }
            Self::SignatureMethod | Self::SignatureMethodOfClient | Self::PlaintextWithoutTls => {
                Problem::SignatureMethodRejected
            }
            Self::TimestampOld | Self::TimestampAhead | Self::TimestampBeforeStart => {
                Problem::TimestampRefused
            }
            Self::NonceUsed => Problem::NonceUsed,
            Self::UnknownClient | Self::NoKey | Self::SignatureWrong => Problem::SignatureInvalid,
            Self::Throttled(_) | Self::TooManyRequests(_) => Problem::ConsumerKeyRateExceeded,
            Self::TokenMissing => Problem::ParameterAbsent,
            Self::TokenUnexpected | Self::NonceTooLong => Problem::ParameterRejected,
            Self::TokenUnknown | Self::TokenOfOtherClient => Problem::TokenRejected,
            Self::TokenExpired => Problem::TokenExpired,
            Self::NotForItself => Problem::PermissionDenied,
        })
    }

    /// The parameter that is missing or invalid.
    pub(crate) const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::Request(error) => error.parameter(),
            Self::TokenMissing | Self::TokenUnexpected => Some("oauth_token"),
            Self::NonceTooLong => Some("oauth_nonce"),
            _ => None,
        }
    }

    /// The parameter at fault whose value may be logged: neither the identifier of a token nor the
    /// signature, which is a secret with PLAINTEXT.
    pub(crate) const fn blamed(&self) -> Option<&'static str> {
        match self {
            Self::NonceUsed => Some("oauth_nonce"),
            Self::NoKey => Some("oauth_signature_method"),
            error => match error.problem() {
                Some(Problem::SignatureMethodRejected) => Some("oauth_signature_method"),
                Some(Problem::TimestampRefused) => Some("oauth_timestamp"),
                _ => None,
            },
        }
    }

    /// `true` if the reason is found only after the client was, so its identifier may be logged.
    pub(crate) const fn is_of_known_client(&self) -> bool {
        match self {
            Self::SignatureMethodOfClient
            | Self::NonceUsed
            | Self::TooManyRequests(_)
            | Self::NoKey
            | Self::SignatureWrong
            | Self::TokenOfOtherClient
            | Self::TokenExpired
            | Self::NotForItself => true,
            Self::Request(_)
            | Self::Unsigned
            | Self::BodyTooLong
            | Self::BodyBroken
            | Self::SignatureMethod
            | Self::PlaintextWithoutTls
            | Self::NonceTooLong
            | Self::TimestampOld
            | Self::TimestampAhead
            | Self::TimestampBeforeStart
            | Self::UnknownClient
            | Self::Throttled(_)
            | Self::TokenMissing
            | Self::TokenUnexpected
            | Self::TokenUnknown
            | Self::ByIssuer(_)
            | Self::Unavailable => false,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            error => error.problem().map_or(StatusCode::UNAUTHORIZED, Problem::status),
        }
    }

    /// The answer. If the client must wait, it says for how long, and has no challenge.
    pub(crate) fn to_response(self, realm: &str) -> Response<Bytes> {
        let mut response = challenge(realm, self.problem(), self.parameter()).to_response();
        *response.status_mut() = self.status();
        let wait = match self {
            Self::Throttled(wait) | Self::TooManyRequests(wait) => wait.as_secs().max(1),
            Self::Unavailable | Self::ByIssuer(Problem::ConsumerKeyRateExceeded) => 1,
            _ => return response,
        };
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        headers.remove(header::WWW_AUTHENTICATE);
        response
    }
}

/// The challenge, with the parameter that is missing or invalid.
pub(crate) fn challenge(
    realm: &str,
    problem: Option<Problem>,
    parameter: Option<&str>,
) -> Challenge {
    let challenge = Challenge::new(realm);
    let Some(problem) = problem else { return challenge };
    let challenge = challenge.problem(problem);
    match (problem, parameter) {
        (Problem::ParameterAbsent, Some(name)) => challenge.extra("oauth_parameters_absent", name),
        (Problem::ParameterRejected, Some(name)) => {
            challenge.extra("oauth_parameters_rejected", name)
        }
        _ => challenge,
    }
}
