//! The `Authorization` header with the scheme `OAuth` (RFC 5849, section 3.5.1).

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::form::is_unreserved;

use super::{
    RequestError,
    encoding::{decode, encode_into},
};

/// The limit of its length in bytes before decoding, as servers limit a header.
const LONGEST: usize = 16 * 1024;
const MOST: usize = 64;

pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The credentials in the header of a request.
pub(super) enum Credentials<'a> {
    /// The text after the scheme `OAuth`.
    OAuth(&'a [u8]),
    /// Credentials of other schemes.
    Other,
    Nothing,
}

/// The credentials of a request. Only this function decides the scheme.
///
/// # Errors
/// [`RequestError::SeveralPlaces`] if there are further credentials, of any scheme.
pub(super) fn find(headers: &HeaderMap) -> Result<Credentials<'_>, RequestError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = values.next() else { return Ok(Credentials::Nothing) };
    if values.next().is_some() {
        let is_ours = |value: &HeaderValue| text_after_scheme(value.as_bytes()).is_some();
        let any = headers.get_all(AUTHORIZATION).iter().any(is_ours);
        return if any { Err(RequestError::SeveralPlaces) } else { Ok(Credentials::Other) };
    }
    let Some(text) = text_after_scheme(first.as_bytes()) else { return Ok(Credentials::Other) };
    // `all` is slower: a loop without a branch looks at many bytes at a time.
    match text.iter().fold(true, |good, byte| good & matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) {
        true => Ok(Credentials::OAuth(text)),
        false => Err(RequestError::HeaderMalformed),
    }
}

/// The text after the scheme if that is `OAuth`.
fn text_after_scheme(value: &[u8]) -> Option<&[u8]> {
    let (scheme, text) = value.split_first_chunk::<5>()?;
    let is_ours = scheme.eq_ignore_ascii_case(b"OAuth")
        && text.first().is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    is_ours.then_some(text)
}

/// Names and values, decoded, including `realm`. A realm is a quoted string without encoding and
/// not signed, so its bytes may be any (RFC 9110, section 5.6.4).
pub(super) fn parse(text: &[u8]) -> Result<Vec<Pair<'_>>, RequestError> {
    if text.len() > LONGEST {
        return Err(RequestError::TooLong);
    }
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    match std::str::from_utf8(text) {
        Ok(text) => parse_text(text),
        // All but a realm is ASCII, so the replacement of other bytes changes only that.
        Err(_) => parse_text(&String::from_utf8_lossy(text)).map(|pairs| {
            pairs.into_iter().map(|(name, value)| (owned(name), owned(value))).collect()
        }),
    }
}

fn parse_text(text: &str) -> Result<Vec<Pair<'_>>, RequestError> {
    let mut pairs = Vec::with_capacity(8);
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        // Empty elements of a list are ignored (RFC 9110, section 5.6.1.2).
        if let Some(tail) = rest.strip_prefix(',') {
            rest = tail.trim_ascii_start();
            continue;
        }
        if pairs.len() == MOST {
            return Err(RequestError::TooMany);
        }
        let (name, tail) = name(rest)?;
        let tail = tail.trim_ascii_start();
        let plain = tail.strip_prefix('"').and_then(|inside| plain_until('"', inside));
        let (value, tail) = match plain {
            Some((value, tail)) => (Cow::Borrowed(value), tail),
            None => decoded_value(&name, tail)?,
        };
        pairs.push((name, value));
        rest = tail.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return Err(RequestError::HeaderMalformed);
        }
    }
    Ok(pairs)
}

/// Reads a text up to this character, without one that needs encoding: most names and values are
/// such. Returns it and the rest.
fn plain_until(end: char, text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| !is_unreserved(byte))?;
    let (plain, rest) = text.split_at_checked(at)?;
    Some((plain, rest.strip_prefix(end)?))
}

