//! Signature algorithms (RFC 7518, section 3; RFC 8037, section 3.1; RFC 9864).

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A signature algorithm, the value of `alg`. The unsecured `none` is not among them.
///
/// ```
/// use quadrille::jose::Algorithm;
///
/// assert_eq!(Algorithm::parse("ES256"), Some(Algorithm::Es256));
/// assert_eq!(Algorithm::parse("none"), None);
/// assert!(Algorithm::Hs256.is_symmetric());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// ECDSA with P-521 and SHA-512.
    Es512,
    /// EdDSA, here with Ed25519 (RFC 8037). Ed448 is not supported.
    EdDsa,
    /// EdDSA with Ed25519, under its later name (RFC 9864).
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 14] = [
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Ed25519,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The algorithm with this name. Names are case-sensitive (RFC 7515, section 4.1.1).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// Whether the key that verifies can sign, too: HMAC.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    const fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

/// As the value of `alg`.
impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("an unknown algorithm"))
    }
}

/// The reason why algorithms cannot be accepted together.
///
/// ```
/// use quadrille::jose::{Algorithm, Algorithms, AlgorithmsError};
///
/// let mixed = Algorithms::new([Algorithm::Rs256, Algorithm::Hs256]);
/// assert_eq!(mixed, Err(AlgorithmsError::Mixed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlgorithmsError {
    /// There is no algorithm.
    #[error("no algorithm is accepted")]
    Empty,
    /// Symmetric and asymmetric algorithms are mixed (RFC 8725, section 2.1).
    #[error("HMAC and algorithms with public keys are never accepted together")]
    Mixed,
}

/// The algorithms that a verifier accepts (RFC 8725, section 3.1): either some with public keys or
/// some with a shared one, never both.
///
/// ```
/// use quadrille::jose::{Algorithm, Algorithms};
///
/// let accepted = Algorithms::new([Algorithm::Es256, Algorithm::Ps256])?;
/// assert!(accepted.contains(Algorithm::Es256));
/// assert!(!Algorithms::PUBLIC_KEY.contains(Algorithm::Hs256));
/// assert_eq!(accepted.names().collect::<Vec<_>>(), ["ES256", "PS256"]);
/// # Ok::<(), quadrille::jose::AlgorithmsError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Algorithms(u16);

impl Algorithms {
    /// All algorithms with public keys.
    pub const PUBLIC_KEY: Self = Self(Self::SYMMETRIC.0 ^ ((1 << Algorithm::ALL.len()) - 1));

    /// The three HMACs.
    pub const SYMMETRIC: Self =
        Self(Algorithm::Hs256.bit() | Algorithm::Hs384.bit() | Algorithm::Hs512.bit());

    /// These algorithms.
    ///
    /// # Errors
    /// [`AlgorithmsError`].
    pub fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Result<Self, AlgorithmsError> {
        let set = algorithms.into_iter().fold(0, |set, algorithm| set | algorithm.bit());
        match (set & Self::PUBLIC_KEY.0, set & Self::SYMMETRIC.0) {
            (0, 0) => Err(AlgorithmsError::Empty),
            (_, 0) | (0, _) => Ok(Self(set)),
            _ => Err(AlgorithmsError::Mixed),
        }
    }

    /// One algorithm.
    pub const fn only(algorithm: Algorithm) -> Self {
        Self(algorithm.bit())
    }

    /// Whether the algorithm is accepted.
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// The algorithms.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }

    /// Their names, for the metadata of a server.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.iter().map(Algorithm::as_str)
    }
}

impl fmt::Debug for Algorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_in_one_of_the_two_sets_and_has_a_name() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
            assert_eq!(Algorithm::parse(&algorithm.as_str().to_lowercase()), None);
            let symmetric = algorithm.is_symmetric();
            assert_eq!(Algorithms::SYMMETRIC.contains(algorithm), symmetric);
            assert_eq!(Algorithms::PUBLIC_KEY.contains(algorithm), !symmetric);
            assert_eq!(Algorithms::new([algorithm]), Ok(Algorithms::only(algorithm)));
        }
        assert_eq!(Algorithms::new([]), Err(AlgorithmsError::Empty));
        assert_eq!(Algorithms::new(Algorithm::ALL), Err(AlgorithmsError::Mixed));
        assert_eq!(Algorithms::new(Algorithms::PUBLIC_KEY.iter()), Ok(Algorithms::PUBLIC_KEY));
    }
}
