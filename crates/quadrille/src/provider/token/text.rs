//! The text of a token, wiped from memory when it is dropped.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::prefix::{self, TokenPrefix};

/// The text of a token.
pub(crate) struct TokenText(Zeroizing<String>);

impl TokenText {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of a signed token, or of one that the application made.
    pub(crate) fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text of `parts`, concatenated.
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let raw = Zeroizing::new(parts.concat());
        Self::from(BASE64_URL_SAFE_NO_PAD.encode(&*raw))
    }

    /// The text behind a prefix, if there is one.
    pub(crate) fn behind(self, prefix: Option<&TokenPrefix>) -> Self {
        match prefix {
            Some(prefix) => Self::from(prefix::joined(prefix, self.as_str())),
            None => self,
        }
    }
}