/// Reads a name. Returns it, decoded, and the rest after the equals sign.
fn name(text: &str) -> Result<(Cow<'_, str>, &str), RequestError> {
    if let Some((name, rest)) = plain_until('=', text).filter(|(name, _)| !name.is_empty()) {
        return Ok((name.into(), rest));
    }
    let (name, rest) = text.split_once('=').ok_or(RequestError::HeaderMalformed)?;
    let name = name.trim_ascii_end();
    // Any other character must be encoded (RFC 5849, section 3.5.1).
    if name.is_empty() || !name.bytes().all(|byte| is_unreserved(byte) || byte == b'%') {
        return Err(RequestError::HeaderMalformed);
    }
    Ok((decode(name)?, rest))
}

/// Reads the value of a parameter. Returns it, decoded, and the rest.
fn decoded_value<'a>(name: &str, text: &'a str) -> Result<(Cow<'a, str>, &'a str), RequestError> {
    let (value, rest) = value(text)?;
    let value = match value {
        _ if name == "realm" => value,
        // Encoded values are ASCII (RFC 5849, section 3.6), and contain no escaped character.
        Cow::Borrowed(raw) if raw.is_ascii() => decode(raw)?,
        Cow::Borrowed(_) | Cow::Owned(_) => return Err(RequestError::HeaderMalformed),
    };
    Ok((value, rest))
}

/// Reads a quoted string or, as some clients write it, a bare word. Returns it and the rest.
fn value(text: &str) -> Result<(Cow<'_, str>, &str), RequestError> {
    let malformed = RequestError::HeaderMalformed;
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find(|char: char| char == ',' || char.is_ascii_whitespace());
        let (word, rest) = text.split_at_checked(end.unwrap_or(text.len())).ok_or(malformed)?;
        return match word.contains('"') {
            true => Err(malformed),
            false => Ok((word.into(), rest)),
        };
    };
    let end = inside.find(['"', '\\']).ok_or(malformed)?;
    let (plain, rest) = inside.split_at_checked(end).ok_or(malformed)?;
    if let Some(rest) = rest.strip_prefix('"') {
        return Ok((plain.into(), rest));
    }
    let (unescaped, rest) = quoted(text).ok_or(malformed)?;
    Ok((unescaped.into(), rest))
}

/// Writes `name="value"`, percent-encoded.
pub(super) fn append(out: &mut Vec<u8>, name: &str, value: &str) {
    separate(out);
    encode_into(out, name.as_bytes());
    out.extend_from_slice(b"=\"");
    encode_into(out, value.as_bytes());
    out.push(b'"');
}

