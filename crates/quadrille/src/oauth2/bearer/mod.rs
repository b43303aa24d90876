//! Bearer tokens (RFC 6750): sending, reading, and the challenge of a resource.

mod challenge;

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use super::ErrorCode;
use crate::{Secret, form::Params};

pub use challenge::Challenge;

/// The reason why no bearer token can be read from a request.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::oauth2::bearer::{self, BearerError};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("authorization", "Bearer two words".parse()?);
/// assert_eq!(bearer::from_headers(&headers), Err(BearerError::Malformed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BearerError {
    /// There is more than one token, or a token in more than one place (RFC 6750, section 2).
    #[error("the request carries more than one access token")]
    Several,
    /// The text after `Bearer` is not a token (RFC 6750, section 2.1).
    #[error("the access token is malformed")]
    Malformed,
}

impl BearerError {
    /// The error code (RFC 6750, section 3.1).
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Several => ErrorCode::InvalidRequest,
            Self::Malformed => ErrorCode::InvalidToken,
        }
    }
}

/// The token of the `Authorization` header (RFC 6750, section 2.1); `None` without the header or
/// with another scheme.
///
/// # Errors
/// [`BearerError`].
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use quadrille::oauth2::bearer::{self, BearerError};
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(bearer::from_headers(&headers), Ok(None));
/// headers.insert("authorization", HeaderValue::from_static("bearer mF_9.B5f-4.1JqM"));
/// assert_eq!(bearer::from_headers(&headers), Ok(Some("mF_9.B5f-4.1JqM")));
/// headers.append("authorization", HeaderValue::from_static("Bearer other"));
/// assert_eq!(bearer::from_headers(&headers), Err(BearerError::Several));
/// ```
pub fn from_headers(headers: &HeaderMap) -> Result<Option<&str>, BearerError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let more = values.next().is_some();
    let bytes = value.as_bytes();
    let is_bearer = bytes.split_first_chunk::<6>().is_some_and(|(scheme, rest)| {
        scheme.eq_ignore_ascii_case(b"bearer")
            && rest.first().is_none_or(|byte| matches!(byte, b' ' | b'\t'))
    });
    if !is_bearer {
        return Ok(None);
    }
    if more {
        return Err(BearerError::Several);
    }
    let token = bytes.get(7..).unwrap_or_default().trim_ascii();
    match std::str::from_utf8(token) {
        Ok(token) if is_token(token) => Ok(Some(token)),
        _ => Err(BearerError::Malformed),
    }
}

/// The token of a form body (RFC 6750, section 2.2), which a resource may accept from clients that
/// cannot set a header.
///
/// # Errors
/// [`BearerError`].
///
/// ```
/// use quadrille::{form::Params, oauth2::bearer};
///
/// let body = Params::parse(b"access_token=mF_9.B5f-4.1JqM")?;
/// assert_eq!(bearer::from_form(&body)?, Some("mF_9.B5f-4.1JqM"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_form<'p>(body: &'p Params<'_>) -> Result<Option<&'p str>, BearerError> {
    match body.one("access_token") {
        Ok(Some(token)) if is_token(token) => Ok(Some(token)),
        Ok(Some(_)) => Err(BearerError::Malformed),
        Ok(None) => Ok(None),
        Err(_) => Err(BearerError::Several),
    }
}

/// The token of a query (RFC 6750, section 2.3). Gives up: URLs with the token end up in logs,
/// histories and `Referer` headers.
///
/// # Errors
/// [`BearerError`].
pub fn from_query_which_leaks_tokens_into_logs<'p>(
    query: &'p Params<'_>,
) -> Result<Option<&'p str>, BearerError> {
    from_form(query)
}

/// The `Authorization` header with `token` (RFC 6750, section 2.1), marked sensitive; `None` if the
/// token has a character that no token may contain.
///
/// ```
/// use quadrille::{Secret, oauth2::bearer};
///
/// assert_eq!(bearer::header(&Secret::from("abc")).unwrap(), "Bearer abc");
/// assert_eq!(bearer::header(&Secret::from("abc\r\nx: y")), None);
/// ```
pub fn header(token: &Secret) -> Option<HeaderValue> {
    let token = token.expose();
    // Some services issue tokens with characters outside of b64token, such as `|`.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut text = String::with_capacity(7 + token.len());
    text.push_str("Bearer ");
    text.push_str(token);
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `b64token` (RFC 6750, section 2.1).
pub(crate) fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    // `all` is slower: a loop without a branch looks at many bytes at a time.
    !body.is_empty() && body.bytes().fold(true, |good, byte| good & is_token_byte(byte))
}

const fn is_token_byte(byte: u8) -> bool {
    // One comparison for `-`, `.`, `/` and the digits, which follow each other.
    byte.is_ascii_alphabetic() | matches!(byte, b'-'..=b'9' | b'_' | b'~' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static [u8]) -> Result<Option<String>, BearerError> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        from_headers(&headers).map(|token| token.map(str::to_owned))
    }

    #[test]
    fn a_header_is_a_token_or_another_scheme_or_malformed() {
        assert_eq!(read(b"Bearer abc="), Ok(Some("abc=".to_owned())));
        assert_eq!(read(b"BEARER  abc"), Ok(Some("abc".to_owned())));
        assert_eq!(read(b"Bearer\tabc"), Ok(Some("abc".to_owned())));
        for other in [&b"Basic abc"[..], b"Bearerabc", b"", b"OAuth x=\"y\"", b"DPoP abc"] {
            assert_eq!(read(other), Ok(None), "{}", other.escape_ascii());
        }
        for malformed in
            [&b"Bearer"[..], b"Bearer ", b"Bearer a b", b"Bearer =", b"Bearer a=b", b"Bearer \xff"]
        {
            assert_eq!(
                read(malformed),
                Err(BearerError::Malformed),
                "{}",
                malformed.escape_ascii()
            );
        }
    }

    #[test]
    fn a_token_has_the_characters_of_the_grammar() {
        for byte in 0..=u8::MAX {
            let is_in_grammar = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_token_byte(byte), is_in_grammar, "{}", byte.escape_ascii());
        }
    }

    #[test]
    fn a_token_in_a_body_is_held_to_the_same_syntax() {
        let read = |body: &'static str| {
            let params = Params::parse(body.as_bytes()).unwrap();
            from_form(&params).map(|token| token.map(str::to_owned))
        };
        assert_eq!(read("x=y&access_token="), Ok(None));
        assert_eq!(read("access_token=a%20b"), Err(BearerError::Malformed));
        assert_eq!(read("access_token=a&access_token=a"), Err(BearerError::Several));
        assert_eq!(Challenge::from(BearerError::Malformed).status(), 401);
        assert_eq!(Challenge::from(BearerError::Several).status(), 400);
    }
}
