//! Signed tokens in the compact serialization (RFC 7515, section 7.1).

mod headers;
#[cfg(feature = "provider")]
mod of_anybody;
#[cfg(any(feature = "consumer", feature = "provider"))]
mod unsecured;

use std::{fmt, sync::Arc};

use super::{
    Algorithms, Claims, ClaimsError, ClaimsPolicy, Header, KeySet, Protected, SignError,
    SigningKey, TokenError, VerifyingKey, base64url,
};
use crate::Timestamp;

#[cfg(feature = "provider")]
pub(crate) use of_anybody::{Part, text_of_anybody};
#[cfg(feature = "provider")]
pub(crate) use unsecured::payload_of_anybody;
#[cfg(feature = "consumer")]
pub(crate) use unsecured::unsecured;

/// The longest token in bytes: 16 KiB, twice what a header holds in most servers.
/// [`Unverified::parse_up_to`] has another limit.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// The signatures that are computed at most for one token.
const MOST_KEYS: usize = 4;

impl SigningKey {
    /// Signs a payload: the token in the compact serialization. [`sign_claims`](Self::sign_claims)
    /// is for JWTs.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(&self, header: &Protected<'_>, payload: &[u8]) -> Result<String, SignError> {
        let header = header
            .write(self.verifying_key(), self.algorithm())
            .ok_or(SignError::SharedKeyInHeader)?;
        // The longest signature has 1024 bytes; most have 64.
        let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 96);
        base64url::encode_into(header, &mut token);
        token.push('.');
        base64url::encode_into(payload, &mut token);
        let signature = self.signature(token.as_bytes()).ok_or(SignError::Failed)?;
        token.push('.');
        base64url::encode_into(signature, &mut token);
        Ok(token)
    }

    /// Signs a JWT.
    ///
    /// ```
    /// use quadrille::{Timestamp, jose::{Algorithm, Claims, Protected, SigningKey}};
    ///
    /// let key = SigningKey::generate(Algorithm::EdDsa)?;
    /// let mut claims = Claims::default();
    /// claims.iss = Some("https://id.example".into());
    /// claims.exp = Some(Timestamp::from_seconds(1_800_000_000));
    /// let token = key.sign_claims(&Protected::typ("at+jwt"), &claims)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign_claims(
        &self,
        header: &Protected<'_>,
        claims: &Claims,
    ) -> Result<String, SignError> {
        self.sign(header, &claims.to_json())
    }
}

/// The type that a verifier expects (RFC 8725, section 3.11), so that a token made for one purpose
/// is not accepted for another. Compared without case and without `application/`.
///
/// ```
/// use quadrille::jose::TokenType;
///
/// assert!(TokenType::Is("at+jwt").matches(Some("application/at+jwt")));
/// assert!(!TokenType::Plain.matches(Some("at+jwt")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Exactly this type, such as `at+jwt` or `dpop+jwt`.
    Is(&'static str),
    /// This type, or a plain one: for kinds of tokens that got a type after they were in use.
    IsOrPlain(&'static str),
    /// No type, or `JWT`: ID tokens, and assertions of RFC 7523.
    Plain,
    /// Any type. Gives up: a token that the same key signed for another purpose is accepted.
    AnyBecauseTheKeySignsNothingElse,
}

impl TokenType {
    /// Whether a header with this `typ` is of the type.
    pub fn matches(self, typ: Option<&str>) -> bool {
        let is = |name: &str| typ.is_some_and(|typ| subtype(typ).eq_ignore_ascii_case(name));
        let plain = || typ.is_none() || is("JWT");
        match self {
            Self::Is(name) => is(name),
            Self::IsOrPlain(name) => is(name) || plain(),
            Self::Plain => plain(),
            Self::AnyBecauseTheKeySignsNothingElse => true,
        }
    }
}

fn subtype(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((start, subtype)) if start.eq_ignore_ascii_case("application/") => subtype,
        _ => typ,
    }
}

/// The rules by which a token is verified.
///
/// ```
/// use quadrille::jose::{Algorithms, TokenType, Verification};
///
/// const ACCESS_TOKENS: Verification =
///     Verification::new(Algorithms::PUBLIC_KEY, TokenType::Is("at+jwt"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    algorithms: Algorithms,
    typ: TokenType,
}

impl Verification {
    /// The accepted algorithms, and the expected type.
    pub const fn new(algorithms: Algorithms, typ: TokenType) -> Self {
        Self { algorithms, typ }
    }

