//! The response of the token endpoint (RFC 6749, section 5).

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::{
    Scopes, Secret,
    form::Params,
    json::JsonObject,
    oauth2::{
        ErrorResponse, answer,
        error::{is_error, json_response},
        member::MemberPath,
    },
    scope::ScopeSeparator,
};

/// The type of an access token.
///
/// ```
/// use quadrille::oauth2::TokenType;
///
/// assert_eq!(TokenType::from("bearer"), TokenType::Bearer);
/// assert_eq!(TokenType::Bearer.as_str(), "Bearer");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// A bearer token (RFC 6750).
    #[default]
    Bearer,
    /// A token bound to a key, with a proof in every request (RFC 9449).
    Dpop,
    /// Another type.
    Other(Box<str>),
}

impl TokenType {
    /// The value in a message.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for TokenType {
    fn from(text: &str) -> Self {
        if text.eq_ignore_ascii_case("bearer") {
            Self::Bearer
        } else if text.eq_ignore_ascii_case("dpop") {
            Self::Dpop
        } else {
            Self::Other(text.into())
        }
    }
}

/// A successful response of the token endpoint (RFC 6749, section 5.1).
///
/// ```
/// use std::time::Duration;
/// use quadrille::{Scopes, oauth2::TokenResponse, scope::ScopeSeparator};
///
/// let mut tokens = TokenResponse::new("2YotnFZFEjr1zCsicMWpAA");
/// tokens.expires_in = Some(Duration::from_secs(3600));
/// tokens.scope = Some(Scopes::parse("photos:read")?);
/// let response = tokens.to_response();
/// assert_eq!(response.headers()["cache-control"], "no-store");
/// assert_eq!(TokenResponse::parse(&response, ScopeSeparator::Space)?, tokens);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// The token type; [`TokenType::Bearer`] if the service omits it.
    pub token_type: TokenType,
    /// The lifetime of the access token from the response on, in whole seconds on the wire; `None`
    /// if the service omits it.
    pub expires_in: Option<Duration>,
    /// A refresh token.
    pub refresh_token: Option<Secret>,
    /// The scopes granted; `None` means those requested.
    pub scope: Option<Scopes>,
    /// All other members, as received: `id_token` and a service's own.
    pub extra: Map<String, Value>,
}

impl TokenResponse {
    /// A response with only a bearer token.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access_token: access_token.into(),
            token_type: TokenType::Bearer,
            expires_in: None,
            refresh_token: None,
            scope: None,
            extra: Map::new(),
        }
    }

    /// The response of the token endpoint, with `Cache-Control: no-store`.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut object = JsonObject::with_capacity(320);
        object.string("access_token", self.access_token.expose());
        object.string("token_type", self.token_type.as_str());
        if let Some(duration) = self.expires_in {
            object.number("expires_in", duration.as_secs());
        }
        if let Some(token) = &self.refresh_token {
            object.string("refresh_token", token.expose());
        }
        if let Some(scope) = self.scope.as_ref().filter(|scope| !scope.is_empty()) {
            object.string("scope", scope.as_str());
        }
        for (name, value) in &self.extra {
            object.value(name, value);
        }
        json_response(StatusCode::OK, object.finish())
    }

    /// Reads the response of a token endpoint in all shapes of real services: JSON or a form
    /// whatever the content type, errors with status 200, `expires_in` as a text, a fraction or
    /// named `expires` (zero and less count as missing), `scope` as an array or separated by
    /// commas, no `token_type`, an empty `error`, a byte order mark, and bytes that are not UTF-8
    /// in members that nobody reads.
    ///
    /// # Errors
    /// [`TokenResponseError`].
    pub fn parse(
        response: &Response<Bytes>,
        separator: ScopeSeparator,
    ) -> Result<Self, TokenResponseError> {
        Self::parse_at(response, separator, None)
    }

    /// [`TokenResponse::parse`] for a response with the access token at `path` and the other
    /// members beside it.
    pub(crate) fn parse_at(
        response: &Response<Bytes>,
        separator: ScopeSeparator,
        path: Option<&MemberPath>,
    ) -> Result<Self, TokenResponseError> {
        let status = response.status();
        let unreadable = || match status.is_success() {
            true => TokenResponseError::Unreadable,
            false => TokenResponseError::Status(status),
        };
        let whole = members(response.body()).ok_or_else(unreadable)?;
        let text = answer::text(response.body());
        let (mut members, name) = match path {
            None => (whole, Some("access_token")),
            Some(_) if says_error(&whole) => (whole, None),
            Some(path) => match path.among(&text, &whole) {
                Some((members, name)) => (members, Some(name)),
                None => (whole, None),
            },
        };
        let is_refused = says_error(&members);
        let access_token = name.and_then(|name| members.remove(name)).and_then(into_text);
        let access_token = match access_token {
            Some(token) if status.is_success() && !is_refused => token,
            token => {
                return Err(match ErrorResponse::from_json(&Value::Object(members)) {
                    Some(error) => TokenResponseError::Refused { status, error },
                    None if !status.is_success() => TokenResponseError::Status(status),
                    None if token.is_some() => TokenResponseError::Unreadable,
                    None => TokenResponseError::MissingAccessToken,
                });
            }
        };
        if !access_token.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return Err(TokenResponseError::MalformedAccessToken);
        }
        let is_utf8 = matches!(text, Cow::Borrowed(_));
        let is_exact = |text: &String| is_utf8 || !text.contains(answer::UNREADABLE);
        Ok(Self::of_members(access_token.into(), members, separator, is_exact))
    }

    /// The response with this access token and these other members. A refresh token that is not
    /// exactly as it was sent counts as missing.
    pub(in crate::oauth2) fn of_members(
        access_token: Secret,
        mut members: Map<String, Value>,
        separator: ScopeSeparator,
        is_exact: impl FnOnce(&String) -> bool,
    ) -> Self {
        let mut lifetime = |name| members.remove(name).as_ref().and_then(seconds);
        // An unreadable lifetime counts as missing and hides no other.
        let expires_in = lifetime("expires_in").or_else(|| lifetime("expires"));
        let refresh_token = members.remove("refresh_token").and_then(into_text).filter(is_exact);
        Self {
            access_token,
            token_type: token_type(members.remove("token_type")),
            expires_in,
            refresh_token: refresh_token.map(Secret::from),
            scope: members.remove("scope").and_then(|value| scopes(&value, separator)),
            extra: members,
        }
    }
}

