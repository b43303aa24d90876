//! Algorithms of encrypted tokens (RFC 7518, sections 4.1 and 5.1).

use std::borrow::Cow;

use aws_lc_rs::{aead, cipher, hmac};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A key management algorithm, the value of `alg` of an encrypted token (RFC 7518, section 4.1).
/// `RSA1_5`, whose errors tell plaintexts, and those with a password are not among them.
///
/// ```
/// use quadrille::jose::KeyManagement;
///
/// assert_eq!(KeyManagement::parse("RSA-OAEP-256"), Some(KeyManagement::RsaOaep256));
/// assert_eq!(KeyManagement::parse("RSA1_5"), None);
/// assert!(KeyManagement::Direct.is_symmetric());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyManagement {
    /// RSAES-OAEP with SHA-1, whose weakness does not matter there.
    RsaOaep,
    /// RSAES-OAEP with SHA-256.
    RsaOaep256,
    /// ECDH-ES whose result is the key.
    EcdhEs,
    /// ECDH-ES whose result wraps the key with AES of 128 bits.
    EcdhEsA128Kw,
    /// ECDH-ES whose result wraps the key with AES of 256 bits.
    EcdhEsA256Kw,
    /// A shared key wraps the key with AES of 128 bits.
    A128Kw,
    /// A shared key wraps the key with AES of 256 bits.
    A256Kw,
    /// A shared key is the key.
    Direct,
}

impl KeyManagement {
    /// All algorithms.
    pub const ALL: [Self; 8] = [
        Self::RsaOaep,
        Self::RsaOaep256,
        Self::EcdhEs,
        Self::EcdhEsA128Kw,
        Self::EcdhEsA256Kw,
        Self::A128Kw,
        Self::A256Kw,
        Self::Direct,
    ];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaOaep => "RSA-OAEP",
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
            Self::A128Kw => "A128KW",
            Self::A256Kw => "A256KW",
            Self::Direct => "dir",
        }
    }

    /// The algorithm with this name. Names are case-sensitive.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// Whether both sides have the same key.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::A128Kw | Self::A256Kw | Self::Direct)
    }

    /// Whether the key is of this algorithm, and none is in the token.
    pub(super) const fn is_direct(self) -> bool {
        matches!(self, Self::EcdhEs | Self::Direct)
    }

    /// The length of the key that wraps another, in bytes.
    pub(super) const fn wrapping_len(self) -> Option<usize> {
        match self {
            Self::EcdhEsA128Kw | Self::A128Kw => Some(16),
            Self::EcdhEsA256Kw | Self::A256Kw => Some(32),
            _ => None,
        }
    }
}

/// A content encryption algorithm, the value of `enc` (RFC 7518, section 5.1).
///
/// ```
/// use quadrille::jose::ContentEncryption;
///
/// assert_eq!(ContentEncryption::parse("A256GCM"), Some(ContentEncryption::A256Gcm));
/// assert_eq!(ContentEncryption::A128CbcHs256.key_len(), 32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentEncryption {
    /// AES of 128 bits in GCM.
    A128Gcm,
    /// AES of 256 bits in GCM.
    A256Gcm,
    /// AES of 128 bits in CBC with HMAC of SHA-256: the default of OpenID Connect.
    A128CbcHs256,
    /// AES of 256 bits in CBC with HMAC of SHA-512.
    A256CbcHs512,
}

/// The parts of a content encryption.
pub(super) enum Suite {
    Gcm(&'static aead::Algorithm),
    /// The key of the HMAC comes first, and is as long as the other one.
    Cbc(&'static cipher::Algorithm, hmac::Algorithm),
}

impl ContentEncryption {
    /// All algorithms.
    pub const ALL: [Self; 4] =
        [Self::A128Gcm, Self::A256Gcm, Self::A128CbcHs256, Self::A256CbcHs512];

    /// The value of `enc`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
        }
    }

    /// The algorithm with this name. Names are case-sensitive.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// The length of the key, in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm | Self::A128CbcHs256 => 32,
            Self::A256CbcHs512 => 64,
        }
    }

    pub(super) const fn suite(self) -> Suite {
        match self {
            Self::A128Gcm => Suite::Gcm(&aead::AES_128_GCM),
            Self::A256Gcm => Suite::Gcm(&aead::AES_256_GCM),
            Self::A128CbcHs256 => Suite::Cbc(&cipher::AES_128, hmac::HMAC_SHA256),
            Self::A256CbcHs512 => Suite::Cbc(&cipher::AES_256, hmac::HMAC_SHA512),
        }
    }
}

/// As the value of `alg`.
impl Serialize for KeyManagement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for KeyManagement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("an unknown algorithm"))
    }
}

/// As the value of `enc`.
impl Serialize for ContentEncryption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ContentEncryption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("an unknown algorithm"))
    }
}
