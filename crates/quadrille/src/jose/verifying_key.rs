//! Keys that verify (RFC 7517).

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    hmac, rsa as aws_rsa,
    signature::{ED25519, ParsedPublicKey, VerificationAlgorithm},
};
use serde_json::{Map, Value};

use super::{
    Algorithm, KeyError, ed25519,
    jwk::{Jwk, Operation, Writer},
    public::Public,
    rsa,
};
use crate::Secret;

/// A key that verifies signatures: the public key of another party, or a shared secret. Its kind
/// decides which algorithms it verifies, so a public key is never taken for the secret of an HMAC.
/// Cheap to clone.
///
/// ```
/// use quadrille::jose::{Algorithm, VerifyingKey};
///
/// let key = VerifyingKey::from_jwk(
///     r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
/// )?;
/// assert!(key.verifies(Algorithm::EdDsa) && !key.verifies(Algorithm::Hs256));
/// // RFC 8037, appendix A.3
/// let thumbprint = key.thumbprint().ok_or("a shared key has none")?;
/// assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kid: Option<Box<str>>,
    public: Public,
    /// The key for each of its algorithms; one if the key is limited to it.
    ready: Vec<(Algorithm, Ready)>,
}

#[derive(Clone)]
enum Ready {
    Public(ParsedPublicKey),
    Shared(Box<hmac::Key>),
}

