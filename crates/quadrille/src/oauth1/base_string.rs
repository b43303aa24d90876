//! The signature base string (RFC 5849, section 3.4.1).

use super::{
    RequestError,
    encoding::{End, encode_into, encode_twice_into, recode_twice_into},
};

/// Parameters that a signature covers (RFC 5849, section 3.4.1.3), followed by the base string.
///
/// Names and values are stored encoded twice, as the base string holds them. Sorting them so gives
/// the order of the values encoded once (RFC 5849, section 3.4.1.3.2): the second encoding puts the
/// same text after each percent sign and changes nothing else.
#[derive(Clone, Default)]
pub(super) struct Covered {
    text: Vec<u8>,
    spans: Vec<Span>,
}

#[derive(Clone, Copy)]
struct Span {
    /// The first bytes of the name, which usually suffice to compare two names.
    prefix: u64,
    start: usize,
    equals: usize,
    end: usize,
}

impl Covered {
    pub(super) fn with_capacity(bytes: usize, parameters: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), spans: Vec::with_capacity(parameters) }
    }

    /// A copy with room for further parameters and the base string.
    pub(super) fn clone_with_room(&self, bytes: usize, parameters: usize) -> Self {
        let mut more = Self::with_capacity(self.text.len() + bytes, self.spans.len() + parameters);
        more.text.extend_from_slice(&self.text);
        more.spans.extend_from_slice(&self.spans);
        more
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        let start = self.text.len();
        encode_twice_into(&mut self.text, name.as_bytes());
        let equals = self.text.len();
        encode_twice_into(&mut self.text, value.as_bytes());
        self.push(start, equals);
    }

    /// Adds a parameter whose name and value need no encoding.
    pub(super) fn add_plain(&mut self, name: &str, value: &str) {
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        let equals = self.text.len();
        self.text.extend_from_slice(value.as_bytes());
        self.push(start, equals);
    }

    /// Adds the parameters of a query or a form.
    ///
    /// # Errors
    /// [`RequestError::BrokenPercent`].
    pub(super) fn add_encoded(&mut self, pairs: &[u8]) -> Result<(), RequestError> {
        self.add_encoded_where(pairs, |_| true)
    }

    /// Adds the parameters of a query or a form, but for the signature itself (RFC 5849, section
    /// 3.4.1.3.1).
    ///
    /// # Errors
    /// [`RequestError::BrokenPercent`].
    pub(super) fn add_signed(&mut self, pairs: &[u8]) -> Result<(), RequestError> {
        self.add_encoded_where(pairs, |name| name != b"oauth_signature")
    }

    fn add_encoded_where(
        &mut self,
        pairs: &[u8],
        is_covered: impl Fn(&[u8]) -> bool,
    ) -> Result<(), RequestError> {
        let mut rest = pairs;
        while let Some((first, tail)) = rest.split_first() {
            if *first == b'&' {
                rest = tail;
                continue;
            }
            let start = self.text.len();
            let (end, after) = recode_twice_into(&mut self.text, rest, true)?;
            let equals = self.text.len();
            rest = match end {
                End::Equals => recode_twice_into(&mut self.text, after, false)?.1,
                End::And | End::Text => after,
            };
            match is_covered(self.text.get(start..equals).unwrap_or_default()) {
                true => self.push(start, equals),
                false => self.text.truncate(start),
            }
        }
        Ok(())
    }

    fn push(&mut self, start: usize, equals: usize) {
        let name = self.text.get(start..equals).unwrap_or_default();
        let prefix = match name.first_chunk::<8>() {
            Some(first) => u64::from_be_bytes(*first),
            None => name
                .iter()
                .fold(0, |prefix, byte| prefix << 8 | u64::from(*byte))
                .checked_shl(8 * (8 - name.len() as u32))
                .unwrap_or(0),
        };
        self.spans.push(Span { prefix, start, equals, end: self.text.len() });
    }

    pub(super) fn length(&self) -> usize {
        self.text.len()
    }

    pub(super) fn parameters(&self) -> usize {
        self.spans.len()
    }

    /// Whether a name after the first `parameters` begins with `oauth_`, whose characters are
    /// unreserved.
    pub(super) fn has_of_the_protocol_after(&self, parameters: usize) -> bool {
        let name = |span: &Span| self.text.get(span.start..span.equals).unwrap_or_default();
        self.spans.iter().skip(parameters).any(|span| name(span).starts_with(b"oauth_"))
    }

    /// The base string (RFC 5849, section 3.4.1.1) for an origin and the path as received.
    pub(super) fn base_string(
        mut self,
        method: &str,
        origin: Origin<'_>,
        path: &str,
    ) -> BaseString {
        let Self { text, spans } = &mut self;
        let part = |from, to| text.get(from..to).unwrap_or_default();
        spans.sort_unstable_by(|a, b| {
            let names = || part(a.start, a.equals).cmp(part(b.start, b.equals));
            let values = || part(a.equals, a.end).cmp(part(b.equals, b.end));
            a.prefix.cmp(&b.prefix).then_with(names).then_with(values)
        });
        let start = text.len();
        text.reserve(
            start + 6 * spans.len() + 3 * (path.len() + origin.length()) + method.len() + 8,
        );
        if method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            text.extend_from_slice(method.as_bytes());
        } else {
            encode_into(text, method.to_ascii_uppercase().as_bytes());
        }
        text.push(b'&');
        origin.encode_into(text);
        if !path.starts_with('/') {
            text.extend_from_slice(b"%2F");
        }
        encode_into(text, path.as_bytes());
        let mut separator: &[u8] = b"&";
        for span in spans.iter() {
            text.extend_from_slice(separator);
            separator = b"%26";
            text.extend_from_within(span.start..span.equals);
            text.extend_from_slice(b"%3D");
            text.extend_from_within(span.equals..span.end);
        }
        if spans.is_empty() {
            text.push(b'&');
        }
        BaseString { text: self.text, start }
    }
}

