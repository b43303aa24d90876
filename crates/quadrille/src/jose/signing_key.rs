//! Keys that sign.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsBigEndian, AsDer},
    hmac, rand, rsa as aws_rsa,
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use zeroize::Zeroizing;

use super::{
    Algorithm, KeyError, VerifyingKey,
    curve::Curve,
    jwk::{Jwk, Operation, Writer},
    public::{Public, boxed},
    rsa,
    verifying_key::hmac_key,
};
use crate::{Secret, der};

/// A private key, or a shared secret, that signs with one algorithm. Its identifier is the
/// thumbprint, unless another one is set. Wiped when dropped, never printed. Cheap to clone.
///
/// ```
/// use quadrille::jose::{Algorithm, Protected, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// assert_eq!(key.kid(), key.verifying_key().thumbprint().as_deref());
/// let token = key.sign(&Protected::typ("at+jwt"), br#"{"sub":"ada"}"#)?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    private: Arc<Private>,
    verifying: VerifyingKey,
}

enum Private {
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(aws_rsa::KeyPair),
    Shared(Box<hmac::Key>, Zeroizing<Vec<u8>>),
}

impl SigningKey {
    /// A new key: for RSA of 2048 bits, for an HMAC as long as its hash. The library of algorithms
    /// draws it. An RSA key takes some hundred milliseconds.
    ///
    /// # Errors
    /// [`KeyError::NotGenerated`] if the system has no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::NotGenerated;
        let private = match Curve::of(algorithm) {
            Some(curve) => Private::Ec(EcdsaKeyPair::generate(curve.signing()).map_err(failed)?),
            None if matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519) => {
                Private::Ed25519(Ed25519KeyPair::generate().map_err(failed)?)
            }
            None if algorithm.is_symmetric() => {
                let length = match algorithm {
                    Algorithm::Hs256 => 32,
                    Algorithm::Hs384 => 48,
                    _ => 64,
                };
                let mut bytes = Zeroizing::new(vec![0; length]);
                rand::fill(&mut bytes).map_err(failed)?;
                return Self::hmac_of(algorithm, bytes);
            }
            None => {
                let size = aws_rsa::KeySize::Rsa2048;
                Private::Rsa(aws_rsa::KeyPair::generate(size).map_err(failed)?)
            }
        };
        Self::of(algorithm, private)
    }

    /// Reads a private key as PEM: PKCS#8 (`BEGIN PRIVATE KEY`), `BEGIN EC PRIVATE KEY` or `BEGIN
    /// RSA PRIVATE KEY`.
    ///
    /// ```
    /// use quadrille::jose::{Algorithm, KeyError, SigningKey};
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let key = SigningKey::from_pem(Algorithm::Es256, &std::fs::read_to_string("key.pem")?)?;
    /// # Ok(())
    /// # }
    /// let error = SigningKey::from_pem(Algorithm::Es256, "not a key").unwrap_err();
    /// assert_eq!(error, KeyError::NotPem);
    /// ```
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, KeyError> {
        let (label, der) = der::decode_pem(pem)?;
        let private = match (label, Curve::of(algorithm)) {
            ("PRIVATE KEY", _) => return Self::from_pkcs8(algorithm, &der),
            ("EC PRIVATE KEY", Some(curve)) => {
                EcdsaKeyPair::from_private_key_der(curve.signing(), &der).map(Private::Ec)
            }
            ("RSA PRIVATE KEY", None) => aws_rsa::KeyPair::from_der(&der).map(Private::Rsa),
            ("EC PRIVATE KEY" | "RSA PRIVATE KEY", _) => return Err(KeyError::OtherAlgorithm),
            _ => return Err(KeyError::NotPrivate),
        };
        Self::of(algorithm, private.map_err(|_| KeyError::Invalid)?)
    }

    /// Reads a private key as DER of PKCS#8 (RFC 5208), not encrypted.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] if the key is none of the algorithm, or [`KeyError::Length`].
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let private = match Curve::of(algorithm) {
            Some(curve) => EcdsaKeyPair::from_pkcs8(curve.signing(), der).map(Private::Ec),
            None if matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519) => {
                Ed25519KeyPair::from_pkcs8(der).map(Private::Ed25519)
            }
            None if algorithm.is_symmetric() => return Err(KeyError::OtherAlgorithm),
            None => aws_rsa::KeyPair::from_pkcs8(der).map(Private::Rsa),
        };
        Self::of(algorithm, private.map_err(|_| KeyError::Invalid)?)
    }

    /// Reads a JWK with its private members, of any type that
    /// [`VerifyingKey::from_jwk`] knows, or a shared one (`oct`). Its `kid` is kept. An RSA key
    /// has the members `p`, `q`, `dp`, `dq` and `qi`.
    ///
    /// ```
    /// use quadrille::{Secret, jose::{Algorithm, SigningKey}};
    ///
    /// let key = SigningKey::generate(Algorithm::EdDsa)?.with_kid("2026-11");
    /// let stored: Secret = key.to_private_jwk()?;
    /// assert_eq!(SigningKey::from_jwk(Algorithm::EdDsa, &stored)?.kid(), Some("2026-11"));
    /// # Ok::<(), quadrille::jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_jwk(algorithm: Algorithm, json: &Secret) -> Result<Self, KeyError> {
        Self::read(algorithm, &Jwk::parse(json.expose())?)
    }

    pub(super) fn read(algorithm: Algorithm, jwk: &Jwk) -> Result<Self, KeyError> {
        jwk.check_use(Operation::Sign)?;
        if jwk.algorithm()?.is_some_and(|declared| declared != algorithm) {
            return Err(KeyError::OtherAlgorithm);
        }
        let key = match jwk.kty()? {
            "oct" => Self::hmac_of(algorithm, jwk.bytes("k")?)?,
            _ => Self::of(algorithm, Private::read(algorithm, jwk)?)?,
        };
        Ok(match jwk.kid()? {
            Some(kid) => key.with_kid(kid),
            None => key,
        })
    }

    /// A shared key for one HMAC, such as a client's secret, without an identifier. See
    /// [`VerifyingKey::hmac`].
    ///
    /// # Errors
    /// [`KeyError::Length`], or [`KeyError::OtherAlgorithm`] if the algorithm is not an HMAC.
    pub fn hmac(algorithm: Algorithm, secret: &Secret) -> Result<Self, KeyError> {
        Self::hmac_of(algorithm, Zeroizing::new(secret.expose().as_bytes().to_vec()))
    }

    fn hmac_of(algorithm: Algorithm, bytes: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let key = hmac_key(algorithm, &bytes)?;
        let verifying = VerifyingKey::shared(algorithm, key.clone());
        Ok(Self { algorithm, private: Arc::new(Private::Shared(key.into(), bytes)), verifying })
    }

    fn of(algorithm: Algorithm, private: Private) -> Result<Self, KeyError> {
        let public = private.public().ok_or(KeyError::Invalid)?;
        let mut verifying = VerifyingKey::of(public, Some(algorithm))?;
        if let Some(thumbprint) = verifying.thumbprint() {
            verifying = verifying.with_kid(&thumbprint);
        }
        Ok(Self { algorithm, private: Arc::new(private), verifying })
    }

    /// The same key with this identifier.
    #[must_use]
    pub fn with_kid(&self, kid: &str) -> Self {
        Self { verifying: self.verifying.with_kid(kid), ..self.clone() }
    }

    /// The same key without an identifier, for verifiers that know it without one.
    #[must_use]
    pub fn without_kid(&self) -> Self {
        Self { verifying: self.verifying.without_kid(), ..self.clone() }
    }

    /// The identifier of the key, which its signatures name. Shared keys have none by default.
    pub fn kid(&self) -> Option<&str> {
        self.verifying.kid()
    }

    /// The algorithm with which the key signs.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that verifies the signatures of this one.
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The JWK with its private members, for a store. Seal it.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] if the library of algorithms does not give the key away.
    pub fn to_private_jwk(&self) -> Result<Secret, KeyError> {
        let mut jwk = Writer::private();
        if let Some(public) = self.private.public() {
            public.write(&mut jwk).ok_or(KeyError::Invalid)?;
        }
        self.private.write(&mut jwk).ok_or(KeyError::Invalid)?;
        jwk.text("alg", self.algorithm.as_str());
        if let Some(kid) = self.kid() {
            jwk.text("kid", kid);
        }
        jwk.finish().map(Secret::from).ok_or(KeyError::Invalid)
    }

    /// The signature of a message, as JWS has it.
    pub(super) fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        // The library of algorithms draws its own numbers, whatever generator it is given.
        let random = rand::SystemRandom::new();
        match &*self.private {
            Private::Ec(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Private::Ed25519(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let encoding = rsa::signing(self.algorithm)?;
                pair.sign(encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Private::Shared(key, _) => Some(hmac::sign(key, message).as_ref().to_vec()),
        }
    }
}

/// Shows algorithm and identifier.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?}, {:?})", self.algorithm, self.kid())
    }
}

