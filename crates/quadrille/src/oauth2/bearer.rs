//! Bearer tokens (RFC 6750): how a client shows one, how a resource reads it, and what a resource
//! says when it is not enough.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE},
};

use super::{ErrorCode, form::Params};
use crate::Secret;

/// Why a bearer token could not be read from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BearerError {
    /// There is more than one token, or a token in more than one place (RFC 6750, section 2).
    #[error("the request carries more than one access token")]
    Several,
    /// What stands behind `Bearer` is not a token (RFC 6750, section 2.1).
    #[error("the access token is malformed")]
    Malformed,
}

impl BearerError {
    /// The code on the wire (RFC 6750, section 3.1).
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Several => ErrorCode::InvalidRequest,
            Self::Malformed => ErrorCode::InvalidToken,
        }
    }
}

/// The token in the `Authorization` header (RFC 6750, section 2.1). `None` when there is none, or
/// the header is of another scheme.
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
        scheme.eq_ignore_ascii_case(b"bearer") && rest.first().is_none_or(|byte| *byte == b' ')
    });
    if !is_bearer {
        return Ok(None);
    }
    if more {
        return Err(BearerError::Several);
    }
    let token = value.to_str().ok().and_then(|text| text.split_once(' ')).map(|(_, token)| token);
    match token.map(str::trim_ascii) {
        Some(token) if is_token(token) => Ok(Some(token)),
        _ => Err(BearerError::Malformed),
    }
}

/// The token in a form body (RFC 6750, section 2.2), which a resource may accept beside the header
/// from clients that cannot set one.
///
/// # Errors
/// [`BearerError`].
///
/// ```
/// use quadrille::oauth2::{bearer, form::Params};
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

/// The `Authorization` header that shows `token` (RFC 6750, section 2.1), marked sensitive. `None`
/// when it holds a character that no token may hold.
///
/// ```
/// use quadrille::{Secret, oauth2::bearer};
///
/// assert_eq!(bearer::header(&Secret::from("abc")).unwrap(), "Bearer abc");
/// assert_eq!(bearer::header(&Secret::from("abc\r\nx: y")), None);
/// ```
pub fn header(token: &Secret) -> Option<HeaderValue> {
    let token = token.expose();
    // Some services make tokens with characters outside b64token, such as `|`.
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

/// What a resource answers when the token is missing, not good, or not good enough (RFC 6750,
/// section 3).
///
/// ```
/// use quadrille::oauth2::{ErrorCode, bearer::Challenge};
///
/// // Nothing came: no error is named (section 3.1).
/// let challenge = Challenge::new().realm("photos").scope("photos:read");
/// assert_eq!(challenge.status(), 401);
/// assert_eq!(challenge.to_string(), r#"Bearer realm="photos", scope="photos:read""#);
///
/// let challenge = Challenge::new().error(ErrorCode::InsufficientScope, "more is needed");
/// assert_eq!(challenge.status(), 403);
/// assert_eq!(
///     challenge.to_string(),
///     r#"Bearer error="insufficient_scope", error_description="more is needed""#,
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    realm: Option<Box<str>>,
    scope: Option<Box<str>>,
    error: Option<(ErrorCode, &'static str)>,
}

impl Challenge {
    /// Just `Bearer`.
    pub const fn new() -> Self {
        Self { realm: None, scope: None, error: None }
    }

    /// What is protected. Characters that cannot stand in a quoted text are left out.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.realm = Some(quotable(realm));
        self
    }

    /// The scopes that are needed, separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(quotable(scope)).filter(|scope| !scope.is_empty());
        self
    }

    /// What was wrong, and words for the developer of the client.
    #[must_use]
    pub fn error(mut self, code: ErrorCode, description: &'static str) -> Self {
        self.error = Some((code, description));
        self
    }

    /// 401, or what the error says.
    pub fn status(&self) -> StatusCode {
        self.error.as_ref().map_or(StatusCode::UNAUTHORIZED, |(code, _)| code.status())
    }

    /// The answer: the status, the challenge and an empty body that nobody may keep.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status();
        if let Ok(value) = HeaderValue::try_from(self.to_string()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl std::fmt::Display for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")?;
        let parameters = [
            ("realm", self.realm.as_deref()),
            ("scope", self.scope.as_deref()),
            ("error", self.error.as_ref().map(|(code, _)| code.as_str())),
            ("error_description", self.error.as_ref().map(|(_, description)| *description)),
        ];
        let mut separator = " ";
        for (name, value) in parameters {
            if let Some(value) = value {
                write!(f, "{separator}{name}=\"{value}\"")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// `b64token` (RFC 6750, section 2.1).
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

fn quotable(text: &str) -> Box<str> {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
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
    fn a_challenge_cannot_be_broken_out_of() {
        let challenge = Challenge::new().realm("a\"b\r\nx").scope("");
        assert_eq!(challenge.to_string(), "Bearer realm=\"abx\"");
    }
}
