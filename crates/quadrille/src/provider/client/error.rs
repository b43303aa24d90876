//! The reasons why a client has not authenticated (RFC 6749, section 2.3).

use std::time::Duration;

use http::StatusCode;

use crate::{
    oauth2::{ClientAuthError, ErrorCode},
    provider::reason::Disclosure,
};

/// The reason why a client has not authenticated (RFC 6749, section 2.3). The client learns that it
/// has not, and no more, since a guesser would learn it, too.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::AuthenticateError};
///
/// assert_eq!(AuthenticateError::SecretWrong.code(), ErrorCode::InvalidClient);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticateError {
    /// It cannot be told which client this is, or how it authenticates.
    #[error(transparent)]
    Presented(#[from] ClientAuthError),
    /// There is no such client.
    #[error("there is no such client")]
    UnknownClient,
    /// A confidential client did not authenticate.
    #[error("a confidential client did not authenticate")]
    SecretMissing,
    /// The secret is wrong.
    #[error("the client secret is wrong")]
    SecretWrong,
    /// The secret was right until it expired.
    #[error("the client secret has expired")]
    SecretExpired,
    /// A public client sent a secret: it has none, and would not keep it.
    #[error("a public client sent a secret")]
    SecretOfPublicClient,
    /// A public client asked what a token is worth, without proof of who it is (RFC 7662, section
    /// 4).
    #[error("a public client cannot ask what a token is worth")]
    PublicClientAsks,
    /// Too many failures; try again after this time.
    #[error("too many failed authentications")]
    Throttled(Duration),
}

impl AuthenticateError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        let silent = Disclosure::code(ErrorCode::InvalidClient);
        match self {
            Self::Presented(error) => Disclosure::words(error.code()),
            Self::UnknownClient => silent.blame("client_id"),
            Self::SecretMissing
            | Self::SecretWrong
            | Self::SecretExpired
            | Self::SecretOfPublicClient
            | Self::PublicClientAsks => silent,
            Self::Throttled(_) => silent.status(StatusCode::TOO_MANY_REQUESTS),
        }
    }
}
