//! The reasons why a request is refused at an API, by fault.

use std::fmt;

use crate::oauth2::{ErrorCode, bearer::BearerError};

use super::signature::SignatureError;

/// Why a request may not do what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// No token came.
    #[error("no access token came with the request")]
    Missing,
    /// What came cannot be read.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// The request is signed, and the signature or what goes with it is no good (RFC 5849).
    #[error(transparent)]
    Signature(SignatureError),
    /// The token is none of ours, or was revoked.
    #[error("there is no such access token")]
    Unknown,
    /// The token is good, but at another API (RFC 8707).
    #[error("the access token is meant for another API")]
    OtherAudience,
    /// The token has expired.
    #[error("the access token has expired")]
    Expired,
    /// The token is good, but not for this.
    #[error("the access token is not good for this")]
    InsufficientScope,
    /// It cannot be told now: the store failed, or the issuer elsewhere. The reason is in the log.
    #[error("access tokens cannot be checked now")]
    Unavailable,
    /// There is no guard in front of the service.
    #[error(
        "there is no guard in front of this service: put a Guard there, or call attach on the router \
         that has all routes, since axum's layers cover the routes that were added before them"
    )]
    NoGuard,
    /// The layer of the server is there, but it checks a request only when a handler takes an
    /// `Access` as an argument.
    #[error(
        "nothing has checked the request yet: take Access as an argument (a middleware of axum's \
         from_fn can, too), or put a Guard in front where Access::of is called"
    )]
    NotChecked,
}

impl AccessError {
    /// The reason goes to the log.
    pub(crate) fn unavailable(reason: impl fmt::Display) -> Self {
        tracing::error!(%reason, "an access token could not be checked");
        Self::Unavailable
    }

    /// The code on the wire (RFC 6750, section 3.1). None is named where no token came.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Missing | Self::Signature(_) => None,
            Self::Bearer(error) => Some(error.code()),
            Self::Unknown | Self::Expired | Self::OtherAudience => Some(ErrorCode::InvalidToken),
            Self::InsufficientScope => Some(ErrorCode::InsufficientScope),
            Self::Unavailable => Some(ErrorCode::TemporarilyUnavailable),
            Self::NoGuard | Self::NotChecked => Some(ErrorCode::ServerError),
        }
    }
}

impl From<SignatureError> for AccessError {
    fn from(error: SignatureError) -> Self {
        match error {
            // Where the reason was logged.
            SignatureError::Unavailable => Self::Unavailable,
            error => Self::Signature(error),
        }
    }
}
