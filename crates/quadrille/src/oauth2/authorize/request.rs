//! The authorization request.

use std::{borrow::Cow, fmt};

use crate::{
    Scopes,
    form::{FormWriter, Params},
    oauth2::{
        EndpointError, RequestError, Resources, authorize::ResponseType, endpoint::check_absolute,
        pkce::Challenge, token::read_scope,
    },
    scope::ScopeSeparator,
};

/// An authorization request: a client asks for a user's consent.
///
/// ```
/// use quadrille::{Env, Scopes, form::Params, oauth2::{AuthorizationRequest, pkce::Verifier}};
///
/// let verifier = Verifier::random(&Env::system());
/// let mut request = AuthorizationRequest::new("web");
/// request.redirect_uri = Some("https://app.example/callback".into());
/// request.scope = Some(Scopes::parse("photos:read profile")?);
/// request.state = Some("xyz".into());
/// request.code_challenge = Some(verifier.challenge());
/// let url = request.to_url("https://id.example/oauth/authorize?tenant=7")?;
/// assert!(url.starts_with(
///     "https://id.example/oauth/authorize?tenant=7&response_type=code&client_id=web\
///      &redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&scope=photos%3Aread+profile&state=xyz\
///      &code_challenge="
/// ));
///
/// // ... and on the other side:
/// let uri: http::Uri = url.parse()?;
/// let params = Params::parse(uri.query().unwrap_or_default().as_bytes())?;
/// let read = AuthorizationRequest::parse(&params)?;
/// assert_eq!(read.client_id, "web");
/// assert!(read.code_challenge.unwrap().matches(verifier.expose()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationRequest<'a> {
    /// The response type.
    pub response_type: ResponseType,
    /// The client.
    pub client_id: Cow<'a, str>,
    /// The URI to which the server responds.
    pub redirect_uri: Option<Cow<'a, str>>,
    /// The scopes requested; `None` for the server's default.
    pub scope: Option<Scopes>,
    /// The separator between scopes.
    pub scope_separator: ScopeSeparator,
    /// The APIs that the token is for (RFC 8707).
    pub resource: Resources,
    /// An opaque value, which the response returns unchanged.
    pub state: Option<Cow<'a, str>>,
    /// The PKCE challenge, sent with `code_challenge_method`. It binds a code: a request for none
    /// has none, and it is not read there.
    pub code_challenge: Option<Challenge>,
    /// All other parameters in order, including repeated ones: see [`Self::extra`].
    pub extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> AuthorizationRequest<'a> {
    /// A request for a code with only the client set.
    pub fn new(client_id: impl Into<Cow<'a, str>>) -> Self {
        Self {
            response_type: ResponseType::Code,
            client_id: client_id.into(),
            redirect_uri: None,
            scope: None,
            scope_separator: ScopeSeparator::Space,
            resource: Resources::EMPTY,
            state: None,
            code_challenge: None,
            extra: Vec::new(),
        }
    }

    /// The URL for the user's browser: the endpoint, with its own query and this request.
    ///
    /// # Errors
    /// [`EndpointError`] if the endpoint is not an absolute URI, or has a fragment.
    pub fn to_url(&self, endpoint: &str) -> Result<String, EndpointError> {
        check_absolute(endpoint)?;
        let mut url = FormWriter::after_url(endpoint);
        url.append("response_type", self.response_type.as_str());
        url.append("client_id", &self.client_id);
        url.append_some("redirect_uri", self.redirect_uri.as_deref());
        if let Some(scope) = &self.scope {
            url.append("scope", &scope.join(self.scope_separator));
        }
        self.resource.write(&mut url);
        url.append_some("state", self.state.as_deref());
        if let Some(challenge) = &self.code_challenge {
            url.append("code_challenge", &challenge.to_string());
            url.append("code_challenge_method", Challenge::METHOD);
        }
        for (name, value) in &self.extra {
            url.append(name, value);
        }
        Ok(url.finish())
    }

    /// Reads a request from the parameters of the query or of a POST's body.
    ///
    /// # Errors
    /// [`AuthorizationRequestError`], which separates errors that may be reported to the client
    /// from those that may not.
    pub fn parse(params: &'a Params<'_>) -> Result<Self, AuthorizationRequestError> {
        let address = || {
            let client_id = params.one("client_id")?.ok_or(RequestError::Missing("client_id"))?;
            // An undecodable state cannot be returned unchanged.
            params.check("state")?;
            Ok((client_id, params.one("redirect_uri")?))
        };
        let (client_id, redirect_uri) =
            address().map_err(AuthorizationRequestError::Unaddressed)?;
        Self::parse_from(client_id, redirect_uri, params).map_err(|reason| {
            AuthorizationRequestError::Refused {
                addressee: Addressee {
                    client_id: client_id.to_owned(),
                    redirect_uri: redirect_uri.map(str::to_owned),
                    state: params.one("state").ok().flatten().map(str::to_owned),
                },
                reason,
            }
        })
    }

    fn parse_from(
        client_id: &'a str,
        redirect_uri: Option<&'a str>,
        params: &'a Params<'_>,
    ) -> Result<Self, RequestError> {
        let state = params.one("state")?;
        let response_type = match params.one("response_type")? {
            Some(name) => ResponseType::parse(name).ok_or(RequestError::UnsupportedResponseType)?,
            None => return Err(RequestError::Missing("response_type")),
        };
        let scope = read_scope(params)?;
        let resource = Resources::read(params)?;
        let code_challenge = match response_type.has_code() {
            true => Challenge::read(
                params.one("code_challenge")?,
                params.one("code_challenge_method")?,
            )?,
            false => None,
        };
        for name in READ {
            params.one(name)?;
        }
        // Unknown parameters are ignored (RFC 6749, section 3.1), even repeated ones.
        let extra = params.iter().filter(|(name, value)| !value.is_empty() && !OWN.contains(name));
        let extra = extra.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        Ok(Self {
            response_type,
            client_id: Cow::Borrowed(client_id),
            redirect_uri: redirect_uri.map(Cow::Borrowed),
            scope,
            scope_separator: ScopeSeparator::Space,
            resource,
            state: state.map(Cow::Borrowed),
            code_challenge,
            extra: extra.collect(),
        })
    }

    /// The first value of another parameter. `prompt`, `max_age`, `acr_values`, `request`,
    /// `request_uri` and `response_mode` are not repeated: [`parse`](Self::parse) refuses that.
    ///
    /// ```
    /// use quadrille::oauth2::AuthorizationRequest;
    ///
    /// let mut request = AuthorizationRequest::new("web");
    /// request.extra.push(("prompt".into(), "none".into()));
    /// assert_eq!(request.extra("prompt"), Some("none"));
    /// assert_eq!(request.extra("nonce"), None);
    /// ```
    pub fn extra(&self, name: &str) -> Option<&str> {
        self.extra.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> AuthorizationRequest<'static> {
        let owned = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        AuthorizationRequest {
            response_type: self.response_type,
            client_id: owned(self.client_id),
            redirect_uri: self.redirect_uri.map(owned),
            scope: self.scope,
            scope_separator: self.scope_separator,
            resource: self.resource,
            state: self.state.map(owned),
            code_challenge: self.code_challenge,
            extra: self.extra.into_iter().map(|(n, v)| (owned(n), owned(v))).collect(),
        }
    }
}

