//! Signature methods (RFC 5849, section 3.4).

use std::fmt;

use aws_lc_rs::{digest, hmac, signature};

/// A signature method (RFC 5849, section 3.4). The methods with SHA-256 and SHA-512 are those of
/// current servers; they differ from the RFC's only in the hash.
///
/// ```
/// use quadrille::oauth1::SignatureMethod;
///
/// assert_eq!(SignatureMethod::parse("HMAC-SHA1"), Some(SignatureMethod::HmacSha1));
/// assert!(SignatureMethod::RsaSha256.is_rsa());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureMethod {
    /// HMAC-SHA1 (RFC 5849, section 3.4.2), which nearly all services accept.
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
    /// All signature methods.
    pub const ALL: [Self; 7] = [
        Self::HmacSha1,
        Self::HmacSha256,
        Self::HmacSha512,
        Self::RsaSha1,
        Self::RsaSha256,
        Self::RsaSha512,
        Self::Plaintext,
    ];

    /// The value of `oauth_signature_method`.
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

    /// The method with this name, compared exactly.
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

    /// Whether the client signs with a private key instead of a shared secret.
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha512)
    }

    /// Whether the method uses SHA-1.
    pub const fn uses_sha1(self) -> bool {
        matches!(self, Self::HmacSha1 | Self::RsaSha1)
    }

    /// The algorithm of an HMAC method.
    pub(super) fn hmac(self) -> Option<hmac::Algorithm> {
        match self {
            Self::HmacSha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::HmacSha256 => Some(hmac::HMAC_SHA256),
            Self::HmacSha512 => Some(hmac::HMAC_SHA512),
            Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha512 | Self::Plaintext => None,
        }
    }

    /// The verification parameters of an RSA method. Key lengths are checked when keys are read.
    pub(super) fn rsa(self) -> Option<&'static signature::RsaParameters> {
        match self {
            Self::RsaSha1 => Some(&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
            Self::RsaSha256 => Some(&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
            Self::RsaSha512 => Some(&signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
            Self::HmacSha1 | Self::HmacSha256 | Self::HmacSha512 | Self::Plaintext => None,
        }
    }

    /// The hash of `oauth_body_hash`, which is the method's (OAuth Request Body Hash, section 3.2).
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
