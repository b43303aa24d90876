//! Reading the `Cookie` header (RFC 6265, sections 4.2 and 5.4).

use http::{HeaderMap, HeaderValue, header};
use memchr::memchr;

/// The names and values of all cookies in `headers`, in order. Reads all `Cookie` headers, since
/// HTTP/2 may send several (RFC 9113, section 8.2.3).
///
/// The header belongs to every application of the host. A pair that is not `name=value`, or is not
/// UTF-8, is skipped and affects no other.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use quadrille::cookie;
///
/// let mut headers = HeaderMap::new();
/// headers.append("cookie", HeaderValue::from_bytes(b"name=Ren\xe9; theme=dark")?);
/// headers.append("cookie", HeaderValue::from_static("lang=fr"));
/// assert_eq!(cookie::pairs(&headers).collect::<Vec<_>>(), [("theme", "dark"), ("lang", "fr")]);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    pairs_in(headers.get_all(header::COOKIE))
}

/// The names and values in these `Cookie` headers.
pub(crate) fn pairs_in<'a>(
    lines: impl IntoIterator<Item = &'a HeaderValue>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    Pairs { lines: lines.into_iter(), rest: Rest::Text("") }
}

/// The pairs of `Cookie` headers. Adapters of iterators would take twice the time, several times
/// in each login.
struct Pairs<'a, I> {
    lines: I,
    rest: Rest<'a>,
}

/// The unread part of a header. Usually all of it is UTF-8, which one look shows faster than one at
/// each part.
#[derive(Clone, Copy)]
enum Rest<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Rest<'a> {
    fn of(line: &'a HeaderValue) -> Self {
        let line = line.as_bytes();
        std::str::from_utf8(line).map_or(Self::Bytes(line), Self::Text)
    }

    const fn is_empty(self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }

    /// The part before the next semicolon, unless it is not UTF-8, and what follows.
    fn split(self) -> (Option<&'a str>, Self) {
        match self {
            Self::Text(text) => {
                let (part, rest) = split_once(text, b';').unwrap_or((text, ""));
                (Some(part), Self::Text(rest))
            }
            Self::Bytes(bytes) => {
                let end = memchr(b';', bytes).unwrap_or(bytes.len());
                let (part, rest) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
                let rest = rest.strip_prefix(b";").unwrap_or(rest);
                (std::str::from_utf8(part).ok(), Self::Bytes(rest))
            }
        }
    }
}

/// [`str::split_once`] for a character of ASCII, in a fraction of the time.
fn split_once(text: &str, ascii: u8) -> Option<(&str, &str)> {
    let at = memchr(ascii, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

impl<'a, I: Iterator<Item = &'a HeaderValue>> Iterator for Pairs<'a, I> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                self.rest = Rest::of(self.lines.next()?);
            }
            #[cfg(test)]
            crate::work::count();
            let (part, rest) = self.rest.split();
            self.rest = rest;
            if let Some(pair) = part.and_then(|part| split_once(part.trim_ascii(), b'=')) {
                return Some(pair);
            }
        }
    }
}

/// The value of the cookie `name`; `None` if it is missing, or if there are two that differ:
/// another path, application or domain has set one of them.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::cookie;
///
/// let mut headers = HeaderMap::new();
/// headers.append("cookie", "session=a; theme=dark".parse()?);
/// assert_eq!(cookie::one(&headers, "session"), Some("a"));
/// headers.append("cookie", "session=b".parse()?);
/// assert_eq!(cookie::one(&headers, "session"), None);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = pairs(headers).filter(|(known, _)| *known == name).map(|(_, value)| value);
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

/// The first value of the cookie `name` that `is_right` accepts, for example because it opens under
/// a key. There may be several of one name, set at other paths or by other domains, in any order
/// (RFC 6265, section 5.4); those of other parties must not hide the right one.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::cookie;
///
/// let mut headers = HeaderMap::new();
/// headers.append("cookie", "session=junk; session=sealed-7".parse()?);
/// let opens = |value: &str| value.starts_with("sealed-");
/// assert_eq!(cookie::first(&headers, "session", opens), Some("sealed-7"));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn first<'a>(
    headers: &'a HeaderMap,
    name: &str,
    is_right: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    let values = pairs(headers).filter(|(known, _)| *known == name).map(|(_, value)| value);
    values.take(ALIKE).find(|value| is_right(value))
}

/// The greatest number of cookies read of one name.
const ALIKE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn what_another_application_put_into_the_header_costs_nobody_their_cookie() {
        for other in [
            &b"name=Ren\xe9"[..],
            "name=Ren\u{e9}".as_bytes(),
            b"Ren\xe9=name",
            b"\xff\xfe",
            b"",
            b"broken",
            b"=",
            b"\tname =\tx",
            b"name=\"a,b\"",
        ] {
            for line in [[other, b"; ours=1"].concat(), [b"ours=1;", other].concat()] {
                assert_eq!(one(&headers(&[&line]), "ours"), Some("1"), "{}", line.escape_ascii());
            }
            assert_eq!(one(&headers(&[other, b"ours=1"]), "ours"), Some("1"));
        }
    }

    #[test]
    fn equal_cookies_are_one_and_different_ones_are_none() {
        assert_eq!(one(&headers(&[b"a=1; a=1", b"a=1"]), "a"), Some("1"));
        assert_eq!(one(&headers(&[b"a=1; a=2"]), "a"), None);
        assert_eq!(one(&headers(&[b"a=; a=2"]), "a"), None);
        assert_eq!(one(&headers(&[b"A=1; a=2"]), "a"), Some("2"));
        assert_eq!(one(&headers(&[b"b=1"]), "a"), None);
    }
}
