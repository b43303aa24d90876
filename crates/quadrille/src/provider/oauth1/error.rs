//! The reasons why a request for credentials of OAuth 1.0a is refused.

use http::StatusCode;

use crate::{
    guard::SignatureError,
    oauth1::{Problem, RequestError},
    provider::error::endpoint::EndpointError,
};

/// The reason why a request for temporary or token credentials is refused (RFC 5849, sections 2.1
/// and 2.3). The reason goes to the log. The answer has the status of section 3.2, and a word of
/// the problem reporting extension.
///
/// ```
/// use quadrille::{oauth1::Problem, provider::oauth1::CredentialsError};
///
/// assert_eq!(CredentialsError::NotApproved.problem(), Some(Problem::PermissionUnknown));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The signature, or what goes with it, is invalid.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The HTTP method is not one of these.
    #[error("the method must be {0}")]
    Method(&'static str),
    /// The temporary credentials were exchanged before. Their grant is revoked.
    #[error("the temporary credentials were exchanged before; their grant is revoked")]
    TokenReplayed,
    /// The temporary credentials were exchanged before, and the request may be a repetition of the
    /// first.
    #[error("the temporary credentials were exchanged before")]
    TokenUsed,
    /// The client tried too many wrong verifiers. The temporary credentials are invalid now.
    #[error("too many wrong verifiers for the temporary credentials")]
    TooManyVerifiers,
    /// The grant behind the token was revoked.
    #[error("the grant of the token was revoked")]
    TokenRevoked,
    /// The user has not answered yet.
    #[error("the user has not answered yet")]
    NotApproved,
    /// The user denied the request.
    #[error("the user denied the request")]
    Denied,
    /// The application issues no token for the user:
    /// [`before_issue`](crate::provider::AuthorizationServer::before_issue).
    #[error("the application refuses tokens for this user")]
    UserRefused,
    /// The `oauth_verifier` is missing.
    #[error("the oauth_verifier is missing")]
    VerifierMissing,
    /// The `oauth_verifier` is wrong.
    #[error("the oauth_verifier is wrong")]
    VerifierWrong,
    /// The `oauth_callback` is missing.
    #[error("the oauth_callback is missing")]
    CallbackMissing,
    /// The `oauth_callback` is not registered, or is `oob` and the client may not use that.
    #[error("the oauth_callback is not registered")]
    CallbackNotRegistered,
    /// The client may not request this scope.
    #[error("the client may not request this scope")]
    ScopeNotAllowed,
    /// The request is for more scopes than a user can decide on: 1000, or 8 KiB of their names.
    /// Without `scope`, it is for all of the client.
    #[error("the request is for too many scopes: name fewer of them")]
    TooManyScopes,
}

/// The request is not one that the endpoint admits.
impl From<EndpointError> for CredentialsError {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Method(allowed) => Self::Method(allowed),
            EndpointError::BodyTooLong => SignatureError::BodyTooLong.into(),
        }
    }
}

impl CredentialsError {
    /// The word of the problem reporting extension; `None` if there is none for the reason.
    pub const fn problem(&self) -> Option<Problem> {
        Some(match self {
            Self::Signature(error) => return error.problem(),
            Self::Method(_) => return None,
            Self::VerifierMissing | Self::CallbackMissing => Problem::ParameterAbsent,
            Self::CallbackNotRegistered | Self::ScopeNotAllowed | Self::TooManyScopes => {
                Problem::ParameterRejected
            }
            Self::TooManyVerifiers => Problem::TokenRejected,
            Self::TokenReplayed | Self::TokenUsed => Problem::TokenUsed,
            Self::TokenRevoked => Problem::TokenRevoked,
            Self::NotApproved => Problem::PermissionUnknown,
            Self::Denied | Self::UserRefused => Problem::PermissionDenied,
            Self::VerifierWrong => Problem::VerifierInvalid,
        })
    }

    /// The parameter that is missing or invalid.
    pub(super) const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::Signature(error) => error.parameter(),
            Self::VerifierMissing => Some("oauth_verifier"),
            Self::CallbackMissing | Self::CallbackNotRegistered => Some("oauth_callback"),
            Self::ScopeNotAllowed | Self::TooManyScopes => Some("scope"),
            _ => None,
        }
    }

    /// The parameter at fault whose value may be logged.
    pub(super) const fn blamed(&self) -> Option<&'static str> {
        match self {
            Self::Signature(error) => error.blamed(),
            Self::CallbackNotRegistered => Some("oauth_callback"),
            Self::ScopeNotAllowed => Some("scope"),
            _ => None,
        }
    }

    /// `true` if the reason is found only after the client was, so its identifier may be logged.
    pub(super) const fn is_of_known_client(&self) -> bool {
        match self {
            Self::Signature(error) => error.is_of_known_client(),
            Self::Method(_) => false,
            _ => true,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Signature(error) => error.status(),
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            error => error.problem().map_or(StatusCode::UNAUTHORIZED, Problem::status),
        }
    }
}

impl From<RequestError> for CredentialsError {
    fn from(error: RequestError) -> Self {
        Self::Signature(error.into())
    }
}
