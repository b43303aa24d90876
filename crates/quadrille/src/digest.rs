//! Digests and keys as arrays: their length is a type, and no byte is left zero.

use aws_lc_rs::{digest, hmac};
use zeroize::Zeroizing;

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// The bytes of an HMAC-SHA-256 tag.
pub(crate) fn tag(tag: &hmac::Tag) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

/// Joins two halves of a secret.
pub(crate) fn joined(first: &[u8; 16], second: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    let (start, end) = out.split_at_mut(16);
    start.copy_from_slice(first);
    end.copy_from_slice(second);
    out
}

/// The first half of 32 bytes.
pub(crate) const fn first_half(bytes: &[u8; 32]) -> &[u8; 16] {
    let [half @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = bytes;
    half
}
