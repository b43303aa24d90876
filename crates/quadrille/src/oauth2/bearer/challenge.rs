//! The challenge of a resource (RFC 6750, section 3).

use std::fmt::{self, Write as _};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, WWW_AUTHENTICATE},
};

use super::BearerError;
use crate::oauth2::{ErrorCode, ErrorResponse};

/// The challenge of a resource to a request whose token is missing, invalid or insufficient (RFC
/// 6750, section 3).
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
    /// The realm.
    pub realm: Option<Box<str>>,
    /// The required scopes, separated by spaces.
    pub scope: Option<Box<str>>,
    /// The error of the credentials; `None` if the request has none.
    pub error: Option<ErrorResponse>,
    /// Further parameters, such as `resource_metadata` (RFC 9728).
    pub extra: Vec<(Box<str>, Box<str>)>,
}

impl Challenge {
    /// A challenge without parameters.
    pub const fn new() -> Self {
        Self { realm: None, scope: None, error: None, extra: Vec::new() }
    }

    /// Sets the realm.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Sets the required scopes, separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope).filter(|scope| !scope.is_empty()).map(Box::from);
        self
    }

    /// Sets the error, with a description for the developer of the client.
    #[must_use]
    pub fn error(mut self, code: ErrorCode, description: &'static str) -> Self {
        self.error = Some(ErrorResponse::new(code).describe(description));
        self
    }

    /// Adds a parameter. Its name must be an HTTP token.
    #[must_use]
    pub fn extra(mut self, name: &str, value: &str) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// The status of the error; 401 without one.
    pub fn status(&self) -> StatusCode {
        self.error.as_ref().map_or(StatusCode::UNAUTHORIZED, |error| error.error.status())
    }

    /// The value of a `WWW-Authenticate` header, for a response with a body of its own.
    pub fn to_header_value(&self) -> HeaderValue {
        // Only printable ASCII is displayed.
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static("Bearer"))
    }

    /// The response: status, challenge and an empty body, with `Cache-Control: no-store`.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(WWW_AUTHENTICATE, self.to_header_value());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The bearer challenges of a response, in one header or several, beside any others. Skips
    /// malformed ones.
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

/// The value of the header. Omits characters that a value must not contain (RFC 6750, section 3).
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

/// Whether a challenge's value may contain the character (RFC 6750, section 3).
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
}
