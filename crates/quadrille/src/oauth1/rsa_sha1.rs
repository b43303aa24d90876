//! Signing with RSA-SHA1, which the library of algorithms that serves everything else does not do.

use rsa_crate::{
    Pkcs1v15Sign, RsaPrivateKey, pkcs1::DecodeRsaPrivateKey as _, pkcs8::DecodePrivateKey as _,
};
use sha1::{Digest as _, Sha1};

pub(super) fn read(label: &str, der: &[u8]) -> Option<RsaPrivateKey> {
    match label {
        "PRIVATE KEY" => RsaPrivateKey::from_pkcs8_der(der).ok(),
        _ => RsaPrivateKey::from_pkcs1_der(der).ok(),
    }
}

/// Blinded, so that its time reveals less of the key (RUSTSEC-2023-0071).
pub(super) fn sign(key: &RsaPrivateKey, message: &[u8]) -> Option<Vec<u8>> {
    let padding = Pkcs1v15Sign::new::<Sha1>();
    key.sign_with_rng(&mut rsa_crate::rand_core::OsRng, padding, &Sha1::digest(message)).ok()
}
