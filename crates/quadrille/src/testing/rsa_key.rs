//! RSA keys that fake services sign by.

use std::sync::LazyLock;

use crate::jose::{Algorithm, SigningKey};

/// The keys as PEM. They are in every copy of the crate, and secure nothing: a test would take a second
/// to generate one.
const PEM: [&str; 2] = [include_str!("tape/rsa.pem"), include_str!("rsa-other.pem")];

/// The keys for RS256, which nearly all services sign by, read once in a process.
static RS256: LazyLock<[Option<SigningKey>; 2]> =
    LazyLock::new(|| PEM.map(|pem| SigningKey::from_pem(Algorithm::Rs256, pem).ok()));

/// The first or the other key with this identifier; `None` if the algorithm is none of RSA.
pub(super) fn rsa_key(kid: &str, algorithm: Algorithm, is_other: bool) -> Option<SigningKey> {
    let [first, other] = &*RS256;
    let key = match algorithm {
        Algorithm::Rs256 => if is_other { other } else { first }.clone(),
        _ => SigningKey::from_pem(algorithm, if is_other { PEM[1] } else { PEM[0] }).ok(),
    };
    key.map(|key| key.with_kid(kid))
}
