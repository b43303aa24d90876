//! The authorization response.

use serde_json::{Map, Value};

use crate::{
    Secret,
    form::{FormError, FormWriter, Params},
    oauth2::{
        EndpointError, ErrorResponse, TokenResponse, answer, authorize::ResponseMode,
        endpoint::check_absolute,
    },
    scope::ScopeSeparator,
};

/// The response to an [`AuthorizationRequest`](crate::oauth2::AuthorizationRequest), which the
/// browser delivers.
///
/// ```
/// use quadrille::{form::Params, oauth2::{AuthorizationResponse, ResponseMode}};
///
/// let response = AuthorizationResponse::Code {
///     code: "SplxlOBeZQQYbYS6WxSbIA".into(),
///     state: Some("xyz".into()),
///     iss: Some("https://id.example".into()),
///     session_state: None,
/// };
/// assert_eq!(
///     response.to_url("https://app.example/callback?from=id", ResponseMode::Query)?,
///     "https://app.example/callback?from=id&code=SplxlOBeZQQYbYS6WxSbIA&state=xyz\
///      &iss=https%3A%2F%2Fid.example",
/// );
/// let query = b"from=id&code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&iss=https%3A%2F%2Fid.example";
/// assert_eq!(AuthorizationResponse::parse(&Params::parse(query)?)?, response);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// The user approved.
    Code {
        /// The code.
        code: Secret,
        /// The `state` of the request.
        state: Option<String>,
        /// The issuer (RFC 9207).
        iss: Option<String>,
        /// The session state (OpenID Connect Session Management, section 2).
        session_state: Option<String>,
    },
    /// The user approved, and the response has the token itself (RFC 6749, section 4.2.2).
    Token {
        /// The token, without a refresh token.
        token: TokenResponse,
        /// The `state` of the request.
        state: Option<String>,
        /// The issuer (RFC 9207).
        iss: Option<String>,
    },
    /// The user approved, and the response has several of code, token and ID token, or the ID token
    /// alone (OpenID Connect Core, sections 3.2.2.5 and 3.3.2.5).
    OpenId {
        /// The code.
        code: Option<Secret>,
        /// The token, without a refresh token.
        token: Option<Box<TokenResponse>>,
        /// The ID token.
        id_token: Option<Secret>,
        /// The `state` of the request.
        state: Option<String>,
        /// The issuer (RFC 9207).
        iss: Option<String>,
        /// The session state (OpenID Connect Session Management, section 2).
        session_state: Option<String>,
    },
    /// The request is refused.
    Error {
        /// The error.
        error: ErrorResponse,
        /// The `state` of the request.
        state: Option<String>,
        /// The issuer (RFC 9207).
        iss: Option<String>,
        /// The session state (OpenID Connect Session Management, section 3.1).
        session_state: Option<String>,
    },
}

impl AuthorizationResponse {
    /// The URL for the user's browser: the redirect URI, with its own query and this response.
    /// Tokens are in the fragment in every mode: a query is sent to servers and logged (OAuth 2.0
    /// Multiple Response Type Encoding Practices, section 3). For [`ResponseMode::FormPost`], whose
    /// parameters are [`fields`](Self::fields), so is everything.
    ///
    /// # Errors
    /// [`EndpointError`] if the redirect URI is not absolute, or has a fragment.
    pub fn to_url(&self, redirect_uri: &str, mode: ResponseMode) -> Result<String, EndpointError> {
        check_absolute(redirect_uri)?;
        let mut url = match (self, mode) {
            (Self::Code { .. } | Self::Error { .. }, ResponseMode::Query) => {
                FormWriter::after_url(redirect_uri)
            }
            _ => FormWriter::after_fragment_of(redirect_uri),
        };
        self.write(&mut |name, value| {
            url.append(name, value);
        });
        Ok(url.finish())
    }

