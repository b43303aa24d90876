//! The request to the token endpoint (RFC 6749, sections 4.1.3, 4.3.2, 4.4.2 and 6; RFC 8628,
//! section 3.4).

use std::fmt;

use bytes::Bytes;
use http::Request;

use crate::{
    Scopes,
    form::{FormWriter, Params},
    oauth2::{ClientAuth, EndpointError, RequestError, Resources, pkce, post::post_form},
};

/// A request to the token endpoint, by grant type.
///
/// ```
/// use quadrille::{form::Params, oauth2::{ClientAuth, Resources, TokenRequest}};
///
/// let (refresh_token, resource) = ("tGzv3JOkF0XG5Qx2TlKWIA", Resources::EMPTY);
/// let asked = TokenRequest::RefreshToken { refresh_token, scope: None, resource };
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
        /// A subset of the APIs granted; empty for all of them (RFC 8707, section 2.2).
        resource: Resources,
    },
    /// Refresh an access token (RFC 6749, section 6).
    RefreshToken {
        /// The refresh token.
        refresh_token: &'a str,
        /// A subset of the scopes granted; `None` for all of them.
        scope: Option<Scopes>,
        /// A subset of the APIs granted; empty for all of them.
        resource: Resources,
    },
    /// Get a token for the client itself (RFC 6749, section 4.4).
    ClientCredentials {
        /// The scopes; `None` for the server's default.
        scope: Option<Scopes>,
        /// The APIs that the token is for.
        resource: Resources,
    },
    /// Redeem a device code, or learn that the user has not decided yet (RFC 8628, section 3.4).
    DeviceCode {
        /// The device code.
        device_code: &'a str,
        /// A subset of the APIs granted; empty for all of them.
        resource: Resources,
    },
    /// Get a token by a JWT of an issuer that the server trusts (RFC 7523, section 2.1).
    JwtBearer {
        /// The JWT.
        assertion: &'a str,
        /// The scopes; `None` for the server's default.
        scope: Option<Scopes>,
        /// The APIs that the token is for.
        resource: Resources,
    },
    /// Get a token for a user by the user's password, which the client sees (RFC 6749, section
    /// 4.3.2). RFC 9700, section 2.4 forbids it.
    Password {
        /// The user name.
        username: &'a str,
        /// The password.
        password: &'a str,
        /// The scopes; `None` for the server's default.
        scope: Option<Scopes>,
        /// The APIs that the token is for.
        resource: Resources,
    },
    /// Exchange a token (RFC 8693, section 2.1).
    TokenExchange(TokenExchange<'a>),
}

/// The parameters of a token exchange (RFC 8693, section 2.1).
///
/// ```
/// use quadrille::oauth2::{ClientAuth, TokenExchange, TokenRequest, token_type};
///
/// let asked = TokenExchange::new("accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC", token_type::ACCESS_TOKEN);
/// let auth = ClientAuth::Basic { client_id: "mailer".into(), client_secret: "s3cret".into() };
/// let request =
///     TokenRequest::TokenExchange(asked).to_request("https://id.example/oauth/token", &auth, &[])?;
/// assert!(request.body().starts_with(b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken"));
/// # Ok::<(), quadrille::oauth2::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenExchange<'a> {
    /// The token of the party on whose behalf the request is made.
    pub subject_token: &'a str,
    /// The type of the subject token: see [`token_type`].
    pub subject_token_type: &'a str,
    /// The token of the acting party, and its type.
    pub actor_token: Option<(&'a str, &'a str)>,
    /// The type of the requested token; `None` for an access token.
    pub requested_token_type: Option<&'a str>,
    /// The scopes; `None` for those of the subject token, as far as the client may have them.
    pub scope: Option<Scopes>,
    /// The APIs that the token is for, by their URIs.
    pub resource: Resources,
    /// The APIs that the token is for, by the names that the server knows them by.
    pub audience: Vec<&'a str>,
}

impl<'a> TokenExchange<'a> {
    /// An exchange of this token, by its type, without further wishes.
    pub const fn new(subject_token: &'a str, subject_token_type: &'a str) -> Self {
        Self {
            subject_token,
            subject_token_type,
            actor_token: None,
            requested_token_type: None,
            scope: None,
            resource: Resources::EMPTY,
            audience: Vec::new(),
        }
    }

