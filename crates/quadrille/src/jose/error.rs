//! Errors of keys, tokens and claims. None contains a part of them.

use crate::{der::PemError, json::ObjectError};

/// The reason why a key cannot be used. Contains no part of the key.
///
/// ```
/// use quadrille::jose::{KeyError, VerifyingKey};
///
/// let error = VerifyingKey::from_jwk(r#"{"kty":"EC","crv":"secp256k1"}"#).unwrap_err();
/// assert_eq!(error, KeyError::UnknownCurve);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not a JSON object.
    #[error("the key is not a JSON object")]
    NotJson,
    /// A member is repeated.
    #[error("a member of the key is repeated")]
    Repeated,
    /// A member is missing.
    #[error("the key has no {0}")]
    Missing(&'static str),
    /// A member has the wrong type, length or encoding.
    #[error("the key's {0} is malformed")]
    Malformed(&'static str),
    /// `kty` is unknown.
    #[error("the type of the key is not known")]
    UnknownType,
    /// `crv` is unknown.
    #[error("the curve of the key is not known")]
    UnknownCurve,
    /// `alg` is unknown, or of another use.
    #[error("the algorithm of the key is not known")]
    UnknownAlgorithm,
    /// The algorithm is none of this type of key or of its curve.
    #[error("the algorithm is not one of this key")]
    OtherAlgorithm,
    /// `use` or `key_ops` say that the key is for something else (RFC 7517, sections 4.2 and 4.3).
    #[error("the key is for another use")]
    OtherUse,
    /// The key is too short to be safe, or too long.
    #[error("the key has {bits} bits, which is too few or too many")]
    Length {
        /// Its length in bits.
        bits: usize,
    },
    /// A public key is required, and this one is private or shared, so it is a secret no more.
    #[error("the key is private or shared, where a public one is required")]
    NotPublic,
    /// A private key is required, and this one is public.
    #[error("the key is public, where a private one is required")]
    NotPrivate,
    /// The numbers of the key are inconsistent, or its point is not on the curve.
    #[error("the numbers of the key are not a key")]
    Invalid,
    /// The text is not PEM, or incomplete.
    #[error("not a key in PEM form")]
    NotPem,
    /// The key is encrypted with a passphrase.
    #[error("the key is encrypted; decrypt it first")]
    Encrypted,
    /// The library of algorithms failed to generate a key.
    #[error("a key could not be generated")]
    NotGenerated,
}

/// The reason why a token is rejected before its claims are read. Contains no part of the token.
///
/// ```
/// use quadrille::jose::{TokenError, Unverified};
///
/// let unsecured = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.";
/// assert_eq!(Unverified::parse(unsecured).unwrap_err(), TokenError::Unsecured);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is longer than the limit.
    #[error("the token is too long")]
    TooLong,
    /// The token is not three parts with dots between them.
    #[error("the token is not a signed token in the compact serialization")]
    NotCompact,
    /// The token is in the JSON serialization.
    #[error("the token is in the JSON serialization, which is not supported")]
    JsonSerialization,
    /// The token has five parts: it is encrypted.
    #[error("the token is encrypted")]
    Encrypted,
    /// The payload is missing: detached, or empty.
    #[error("the token has no payload")]
    Detached,
    /// A part is not base64url without padding.
    #[error("a part of the token is not base64url")]
    NotBase64Url,
    /// A part of the header is missing or malformed.
    #[error("in the header of the token, {0} is missing or malformed")]
    HeaderMalformed(&'static str),
    /// A member of the header is repeated.
    #[error("a member of the token's header is repeated")]
    Repeated,
    /// `alg` is `none`.
    #[error("the token is not signed")]
    Unsecured,
    /// `alg` is unknown.
    #[error("the algorithm of the token is not known")]
    AlgorithmUnknown,
    /// `crit` names extensions, and none is understood (RFC 7515, section 4.1.11).
    #[error("the token has critical extensions, and none is understood")]
    Critical,
    /// The payload is not encoded (RFC 7797).
    #[error("the payload of the token is not encoded, which is not supported")]
    NotEncoded,
    /// The algorithm is none of the accepted ones.
    #[error("the algorithm of the token is not accepted here")]
    AlgorithmNotAccepted,
    /// `typ` is not the expected one: the token was made for something else.
    #[error("the token is of another type")]
    OtherType,
    /// No key has the token's `kid`, or there is no key. Keys fetched earlier may be too old.
    #[error("no key has the identifier of the token")]
    KeyUnknown,
    /// The key is not for the token's algorithm.
    #[error("the key of the token is not for its algorithm")]
    KeyUnusable,
    /// More keys than four would have to be tried.
    #[error("the token names no key, and too many could have signed it")]
    KeyAmbiguous,
    /// The signature is wrong.
    #[error("the signature of the token is wrong")]
    Signature,
    /// The token brings its own key, which cannot be used.
    #[error("in the header of the token: {0}")]
    Key(#[from] KeyError),
}

impl TokenError {
    /// The member of the header that is wrong, if it is one.
    #[cfg(feature = "provider")]
    pub(crate) const fn member(&self) -> Option<&'static str> {
        match self {
            Self::KeyUnknown | Self::KeyUnusable => Some("kid"),
            Self::AlgorithmNotAccepted | Self::AlgorithmUnknown | Self::Unsecured => Some("alg"),
            Self::OtherType => Some("typ"),
            Self::Critical => Some("crit"),
            _ => None,
        }
    }
}

/// The reason why a token cannot be signed.
///
/// ```
/// use quadrille::{Secret, jose::{Algorithm, Protected, SignError, SigningKey}};
///
/// let key = SigningKey::hmac(Algorithm::Hs256, &Secret::from("a".repeat(32)))?;
/// let signed = key.sign(&Protected::plain().with_jwk(), b"{}");
/// assert_eq!(signed.unwrap_err(), SignError::SharedKeyInHeader);
/// # Ok::<(), quadrille::jose::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A shared key would have stood in the header.
    #[error("a shared key must not stand in the header of a token")]
    SharedKeyInHeader,
    /// The library of algorithms failed.
    #[error("the token could not be signed")]
    Failed,
}

