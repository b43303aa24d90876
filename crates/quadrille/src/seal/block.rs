//! AES-256 of single blocks, for keys and secrets derived from random values.

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, UnboundCipherKey},
    hmac,
};
use zeroize::Zeroizing;

use crate::digest::{first_half, tag};

/// AES-256 of single blocks, for inputs that never repeat.
pub(super) struct BlockKey {
    aes: Option<EncryptingKey>,
    mac: hmac::Key,
}

impl BlockKey {
    pub(super) fn new(key: &hmac::Tag) -> Self {
        let aes = UnboundCipherKey::new(&AES_256, key.as_ref()).and_then(EncryptingKey::ecb).ok();
        Self { aes, mac: hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()) }
    }

    /// Encrypts `blocks`: a whole number of blocks of 16 bytes.
    pub(super) fn encrypt<const N: usize>(&self, blocks: &[u8; N]) -> Zeroizing<[u8; N]> {
        const { assert!(N.is_multiple_of(16), "whole blocks") };
        let mut out = Zeroizing::new(*blocks);
        match &self.aes {
            Some(aes) if aes.encrypt(&mut out[..]).is_ok() => out,
            _ => self.without_aes(blocks),
        }
    }

    /// Unreachable: the algorithm accepts any key of 32 bytes and any whole block, but its type
    /// allows failure. An HMAC is as secret.
    fn without_aes<const N: usize>(&self, blocks: &[u8; N]) -> Zeroizing<[u8; N]> {
        let mut out = Zeroizing::new([0; N]);
        for (half, nonce) in out.chunks_exact_mut(16).zip(blocks.chunks_exact(16)) {
            half.copy_from_slice(first_half(&tag(&hmac::sign(&self.mac, nonce))));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failure_of_the_algorithm_makes_a_secret_that_others_know() {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"k"), b"x");
        let broken = BlockKey { aes: None, ..BlockKey::new(&tag) };
        let secret = broken.encrypt(&[7; 32]);
        assert_ne!(*secret, [0; 32]);
        assert_ne!(*secret, [7; 32]);
        assert_eq!(secret, broken.encrypt(&[7; 32]));
        assert_ne!(secret, broken.encrypt(&[8; 32]));
    }
}
