//! The reasons why a client's metadata document is rejected.

use http::StatusCode;

use crate::{
    fetch::FetchError,
    oauth2::{ErrorCode, RegistrationRequestError},
    provider::{
        client::{
            dynamic::error::ClientRegistrationError, message_error::MessageMetadataError,
            metadata::ClientMetadataError,
        },
        reason::{Disclosure, Shown},
    },
};

/// The reason why a client's metadata document is not accepted. It contains no part of the
/// document.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::ClientDocumentError};
///
/// assert_eq!(ClientDocumentError::Malformed.code(), ErrorCode::InvalidClient);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientDocumentError {
    /// The document was not fetched.
    #[error("the client's metadata document was not fetched: {0}")]
    Fetch(#[from] FetchError),
    /// Too many documents of this host, or for this address, were not fetched or not accepted.
    #[error("too many metadata documents of this host, or for this address, were not accepted")]
    Throttled,
    /// The document is not a JSON object whose members have the right types.
    #[error("the client's metadata document is malformed")]
    Malformed,
    /// The `client_id` in the document is not its URL: it is the document of another client.
    #[error("the client_id in the metadata document is not its URL")]
    OtherClient,
    /// The document has a secret, which everyone can read there.
    #[error("the client's metadata document has a secret")]
    Secret,
    /// The `token_endpoint_auth_method` is not `none`: such clients cannot authenticate here.
    #[error("the token_endpoint_auth_method in the metadata document is not none")]
    AuthMethod,
    /// The document has no valid redirect URI, or too many.
    #[error("the client's metadata document has no valid redirect URI, or too many")]
    NoRedirectUri,
    /// The grant types are without `authorization_code`.
    #[error("the client's metadata document does not name the authorization code grant")]
    GrantType,
    /// The scope is malformed.
    #[error("the scope in the metadata document is malformed")]
    Scope,
    /// The document has a member that this server does not heed, and would be safer with: signed
    /// requests, bound tokens, an algorithm, encrypted answers or pairwise subjects.
    #[error("{0} in the metadata document is not offered to clients that describe themselves")]
    NotOffered(&'static str),
    /// The document has a member that needs a public key, and no key that fits.
    #[error("{0} in the metadata document needs a key in its jwks or jwks_uri")]
    KeyMissing(&'static str),
    /// A member of OpenID Connect is malformed, or may not have this value.
    #[error("{0} in the metadata document is malformed, or not accepted")]
    Member(&'static str),
    /// The name is empty, too long, or has invisible characters.
    #[error("the client_name in the metadata document cannot be shown")]
    Name,
    /// The name has a word with letters of several scripts, or letters in a style of their own.
    #[error("the client_name in the metadata document has letters that pass for others")]
    Lookalike,
    /// The name is reserved, or passes for one that is.
    #[error("the client_name in the metadata document is a reserved name, or passes for one")]
    ReservedName,
}

impl ClientDocumentError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        Disclosure::code(ErrorCode::InvalidClient).blame(&["client_id"])
    }

    /// The page for the user, since such a client has no redirect URI yet.
    pub(crate) const fn shown(&self) -> Shown {
        match self {
            Self::Throttled => Shown {
                status: StatusCode::TOO_MANY_REQUESTS,
                ..Shown::mistake("client_document", "problem-client-documents-throttled")
            },
            _ => Shown::mistake("client_document", "problem-client-document"),
        }
    }
}

impl From<ClientRegistrationError> for ClientDocumentError {
    fn from(error: ClientRegistrationError) -> Self {
        use ClientRegistrationError as E;
        use MessageMetadataError as M;
        match error {
            E::Unsupported(name)
            | E::ResponseAlgorithm(name)
            | E::Messages(M::NotOffered(name) | M::SecretNotKept(name)) => Self::NotOffered(name),
            E::Messages(M::KeyMissing(name)) => Self::KeyMissing(name),
            E::Request(RegistrationRequestError::Member(name)) => Self::Member(name),
            E::Messages(M::TooManyRequestUris | M::RequestUri) => Self::Member("request_uris"),
            E::LogoutUri(error) => Self::Member(error.member()),
            error => error.member().map_or(Self::Malformed, Self::Member),
        }
    }
}

impl From<ClientMetadataError> for ClientDocumentError {
    fn from(error: ClientMetadataError) -> Self {
        match error {
            ClientMetadataError::Name => Self::Name,
            ClientMetadataError::Lookalike => Self::Lookalike,
            ClientMetadataError::AuthMethod
            | ClientMetadataError::KeysMissing
            | ClientMetadataError::KeysTwice
            | ClientMetadataError::Auth(_) => Self::AuthMethod,
            ClientMetadataError::RedirectUri { .. }
            | ClientMetadataError::TooManyRedirectUris
            | ClientMetadataError::NoRedirectUri => Self::NoRedirectUri,
            ClientMetadataError::NoGrantType
            | ClientMetadataError::GrantType
            | ClientMetadataError::RefreshTokenAlone
            | ClientMetadataError::PublicClientForItself
            | ClientMetadataError::PublicClientExchanges => Self::GrantType,
            ClientMetadataError::ResponseType => Self::Member("response_types"),
            ClientMetadataError::UnknownScope(_) => Self::Scope,
        }
    }
}
