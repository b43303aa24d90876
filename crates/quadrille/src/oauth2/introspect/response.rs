//! The response of the server (RFC 7662, section 2.2).

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

#[cfg(doc)]
use super::IntrospectionRequest;
use crate::{
    Scopes, Timestamp,
    json::JsonObject,
    oauth2::{ErrorResponse, answer, error::json_response},
    scope::ScopeSeparator,
};

/// The response to an [`IntrospectionRequest`] (RFC 7662, section 2.2).
///
/// ```
/// use quadrille::oauth2::{ActiveToken, IntrospectionResponse};
///
/// let mut token = ActiveToken::default();
/// token.client_id = Some("printer".into());
/// token.aud = vec!["https://api.example".into()];
/// let answer = IntrospectionResponse::Active(token);
/// let response = answer.to_response();
/// assert_eq!(
///     serde_json::from_slice::<serde_json::Value>(response.body())?,
///     serde_json::json!({ "active": true, "aud": "https://api.example", "client_id": "printer" }),
/// );
/// assert_eq!(IntrospectionResponse::parse(&response), Ok(answer));
/// assert_eq!(IntrospectionResponse::Inactive.to_response().body(), r#"{"active":false}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "lives for a moment: a box costs more than a copy")]
pub enum IntrospectionResponse<'a> {
    /// The token is valid, or was until recently: see [`ActiveToken::exp`].
    Active(ActiveToken<'a>),
    /// The token is invalid, or the API may not know about it.
    Inactive,
}

/// The members of a valid token. All are optional. A server lends the texts that it has; those of a
/// response that was read are owned.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use quadrille::oauth2::IntrospectionResponse;
///
/// let body = r#"{"active":true,"sub":"ada","scope":"photos:read","aud":"https://api.example"}"#;
/// match IntrospectionResponse::parse(&Response::new(Bytes::from(body)))? {
///     IntrospectionResponse::Active(token) => assert_eq!(token.aud, ["https://api.example"]),
///     IntrospectionResponse::Inactive => panic!(),
/// }
/// # Ok::<(), quadrille::oauth2::IntrospectionResponseError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveToken<'a> {
    /// The scopes granted.
    pub scope: Option<Scopes>,
    /// The client that the token was issued to.
    pub client_id: Option<Cow<'a, str>>,
    /// A human-readable name of the user.
    pub username: Option<Cow<'a, str>>,
    /// The token type: `Bearer` for an access token.
    pub token_type: Option<Cow<'a, str>>,
    /// The time at which the token expires.
    pub exp: Option<Timestamp>,
    /// The time of issue.
    pub iat: Option<Timestamp>,
    /// The time before which the token is not valid.
    pub nbf: Option<Timestamp>,
    /// The user's subject.
    pub sub: Option<Cow<'a, str>>,
    /// The APIs that the token is for.
    pub aud: Vec<Cow<'a, str>>,
    /// The issuer.
    pub iss: Option<Cow<'a, str>>,
    /// The identifier of the token.
    pub jti: Option<Cow<'a, str>>,
    /// The authentication context of the user's sign-in (RFC 9470, section 6.2).
    pub acr: Option<Cow<'a, str>>,
    /// The time of the user's sign-in (RFC 9470, section 6.2).
    pub auth_time: Option<Timestamp>,
    /// The key to which the token is bound (RFC 7800, section 3.1; RFC 8705, section 3.2; RFC 9449,
    /// section 6.2).
    pub cnf: Option<Map<String, Value>>,
    /// All other members.
    pub extra: Map<String, Value>,
}

/// Omits the user's identity and `extra`.
impl fmt::Debug for ActiveToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveToken")
            .field("scope", &self.scope)
            .field("client_id", &self.client_id)
            .field("aud", &self.aud)
            .finish_non_exhaustive()
    }
}

impl IntrospectionResponse<'_> {
    /// The response of the endpoint, with `Cache-Control: no-store`.
    pub fn to_response(&self) -> Response<Bytes> {
        let object = match self {
            Self::Inactive => {
                let mut object = JsonObject::with_capacity(16);
                object.raw("active", "false");
                object
            }
            Self::Active(token) => {
                let mut object = JsonObject::with_capacity(320);
                object.raw("active", "true");
                token.write(&mut object);
                object
            }
        };
        json_response(StatusCode::OK, object.finish())
    }
}