    fn check(&self, header: &Header) -> Result<(), TokenError> {
        if !self.algorithms.contains(header.algorithm()) {
            return Err(TokenError::AlgorithmNotAccepted);
        }
        match self.typ.matches(header.typ()) {
            true => Ok(()),
            false => Err(TokenError::OtherType),
        }
    }
}

/// A token that was read and not verified. Its header leads to the key; its payload is hidden, save
/// for [`claims_of_anybody`](Self::claims_of_anybody).
///
/// ```
/// use quadrille::{Timestamp, jose::*};
///
/// // The issuer signs ...
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let mut claims = Claims::default();
/// claims.iss = Some("https://id.example".into());
/// claims.aud = vec!["https://api.example".into()];
/// claims.exp = Some(Timestamp::from_seconds(1_800_000_000));
/// let token = key.sign_claims(&Protected::typ("at+jwt"), &claims)?;
///
/// // ... and publishes its keys, by which an API verifies.
/// let keys = KeySet::from_iter([key.verifying_key().clone()]).to_json();
/// let keys = KeySet::parse(keys.as_bytes())?;
/// let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Is("at+jwt"));
/// let policy = ClaimsPolicy::new("https://id.example", "https://api.example");
/// let now = Timestamp::from_seconds(1_799_999_000);
/// let verified = Unverified::parse(&token)?.verify(&rules, &keys)?;
/// assert_eq!(verified.claims(&policy, now)?, claims);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Unverified<'t> {
    /// Header and payload, as they were signed.
    signed: &'t str,
    header: Arc<Header>,
    /// The bytes of the payload, and of the signature behind it.
    decoded: Vec<u8>,
    payload_len: usize,
}

