//! What the token endpoint answers (RFC 6749, section 5).

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::{
    Scopes, Secret,
    oauth2::{ErrorResponse, error::json_response, form::Params, json::JsonObject},
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
    /// separated by commas, no `token_type`.
    ///
    /// # Errors
    /// [`TokenResponseError`], never a panic, whatever came.
    pub fn parse(
        response: &Response<Bytes>,
        separator: ScopeSeparator,
    ) -> Result<Self, TokenResponseError> {
        let status = response.status();
        let unreadable = || match status.is_success() {
            true => TokenResponseError::Unreadable,
            false => TokenResponseError::Status(status),
        };
        let mut members = members(response.body()).ok_or_else(unreadable)?;

        let access_token = members.remove("access_token").and_then(into_text);
        let said_error = members.get("error").is_some_and(Value::is_string);
        let access_token = match access_token {
            Some(token) if status.is_success() && !said_error => token,
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
        let expires_in =
            members.remove("expires_in").or_else(|| members.remove("expires")).and_then(seconds);
        Ok(Self {
            access_token: access_token.into(),
            token_type: members
                .remove("token_type")
                .and_then(into_text)
                .map_or(TokenType::Bearer, |text| TokenType::from(text.as_str())),
            expires_in,
            refresh_token: members.remove("refresh_token").and_then(into_text).map(Secret::from),
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
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Some(members),
        Ok(_) => None,
        Err(_) => {
            let params = Params::of_answer(body)?;
            // A single word is a form, too.
            params.iter().any(|(name, _)| matches!(name, "access_token" | "error")).then(|| {
                params.iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
            })
        }
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oauth2::ErrorCode;

    fn answer(status: u16, body: &str) -> Result<TokenResponse, TokenResponseError> {
        let mut response = Response::new(Bytes::from(body.to_owned()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        TokenResponse::parse(&response, ScopeSeparator::Space)
    }

    #[test]
    fn lifetimes_are_read_in_every_form_that_services_give_them() {
        for (member, seconds) in [
            (r#""expires_in":3600"#, Some(3600)),
            (r#""expires_in":"3600""#, Some(3600)),
            (r#""expires_in":3599.97"#, Some(3599)),
            (r#""expires_in":"3600.0""#, Some(3600)),
            (r#""expires":5184000"#, Some(5_184_000)),
            (r#""expires_in":0"#, None),
            (r#""expires_in":-1"#, None),
            (r#""expires_in":null"#, None),
            (r#""expires_in":"soon""#, None),
            (r#""expires_in":"NaN""#, None),
            (r#""expires_in":1e300"#, None),
            (r#""expires_in":{}"#, None),
        ] {
            let tokens = answer(200, &format!(r#"{{"access_token":"a",{member}}}"#)).unwrap();
            assert_eq!(tokens.expires_in, seconds.map(Duration::from_secs), "{member}");
        }
    }

    #[test]
    fn scopes_are_read_in_every_form_that_services_give_them() {
        let read = |member: &str, separator| {
            let body = format!(r#"{{"access_token":"a","scope":{member}}}"#);
            let tokens =
                TokenResponse::parse(&Response::new(Bytes::from(body)), separator).unwrap();
            tokens.scope.map(|scopes| scopes.as_str().to_owned())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read(r#""a b""#, ScopeSeparator::Space), some("a b"));
        assert_eq!(read(r#""a,b""#, ScopeSeparator::Space), some("a,b"));
        assert_eq!(read(r#""a,b, c""#, ScopeSeparator::Comma), some("a b c"));
        assert_eq!(read(r#"["a","b",7]"#, ScopeSeparator::Space), some("a b"));
        assert_eq!(read(r#""""#, ScopeSeparator::Comma), some(""));
        assert_eq!(read("null", ScopeSeparator::Comma), None);
    }

    #[test]
    fn an_empty_scope_is_left_out_of_the_answer() {
        // RFC 6749, appendix A.4: a scope has one token at least.
        for (scope, written) in [
            (None, None),
            (Some(Scopes::EMPTY), None),
            (Some(Scopes::of(["a", "b"])), Some(json!("a b"))),
        ] {
            let mut tokens = TokenResponse::new("a");
            tokens.scope = scope;
            let answer: Value = serde_json::from_slice(tokens.to_response().body()).unwrap();
            assert_eq!(answer.get("scope"), written.as_ref(), "{answer}");
        }
    }

    #[test]
    fn a_form_is_read_whatever_the_content_type_says() {
        let body = "access_token=gho_1&scope=repo%2Cgist&token_type=bearer&expires=10";
        let mut response = Response::new(Bytes::from(body));
        response.headers_mut().insert("content-type", "text/html".parse().unwrap());
        let tokens = TokenResponse::parse(&response, ScopeSeparator::Comma).unwrap();
        assert_eq!(tokens.access_token.expose(), "gho_1");
        assert_eq!(tokens.scope.unwrap().as_str(), "repo gist");
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(10)));
    }

    #[test]
    fn an_answer_without_a_token_says_what_it_is_instead() {
        use TokenResponseError as E;
        let refused = |status: u16, code: ErrorCode| E::Refused {
            status: StatusCode::from_u16(status).unwrap(),
            error: ErrorResponse::new(code),
        };
        let status = |status: u16| E::Status(StatusCode::from_u16(status).unwrap());
        for (code, body, error) in [
            (200, r#"{"error":"invalid_grant"}"#, refused(200, ErrorCode::InvalidGrant)),
            (200, "error=invalid_grant", refused(200, ErrorCode::InvalidGrant)),
            (400, r#"{"error":"invalid_grant"}"#, refused(400, ErrorCode::InvalidGrant)),
            (
                200,
                r#"{"error":"invalid_grant","access_token":"a"}"#,
                refused(200, ErrorCode::InvalidGrant),
            ),
            (400, r#"{"access_token":"a"}"#, status(400)),
            (502, "<html>Bad gateway", status(502)),
            (429, "", status(429)),
            (200, "<html><a href='/?a=b&c=d'>", E::Unreadable),
            (200, "", E::Unreadable),
            (200, "[]", E::Unreadable),
            (200, "\u{feff}\u{0}", E::Unreadable),
            (200, "{}", E::MissingAccessToken),
            (200, r#"{"access_token":null}"#, E::MissingAccessToken),
            (200, r#"{"access_token":""}"#, E::MissingAccessToken),
            (200, r#"{"access_token":{}}"#, E::MissingAccessToken),
            (200, "access_token=", E::MissingAccessToken),
            (200, "{\"access_token\":\"a\\r\\nX: y\"}", E::MalformedAccessToken),
        ] {
            assert_eq!(answer(code, body), Err(error), "{code} {body}");
        }
    }

    #[test]
    fn members_that_are_not_known_are_kept_and_never_shown() {
        let tokens = answer(
            200,
            r#"{"access_token":"canary1","error":null,"id_token":"canary2","athlete":{"id":7}}"#,
        )
        .unwrap();
        assert_eq!(tokens.extra["athlete"]["id"], 7);
        assert_eq!(tokens.extra["id_token"], "canary2");
        assert!(!format!("{tokens:?}").contains("canary"));
        assert!(
            tokens
                .to_response()
                .body()
                .ends_with(br#""athlete":{"id":7},"error":null,"id_token":"canary2"}"#)
        );
    }
}
