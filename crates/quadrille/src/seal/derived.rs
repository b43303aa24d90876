//! Keys that are derived from a ring, for uses other than sealed boxes.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, UnboundCipherKey},
    hmac,
};

use super::{KeyId, KeyRing, associated};

impl KeyRing {
    /// Keys derived from the ring for one purpose at one site, for codes of authenticity and
    /// derived secrets. Make it once and keep it.
    ///
    /// ```
    /// use quadrille::KeyRing;
    ///
    /// let keys = KeyRing::ephemeral().derive("verifier", "https://app.example");
    /// let code = keys.mac(keys.newest(), &[b"attempt 7"]);
    /// assert_eq!(code, keys.mac(keys.newest(), &[b"attempt", b" 7"]));
    /// assert_ne!(code, keys.mac(keys.newest(), &[b"attempt 8"]));
    /// ```
    pub fn derive(&self, purpose: &str, site: &str) -> DerivedKeys {
        DerivedKeys(
            self.derived(purpose, site)
                .map(|(id, key)| (id, hmac::Key::new(hmac::HMAC_SHA256, key.as_ref())))
                .collect(),
        )
    }

    /// Keys derived from the ring for one purpose at one site, for masks and for secrets that are
    /// derived from something random. Make it once and keep it.
    ///
    /// ```
    /// use quadrille::KeyRing;
    ///
    /// let keys = KeyRing::ephemeral().derive_masks("row numbers", "https://id.example");
    /// let mask = keys.mask(keys.newest(), &[7; 16]);
    /// assert_eq!(mask, keys.mask(keys.newest(), &[7; 16]));
    /// assert_ne!(mask, keys.mask(keys.newest(), &[8; 16]));
    /// ```
    pub fn derive_masks(&self, purpose: &str, site: &str) -> MaskKeys {
        MaskKeys(
            self.derived(purpose, site)
                .filter_map(|(id, key)| Some((id, block_key(key.as_ref())?)))
                .collect(),
        )
    }

    fn derived(&self, purpose: &str, site: &str) -> impl Iterator<Item = (KeyId, hmac::Tag)> {
        let label = associated(purpose, site);
        self.keys.iter().map(move |key| (key.id, hmac::sign(&key.mac, &label)))
    }
}

/// What [`KeyRing::derive`] made: a key for each key of the ring, under the same ids.
#[derive(Clone)]
pub struct DerivedKeys(Arc<[(KeyId, hmac::Key)]>);

impl DerivedKeys {
    /// The id of the newest key.
    pub fn newest(&self) -> KeyId {
        newest(&self.0)
    }

    /// HMAC-SHA-256 of `parts`, one after the other, under the key with this id. Parts must have
    /// fixed lengths, or say them. `None` when the ring has no such key.
    pub fn mac(&self, key: KeyId, parts: &[&[u8]]) -> Option<[u8; 32]> {
        let mut context = hmac::Context::with_key(find(&self.0, key)?);
        for part in parts {
            context.update(part);
        }
        <[u8; 32]>::try_from(context.sign().as_ref()).ok()
    }
}

impl fmt::Debug for DerivedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerivedKeys({} keys)", self.0.len())
    }
}

/// What [`KeyRing::derive_masks`] made: a key for each key of the ring, under the same ids.
#[derive(Clone)]
pub struct MaskKeys(Arc<[(KeyId, EncryptingKey)]>);

impl MaskKeys {
    /// The id of the newest key.
    pub fn newest(&self) -> KeyId {
        newest(&self.0)
    }

    /// What nobody without the ring can tell who knows `nonce`: a mask, by XOR, for what stands
    /// beside it, or a secret. It hides one thing for each nonce, and authenticates nothing. `None`
    /// when the ring has no such key.
    ///
    /// It is one block of AES-256, which costs a fraction of an HMAC.
    pub fn mask(&self, key: KeyId, nonce: &[u8; 16]) -> Option<[u8; 16]> {
        let mut block = *nonce;
        find(&self.0, key)?.encrypt(&mut block).ok()?;
        Some(block)
    }

    /// A secret of 32 bytes that belongs to `random`: always the same, and nobody without the ring
    /// can tell it. Each half of it is a half of `random` under the key, so it is as random as that.
    /// `None` when the ring has no such key.
    ///
    /// ```
    /// use quadrille::{Env, KeyRing};
    ///
    /// let keys = KeyRing::ephemeral().derive_masks("successors", "https://id.example");
    /// let first = Env::system().random();
    /// let second = keys.secret(keys.newest(), &first);
    /// assert_eq!(second, keys.secret(keys.newest(), &first));
    /// ```
    pub fn secret(&self, key: KeyId, random: &[u8; 32]) -> Option<[u8; 32]> {
        let mut secret = *random;
        find(&self.0, key)?.encrypt(&mut secret).ok()?;
        Some(secret)
    }
}

impl fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskKeys({} keys)", self.0.len())
    }
}

/// AES-256 of single blocks, for what is never the same twice.
pub(super) fn block_key(key: &[u8]) -> Option<EncryptingKey> {
    EncryptingKey::ecb(UnboundCipherKey::new(&AES_256, key).ok()?).ok()
}

fn newest<K>(keys: &[(KeyId, K)]) -> KeyId {
    keys.first().map(|(id, _)| *id).unwrap_or_default()
}

fn find<K>(keys: &[(KeyId, K)], id: KeyId) -> Option<&K> {
    keys.iter().find(|(known, _)| *known == id).map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_keys_differ_by_purpose_site_and_ring_key() {
        let ring = KeyRing::new([&[2; 32], &[1; 32]]).unwrap();
        let keys = ring.derive("p", "s");
        let mac = keys.mac(keys.newest(), &[b"x"]).unwrap();
        assert_ne!(mac, ring.derive("q", "s").mac(keys.newest(), &[b"x"]).unwrap());
        assert_ne!(mac, ring.derive("p", "t").mac(keys.newest(), &[b"x"]).unwrap());
        let old = KeyRing::new([&[1; 32]]).unwrap().derive("p", "s").newest();
        assert_ne!(mac, keys.mac(old, &[b"x"]).unwrap());
        assert_eq!(keys.mac([0; 4], &[b"x"]), None);
    }

    #[test]
    fn masks_differ_by_purpose_site_ring_key_and_nonce() {
        let ring = KeyRing::new([&[2; 32], &[1; 32]]).unwrap();
        let keys = ring.derive_masks("p", "s");
        let mask = keys.mask(keys.newest(), &[7; 16]).unwrap();
        assert_ne!(mask, keys.mask(keys.newest(), &[8; 16]).unwrap());
        assert_ne!(mask, ring.derive_masks("q", "s").mask(keys.newest(), &[7; 16]).unwrap());
        assert_ne!(mask, ring.derive_masks("p", "t").mask(keys.newest(), &[7; 16]).unwrap());
        let old = KeyRing::new([&[1; 32]]).unwrap().derive_masks("p", "s").newest();
        assert_ne!(mask, keys.mask(old, &[7; 16]).unwrap());
        assert_eq!(keys.mask([0; 4], &[7; 16]), None);
        let secret = keys.secret(keys.newest(), &[7; 32]).unwrap();
        assert_ne!(secret, keys.secret(old, &[7; 32]).unwrap());
        assert_ne!(secret, keys.secret(keys.newest(), &[8; 32]).unwrap());
        assert_eq!(keys.secret([0; 4], &[7; 32]), None);
    }
}
