//! Bearer tokens (RFC 6750): how a client shows one, how a resource reads it, and what a resource
//! says when it is not enough.

use std::fmt::{self, Write as _};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE},
};

use super::{ErrorCode, ErrorResponse, form::Params};
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

/// The token in a query (RFC 6750, section 2.3). What is given up: URLs are kept in logs and
/// histories and sent on in `Referer`, and the token with them.
///
/// # Errors
/// [`BearerError`].
pub fn from_query_which_leaks_tokens_into_logs<'p>(
    query: &'p Params<'_>,
) -> Result<Option<&'p str>, BearerError> {
    from_form(query)
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
#[non_exhaustive]
pub struct Challenge {
    /// What is protected.
    pub realm: Option<Box<str>>,
    /// The scopes that are needed, separated by spaces.
    pub scope: Option<Box<str>>,
    /// What was wrong with the credentials; `None` when none came.
    pub error: Option<ErrorResponse>,
    /// Further parameters, such as `resource_metadata` (RFC 9728).
    pub extra: Vec<(Box<str>, Box<str>)>,
}

impl Challenge {
    /// Just `Bearer`.
    pub const fn new() -> Self {
        Self { realm: None, scope: None, error: None, extra: Vec::new() }
    }

    /// What is protected.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// The scopes that are needed, separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope).filter(|scope| !scope.is_empty()).map(Box::from);
        self
    }

    /// What was wrong, and words for the developer of the client.
    #[must_use]
    pub fn error(mut self, code: ErrorCode, description: &'static str) -> Self {
        self.error = Some(ErrorResponse::new(code).describe(description));
        self
    }

    /// A further parameter. Its name must be an HTTP token.
    #[must_use]
    pub fn extra(mut self, name: &str, value: &str) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// 401, or what the error says.
    pub fn status(&self) -> StatusCode {
        self.error.as_ref().map_or(StatusCode::UNAUTHORIZED, |error| error.error.status())
    }

    /// The value of a `WWW-Authenticate` header, for answers that have more to say.
    pub fn to_header_value(&self) -> HeaderValue {
        // Only printable ASCII is displayed.
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static("Bearer"))
    }

    /// The answer: the status, the challenge and an empty body that nobody may keep.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(WWW_AUTHENTICATE, self.to_header_value());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The bearer challenges of an answer, whatever others stand beside them, in one header or in
    /// several. What is malformed is left out.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue};
    /// use quadrille::oauth2::{ErrorCode, bearer::Challenge};
    ///
    /// let mut headers = HeaderMap::new();
    /// let value = r#"Basic realm="a, b", Bearer error="invalid_token", error_description="late""#;
    /// headers.insert("www-authenticate", HeaderValue::from_static(value));
    /// let challenges = Challenge::parse_all(&headers);
    /// assert_eq!(challenges, [Challenge::new().error(ErrorCode::InvalidToken, "late")]);
    /// ```
    pub fn parse_all(headers: &HeaderMap) -> Vec<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        values.filter_map(|value| value.to_str().ok()).flat_map(parse_challenges).collect()
    }

    fn set(&mut self, name: &str, value: String) {
        match name.to_ascii_lowercase().as_str() {
            "realm" => self.realm = Some(value.into()),
            "scope" => self.scope = Some(value.into()),
            "error" => self.error_mut().error = value.as_str().into(),
            "error_description" => self.error_mut().set_description(&value),
            "error_uri" => self.error_mut().set_uri(&value),
            name => self.extra.push((name.into(), value.into())),
        }
    }

    fn error_mut(&mut self) -> &mut ErrorResponse {
        self.error.get_or_insert_with(|| ErrorResponse::new("".into()))
    }
}

impl From<BearerError> for Challenge {
    fn from(error: BearerError) -> Self {
        let response = ErrorResponse::new(error.code()).describe(error.to_string());
        Self { error: Some(response), ..Self::new() }
    }
}

