//! Signing keys that a test has at once.

use crate::{
    Env,
    jose::{Algorithm, SigningKey},
};

/// A private key of P-256 (PKCS#8, and RFC 5915, section 3) up to its number of 32 bytes. The public
/// key is computed from that.
const P256: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01,
    0x01, 0x04, 0x20,
];

/// The tries for a number that is less than the order of P-256, which one in four thousand million is
/// not.
const TRIES: usize = 4;

/// A new key with this identifier.
///
/// The number of an ES256 key is drawn here: the library of algorithms, which
/// [`SigningKey::generate`] asks, measures the jitter of the processor when it first draws in a
/// process, for tens of milliseconds, which a test spends when its first token is signed, or never.
pub(super) fn key(kid: &str, algorithm: Algorithm) -> Option<SigningKey> {
    let key = match algorithm {
        Algorithm::Es256 => (0..TRIES).find_map(|_| es256(&Env::system().random())),
        other => SigningKey::generate(other).ok(),
    };
    key.map(|key| key.with_kid(kid))
}

fn es256(number: &[u8; 32]) -> Option<SigningKey> {
    let der = [&P256[..], number].concat();
    SigningKey::from_pkcs8(Algorithm::Es256, &der).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Algorithms, KeySet, Protected, TokenType, Unverified, Verification};

    #[test]
    fn each_key_is_another_one_and_signs() {
        let (one, other) =
            (key("1", Algorithm::Es256).unwrap(), key("1", Algorithm::Es256).unwrap());
        let token = one.sign(&Protected::plain(), b"{}").unwrap();
        let rules = Verification::new(Algorithms::only(Algorithm::Es256), TokenType::Plain);
        let verifies = |key: &SigningKey| {
            let keys = KeySet::from_iter([key.verifying_key().clone()]);
            Unverified::parse(&token).unwrap().verify(&rules, &keys).is_ok()
        };
        assert!(verifies(&one) && !verifies(&other));
    }

    #[test]
    fn a_number_that_is_no_key_is_drawn_again() {
        assert!(es256(&[0; 32]).is_none() && es256(&[0xff; 32]).is_none());
    }
}
