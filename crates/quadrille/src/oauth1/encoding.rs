//! Percent-encoding (RFC 5849, section 3.6), and what a signature covers, in the order in which it
//! is covered (section 3.4.1.3).

use std::borrow::Cow;

use super::RequestError;

/// Encodes one text: everything but letters, digits, `-`, `.`, `_` and `~` (RFC 5849, section 3.6).
/// Unlike in a form, a space is `%20`.
///
/// ```
/// assert_eq!(quadrille::oauth1::percent_encode("Ladies + Gentlemen"), "Ladies%20%2B%20Gentlemen");
/// ```
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    encode_into(&mut out, text);
    out
}

pub(super) fn encode_into(out: &mut String, text: &str) {
    encode_with(out, text, "%");
}

/// Encodes what [`encode_into`] would have written once more, in one go: base strings hold their
/// parameters so.
fn encode_twice_into(out: &mut String, text: &str) {
    encode_with(out, text, "%25");
}

fn encode_with(out: &mut String, text: &str, percent: &str) {
    let mut rest = text;
    while let Some(end) = rest.bytes().position(|byte| !is_unreserved(byte)) {
        // The byte at `end` begins a character, since all bytes before it are ASCII.
        let (plain, tail) = rest.split_at(end);
        out.push_str(plain);
        let mut chars = tail.chars();
        if let Some(char) = chars.next() {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(percent);
                out.push(hex_digit(byte >> 4));
                out.push(hex_digit(byte & 15));
            }
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// Undoes [`percent_encode`]. A plus sign is a plus sign.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, RequestError> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'%' => {
                let (Some(high), Some(low)) = (hex_value(bytes.next()), hex_value(bytes.next()))
                else {
                    return Err(RequestError::BrokenPercent);
                };
                high << 4 | low
            }
            byte => byte,
        };
        if decoded == 0 {
            return Err(RequestError::Nul);
        }
        out.push(decoded);
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| RequestError::NotUtf8)
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

fn hex_value(byte: Option<u8>) -> Option<u8> {
    char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Names and values that a signature covers.
///
/// They are held encoded twice, as they stand in the base string. Sorting them so gives the order
/// that they have encoded once (RFC 5849, section 3.4.1.3.2): the second encoding puts the same text
/// after each percent sign and changes nothing else.
pub(super) struct Covered {
    text: String,
    spans: Vec<Span>,
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    equals: usize,
    end: usize,
}

impl Covered {
    pub(super) fn with_capacity(bytes: usize, parameters: usize) -> Self {
        Self { text: String::with_capacity(bytes), spans: Vec::with_capacity(parameters) }
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        let start = self.text.len();
        encode_twice_into(&mut self.text, name);
        let equals = self.text.len();
        encode_twice_into(&mut self.text, value);
        self.spans.push(Span { start, equals, end: self.text.len() });
    }

    /// The base string (RFC 5849, section 3.4.1.1).
    pub(super) fn base_string(mut self, method: &str, base_uri: &str) -> String {
        let Self { text, spans } = &mut self;
        let part = |from, to| text.get(from..to).unwrap_or_default();
        spans.sort_unstable_by(|a, b| {
            let names = part(a.start, a.equals).cmp(part(b.start, b.equals));
            names.then_with(|| part(a.equals, a.end).cmp(part(b.equals, b.end)))
        });
        let mut out = String::with_capacity(
            method.len() + base_uri.len() + text.len() + 6 * spans.len() + 24,
        );
        encode_into(&mut out, &method.to_ascii_uppercase());
        out.push('&');
        encode_into(&mut out, base_uri);
        let mut separator = "&";
        for span in spans.iter() {
            out.push_str(separator);
            separator = "%26";
            out.push_str(part(span.start, span.equals));
            out.push_str("%3D");
            out.push_str(part(span.equals, span.end));
        }
        if spans.is_empty() {
            out.push('&');
        }
        out
    }
}

/// The base string URI (RFC 5849, section 3.4.1.2): of an origin, in lower case and without a port
/// that goes without saying, and of the path as it was sent.
pub(super) fn base_uri(origin: &str, path: &str) -> String {
    let mut out = String::with_capacity(origin.len() + path.len() + 1);
    out.push_str(origin.trim_end_matches('/'));
    out.make_ascii_lowercase();
    let default_port = if out.starts_with("https:") { ":443" } else { ":80" };
    if let Some(length) = out.strip_suffix(default_port).map(str::len) {
        out.truncate(length);
    }
    if !path.starts_with('/') {
        out.push('/');
    }
    out.push_str(path);
    out
}
