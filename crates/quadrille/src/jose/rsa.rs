//! RSA keys as JWKs have them (RFC 7518, section 6.3).

use aws_lc_rs::{
    rsa,
    signature::{self, RsaEncoding, RsaParameters},
};

use super::{
    Algorithm, KeyError,
    jwk::{Jwk, Writer},
};
use crate::der;

/// The algorithms of an RSA key.
pub(super) const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

/// The parameters with which a signature is verified.
pub(super) const fn verification(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

/// The encoding with which a signature is made.
pub(super) fn signing(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_SHA512),
        _ => None,
    }
}

/// Checks modulus and exponent, big-endian without leading zeros.
pub(super) fn check(modulus: &[u8], exponent: &[u8]) -> Result<(), KeyError> {
    let bits = der::bits(modulus);
    if !(2048..=8192).contains(&bits) {
        return Err(KeyError::Length { bits });
    }
    // As large as the library of algorithms takes it. One makes every message its own signature.
    let exponent_fits = exponent != [1] && der::bits(exponent) <= 33;
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if !exponent_fits || !odd(modulus) || !odd(exponent) {
        return Err(KeyError::Invalid);
    }
    Ok(())
}

/// The private numbers of an RSA key, in the order of RFC 8017, with their names in a JWK.
pub(super) const PRIVATE: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// Reads the private numbers of a JWK, which must fit the public ones.
pub(super) fn read_private(n: &[u8], e: &[u8], jwk: &Jwk) -> Result<rsa::KeyPair, KeyError> {
    check(n, e)?;
    // Keys of more than two primes have `oth` (RFC 7518, section 6.3.2.7).
    if jwk.has("oth") {
        return Err(KeyError::Invalid);
    }
    let [d, p, q, dp, dq, qi] = PRIVATE.map(|name| jwk.number(name));
    let (d, p, q, dp, dq, qi) = (d?, p?, q?, dp?, dq?, qi?);
    rsa::KeyPair::from_components(&rsa::KeyPairComponents {
        public_key: rsa::PublicKeyComponents { n, e },
        d: &**d,
        p: &**p,
        q: &**q,
        dP: &**dp,
        dQ: &**dq,
        qInv: &**qi,
    })
    .map_err(|_| KeyError::Invalid)
}

/// Writes the private numbers of a key in the form of PKCS#8.
pub(super) fn write_private(pkcs8: &[u8], jwk: &mut Writer) -> Option<()> {
    // Version, modulus and public exponent are the first three.
    let numbers = der::integers(der::key_of_pkcs8(pkcs8)?)?;
    for (name, number) in PRIVATE.into_iter().zip(numbers.get(3..9)?) {
        jwk.bytes(name, number);
    }
    Some(())
}
