//! The reasons why a request is refused at an API, by fault.

use std::fmt;

use crate::oauth2::{ErrorCode, bearer::BearerError};

use super::signature::SignatureError;

/// The reason why a request is refused at an API.
///
/// ```
/// use quadrille::guard::AccessError;
///
/// assert_eq!(AccessError::Missing.code(), None);
/// assert!(AccessError::Expired.code().is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The request has no access token.
    #[error("the request has no access token")]
    Missing,
    /// The `Authorization` header cannot be read.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// The signature of the request, or what goes with it, is invalid (RFC 5849).
    #[error(transparent)]
    Signature(SignatureError),
    /// The token was not issued here, or was revoked. An issuer elsewhere says the same of a token that is
    /// for another API, and does not say why: its log does.
    #[error("the access token is unknown, revoked, or not for this API")]
    Unknown,
    /// The token is for another API (RFC 8707).
    #[error("the access token is meant for another API")]
    OtherAudience,
    /// The token is bound to a key (RFC 9449, RFC 8705), and the request shows no proof of it.
    #[error("the access token is bound to a key, of which there is no proof")]
    Unproven,
    /// The token has expired.
    #[error("the access token has expired")]
    Expired,
    /// The token lacks a scope that the handler needs.
    #[error("the access token lacks a required scope")]
    InsufficientScope,
    /// The user's authentication is too long ago, or of none of the required classes (RFC 9470).
    #[error("the authentication of the user does not suffice")]
    InsufficientAuthentication,
    /// The application refuses the token, in a hook of the guard.
    #[error("the application refuses the access token")]
    ByApplication,
    /// The token cannot be checked now: the store, or the issuer elsewhere, failed. The log has the
    /// reason.
    #[error("access tokens cannot be checked now")]
    Unavailable,
    /// The service has no guard in front of it.
    #[error(
        "this service has no guard in front: put a Guard there, or call attach on the router \
         that has all routes, since axum's layers cover the routes that were added before them"
    )]
    NoGuard,
    /// The server's layer is present, but checks a request only when a handler takes an `Access`.
    #[error(
        "nothing has checked the request yet: take Access as an argument (a middleware of axum's \
         from_fn can, too), or put a Guard in front where Access::of is called"
    )]
    NotChecked,
}

impl AccessError {
    /// `Unavailable`; the reason goes to the log.
    pub(crate) fn unavailable(reason: impl fmt::Display) -> Self {
        tracing::error!(%reason, "an access token could not be checked");
        Self::Unavailable
    }

    /// The code on the wire (RFC 6750, section 3.1); `None` for a request without a token.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Missing | Self::Signature(_) => None,
            Self::Bearer(error) => Some(error.code()),
            Self::Unknown
            | Self::Expired
            | Self::OtherAudience
            | Self::Unproven
            | Self::ByApplication => Some(ErrorCode::InvalidToken),
            Self::InsufficientAuthentication => Some(ErrorCode::InsufficientUserAuthentication),
            Self::InsufficientScope => Some(ErrorCode::InsufficientScope),
            Self::Unavailable => Some(ErrorCode::TemporarilyUnavailable),
            Self::NoGuard | Self::NotChecked => Some(ErrorCode::ServerError),
        }
    }
}

impl From<SignatureError> for AccessError {
    fn from(error: SignatureError) -> Self {
        match error {
            // The reason was logged with the signature.
            SignatureError::Unavailable => Self::Unavailable,
            error => Self::Signature(error),
        }
    }
}