/// Writes `name="value"` without encoding.
pub(super) fn append_plain(out: &mut Vec<u8>, name: &str, value: &str) {
    separate(out);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn separate(out: &mut Vec<u8>) {
    if out.len() > "OAuth ".len() {
        out.extend_from_slice(b", ");
    }
}

/// Writes the realm, without encoding. Writes nothing and returns `false` if a header cannot carry
/// it.
pub(super) fn append_realm(out: &mut String, realm: &str) -> bool {
    if !realm.chars().all(|char| matches!(char, ' '..='~')) {
        return false;
    }
    out.push_str("realm=\"");
    for char in realm.chars() {
        if matches!(char, '"' | '\\') {
            out.push('\\');
        }
        out.push(char);
    }
    out.push('"');
    true
}

/// A parameter of the challenges in a `WWW-Authenticate` header, unquoted. Skips the contents of
/// quoted strings.
pub(super) fn parameter_of_challenges(value: &[u8], wanted: &str) -> Option<String> {
    let value = String::from_utf8_lossy(value);
    let mut rest = &*value;
    while !rest.is_empty() {
        let end = rest.find(['=', ',', ' ', '\t', '"']);
        let (name, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let after = after.trim_ascii_start();
        let Some(after) = after.strip_prefix('=') else {
            rest = match after.chars().next() {
                Some('"') => quoted(after)?.1,
                Some(',') => after.strip_prefix(',')?,
                _ => after,
            };
            continue;
        };
        let after = after.trim_ascii_start();
        let (value, tail) = match after.starts_with('"') {
            true => quoted(after)?,
            false => {
                let end = after.find([',', ' ', '\t', '"']);
                let (word, tail) = after.split_at_checked(end.unwrap_or(after.len()))?;
                (word.to_owned(), tail)
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = tail;
    }
    None
}

/// Reads a quoted string at the start. Returns it unquoted, and the rest; `None` if it does not
/// end.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some((out, chars.as_str())),
            '\\' => out.push(chars.next()?),
            char => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_of_a_challenge_is_found_outside_of_quoted_strings_only() {
        let find = |value: &[u8]| parameter_of_challenges(value, "oauth_problem");
        for (value, word) in [
            (&br#"OAuth realm="a", oauth_problem="token_rejected""#[..], Some("token_rejected")),
            (br#"OAuth realm="oauth_problem=x", oauth_problem=token_used"#, Some("token_used")),
            (br#"OAuth realm="a, oauth_problem=\"x\"",oauth_problem=y,z=1"#, Some("y")),
            (b"OAuth realm=\"\xfc\", OAUTH_PROBLEM = \"y\"", Some("y")),
            (br#"Bearer error="a b", OAuth oauth_problem="y""#, Some("y")),
            (br#"Negotiate abc==, OAuth oauth_problem="y""#, Some("y")),
            (br#"OAuth oauth_problem_advice="x""#, None),
            (br#"OAuth realm="oauth_problem=x""#, None),
            (br#"OAuth realm="oauth_problem=x"#, None),
            (b"OAuth", None),
            (b"", None),
            (b"====", None),
            (br#"",","#, None),
        ] {
            assert_eq!(find(value).as_deref(), word, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_name_that_was_not_encoded_makes_the_header_malformed() {
        for bad in ["a b=\"c\"", "\"a\"=\"c\"", "a\"b=c", "\u{fc}=c", "=c", "a/b=c", "a\tb=c"] {
            assert_eq!(parse(bad.as_bytes()), Err(RequestError::HeaderMalformed), "{bad}");
        }
        assert_eq!(parse(b"a%20b = \"c\"").unwrap(), [("a b".into(), "c".into())]);
    }

    #[test]
    fn texts_are_read_alike_whether_they_need_an_encoding_or_not() {
        let header = br#"a="b", c%2Dd="e%2Df",g="",h=i , j = "k~", realm="l",realm="l m""#;
        let pairs = [
            ("a", "b"),
            ("c-d", "e-f"),
            ("g", ""),
            ("h", "i"),
            ("j", "k~"),
            ("realm", "l"),
            ("realm", "l m"),
        ];
        assert_eq!(parse(header).unwrap(), pairs.map(|(name, value)| (name.into(), value.into())));
        for bad in [r#"a="b"c="d""#, r#"a="b" c"#, r#"a="b"#, r#"="b""#, r#"a"#, r#"a="b c%""#] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_realm_is_any_bytes_and_nothing_else_is() {
        for (realm, read) in [
            (&b"\"caf\xe9\""[..], "caf\u{fffd}"),
            (b"\"caf\xc3\xa9\"", "caf\u{e9}"),
            (b"\"a\\\"\xe9\"", "a\"\u{fffd}"),
            (b"caf\xe9", "caf\u{fffd}"),
            (b"\"\xff, oauth_token=x\"", "\u{fffd}, oauth_token=x"),
        ] {
            let header = [b"realm=", realm, b", a=b"].concat();
            let pairs = [("realm".into(), read.into()), ("a".into(), "b".into())];
            assert_eq!(parse(&header).unwrap(), pairs, "{}", header.escape_ascii());
        }
        for bad in [&b"a=\"\xe9\""[..], b"a=\xc3\xa9", b"\xe9=a", b"re\xe9alm=\"a\""] {
            let read = parse(bad);
            assert_eq!(read, Err(RequestError::HeaderMalformed), "{}", bad.escape_ascii());
        }
    }
}
