//! The reasons why the metadata of a client for signed and encrypted messages is rejected (OpenID
//! Connect Dynamic Client Registration, section 2).

use super::registered_auth::RegisteredAuthError;

/// The reason why the metadata of a client for signed and encrypted messages is rejected.
///
/// ```
/// use quadrille::provider::MessageMetadataError;
///
/// let error = MessageMetadataError::KeyMissing("request_object_signing_alg");
/// assert_eq!(
///     error.to_string(),
///     "request_object_signing_alg: the client has no key for it, in jwks or jwks_uri",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageMetadataError {
    /// The client has keys by which it authenticates, and others.
    #[error("a client that authenticates by private_key_jwt has its keys there")]
    KeysTwice,
    /// The keys of the client cannot be used.
    #[error(transparent)]
    Keys(#[from] RegisteredAuthError),
    /// The server does not do what this member says.
    #[error("{0}: not offered by this server")]
    NotOffered(&'static str),
    /// The client has no public key for the algorithm in this member.
    #[error("{0}: the client has no key for it, in jwks or jwks_uri")]
    KeyMissing(&'static str),
    /// The algorithm in this member needs the secret of the client itself, and the server has its hash.
    #[error("{0}: needs the secret, which this server keeps for client_secret_jwt alone")]
    SecretNotKept(&'static str),
    /// There are too many `request_uris`.
    #[error("request_uris: at most 32 are accepted")]
    TooManyRequestUris,
    /// One of the `request_uris` is no https URL, or too long.
    #[error("request_uris: https URLs of at most 512 characters, without user and password")]
    RequestUri,
}
