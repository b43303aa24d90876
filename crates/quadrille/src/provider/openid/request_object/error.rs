//! The reasons why a request object is rejected (OpenID Connect Core, section 3.1.2.6; RFC 9101,
//! section 7).

use crate::{
    fetch::FetchError,
    jose::{ClaimsError, DecryptError, TokenError},
    oauth2::ErrorCode,
    provider::reason::Disclosure,
};

/// The reason why a request object is rejected (RFC 9101, section 7). The client made a mistake, or
/// somebody else has sent the browser.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::RequestObjectError};
///
/// assert_eq!(RequestObjectError::Unsigned.code(), ErrorCode::InvalidRequestObject);
/// assert_eq!(RequestObjectError::UriNotRegistered.code(), ErrorCode::InvalidRequestUri);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestObjectError {
    /// The request has both `request` and `request_uri`.
    #[error("request and request_uri exclude each other")]
    Both,
    /// The `request_uri` is none of the client's `request_uris`, or not https.
    #[error("the request_uri is not registered")]
    UriNotRegistered,
    /// The document at the `request_uri` cannot be had.
    #[error("the request_uri: {0}")]
    NotFetched(FetchError),
    /// There is no token at the `request_uri`.
    #[error("there is no token at the request_uri")]
    NoToken,
    /// The token is malformed, or its signature wrong.
    #[error("the request object: {0}")]
    Token(TokenError),
    /// The token cannot be decrypted.
    #[error("the request object: {0}")]
    Encryption(DecryptError),
    /// The claims of the token are malformed, or not valid here and now.
    #[error("the request object: {0}")]
    Claims(ClaimsError),
    /// The request has no object, and the client is registered for signed ones alone
    /// (`require_signed_request_object`; RFC 9101, section 10.5).
    #[error("the request is in no request object, and needs to be in a signed one")]
    Missing,
    /// The token is not signed.
    #[error("the request object is not signed, and needs to be")]
    Unsigned,
    /// The algorithm of the signature is not the registered `request_object_signing_alg`.
    #[error("the request object is not signed by the registered algorithm")]
    OtherAlgorithm,
    /// The client has no key for the algorithm of the signature.
    #[error("the client has no key for the signature of its request object")]
    KeyMissing,
    /// The keys of the client cannot be fetched from its `jwks_uri`. The client may be right, and the
    /// same request may succeed later.
    #[error("the keys of the client cannot be fetched")]
    KeysUnknown,
    /// The document at the `jwks_uri` of the client is no set of keys.
    #[error("the document at the jwks_uri of the client is no set of keys")]
    KeysUnusable,
    /// The `client_id` inside is not that of the request.
    #[error("the client_id in the request object is not that outside")]
    OtherClient,
    /// The `response_type` inside is not that of the request.
    #[error("the response_type in the request object is not that outside")]
    OtherResponseType,
    /// The token names the client as its subject, as client assertions do (RFC 9101, section 10.8).
    #[error("the request object has the client as its subject: it may be a client assertion")]
    OfAssertion,
    /// The token has `request` or `request_uri` (RFC 9101, section 4).
    #[error("the request object has another one in it")]
    Nested,
    /// A member of the token cannot be a parameter: it is `null`, or has a NUL.
    #[error("a member of the request object cannot be a parameter")]
    Member,
}

/// The parameter with a request object.
const OBJECT: &[&str] = &["request"];

impl RequestObjectError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        let object = Disclosure::words(ErrorCode::InvalidRequestObject);
        match self {
            Self::Both | Self::Missing => Disclosure::words(ErrorCode::InvalidRequest),
            Self::UriNotRegistered => {
                Disclosure::words(ErrorCode::InvalidRequestUri).blame(&["request_uri"])
            }
            // The client made no mistake.
            Self::NotFetched(FetchError::Busy) | Self::KeysUnknown => {
                Disclosure::code(ErrorCode::TemporarilyUnavailable)
            }
            // Anybody can send a browser here, so nobody learns what the server can reach.
            Self::NotFetched(_) => {
                Disclosure::code(ErrorCode::InvalidRequestUri).blame(&["request_uri"])
            }
            Self::NoToken => {
                Disclosure::words(ErrorCode::InvalidRequestUri).blame(&["request_uri"])
            }
            // No word tells which part of an encryption is wrong.
            Self::Encryption(_) => Disclosure::code(ErrorCode::InvalidRequestObject),
            Self::Claims(error) => object.blame_claim(OBJECT, error.claim()),
            Self::Token(error) => object.blame_claim(OBJECT, error.member()),
            Self::Unsigned | Self::OtherAlgorithm | Self::KeyMissing => {
                object.blame_claim(OBJECT, Some("alg"))
            }
            Self::OtherClient => object.blame_claim(OBJECT, Some("client_id")),
            Self::OtherResponseType => object.blame_claim(OBJECT, Some("response_type")),
            Self::OfAssertion => object.blame_claim(OBJECT, Some("sub")),
            Self::KeysUnusable | Self::Nested | Self::Member => object,
        }
    }
}
