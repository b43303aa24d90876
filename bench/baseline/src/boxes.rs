//! Sealed boxes as a library makes them: a key for each, so that no number of boxes wears out a key, and
//! associated data, which bind a box to its use.
use aws_lc_rs::{
    aead::{Aad, LessSafeKey, Nonce, UnboundKey, AES_256_GCM},
    cipher::{EncryptingKey, UnboundCipherKey, AES_256},
    rand,
};
use base64::{engine::general_purpose::URL_SAFE_NO_PAD as B64, Engine};
use zeroize::Zeroizing;

const SALT: usize = 16;

/// Two keys of AES-256, which derive the keys of boxes.
pub struct Boxes([EncryptingKey; 2]);

impl Boxes {
    pub fn new() -> Self {
        Self([1, 2].map(|_| {
            let half = random::<32>();
            EncryptingKey::ecb(UnboundCipherKey::new(&AES_256, &half).unwrap()).unwrap()
        }))
    }

    fn key(&self, salt: &[u8; SALT]) -> Option<LessSafeKey> {
        let mut key = Zeroizing::new([0; 32]);
        for (half, aes) in key.chunks_exact_mut(SALT).zip(&self.0) {
            half.copy_from_slice(salt);
            aes.encrypt(half).ok()?;
        }
        UnboundKey::new(&AES_256_GCM, &key[..]).ok().map(LessSafeKey::new)
    }

    pub fn seal(&self, bound_to: &str, mut plain: Vec<u8>) -> String {
        let salt = random();
        let (key, nonce) = (self.key(&salt).unwrap(), Nonce::assume_unique_for_key([0; 12]));
        key.seal_in_place_append_tag(nonce, Aad::from(bound_to), &mut plain).unwrap();
        B64.encode([&[1][..], b"key1", &salt, &plain].concat())
    }

    pub fn open<T>(
        &self,
        bound_to: &str,
        sealed: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let mut sealed = Zeroizing::new(B64.decode(sealed).ok()?);
        let (head, sealed) = sealed.split_at_mut_checked(5 + SALT)?;
        if head.first() != Some(&1) || head.get(1..5)? != b"key1" {
            return None;
        }
        let key = self.key(head.get(5..)?.try_into().ok()?)?;
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let plain = key.open_in_place(nonce, Aad::from(bound_to), sealed).ok()?;
        read(std::str::from_utf8(plain).ok()?)
    }
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut random = [0; N];
    rand::fill(&mut random).unwrap();
    random
}

/// Seconds since 1970.
pub fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}
