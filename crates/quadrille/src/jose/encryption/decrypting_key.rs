//! Keys that decrypt.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    agreement::{self, PrivateKey},
    digest,
    encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin},
    rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use zeroize::Zeroizing;

use super::{
    agreement::{Context, agree, agrees, point, public},
    content::new_key,
    encrypting_key::EncryptingKey,
    error::DecryptError,
    header::EncryptedHeader,
    wrapping::{is_usable, open_by, open_by_rsa},
};
use crate::{
    Secret,
    jose::{
        KeyError,
        encryption_algorithm::{ContentEncryption, KeyManagement},
        jwk::{Jwk, Operation, Writer},
        public::Public,
        rsa,
    },
};

/// A private key, or a shared secret, that decrypts. Its identifier is the thumbprint, unless another
/// one is set. Never printed. Cheap to clone.
///
/// ```
/// use quadrille::jose::*;
///
/// let key = DecryptingKey::generate(KeyManagement::EcdhEsA256Kw)?;
/// let published = EncryptingKey::from_jwk(&key.encrypting_key().to_jwk().ok_or("it is public")?)?;
/// let (alg, enc) = (KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm);
/// let token = published.encrypt(alg, enc, &Protected::plain(), b"a letter")?;
/// let letter = Encrypted::parse(&token)?.decrypt(Decryption::only(alg, enc), [&key])?;
/// assert_eq!(letter.payload(), b"a letter");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DecryptingKey {
    private: Arc<Private>,
    encrypting: EncryptingKey,
}

enum Private {
    Agreement(PrivateKey),
    Rsa(PrivateDecryptingKey, OaepPrivateDecryptingKey),
    Shared(Arc<Zeroizing<Vec<u8>>>),
}

impl DecryptingKey {
    /// A new key: for RSA of 2048 bits, for ECDH-ES on P-256. The library of algorithms draws it.
    ///
    /// # Errors
    /// [`KeyError::NotGenerated`] if the system has no randomness; [`KeyError::OtherAlgorithm`] for an
    /// algorithm with a shared key.
    pub fn generate(algorithm: KeyManagement) -> Result<Self, KeyError> {
        let failed = |_| KeyError::NotGenerated;
        let private = match algorithm {
            KeyManagement::RsaOaep | KeyManagement::RsaOaep256 => {
                Private::rsa(PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(failed)?)?
            }
            _ if algorithm.is_symmetric() => return Err(KeyError::OtherAlgorithm),
            _ => Private::Agreement(PrivateKey::generate(&agreement::ECDH_P256).map_err(failed)?),
        };
        Self::of(private, Some(algorithm))
    }

