//! The `Authorization` header with the scheme `OAuth` (RFC 5849, section 3.5.1).

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::oauth2::form::is_unreserved;

use super::{
    RequestError,
    encoding::{decode, encode_into},
};

/// What may stand in it before decoding: as much as servers take in one header.
const LONGEST: usize = 16 * 1024;
const MOST: usize = 64;

pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The text after the scheme; `None` when no credentials of this scheme came. This is the one place
/// that tells the scheme.
///
/// # Errors
/// [`RequestError::SeveralPlaces`] when others came beside them, of whatever scheme.
pub(super) fn find(headers: &HeaderMap) -> Result<Option<&str>, RequestError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        let is_ours = |value: &HeaderValue| text_after_scheme(value.as_bytes()).is_some();
        let any = headers.get_all(AUTHORIZATION).iter().any(is_ours);
        return if any { Err(RequestError::SeveralPlaces) } else { Ok(None) };
    }
    let Some(text) = text_after_scheme(first.as_bytes()) else { return Ok(None) };
    std::str::from_utf8(text)
        .ok()
        .filter(|text| text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')))
        .map(Some)
        .ok_or(RequestError::HeaderMalformed)
}

/// What follows the scheme, if it is `OAuth`.
fn text_after_scheme(value: &[u8]) -> Option<&[u8]> {
    let (scheme, text) = value.split_first_chunk::<5>()?;
    let is_ours = scheme.eq_ignore_ascii_case(b"OAuth")
        && text.first().is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    is_ours.then_some(text)
}

/// Whether a request has credentials of any scheme.
pub(super) fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

/// Names and values, decoded, `realm` among them. A realm is a quoted string and not encoded.
pub(super) fn parse(text: &str) -> Result<Vec<Pair<'_>>, RequestError> {
    if text.len() > LONGEST {
        return Err(RequestError::TooLong);
    }
    let mut pairs = Vec::with_capacity(8);
    let mut rest = text.trim();
    while !rest.is_empty() {
        // Empty elements of a list count for nothing (RFC 9110, section 5.6.1.2).
        if let Some(tail) = rest.strip_prefix(',') {
            rest = tail.trim_start();
            continue;
        }
        if pairs.len() == MOST {
            return Err(RequestError::TooMany);
        }
        let (name, tail) = rest.split_once('=').ok_or(RequestError::HeaderMalformed)?;
        let name = name.trim_end();
        // Anything else would have been encoded (RFC 5849, section 3.5.1).
        if name.is_empty() || !name.bytes().all(|byte| is_unreserved(byte) || byte == b'%') {
            return Err(RequestError::HeaderMalformed);
        }
        let name = decode(name)?;
        let (value, tail) = value(tail.trim_start())?;
        let value = match &*name {
            "realm" => value,
            _ => match value {
                Cow::Borrowed(raw) => decode(raw)?,
                // An escaped character is none that encoded values have.
                Cow::Owned(_) => return Err(RequestError::HeaderMalformed),
            },
        };
        pairs.push((name, value));
        rest = tail.trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return Err(RequestError::HeaderMalformed);
        }
    }
    Ok(pairs)
}

/// A quoted string, or, as some clients write it, a bare word; and what follows.
fn value(text: &str) -> Result<(Cow<'_, str>, &str), RequestError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|char: char| char == ',' || char.is_ascii_whitespace());
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        return match word.contains('"') {
            true => Err(RequestError::HeaderMalformed),
            false => Ok((Cow::Borrowed(word), rest)),
        };
    };
    let end = quoted.find(['"', '\\']).ok_or(RequestError::HeaderMalformed)?;
    let (plain, rest) = quoted.split_at(end);
    if let Some(rest) = rest.strip_prefix('"') {
        return Ok((Cow::Borrowed(plain), rest));
    }
    let mut unescaped = plain.to_owned();
    let mut chars = rest.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => return Ok((Cow::Owned(unescaped), chars.as_str())),
            '\\' => unescaped.push(chars.next().ok_or(RequestError::HeaderMalformed)?),
            char => unescaped.push(char),
        }
    }
    Err(RequestError::HeaderMalformed)
}

/// Writes `name="value"`, percent-encoded.
pub(super) fn append(out: &mut Vec<u8>, name: &str, value: &str) {
    separate(out);
    encode_into(out, name.as_bytes());
    out.extend_from_slice(b"=\"");
    encode_into(out, value.as_bytes());
    out.push(b'"');
}

/// Writes `name="value"` of what needs no encoding.
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

/// Writes the realm, which is not encoded; `false` when it holds what no header carries, and nothing
/// is written.
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

/// A parameter of the challenges in a `WWW-Authenticate` header, unquoted. What stands inside of a
/// quoted string is no parameter.
pub(super) fn parameter_of_challenges(value: &[u8], wanted: &str) -> Option<String> {
    let mut rest = value;
    while !rest.is_empty() {
        // A name, after separators or a scheme.
        let end = rest.iter().position(|byte| matches!(byte, b'=' | b',' | b' ' | b'\t' | b'"'));
        let (name, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let after = after.trim_ascii_start();
        let Some(after) = after.strip_prefix(b"=") else {
            rest = match after.split_first() {
                Some((b'"', _)) => quoted(after)?.1,
                Some((b',', tail)) => tail,
                _ => after,
            };
            continue;
        };
        let after = after.trim_ascii_start();
        let (value, tail) = match after.first() {
            Some(b'"') => quoted(after)?,
            _ => {
                let end = after.iter().position(|byte| matches!(byte, b',' | b' ' | b'\t' | b'"'));
                let (word, tail) = after.split_at_checked(end.unwrap_or(after.len()))?;
                (word.to_vec(), tail)
            }
        };
        if name.eq_ignore_ascii_case(wanted.as_bytes()) {
            return String::from_utf8(value).ok();
        }
        rest = tail;
    }
    None
}

/// A quoted string at the start, unquoted, and what follows; `None` when it does not end.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        let (byte, tail) = rest.split_first()?;
        rest = tail;
        match byte {
            b'"' => return Some((out, rest)),
            b'\\' => {
                let (escaped, tail) = rest.split_first()?;
                out.push(*escaped);
                rest = tail;
            }
            byte => out.push(*byte),
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
            assert_eq!(parse(bad), Err(RequestError::HeaderMalformed), "{bad}");
        }
        assert_eq!(parse("a%20b = \"c\"").unwrap(), [("a b".into(), "c".into())]);
    }
}
