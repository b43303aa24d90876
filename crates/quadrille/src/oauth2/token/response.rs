//! What the token endpoint answers (RFC 6749, section 5).

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::{
    Scopes, Secret,
    form::Params,
    oauth2::{ErrorResponse, answer, error::json_response, json::JsonObject, member::MemberPath},
    scope::ScopeSeparator,
};

/// How a token is to be used.
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
    /// By whoever has it (RFC 6750).
    #[default]
    Bearer,
    /// With a proof that goes with every request (RFC 9449).
    Dpop,
    /// In another way.
    Other(Box<str>),
}

impl TokenType {
    /// As it stands in a message.
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

/// Tokens, as the token endpoint gives them (RFC 6749, section 5.1).
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
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// How to use it. A service that does not say means [`TokenType::Bearer`].
    pub token_type: TokenType,
    /// How long it is good, counted from the answer, in whole seconds on the wire. `None` when it
    /// was not said.
    pub expires_in: Option<Duration>,
    /// A refresh token.
    pub refresh_token: Option<Secret>,
    /// What was granted; `None` means what was asked for.
    pub scope: Option<Scopes>,
    /// All other members, as they came: `id_token` and what a service made up.
    pub extra: Map<String, Value>,
}

impl TokenResponse {
    /// A bearer token, of which nothing else is said.
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

    /// The answer of the token endpoint, which nobody may keep.
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

    /// Reads the answer of a token endpoint, in any shape that real services give it: JSON or a
    /// form whatever the content type says, errors under status 200, `expires_in` as a text, a
    /// fraction or under the name `expires` (zero and less say nothing), `scope` as an array or
    /// separated by commas, no `token_type`, an empty `error`, a byte order mark, and another
    /// encoding than UTF-8 in members that nobody asks for.
    ///
    /// # Errors
    /// [`TokenResponseError`], never a panic, whatever came.
    pub fn parse(
        response: &Response<Bytes>,
        separator: ScopeSeparator,
    ) -> Result<Self, TokenResponseError> {
        Self::parse_at(response, separator, None)
    }

    /// [`TokenResponse::parse`] where the access token stands at `path`, the others beside it.
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
        let mut lifetime = |name| members.remove(name).and_then(seconds);
        // What cannot be read says nothing, and hides nothing.
        let expires_in = lifetime("expires_in").or_else(|| lifetime("expires"));
        let is_utf8 = matches!(text, Cow::Borrowed(_));
        let is_exact = |text: &String| is_utf8 || !text.contains(answer::UNREADABLE);
        let refresh_token = members.remove("refresh_token").and_then(into_text).filter(is_exact);
        Ok(Self {
            access_token: access_token.into(),
            token_type: token_type(members.remove("token_type")),
            expires_in,
            refresh_token: refresh_token.map(Secret::from),
            scope: members.remove("scope").and_then(|value| scopes(&value, separator)),
            extra: members,
        })
    }
}

/// Tokens are left out, and so are the values of `extra`, which may be some.
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

/// Why an answer of a token endpoint gives no token. Always the other party's fault.
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
    /// It said no.
    #[error("the token endpoint refused: {}", error.error)]
    Refused {
        /// With this status, which may be 200.
        status: StatusCode,
        /// And for this reason.
        error: ErrorResponse,
    },
    /// It failed without an OAuth error: too many requests, an outage.
    #[error("the token endpoint answered with status {}", .0.as_u16())]
    Status(StatusCode),
    /// Success, they say, but the body is neither JSON nor a form: a page of HTML, perhaps.
    #[error("the token endpoint's answer cannot be read")]
    Unreadable,
    /// Success, they say, but there is no `access_token`.
    #[error("the token endpoint's answer holds no access_token")]
    MissingAccessToken,
    /// The `access_token` holds a character that cannot stand in a header.
    #[error("the token endpoint's access_token is malformed")]
    MalformedAccessToken,
}

/// The members of a JSON object, or the parameters of a form.
fn members(body: &[u8]) -> Option<Map<String, Value>> {
    let text = answer::text(body);
    answer::members(&text).or_else(|| {
        // Other JSON is no form, although a number or a word looks like one.
        let params = Params::of_answer(&text)?;
        // A single word is a form, too.
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

/// Whether there is an error among the members, in whatever form; some services name one that is
/// none in every answer.
fn says_error(members: &Map<String, Value>) -> bool {
    match members.get("error") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(is_error)) => *is_error,
        Some(Value::Number(code)) => code.as_f64() != Some(0.0),
        Some(Value::String(code)) => !code.is_empty(),
        Some(Value::Array(errors)) => !errors.is_empty(),
        Some(Value::Object(error)) => !error.is_empty(),
    }
}

/// What is not said means Bearer; what is said and no text means something unknown.
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

fn seconds(value: Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
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
