//! RSA keys of clients (RFC 5849, section 3.4.3).

use std::{fmt, sync::Arc};

use super::SignatureMethod;
use crate::der::{self, PemError, decode_pem, key_of_certificate};
use aws_lc_rs::{rsa, signature};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// The reason why a key cannot be used.
///
/// ```
/// use quadrille::oauth1::{KeyError, RsaSigningKey};
///
/// assert_eq!(RsaSigningKey::from_pem("not a key").unwrap_err(), KeyError::NotPem);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not PEM, or incomplete.
    #[error("not a key in PEM form")]
    NotPem,
    /// The key is encrypted with a passphrase.
    #[error("the key is encrypted; decrypt it first")]
    Encrypted,
    /// The PEM holds a key of another kind, for example a private key instead of a public one.
    #[error(
        "another kind of key: verifying needs an RSA public key (`openssl rsa -in private.pem \
         -pubout`), signing an RSA private key"
    )]
    OtherKind,
    /// The key is too short to be safe, or longer than 8192 bits.
    #[error("the RSA key has {bits} bits, which is too few or too many")]
    Length {
        /// Its length in bits.
        bits: usize,
    },
    /// This build cannot sign with RSA-SHA1.
    #[error("signing with RSA-SHA1 needs the feature rsa-sha1")]
    Sha1NotBuilt,
}

/// A client's private RSA key. Wiped when dropped, never printed.
///
/// ```
/// use quadrille::oauth1::{RsaSigningKey, SignatureMethod, Signer};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let key = RsaSigningKey::from_pem(&std::fs::read_to_string("printer.pem")?)?;
/// let signer = Signer::rsa(SignatureMethod::RsaSha256, "printer", &key)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RsaSigningKey(Arc<Private>);

struct Private {
    pair: rsa::KeyPair,
    #[cfg(feature = "rsa-sha1")]
    sha1: Option<rsa_crate::RsaPrivateKey>,
}

impl RsaSigningKey {
    /// Reads a private key as PEM: PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE
    /// KEY`), of 2048 to 8192 bits.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, der) = decode_pem(pem)?;
        let pair = match label {
            "PRIVATE KEY" => rsa::KeyPair::from_pkcs8(&der),
            "RSA PRIVATE KEY" => rsa::KeyPair::from_der(&der),
            _ => return Err(KeyError::OtherKind),
        };
        let pair = pair.map_err(|_| KeyError::OtherKind)?;
        let bits = pair.public_modulus_len() * 8;
        if !(2048..=8192).contains(&bits) {
            return Err(KeyError::Length { bits });
        }
        Ok(Self(Arc::new(Private {
            #[cfg(feature = "rsa-sha1")]
            sha1: super::rsa_sha1::read(label, &der),
            pair,
        })))
    }

    /// Signs with one of the RSA methods.
    pub(super) fn sign(
        &self,
        method: SignatureMethod,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let algorithm = match method {
            SignatureMethod::RsaSha256 => &signature::RSA_PKCS1_SHA256,
            SignatureMethod::RsaSha512 => &signature::RSA_PKCS1_SHA512,
            #[cfg(feature = "rsa-sha1")]
            SignatureMethod::RsaSha1 => {
                let key = self.0.sha1.as_ref().ok_or(KeyError::OtherKind)?;
                return super::rsa_sha1::sign(key, message).ok_or(KeyError::OtherKind);
            }
            #[cfg(not(feature = "rsa-sha1"))]
            SignatureMethod::RsaSha1 => return Err(KeyError::Sha1NotBuilt),
            SignatureMethod::HmacSha1
            | SignatureMethod::HmacSha256
            | SignatureMethod::HmacSha512
            | SignatureMethod::Plaintext => return Err(KeyError::OtherKind),
        };
        let mut signature = vec![0; self.0.pair.public_modulus_len()];
        // PKCS#1 v1.5 signatures have no random part; the generator blinds the computation.
        let random = aws_lc_rs::rand::SystemRandom::new();
        let signed = self.0.pair.sign(algorithm, &random, message, &mut signature);
        signed.map(|()| signature).map_err(|_| KeyError::OtherKind)
    }
}

impl fmt::Debug for RsaSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaSigningKey({} bits)", self.0.pair.public_modulus_len() * 8)
    }
}

/// A client's public RSA key, which verifies its signatures.
///
/// ```
/// use quadrille::oauth1::{RsaVerifyingKey, SignedRequest, VerifyingKey};
///
/// # fn example(request: &SignedRequest<'_>) -> Result<(), Box<dyn std::error::Error>> {
/// let key = RsaVerifyingKey::from_pem(&std::fs::read_to_string("printer.pub.pem")?)?;
/// let is_signed = request.is_signed_by("https://album.example", &VerifyingKey::Rsa(&key));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RsaVerifyingKey {
    /// `RSAPublicKey` (RFC 8017, appendix A.1.1).
    der: Arc<[u8]>,
    bits: usize,
}

impl RsaVerifyingKey {
    /// Reads a public key of 2048 to 8192 bits as PEM: `BEGIN PUBLIC KEY`, `BEGIN RSA PUBLIC KEY`,
    /// or a certificate, of which only the key is used.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_pem_with(pem, 2048)
    }

    /// As [`from_pem`](Self::from_pem), for keys from 1024 bits. Gives up: an attacker with enough
    /// money can break such a key and then sign in the client's name.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem_of_1024_bits_and_up_as_old_installations_have_them(
        pem: &str,
    ) -> Result<Self, KeyError> {
        Self::from_pem_with(pem, 1024)
    }

    fn from_pem_with(pem: &str, least: usize) -> Result<Self, KeyError> {
        let (label, der) = decode_pem(pem)?;
        let key = match label {
            "PUBLIC KEY" | "RSA PUBLIC KEY" => &*der,
            "CERTIFICATE" => key_of_certificate(&der).ok_or(KeyError::OtherKind)?,
            _ => return Err(KeyError::OtherKind),
        };
        let key = rsa::PublicKey::from_der(key).map_err(|_| KeyError::OtherKind)?;
        let bits = modulus_bits(key.as_ref()).ok_or(KeyError::OtherKind)?;
        if !(least..=8192).contains(&bits) {
            return Err(KeyError::Length { bits });
        }
        Ok(Self { der: key.as_ref().into(), bits })
    }

    /// The key as PEM (`BEGIN RSA PUBLIC KEY`), for storage.
    pub fn to_pem(&self) -> String {
        let mut pem = "-----BEGIN RSA PUBLIC KEY-----\n".to_owned();
        let text = BASE64_STANDARD.encode(&self.der);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = tail;
        }
        pem.push_str("-----END RSA PUBLIC KEY-----\n");
        pem
    }

    /// The length of the modulus in bits.
    pub const fn bits(&self) -> usize {
        self.bits
    }

    /// Whether the signature is valid.
    pub(super) fn verifies(
        &self,
        method: SignatureMethod,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let Some(algorithm) = method.rsa() else { return false };
        signature::UnparsedPublicKey::new(algorithm, &self.der).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for RsaVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaVerifyingKey({} bits)", self.bits)
    }
}

impl From<PemError> for KeyError {
    fn from(error: PemError) -> Self {
        match error {
            PemError::NotPem => Self::NotPem,
            PemError::Encrypted => Self::Encrypted,
        }
    }
}

/// The length of an `RSAPublicKey`'s modulus in bits.
fn modulus_bits(der: &[u8]) -> Option<usize> {
    der::integers(der)?.first().map(|modulus| der::bits(modulus))
}