impl IntrospectionResponse<'static> {
    /// Reads the response of a server. Times may be texts or have fractions, `aud` may be one value
    /// or several. Members that affect validity must be exact and not repeated; others may be
    /// unreadable.
    ///
    /// # Errors
    /// [`IntrospectionResponseError`].
    pub fn parse(response: &Response<Bytes>) -> Result<Self, IntrospectionResponseError> {
        let status = response.status();
        let text = answer::text(response.body());
        let object = match answer::members(&text) {
            Some(object) if status.is_success() => object,
            _ => {
                return Err(match ErrorResponse::parse(response) {
                    Some(error) => IntrospectionResponseError::Refused { status, error },
                    None if status.is_success() => IntrospectionResponseError::Malformed,
                    None => IntrospectionResponseError::Status(status),
                });
            }
        };
        match object.get("active") {
            Some(Value::Bool(false)) => Ok(Self::Inactive),
            Some(Value::Bool(true)) => ActiveToken::read(object, matches!(text, Cow::Borrowed(_)))
                .map(Self::Active)
                .ok_or(IntrospectionResponseError::Malformed),
            _ => Err(match ErrorResponse::parse(response) {
                Some(error) => IntrospectionResponseError::Refused { status, error },
                None => IntrospectionResponseError::Malformed,
            }),
        }
    }
}

impl ActiveToken<'_> {
    fn write(&self, object: &mut JsonObject) {
        let texts = [
            ("scope", self.scope.as_ref().map(Scopes::as_str)),
            ("client_id", self.client_id.as_deref()),
            ("username", self.username.as_deref()),
            ("token_type", self.token_type.as_deref()),
            ("sub", self.sub.as_deref()),
            ("iss", self.iss.as_deref()),
            ("jti", self.jti.as_deref()),
            ("acr", self.acr.as_deref()),
        ];
        let times = [
            ("exp", self.exp),
            ("iat", self.iat),
            ("nbf", self.nbf),
            ("auth_time", self.auth_time),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                object.string(name, value);
            }
        }
        for (name, time) in times {
            if let Some(time) = time {
                object.number(name, time.seconds());
            }
        }
        object.strings("aud", &self.aud);
        if let Some(cnf) = &self.cnf {
            object.value("cnf", &Value::Object(cnf.clone()));
        }
        // A member is written once, and that of a field decides.
        let is_written = |name: &str| {
            name == "active"
                || texts.iter().any(|(known, value)| *known == name && value.is_some())
                || times.iter().any(|(known, time)| *known == name && time.is_some())
                || (name == "aud" && !self.aud.is_empty())
                || (name == "cnf" && self.cnf.is_some())
        };
        for (name, value) in self.extra.iter().filter(|(name, _)| !is_written(name)) {
            object.value(name, value);
        }
    }
}

impl ActiveToken<'static> {
    /// `None` if a member that affects validity is not of its type or not exact: a misreading must
    /// not widen the token's use. `is_exact` says that the whole text was readable.
    fn read(mut object: Map<String, Value>, is_exact: bool) -> Option<Self> {
        object.remove("active");
        let text = |value: Value| match value {
            Value::String(text) if is_exact || !text.contains(answer::UNREADABLE) => {
                Some(Cow::Owned(text))
            }
            _ => None,
        };
        let mut member = |name: &str| object.remove(name).filter(|value| !value.is_null());
        let aud = match member("aud") {
            None => Vec::new(),
            Some(Value::String(only)) => vec![Cow::Owned(only)],
            Some(Value::Array(several)) => several.into_iter().map(text).collect::<Option<_>>()?,
            Some(_) => return None,
        };
        let scope = match member("scope") {
            None => None,
            Some(Value::String(list)) => Some(Scopes::parse_lenient(&list, ScopeSeparator::Space)),
            Some(Value::Array(list)) => {
                let list = list.into_iter().map(text).collect::<Option<Vec<_>>>()?;
                Some(Scopes::parse_lenient(&list.join(" "), ScopeSeparator::Space))
            }
            Some(_) => return None,
        };
        let cnf = match member("cnf") {
            None => None,
            Some(Value::Object(cnf)) => Some(cnf),
            Some(_) => return None,
        };
        // Only for display.
        let username = match member("username") {
            None => None,
            Some(Value::String(name)) => Some(Cow::Owned(name)),
            Some(_) => return None,
        };
        let mut texts = |name: &str| member(name).map(text).map_or(Some(None), |t| t.map(Some));
        let [client_id, token_type, sub, iss, jti, acr] =
            ["client_id", "token_type", "sub", "iss", "jti", "acr"].map(&mut texts);
        let mut times = |name: &str| member(name).map_or(Some(None), |v| time(&v).map(Some));
        let [exp, iat, nbf, auth_time] = ["exp", "iat", "nbf", "auth_time"].map(&mut times);
        Some(Self {
            scope,
            client_id: client_id?,
            username,
            token_type: token_type?,
            exp: exp?,
            iat: iat?,
            nbf: nbf?,
            sub: sub?,
            aud,
            iss: iss?,
            jti: jti?,
            acr: acr?,
            auth_time: auth_time?,
            cnf,
            extra: object,
        })
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let seconds = number.as_f64().filter(|seconds| seconds.abs() < 1e15)?;
            Some(seconds as i64)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    seconds.map(Timestamp::from_seconds)
}

