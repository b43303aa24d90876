//! The reasons why an authorization request with temporary credentials is refused (RFC 5849,
//! section 2.2).

use crate::{
    oauth2::ErrorCode,
    provider::reason::{Disclosure, Shown},
};

/// The reason why an authorization request with temporary credentials is refused (RFC 5849, section
/// 2.2). The user is told, since only the credentials say where to redirect to.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::oauth1::TemporaryError};
///
/// assert_eq!(TemporaryError::Expired.code(), ErrorCode::InvalidRequest);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemporaryError {
    /// There is an `oauth_token` and a `client_id`: one is of OAuth 1.0a, the other of OAuth 2.
    #[error("the request has an oauth_token and a client_id")]
    TwoDances,
    /// There are no such temporary credentials (any more).
    #[error("there are no such temporary credentials")]
    Unknown,
    /// The temporary credentials have expired.
    #[error("the temporary credentials have expired")]
    Expired,
    /// The temporary credentials were denied, or exchanged.
    #[error("the temporary credentials were used before")]
    Used,
}

impl TemporaryError {
    /// The code, as `Error` gives one for every reason; no client gets it.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::TwoDances | Self::Unknown | Self::Expired | Self::Used => {
                Disclosure::code(ErrorCode::InvalidRequest)
            }
        }
    }

    /// The page that says so.
    pub(crate) const fn shown(&self) -> Shown {
        match self {
            Self::TwoDances => Shown::MISTAKE,
            Self::Unknown => Shown::out_of_date("temporary_unknown"),
            Self::Expired => Shown::out_of_date("temporary_expired"),
            Self::Used => Shown::out_of_date("temporary_used"),
        }
    }
}
