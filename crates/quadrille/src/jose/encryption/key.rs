//! Keys that encrypt and decrypt.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    agreement::{self, PrivateKey},
    digest,
    encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin},
    key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _},
    rsa::{
        KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
        OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
        PublicEncryptingKey, PublicKeyComponents,
    },
};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    agreement::{Context, agree, agrees, point, public},
    algorithm::{ContentEncryption, KeyManagement},
    content::new_key,
    error::{DecryptError, EncryptError},
    header::EncryptedHeader,
};
use crate::{
    Secret,
    jose::{
        KeyError,
        jwk::{Jwk, Operation, Writer},
        public::Public,
        rsa,
    },
};

/// A key that encrypts: the public key of the recipient, or a shared secret. Cheap to clone.
///
/// ```
/// use quadrille::jose::{EncryptingKey, KeyManagement};
///
/// // RFC 8037, appendix A.6
/// let key = EncryptingKey::from_jwk(
///     r#"{"kty":"OKP","crv":"X25519","kid":"Bob","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#,
/// )?;
/// assert!(key.encrypts_by(KeyManagement::EcdhEsA128Kw));
/// assert!(!key.encrypts_by(KeyManagement::RsaOaep256));
/// # Ok::<(), quadrille::jose::KeyError>(())
/// ```
#[derive(Clone)]
pub struct EncryptingKey(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kid: Option<Box<str>>,
    /// The one algorithm to which the key is limited.
    only: Option<KeyManagement>,
    public: Public,
    ready: Ready,
}

#[derive(Clone)]
enum Ready {
    Agreement(&'static agreement::Algorithm, Vec<u8>),
    Rsa(Arc<OaepPublicEncryptingKey>),
    Shared(Arc<Zeroizing<Vec<u8>>>),
}

/// A key for one token, as its sender has it.
pub(super) struct Wrapped {
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) encrypted: Vec<u8>,
    pub(super) ephemeral: Option<Public>,
}

