//! The authorization response.

use crate::{
    Secret,
    form::{FormError, FormWriter, Params},
    oauth2::{EndpointError, ErrorResponse, endpoint::check_absolute},
};

/// The response to an [`AuthorizationRequest`](crate::oauth2::AuthorizationRequest), which the
/// browser delivers.
///
/// ```
/// use quadrille::{form::Params, oauth2::AuthorizationResponse};
///
/// let response = AuthorizationResponse::Code {
///     code: "SplxlOBeZQQYbYS6WxSbIA".into(),
///     state: Some("xyz".into()),
///     iss: Some("https://id.example".into()),
/// };
/// assert_eq!(
///     response.to_url("https://app.example/callback?from=id")?,
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
    },
    /// The request is refused.
    Error {
        /// The error.
        error: ErrorResponse,
        /// The `state` of the request.
        state: Option<String>,
        /// The issuer (RFC 9207).
        iss: Option<String>,
    },
}

impl AuthorizationResponse {
    /// The URL for the user's browser: the redirect URI, with its own query and this response.
    ///
    /// # Errors
    /// [`EndpointError`] if the redirect URI is not absolute, or has a fragment.
    pub fn to_url(&self, redirect_uri: &str) -> Result<String, EndpointError> {
        check_absolute(redirect_uri)?;
        let mut url = FormWriter::after_url(redirect_uri);
        let (state, iss) = match self {
            Self::Code { code, state, iss } => {
                url.append("code", code.expose());
                (state, iss)
            }
            Self::Error { error, state, iss } => {
                url.append("error", error.error.as_str());
                url.append_some("error_description", error.error_description.as_deref());
                url.append_some("error_uri", error.error_uri.as_deref());
                (state, iss)
            }
        };
        url.append_some("state", state.as_deref());
        url.append_some("iss", iss.as_deref());
        Ok(url.finish())
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
        match (params.one("code")?, params.one("error")?) {
            (Some(_), Some(_)) => Err(AuthorizationResponseError::CodeAndError),
            (Some(code), None) => Ok(Self::Code { code: code.into(), state, iss }),
            (None, Some(_)) => match ErrorResponse::from_params(params) {
                Some(error) => Ok(Self::Error { error, state, iss }),
                None => Err(AuthorizationResponseError::Empty),
            },
            (None, None) => Err(AuthorizationResponseError::Empty),
        }
    }

    /// The `state` of the response.
    pub fn state(&self) -> Option<&str> {
        let (Self::Code { state, .. } | Self::Error { state, .. }) = self;
        state.as_deref()
    }

    /// The issuer of the response (RFC 9207), to be compared with the expected one as a string.
    pub fn iss(&self) -> Option<&str> {
        let (Self::Code { iss, .. } | Self::Error { iss, .. }) = self;
        iss.as_deref()
    }
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
    /// Neither `code` nor `error` is present.
    #[error("the callback has neither a code nor an error")]
    Empty,
    /// Both are present.
    #[error("the callback has both a code and an error")]
    CodeAndError,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth2::{AuthorizationRequest, ErrorCode};

    #[test]
    fn an_answer_goes_to_any_absolute_uri_without_a_fragment() {
        let response = AuthorizationResponse::Error {
            error: ErrorResponse::new(ErrorCode::AccessDenied).describe("no & never"),
            state: None,
            iss: None,
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
            let expected = expected
                .map(|url| format!("{url}error=access_denied&error_description=no+%26+never"));
            assert_eq!(response.to_url(uri), expected, "{uri}");
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
        let response =
            AuthorizationResponse::Code { code: "canary".into(), state: None, iss: None };
        assert!(!format!("{response:?}").contains("canary"));
        let mut request = AuthorizationRequest::new("web");
        request.extra.push(("login_hint".into(), "canary".into()));
        request.state = Some("canary".into());
        assert!(!format!("{request:?}").contains("canary"));
    }
}