/// As it stands in the header. Characters that must not stand in a value are left out (RFC 6750,
/// section 3).
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")?;
        let error = self.error.as_ref();
        let parameters = [
            ("realm", self.realm.as_deref()),
            ("scope", self.scope.as_deref()),
            ("error", error.map(|error| error.error.as_str())),
            ("error_description", error.and_then(|error| error.error_description.as_deref())),
            ("error_uri", error.and_then(|error| error.error_uri.as_deref())),
        ];
        let named = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let extra = self.extra.iter().map(|(name, value)| (&**name, &**value));
        let mut separator = " ";
        for (name, value) in named.chain(extra.filter(|(name, _)| is_name(name))) {
            write!(f, "{separator}{name}=\"")?;
            value
                .chars()
                .filter(|char| is_quotable(*char))
                .try_for_each(|char| f.write_char(char))?;
            f.write_char('"')?;
            separator = ", ";
        }
        Ok(())
    }
}

/// The `Bearer` challenges in one header's value (RFC 9110, section 11.6.1), where a comma may
/// separate parameters or challenges.
fn parse_challenges(value: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut current: Option<Challenge> = None;
    for part in split_unquoted(value).map(str::trim) {
        let (scheme, parameter) = match part.split_once(' ') {
            // "Bearer realm=..." begins a challenge, "realm = x" does not.
            Some((scheme, rest)) if is_name(scheme) && !rest.trim_start().starts_with('=') => {
                (Some(scheme), rest)
            }
            None if is_name(part) => (Some(part), ""),
            _ => (None, part),
        };
        if let Some(scheme) = scheme {
            found.extend(current.take());
            current = scheme.eq_ignore_ascii_case("bearer").then(Challenge::new);
        }
        if let (Some(challenge), Some((name, value))) = (&mut current, parameter.split_once('=')) {
            challenge.set(name.trim(), unquote(value.trim()));
        }
    }
    found.extend(current);
    found
}

/// Splits at commas outside quoted strings.
fn split_unquoted(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |char| {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    })
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        out.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    out
}

/// `b64token` (RFC 6750, section 2.1).
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

/// What may stand in a value of a challenge (RFC 6750, section 3).
const fn is_quotable(char: char) -> bool {
    matches!(char, ' '..='~') && !matches!(char, '"' | '\\')
}

/// `token` (RFC 9110, section 5.6.2).
fn is_name(text: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(valid)
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
        let challenge = Challenge::new().realm("a\"b\r\nx\\").scope("").extra("a\r\nb", "c");
        assert_eq!(challenge.to_string(), "Bearer realm=\"abx\"");
    }

    #[test]
    fn a_challenge_is_read_back_as_it_was_written() {
        let challenge = Challenge::new()
            .realm("a, b=c")
            .scope("photos:read photos:write")
            .error(ErrorCode::InvalidToken, "the token has expired")
            .extra("resource_metadata", "https://api.example/.well-known/oauth-protected-resource");
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, challenge.to_header_value())]);
        assert_eq!(Challenge::parse_all(&headers), [challenge]);
    }

    #[test]
    fn challenges_in_one_header_are_told_apart() {
        for (value, expected) in [
            ("Bearer", 1),
            ("bearer , Basic realm=\"x\"", 1),
            ("Bearer realm=\"a\", Bearer realm=\"b\"", 2),
            ("Basic realm=\"Bearer x\"", 0),
            ("Basic realm=\"a\\\", Bearer x=y\"", 0),
            ("", 0),
            (",,=,\"", 0),
        ] {
            let found = parse_challenges(value);
            assert_eq!(found.len(), expected, "{value}: {found:?}");
        }
        let found =
            parse_challenges("Negotiate YWJj==, Bearer REALM = x,scope=\"a \\b\"").remove(0);
        assert_eq!(found, Challenge::new().realm("x").scope("a b"));
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