impl Private {
    /// Reads the private members of a key pair, which must fit the public ones.
    fn read(algorithm: Algorithm, jwk: &Jwk) -> Result<Self, KeyError> {
        let public = Public::read(jwk)?;
        if !jwk.has("d") {
            return Err(KeyError::NotPrivate);
        }
        match &public {
            Public::Ec { curve, x, y } => {
                if Curve::of(algorithm) != Some(*curve) {
                    return Err(KeyError::OtherAlgorithm);
                }
                let d = jwk.exactly("d", curve.bytes())?;
                let point = [&[4], &**x, &**y].concat();
                EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), &d, &point)
                    .map(Self::Ec)
                    .map_err(|_| KeyError::Invalid)
            }
            Public::Ed25519(x) => {
                let d = jwk.exactly("d", 32)?;
                Ed25519KeyPair::from_seed_and_public_key(&d, x)
                    .map(Self::Ed25519)
                    .map_err(|_| KeyError::Invalid)
            }
            Public::Rsa { n, e } => rsa::read_private(n, e, jwk).map(Self::Rsa),
            Public::X25519(_) => Err(KeyError::OtherUse),
            Public::Shared => Err(KeyError::NotPrivate),
        }
    }

    /// The public numbers; `None` for a shared key.
    fn public(&self) -> Option<Public> {
        match self {
            Self::Ec(pair) => Public::of_point(pair.public_key().as_ref()),
            Self::Ed25519(pair) => Some(Public::Ed25519(boxed(pair.public_key().as_ref()))),
            Self::Rsa(pair) => Public::of_rsa(pair.public_key().as_ref()),
            Self::Shared(..) => None,
        }
    }

    /// Writes the private members.
    fn write(&self, jwk: &mut Writer) -> Option<()> {
        match self {
            Self::Ec(pair) => {
                let d = pair.private_key().as_be_bytes().ok()?;
                jwk.bytes("d", d.as_ref());
            }
            Self::Ed25519(pair) => {
                let seed = pair.seed().ok()?;
                let d = seed.as_be_bytes().ok()?;
                jwk.bytes("d", d.as_ref());
            }
            Self::Rsa(pair) => {
                rsa::write_private(pair.as_der().ok()?.as_ref(), jwk)?;
            }
            Self::Shared(_, bytes) => {
                jwk.text("kty", "oct");
                jwk.bytes("k", bytes);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn private(algorithm: Algorithm) -> Value {
        let key = SigningKey::generate(algorithm).unwrap();
        serde_json::from_str(key.to_private_jwk().unwrap().expose()).unwrap()
    }

    fn read(algorithm: Algorithm, mut jwk: Value, changes: &Value) -> Option<KeyError> {
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk.as_object_mut().unwrap().retain(|_, value| *value != json!("-"));
        SigningKey::from_jwk(algorithm, &Secret::from(jwk.to_string())).err()
    }

    #[test]
    fn every_number_of_a_private_key_fits_the_others() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let (jwk, other) = (private(algorithm), private(algorithm));
            assert_eq!(read(algorithm, jwk.clone(), &json!({})), None);
            for name in ["x", "y", "d", "n", "p", "q", "dp", "dq", "qi"] {
                if !jwk[name].is_null() {
                    let error = read(algorithm, jwk.clone(), &json!({ name: other[name] }));
                    assert_eq!(error, Some(KeyError::Invalid), "{algorithm:?} {name}");
                }
            }
            let error = read(algorithm, jwk, &json!({ "d": "-" }));
            assert_eq!(error, Some(KeyError::NotPrivate));
        }
    }

    #[test]
    fn a_private_key_is_for_signing_with_its_algorithm() {
        let (ec, rsa) = (private(Algorithm::Es256), private(Algorithm::Rs256));
        for (algorithm, jwk, changes, expected) in [
            (Algorithm::Es256, &ec, json!({ "use": "enc" }), KeyError::OtherUse),
            (Algorithm::Es256, &ec, json!({ "key_ops": ["verify"] }), KeyError::OtherUse),
            (Algorithm::Es384, &ec, json!({}), KeyError::OtherAlgorithm),
            (Algorithm::Es384, &ec, json!({ "alg": "-" }), KeyError::OtherAlgorithm),
            (Algorithm::Rs256, &ec, json!({ "alg": "-" }), KeyError::OtherAlgorithm),
            (Algorithm::Hs256, &ec, json!({ "alg": "-" }), KeyError::OtherAlgorithm),
            (Algorithm::EdDsa, &rsa, json!({ "alg": "-" }), KeyError::OtherAlgorithm),
            (Algorithm::Rs256, &rsa, json!({ "oth": [] }), KeyError::Invalid),
            (Algorithm::Rs256, &rsa, json!({ "qi": "-" }), KeyError::Missing("qi")),
            (Algorithm::Es256, &ec, json!({ "kty": "-" }), KeyError::Missing("kty")),
        ] {
            let error = read(algorithm, jwk.clone(), &changes);
            assert_eq!(error, Some(expected), "{algorithm:?} {changes}");
        }
        // The same RSA key signs with another algorithm, if its JWK does not say which.
        assert_eq!(read(Algorithm::Ps512, rsa, &json!({ "alg": "-" })), None);
    }

    #[test]
    fn a_shared_key_is_as_long_as_its_hash_and_never_published() {
        for (algorithm, bytes) in
            [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)]
        {
            let key = |length| SigningKey::hmac(algorithm, &Secret::from("a".repeat(length)));
            let error = key(bytes - 1).unwrap_err();
            assert_eq!(error, KeyError::Length { bits: (bytes - 1) * 8 });
            let key = key(bytes).unwrap();
            assert_eq!((key.kid(), key.verifying_key().thumbprint()), (None, None));
            assert_eq!(key.verifying_key().to_jwk(), None);
            let generated = SigningKey::generate(algorithm).unwrap();
            let stored = generated.to_private_jwk().unwrap();
            let read = SigningKey::from_jwk(algorithm, &stored).unwrap();
            assert_eq!(read.signature(b"a"), generated.signature(b"a"));
        }
        let secret = Secret::from("a".repeat(64));
        let error = SigningKey::hmac(Algorithm::Rs256, &secret).unwrap_err();
        assert_eq!(error, KeyError::OtherAlgorithm);
    }
}