    fn read(params: &'a Params<'_>) -> Result<Self, RequestError> {
        let required = |name| params.one(name)?.ok_or(RequestError::Missing(name));
        let actor_token = match (params.one("actor_token")?, params.one("actor_token_type")?) {
            (Some(token), Some(kind)) => Some((token, kind)),
            (None, None) => None,
            (Some(_), None) => return Err(RequestError::Missing("actor_token_type")),
            (None, Some(_)) => return Err(RequestError::Missing("actor_token")),
        };
        // A value that cannot be read must not leave the wider default.
        if params.check("audience").is_err() {
            return Err(RequestError::MalformedResource);
        }
        Ok(Self {
            subject_token: required("subject_token")?,
            subject_token_type: required("subject_token_type")?,
            actor_token,
            requested_token_type: params.one("requested_token_type")?,
            scope: read_scope(params)?,
            resource: Resources::read(params)?,
            audience: params.many("audience").collect(),
        })
    }

    fn write(&self, body: &mut FormWriter) {
        body.append("subject_token", self.subject_token);
        body.append("subject_token_type", self.subject_token_type);
        if let Some((token, kind)) = self.actor_token {
            body.append("actor_token", token);
            body.append("actor_token_type", kind);
        }
        body.append_some("requested_token_type", self.requested_token_type);
        body.append_some("scope", self.scope.as_ref().map(Scopes::as_str));
        self.resource.write(body);
        for audience in &self.audience {
            body.append("audience", audience);
        }
    }
}

/// Shows no token.
impl fmt::Debug for TokenExchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenExchange({})", self.subject_token_type)
    }
}

/// Token type identifiers (RFC 8693, section 3).
pub mod token_type {
    /// An access token of the server.
    pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
    /// A refresh token of the server.
    pub const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
    /// A JWT.
    pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
    /// An ID token of OpenID Connect.
    pub const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
}

/// The grant type of [`TokenRequest::JwtBearer`].
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The grant type of [`TokenRequest::TokenExchange`].
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The grant type of [`TokenRequest::DeviceCode`].
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl<'a> TokenRequest<'a> {
    /// The value in a message.
    ///
    /// ```
    /// use quadrille::oauth2::{Resources, TokenRequest};
    ///
    /// let resource = Resources::of(["https://api.example"])?;
    /// let request = TokenRequest::ClientCredentials { scope: None, resource };
    /// assert_eq!(request.grant_type(), "client_credentials");
    /// # Ok::<(), quadrille::oauth2::InvalidResource>(())
    /// ```
    pub const fn grant_type(&self) -> &'static str {
        match self {
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::RefreshToken { .. } => "refresh_token",
            Self::ClientCredentials { .. } => "client_credentials",
            Self::DeviceCode { .. } => DEVICE_CODE,
            Self::JwtBearer { .. } => JWT_BEARER,
            Self::Password { .. } => "password",
            Self::TokenExchange(_) => TOKEN_EXCHANGE,
        }
    }

    /// The HTTP request, with the client's authentication and any further parameters.
    ///
    /// # Errors
    /// [`EndpointError`] if no request can be sent to the endpoint.
    pub fn to_request(
        &self,
        endpoint: &str,
        auth: &ClientAuth,
        extra: &[(&str, &str)],
    ) -> Result<Request<Bytes>, EndpointError> {
        let mut body = FormWriter::with_capacity(384);
        body.append("grant_type", self.grant_type());
        match self {
            Self::AuthorizationCode { code, redirect_uri, code_verifier, resource } => {
                body.append("code", code);
                body.append_some("redirect_uri", *redirect_uri);
                body.append_some("code_verifier", *code_verifier);
                resource.write(&mut body);
            }
            Self::RefreshToken { refresh_token, scope, resource } => {
                body.append("refresh_token", refresh_token);
                body.append_some("scope", scope.as_ref().map(Scopes::as_str));
                resource.write(&mut body);
            }
            Self::ClientCredentials { scope, resource } => {
                body.append_some("scope", scope.as_ref().map(Scopes::as_str));
                resource.write(&mut body);
            }
            Self::DeviceCode { device_code, resource } => {
                body.append("device_code", device_code);
                resource.write(&mut body);
            }
            Self::JwtBearer { assertion, scope, resource } => {
                body.append("assertion", assertion);
                body.append_some("scope", scope.as_ref().map(Scopes::as_str));
                resource.write(&mut body);
            }
            Self::Password { username, password, scope, resource } => {
                body.append("username", username);
                body.append("password", password);
                body.append_some("scope", scope.as_ref().map(Scopes::as_str));
                resource.write(&mut body);
            }
            Self::TokenExchange(exchange) => exchange.write(&mut body),
        }
        for (name, value) in extra {
            body.append(name, value);
        }
        post_form(endpoint, auth, body)
    }

    /// Reads the parameters of a request. [`PresentedClient`](crate::oauth2::PresentedClient) reads
    /// the client; unknown parameters are ignored.
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
                    resource: Resources::read(params)?,
                })
            }
            "refresh_token" => Ok(Self::RefreshToken {
                refresh_token: required("refresh_token")?,
                scope: read_scope(params)?,
                resource: Resources::read(params)?,
            }),
            "client_credentials" => Ok(Self::ClientCredentials {
                scope: read_scope(params)?,
                resource: Resources::read(params)?,
            }),
            DEVICE_CODE => Ok(Self::DeviceCode {
                device_code: required("device_code")?,
                resource: Resources::read(params)?,
            }),
            JWT_BEARER => Ok(Self::JwtBearer {
                assertion: required("assertion")?,
                scope: read_scope(params)?,
                resource: Resources::read(params)?,
            }),
            "password" => Ok(Self::Password {
                username: required("username")?,
                password: required("password")?,
                scope: read_scope(params)?,
                resource: Resources::read(params)?,
            }),
            TOKEN_EXCHANGE => Ok(Self::TokenExchange(TokenExchange::read(params)?)),
            _ => Err(RequestError::UnsupportedGrantType),
        }
    }
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRequest({})", self.grant_type())
    }
}

