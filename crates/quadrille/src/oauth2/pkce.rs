//! Proof key for code exchange (RFC 7636): only the client that requested a code can redeem it.

use std::{fmt, str::FromStr};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, display::Base64Display, prelude::BASE64_URL_SAFE_NO_PAD};

use super::RequestError;
use crate::{Env, Secret, digest::sha256};

/// The `code_verifier`: a secret that the client keeps until it redeems the code (RFC 7636, section
/// 4.1).
///
/// ```
/// use quadrille::{Env, oauth2::pkce::Verifier};
///
/// let verifier = Verifier::random(&Env::system());
/// let challenge = verifier.challenge();
/// assert!(challenge.matches(verifier.expose()));
/// assert!(!challenge.matches(Verifier::random(&Env::system()).expose()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier(Secret);

impl Verifier {
    /// A new verifier, with 256 bits of randomness.
    pub fn random(env: &Env) -> Self {
        Self::from_bytes(&env.random())
    }

    /// The verifier made from these 32 secret bytes, for a client that derives instead of storing
    /// it.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Secret::from(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The secret text. Never log it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The challenge for the authorization request.
    pub fn challenge(&self) -> Challenge {
        Challenge::of(self.expose())
    }
}

impl FromStr for Verifier {
    type Err = RequestError;

    /// Reads a verifier.
    ///
    /// # Errors
    /// [`RequestError::MalformedVerifier`] unless it is 43 to 128 unreserved characters.
    fn from_str(text: &str) -> Result<Self, RequestError> {
        if is_verifier(text) {
            Ok(Self(Secret::from(text)))
        } else {
            Err(RequestError::MalformedVerifier)
        }
    }
}

/// The `code_challenge` with the method `S256`: the SHA-256 of the verifier (RFC 7636, section
/// 4.2). The method `plain` has no type, since RFC 9700 forbids it.
///
/// Displayed and parsed as in a request: 43 characters of base64url.
///
/// ```
/// use quadrille::oauth2::pkce::Challenge;
///
/// let challenge: Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse()?;
/// assert!(challenge.matches("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
/// # Ok::<(), quadrille::oauth2::RequestError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Challenge([u8; 32]);

impl Challenge {
    /// The `code_challenge_method` of this challenge.
    pub const METHOD: &'static str = "S256";

    /// Whether this is the challenge of `verifier`. Takes constant time for verifiers of one
    /// length.
    pub fn matches(&self, verifier: &str) -> bool {
        is_verifier(verifier) && verify_slices_are_equal(&self.0, &Self::of(verifier).0).is_ok()
    }

    /// Reads `code_challenge` and `code_challenge_method`; `None` without either.
    pub(super) fn read(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, RequestError> {
        match (challenge, method) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(RequestError::Missing("code_challenge")),
            (Some(challenge), Some(Self::METHOD)) => challenge.parse().map(Some),
            (Some(_), None | Some("plain")) => Err(RequestError::PlainChallenge),
            (Some(_), Some(_)) => Err(RequestError::UnknownChallengeMethod),
        }
    }

    fn of(verifier: &str) -> Self {
        Self(sha256(verifier.as_bytes()))
    }
}

impl FromStr for Challenge {
    type Err = RequestError;

    /// # Errors
    /// [`RequestError::MalformedChallenge`] unless it is the unpadded base64url of 32 bytes.
    fn from_str(text: &str) -> Result<Self, RequestError> {
        let mut bytes = [0; 32];
        match BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(RequestError::MalformedChallenge),
        }
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Base64Display::new(&self.0, &BASE64_URL_SAFE_NO_PAD).fmt(f)
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({self})")
    }
}

/// Whether `text` is 43 to 128 of RFC 3986's unreserved characters.
pub(super) fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_exactly_43_characters_of_canonical_base64url() {
        let good = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(good.parse::<Challenge>().unwrap().to_string(), good);
        let padded = format!("{good}=");
        let short = good.trim_start_matches('E');
        for bad in ["", short, &padded, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"] {
            assert_eq!(bad.parse::<Challenge>(), Err(RequestError::MalformedChallenge), "{bad}");
        }
        // The last character has two unused bits.
        let loose = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN";
        assert_eq!(loose.parse::<Challenge>(), Err(RequestError::MalformedChallenge));
    }

    #[test]
    fn plain_and_unknown_methods_are_told_apart() {
        let some = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(Challenge::read(None, None), Ok(None));
        assert_eq!(Challenge::read(some, None), Err(RequestError::PlainChallenge));
        assert_eq!(Challenge::read(some, Some("plain")), Err(RequestError::PlainChallenge));
        assert_eq!(Challenge::read(some, Some("s256")), Err(RequestError::UnknownChallengeMethod));
        assert_eq!(
            Challenge::read(None, Some("S256")),
            Err(RequestError::Missing("code_challenge"))
        );
        assert!(Challenge::read(some, Some("S256")).unwrap().is_some());
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for (text, good) in [
            ("a".repeat(43), true),
            ("a".repeat(128), true),
            ("a".repeat(42), false),
            ("a".repeat(129), false),
            ("a".repeat(42) + "+", false),
            ("a".repeat(42) + "\u{e9}", false),
        ] {
            assert_eq!(text.parse::<Verifier>().is_ok(), good, "{text}");
            assert_eq!(Challenge::of(&text).matches(&text), good, "{text}");
        }
    }
}
