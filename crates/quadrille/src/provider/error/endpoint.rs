//! The reasons why an endpoint refuses a request of any client.

use std::time::Duration;

use http::StatusCode;

use crate::{oauth2::ErrorCode, provider::reason::Disclosure};

/// The reason why an endpoint does not read a request (RFC 9110, sections 15.5.6 and 15.5.14).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::EndpointError};
///
/// assert_eq!(EndpointError::BodyTooLong.code(), ErrorCode::InvalidRequest);
/// assert_eq!(EndpointError::Method("POST").to_string(), "the method must be POST");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The method is not one of these.
    #[error("the method must be {0}")]
    Method(&'static str),
    /// The body is longer than 64 KiB.
    #[error("the body is too long")]
    BodyTooLong,
}

impl EndpointError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        let words = Disclosure::words(ErrorCode::InvalidRequest);
        match self {
            Self::Method(_) => words.status(StatusCode::METHOD_NOT_ALLOWED),
            Self::BodyTooLong => words.status(StatusCode::PAYLOAD_TOO_LARGE),
        }
    }
}

/// The reason why the token endpoint refuses a client that has authenticated, whatever the grant
/// (RFC 6749, section 5.2).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::TokenError};
///
/// assert_eq!(TokenError::GrantTypeNotAllowed.code(), ErrorCode::UnauthorizedClient);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The client may not use this grant type.
    #[error("the client may not use this grant type")]
    GrantTypeNotAllowed,
    /// The application issues no token for the user:
    /// [`before_issue`](crate::provider::AuthorizationServer::before_issue).
    #[error("the application refuses tokens for this user")]
    UserRefused,
    /// The application issues no token for the client itself: likewise.
    #[error("the application refuses tokens for this client")]
    ClientRefused,
    /// The application leaves the token no scope. The answer could not say so (RFC 6749, section 5.1):
    /// an application that refuses a token returns
    /// [`NotIssued`](crate::provider::NotIssued).
    #[error("the application leaves the token no scope")]
    NoScopeLeft,
    /// The user, or the client, is gone: removed, or in a table of the application's no more.
    #[error("the user or the client is gone")]
    Gone,
    /// The client is registered for encrypted answers, and has no key for them: nothing is sent in the
    /// clear.
    #[error("the client has no key for encrypted answers")]
    EncryptionKeyMissing,
    /// The client is registered for encrypted answers, and its keys cannot be fetched: nothing is sent
    /// in the clear. The same request may succeed later.
    #[error("the keys of the client for encrypted answers cannot be fetched")]
    EncryptionKeysUnknown,
    /// The application grants nothing: [`NotGranted`](crate::provider::NotGranted).
    #[error(transparent)]
    NotGranted(Refusal),
}

impl TokenError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::GrantTypeNotAllowed => {
                Disclosure::words(ErrorCode::UnauthorizedClient).blame(&["grant_type"])
            }
            Self::UserRefused | Self::Gone => Disclosure::code(ErrorCode::InvalidGrant),
            Self::ClientRefused => Disclosure::code(ErrorCode::UnauthorizedClient),
            Self::EncryptionKeyMissing => Disclosure::words(ErrorCode::UnauthorizedClient),
            Self::EncryptionKeysUnknown => Disclosure::words(ErrorCode::TemporarilyUnavailable),
            Self::NoScopeLeft => Disclosure::words(ErrorCode::InvalidScope).blame(&["scope"]),
            Self::NotGranted(refusal) => Disclosure {
                has_words: refusal.description.is_some(),
                // The subject may be unknown to the application.
                ..Disclosure::code(refusal.code.into())
                    .blame_claim(&["assertion", "subject_token"], Some("sub"))
            },
        }
    }
}

/// The reason why the device authorization endpoint refuses a client that has authenticated (RFC
/// 8628, section 3.1).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::DeviceAuthorizationError};
///
/// assert_eq!(DeviceAuthorizationError::ScopeNotAllowed.code(), ErrorCode::InvalidScope);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceAuthorizationError {
    /// The client may not request one of the scopes.
    #[error("the client may not request this scope")]
    ScopeNotAllowed,
    /// The request is for more scopes than a user can decide on: 1000, or 8 KiB of their names.
    /// Without `scope`, it is for all of the client.
    #[error("the request is for too many scopes: name fewer of them")]
    TooManyScopes,
    /// The requested resource is unknown to this server (RFC 8707, section 2).
    #[error("the resource is unknown here")]
    ResourceUnknown,
    /// Too many device codes were requested from one network; try again after this time.
    #[error("too many device codes were requested from this network")]
    TooMany(Duration),
}

impl DeviceAuthorizationError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::ScopeNotAllowed => Disclosure::words(ErrorCode::InvalidScope).blame(&["scope"]),
            Self::TooManyScopes => Disclosure::words(ErrorCode::InvalidScope),
            Self::ResourceUnknown => {
                Disclosure::words(ErrorCode::InvalidTarget).blame(&["resource"])
            }
            Self::TooMany(_) => Disclosure::words(ErrorCode::TemporarilyUnavailable)
                .status(StatusCode::TOO_MANY_REQUESTS),
        }
    }
}

/// The refusal of an application, in its own words.
///
/// ```
/// use quadrille::provider::{NotGranted, TokenError};
///
/// fn code(error: &TokenError) -> Option<&'static str> {
///     match error {
///         TokenError::NotGranted(refusal) => Some(refusal.code),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", description.unwrap_or("the application grants nothing"))]
#[non_exhaustive]
pub struct Refusal {
    /// The `error` of the response.
    pub code: &'static str,
    /// The `error_description`; `None` for none.
    pub description: Option<&'static str>,
}

impl Refusal {
    pub(crate) const INVALID_GRANT: Self = Self { code: "invalid_grant", description: None };
}