impl<'t> Unverified<'t> {
    /// Reads a token of at most [`MAX_TOKEN_LEN`] bytes in the compact serialization.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse(token: &'t str) -> Result<Self, TokenError> {
        Self::parse_up_to(token, MAX_TOKEN_LEN)
    }

    /// [`parse`](Self::parse) with another limit, in bytes.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse_up_to(token: &'t str, bytes: usize) -> Result<Self, TokenError> {
        if token.len() > bytes {
            return Err(TokenError::TooLong);
        }
        if token.starts_with('{') {
            return Err(TokenError::JsonSerialization);
        }
        let mut dots = memchr::memchr_iter(b'.', token.as_bytes());
        let (first, second) = match (dots.next(), dots.next(), dots.count()) {
            (Some(first), Some(second), 0) => (first, second),
            (_, _, 2) => return Err(TokenError::Encrypted),
            _ => return Err(TokenError::NotCompact),
        };
        let (signed, signature) = around(token, second).ok_or(TokenError::NotCompact)?;
        let (header, payload) = around(signed, first).ok_or(TokenError::NotCompact)?;
        let header = headers::read(header)?;
        if payload.is_empty() {
            return Err(TokenError::Detached);
        }
        let mut decoded = Vec::with_capacity(payload.len() + signature.len());
        base64url::decode_into(payload, &mut decoded).ok_or(TokenError::NotBase64Url)?;
        let payload_len = decoded.len();
        base64url::decode_into(signature, &mut decoded).ok_or(TokenError::NotBase64Url)?;
        Ok(Self { signed, header, decoded, payload_len })
    }

    /// The header, by which the key is found.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The claims, which anybody may have written: only to find out whose keys verify the token,
    /// such as the issuer, or the client of an assertion.
    ///
    /// # Errors
    /// [`ClaimsError`].
    pub fn claims_of_anybody(&self) -> Result<Claims, ClaimsError> {
        Claims::parse(self.decoded.split_at(self.payload_len).0)
    }

    /// `true` if a set has a key that may have signed the token: one of the identifier that the
    /// token names, or of its algorithm if it names none.
    ///
    /// ```
    /// use quadrille::jose::*;
    ///
    /// let (key, other) = (SigningKey::generate(Algorithm::Es256)?, KeySet::default());
    /// let keys = KeySet::from_iter([key.verifying_key().clone()]);
    /// let token = key.sign(&Protected::plain(), b"{}")?;
    /// let token = Unverified::parse(&token)?;
    /// assert!(token.has_key_in(&keys) && !token.has_key_in(&other));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn has_key_in(&self, keys: &KeySet) -> bool {
        let mut keys = keys.iter();
        match self.header.kid() {
            Some(kid) => keys.any(|key| key.kid() == Some(kid)),
            None => keys.any(|key| key.verifies(self.header.algorithm())),
        }
    }

    /// Verifies the token by a set of keys. If it names a key, only keys of this identifier are
    /// tried; otherwise all that are for the algorithm, at most four.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::KeyUnknown`] if another set may have the key.
    pub fn verify(self, rules: &Verification, keys: &KeySet) -> Result<Verified, TokenError> {
        rules.check(&self.header)?;
        let (kid, algorithm) = (self.header.kid(), self.header.algorithm());
        let named = || keys.iter().filter(|key| kid.is_none_or(|kid| key.kid() == Some(kid)));
        let fit = || named().filter(|key| key.verifies(algorithm));
        match (named().count(), fit().count()) {
            (0, _) => return Err(TokenError::KeyUnknown),
            (_, 0) => return Err(TokenError::KeyUnusable),
            (_, count) if count > MOST_KEYS => return Err(TokenError::KeyAmbiguous),
            _ => {}
        }
        let key = fit().find(|key| self.is_signed_by(key)).cloned();
        self.verified(key)
    }

    /// Verifies the token by one key, whatever key it names.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify_with(
        self,
        rules: &Verification,
        key: &VerifyingKey,
    ) -> Result<Verified, TokenError> {
        rules.check(&self.header)?;
        if !key.verifies(self.header.algorithm()) {
            return Err(TokenError::KeyUnusable);
        }
        let key = self.is_signed_by(key).then(|| key.clone());
        self.verified(key)
    }

    /// Verifies the token by the key that it brings ([`Header::jwk`]): a proof that its sender has
    /// this key, and nothing else. [`Verified::key`] has the thumbprint to compare.
    ///
    /// ```
    /// use quadrille::jose::*;
    ///
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// let proof = key.sign(&Protected::typ("dpop+jwt").with_jwk(), br#"{"htm":"GET"}"#)?;
    /// let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Is("dpop+jwt"));
    /// let proof = Unverified::parse(&proof)?.verify_with_its_own_key(&rules)?;
    /// assert_eq!(proof.key().thumbprint(), key.verifying_key().thumbprint());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::Key`] if there is no public key in the header.
    pub fn verify_with_its_own_key(self, rules: &Verification) -> Result<Verified, TokenError> {
        // Before the key is read, which costs more.
        rules.check(&self.header)?;
        let key = self.header.jwk()?;
        self.verify_with(rules, &key)
    }

    fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        let signature = self.decoded.split_at(self.payload_len).1;
        key.made(self.header.algorithm(), self.signed.as_bytes(), signature)
    }

    fn verified(self, key: Option<VerifyingKey>) -> Result<Verified, TokenError> {
        let key = key.ok_or(TokenError::Signature)?;
        let Self { header, decoded: mut payload, payload_len, .. } = self;
        payload.truncate(payload_len);
        Ok(Verified { header, payload, key })
    }
}

/// The texts before and after the byte at this position.
fn around(text: &str, at: usize) -> Option<(&str, &str)> {
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Shows the algorithm alone.
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unverified({:?})", self.header.algorithm())
    }
}

/// A token whose signature is right. [`Unverified`] has an example.
///
/// ```
/// use quadrille::{Timestamp, jose::{Claims, ClaimsError, ClaimsPolicy, Verified}};
///
/// fn claims_of_a_partner(token: &Verified, now: Timestamp) -> Result<Claims, ClaimsError> {
///     let policy = ClaimsPolicy::new("https://partner.example", "https://api.example");
///     token.claims(&policy, now)
/// }
/// ```
pub struct Verified {
    header: Arc<Header>,
    payload: Vec<u8>,
    key: VerifyingKey,
}

impl Verified {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The key that verified the token.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The payload, for tokens that are no JWT.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The claims of a JWT, once they are valid now, for this policy.
    ///
    /// # Errors
    /// [`ClaimsError`].
    pub fn claims(&self, policy: &ClaimsPolicy, now: Timestamp) -> Result<Claims, ClaimsError> {
        let claims = Claims::parse(&self.payload)?;
        policy.check(&claims, now)?;
        Ok(claims)
    }
}

/// Shows the algorithm and the key alone.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({:?}, {:?})", self.header.algorithm(), self.key)
    }
}

#[cfg(test)]
mod tests;
