//! The bare operations of the library of algorithms.

use aws_lc_rs::{
    hmac, rand,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_SHA256,
    },
};
use quadrille::jose::Algorithm;

use crate::timing::Result;

/// The bare operations of an algorithm.
pub(crate) enum Bare {
    Ec(EcdsaKeyPair, ParsedPublicKey),
    Ed(Ed25519KeyPair, ParsedPublicKey),
    Rsa(RsaKeyPair, ParsedPublicKey),
    Hmac(Box<hmac::Key>),
}

impl Bare {
    pub(crate) fn new(algorithm: Algorithm) -> Result<Self> {
        Ok(match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
                let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())?;
                Self::Ec(pair, public)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate()?;
                let public = ParsedPublicKey::new(&ED25519, pair.public_key())?;
                Self::Ed(pair, public)
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048)?;
                let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key())?;
                Self::Rsa(pair, public)
            }
            _ => Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))),
        })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = rand::SystemRandom::new();
        Ok(match self {
            Self::Ec(pair, _) => pair.sign(&random, message)?.as_ref().to_vec(),
            Self::Ed(pair, _) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair, _) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
            Self::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
        })
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        match self {
            Self::Ec(_, key) | Self::Ed(_, key) | Self::Rsa(_, key) => {
                key.verify_sig(message, signature)?;
            }
            Self::Hmac(key) => hmac::verify(key, message, signature)?,
        }
        Ok(())
    }
}
