//! JWE (RFC 7516): tokens that only the holder of a key can read.

mod agreement;
mod algorithm;
mod content;
mod error;
mod header;
mod key;
mod rules;
mod token;

pub use algorithm::{ContentEncryption, KeyManagement};
pub use error::{DecryptError, EncryptError};
pub use header::EncryptedHeader;
pub use key::{DecryptingKey, EncryptingKey};
pub use rules::Decryption;
pub use token::{Decrypted, Encrypted};

#[cfg(test)]
mod tests;
