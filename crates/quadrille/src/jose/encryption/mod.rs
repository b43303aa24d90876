//! JWE (RFC 7516): tokens that only the holder of a key can read.

mod agreement;
mod content;
mod decrypting_key;
mod encrypting_key;
mod error;
mod header;
mod rules;
mod token;
mod wrapping;

pub use decrypting_key::DecryptingKey;
pub use encrypting_key::EncryptingKey;
pub use error::{DecryptError, EncryptError};
pub use header::EncryptedHeader;
pub use rules::Decryption;
pub use token::{Decrypted, Encrypted};

#[cfg(test)]
mod tests;
