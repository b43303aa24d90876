//! `application/x-www-form-urlencoded` encoding of single values.

use std::borrow::Cow;

use super::FormError;

/// Encodes one value as in a form, which HTTP Basic requires of id and secret before they are
/// joined (RFC 6749, section 2.3.1).
pub(crate) fn encode_into(out: &mut String, text: &str) {
    // `all` is slower: a loop without a branch looks at many bytes at a time.
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
                out.push(char::from(hex_digit(other >> 4)));
                out.push(char::from(hex_digit(other & 15)));
            }
        }
    }
}

/// Decodes the output of [`encode_into`] and any other valid form-encoding.
pub(crate) fn decode(raw: &str) -> Result<Cow<'_, str>, FormError> {
    decode_with(raw, b' ')
}

/// Decodes only percent-encoding: a plus sign stays a plus sign.
pub(crate) fn percent_decode(raw: &str) -> Result<Cow<'_, str>, FormError> {
    decode_with(raw, b'+')
}

fn decode_with(raw: &str, plus: u8) -> Result<Cow<'_, str>, FormError> {
    // `any` is slower: a loop without a branch looks at many bytes at a time.
    if !raw.bytes().fold(false, |found, byte| found | matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    loop {
        // Most bytes stand for themselves, and are copied together.
        let marked = rest.iter().position(|byte| matches!(byte, b'%' | b'+'));
        let (plain, marked) =
            rest.split_at_checked(marked.unwrap_or(rest.len())).unwrap_or_default();
        if plain.contains(&0) {
            return Err(FormError::Nul);
        }
        out.extend_from_slice(plain);
        let Some((mark, tail)) = marked.split_first() else { break };
        if *mark == b'+' {
            out.push(plus);
            rest = tail;
            continue;
        }
        let (digits, tail) = tail.split_first_chunk::<2>().ok_or(FormError::BrokenPercent)?;
        match from_hex(*digits).ok_or(FormError::BrokenPercent)? {
            0 => return Err(FormError::Nul),
            byte => out.push(byte),
        }
        rest = tail;
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| FormError::NotUtf8)
}

/// Whether a byte never needs encoding.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    UNRESERVED.get(usize::from(byte)).copied().unwrap_or(false)
}

/// A flag per byte (RFC 3986, section 2.3).
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

/// A digit of a byte that is written percent-encoded (RFC 3986, section 2.1).
pub(crate) const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'A' - 10 + nibble }
}

/// The byte of two hexadecimal digits, in either case.
pub(crate) fn from_hex([high, low]: [u8; 2]) -> Option<u8> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    Some(value(high)? << 4 | value(low)?)
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
