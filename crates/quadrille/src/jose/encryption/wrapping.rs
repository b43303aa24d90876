//! Keys of tokens, wrapped by other keys (RFC 7518, sections 4.3 to 4.5).

use aws_lc_rs::{
    key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _},
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
        OaepPublicEncryptingKey,
    },
};
use zeroize::Zeroizing;

use super::content::new_key;
use crate::jose::{
    encryption_algorithm::{ContentEncryption, KeyManagement},
    public::Public,
};

/// A key for one token, as its sender has it.
pub(super) struct Wrapped {
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) encrypted: Vec<u8>,
    pub(super) ephemeral: Option<Public>,
}

const fn oaep(algorithm: KeyManagement) -> Option<&'static OaepAlgorithm> {
    match algorithm {
        KeyManagement::RsaOaep => Some(&OAEP_SHA1_MGF1SHA1),
        KeyManagement::RsaOaep256 => Some(&OAEP_SHA256_MGF1SHA256),
        _ => None,
    }
}

pub(super) fn wrap_by_rsa(
    public: &OaepPublicEncryptingKey,
    algorithm: KeyManagement,
    encryption: ContentEncryption,
) -> Option<Wrapped> {
    let key = new_key(encryption)?;
    let mut encrypted = vec![0; public.ciphertext_size()];
    public.encrypt(oaep(algorithm)?, &key, &mut encrypted, None).ok()?;
    Some(Wrapped { key, encrypted, ephemeral: None })
}

pub(super) fn open_by_rsa(
    private: &OaepPrivateDecryptingKey,
    algorithm: KeyManagement,
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![0; private.min_output_size()]);
    let length = private.decrypt(oaep(algorithm)?, encrypted, &mut key, None).ok()?.len();
    key.truncate(length);
    Some(key)
}

/// Whether a shared key has the length of an algorithm.
pub(super) fn fits(key: &[u8], algorithm: KeyManagement) -> bool {
    algorithm.wrapping_len().is_none_or(|length| length == key.len())
}

pub(super) fn is_usable(
    key: &[u8],
    algorithm: KeyManagement,
    encryption: ContentEncryption,
) -> bool {
    key.len() == algorithm.wrapping_len().unwrap_or(encryption.key_len())
}

/// A wrapping key of AES (RFC 3394).
fn wrapping(key: &[u8]) -> Option<AesKek> {
    match key.len() {
        16 => AesKek::new(&AES_128, key).ok(),
        _ => AesKek::new(&AES_256, key).ok(),
    }
}

/// A new key, wrapped by another one, or that one itself.
pub(super) fn wrap_by(
    by: &Zeroizing<Vec<u8>>,
    algorithm: KeyManagement,
    encryption: ContentEncryption,
) -> Option<Wrapped> {
    if algorithm.is_direct() {
        return Some(Wrapped { key: by.clone(), encrypted: Vec::new(), ephemeral: None });
    }
    let key = new_key(encryption)?;
    let mut encrypted = vec![0; key.len() + 8];
    wrapping(by)?.wrap(&key, &mut encrypted).ok()?;
    Some(Wrapped { key, encrypted, ephemeral: None })
}

pub(super) fn open_by(
    by: &Zeroizing<Vec<u8>>,
    algorithm: KeyManagement,
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if algorithm.is_direct() {
        return Some(by.clone());
    }
    // The library of algorithms needs room for all of it.
    let mut key = Zeroizing::new(vec![0; encrypted.len()]);
    let length = wrapping(by)?.unwrap(encrypted, &mut key).ok()?.len();
    key.truncate(length);
    Some(key)
}