impl VerifyingKey {
    /// Reads a public JWK of type EC (P-256, P-384, P-521), OKP (Ed25519) or RSA (2048 to 8192
    /// bits). Unknown members are ignored (RFC 7517, section 4).
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::NotPublic`] if the key is private or shared.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        Self::read(&Jwk::parse(json)?)
    }

    /// [`from_jwk`](Self::from_jwk) for members that were read already, as those of `jwk` in the
    /// header of a DPoP proof ([`Header::jwk`](super::Header::jwk)).
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        Self::read(&Jwk::of(members.clone()))
    }

    /// A shared key for one HMAC, such as a client's secret. RFC 7518, section 3.2 requires at
    /// least as many bytes as the hash has: 32, 48 or 64.
    ///
    /// # Errors
    /// [`KeyError::Length`], or [`KeyError::OtherAlgorithm`] if the algorithm is not an HMAC.
    pub fn hmac(algorithm: Algorithm, secret: &Secret) -> Result<Self, KeyError> {
        hmac_key(algorithm, secret.expose().as_bytes()).map(|key| Self::shared(algorithm, key))
    }

    pub(super) fn shared(algorithm: Algorithm, key: hmac::Key) -> Self {
        let ready = vec![(algorithm, Ready::Shared(key.into()))];
        Self(Arc::new(Inner { kid: None, public: Public::Shared, ready }))
    }

    pub(super) fn read(jwk: &Jwk) -> Result<Self, KeyError> {
        let kty = jwk.kty()?;
        if kty == "oct" || jwk.has("d") || rsa::PRIVATE.iter().any(|name| jwk.has(name)) {
            return Err(KeyError::NotPublic);
        }
        jwk.check_use(Operation::Verify)?;
        let mut key = Self::of(Public::read(jwk)?, jwk.algorithm()?)?;
        if let Some(kid) = jwk.kid()? {
            key = key.with_kid(kid);
        }
        Ok(key)
    }

    /// The key of these numbers, which are checked.
    pub(super) fn of(public: Public, only: Option<Algorithm>) -> Result<Self, KeyError> {
        let parse = |algorithm: &'static dyn VerificationAlgorithm, bytes: &[u8]| {
            ParsedPublicKey::new(algorithm, bytes).map(Ready::Public).map_err(|_| KeyError::Invalid)
        };
        let mut ready = match &public {
            Public::Ec { curve, x, y } => {
                let point = [&[4], &**x, &**y].concat();
                vec![(curve.algorithm(), parse(curve.verification(), &point)?)]
            }
            Public::Ed25519(x) => {
                ed25519::check(x)?;
                let key = parse(&ED25519, x)?;
                vec![(Algorithm::EdDsa, key.clone()), (Algorithm::Ed25519, key)]
            }
            Public::Rsa { n, e } => {
                rsa::check(n, e)?;
                let components = aws_rsa::PublicKeyComponents { n: &**n, e: &**e };
                let algorithms = rsa::ALGORITHMS.into_iter();
                algorithms
                    .filter(|algorithm| only.is_none_or(|only| only == *algorithm))
                    .filter_map(|algorithm| Some((algorithm, rsa::verification(algorithm)?)))
                    .map(|(algorithm, parameters)| {
                        let key = components.to_parsed_public_key(parameters);
                        key.map(|key| (algorithm, Ready::Public(key)))
                            .map_err(|_| KeyError::Invalid)
                    })
                    .collect::<Result<_, _>>()?
            }
            Public::X25519(_) => return Err(KeyError::OtherUse),
            Public::Shared => return Err(KeyError::NotPublic),
        };
        if let Some(only) = only {
            ready.retain(|(algorithm, _)| *algorithm == only);
        }
        match ready.is_empty() {
            true => Err(KeyError::OtherAlgorithm),
            false => Ok(Self(Arc::new(Inner { kid: None, public, ready }))),
        }
    }

    /// The same key with this identifier.
    #[must_use]
    pub fn with_kid(&self, kid: &str) -> Self {
        Self(Arc::new(Inner { kid: Some(kid.into()), ..Inner::clone(&self.0) }))
    }

    /// The same key without an identifier.
    pub(super) fn without_kid(&self) -> Self {
        Self(Arc::new(Inner { kid: None, ..Inner::clone(&self.0) }))
    }

    /// The identifier of the key.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The algorithm, if the key has one only.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match &*self.0.ready {
            [(algorithm, _)] => Some(*algorithm),
            _ => None,
        }
    }

    /// Whether the key verifies signatures of this algorithm.
    pub fn verifies(&self, algorithm: Algorithm) -> bool {
        self.ready(algorithm).is_some()
    }

    /// Whether the key is a shared secret.
    pub fn is_shared(&self) -> bool {
        self.0.public == Public::Shared
    }

    /// The JWK, or `None` for a shared key, which must not be published.
    pub fn to_jwk(&self) -> Option<String> {
        let mut jwk = Writer::public();
        self.0.public.write(&mut jwk)?;
        if let Some(kid) = self.kid() {
            jwk.text("kid", kid);
        }
        if let Some(algorithm) = self.algorithm() {
            jwk.text("alg", algorithm.as_str());
        }
        jwk.text("use", "sig");
        jwk.finish()
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638), as `jkt` has it (RFC 9449, section 6.1).
    /// `None` for a shared key, whose thumbprint would let others test guesses (RFC 7638, section
    /// 7).
    pub fn thumbprint(&self) -> Option<String> {
        self.0.public.thumbprint()
    }

    /// The public members alone, as in the header of a DPoP proof.
    pub(super) fn bare_jwk(&self) -> Option<String> {
        self.0.public.bare_jwk()
    }

    /// Whether this key made the signature.
    pub(super) fn made(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self.ready(algorithm) {
            Some(Ready::Public(key)) => key.verify_sig(message, signature).is_ok(),
            Some(Ready::Shared(key)) => hmac::verify(key, message, signature).is_ok(),
            None => false,
        }
    }

    fn ready(&self, algorithm: Algorithm) -> Option<&Ready> {
        let found = self.0.ready.iter().find(|(each, _)| *each == algorithm);
        found.map(|(_, ready)| ready)
    }
}

/// Shows kind and identifier.
impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<_> = self.0.ready.iter().map(|(algorithm, _)| algorithm).collect();
        write!(f, "VerifyingKey({algorithms:?}, {:?})", self.kid())
    }
}

/// The key of an HMAC, of sufficient length.
pub(super) fn hmac_key(algorithm: Algorithm, secret: &[u8]) -> Result<hmac::Key, KeyError> {
    let hash = match algorithm {
        Algorithm::Hs256 => hmac::HMAC_SHA256,
        Algorithm::Hs384 => hmac::HMAC_SHA384,
        Algorithm::Hs512 => hmac::HMAC_SHA512,
        _ => return Err(KeyError::OtherAlgorithm),
    };
    match secret.len() < hash.tag_len() {
        true => Err(KeyError::Length { bits: secret.len() * 8 }),
        false => Ok(hmac::Key::new(hash, secret)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{SigningKey, base64url};

    fn public(algorithm: Algorithm) -> Value {
        let key = SigningKey::generate(algorithm).unwrap();
        serde_json::from_str(&key.verifying_key().bare_jwk().unwrap()).unwrap()
    }

    fn read(mut jwk: Value, changes: &Value) -> Result<VerifyingKey, KeyError> {
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        VerifyingKey::from_jwk(&jwk.to_string())
    }

    #[test]
    fn a_key_for_another_purpose_is_not_read() {
        let jwk = public(Algorithm::Es256);
        for (changes, expected) in [
            (json!({}), None),
            (json!({ "use": "sig" }), None),
            (json!({ "key_ops": ["verify"] }), None),
            (json!({ "key_ops": ["sign", "verify"], "alg": "ES256" }), None),
            (json!({ "use": "enc" }), Some(KeyError::OtherUse)),
            (json!({ "use": "SIG" }), Some(KeyError::OtherUse)),
            (json!({ "use": 7 }), Some(KeyError::Malformed("use"))),
            (json!({ "key_ops": [] }), Some(KeyError::OtherUse)),
            (json!({ "key_ops": ["deriveBits"] }), Some(KeyError::OtherUse)),
            (json!({ "key_ops": "verify" }), Some(KeyError::Malformed("key_ops"))),
            (json!({ "alg": "ES384" }), Some(KeyError::OtherAlgorithm)),
            (json!({ "alg": "HS256" }), Some(KeyError::OtherAlgorithm)),
            (json!({ "alg": "none" }), Some(KeyError::UnknownAlgorithm)),
            (json!({ "alg": "ECDH-ES" }), Some(KeyError::UnknownAlgorithm)),
            (json!({ "kid": 7 }), Some(KeyError::Malformed("kid"))),
            (json!({ "kty": "ec" }), Some(KeyError::UnknownType)),
            (json!({ "kty": "oct", "k": "AAAA" }), Some(KeyError::NotPublic)),
            (json!({ "d": "AAAA" }), Some(KeyError::NotPublic)),
            (json!({ "p": "AAAA" }), Some(KeyError::NotPublic)),
        ] {
            assert_eq!(read(jwk.clone(), &changes).err(), expected, "{changes}");
        }
        let twice = jwk.to_string().replacen('{', r#"{"kty":"EC","#, 1);
        assert_eq!(VerifyingKey::from_jwk(&twice).unwrap_err(), KeyError::Repeated);
    }

    #[test]
    fn a_point_is_on_the_curve_that_the_key_names_and_whole() {
        let (jwk, other) = (public(Algorithm::Es256), public(Algorithm::Es256));
        let long = json!({ "x": format!("AA{}", jwk["x"].as_str().unwrap()) });
        for (changes, expected) in [
            (json!({ "x": other["x"] }), KeyError::Invalid),
            (json!({ "x": "A".repeat(43), "y": "A".repeat(43) }), KeyError::Invalid),
            (json!({ "crv": "P-384" }), KeyError::Malformed("x")),
            (json!({ "crv": "secp256k1" }), KeyError::UnknownCurve),
            (json!({ "crv": null }), KeyError::Malformed("crv")),
            (json!({ "x": "AAAA" }), KeyError::Malformed("x")),
            (json!({ "y": format!("{}=", jwk["y"].as_str().unwrap()) }), KeyError::Malformed("y")),
            (json!({ "y": null }), KeyError::Malformed("y")),
            (long, KeyError::Malformed("x")),
        ] {
            assert_eq!(read(jwk.clone(), &changes).unwrap_err(), expected, "{changes}");
        }
        let compressed = json!({ "kty": "EC", "crv": "P-256", "x": jwk["x"] });
        assert_eq!(read(compressed, &json!({})).unwrap_err(), KeyError::Missing("y"));
    }

    #[test]
    fn an_ed25519_key_is_no_point_of_small_order() {
        let jwk = public(Algorithm::EdDsa);
        let x = json!({ "x": base64url::encode([0; 32]) });
        assert_eq!(read(jwk.clone(), &x).unwrap_err(), KeyError::Invalid);
        assert!(read(jwk, &json!({})).is_ok());
    }

    #[test]
    fn an_rsa_key_has_a_safe_length() {
        let jwk = public(Algorithm::Rs256);
        let modulus = |bits: usize| {
            let mut bytes = vec![0xff_u8; bits.div_ceil(8)];
            bytes[0] = 0xff >> ((8 - bits % 8) % 8);
            json!({ "n": base64url::encode(bytes) })
        };
        for (bits, fits) in
            [(8, false), (1024, false), (2047, false), (2048, true), (8192, true), (8193, false)]
        {
            let error = read(jwk.clone(), &modulus(bits)).err();
            assert_eq!(error, (!fits).then_some(KeyError::Length { bits }), "{bits}");
        }
        for (exponent, fits) in [
            (&[1, 0, 1][..], true),
            (&[3], true),
            (&[1], false),
            (&[0], false),
            (&[2], false),
            (&[], false),
            (&[1, 0, 0], false),
            (&[1, 0, 0, 0, 1], true),
            (&[3, 0, 0, 0, 1], false),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 1], false),
        ] {
            let key = read(jwk.clone(), &json!({ "e": base64url::encode(exponent) }));
            assert_eq!(key.is_ok(), fits, "{exponent:?} {key:?}");
        }
        // A zero in front, for the sign, is not part of the number, nor of the thumbprint.
        let padded = read(jwk.clone(), &json!({ "e": base64url::encode([0, 1, 0, 1]) })).unwrap();
        assert_eq!(padded.thumbprint(), read(jwk, &json!({})).unwrap().thumbprint());
    }
}
