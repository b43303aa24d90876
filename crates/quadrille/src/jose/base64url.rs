//! Base64url without padding (RFC 7515, section 2). One text has one spelling: padding, white space
//! and bits behind the last byte are rejected.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

/// Appends the text of these bytes.
pub(super) fn encode_into(bytes: impl AsRef<[u8]>, out: &mut String) {
    BASE64_URL_SAFE_NO_PAD.encode_string(bytes, out);
}

/// The text of these bytes.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_spelling() {
        assert_eq!(decode("-_8"), Some(vec![0xfb, 0xff]));
        for text in ["-_8=", "-_9", "+/8", "-_8\n", " -_8", "-_8 ", "A", "-_8.", "\u{e9}"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
