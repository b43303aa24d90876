//! Key agreement by ECDH-ES (RFC 7518, section 4.6).

use aws_lc_rs::{
    agreement::{self, PrivateKey, UnparsedPublicKey},
    kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest},
};
use zeroize::Zeroizing;

use crate::jose::{
    curve::Curve,
    encryption_algorithm::{ContentEncryption, KeyManagement},
    public::Public,
};

/// The algorithm in which a public key of a curve agrees; `None` for other keys.
pub(super) fn agrees(public: &Public) -> Option<&'static agreement::Algorithm> {
    match public {
        Public::Ec { curve: Curve::P256, .. } => Some(&agreement::ECDH_P256),
        Public::Ec { curve: Curve::P384, .. } => Some(&agreement::ECDH_P384),
        Public::Ec { curve: Curve::P521, .. } => Some(&agreement::ECDH_P521),
        Public::X25519(_) => Some(&agreement::X25519),
        Public::Ed25519(_) | Public::Rsa { .. } | Public::Shared => None,
    }
}

/// The bytes of a public key that agrees.
pub(super) fn point(public: &Public) -> Option<Vec<u8>> {
    match public {
        Public::Ec { x, y, .. } => Some([&[4], &**x, &**y].concat()),
        Public::X25519(x) => Some(x.to_vec()),
        Public::Ed25519(_) | Public::Rsa { .. } | Public::Shared => None,
    }
}

/// The public numbers of a private key that agrees.
pub(super) fn public(private: &PrivateKey) -> Option<Public> {
    let point = private.compute_public_key().ok()?;
    Public::of_point(point.as_ref())
}

/// What both sides know besides their keys, as it is hashed.
pub(super) struct Context<'a> {
    pub(super) algorithm: KeyManagement,
    pub(super) encryption: ContentEncryption,
    /// The bytes of `apu`.
    pub(super) producer: &'a [u8],
    /// The bytes of `apv`.
    pub(super) consumer: &'a [u8],
}

/// The key on which a private key and another party's public key agree. `None` if the point is not on
/// the curve of the private key.
pub(super) fn agree(
    private: &PrivateKey,
    point: &[u8],
    context: &Context<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let peer = UnparsedPublicKey::new(private.algorithm(), point);
    agreement::agree(private, peer, (), |shared| context.derive(shared).ok_or(())).ok()
}

impl Context<'_> {
    /// The one-step key derivation of NIST SP 800-56A (RFC 7518, section 4.6.2).
    fn derive(&self, shared: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let length = self.algorithm.wrapping_len().unwrap_or(self.encryption.key_len());
        let name = match self.algorithm.is_direct() {
            true => self.encryption.as_str(),
            false => self.algorithm.as_str(),
        };
        let mut info = Vec::with_capacity(128);
        for part in [name.as_bytes(), self.producer, self.consumer] {
            info.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
            info.extend_from_slice(part);
        }
        info.extend_from_slice(&u32::try_from(length * 8).ok()?.to_be_bytes());
        let mut key = Zeroizing::new(vec![0; length]);
        let algorithm = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256)?;
        sskdf_digest(algorithm, shared, &info, &mut key).ok()?;
        Some(key)
    }
}
