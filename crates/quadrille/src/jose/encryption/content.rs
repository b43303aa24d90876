//! The encryption of a payload with its key (RFC 7518, sections 5.2 and 5.3).

use aws_lc_rs::{
    aead::{Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    cipher::{
        self, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
        PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    constant_time::verify_slices_are_equal,
    hmac,
    iv::{FixedLength, IV_LEN_128_BIT},
    rand,
};
use zeroize::Zeroizing;

use crate::jose::encryption_algorithm::{ContentEncryption, Suite};

/// The length of a GCM tag, in bytes.
const GCM_TAG: usize = 16;

/// The parts of an encrypted payload.
pub(super) struct Sealed {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// A new key for one token.
pub(super) fn new_key(encryption: ContentEncryption) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![0; encryption.key_len()]);
    rand::fill(&mut key).ok()?;
    Some(key)
}

/// Encrypts a payload, bound to the header. The key is of the right length.
pub(super) fn seal(
    encryption: ContentEncryption,
    key: &[u8],
    header: &[u8],
    payload: &[u8],
) -> Option<Sealed> {
    let mut ciphertext = payload.to_vec();
    match encryption.suite() {
        Suite::Gcm(algorithm) => {
            let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
            let mut iv = [0; NONCE_LEN];
            rand::fill(&mut iv).ok()?;
            let nonce = Nonce::assume_unique_for_key(iv);
            let tag =
                key.seal_in_place_separate_tag(nonce, Aad::from(header), &mut ciphertext).ok()?;
            Some(Sealed { iv: iv.to_vec(), ciphertext, tag: tag.as_ref().to_vec() })
        }
        Suite::Cbc(algorithm, mac) => {
            let (mac_key, key) = key.split_at_checked(key.len() / 2)?;
            let mut iv = [0; IV_LEN_128_BIT];
            rand::fill(&mut iv).ok()?;
            let context = EncryptionContext::Iv128(FixedLength::from(iv));
            let key = cipher_key(algorithm, key)?;
            let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
            key.less_safe_encrypt(&mut ciphertext, context).ok()?;
            let tag = cbc_tag(mac, mac_key, header, &iv, &ciphertext)?;
            Some(Sealed { iv: iv.to_vec(), ciphertext, tag })
        }
    }
}

/// Decrypts a payload. `None` if anything was changed; no error tells what.
pub(super) fn open(
    encryption: ContentEncryption,
    key: &[u8],
    header: &[u8],
    sealed: &Sealed,
) -> Option<Zeroizing<Vec<u8>>> {
    let Sealed { iv, ciphertext, tag } = sealed;
    let mut text = Zeroizing::new(ciphertext.clone());
    let length = match encryption.suite() {
        Suite::Gcm(algorithm) => {
            let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
            let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
            // A shorter tag is easier to forge.
            if tag.len() != GCM_TAG {
                return None;
            }
            key.open_in_place_separate_tag(nonce, Aad::from(header), tag, &mut text).ok()?;
            text.len()
        }
        Suite::Cbc(algorithm, mac) => {
            let (mac_key, key) = key.split_at_checked(key.len() / 2)?;
            let iv: [u8; IV_LEN_128_BIT] = iv.as_slice().try_into().ok()?;
            // Before anything is decrypted, so that no padding tells anything.
            let expected = cbc_tag(mac, mac_key, header, &iv, &text)?;
            verify_slices_are_equal(&expected, tag).ok()?;
            let context = DecryptionContext::Iv128(FixedLength::from(iv));
            let key = cipher_key(algorithm, key)?;
            let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
            key.decrypt(&mut text, context).ok()?.len()
        }
    };
    text.truncate(length);
    Some(text)
}

fn cipher_key(algorithm: &'static cipher::Algorithm, key: &[u8]) -> Option<UnboundCipherKey> {
    UnboundCipherKey::new(algorithm, key).ok()
}

/// The tag of AES in CBC with HMAC: half of the HMAC (RFC 7518, section 5.2.2.1).
fn cbc_tag(
    mac: hmac::Algorithm,
    key: &[u8],
    header: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Option<Vec<u8>> {
    let bits = u64::try_from(header.len()).ok()?.checked_mul(8)?;
    let mut context = hmac::Context::with_key(&hmac::Key::new(mac, key));
    for part in [header, iv, ciphertext, &bits.to_be_bytes()] {
        context.update(part);
    }
    let tag = context.sign();
    tag.as_ref().get(..key.len()).map(<[u8]>::to_vec)
}
