//! `application/x-www-form-urlencoded`, value by value.

use std::borrow::Cow;

use super::FormError;

/// Encodes one value as in a form: what the user name and the password of HTTP Basic must be
/// before they are joined (RFC 6749, section 2.3.1).
pub(in crate::oauth2) fn encode_into(out: &mut String, text: &str) {
    // Not `all`: looking at every byte is faster, many at a time.
    if text.bytes().fold(true, |plain, byte| plain & is_unreserved(byte)) {
        out.push_str(text);
        return;
    }
    out.reserve(text.len() + 32);
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            plain if is_unreserved(plain) => out.push(char::from(plain)),
            other => {
                out.push('%');
                out.push(hex_digit(other >> 4));
                out.push(hex_digit(other & 15));
            }
        }
    }
}

/// Undoes [`encode_into`], and whatever else is a valid form-encoding.
pub(in crate::oauth2) fn decode(raw: &str) -> Result<Cow<'_, str>, FormError> {
    // Not `any`: looking at every byte is faster, many at a time.
    if !raw.bytes().fold(false, |found, byte| found | matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'+' => b' ',
            b'%' => {
                let (Some(high), Some(low)) = (hex_value(bytes.next()), hex_value(bytes.next()))
                else {
                    return Err(FormError::BrokenPercent);
                };
                high << 4 | low
            }
            byte => byte,
        };
        if decoded == 0 {
            return Err(FormError::Nul);
        }
        out.push(decoded);
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| FormError::NotUtf8)
}

fn is_unreserved(byte: u8) -> bool {
    UNRESERVED.get(usize::from(byte)).copied().unwrap_or(false)
}

/// By byte (RFC 3986, section 2.3).
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "at compile time")]
        {
            table[byte as usize] =
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        }
        byte += 1;
    }
    table
};

const fn hex_digit(nibble: u8) -> char {
    (if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 }) as char
}

fn hex_value(byte: Option<u8>) -> Option<u8> {
    match byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_6749_appendix_b_is_written_and_read() {
        let mut text = String::new();
        encode_into(&mut text, " %&+\u{a3}\u{20ac}");
        assert_eq!(text, "+%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(decode(&text).unwrap(), " %&+\u{a3}\u{20ac}");
    }
}
