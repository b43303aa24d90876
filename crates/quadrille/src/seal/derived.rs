//! Keys derived from a ring, for uses other than sealed boxes.
//!
//! Deriving a key never fails. Only a look-up by id can: [`Keys::find`].

use std::fmt;

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, UnboundCipherKey},
    hmac,
};
use zeroize::Zeroizing;

use crate::digest::{first_half, tag};

use super::{KeyId, KeyRing, RingKey, associated};

/// Keys, the newest first; at least one.
#[derive(Debug)]
pub(crate) struct Keys<K> {
    newest: K,
    older: Vec<K>,
}

/// A key with the id of its key in the ring.
pub(crate) trait Named {
    fn id(&self) -> KeyId;
}

impl<K> Keys<K> {
    /// `None` without a key.
    pub(super) fn of(keys: impl IntoIterator<Item = K>) -> Option<Self> {
        let mut keys = keys.into_iter();
        Some(Self { newest: keys.next()?, older: keys.collect() })
    }

    pub(super) const fn one(newest: K) -> Self {
        Self { newest, older: Vec::new() }
    }

    /// The key for everything new.
    pub(crate) const fn newest(&self) -> &K {
        &self.newest
    }

    pub(super) fn len(&self) -> usize {
        1 + self.older.len()
    }
}

impl<K: Named> Keys<K> {
    /// The key with this id, if it is in the ring.
    pub(crate) fn find(&self, id: KeyId) -> Option<&K> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.id() == id)
    }
}

impl Named for RingKey {
    fn id(&self) -> KeyId {
        self.id
    }
}

impl KeyRing {
    /// A key for message authentication codes, derived from the newest key of the ring for one
    /// purpose at one site. Make it once and keep it. It changes with the newest key.
    ///
    /// ```
    /// use quadrille::KeyRing;
    ///
    /// let key = KeyRing::ephemeral().mac_key("failures", "https://app.example");
    /// let code = key.mac(&[b"attempt 7"]);
    /// assert_eq!(code, key.mac(&[b"attempt", b" 7"]));
    /// assert_ne!(code, key.mac(&[b"attempt 8"]));
    /// ```
    pub fn mac_key(&self, purpose: &str, site: &str) -> MacKey {
        self.keys.newest().mac_key(purpose, site)
    }

    /// A derived key for each key of the ring. Make them once and keep them.
    #[cfg(any(feature = "consumer", feature = "provider"))]
    pub(crate) fn derive<K>(&self, derive: impl Fn(&RingKey) -> K) -> Keys<K> {
        let newest = derive(&self.keys.newest);
        Keys { newest, older: self.keys.older.iter().map(derive).collect() }
    }
}

impl RingKey {
    /// A key for one purpose at one site, for masks and for secrets derived from random bytes.
    #[cfg(any(feature = "consumer", feature = "provider"))]
    pub(crate) fn mask_key(&self, purpose: &str, site: &str) -> MaskKey {
        MaskKey { id: self.id, block: BlockKey::new(&self.derived(purpose, site)) }
    }

    /// A key for one purpose at one site, for authentication codes and derived secrets.
    pub(crate) fn mac_key(&self, purpose: &str, site: &str) -> MacKey {
        let key = self.derived(purpose, site);
        MacKey(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
    }

    fn derived(&self, purpose: &str, site: &str) -> hmac::Tag {
        hmac::sign(&self.mac, &associated(purpose, site))
    }
}

/// A key for message authentication codes: [`KeyRing::mac_key`].
///
/// ```
/// use quadrille::KeyRing;
///
/// let key = KeyRing::ephemeral().mac_key("download link", "https://app.example");
/// assert_eq!(key.mac(&[b"photo-", b"7"]), key.mac(&[b"photo-7"]));
/// ```
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

impl MacKey {
    /// HMAC-SHA-256 of the concatenated `parts`. Parts have a fixed length or contain it.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        tag(&context.sign())
    }
}

/// A key for masks: [`RingKey::mask_key`].
#[cfg(any(feature = "consumer", feature = "provider"))]
pub(crate) struct MaskKey {
    id: KeyId,
    block: BlockKey,
}

#[cfg(any(feature = "consumer", feature = "provider"))]
impl MaskKey {
    /// A pseudorandom mask for `nonce`, to be combined by XOR, or a secret. It hides one value per
    /// nonce, and authenticates nothing.
    ///
    /// It is one block of AES-256, which costs a fraction of an HMAC.
    pub(crate) fn mask(&self, nonce: &[u8; 16]) -> [u8; 16] {
        *self.block.encrypt(nonce)
    }

    /// A secret of 32 bytes derived from `random`, unpredictable without the ring. Each half is the
    /// encryption of a half of `random`, so it is as random as that.
    #[cfg(feature = "provider")]
    pub(crate) fn secret(&self, random: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        self.block.encrypt(random)
    }
}

#[cfg(any(feature = "consumer", feature = "provider"))]
impl Named for MaskKey {
    fn id(&self) -> KeyId {
        self.id
    }
}

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

#[cfg(all(test, feature = "provider"))]
mod tests {
    use super::*;

    fn ring(keys: &[&[u8; 32]]) -> KeyRing {
        KeyRing::new(keys.iter().copied()).unwrap()
    }

    #[test]
    fn macs_differ_by_purpose_site_and_ring_key() {
        let mac = |ring: &KeyRing, purpose, site, part: &[u8]| {
            ring.derive(|key| key.mac_key(purpose, site)).newest().mac(&[part])
        };
        let (new, old) = (ring(&[&[2; 32], &[1; 32]]), ring(&[&[1; 32]]));
        let all = [
            mac(&new, "p", "s", b"x"),
            mac(&new, "q", "s", b"x"),
            mac(&new, "p", "t", b"x"),
            mac(&new, "p", "s", b"y"),
            mac(&old, "p", "s", b"x"),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one) && *one != [0; 32], "{index}");
        }
        assert_eq!(mac(&new, "p", "s", b"x"), all[0]);
    }

    #[test]
    fn masks_differ_by_purpose_site_ring_key_and_nonce() {
        let masks = |ring: &KeyRing, purpose, site| ring.derive(|key| key.mask_key(purpose, site));
        let (new, old) = (ring(&[&[2; 32], &[1; 32]]), ring(&[&[1; 32]]));
        let keys = masks(&new, "p", "s");
        let mask = keys.newest().mask(&[7; 16]);
        assert_ne!(mask, keys.newest().mask(&[8; 16]));
        assert_ne!(mask, masks(&new, "q", "s").newest().mask(&[7; 16]));
        assert_ne!(mask, masks(&new, "p", "t").newest().mask(&[7; 16]));
        let old = masks(&old, "p", "s").newest().id();
        assert_ne!(mask, keys.find(old).unwrap().mask(&[7; 16]));
        assert!(keys.find([0; 4]).is_none(), "a key that is gone derives nothing");
        let secret = keys.newest().secret(&[7; 32]);
        assert_ne!(secret, keys.find(old).unwrap().secret(&[7; 32]));
        assert_ne!(secret, keys.newest().secret(&[8; 32]));
    }

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
