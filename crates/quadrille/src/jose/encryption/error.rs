//! Errors of encrypted tokens. None contains a part of them.

use crate::jose::KeyError;

/// The reason why a token cannot be encrypted.
///
/// ```
/// use quadrille::jose::*;
///
/// let key = DecryptingKey::generate(KeyManagement::EcdhEs)?;
/// let encrypted = key.encrypting_key().encrypt(
///     KeyManagement::RsaOaep,
///     ContentEncryption::A256Gcm,
///     &Protected::plain(),
///     b"{}",
/// );
/// assert_eq!(encrypted, Err(EncryptError::KeyUnusable));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// The key is not for the algorithm, or of another length.
    #[error("the key is not for this encryption")]
    KeyUnusable,
    /// The library of algorithms failed.
    #[error("the token could not be encrypted")]
    Failed,
}

/// The reason why an encrypted token is rejected. Contains no part of the token.
///
/// ```
/// use quadrille::jose::{DecryptError, Encrypted};
///
/// let error = Encrypted::parse("eyJhbGciOiJSU0ExXzUifQ.e.i.c.t").unwrap_err();
/// assert_eq!(error, DecryptError::AlgorithmUnknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// The token is longer than the limit.
    #[error("the encrypted token is too long")]
    TooLong,
    /// The token is not five parts with dots between them.
    #[error("the token is not an encrypted token in the compact serialization")]
    NotCompact,
    /// A part is not base64url without padding.
    #[error("a part of the encrypted token is not base64url")]
    NotBase64Url,
    /// A part of the header is missing or malformed.
    #[error("in the header of the encrypted token, {0} is missing or malformed")]
    HeaderMalformed(&'static str),
    /// A member of the header is repeated.
    #[error("a member of the encrypted token's header is repeated")]
    Repeated,
    /// `alg` or `enc` is unknown.
    #[error("an algorithm of the encrypted token is not known")]
    AlgorithmUnknown,
    /// `crit` names extensions, and none is understood (RFC 7516, section 4.1.13).
    #[error("the encrypted token has critical extensions, and none is understood")]
    Critical,
    /// The payload is compressed (RFC 8725, section 3.6).
    #[error("the payload of the encrypted token is compressed, which is not supported")]
    Compressed,
    /// The algorithm is none of the accepted ones.
    #[error("the algorithm of the encrypted token is not accepted here")]
    AlgorithmNotAccepted,
    /// No key has the token's `kid`, or none is for its algorithm.
    #[error("no key is that of the encrypted token")]
    KeyUnknown,
    /// More keys than four would have to be tried.
    #[error("the encrypted token names no key, and too many could open it")]
    KeyAmbiguous,
    /// The token was changed, or made for another key. No error tells which part is wrong.
    #[error("the token cannot be decrypted")]
    Failed,
    /// The public key in the header, with which both sides agree on a key, cannot be used.
    #[error("in the header of the encrypted token: {0}")]
    Key(#[from] KeyError),
    /// The payload is not text, or the header does not say that it is a token.
    #[error("there is no token in the encrypted token")]
    NotNested,
}
