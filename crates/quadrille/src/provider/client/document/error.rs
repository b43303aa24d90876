//! The reasons why a client's metadata document is rejected.

use http::StatusCode;

use crate::{
    oauth2::ErrorCode,
    provider::{
        client::metadata::ClientMetadataError,
        fetch::FetchError,
        reason::{Disclosure, Shown},
    },
};

/// Why a client's metadata document was not taken. Nothing in it comes from the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientDocumentError {
    /// It was not fetched.
    #[error("the client's metadata document was not fetched: {0}")]
    Fetch(#[from] FetchError),
    /// Too many were not fetched, or not taken, of this host or for this address.
    #[error("too many metadata documents of this host, or for this address, were no good")]
    Throttled,
    /// It is not a JSON object whose members have the right types.
    #[error("the client's metadata document is malformed")]
    Malformed,
    /// It is another client's: its `client_id` is not the URL it was fetched from.
    #[error("the client_id in the metadata document is not its URL")]
    OtherClient,
    /// It holds a secret, which everybody can read there.
    #[error("the client's metadata document holds a secret")]
    Secret,
    /// The client would authenticate, in a way that is not possible for it here.
    #[error("the token_endpoint_auth_method in the metadata document is not none")]
    AuthMethod,
    /// There is no redirect URI that may be used, or there are too many.
    #[error("the client's metadata document names no redirect URI that may be used, or too many")]
    NoRedirectUri,
    /// The client uses no authorization code.
    #[error("the client's metadata document does not name the authorization code grant")]
    GrantType,
    /// The scope is malformed.
    #[error("the scope in the metadata document is malformed")]
    Scope,
    /// The name is empty, too long, or holds characters that are not seen.
    #[error("the client_name in the metadata document cannot be shown")]
    Name,
}

impl ClientDocumentError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        Disclosure::code(ErrorCode::InvalidClient).blame("client_id")
    }

    /// The page for a user whom nobody can send back to such a client.
    pub(crate) const fn shown(&self) -> Shown {
        match self {
            Self::Throttled => Shown {
                status: StatusCode::TOO_MANY_REQUESTS,
                ..Shown::mistake(
                    "client_document",
                    "Too many applications that could not be identified were tried from here. \
                     Nothing was granted. Please try again in a while.",
                )
            },
            _ => Shown::mistake(
                "client_document",
                "The application that sent you here could not be identified: what it says of \
                 itself on its website cannot be had, or is wrong. Nothing was granted.",
            ),
        }
    }
}

impl From<ClientMetadataError> for ClientDocumentError {
    fn from(error: ClientMetadataError) -> Self {
        match error {
            ClientMetadataError::Name => Self::Name,
            ClientMetadataError::AuthMethod => Self::AuthMethod,
            ClientMetadataError::RedirectUri { .. }
            | ClientMetadataError::TooManyRedirectUris
            | ClientMetadataError::NoRedirectUri => Self::NoRedirectUri,
            ClientMetadataError::NoGrantType
            | ClientMetadataError::RefreshTokenAlone
            | ClientMetadataError::PublicClientForItself
            | ClientMetadataError::ResponseType => Self::GrantType,
            ClientMetadataError::UnknownScope(_) => Self::Scope,
        }
    }
}