/// A base string: ASCII.
pub(super) struct BaseString {
    text: Vec<u8>,
    start: usize,
}

impl BaseString {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }
}

impl From<BaseString> for String {
    fn from(mut base: BaseString) -> Self {
        base.text.drain(..base.start);
        base.text.into_iter().map(char::from).collect()
    }
}

/// Scheme, host and port of the base string URI (RFC 5849, section 3.4.1.2).
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) scheme: &'a str,
    /// Host and port.
    pub(super) authority: &'a str,
}

impl<'a> Origin<'a> {
    /// Splits an origin such as `https://api.example:8443`.
    pub(super) fn parse(origin: &'a str) -> Self {
        let origin = origin.trim_end_matches('/');
        let (scheme, authority) = origin.split_once("://").unwrap_or(("", origin));
        Self { scheme, authority }
    }

    fn length(&self) -> usize {
        self.scheme.len() + self.authority.len() + 3
    }

    /// Writes the origin in lower case and without the default port.
    fn encode_into(self, out: &mut Vec<u8>) {
        let default = if self.scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
        let authority = self.authority.strip_suffix(default).unwrap_or(self.authority);
        let lower = |out: &mut Vec<u8>, text: &str| match text
            .bytes()
            .any(|byte| byte.is_ascii_uppercase())
        {
            true => encode_into(out, text.to_ascii_lowercase().as_bytes()),
            false => encode_into(out, text.as_bytes()),
        };
        lower(out, self.scheme);
        if !self.scheme.is_empty() {
            out.extend_from_slice(b"%3A%2F%2F");
        }
        lower(out, authority);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &str) -> String {
        let mut covered = Covered::default();
        covered.add_encoded(pairs.as_bytes()).unwrap();
        let base = covered.base_string("get", Origin::parse("HTTP://A.example:80/"), "");
        let base = String::from(base);
        base.strip_prefix("GET&http%3A%2F%2Fa.example%2F&").unwrap().to_owned()
    }

    #[test]
    fn names_are_sorted_as_encoded_however_long_they_are() {
        assert_eq!(
            parameters("b&a%20c&a&ab&a=2&a=1&&"),
            "a%3D%26a%3D1%26a%3D2%26a%2520c%3D%26ab%3D%26b%3D"
        );
        assert_eq!(
            parameters("oauth_nonce_b=1&oauth_nonce_a=2&oauth_nonce=3&oauth_no=4"),
            "oauth_no%3D4%26oauth_nonce%3D3%26oauth_nonce_a%3D2%26oauth_nonce_b%3D1"
        );
        assert_eq!(parameters(""), "");
        assert_eq!(parameters("=x"), "%3Dx");
    }
}
