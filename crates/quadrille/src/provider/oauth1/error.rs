//! Why a signed request is refused, by whose fault it is.

use std::time::Duration;

use http::StatusCode;

use crate::oauth1::{Problem, RequestError};

use super::super::error::Error;

/// Why a request of OAuth 1.0a was refused. The reason goes to the log; what goes out is the status
/// of RFC 5849, section 3.2, and a word of the problem reporting extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OAuth1Error {
    /// The request cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It is not one of OAuth 1.0a.
    #[error("the request is not signed")]
    Unsigned,
    /// The method is not one of these.
    #[error("the method must be {0}")]
    Method(&'static str),
    /// The body is longer than is read.
    #[error("the body is too long")]
    BodyTooLong,
    /// The body did not arrive.
    #[error("the body did not arrive")]
    BodyBroken,
    /// The server does not take this signature method.
    #[error("this signature method is not taken here")]
    SignatureMethod,
    /// The client may not use this signature method.
    #[error("the client may not use this signature method")]
    SignatureMethodOfClient,
    /// PLAINTEXT, and there is no TLS.
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
    /// The timestamp is from before this server started, which does not know what it saw then; or the
    /// client's clock is ahead, and a request with this timestamp came before the start.
    #[error("the timestamp is from before the server started, or one that was used before it did")]
    TimestampBeforeStart,
    /// The request came before.
    #[error("the nonce was used before")]
    NonceUsed,
    /// The client has as many requests remembered as it may
    /// ([`OAuth1::remember_at_most`](super::OAuth1::remember_at_most)); try again after this time.
    #[error("the client has more signed requests than its share")]
    TooManyRequests(Duration),

    /// There is no such client, or it has no part in OAuth 1.0a.
    #[error("there is no such client of OAuth 1.0a")]
    UnknownClient,
    /// The client has no key for this signature method: an RSA key and HMAC, say.
    #[error("the client has no key for this signature method")]
    NoKey,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    SignatureWrong,
    /// Too many wrong signatures; try again after this time.
    #[error("too many wrong signatures")]
    Throttled(Duration),

    /// There is no `oauth_token`.
    #[error("the oauth_token is missing")]
    TokenMissing,
    /// There is an `oauth_token` where none belongs.
    #[error("there is an oauth_token where none belongs")]
    TokenUnexpected,
    /// There is no such token (any more).
    #[error("there is no such token")]
    TokenUnknown,
    /// The token was given to another client.
    #[error("the token was given to another client")]
    TokenOfOtherClient,
    /// The token has expired.
    #[error("the token has expired")]
    TokenExpired,
    /// The temporary credentials were exchanged before. What they bought is revoked.
    #[error("the temporary credentials were exchanged before; what they bought is revoked")]
    TokenReplayed,
    /// The temporary credentials were exchanged before, and the request may be a copy of the first.
    #[error("the temporary credentials were exchanged before")]
    TokenUsed,
    /// Too many wrong verifiers came with the temporary credentials, which are good for nothing now.
    #[error("too many wrong verifiers came with the temporary credentials")]
    TooManyVerifiers,
    /// What the token stands for was revoked.
    #[error("what the token stands for was revoked")]
    TokenRevoked,
    /// The person has not answered yet.
    #[error("the person has not answered yet")]
    NotApproved,
    /// The person said no.
    #[error("the person said no")]
    Denied,
    /// A client signed for itself, and may not act for itself here.
    #[error("the client may not act for itself here")]
    NotForItself,
    /// There is no `oauth_verifier`.
    #[error("the oauth_verifier is missing")]
    VerifierMissing,
    /// The `oauth_verifier` is wrong.
    #[error("the oauth_verifier is wrong")]
    VerifierWrong,
    /// There is no `oauth_callback`.
    #[error("the oauth_callback is missing")]
    CallbackMissing,
    /// The `oauth_callback` is not registered, or is `oob` and the client may not use that.
    #[error("the oauth_callback is not registered")]
    CallbackNotRegistered,
    /// A scope was asked for that the client may not have.
    #[error("the client may not ask for this scope")]
    ScopeNotAllowed,
    /// The issuer elsewhere says so, which was shown the request.
    #[error("the issuer refused the request: {}", .0.as_str())]
    ByIssuer(Problem),

    /// It cannot be told now: the server failed. The reason is in the log.
    #[error("signed requests cannot be checked now")]
    Unavailable,
}

impl OAuth1Error {
    pub(crate) fn operator(reason: &Error) -> Self {
        tracing::error!(%reason, "a signed request could not be checked");
        Self::Unavailable
    }

    /// What the client is told: the one place that derives it from the reason. An unknown client is
    /// not told from a wrong signature. `None` where it said nothing, or is not to blame.
    pub const fn problem(&self) -> Option<Problem> {
        Some(match self {
            Self::Request(error) => error.problem(),
            Self::ByIssuer(problem) => *problem,
            Self::Unsigned
            | Self::Method(_)
            | Self::BodyTooLong
            | Self::BodyBroken
            | Self::Unavailable => return None,
            Self::SignatureMethod | Self::SignatureMethodOfClient | Self::PlaintextWithoutTls => {
                Problem::SignatureMethodRejected
            }
            Self::TimestampOld | Self::TimestampAhead | Self::TimestampBeforeStart => {
                Problem::TimestampRefused
            }
            Self::NonceUsed => Problem::NonceUsed,
            Self::UnknownClient | Self::NoKey | Self::SignatureWrong => Problem::SignatureInvalid,
            Self::Throttled(_) | Self::TooManyRequests(_) => Problem::ConsumerKeyRateExceeded,
            Self::TokenMissing | Self::VerifierMissing | Self::CallbackMissing => {
                Problem::ParameterAbsent
            }
            Self::TokenUnexpected
            | Self::NonceTooLong
            | Self::CallbackNotRegistered
            | Self::ScopeNotAllowed => Problem::ParameterRejected,
            Self::TokenUnknown | Self::TokenOfOtherClient | Self::TooManyVerifiers => {
                Problem::TokenRejected
            }
            Self::TokenExpired => Problem::TokenExpired,
            Self::TokenReplayed | Self::TokenUsed => Problem::TokenUsed,
            Self::TokenRevoked => Problem::TokenRevoked,
            Self::NotApproved => Problem::PermissionUnknown,
            Self::Denied | Self::NotForItself => Problem::PermissionDenied,
            Self::VerifierWrong => Problem::VerifierInvalid,
        })
    }

    /// The parameter that is missing or wrong, where it is one.
    pub(super) const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::Request(error) => error.parameter(),
            Self::TokenMissing | Self::TokenUnexpected => Some("oauth_token"),
            Self::VerifierMissing => Some("oauth_verifier"),
            Self::CallbackMissing | Self::CallbackNotRegistered => Some("oauth_callback"),
            Self::NonceTooLong => Some("oauth_nonce"),
            Self::ScopeNotAllowed => Some("scope"),
            _ => None,
        }
    }

    /// The status of the answer (RFC 5849, section 3.2).
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            error => error.problem().map_or(StatusCode::UNAUTHORIZED, Problem::status),
        }
    }
}

impl From<Error> for OAuth1Error {
    fn from(error: Error) -> Self {
        Self::operator(&error)
    }
}