/// The reason why claims are rejected. Contains none of them.
///
/// ```
/// use quadrille::{Timestamp, jose::{Claims, ClaimsError, ClaimsPolicy}};
///
/// let policy = ClaimsPolicy::new("https://id.example", "https://api.example");
/// let now = Timestamp::from_seconds(1_800_000_000);
/// let error = policy.check(&Claims::default(), now).unwrap_err();
/// assert_eq!(error, ClaimsError::Missing("iss"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// The payload is not a JSON object.
    #[error("the payload of the token is not a JSON object")]
    NotJson,
    /// A member of the payload is repeated.
    #[error("a claim of the token is repeated")]
    Repeated,
    /// A claim has the wrong type.
    #[error("the claim {0} is malformed")]
    Malformed(&'static str),
    /// A required claim is missing or empty.
    #[error("the token has no {0}")]
    Missing(&'static str),
    /// The issuer is another one.
    #[error("the token is from another issuer")]
    Issuer,
    /// The subject is another one.
    #[error("the token is about another subject")]
    Subject,
    /// The recipient is another one.
    #[error("the token is for another audience")]
    Audience,
    /// The token is for others, too, and must not be.
    #[error("the token is for other audiences, too")]
    SharedAudience,
    /// `exp` is not in the future.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` is in the future.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// The token was issued too long ago.
    #[error("the token was issued too long ago")]
    TooOld,
    /// `exp` is too far in the future.
    #[error("the token is valid for too long")]
    TooLong,
}

impl ClaimsError {
    /// The claim to blame, if it is a single one that has a value.
    #[cfg(feature = "provider")]
    pub(crate) const fn claim(&self) -> Option<&'static str> {
        match self {
            Self::Issuer => Some("iss"),
            Self::Subject => Some("sub"),
            Self::Audience | Self::SharedAudience => Some("aud"),
            Self::Expired | Self::TooLong => Some("exp"),
            Self::NotYetValid => Some("nbf"),
            Self::IssuedInFuture | Self::TooOld => Some("iat"),
            Self::Malformed(name) => Some(name),
            Self::NotJson | Self::Repeated | Self::Missing(_) => None,
        }
    }
}

impl From<ObjectError> for KeyError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Malformed { .. } => Self::NotJson,
            ObjectError::Repeated(_) => Self::Repeated,
        }
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
