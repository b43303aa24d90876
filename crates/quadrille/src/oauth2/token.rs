//! The token endpoint (RFC 6749, sections 3.2, 4.1.3, 4.4.2, 5 and 6).

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value};

use super::{
    ClientAuth, EndpointError, ErrorResponse, RequestError,
    error::json_response,
    form::{FormWriter, Params},
    json::JsonObject,
    pkce,
    post::post_form,
};
use crate::{Scopes, Secret, scope::ScopeSeparator};

/// What a client asks the token endpoint for, by grant.
///
/// ```
/// use quadrille::oauth2::{ClientAuth, TokenRequest, form::Params};
///
/// let asked = TokenRequest::RefreshToken { refresh_token: "tGzv3JOkF0XG5Qx2TlKWIA", scope: None };
/// let auth = ClientAuth::None { client_id: "app".into() };
/// let request = asked.to_request("https://id.example/oauth/token", &auth, &[])?;
///
/// // ... and on the other side:
/// let params = Params::of_body(&request)?;
/// assert_eq!(TokenRequest::parse(&params)?, asked);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenRequest<'a> {
    /// Redeem an authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
    AuthorizationCode {
        /// The code.
        code: &'a str,
        /// The redirect URI of the authorization request, if it had one.
        redirect_uri: Option<&'a str>,
        /// The PKCE verifier.
        code_verifier: Option<&'a str>,
    },
    /// Get a new access token (RFC 6749, section 6).
    RefreshToken {
        /// The refresh token.
        refresh_token: &'a str,
        /// Fewer scopes than were granted; `None` for all of them.
        scope: Option<Scopes>,
    },
    /// Get a token for the client itself (RFC 6749, section 4.4).
    ClientCredentials {
        /// The scopes; `None` for those that the server gives by itself.
        scope: Option<Scopes>,
    },
}

impl<'a> TokenRequest<'a> {
    /// As it stands in a message.
    ///
    /// ```
    /// use quadrille::oauth2::TokenRequest;
    ///
    /// let request = TokenRequest::ClientCredentials { scope: None };
    /// assert_eq!(request.grant_type(), "client_credentials");
    /// ```
    pub const fn grant_type(&self) -> &'static str {
        match self {
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::RefreshToken { .. } => "refresh_token",
            Self::ClientCredentials { .. } => "client_credentials",
        }
    }

    /// The HTTP request, with the client's authentication and any further parameters, such as
    /// `resource`.
    ///
    /// # Errors
    /// [`EndpointError`] when the endpoint is no URL to send a request to.
    pub fn to_request(
        &self,
        endpoint: &str,
        auth: &ClientAuth,
        extra: &[(&str, &str)],
    ) -> Result<Request<Bytes>, EndpointError> {
        let mut body = FormWriter::new();
        body.append("grant_type", self.grant_type());
        match self {
            Self::AuthorizationCode { code, redirect_uri, code_verifier } => {
                body.append("code", code);
                body.append_some("redirect_uri", *redirect_uri);
                body.append_some("code_verifier", *code_verifier);
            }
            Self::RefreshToken { refresh_token, scope } => {
                body.append("refresh_token", refresh_token);
                body.append_some("scope", scope.as_ref().map(Scopes::as_str));
            }
            Self::ClientCredentials { scope } => {
                body.append_some("scope", scope.as_ref().map(Scopes::as_str));
            }
        }
        for (name, value) in extra {
            body.append(name, value);
        }
        post_form(endpoint, auth, body)
    }

    /// Reads the parameters of a request. The client is read by
    /// [`PresentedClient`](super::PresentedClient); parameters that are not known are left alone.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(params: &'a Params<'_>) -> Result<Self, RequestError> {
        let required = |name| params.one(name)?.ok_or(RequestError::Missing(name));
        match required("grant_type")? {
            "authorization_code" => {
                let code_verifier = params.one("code_verifier")?;
                if !code_verifier.is_none_or(pkce::is_verifier) {
                    return Err(RequestError::MalformedVerifier);
                }
                Ok(Self::AuthorizationCode {
                    code: required("code")?,
                    redirect_uri: params.one("redirect_uri")?,
                    code_verifier,
                })
            }
            "refresh_token" => Ok(Self::RefreshToken {
                refresh_token: required("refresh_token")?,
                scope: read_scope(params)?,
            }),
            "client_credentials" => Ok(Self::ClientCredentials { scope: read_scope(params)? }),
            _ => Err(RequestError::UnsupportedGrantType),
        }
    }
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRequest({})", self.grant_type())
    }
}

/// Reads `scope` strictly, as a server does; `None` when it was left out.
pub(super) fn read_scope(params: &Params<'_>) -> Result<Option<Scopes>, RequestError> {
    params
        .one("scope")?
        .map(|text| Scopes::parse(text).map_err(|_| RequestError::MalformedScope))
        .transpose()
}

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
        if let Some(scope) = &self.scope {
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
    use super::*;
    use crate::oauth2::{ErrorCode, form::FormError};

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

    #[test]
    fn each_wrong_token_request_has_its_own_reason() {
        let long =
            format!("grant_type=authorization_code&code=c&code_verifier={}", "v".repeat(129));
        for (body, error, code) in [
            ("", RequestError::Missing("grant_type"), "invalid_request"),
            ("grant_type=", RequestError::Missing("grant_type"), "invalid_request"),
            ("grant_type=password", RequestError::UnsupportedGrantType, "unsupported_grant_type"),
            (
                "grant_type=refresh_token&grant_type=refresh_token",
                RequestError::Form(FormError::Duplicate("grant_type")),
                "invalid_request",
            ),
            ("grant_type=refresh_token", RequestError::Missing("refresh_token"), "invalid_request"),
            ("grant_type=authorization_code", RequestError::Missing("code"), "invalid_request"),
            (
                "grant_type=authorization_code&code=c&code_verifier=short",
                RequestError::MalformedVerifier,
                "invalid_request",
            ),
            (&long, RequestError::MalformedVerifier, "invalid_request"),
            (
                "grant_type=client_credentials&scope=a%22b",
                RequestError::MalformedScope,
                "invalid_scope",
            ),
        ] {
            let params = Params::parse(body.as_bytes()).unwrap();
            assert_eq!(TokenRequest::parse(&params), Err(error), "{body}");
            assert_eq!(error.code().as_str(), code, "{body}");
        }
    }

    #[test]
    fn a_request_goes_out_as_a_form_that_asks_for_json() {
        let asked = TokenRequest::AuthorizationCode {
            code: "a/b",
            redirect_uri: Some("https://app.example/cb?x=1"),
            code_verifier: None,
        };
        let auth = ClientAuth::Post { client_id: "i".into(), client_secret: "s".into() };
        let request =
            asked.to_request("https://id.example/token?t=1", &auth, &[("resource", "r")]).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri(), "https://id.example/token?t=1");
        assert_eq!(request.headers()["accept"], "application/json");
        assert_eq!(
            request.body(),
            "grant_type=authorization_code&code=a%2Fb&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1\
             &resource=r&client_id=i&client_secret=s"
        );
        for bad in ["https://id.example/#f", "/token", "ftp://x/", "", "https://a b/"] {
            assert!(asked.to_request(bad, &auth, &[]).is_err(), "{bad}");
        }
    }
}
