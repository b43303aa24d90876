//! The hashes by which an ID token is bound to what is issued with it (OpenID Connect Core,
//! sections 3.1.3.6, 3.2.2.9 and 3.3.2.11; FAPI 1.0 Advanced, section 5.1).

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::jose::Algorithm;

/// The value of `at_hash`, `c_hash` or `s_hash`: base64url of the left half of the hash of an
/// access token, a code or a `state`, by the hash function of the algorithm that signs the ID
/// token. That is SHA-512 for Ed25519, as the signature itself has it.
///
/// ```
/// use quadrille::{jose::Algorithm, oidc::token_hash};
///
/// // OpenID Connect Core, appendix A.3.
/// let hash = token_hash(Algorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
/// assert_eq!(hash, "77QmUPtjPfzWtF2AnpK9RQ");
/// ```
pub fn token_hash(algorithm: Algorithm, value: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(left_half(&hash(algorithm, value)))
}

/// Whether a hash of an ID token is that of the value.
///
/// ```
/// use quadrille::{jose::Algorithm, oidc::token_hash_matches};
///
/// let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
/// assert!(token_hash_matches(Algorithm::Rs256, code, "LDktKdoQak3Pk0cnXxCltA"));
/// assert!(!token_hash_matches(Algorithm::Rs384, code, "LDktKdoQak3Pk0cnXxCltA"));
/// ```
pub fn token_hash_matches(algorithm: Algorithm, value: &str, hash: &str) -> bool {
    let mut text = [0; LONGEST];
    let own = self::hash(algorithm, value);
    let length = BASE64_URL_SAFE_NO_PAD.encode_slice(left_half(&own), &mut text);
    let expected = length.ok().and_then(|length| text.get(..length));
    expected.is_some_and(|text| verify_slices_are_equal(text, hash.as_bytes()).is_ok())
}

/// The length of the longest hash as text: half of SHA-512.
const LONGEST: usize = 43;

fn hash(algorithm: Algorithm, value: &str) -> digest::Digest {
    digest::digest(function(algorithm), value.as_bytes())
}

fn left_half(hash: &digest::Digest) -> &[u8] {
    hash.as_ref().split_at(hash.as_ref().len() / 2).0
}

fn function(algorithm: Algorithm) -> &'static digest::Algorithm {
    use Algorithm as A;
    match algorithm {
        A::Es256 | A::Rs256 | A::Ps256 | A::Hs256 => &digest::SHA256,
        A::Es384 | A::Rs384 | A::Ps384 | A::Hs384 => &digest::SHA384,
        A::Es512 | A::Rs512 | A::Ps512 | A::Hs512 | A::EdDsa | A::Ed25519 => &digest::SHA512,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_has_half_the_length_of_the_algorithms() {
        for algorithm in Algorithm::ALL {
            let bits = match algorithm {
                Algorithm::EdDsa | Algorithm::Ed25519 => 512,
                named => named.as_str().get(2..).unwrap().parse().unwrap(),
            };
            let hash = BASE64_URL_SAFE_NO_PAD.decode(token_hash(algorithm, "a")).unwrap();
            assert_eq!(hash.len() * 2 * 8, bits, "{algorithm:?}");
        }
    }

    #[test]
    fn a_hash_matches_its_own_value_alone_and_in_one_spelling() {
        let hash = token_hash(Algorithm::Es256, "token");
        assert!(token_hash_matches(Algorithm::Es256, "token", &hash));
        for other in
            ["", &format!("{hash}="), &hash.to_lowercase(), &token_hash(Algorithm::Es512, "token")]
        {
            assert!(!token_hash_matches(Algorithm::Es256, "token", other), "{other}");
        }
        assert!(!token_hash_matches(Algorithm::Es256, "tokem", &hash));
    }
}