    /// The names and values of the fields of a form (OAuth 2.0 Form Post Response Mode, section 2).
    ///
    /// ```
    /// use quadrille::oauth2::AuthorizationResponse;
    ///
    /// let (code, state) = ("SplxlOBeZQQYbYS6WxSbIA".into(), Some("xyz".into()));
    /// let response = AuthorizationResponse::Code { code, state, iss: None, session_state: None };
    /// let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    /// assert_eq!(response.fields(), [field("code", "SplxlOBeZQQYbYS6WxSbIA"), field("state", "xyz")]);
    /// ```
    pub fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        self.write(&mut |name, value| fields.push((name.to_owned(), value.to_owned())));
        fields
    }

    fn write(&self, append: &mut dyn FnMut(&str, &str)) {
        match self {
            Self::Code { code, .. } => append("code", code.expose()),
            Self::Token { token, .. } => write_token(append, token),
            Self::OpenId { code, token, id_token, .. } => {
                if let Some(code) = code {
                    append("code", code.expose());
                }
                if let Some(token) = token {
                    write_token(append, token);
                }
                if let Some(id_token) = id_token {
                    append("id_token", id_token.expose());
                }
            }
            Self::Error { error, .. } => {
                append("error", error.error.as_str());
                let more = [
                    ("error_description", &error.error_description),
                    ("error_uri", &error.error_uri),
                ];
                for (name, value) in more {
                    if let Some(value) = value {
                        append(name, value);
                    }
                }
            }
        }
        let session_state = self.session_state();
        for (name, value) in
            [("state", self.state()), ("iss", self.iss()), ("session_state", session_state)]
        {
            if let Some(value) = value {
                append(name, value);
            }
        }
    }

    /// Reads the response from the parameters of the callback.
    ///
    /// # Errors
    /// [`AuthorizationResponseError`].
    pub fn parse(params: &Params<'_>) -> Result<Self, AuthorizationResponseError> {
        let iss = params.one("iss")?.map(str::to_owned);
        Self::read(params, iss)
    }

    /// [`AuthorizationResponse::parse`] for a client without an issuer to compare. Ignores `iss`,
    /// even if it is repeated or malformed.
    ///
    /// ```
    /// use quadrille::{form::Params, oauth2::AuthorizationResponse};
    ///
    /// let params = Params::parse(b"code=a&state=xyz&iss=b&iss=%")?;
    /// let response = AuthorizationResponse::parse_without_issuer(&params)?;
    /// assert_eq!(response.iss(), None);
    /// assert!(AuthorizationResponse::parse(&params).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`AuthorizationResponse::parse`].
    pub fn parse_without_issuer(params: &Params<'_>) -> Result<Self, AuthorizationResponseError> {
        Self::read(params, None)
    }

    fn read(params: &Params<'_>, iss: Option<String>) -> Result<Self, AuthorizationResponseError> {
        let state = params.one("state")?.map(str::to_owned);
        // Services send it to clients that do not know it, so a malformed one is none.
        let session_state = params.one("session_state").ok().flatten().map(str::to_owned);
        let (code, error) = (params.one("code")?, params.one("error")?);
        if error.is_some() {
            return match (code, ErrorResponse::from_params(params)) {
                (Some(_), _) => Err(AuthorizationResponseError::CodeAndError),
                (None, Some(error)) => Ok(Self::Error { error, state, iss, session_state }),
                (None, None) => Err(AuthorizationResponseError::Empty),
            };
        }
        let (token, id_token) = (params.one("access_token")?, params.one("id_token")?);
        let token = token.map(|token| read_token(token, params));
        match (code, token, id_token) {
            (None, None, None) => Err(AuthorizationResponseError::Empty),
            (Some(code), None, None) => {
                Ok(Self::Code { code: code.into(), state, iss, session_state })
            }
            (None, Some(token), None) => Ok(Self::Token { token, state, iss }),
            (code, token, id_token) => Ok(Self::OpenId {
                code: code.map(Into::into),
                token: token.map(Box::new),
                id_token: id_token.map(Into::into),
                state,
                iss,
                session_state,
            }),
        }
    }

    /// The `state` of the response.
    pub fn state(&self) -> Option<&str> {
        let (Self::Code { state, .. }
        | Self::Token { state, .. }
        | Self::OpenId { state, .. }
        | Self::Error { state, .. }) = self;
        state.as_deref()
    }

    /// The issuer of the response (RFC 9207), to be compared with the expected one as a string.
    pub fn iss(&self) -> Option<&str> {
        let (Self::Code { iss, .. }
        | Self::Token { iss, .. }
        | Self::OpenId { iss, .. }
        | Self::Error { iss, .. }) = self;
        iss.as_deref()
    }

    /// The session state of the response, which a client posts to the frame of the provider (OpenID
    /// Connect Session Management, sections 2 and 3.1).
    pub fn session_state(&self) -> Option<&str> {
        match self {
            Self::Code { session_state, .. }
            | Self::OpenId { session_state, .. }
            | Self::Error { session_state, .. } => session_state.as_deref(),
            Self::Token { .. } => None,
        }
    }
}

