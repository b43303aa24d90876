//! The rules by which an encrypted token is decrypted.

use super::{error::DecryptError, header::EncryptedHeader};
use crate::jose::encryption_algorithm::{ContentEncryption, KeyManagement};

/// The algorithms that a recipient accepts (RFC 8725, section 3.1): some with public keys or some with a
/// shared one, never both.
///
/// ```
/// use quadrille::jose::{ContentEncryption, Decryption, KeyManagement};
///
/// // What a client registered.
/// let rules = Decryption::only(KeyManagement::RsaOaep256, ContentEncryption::A256Gcm);
/// assert!(rules.accepts(KeyManagement::RsaOaep256, ContentEncryption::A256Gcm));
/// assert!(!Decryption::PUBLIC_KEY.accepts(KeyManagement::Direct, ContentEncryption::A256Gcm));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decryption {
    keys: Accepted,
    encryption: Option<ContentEncryption>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepted {
    PublicKey,
    Symmetric,
    Only(KeyManagement),
}

impl Decryption {
    /// All algorithms with public keys, and all of payloads.
    pub const PUBLIC_KEY: Self = Self { keys: Accepted::PublicKey, encryption: None };

    /// All algorithms with a shared key, and all of payloads.
    pub const SYMMETRIC: Self = Self { keys: Accepted::Symmetric, encryption: None };

    /// One algorithm of the key, and one of the payload.
    pub const fn only(algorithm: KeyManagement, encryption: ContentEncryption) -> Self {
        Self { keys: Accepted::Only(algorithm), encryption: Some(encryption) }
    }

    /// Whether these algorithms are accepted.
    pub fn accepts(self, algorithm: KeyManagement, encryption: ContentEncryption) -> bool {
        let is_accepted = match self.keys {
            Accepted::PublicKey => !algorithm.is_symmetric(),
            Accepted::Symmetric => algorithm.is_symmetric(),
            Accepted::Only(only) => only == algorithm,
        };
        is_accepted && self.encryption.is_none_or(|only| only == encryption)
    }

    pub(super) fn check(self, header: &EncryptedHeader) -> Result<(), DecryptError> {
        match self.accepts(header.algorithm(), header.encryption()) {
            true => Ok(()),
            false => Err(DecryptError::AlgorithmNotAccepted),
        }
    }
}
