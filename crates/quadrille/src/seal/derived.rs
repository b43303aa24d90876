//! The keys of a ring, and the keys derived from one: for sealed boxes, codes and masks.
//!
//! Deriving a key never fails. Only a look-up by id can: [`Keys::find`](super::Keys::find).

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    hmac,
};
#[cfg(feature = "provider")]
use zeroize::Zeroizing;

use crate::digest::{joined, sha256, tag};

use super::{
    block::BlockKey,
    keys::{KeyId, Named},
};

pub(super) const SALT_LEN: usize = 16;

/// A key of a ring.
pub(crate) struct RingKey {
    pub(crate) id: KeyId,
    seal: [BlockKey; 2],
    mac: hmac::Key,
}

impl RingKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let [a, b, c, d, ..] = sha256(hmac::sign(&root, b"quadrille key id").as_ref());
        let sub = |label: &[u8]| hmac::sign(&root, label);
        let half = |label: &[u8]| BlockKey::new(&sub(label));
        Self {
            id: [a, b, c, d],
            seal: [half(b"quadrille seal 1"), half(b"quadrille seal 2")],
            mac: hmac::Key::new(hmac::HMAC_SHA256, sub(b"quadrille mac").as_ref()),
        }
    }

    /// The key for the box with this salt.
    pub(super) fn box_key(&self, salt: &[u8; SALT_LEN]) -> Option<LessSafeKey> {
        let [first, second] = &self.seal;
        let key = joined(&first.encrypt(salt), &second.encrypt(salt));
        UnboundKey::new(&AES_256_GCM, &key[..]).ok().map(LessSafeKey::new)
    }

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
        hmac::sign(&self.mac, associated(purpose, site).as_bytes())
    }
}

impl Named for RingKey {
    fn id(&self) -> KeyId {
        self.id
    }
}

/// Purpose and site, separated by NUL, which purposes do not contain.
pub(super) fn associated(purpose: &str, site: &str) -> String {
    [purpose, "\0", site].concat()
}

/// A key for message authentication codes: [`KeyRing::mac_key`](crate::KeyRing::mac_key).
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
