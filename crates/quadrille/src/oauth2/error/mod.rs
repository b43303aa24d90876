//! Error responses (RFC 6749, sections 4.1.2.1 and 5.2, and its extensions), and errors in the form
//! of a request.

mod code;

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE},
};
use serde_json::Value;

pub use code::ErrorCode;

use super::answer;
use crate::{
    form::{FormError, Params},
    json::JsonObject,
};

/// An error response.
///
/// ```
/// use quadrille::oauth2::{ErrorCode, ErrorResponse};
///
/// let error = ErrorResponse::new(ErrorCode::InvalidGrant).describe("the code has expired");
/// let response = error.to_response();
/// assert_eq!(response.status(), 400);
/// assert_eq!(
///     response.body(),
///     r#"{"error":"invalid_grant","error_description":"the code has expired"}"#,
/// );
/// assert_eq!(ErrorResponse::parse(&response), Some(error));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The code.
    pub error: ErrorCode,
    /// A description for the developer of the client.
    pub error_description: Option<Cow<'static, str>>,
    /// A page for the developer of the client.
    pub error_uri: Option<Cow<'static, str>>,
}

impl ErrorResponse {
    /// An error response with only the code.
    pub const fn new(error: ErrorCode) -> Self {
        Self { error, error_description: None, error_uri: None }
    }

    /// Adds a description for the developer of the client. It must not contain any part of the
    /// request.
    #[must_use]
    pub fn describe(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.error_description = Some(description.into());
        self
    }

    /// The direct response of an endpoint that clients call (RFC 6749, section 5.2).
    /// `invalid_client` comes with a challenge for HTTP Basic.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut response = json_response(self.error.status(), self.to_json());
        if self.error == ErrorCode::InvalidClient {
            let challenge = HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// Reads the error of a response in all shapes of real services and with any status: flat or
    /// nested JSON, or a form. `None` without an error, as in an HTML page. Texts are shortened for
    /// a log, without control characters.
    pub fn parse(response: &Response<Bytes>) -> Option<Self> {
        let text = answer::text(response.body());
        match answer::members(&text) {
            Some(members) => Self::from_json(&Value::Object(members)),
            None => Self::from_params(&Params::of_answer(&text)?),
        }
    }

    /// The `error`, `error_description` and `error_uri` of a redirect or a form; `None` without an
    /// `error`.
    pub fn from_params(params: &Params<'_>) -> Option<Self> {
        let first = |name| params.many(name).next();
        Some(Self {
            error: ErrorCode::from(first("error")?),
            error_description: first("error_description").map(description),
            error_uri: first("error_uri").map(description),
        })
    }

    /// Sets a description from another party, shortened and cleaned.
    pub(super) fn set_description(&mut self, text: &str) {
        self.error_description = Some(description(text));
    }

    /// Sets a URI from another party, shortened and cleaned.
    pub(super) fn set_uri(&mut self, text: &str) {
        self.error_uri = Some(description(text));
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        // {"errors":[{"errorType":"invalid_grant","message":"..."}]} (Fitbit)
        if let Some(first) = value.get("errors").and_then(|errors| errors.get(0)) {
            let code = text(first, &["errorType", "code", "error"])?;
            let description = text(first, &["message", "detail"]).map(description);
            return Some(Self { error_description: description, ..Self::new(code.into()) });
        }
        match value.get("error").filter(|error| is_error(error))? {
            // {"error":{"type":"OAuthException","message":"...","code":190}} (Facebook)
            nested @ Value::Object(_) => Some(Self {
                error_description: text(nested, &["message", "error_description"]).map(description),
                ..Self::new(text(nested, &["type", "status", "code", "error"]).unwrap_or("").into())
            }),
            Value::String(code) => Some(Self {
                error: code.as_str().into(),
                error_description: text(value, &["error_description", "message"]).map(description),
                error_uri: text(value, &["error_uri"]).map(description),
            }),
            Value::Number(code) => Some(Self {
                error_description: text(value, &["error_description", "message"]).map(description),
                ..Self::new(code.to_string().as_str().into())
            }),
            Value::Bool(_) => Some(Self {
                error_description: text(value, &["error_description", "message"]).map(description),
                ..Self::new("".into())
            }),
            Value::Null | Value::Array(_) => None,
        }
    }

    fn to_json(&self) -> Vec<u8> {
        let mut object = JsonObject::with_capacity(128);
        object.string("error", self.error.as_str());
        if let Some(text) = &self.error_description {
            object.string("error_description", text);
        }
        if let Some(uri) = &self.error_uri {
            object.string("error_uri", uri);
        }
        object.finish()
    }
}

impl From<ErrorCode> for ErrorResponse {
    fn from(error: ErrorCode) -> Self {
        Self::new(error)
    }
}

/// An error in the form of a request, found before any look-up.
///
/// Its [`Display`](std::fmt::Display) text names parameters but contains no part of the request, so
/// it is safe to log and to show.
///
/// ```
/// use quadrille::oauth2::{ErrorCode, RequestError};
///
/// let error = RequestError::Missing("code");
/// assert_eq!(error.code(), ErrorCode::InvalidRequest);
/// assert_eq!(error.to_string(), "the parameter code is missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The parameters are malformed, or one of them is repeated.
    #[error(transparent)]
    Form(#[from] FormError),
    /// This required parameter is missing.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// The `grant_type` is unknown.
    #[error("the grant_type is not supported")]
    UnsupportedGrantType,
    /// The `response_type` is unknown.
    #[error("the response_type is not supported")]
    UnsupportedResponseType,
    /// The `scope` contains an invalid character.
    #[error("the scope is malformed")]
    MalformedScope,
    /// A `resource` is not an absolute URI, or has a fragment, or there are too many (RFC 8707,
    /// section 2).
    #[error("a resource must be an absolute URI without a fragment, and one request may name 16")]
    MalformedResource,
    /// The `code_challenge` is not the unpadded base64url of 32 bytes.
    #[error("the code_challenge is malformed")]
    MalformedChallenge,
    /// The `code_challenge_method` is `plain`, which is also the default.
    #[error("the code_challenge_method must be S256")]
    PlainChallenge,
    /// The `code_challenge_method` is unknown.
    #[error("the code_challenge_method is unknown; it must be S256")]
    UnknownChallengeMethod,
    /// The `code_verifier` is not 43 to 128 unreserved characters.
    #[error("the code_verifier is malformed")]
    MalformedVerifier,
}

impl RequestError {
    /// The error code.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Form(_)
            | Self::Missing(_)
            | Self::MalformedChallenge
            | Self::PlainChallenge
            | Self::UnknownChallengeMethod
            | Self::MalformedVerifier => ErrorCode::InvalidRequest,
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::UnsupportedResponseType => ErrorCode::UnsupportedResponseType,
            Self::MalformedScope => ErrorCode::InvalidScope,
            Self::MalformedResource => ErrorCode::InvalidTarget,
        }
    }
}