impl EncryptingKey {
    /// Reads a public JWK of type EC (P-256, P-384, P-521), OKP (X25519) or RSA (2048 to 8192 bits).
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::NotPublic`] if the key is private or shared.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        Self::read(&Jwk::parse(json)?)
    }

    /// [`from_jwk`](Self::from_jwk) for members that were read already, such as those in `jwks` of a
    /// client's metadata.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        Self::read(&Jwk::of(members.clone()))
    }

    fn read(jwk: &Jwk) -> Result<Self, KeyError> {
        if jwk.kty()? == "oct" || jwk.has("d") || rsa::PRIVATE.iter().any(|name| jwk.has(name)) {
            return Err(KeyError::NotPublic);
        }
        jwk.check_use(Operation::Encrypt)?;
        Self::of(Public::read(jwk)?, jwk.key_management()?, jwk.kid()?)
    }

    fn of(
        public: Public,
        only: Option<KeyManagement>,
        kid: Option<&str>,
    ) -> Result<Self, KeyError> {
        let ready = match &public {
            Public::Rsa { n, e } => {
                rsa::check(n, e)?;
                let key: Result<PublicEncryptingKey, _> =
                    PublicKeyComponents { n: &**n, e: &**e }.try_into();
                let key = key.map_err(|_| KeyError::Invalid)?;
                let key = OaepPublicEncryptingKey::new(key).map_err(|_| KeyError::Invalid)?;
                Ready::Rsa(Arc::new(key))
            }
            Public::Ed25519(_) => return Err(KeyError::OtherUse),
            _ => {
                let algorithm = agrees(&public).ok_or(KeyError::NotPublic)?;
                let point = point(&public).ok_or(KeyError::NotPublic)?;
                agreement::ParsedPublicKey::try_from(agreement::UnparsedPublicKey::new(
                    algorithm, &point,
                ))
                .map_err(|_| KeyError::Invalid)?;
                Ready::Agreement(algorithm, point)
            }
        };
        Self(Arc::new(Inner { kid: kid.map(Into::into), only, public, ready })).limited()
    }

    fn shared(
        bytes: Zeroizing<Vec<u8>>,
        only: Option<KeyManagement>,
        kid: Option<&str>,
    ) -> Result<Self, KeyError> {
        let ready = Ready::Shared(Arc::new(bytes));
        let (kid, public) = (kid.map(Into::into), Public::Shared);
        Self(Arc::new(Inner { kid, only, public, ready })).limited()
    }

    /// The key, if it has an algorithm.
    fn limited(self) -> Result<Self, KeyError> {
        match KeyManagement::ALL.into_iter().any(|algorithm| self.encrypts_by(algorithm)) {
            true => Ok(self),
            false => Err(KeyError::OtherAlgorithm),
        }
    }

    /// The same key with this identifier.
    #[must_use]
    pub fn with_kid(&self, kid: &str) -> Self {
        Self(Arc::new(Inner { kid: Some(kid.into()), ..Inner::clone(&self.0) }))
    }

    /// The identifier of the key, which its tokens name.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The JWK, with `use` `enc`; `None` for a shared key, which must not be published.
    pub fn to_jwk(&self) -> Option<String> {
        let mut jwk = Writer::public();
        self.0.public.write(&mut jwk)?;
        if let Some(kid) = self.kid() {
            jwk.text("kid", kid);
        }
        if let Some(algorithm) = self.0.only {
            jwk.text("alg", algorithm.as_str());
        }
        jwk.text("use", "enc");
        jwk.finish()
    }

    /// Whether the key encrypts by this algorithm.
    pub fn encrypts_by(&self, algorithm: KeyManagement) -> bool {
        let fits = match (&self.0.ready, algorithm) {
            (Ready::Rsa(_), KeyManagement::RsaOaep | KeyManagement::RsaOaep256)
            | (Ready::Shared(_), KeyManagement::Direct)
            | (
                Ready::Agreement(..),
                KeyManagement::EcdhEs | KeyManagement::EcdhEsA128Kw | KeyManagement::EcdhEsA256Kw,
            ) => true,
            (Ready::Shared(key), _) => algorithm.is_symmetric() && fits(key, algorithm),
            _ => false,
        };
        fits && self.0.only.is_none_or(|only| only == algorithm)
    }

    /// A new key for one token, and the form in which the token has it.
    pub(super) fn wrap(
        &self,
        algorithm: KeyManagement,
        encryption: ContentEncryption,
    ) -> Result<Wrapped, EncryptError> {
        if !self.encrypts_by(algorithm) {
            return Err(EncryptError::KeyUnusable);
        }
        match &self.0.ready {
            Ready::Rsa(key) => wrap_by_rsa(key, algorithm, encryption).ok_or(EncryptError::Failed),
            Ready::Agreement(curve, point) => {
                let ephemeral = PrivateKey::generate(curve).map_err(|_| EncryptError::Failed)?;
                let context = Context { algorithm, encryption, producer: b"", consumer: b"" };
                let agreed = agree(&ephemeral, point, &context).ok_or(EncryptError::Failed)?;
                let ephemeral = Some(public(&ephemeral).ok_or(EncryptError::Failed)?);
                let wrapped = wrap_by(&agreed, algorithm, encryption);
                Ok(Wrapped { ephemeral, ..wrapped.ok_or(EncryptError::Failed)? })
            }
            Ready::Shared(key) if is_usable(key, algorithm, encryption) => {
                wrap_by(key, algorithm, encryption).ok_or(EncryptError::Failed)
            }
            Ready::Shared(_) => Err(EncryptError::KeyUnusable),
        }
    }
}

/// Shows the identifier.
impl fmt::Debug for EncryptingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptingKey({:?})", self.kid())
    }
}

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
        if let Some(algorithm) = self.encrypting.0.only {
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
                let public = &self.encrypting.0.public;
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
                self.encrypting.0.public.write(jwk)?;
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

const fn oaep(algorithm: KeyManagement) -> Option<&'static OaepAlgorithm> {
    match algorithm {
        KeyManagement::RsaOaep => Some(&OAEP_SHA1_MGF1SHA1),
        KeyManagement::RsaOaep256 => Some(&OAEP_SHA256_MGF1SHA256),
        _ => None,
    }
}

fn wrap_by_rsa(
    public: &OaepPublicEncryptingKey,
    algorithm: KeyManagement,
    encryption: ContentEncryption,
) -> Option<Wrapped> {
    let key = new_key(encryption)?;
    let mut encrypted = vec![0; public.ciphertext_size()];
    public.encrypt(oaep(algorithm)?, &key, &mut encrypted, None).ok()?;
    Some(Wrapped { key, encrypted, ephemeral: None })
}

fn open_by_rsa(
    private: &OaepPrivateDecryptingKey,
    algorithm: KeyManagement,
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![0; private.min_output_size()]);
    let length = private.decrypt(oaep(algorithm)?, encrypted, &mut key, None).ok()?.len();
    key.truncate(length);
    Some(key)
}

/// Whether a shared key has the length of an algorithm.
fn fits(key: &[u8], algorithm: KeyManagement) -> bool {
    algorithm.wrapping_len().is_none_or(|length| length == key.len())
}

fn is_usable(key: &[u8], algorithm: KeyManagement, encryption: ContentEncryption) -> bool {
    key.len() == algorithm.wrapping_len().unwrap_or(encryption.key_len())
}

/// A wrapping key of AES (RFC 3394).
fn wrapping(key: &[u8]) -> Option<AesKek> {
    match key.len() {
        16 => AesKek::new(&AES_128, key).ok(),
        _ => AesKek::new(&AES_256, key).ok(),
    }
}

/// A new key, wrapped by another one, or that one itself.
fn wrap_by(
    by: &Zeroizing<Vec<u8>>,
    algorithm: KeyManagement,
    encryption: ContentEncryption,
) -> Option<Wrapped> {
    if algorithm.is_direct() {
        return Some(Wrapped { key: by.clone(), encrypted: Vec::new(), ephemeral: None });
    }
    let key = new_key(encryption)?;
    let mut encrypted = vec![0; key.len() + 8];
    wrapping(by)?.wrap(&key, &mut encrypted).ok()?;
    Some(Wrapped { key, encrypted, ephemeral: None })
}

fn open_by(
    by: &Zeroizing<Vec<u8>>,
    algorithm: KeyManagement,
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if algorithm.is_direct() {
        return Some(by.clone());
    }
    // The library of algorithms needs room for all of it.
    let mut key = Zeroizing::new(vec![0; encrypted.len()]);
    let length = wrapping(by)?.unwrap(encrypted, &mut key).ok()?.len();
    key.truncate(length);
    Some(key)
}
