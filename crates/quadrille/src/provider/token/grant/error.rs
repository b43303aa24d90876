//! The reasons why a token request is refused, by grant (RFC 6749, section 5.2).

use crate::{oauth2::ErrorCode, provider::reason::Disclosure};

/// The reason why an authorization code is not redeemed (RFC 6749, section 4.1.3; RFC 7636, section
/// 4.6).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::CodeError};
///
/// assert_eq!(CodeError::Expired.code(), ErrorCode::InvalidGrant);
/// assert_eq!(CodeError::ResourceNotGranted.code(), ErrorCode::InvalidTarget);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// There is no such code (any more), or it is none of ours.
    #[error("there is no such code")]
    Unknown,
    /// The code was given to another client.
    #[error("the code was given to another client")]
    OfOtherClient,
    /// The code came too late.
    #[error("the code has expired")]
    Expired,
    /// The code was redeemed before. What it bought is revoked.
    #[error("the code was redeemed before; what it bought is revoked")]
    Replayed,
    /// What the code stands for was revoked.
    #[error("what the code stands for was revoked")]
    Revoked,
    /// The `redirect_uri` is not the one of the authorization request, or is missing.
    #[error("the redirect URI is not the one of the authorization request")]
    RedirectUriDiffers,
    /// There is no `code_verifier`, but there was a challenge.
    #[error("the code_verifier is missing")]
    VerifierMissing,
    /// There is a `code_verifier`, but there was no challenge (RFC 9700, section 2.1.1).
    #[error("there is a code_verifier, but there was no code_challenge")]
    VerifierWithoutChallenge,
    /// The `code_verifier` does not fit the challenge.
    #[error("the code_verifier does not fit the code_challenge")]
    VerifierWrong,
    /// A token was asked for at another resource than was granted (RFC 8707, section 2.2).
    #[error("the resource is not among those that were granted")]
    ResourceNotGranted,
}

impl CodeError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::Unknown
            | Self::OfOtherClient
            | Self::Expired
            | Self::Replayed
            | Self::Revoked
            | Self::VerifierWrong => Disclosure::code(ErrorCode::InvalidGrant),
            Self::VerifierMissing | Self::VerifierWithoutChallenge => {
                Disclosure::words(ErrorCode::InvalidGrant)
            }
            Self::RedirectUriDiffers => {
                Disclosure::words(ErrorCode::InvalidGrant).blame("redirect_uri")
            }
            Self::ResourceNotGranted => {
                Disclosure::words(ErrorCode::InvalidTarget).blame("resource")
            }
        }
    }
}

/// The reason why a refresh token is not taken (RFC 6749, section 6; RFC 9700, section 4.14).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::RefreshError};
///
/// assert_eq!(RefreshError::Replayed.code(), ErrorCode::InvalidGrant);
/// assert_eq!(RefreshError::ScopeNotGranted.code(), ErrorCode::InvalidScope);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The refresh token is none of ours, or its family is gone or revoked.
    #[error("there is no such refresh token")]
    Unknown,
    /// The refresh token was given to another client.
    #[error("the refresh token was given to another client")]
    OfOtherClient,
    /// The refresh token lay unused for too long, or its chain is over.
    #[error("the refresh token has expired")]
    Expired,
    /// The refresh token was used before. Its family is revoked.
    #[error("the refresh token was used before; its family is revoked")]
    Replayed,
    /// More scope was asked for than was granted.
    #[error("more scope was asked for than was granted")]
    ScopeNotGranted,
    /// A token was asked for at another resource than was granted (RFC 8707, section 2.2).
    #[error("the resource is not among those that were granted")]
    ResourceNotGranted,
}

impl RefreshError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::Unknown | Self::OfOtherClient | Self::Expired | Self::Replayed => {
                Disclosure::code(ErrorCode::InvalidGrant)
            }
            Self::ScopeNotGranted => Disclosure::words(ErrorCode::InvalidScope).blame("scope"),
            Self::ResourceNotGranted => {
                Disclosure::words(ErrorCode::InvalidTarget).blame("resource")
            }
        }
    }
}

/// The reason why a client gets no token for itself (RFC 6749, section 4.4).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::ClientCredentialsError};
///
/// assert_eq!(ClientCredentialsError::PublicClient.code(), ErrorCode::UnauthorizedClient);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientCredentialsError {
    /// A public client asked for a token for itself.
    #[error("a public client cannot have a token for itself")]
    PublicClient,
    /// A scope was asked for that the client may not have.
    #[error("the client may not ask for this scope")]
    ScopeNotAllowed,
    /// A resource was asked for that this server does not know (RFC 8707, section 2).
    #[error("the resource is not known here")]
    ResourceUnknown,
}

impl ClientCredentialsError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::PublicClient => {
                Disclosure::words(ErrorCode::UnauthorizedClient).blame("grant_type")
            }
            Self::ScopeNotAllowed => Disclosure::words(ErrorCode::InvalidScope).blame("scope"),
            Self::ResourceUnknown => Disclosure::words(ErrorCode::InvalidTarget).blame("resource"),
        }
    }
}