impl From<RequestError> for ErrorResponse {
    fn from(error: RequestError) -> Self {
        Self::new(error.code()).describe(error.to_string())
    }
}

/// Whether a member `error` says that there is one: some services send an empty one in every
/// response.
pub(super) fn is_error(error: &Value) -> bool {
    match error {
        Value::Null => false,
        Value::Bool(is_error) => *is_error,
        Value::Number(code) => code.as_f64() != Some(0.0),
        Value::String(code) => !code.is_empty(),
        Value::Array(errors) => !errors.is_empty(),
        Value::Object(error) => !error.is_empty(),
    }
}

/// A response with `Cache-Control: no-store` (RFC 6749, section 5.1).
pub(super) fn json_response(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// The first of the members `names` that is a text.
fn text<'v>(value: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| value.get(*name)?.as_str()).filter(|text| !text.is_empty())
}

fn description(text: &str) -> Cow<'static, str> {
    Cow::Owned(shown(text, 512))
}

/// A text of another party for a log: at most `limit` characters, without control characters.
fn shown(text: &str, limit: usize) -> String {
    text.chars().filter(|char| !char.is_control()).take(limit).collect()
}

/// A code of another party for a log. Characters that no code may contain (RFC 6749, section 5.2)
/// are replaced: without them, it might look like another code.
fn shown_code(code: &str) -> String {
    let fit = |char| match char {
        ' '..='~' if char != '"' && char != '\\' => char,
        _ => answer::UNREADABLE,
    };
    code.chars().map(fit).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &'static str) -> Option<ErrorResponse> {
        ErrorResponse::parse(&Response::new(Bytes::from_static(body.as_bytes())))
    }

    #[test]
    fn errors_are_found_in_every_shape_that_services_give_them() {
        let cases = [
            (r#"{"error":"invalid_grant","error_description":"no"}"#, "invalid_grant", Some("no")),
            (
                "error=bad_verification_code&error_description=The+code+is+incorrect",
                "bad_verification_code",
                Some("The code is incorrect"),
            ),
            (r#"{"ok":false,"error":"invalid_code"}"#, "invalid_code", None),
            (
                r#"{"error":{"message":"Expired","type":"OAuthException","code":100}}"#,
                "OAuthException",
                Some("Expired"),
            ),
            (
                r#"{"errors":[{"errorType":"invalid_grant","message":"Bad"}],"success":false}"#,
                "invalid_grant",
                Some("Bad"),
            ),
            (r#"{"error":401,"message":"Bad"}"#, "401", Some("Bad")),
            (r#"{"error":"x","error_description":null}"#, "x", None),
        ];
        for (body, code, description) in cases {
            let error = read(body).unwrap_or_else(|| panic!("{body}"));
            assert_eq!(error.error.as_str(), code, "{body}");
            assert_eq!(error.error_description.as_deref(), description, "{body}");
        }
        for body in ["", "<a href='?x&error=y'>", "[]", "null", r#"{"error":null}"#, r#"{"a":1}"#] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn what_a_service_wrote_is_cut_and_cleaned_before_it_reaches_a_log() {
        let body = format!("error={}&error_description=a%0Ab", "x".repeat(9000));
        let response = Response::new(Bytes::from(body));
        let error = ErrorResponse::parse(&response).unwrap();
        assert_eq!(error.error.as_str().len(), 64);
        assert_eq!(error.error_description.as_deref(), Some("ab"));
    }

    #[test]
    fn an_unauthenticated_client_is_challenged_and_no_answer_is_kept() {
        let response = ErrorResponse::new(ErrorCode::InvalidClient).to_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic "));
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let response = ErrorResponse::new(ErrorCode::InvalidGrant).to_response();
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }
}
