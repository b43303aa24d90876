//! The reasons why the credentials of a client cannot be read.

use crate::{
    form::FormError,
    jose::{ClaimsError, TokenError},
    oauth2::{ErrorCode, ErrorResponse},
};

/// The reason why client or authentication method cannot be read from a request.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{form::Params, oauth2::{ClientAuthError, PresentedClient}};
///
/// let body = Params::parse(b"client_secret=x")?;
/// let error = PresentedClient::parse(&HeaderMap::new(), &body).unwrap_err();
/// assert_eq!(error, ClientAuthError::SecretWithoutId);
/// # Ok::<(), quadrille::form::FormError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClientAuthError {
    /// `client_id` or `client_secret` is repeated.
    #[error(transparent)]
    Form(#[from] FormError),
    /// There is neither a `client_id` nor an `Authorization` header.
    #[error("the request does not say which client sends it")]
    Missing,
    /// The client authenticates in header and body, by several headers, or by a secret and an
    /// assertion.
    #[error("the client authenticates in more than one way")]
    SeveralMethods,
    /// The `client_id` of the body is not that of the header, or not the subject of the assertion.
    #[error("the client_id is not that of the Authorization header or the client_assertion")]
    DifferentClients,
    /// The `Authorization` header has a scheme that is not for client authentication.
    #[error("the scheme of the Authorization header is not supported for clients")]
    UnsupportedScheme,
    /// The `Authorization` header does not encode an id and a secret (RFC 7617; RFC 6749, section
    /// 2.3.1).
    #[error("the Basic credentials are malformed")]
    MalformedBasic,
    /// There is a `client_assertion` without its type, or a type without an assertion.
    #[error("client_assertion and client_assertion_type belong together")]
    AssertionWithoutType,
    /// The `client_assertion_type` is not that of a JWT.
    #[error("this client_assertion_type is not supported")]
    UnsupportedAssertion,
    /// The `client_assertion` is not a signed JWT.
    #[error("client_assertion: {0}")]
    MalformedAssertion(#[from] TokenError),
    /// The claims of the `client_assertion` cannot be read, or name no client.
    #[error("client_assertion: {0}")]
    AssertionClaims(#[from] ClaimsError),
    /// There is a `client_secret`, but no `client_id`.
    #[error("the request has a client_secret without a client_id")]
    SecretWithoutId,
}

impl ClientAuthError {
    /// The error code (RFC 6749, section 5.2).
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Form(_)
            | Self::SeveralMethods
            | Self::DifferentClients
            | Self::AssertionWithoutType
            | Self::SecretWithoutId => ErrorCode::InvalidRequest,
            Self::Missing
            | Self::UnsupportedScheme
            | Self::MalformedBasic
            | Self::UnsupportedAssertion
            | Self::MalformedAssertion(_)
            | Self::AssertionClaims(_) => ErrorCode::InvalidClient,
        }
    }
}

impl From<ClientAuthError> for ErrorResponse {
    fn from(error: ClientAuthError) -> Self {
        Self::new(error.code()).describe(error.to_string())
    }
}
