//! The texts of credentials.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::digest::first_half;

/// A text that [`OAuth1::values`](super::OAuth1::values) makes.
///
/// ```
/// use quadrille::provider::oauth1::{OAuth1, Value};
///
/// const DIGITS: &str = "0123456789";
///
/// let oauth1 = OAuth1::new().values(|value, bytes| match value {
///     Value::TypedVerifier => Some(value.letters(bytes, DIGITS, 9)),
///     _ => None,
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// The identifier of temporary credentials. It must be unique: at least twenty letters and
    /// digits.
    Temporary,
    /// The identifier of token credentials. It must be unique: at least twenty letters and digits.
    Token,
    /// A shared-secret, of a client or of a token. It must be unguessable: at least 22 letters and
    /// digits.
    Secret,
    /// A verifier that travels in the callback. It must be unguessable within its half hour.
    Verifier,
    /// A verifier that the user reads off a screen and types in. It must be unguessable within its
    /// half hour.
    TypedVerifier,
}

pub(super) type Make = dyn Fn(Value, &[u8; 32]) -> Option<String> + Send + Sync;

/// Letters and digits without those that look alike.
const PLAIN: &str = "23456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Value {
    /// Derives `length` characters of `alphabet` from `bytes`: at most 32, one for each byte.
    ///
    /// ```
    /// use quadrille::provider::oauth1::Value;
    ///
    /// assert_eq!(Value::Token.letters(&[27; 32], "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3).len(), 3);
    /// ```
    pub fn letters(self, bytes: &[u8; 32], alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        // A long number, divided by the size of the alphabet again and again: no letter is likelier
        // than another by more than one in 2^64, for up to 32 letters of 62.
        let mut number = *bytes;
        let size = u32::try_from(letters.len().max(1)).unwrap_or(u32::MAX);
        let mut text = String::with_capacity(length);
        for _ in 0..length.min(32) {
            let mut remainder = 0_u64;
            for byte in &mut number {
                let value = remainder << 8 | u64::from(*byte);
                *byte = (value / u64::from(size)) as u8;
                remainder = value % u64::from(size);
            }
            text.extend(usize::try_from(remainder).ok().and_then(|index| letters.get(index)));
        }
        text
    }

    /// The default text. Identifiers are tokens, and not made here.
    pub(super) fn default(self, bytes: &[u8; 32]) -> String {
        match self {
            Self::TypedVerifier => self.letters(bytes, PLAIN, 8),
            Self::Verifier => BASE64_URL_SAFE_NO_PAD.encode(first_half(bytes)),
            Self::Temporary | Self::Token | Self::Secret => BASE64_URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn letters_are_of_the_alphabet_as_many_as_asked_for_and_all_come() {
        let mut seen = HashSet::new();
        for round in 0..200_u8 {
            let bytes: [u8; 32] = crate::Env::system().random();
            let text = Value::Token.letters(&bytes, PLAIN, 8 + usize::from(round % 20));
            assert_eq!(text.len(), 8 + usize::from(round % 20));
            seen.extend(text.chars());
        }
        assert_eq!(seen, PLAIN.chars().collect());
        assert_eq!(Value::TypedVerifier.default(&[0; 32]), "22222222");
        assert_ne!(Value::TypedVerifier.default(&[1; 32]), "22222222");
    }
}