/// Omits the values of `extra`: hints may identify a user.
impl fmt::Debug for AuthorizationRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("response_type", &self.response_type)
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("scope", &self.scope)
            .field("resource", &self.resource)
            .field("code_challenge", &self.code_challenge)
            .field("extra", &self.extra.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The reason why an authorization request is malformed: a fault of the client, sent by the
/// browser.
///
/// ```
/// use quadrille::oauth2::{AuthorizationRequest, AuthorizationRequestError, RequestError};
/// use quadrille::form::Params;
///
/// let params = Params::parse(b"client_id=web&state=xyz&response_type=none")?;
/// match AuthorizationRequest::parse(&params) {
///     Err(AuthorizationRequestError::Refused { addressee, reason }) => {
///         // The client is told, if its redirect URI proves to be registered.
///         assert_eq!(addressee.client_id, "web");
///         assert_eq!(addressee.state.as_deref(), Some("xyz"));
///         assert_eq!(reason, RequestError::UnsupportedResponseType);
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), quadrille::form::FormError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationRequestError {
    /// The client or its redirect URI is unclear. The user sees a page and is never redirected (RFC
    /// 6749, section 4.1.2.1).
    #[error(transparent)]
    Unaddressed(RequestError),
    /// Another part is malformed. Once client and redirect URI are verified, the client receives an
    /// [`AuthorizationResponse::Error`](crate::oauth2::AuthorizationResponse::Error).
    #[error("{reason}")]
    Refused {
        /// The recipient of the error.
        addressee: Addressee,
        /// The error.
        reason: RequestError,
    },
}

/// The recipient of an error. Until `client_id` and `redirect_uri` are looked up, nobody must be
/// redirected.
///
/// ```
/// use quadrille::{form::Params, oauth2::{AuthorizationRequest, AuthorizationRequestError}};
///
/// let query = Params::parse(b"response_type=none&client_id=s6BhdRkqt3&state=xyz")?;
/// match AuthorizationRequest::parse(&query) {
///     Err(AuthorizationRequestError::Refused { addressee, .. }) => {
///         assert_eq!(addressee.client_id, "s6BhdRkqt3");
///         assert_eq!(addressee.state.as_deref(), Some("xyz"));
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), quadrille::form::FormError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The `client_id`, not yet verified.
    pub client_id: String,
    /// The `redirect_uri`; `None` if the client relies on its only registered one.
    pub redirect_uri: Option<String>,
    /// The `state`; `None` if it is missing or repeated.
    pub state: Option<String>,
}