    /// Reads a JWK with its private members: of type EC, OKP (X25519), RSA or a shared one (`oct`). Its
    /// `kid` is kept.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_jwk(json: &Secret) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(json.expose())?;
        jwk.check_use(Operation::Decrypt)?;
        let only = jwk.key_management()?;
        let key = match jwk.kty()? {
            "oct" => Self::shared(jwk.bytes("k")?, only)?,
            _ => Self::of(Private::read(&jwk)?, only)?,
        };
        Ok(match jwk.kid()? {
            Some(kid) => key.with_kid(kid),
            None => key,
        })
    }

    /// The key that is derived from a client's secret (OpenID Connect Core, section 10.2).
    ///
    /// ```
    /// use quadrille::{Secret, jose::{ContentEncryption, DecryptingKey, KeyManagement}};
    ///
    /// let secret = Secret::from("GX1fBat3bV8zvF3Wz0kQ1mQkYdXn2c5v");
    /// let key = DecryptingKey::of_client_secret(
    ///     &secret,
    ///     KeyManagement::Direct,
    ///     ContentEncryption::A256CbcHs512,
    /// )?;
    /// assert!(key.encrypting_key().encrypts_by(KeyManagement::Direct));
    /// # Ok::<(), quadrille::jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::OtherAlgorithm`] if the algorithm has no shared key.
    pub fn of_client_secret(
        secret: &Secret,
        algorithm: KeyManagement,
        encryption: ContentEncryption,
    ) -> Result<Self, KeyError> {
        if !algorithm.is_symmetric() {
            return Err(KeyError::OtherAlgorithm);
        }
        let length = algorithm.wrapping_len().unwrap_or(encryption.key_len());
        let hash = if length <= 32 { &digest::SHA256 } else { &digest::SHA512 };
        let hashed = digest::digest(hash, secret.expose().as_bytes());
        let bytes = hashed.as_ref().get(..length).ok_or(KeyError::Invalid)?;
        Self::shared(Zeroizing::new(bytes.to_vec()), Some(algorithm))
    }

    /// The key on P-256 that follows from 32 bytes, which `derive` makes of a counter: nearly all of them
    /// are a key.
    #[cfg(feature = "provider")]
    pub(crate) fn derived(derive: impl Fn(u8) -> [u8; 32]) -> Result<Self, KeyError> {
        let key = (0..u8::MAX).find_map(|count| {
            let bytes = Zeroizing::new(derive(count));
            PrivateKey::from_private_key(&agreement::ECDH_P256, &bytes[..]).ok()
        });
        Self::of(Private::Agreement(key.ok_or(KeyError::Invalid)?), None)
    }

    fn shared(bytes: Zeroizing<Vec<u8>>, only: Option<KeyManagement>) -> Result<Self, KeyError> {
        let bits = bytes.len() * 8;
        if ![128, 256, 512].contains(&bits) {
            return Err(KeyError::Length { bits });
        }
        let encrypting = EncryptingKey::shared(bytes.clone(), only, None)?;
        Ok(Self { private: Arc::new(Private::Shared(Arc::new(bytes))), encrypting })
    }

    fn of(private: Private, only: Option<KeyManagement>) -> Result<Self, KeyError> {
        let public = private.public().ok_or(KeyError::Invalid)?;
        let kid = public.thumbprint();
        let encrypting = EncryptingKey::of(public, only, kid.as_deref())?;
        Ok(Self { private: Arc::new(private), encrypting })
    }

    /// The same key with this identifier.
    #[must_use]
    pub fn with_kid(&self, kid: &str) -> Self {
        Self { encrypting: self.encrypting.with_kid(kid), ..self.clone() }
    }

    /// The identifier of the key.
    pub fn kid(&self) -> Option<&str> {
        self.encrypting.kid()
    }

    /// The key that encrypts for this one.
    pub const fn encrypting_key(&self) -> &EncryptingKey {
        &self.encrypting
    }

    /// The JWK with its private members, for a store. Seal it.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] if the library of algorithms does not give the key away.
    pub fn to_private_jwk(&self) -> Result<Secret, KeyError> {
        let mut jwk = Writer::private();
        self.write(&mut jwk).ok_or(KeyError::Invalid)?;
        if let Some(algorithm) = self.encrypting.algorithm() {
            jwk.text("alg", algorithm.as_str());
        }
        if let Some(kid) = self.kid() {
            jwk.text("kid", kid);
        }
        jwk.finish().map(Secret::from).ok_or(KeyError::Invalid)
    }

    fn write(&self, jwk: &mut Writer) -> Option<()> {
        match &*self.private {
            Private::Agreement(key) => {
                let public = self.encrypting.public();
                public.write(jwk)?;
                if matches!(public, Public::X25519(_)) {
                    let seed: Curve25519SeedBin<'_> = key.as_be_bytes().ok()?;
                    jwk.bytes("d", seed.as_ref());
                } else {
                    let number: EcPrivateKeyBin<'_> = key.as_be_bytes().ok()?;
                    jwk.bytes("d", number.as_ref());
                }
            }
            Private::Rsa(key, _) => {
                self.encrypting.public().write(jwk)?;
                rsa::write_private(key.as_der().ok()?.as_ref(), jwk)?;
            }
            Private::Shared(bytes) => {
                jwk.text("kty", "oct");
                jwk.bytes("k", bytes);
            }
        }
        Some(())
    }

    /// The key of a token. A key that was changed on its way becomes a random one, with which the payload
    /// cannot be decrypted, so that nothing tells which of the two failed (RFC 7516, section 11.5).
    pub(super) fn unwrap(
        &self,
        header: &EncryptedHeader,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let (algorithm, encryption) = (header.algorithm(), header.encryption());
        if algorithm.is_direct() && !encrypted.is_empty() {
            return Err(DecryptError::Failed);
        }
        let key = match &*self.private {
            Private::Rsa(_, key) => open_by_rsa(key, algorithm, encrypted),
            Private::Shared(key) if is_usable(key, algorithm, encryption) => {
                open_by(key, algorithm, encrypted)
            }
            Private::Shared(_) => None,
            Private::Agreement(key) => {
                let ephemeral = header.ephemeral()?;
                let curve = agrees(&ephemeral).ok_or(DecryptError::HeaderMalformed("epk"))?;
                if curve != key.algorithm() {
                    return Err(DecryptError::HeaderMalformed("epk"));
                }
                let (producer, consumer) = (header.party("apu")?, header.party("apv")?);
                let context =
                    Context { algorithm, encryption, producer: &producer, consumer: &consumer };
                let point = point(&ephemeral).ok_or(DecryptError::HeaderMalformed("epk"))?;
                let agreed = agree(key, &point, &context);
                open_by(&agreed.ok_or(KeyError::Invalid)?, algorithm, encrypted)
            }
        };
        match key.filter(|key| key.len() == encryption.key_len()) {
            Some(key) => Ok(key),
            None => new_key(encryption).ok_or(DecryptError::Failed),
        }
    }
}

/// Shows the identifier.
impl fmt::Debug for DecryptingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptingKey({:?})", self.kid())
    }
}

impl Private {
    fn rsa(key: PrivateDecryptingKey) -> Result<Self, KeyError> {
        let ready = OaepPrivateDecryptingKey::new(key.clone()).map_err(|_| KeyError::Invalid)?;
        Ok(Self::Rsa(key, ready))
    }

    fn read(jwk: &Jwk) -> Result<Self, KeyError> {
        let public = Public::read(jwk)?;
        if !jwk.has("d") {
            return Err(KeyError::NotPrivate);
        }
        if let Public::Rsa { n, e } = &public {
            let pair = rsa::read_private(n, e, jwk)?;
            let document = pair.as_der().map_err(|_| KeyError::Invalid)?;
            let key = PrivateDecryptingKey::from_pkcs8(document.as_ref());
            return Self::rsa(key.map_err(|_| KeyError::Invalid)?);
        }
        let algorithm = agrees(&public).ok_or(KeyError::OtherUse)?;
        let key = PrivateKey::from_private_key(algorithm, &jwk.bytes("d")?);
        let private = Self::Agreement(key.map_err(|_| KeyError::Invalid)?);
        match private.public() == Some(public) {
            true => Ok(private),
            false => Err(KeyError::Invalid),
        }
    }

    /// The public numbers; `None` for a shared key.
    fn public(&self) -> Option<Public> {
        match self {
            Self::Agreement(key) => public(key),
            Self::Rsa(key, _) => Public::of_rsa_pkcs8(key.as_der().ok()?.as_ref()),
            Self::Shared(_) => None,
        }
    }
}