/// Reads `scope` strictly, for a server; `None` if it is missing or only spaces.
pub(crate) fn read_scope(params: &Params<'_>) -> Result<Option<Scopes>, RequestError> {
    params
        .one("scope")?
        .map(|text| Scopes::parse(text).ok().filter(|scopes| !scopes.is_empty()))
        .map(|scopes| scopes.ok_or(RequestError::MalformedScope))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::FormError;

    #[test]
    fn each_wrong_token_request_has_its_own_reason() {
        let long =
            format!("grant_type=authorization_code&code=c&code_verifier={}", "v".repeat(129));
        for (body, error, code) in [
            ("", RequestError::Missing("grant_type"), "invalid_request"),
            ("grant_type=", RequestError::Missing("grant_type"), "invalid_request"),
            ("grant_type=pass", RequestError::UnsupportedGrantType, "unsupported_grant_type"),
            (
                "grant_type=password&password=x",
                RequestError::Missing("username"),
                "invalid_request",
            ),
            (
                "grant_type=password&username=x",
                RequestError::Missing("password"),
                "invalid_request",
            ),
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
                "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer",
                RequestError::Missing("assertion"),
                "invalid_request",
            ),
            (
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x",
                RequestError::Missing("subject_token_type"),
                "invalid_request",
            ),
            (
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x\
                 &subject_token_type=y&actor_token=z",
                RequestError::Missing("actor_token_type"),
                "invalid_request",
            ),
            (
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x\
                 &subject_token_type=y&actor_token_type=z",
                RequestError::Missing("actor_token"),
                "invalid_request",
            ),
            (
                "grant_type=client_credentials&scope=+",
                RequestError::MalformedScope,
                "invalid_scope",
            ),
            (
                "grant_type=client_credentials&resource=api",
                RequestError::MalformedResource,
                "invalid_target",
            ),
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
            resource: Resources::of(["urn:r"]).unwrap(),
        };
        let auth = ClientAuth::Post { client_id: "i".into(), client_secret: "s".into() };
        let request =
            asked.to_request("https://id.example/token?t=1", &auth, &[("audience", "a")]).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri(), "https://id.example/token?t=1");
        assert_eq!(request.headers()["accept"], "application/json");
        assert_eq!(
            request.body(),
            "grant_type=authorization_code&code=a%2Fb&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1\
             &resource=urn%3Ar&audience=a&client_id=i&client_secret=s"
        );
        for bad in ["https://id.example/#f", "/token", "ftp://x/", "", "https://a b/"] {
            assert!(asked.to_request(bad, &auth, &[]).is_err(), "{bad}");
        }
    }
}
