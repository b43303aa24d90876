//! Digests as arrays: they cannot be shorter than they are.

use aws_lc_rs::digest;

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// The first half of 32 bytes.
#[cfg(any(feature = "consumer", feature = "provider"))]
pub(crate) const fn first_half(bytes: &[u8; 32]) -> &[u8; 16] {
    let [half @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = bytes;
    half
}
