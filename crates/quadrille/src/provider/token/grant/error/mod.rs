//! The reasons why a token request is refused, by grant (RFC 6749, section 5.2).

mod decided;

use crate::{oauth2::ErrorCode, provider::reason::Disclosure};

pub use decided::{AssertionError, DirectError, ExchangeError, PasswordError};

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
    /// The code is unknown: not ours, or removed.
    #[error("there is no such code")]
    Unknown,
    /// The code was issued to another client.
    #[error("the code was issued to another client")]
    OfOtherClient,
    /// The code has expired.
    #[error("the code has expired")]
    Expired,
    /// The code was redeemed before. Its grant is revoked.
    #[error("the code was redeemed before; its grant is revoked")]
    Replayed,
    /// The grant of the code was revoked.
    #[error("the grant of the code was revoked")]
    Revoked,
    /// The session in which the code was issued has ended (OpenID Connect Back-Channel Logout, section
    /// 2.7).
    #[error("the session in which the code was issued has ended")]
    SessionEnded,
    /// The `redirect_uri` is not the one of the authorization request, or is missing.
    #[error("the redirect URI is not the one of the authorization request")]
    RedirectUriDiffers,
    /// The `code_verifier` is missing, although the authorization request had a challenge.
    #[error("the code_verifier is missing")]
    VerifierMissing,
    /// The `code_verifier` is present, although the authorization request had no challenge (RFC
    /// 9700, section 2.1.1).
    #[error("the request has a code_verifier, but its code had no code_challenge")]
    VerifierWithoutChallenge,
    /// The `code_verifier` does not fit the challenge.
    #[error("the code_verifier does not fit the code_challenge")]
    VerifierWrong,
    /// The requested resource was not granted (RFC 8707, section 2.2).
    #[error("the resource was not granted")]
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
            | Self::SessionEnded
            | Self::VerifierWrong => Disclosure::code(ErrorCode::InvalidGrant),
            Self::VerifierMissing | Self::VerifierWithoutChallenge => {
                Disclosure::words(ErrorCode::InvalidGrant)
            }
            Self::RedirectUriDiffers => {
                Disclosure::words(ErrorCode::InvalidGrant).blame(&["redirect_uri"])
            }
            Self::ResourceNotGranted => {
                Disclosure::words(ErrorCode::InvalidTarget).blame(&["resource"])
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
    /// The refresh token is unknown: not ours, or its family is removed or revoked.
    #[error("there is no such refresh token")]
    Unknown,
    /// The refresh token was issued to another client.
    #[error("the refresh token was issued to another client")]
    OfOtherClient,
    /// The refresh token was unused for too long, or its family has ended.
    #[error("the refresh token has expired")]
    Expired,
    /// The refresh token was used before. Its family is revoked.
    #[error("the refresh token was used before; its family is revoked")]
    Replayed,
    /// A requested scope was not granted (RFC 6749, section 6).
    #[error("a requested scope was not granted")]
    ScopeNotGranted,
    /// The requested resource was not granted (RFC 8707, section 2.2).
    #[error("the resource was not granted")]
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
            Self::ScopeNotGranted => Disclosure::words(ErrorCode::InvalidScope).blame(&["scope"]),
            Self::ResourceNotGranted => {
                Disclosure::words(ErrorCode::InvalidTarget).blame(&["resource"])
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
    /// The client is public, and cannot act for itself.
    #[error("a public client cannot have a token for itself")]
    PublicClient,
    /// The client may not request one of the scopes.
    #[error("the client may not request this scope")]
    ScopeNotAllowed,
    /// The requested resource is unknown to this server (RFC 8707, section 2).
    #[error("the resource is unknown here")]
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
                Disclosure::words(ErrorCode::UnauthorizedClient).blame(&["grant_type"])
            }
            Self::ScopeNotAllowed => Disclosure::words(ErrorCode::InvalidScope).blame(&["scope"]),
            Self::ResourceUnknown => {
                Disclosure::words(ErrorCode::InvalidTarget).blame(&["resource"])
            }
        }
    }
}

/// The reason why a device code is not redeemed (RFC 8628, section 3.5).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::DeviceCodeError};
///
/// assert_eq!(DeviceCodeError::Pending.code(), ErrorCode::AuthorizationPending);
/// assert_eq!(DeviceCodeError::Expired.code(), ErrorCode::ExpiredToken);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceCodeError {
    /// The user has not answered yet.
    #[error("the user has not answered yet")]
    Pending,
    /// The user has not answered yet, and the client polls too often.
    #[error("the user has not answered yet, and the client polls too often")]
    TooFast,
    /// The user denied the request.
    #[error("the user denied the request")]
    Denied,
    /// The code has expired.
    #[error("the device code has expired")]
    Expired,
    /// The code is unknown: not ours, or removed.
    #[error("there is no such device code")]
    Unknown,
    /// The code was issued to another client.
    #[error("the device code was issued to another client")]
    OfOtherClient,
    /// The code was redeemed before. Its grant is revoked.
    #[error("the device code was redeemed before; its grant is revoked")]
    Replayed,
    /// The grant of the code was revoked.
    #[error("the grant of the device code was revoked")]
    Revoked,
    /// The requested resource was not granted (RFC 8707, section 2.2).
    #[error("the resource was not granted")]
    ResourceNotGranted,
}

impl DeviceCodeError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::Pending => Disclosure::code(ErrorCode::AuthorizationPending),
            Self::TooFast => Disclosure::code(ErrorCode::SlowDown),
            Self::Denied => Disclosure::code(ErrorCode::AccessDenied),
            Self::Expired => Disclosure::code(ErrorCode::ExpiredToken),
            Self::Unknown | Self::OfOtherClient | Self::Replayed | Self::Revoked => {
                Disclosure::code(ErrorCode::InvalidGrant)
            }
            Self::ResourceNotGranted => {
                Disclosure::words(ErrorCode::InvalidTarget).blame(&["resource"])
            }
        }
    }
}