/// The reason why introspection failed: a fault of the server, or of the credentials given to this
/// API.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use quadrille::oauth2::{IntrospectionResponse, IntrospectionResponseError};
///
/// let page = Response::new(Bytes::from("<html>"));
/// let error = IntrospectionResponse::parse(&page).unwrap_err();
/// assert_eq!(error, IntrospectionResponseError::Malformed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionResponseError {
    /// The server refuses.
    #[error("the introspection endpoint refused: {}", error.error)]
    Refused {
        /// The status, which may be 200.
        status: StatusCode,
        /// The error.
        error: ErrorResponse,
    },
    /// The server failed without an OAuth error.
    #[error("the introspection endpoint answered with status {}", .0.as_u16())]
    Status(StatusCode),
    /// The response is not an introspection response.
    #[error("the introspection endpoint's answer cannot be read")]
    Malformed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth2::{ErrorCode, IntrospectionRequest};

    fn read(
        status: u16,
        body: &'static str,
    ) -> Result<IntrospectionResponse<'static>, IntrospectionResponseError> {
        let mut response = Response::new(Bytes::from_static(body.as_bytes()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        IntrospectionResponse::parse(&response)
    }

    fn active(body: &'static str) -> ActiveToken<'static> {
        match read(200, body) {
            Ok(IntrospectionResponse::Active(token)) => token,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let token = active(
            r#"{"active":true,"client_id":"l238j323ds-23ij4","username":"jdoe",
            "scope":"read write dolphin","sub":"Z5O3upPC88QrAjx00dis",
            "aud":"https://protected.example.net/resource","iss":"https://server.example.com/",
            "exp":1419356238,"iat":1419350238,"extension_field":"twenty-seven"}"#,
        );
        assert_eq!(token.client_id.as_deref(), Some("l238j323ds-23ij4"));
        assert_eq!(token.scope.unwrap().as_str(), "read write dolphin");
        assert_eq!(token.sub.as_deref(), Some("Z5O3upPC88QrAjx00dis"));
        assert_eq!(token.aud, ["https://protected.example.net/resource"]);
        assert_eq!(token.exp, Some(Timestamp::from_seconds(1_419_356_238)));
        assert_eq!(token.extra["extension_field"], "twenty-seven");
        assert_eq!(token.extra.len(), 1);
    }

    #[test]
    fn what_real_servers_answer_is_read_and_what_makes_no_sense_is_not() {
        let token = active(r#"{"active":true,"aud":["a","b"],"exp":"17","iat":1.5,"scope":["a"]}"#);
        assert_eq!(token.aud, ["a", "b"]);
        assert_eq!(token.exp.map(Timestamp::seconds), Some(17));
        assert_eq!(token.iat.map(Timestamp::seconds), Some(1));
        assert_eq!(token.scope.unwrap().as_str(), "a");
        assert_eq!(active(r#"{"active":true,"sub":null}"#), ActiveToken::default());
        for malformed in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"active":"true"}"#,
            r#"{"active":true,"aud":7}"#,
            r#"{"active":true,"aud":[7]}"#,
            r#"{"active":true,"scope":7}"#,
            r#"{"active":true,"sub":7}"#,
            r#"{"active":true,"exp":"soon"}"#,
            r#"{"active":true,"exp":1e300}"#,
            r#"{"active":true,"active":true}"#,
            r#"{"active":true,"sub":"ada","sub":"bob"}"#,
            r#"{"active":true,"sub":"ad\ud800"}"#,
            r#"{"active":true,"client_id":"\udfff"}"#,
            r#"{"active":true,"aud":["urn:a","urn:\ud800"]}"#,
        ] {
            assert_eq!(
                read(200, malformed),
                Err(IntrospectionResponseError::Malformed),
                "{malformed}"
            );
        }
    }

    #[test]
    fn what_nobody_asks_for_spoils_no_answer() {
        for body in [
            "\u{feff}{\"active\":true,\"sub\":\"ada\"}",
            r#"{"active":true,"sub":"ada","x":"\ud800"}"#,
            r#"{"\ud800":7,"active":true,"sub":"ada"}"#,
            r#"{"active":true,"sub":"ada","x":{"\udfff":["\ud800"]},"far":1e999}"#,
            r#"{"active":true,"sub":"ada","x":1,"x":2}"#,
            r#"{"active":true,"sub":"ada","username":"Ren\ud800"}"#,
        ] {
            assert_eq!(active(body).sub.as_deref(), Some("ada"), "{body}");
        }
        let whole = active("{\"active\":true,\"sub\":\"a\u{fffd}\"}");
        assert_eq!(whole.sub.as_deref(), Some("a\u{fffd}"), "it was sent so");
    }

    #[test]
    fn a_refusal_is_told_from_an_outage() {
        let refused = |status| IntrospectionResponseError::Refused {
            status,
            error: ErrorResponse::new(ErrorCode::InvalidClient),
        };
        let body = r#"{"error":"invalid_client"}"#;
        assert_eq!(read(401, body), Err(refused(StatusCode::UNAUTHORIZED)));
        assert_eq!(read(200, body), Err(refused(StatusCode::OK)));
        let active = read(503, r#"{"active":true}"#);
        let status = IntrospectionResponseError::Status(StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(active, Err(status));
    }

    #[test]
    fn a_further_member_never_repeats_one_of_a_field() {
        let mut token = ActiveToken { sub: Some("ada".into()), ..ActiveToken::default() };
        token.exp = Some(Timestamp::from_seconds(-1));
        token.aud = vec!["urn:a".into()];
        token.extra = ["active", "album", "aud", "exp", "jti", "sub"]
            .map(|name| (name.to_owned(), Value::from("other")))
            .into_iter()
            .collect();
        let response = IntrospectionResponse::Active(token).to_response();
        assert_eq!(
            response.body(),
            r#"{"active":true,"sub":"ada","exp":-1,"aud":"urn:a","album":"other","jti":"other"}"#
        );
    }

    #[test]
    fn what_was_written_is_read_again_and_shows_nobody_in_debug_output() {
        let token = ActiveToken {
            scope: Some(Scopes::of(["a", "b"])),
            client_id: Some("app".into()),
            username: Some("canary".into()),
            token_type: Some("Bearer".into()),
            exp: Some(Timestamp::from_seconds(4)),
            iat: Some(Timestamp::from_seconds(3)),
            nbf: Some(Timestamp::from_seconds(2)),
            sub: Some("canary".into()),
            aud: vec!["urn:a".into(), "urn:b".into()],
            iss: Some("https://id.example".into()),
            jti: Some("7".into()),
            acr: Some("gold".into()),
            auth_time: Some(Timestamp::from_seconds(1)),
            cnf: Some(Map::from_iter([("jkt".to_owned(), Value::from("7"))])),
            extra: Map::from_iter([("x".to_owned(), Value::from("canary"))]),
        };
        assert!(!format!("{token:?}").contains("canary"));
        let answer = IntrospectionResponse::Active(token);
        let response = answer.to_response();
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(IntrospectionResponse::parse(&response), Ok(answer));
        let request = IntrospectionRequest { token: "canary", token_type_hint: None };
        assert!(!format!("{request:?}").contains("canary"));
    }
}
