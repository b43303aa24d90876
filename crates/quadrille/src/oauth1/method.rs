//! Signature methods (RFC 5849, section 3.4).

use std::fmt;

use aws_lc_rs::{digest, hmac, signature};

/// How a request is signed (RFC 5849, section 3.4). The methods with SHA-256 and SHA-512 are those of
/// today's servers; they differ from the RFC's in the hash only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureMethod {
    /// HMAC-SHA1 (RFC 5849, section 3.4.2): what nearly all services take.
    HmacSha1,
    /// HMAC-SHA256.
    HmacSha256,
    /// HMAC-SHA512.
    HmacSha512,
    /// RSA-SHA1 (RFC 5849, section 3.4.3).
    RsaSha1,
    /// RSA-SHA256.
    RsaSha256,
    /// RSA-SHA512.
    RsaSha512,
    /// PLAINTEXT (RFC 5849, section 3.4.4): the secrets themselves, which only TLS protects.
    Plaintext,
}

impl SignatureMethod {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::HmacSha1,
        Self::HmacSha256,
        Self::HmacSha512,
        Self::RsaSha1,
        Self::RsaSha256,
        Self::RsaSha512,
        Self::Plaintext,
    ];

    /// As it stands in `oauth_signature_method`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::RsaSha1 => "RSA-SHA1",
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaSha512 => "RSA-SHA512",
            Self::Plaintext => "PLAINTEXT",
        }
    }

    /// The method with this name, which is compared to the letter.
    ///
    /// ```
    /// use quadrille::oauth1::SignatureMethod;
    ///
    /// assert_eq!(SignatureMethod::parse("HMAC-SHA1"), Some(SignatureMethod::HmacSha1));
    /// assert_eq!(SignatureMethod::parse("hmac-sha1"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether the client signs with a private key of its own instead of a shared secret.
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha512)
    }

    /// Whether it rests on SHA-1.
    pub const fn uses_sha1(self) -> bool {
        matches!(self, Self::HmacSha1 | Self::RsaSha1)
    }

    /// The algorithm of the HMAC methods.
    pub(super) fn hmac(self) -> Option<hmac::Algorithm> {
        match self {
            Self::HmacSha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::HmacSha256 => Some(hmac::HMAC_SHA256),
            Self::HmacSha512 => Some(hmac::HMAC_SHA512),
            Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha512 | Self::Plaintext => None,
        }
    }

    /// How the RSA methods are verified. Which lengths of keys are good is said where keys are read.
    pub(super) fn rsa(self) -> Option<&'static signature::RsaParameters> {
        match self {
            Self::RsaSha1 => Some(&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
            Self::RsaSha256 => Some(&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
            Self::RsaSha512 => Some(&signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
            Self::HmacSha1 | Self::HmacSha256 | Self::HmacSha512 | Self::Plaintext => None,
        }
    }

    /// The hash of `oauth_body_hash`: that of the method (OAuth Request Body Hash, section 3.2).
    pub(super) fn body_hash(self) -> Option<&'static digest::Algorithm> {
        match self {
            Self::HmacSha1 | Self::RsaSha1 => Some(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            Self::HmacSha256 | Self::RsaSha256 => Some(&digest::SHA256),
            Self::HmacSha512 | Self::RsaSha512 => Some(&digest::SHA512),
            Self::Plaintext => None,
        }
    }
}

impl fmt::Display for SignatureMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
