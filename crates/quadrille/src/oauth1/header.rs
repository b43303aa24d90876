//! The `Authorization` header with the scheme `OAuth` (RFC 5849, section 3.5.1).

use std::borrow::Cow;

use http::{HeaderMap, header::AUTHORIZATION};

use super::{
    RequestError,
    encoding::{decode, encode_into},
};

/// What may stand in it before decoding: as much as servers take in one header.
const LONGEST: usize = 16 * 1024;
const MOST: usize = 64;

pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The text after the scheme; `None` when no credentials of this scheme came.
pub(super) fn find(headers: &HeaderMap) -> Result<Option<&str>, RequestError> {
    let mut found = None;
    for value in headers.get_all(AUTHORIZATION) {
        let bytes = value.as_bytes();
        let scheme = bytes.get(..5).unwrap_or_default();
        let is_ours = scheme.eq_ignore_ascii_case(b"OAuth")
            && bytes.get(5).is_none_or(u8::is_ascii_whitespace);
        if !is_ours {
            continue;
        }
        let text = value.to_str().map_err(|_| RequestError::HeaderMalformed)?;
        if found.replace(text.get(5..).unwrap_or_default()).is_some() {
            return Err(RequestError::SeveralPlaces);
        }
    }
    Ok(found)
}

/// Whether a request's credentials are of another scheme.
pub(super) fn is_of_another_scheme(headers: &HeaderMap) -> bool {
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
        let name = decode(name.trim_end())?;
        if name.is_empty() {
            return Err(RequestError::HeaderMalformed);
        }
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

/// Writes the realm, which is not encoded. What must not stand in a quoted string is left out.
pub(super) fn append_realm(out: &mut String, realm: &str) {
    out.push_str("realm=\"");
    let printable = realm.chars().filter(|char| matches!(char, ' '..='~'));
    for char in printable {
        if matches!(char, '"' | '\\') {
            out.push('\\');
        }
        out.push(char);
    }
    out.push('"');
}