/// Writes the parameters of a token. Members that are no text are written as JSON.
fn write_token(append: &mut dyn FnMut(&str, &str), token: &TokenResponse) {
    append("access_token", token.access_token.expose());
    append("token_type", token.token_type.as_str());
    if let Some(lifetime) = token.expires_in {
        append("expires_in", &lifetime.as_secs().to_string());
    }
    if let Some(scope) = token.scope.as_ref().filter(|scope| !scope.is_empty()) {
        append("scope", scope.as_str());
    }
    for (name, value) in &token.extra {
        match value {
            Value::String(text) => append(name, text),
            other => append(name, &other.to_string()),
        }
    }
}

/// Reads the other parameters of a token.
fn read_token(access_token: &str, params: &Params<'_>) -> TokenResponse {
    let mut members = Map::new();
    let is_member = |name: &str| {
        !matches!(name, "access_token" | "state" | "iss" | "code" | "id_token" | "session_state")
    };
    for (name, value) in params.iter().filter(|(name, _)| is_member(name)) {
        answer::add(&mut members, name.to_owned(), value.into());
    }
    TokenResponse::of_members(access_token.into(), members, ScopeSeparator::Space, |_| true)
}

/// The reason why a callback contains no response. The parameters come from the browser.
///
/// ```
/// use quadrille::{form::Params, oauth2::{AuthorizationResponse, AuthorizationResponseError}};
///
/// let error = AuthorizationResponse::parse(&Params::parse(b"state=xyz")?).unwrap_err();
/// assert_eq!(error, AuthorizationResponseError::Empty);
/// # Ok::<(), quadrille::form::FormError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationResponseError {
    /// The parameters are malformed, or one of them is repeated.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Neither `code` nor `access_token` nor `error` is present.
    #[error("the callback has neither a code nor a token nor an error")]
    Empty,
    /// Both are present.
    #[error("the callback has both a code and an error")]
    CodeAndError,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scopes,
        oauth2::{AuthorizationRequest, ErrorCode},
    };

    #[test]
    fn an_answer_goes_to_any_absolute_uri_without_a_fragment() {
        let response = AuthorizationResponse::Error {
            error: ErrorResponse::new(ErrorCode::AccessDenied).describe("no & never"),
            state: None,
            iss: None,
            session_state: None,
        };
        for (uri, expected) in [
            ("https://a.example/cb", Ok("https://a.example/cb?")),
            ("https://a.example/cb?x=%2F", Ok("https://a.example/cb?x=%2F&")),
            ("com.example.app:/cb", Ok("com.example.app:/cb?")),
            ("http://127.0.0.1:7/", Ok("http://127.0.0.1:7/?")),
            ("http://[::1]/", Ok("http://[::1]/?")),
            ("https://a.example/cb#", Err(EndpointError::Fragment)),
            ("https://a.example/cb#x?y", Err(EndpointError::Fragment)),
            ("/cb", Err(EndpointError::Malformed)),
            ("//a.example/cb", Err(EndpointError::Malformed)),
            ("", Err(EndpointError::Malformed)),
            ("https://a.example/\r\nX: y", Err(EndpointError::Malformed)),
            ("https://a.example/\u{e9}", Err(EndpointError::Malformed)),
        ] {
            let parameters = "error=access_denied&error_description=no+%26+never";
            let in_query = expected.map(|url| format!("{url}{parameters}"));
            assert_eq!(response.to_url(uri, ResponseMode::Query), in_query, "{uri}");
            let in_fragment = expected.map(|_| format!("{uri}#{parameters}"));
            assert_eq!(response.to_url(uri, ResponseMode::Fragment), in_fragment, "{uri}");
        }
    }

    #[test]
    fn a_token_is_in_the_fragment_in_every_mode_and_its_members_are_texts() {
        let mut token = TokenResponse::new("2YotnFZFEjr1zCsicMWpAA");
        token.expires_in = Some(std::time::Duration::from_secs(3600));
        token.scope = Some(Scopes::of(["a", "b"]));
        token.extra.insert("album".to_owned(), 7.into());
        token.extra.insert("tenant".to_owned(), "north & south".into());
        let response = AuthorizationResponse::Token { token, state: Some("xyz".into()), iss: None };
        for mode in [ResponseMode::Query, ResponseMode::Fragment] {
            assert_eq!(
                response.to_url("https://a.example/cb?x=1", mode).unwrap(),
                "https://a.example/cb?x=1#access_token=2YotnFZFEjr1zCsicMWpAA&token_type=Bearer\
                 &expires_in=3600&scope=a+b&album=7&tenant=north+%26+south&state=xyz"
            );
        }
    }

    #[test]
    fn several_parts_of_a_response_are_in_the_fragment_and_read_back() {
        // OpenID Connect Core, section 3.3.2.5.
        let mut token = TokenResponse::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        token.scope = None;
        for (code, token, id_token) in [
            (None, None, Some("a.b.c")),
            (None, Some(&token), Some("a.b.c")),
            (Some("code"), None, Some("a.b.c")),
            (Some("code"), Some(&token), None),
            (Some("code"), Some(&token), Some("a.b.c")),
        ] {
            let response = AuthorizationResponse::OpenId {
                code: code.map(Into::into),
                token: token.cloned().map(Box::new),
                id_token: id_token.map(Into::into),
                state: Some("xyz".into()),
                iss: Some("https://id.example".into()),
                session_state: Some("hash.salt".into()),
            };
            for mode in [ResponseMode::Query, ResponseMode::Fragment, ResponseMode::FormPost] {
                let url = response.to_url("https://a.example/cb?x=1", mode).unwrap();
                let (_, fragment) = url.split_once("?x=1#").unwrap();
                let params = Params::parse(fragment.as_bytes()).unwrap();
                assert_eq!(AuthorizationResponse::parse(&params), Ok(response.clone()));
                let pairs: Vec<_> = params
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect();
                assert_eq!(response.fields(), pairs);
            }
        }
    }

    #[test]
    fn a_callback_that_is_no_answer_says_why() {
        use AuthorizationResponseError as E;
        for (query, error) in [
            ("", E::Empty),
            ("code=&state=x", E::Empty),
            ("denied=1", E::Empty),
            ("code=a&error=b", E::CodeAndError),
            ("code=a&code=b", E::Form(FormError::Duplicate("code"))),
            ("code=a&state=x&state=x", E::Form(FormError::Duplicate("state"))),
            ("error=a&error=b", E::Form(FormError::Duplicate("error"))),
            ("code=a&iss=b&iss=c", E::Form(FormError::Duplicate("iss"))),
        ] {
            let params = Params::parse(query.as_bytes()).unwrap();
            assert_eq!(AuthorizationResponse::parse(&params), Err(error), "{query}");
        }
    }

    #[test]
    fn neither_code_nor_hints_show_in_debug_output() {
        let response = AuthorizationResponse::Code {
            code: "canary".into(),
            state: None,
            iss: None,
            session_state: None,
        };
        assert!(!format!("{response:?}").contains("canary"));
        let token = TokenResponse::new("canary");
        let response = AuthorizationResponse::Token { token, state: None, iss: None };
        assert!(!format!("{response:?}").contains("canary"));
        let mut request = AuthorizationRequest::new("web");
        request.extra.push(("login_hint".into(), "canary".into()));
        request.state = Some("canary".into());
        assert!(!format!("{request:?}").contains("canary"));
    }
}