/// Omits tokens and the values of `extra`, which may be tokens.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("refresh_token", &self.refresh_token)
            .field("scope", &self.scope)
            .field("extra", &self.extra.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The reason why a response of a token endpoint contains no token. Always the server's fault.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use quadrille::{oauth2::{ErrorCode, TokenResponse, TokenResponseError}, scope::ScopeSeparator};
///
/// let answer = Response::new(Bytes::from_static(br#"{"error":"invalid_grant"}"#));
/// match TokenResponse::parse(&answer, ScopeSeparator::Space) {
///     // The refresh token is dead. Whatever else went wrong, it may still be alive.
///     Err(TokenResponseError::Refused { error, .. }) => {
///         assert_eq!(error.error, ErrorCode::InvalidGrant);
///     }
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenResponseError {
    /// The server refuses.
    #[error("the token endpoint refused: {}", error.error)]
    Refused {
        /// The status, which may be 200.
        status: StatusCode,
        /// The error.
        error: ErrorResponse,
    },
    /// The server failed without an OAuth error, for example overloaded.
    #[error("the token endpoint answered with status {}", .0.as_u16())]
    Status(StatusCode),
    /// The status is a success, but the body is neither JSON nor a form: perhaps an HTML page.
    #[error("the token endpoint's answer cannot be read")]
    Unreadable,
    /// The status is a success, but there is no `access_token`.
    #[error("the token endpoint's answer has no access_token")]
    MissingAccessToken,
    /// The `access_token` contains a character that a header cannot carry.
    #[error("the token endpoint's access_token is malformed")]
    MalformedAccessToken,
}

/// The members of a JSON object, or the parameters of a form.
fn members(body: &[u8]) -> Option<Map<String, Value>> {
    let text = answer::text(body);
    answer::members(&text).or_else(|| {
        // Other JSON is not a form, although a number or a word reads like one.
        let params = Params::of_answer(&text)?;
        // Any single word reads as a form.
        if !params.iter().any(|(name, _)| matches!(name, "access_token" | "error")) {
            return None;
        }
        let mut members = Map::new();
        for (name, value) in params.iter() {
            answer::add(&mut members, name.to_owned(), value.into());
        }
        for name in params.broken_names() {
            answer::add(&mut members, name.to_owned(), answer::unreadable());
        }
        Some(members)
    })
}

fn says_error(members: &Map<String, Value>) -> bool {
    members.get("error").is_some_and(is_error)
}

/// A missing type means Bearer; one that is not text is unknown.
fn token_type(value: Option<Value>) -> TokenType {
    match value {
        None | Some(Value::Null) => TokenType::Bearer,
        Some(Value::String(text)) if text.trim().is_empty() => TokenType::Bearer,
        Some(Value::String(text)) => TokenType::from(text.trim()),
        Some(other) => TokenType::Other(other.to_string().into()),
    }
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = answer::number(value)?;
    Duration::try_from_secs_f64(seconds.floor()).ok().filter(|duration| !duration.is_zero())
}

fn scopes(value: &Value, separator: ScopeSeparator) -> Option<Scopes> {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Array(names) => {
            Cow::Owned(names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        _ => return None,
    };
    Some(Scopes::parse_lenient(&text, separator))
}

#[cfg(test)]
mod tests;
