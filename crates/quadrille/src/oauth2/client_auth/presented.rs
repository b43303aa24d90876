//! The client that a request names, with its proof.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{
    Secret,
    form::Params,
    jose::{ClaimsError, Unverified},
};

use super::{
    JWT_BEARER,
    basic::{Basic, parse_basic},
    error::ClientAuthError,
    method::AuthMethod,
};

/// The client that a request names, with its proof. Nothing is verified yet.
///
/// A `client_id` in the body beside HTTP Basic is not a second method if it is the same.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use quadrille::{form::Params, oauth2::{AuthMethod, ClientAuthError, PresentedClient}};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("authorization", HeaderValue::from_static("Basic d2ViJTNBMTpzJTI2dA=="));
/// let body = Params::parse(b"grant_type=client_credentials")?;
/// let client = PresentedClient::parse(&headers, &body)?;
/// assert_eq!(client.id, "web:1");
/// assert_eq!(client.proof.secret(), Some("s&t"));
/// assert_eq!(client.method(), AuthMethod::ClientSecretBasic);
///
/// let body = Params::parse(b"client_id=web%3A1&client_secret=s%26t")?;
/// assert_eq!(PresentedClient::parse(&headers, &body), Err(ClientAuthError::SeveralMethods));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresentedClient<'a> {
    /// The `client_id`.
    pub id: Cow<'a, str>,
    /// The proof that it is this client.
    pub proof: ClientProof<'a>,
    /// The `client_id` as it stands in HTTP Basic, if it differs from the form-decoded one.
    raw_id: Option<String>,
    /// The secret as it stands in HTTP Basic, if it differs from the form-decoded one.
    raw_secret: Option<Secret>,
    method: AuthMethod,
}

/// The proof of a client's identity in a request (RFC 6749, section 2.3).
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{form::Params, oauth2::{ClientProof, PresentedClient}};
///
/// let body = Params::parse(b"client_id=web&client_secret=s3cret")?;
/// let client = PresentedClient::parse(&HeaderMap::new(), &body)?;
/// assert_eq!(client.proof, ClientProof::Secret("s3cret".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientProof<'a> {
    /// None: a public client.
    None,
    /// The `client_secret`, which is not empty.
    Secret(Cow<'a, str>),
    /// The `client_assertion`, a signed JWT. Nothing about it is verified.
    Assertion(&'a str),
}

impl<'a> ClientProof<'a> {
    fn of_secret(secret: Option<Cow<'a, str>>) -> Self {
        secret.filter(|secret| !secret.is_empty()).map_or(Self::None, Self::Secret)
    }

    /// The `client_secret`, if that is the proof.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::None | Self::Assertion(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }
}

impl fmt::Debug for ClientProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Secret(_) => "Secret",
            Self::Assertion(_) => "Assertion",
        })
    }
}

