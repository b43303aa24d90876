//! Base64url without padding (RFC 7515, section 2). One text has one spelling: padding, white space
//! and bits behind the last byte are rejected.

use std::sync::LazyLock;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::GeneralPurpose as Fastest;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use base64::engine::Simd as Fastest;
use base64::{Engine as _, engine::general_purpose::NO_PAD};

/// The engine for the instructions of this processor. Texts of tokens are long enough to gain by it.
static ENGINE: LazyLock<Fastest> = LazyLock::new(|| {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Fastest::url_safe(NO_PAD);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Fastest::new(&base64::alphabet::URL_SAFE, NO_PAD);
});

/// Appends the text of these bytes.
pub(super) fn encode_into(bytes: impl AsRef<[u8]>, out: &mut String) {
    ENGINE.encode_string(bytes, out);
}

/// The text of these bytes.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    ENGINE.encode(bytes)
}

/// Appends the bytes of a text.
pub(super) fn decode_into(text: &str, out: &mut Vec<u8>) -> Option<()> {
    ENGINE.decode_vec(text, out).ok()
}

/// The bytes of a text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    ENGINE.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_has_one_spelling() {
        assert_eq!(decode("-_8"), Some(vec![0xfb, 0xff]));
        // Long texts take another way through the engine.
        for start in ["", &"AbCdEf09-_".repeat(40)] {
            for text in ["-_8=", "-_9", "+/8", "-_8\n", " -_8", "-_8 ", "A", "-_8.", "\u{e9}"] {
                assert_eq!(decode(&format!("{start}{text}")), None, "{start}{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_engine_reads_and_writes_the_same(bytes: Vec<u8>, text in "[A-Za-z0-9_-]{0,400}[ -~]?") {
            prop_assert_eq!(encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes));
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
            let decoded = BASE64_URL_SAFE_NO_PAD.decode(&text).ok();
            let mut appended = b"ab".to_vec();
            let is_text = decode_into(&text, &mut appended).is_some();
            prop_assert_eq!(is_text.then(|| appended.split_off(2)), decoded.clone());
            prop_assert_eq!(decode(&text), decoded);
        }
    }
}
