//! The credentials that a client sends.

use http::{HeaderMap, header::AUTHORIZATION};

use std::time::Duration;

use crate::{
    Secret, Timestamp,
    form::FormWriter,
    jose::{Claims, Protected, SignError, SigningKey},
    oauth2::EndpointError,
};

use super::{JWT_BEARER, basic::basic};

/// The client's credentials at a server, with the method that sends them.
///
/// ```
/// use quadrille::{Secret, oauth2::{ClientAuth, Resources, TokenRequest}};
///
/// let auth = ClientAuth::Basic { client_id: "web:1".into(), client_secret: Secret::from("s&t") };
/// let request = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY }
///     .to_request("https://id.example/oauth/token", &auth, &[])?;
/// // Both are form-encoded first, so that a colon in the id does no harm: "web%3A1:s%26t".
/// assert_eq!(request.headers()["authorization"], "Basic d2ViJTNBMTpzJTI2dA==");
/// # Ok::<(), quadrille::oauth2::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// HTTP Basic, which every server must support: `client_secret_basic`.
    Basic {
        /// The `client_id`.
        client_id: Box<str>,
        /// The `client_secret`.
        client_secret: Secret,
    },
    /// In the body, for servers without HTTP Basic: `client_secret_post`.
    Post {
        /// The `client_id`.
        client_id: Box<str>,
        /// The `client_secret`.
        client_secret: Secret,
    },
    /// A signed assertion, for one request: `private_key_jwt` or `client_secret_jwt` (RFC 7523,
    /// section 2.2).
    Assertion {
        /// The `client_id`.
        client_id: Box<str>,
        /// The JWT, whose issuer and subject are the client.
        assertion: Secret,
    },
    /// No authentication, for public clients: `none`.
    None {
        /// The `client_id`.
        client_id: Box<str>,
    },
}

/// The lifetime of an assertion, which is made for one request.
const LIFETIME: Duration = Duration::from_secs(120);

impl ClientAuth {
    /// An assertion for one request (RFC 7523, section 3; OpenID Connect Core, section 9), which
    /// expires after two minutes: `private_key_jwt`, or `client_secret_jwt` with the key of
    /// [`SigningKey::hmac`]. `audience` is the issuer of the server or, for older ones, the URL of its
    /// token endpoint. `jti` must be another one each time.
    ///
    /// ```
    /// use quadrille::{Timestamp, jose::{Algorithm, SigningKey}, oauth2::ClientAuth};
    ///
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// let now = Timestamp::from_seconds(1_800_000_000);
    /// let auth = ClientAuth::signed(&key, "web", "https://id.example", "n-0S6_WzA2Mj", now)?;
    /// assert_eq!(auth.client_id(), "web");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SignError`].
    pub fn signed(
        key: &SigningKey,
        client_id: &str,
        audience: &str,
        jti: &str,
        now: Timestamp,
    ) -> Result<Self, SignError> {
        let claims = Claims {
            iss: Some(client_id.to_owned()),
            sub: Some(client_id.to_owned()),
            aud: vec![audience.to_owned()],
            jti: Some(jti.to_owned()),
            iat: Some(now),
            exp: Some(now + LIFETIME),
            ..Claims::default()
        };
        let assertion = key.sign_claims(&Protected::plain(), &claims)?.into();
        Ok(Self::Assertion { client_id: client_id.into(), assertion })
    }

    /// The `client_id`.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::Assertion { client_id, .. }
            | Self::None { client_id } => client_id,
        }
    }

    /// Adds the credentials to the body or the headers of a request.
    pub(in crate::oauth2) fn apply(
        &self,
        body: &mut FormWriter,
        headers: &mut HeaderMap,
    ) -> Result<(), EndpointError> {
        match self {
            Self::Basic { client_id, client_secret } => {
                headers.insert(AUTHORIZATION, basic(client_id, client_secret.expose())?);
            }
            Self::Post { client_id, client_secret } => {
                body.append("client_id", client_id);
                body.append("client_secret", client_secret.expose());
            }
            Self::Assertion { client_id, assertion } => {
                body.append("client_id", client_id);
                body.append("client_assertion_type", JWT_BEARER);
                body.append("client_assertion", assertion.expose());
            }
            Self::None { client_id } => {
                body.append("client_id", client_id);
            }
        }
        Ok(())
    }
}