impl<'a> PresentedClient<'a> {
    /// Reads the client from the headers and the body of a request. An assertion names the client
    /// as its subject.
    ///
    /// # Errors
    /// [`ClientAuthError`].
    pub fn parse(headers: &HeaderMap, body: &'a Params<'_>) -> Result<Self, ClientAuthError> {
        let id = body.one("client_id")?;
        let secret = body.one("client_secret")?;
        match (body.one("client_assertion")?, body.one("client_assertion_type")?) {
            (None, None) => {}
            (Some(_), Some(_)) if secret.is_some() || headers.contains_key(AUTHORIZATION) => {
                return Err(ClientAuthError::SeveralMethods);
            }
            (Some(assertion), Some(JWT_BEARER)) => return Self::of_assertion(assertion, id),
            (Some(_), Some(_)) => return Err(ClientAuthError::UnsupportedAssertion),
            _ => return Err(ClientAuthError::AssertionWithoutType),
        }
        let mut authorizations = headers.get_all(AUTHORIZATION).iter();
        let Some(authorization) = authorizations.next() else {
            return match (id, secret) {
                (Some(id), secret) => Ok(Self {
                    id: Cow::Borrowed(id),
                    proof: ClientProof::of_secret(secret.map(Cow::Borrowed)),
                    raw_id: None,
                    raw_secret: None,
                    method: match secret {
                        Some(_) => AuthMethod::ClientSecretPost,
                        None => AuthMethod::None,
                    },
                }),
                (None, Some(_)) => Err(ClientAuthError::SecretWithoutId),
                (None, None) => Err(ClientAuthError::Missing),
            };
        };
        if secret.is_some() || authorizations.next().is_some() {
            return Err(ClientAuthError::SeveralMethods);
        }
        let Basic { id: basic_id, raw_id, secret: basic_secret, raw_secret } =
            parse_basic(authorization)?;
        // The identifier in the body says which reading is meant.
        let (basic_id, raw_id) = match (id, raw_id) {
            (None, raw_id) => (basic_id, raw_id),
            (Some(id), _) if id == basic_id => (basic_id, None),
            (Some(id), Some(raw_id)) if id == raw_id => (raw_id, None),
            (Some(_), _) => return Err(ClientAuthError::DifferentClients),
        };
        Ok(Self {
            id: Cow::Owned(basic_id),
            raw_id,
            method: if basic_secret.is_empty() {
                AuthMethod::None
            } else {
                AuthMethod::ClientSecretBasic
            },
            proof: ClientProof::of_secret(Some(Cow::Owned(basic_secret))),
            raw_secret,
        })
    }

    fn of_assertion(assertion: &'a str, id: Option<&str>) -> Result<Self, ClientAuthError> {
        let token = Unverified::parse(assertion)?;
        let subject = token.claims_of_anybody()?.sub.filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(ClaimsError::Missing("sub"))?;
        if id.is_some_and(|id| id != subject) {
            return Err(ClientAuthError::DifferentClients);
        }
        Ok(Self {
            id: Cow::Owned(subject),
            proof: ClientProof::Assertion(assertion),
            raw_id: None,
            raw_secret: None,
            method: match token.header().algorithm().is_symmetric() {
                true => AuthMethod::ClientSecretJwt,
                false => AuthMethod::PrivateKeyJwt,
            },
        })
    }

    /// The `client_id` in another reading: as it stands in HTTP Basic, if form-decoding it (RFC 6749,
    /// section 2.3.1) changes it. It is of use only if no client has the decoded one.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue};
    /// use quadrille::{form::Params, oauth2::PresentedClient};
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("authorization", HeaderValue::from_static("Basic YStiOnM=")); // a+b:s
    /// let body = Params::parse(b"")?;
    /// let client = PresentedClient::parse(&headers, &body)?;
    /// assert_eq!(client.id, "a b");
    /// assert_eq!(client.raw_id(), Some("a+b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn raw_id(&self) -> Option<&str> {
        self.raw_id.as_deref()
    }

    /// The secret in another reading: as it stands in HTTP Basic, if form-decoding it (RFC 6749,
    /// section 2.3.1) changes it. Many clients send it unencoded (requests-oauthlib, Authlib,
    /// curl). A generated secret is the same in both readings; a chosen one may fit this one.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue};
    /// use quadrille::{form::Params, oauth2::PresentedClient};
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("authorization", HeaderValue::from_static("Basic d2ViOmErYg==")); // web:a+b
    /// let body = Params::parse(b"")?;
    /// let client = PresentedClient::parse(&headers, &body)?;
    /// assert_eq!(client.proof.secret(), Some("a b"));
    /// assert_eq!(client.raw_secret().map(|secret| secret.expose()), Some("a+b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn raw_secret(&self) -> Option<&Secret> {
        self.raw_secret.as_ref()
    }

    /// The client's authentication method.
    pub fn method(&self) -> AuthMethod {
        self.method
    }
}

impl fmt::Debug for PresentedClient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedClient")
            .field("id", &self.id)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
