//! Percent-encoding (RFC 5849, section 3.6).

use std::borrow::Cow;

use crate::form::{from_hex, hex_digit, is_unreserved, percent_decode};

use super::RequestError;

/// Encodes one text: everything but letters, digits, `-`, `.`, `_` and `~` (RFC 5849, section 3.6).
/// Unlike in a form, a space is `%20`.
///
/// ```
/// assert_eq!(quadrille::oauth1::percent_encode("Ladies + Gentlemen"), "Ladies%20%2B%20Gentlemen");
/// ```
pub fn percent_encode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 16);
    encode_into(&mut out, text.as_bytes());
    out.into_iter().map(char::from).collect()
}

pub(super) fn encode_into(out: &mut Vec<u8>, bytes: &[u8]) {
    encode_with(out, bytes, b"%");
}

/// Appends the encoding of [`encode_into`]'s output, in one pass: base strings hold parameters so.
pub(super) fn encode_twice_into(out: &mut Vec<u8>, bytes: &[u8]) {
    encode_with(out, bytes, b"%25");
}

fn encode_with(out: &mut Vec<u8>, bytes: &[u8], percent: &[u8]) {
    // Most texts need no encoding, and a loop without a branch is faster.
    if bytes.iter().fold(true, |plain, byte| plain & is_unreserved(*byte)) {
        out.extend_from_slice(bytes);
        return;
    }
    let mut rest = bytes;
    loop {
        let (plain, tail) = rest.split_at_checked(plain_length(rest)).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { return };
        out.extend_from_slice(percent);
        out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        rest = tail;
    }
}

/// The character that ends a name or a value in a query or a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Equals,
    And,
    Text,
}

/// Decodes a name or a value of a query or a form up to its end and encodes it twice, without an
/// intermediate text; the value may be any bytes. Returns the rest. A value may contain `=`.
pub(super) fn recode_twice_into<'a>(
    out: &mut Vec<u8>,
    raw: &'a [u8],
    is_name: bool,
) -> Result<(End, &'a [u8]), RequestError> {
    let mut rest = raw;
    loop {
        let (plain, tail) = rest.split_at_checked(plain_length(rest)).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((byte, mut tail)) = tail.split_first() else { return Ok((End::Text, &[])) };
        let decoded = match byte {
            b'&' => return Ok((End::And, tail)),
            b'=' if is_name => return Ok((End::Equals, tail)),
            b'+' => b' ',
            b'%' => {
                let (digits, after) =
                    tail.split_first_chunk::<2>().ok_or(RequestError::BrokenPercent)?;
                tail = after;
                from_hex(*digits).ok_or(RequestError::BrokenPercent)?
            }
            byte => *byte,
        };
        encode_twice_into(out, &[decoded]);
        rest = tail;
    }
}

/// Decodes the output of [`percent_encode`]. A plus sign stays a plus sign.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, RequestError> {
    Ok(percent_decode(raw)?)
}

/// Decodes a name or a value in a query or a form; the result may be any bytes.
pub(super) fn decode_field(raw: &[u8]) -> Result<Cow<'_, [u8]>, RequestError> {
    if !raw.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (digits, after) =
                    tail.split_first_chunk::<2>().ok_or(RequestError::BrokenPercent)?;
                rest = after;
                from_hex(*digits).ok_or(RequestError::BrokenPercent)?
            }
            byte => *byte,
        });
    }
    Ok(Cow::Owned(out))
}

/// [`decode_field`] for a value that must be UTF-8.
pub(super) fn decode_text(raw: &[u8]) -> Result<Cow<'_, str>, RequestError> {
    let text = match decode_field(raw)? {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).ok(),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
    };
    let text = text.ok_or(RequestError::NotUtf8)?;
    if text.contains('\0') { Err(RequestError::Nul) } else { Ok(text) }
}

/// The number of bytes from the start that need no encoding.
fn plain_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is_unreserved(*byte)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recoding_is_decoding_and_encoding_twice() {
        let mut out = Vec::new();
        let end = recode_twice_into(&mut out, b"r%20b+%2b%41\xff%25", false);
        assert_eq!(end, Ok((End::Text, &b""[..])));
        assert_eq!(out, b"r%2520b%2520%252BA%25FF%2525");
        for broken in ["%", "a%4", "%4g", "%+1"] {
            assert_eq!(
                recode_twice_into(&mut out, broken.as_bytes(), false),
                Err(RequestError::BrokenPercent)
            );
            assert_eq!(decode(broken), Err(RequestError::BrokenPercent));
        }
    }

    #[test]
    fn values_are_decoded_once() {
        assert_eq!(decode("a%2520b+c").unwrap(), "a%20b+c");
        assert_eq!(decode("%ff"), Err(RequestError::NotUtf8));
        assert_eq!(decode("%00"), Err(RequestError::Nul));
    }
}
