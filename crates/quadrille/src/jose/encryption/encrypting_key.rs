//! Keys that encrypt.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    agreement::{self, PrivateKey},
    rsa::{OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents},
};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    agreement::{Context, agree, agrees, point, public},
    error::EncryptError,
    wrapping::{Wrapped, fits, is_usable, wrap_by, wrap_by_rsa},
};
use crate::jose::{
    KeyError,
    encryption_algorithm::{ContentEncryption, KeyManagement},
    jwk::{Jwk, Operation, Writer},
    public::Public,
    rsa,
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

    pub(in crate::jose) fn read(jwk: &Jwk) -> Result<Self, KeyError> {
        if jwk.kty()? == "oct" || jwk.has("d") || rsa::PRIVATE.iter().any(|name| jwk.has(name)) {
            return Err(KeyError::NotPublic);
        }
        jwk.check_use(Operation::Encrypt)?;
        Self::of(Public::read(jwk)?, jwk.key_management()?, jwk.kid()?)
    }

    pub(super) fn of(
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
                // A point of low order agrees with no key (RFC 7748, section 6.1).
                let other = PrivateKey::generate(algorithm);
                let other = other.map_err(|_| KeyError::Invalid)?;
                let peer = agreement::UnparsedPublicKey::new(algorithm, &point);
                agreement::agree(&other, peer, KeyError::Invalid, |_| Ok(()))?;
                Ready::Agreement(algorithm, point)
            }
        };
        Self(Arc::new(Inner { kid: kid.map(Into::into), only, public, ready })).limited()
    }

    pub(super) fn shared(
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

    /// The one algorithm to which the key is limited, if it is.
    pub fn algorithm(&self) -> Option<KeyManagement> {
        self.0.only
    }

    pub(super) fn public(&self) -> &Public {
        &self.0.public
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