/// The parameters with a field.
const OWN: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "resource",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// Further parameters that this library's server reads (OpenID Connect Core, RFC 9101).
const READ: [&str; 6] =
    ["prompt", "request", "request_uri", "response_mode", "max_age", "acr_values"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::FormError;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn without_a_usable_client_and_redirect_uri_nobody_is_addressed() {
        for (query, reason) in [
            ("response_type=code", RequestError::Missing("client_id")),
            ("client_id=&response_type=code", RequestError::Missing("client_id")),
            ("client_id=a&client_id=a", FormError::Duplicate("client_id").into()),
            (
                "client_id=a&redirect_uri=b&redirect_uri=c",
                FormError::Duplicate("redirect_uri").into(),
            ),
        ] {
            let params = Params::parse(query.as_bytes()).unwrap();
            assert_eq!(
                AuthorizationRequest::parse(&params),
                Err(AuthorizationRequestError::Unaddressed(reason)),
                "{query}"
            );
        }
    }

    #[test]
    fn every_other_mistake_can_be_told_to_the_client_with_its_state() {
        let plain = format!("response_type=code&code_challenge={CHALLENGE}");
        for (query, reason, code) in [
            ("", RequestError::Missing("response_type"), "invalid_request"),
            (
                "response_type=code none",
                RequestError::UnsupportedResponseType,
                "unsupported_response_type",
            ),
            (
                "response_type=code&response_type=code",
                FormError::Duplicate("response_type").into(),
                "invalid_request",
            ),
            ("response_type=code&scope=%22", RequestError::MalformedScope, "invalid_scope"),
            (
                "response_type=code&resource=/photos",
                RequestError::MalformedResource,
                "invalid_target",
            ),
            (
                "response_type=code&resource=urn:a&resource=%zz",
                RequestError::MalformedResource,
                "invalid_target",
            ),
            ("response_type=code&prompt=%", FormError::BrokenPercent.into(), "invalid_request"),
            (
                "response_type=code&prompt=none&prompt=login",
                FormError::Duplicate("prompt").into(),
                "invalid_request",
            ),
            (&plain, RequestError::PlainChallenge, "invalid_request"),
            (
                "response_type=code&code_challenge=x&code_challenge_method=S256",
                RequestError::MalformedChallenge,
                "invalid_request",
            ),
            (
                "response_type=code&code_challenge_method=S256",
                RequestError::Missing("code_challenge"),
                "invalid_request",
            ),
        ] {
            let query = format!("client_id=web&redirect_uri=app:/cb&state=xyz&{query}");
            let params = Params::parse(query.as_bytes()).unwrap();
            let addressee = Addressee {
                client_id: "web".to_owned(),
                redirect_uri: Some("app:/cb".to_owned()),
                state: Some("xyz".to_owned()),
            };
            assert_eq!(
                AuthorizationRequest::parse(&params),
                Err(AuthorizationRequestError::Refused { addressee, reason }),
                "{query}"
            );
            assert_eq!(reason.code().as_str(), code);
        }
    }

    #[test]
    fn what_binds_a_code_is_not_read_where_no_code_is_requested() {
        for broken in
            ["code_challenge=x", "code_challenge_method=S512", "code_challenge=a&code_challenge=b"]
        {
            let query = format!("client_id=web&response_type=token&{broken}");
            let params = Params::parse(query.as_bytes()).unwrap();
            let request = AuthorizationRequest::parse(&params).unwrap();
            assert_eq!(request.response_type, ResponseType::Token);
            assert_eq!((request.code_challenge, request.extra.len()), (None, 0));
        }
    }

    #[test]
    fn a_repeated_state_is_reported_without_one() {
        let params = Params::parse(b"client_id=web&response_type=code&state=a&state=b").unwrap();
        let Err(AuthorizationRequestError::Refused { addressee, reason }) =
            AuthorizationRequest::parse(&params)
        else {
            panic!("it was not refused");
        };
        assert_eq!(addressee.state, None);
        assert_eq!(reason, FormError::Duplicate("state").into());
    }

    #[test]
    fn further_parameters_are_kept_and_resources_may_repeat() {
        let query = b"client_id=web&response_type=code&resource=urn:a&resource=urn:b&nonce=n\
            &unknown=1&unknown=2&empty=&utm_campaign=100%&login_hint=Ren%E9";
        let params = Params::parse(query).unwrap();
        let request = AuthorizationRequest::parse(&params).unwrap().into_owned();
        let names: Vec<_> = request.extra.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(names, [("nonce", "n"), ("unknown", "1"), ("unknown", "2")]);
        assert_eq!(request.resource.as_str(), "urn:a urn:b");
        assert_eq!(request.extra("nonce"), Some("n"));
    }
}
