//! The authentication method that a client is registered with (RFC 7591, section 2).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    jose::{Algorithm, Algorithms, KeyError, KeySet, KeySetError},
    oauth2::AuthMethod,
};

/// The only authentication method of a client, with what it needs (RFC 7591, section 2). A request
/// by another method is refused.
///
/// ```
/// use quadrille::{
///     jose::{Algorithm, KeySet, SigningKey},
///     oauth2::AuthMethod,
///     provider::{ClientKeys, NewClient, RegisteredAuth},
/// };
///
/// // The client keeps its private key, and gives the public one to the provider.
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let jwks = KeySet::from_iter([key.verifying_key().clone()]).to_json();
/// let auth = RegisteredAuth::PrivateKeyJwt { alg: None, keys: ClientKeys::Jwks(jwks.into()) };
/// assert_eq!(auth.method(), AuthMethod::PrivateKeyJwt);
/// let robot = NewClient::confidential("Robot").auth(auth);
/// # Ok::<(), quadrille::jose::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RegisteredAuth {
    /// The secret in the `Authorization` header (RFC 6749, section 2.3.1).
    ClientSecretBasic,
    /// The secret in the body (RFC 6749, section 2.3.1).
    ClientSecretPost,
    /// An assertion with an HMAC by the secret (RFC 7523, section 2.2). The server keeps the secret
    /// sealed under its key ring, not as a hash.
    ClientSecretJwt {
        /// The algorithm (`token_endpoint_auth_signing_alg`); `None` for any HMAC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alg: Option<Algorithm>,
    },
    /// An assertion signed with the client's private key (RFC 7523, section 2.2).
    PrivateKeyJwt {
        /// The algorithm (`token_endpoint_auth_signing_alg`); `None` for all those of the keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alg: Option<Algorithm>,
        /// The public keys.
        keys: ClientKeys,
    },
}

/// The public keys of a client (RFC 7591, section 2).
///
/// ```
/// use quadrille::provider::ClientKeys;
///
/// let keys = ClientKeys::JwksUri("https://robot.example/jwks.json".into());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKeys {
    /// A JWK Set in JSON (`jwks`).
    Jwks(Arc<str>),
    /// The https URL of a JWK Set (`jwks_uri`), which the client changes to rotate its keys. It is
    /// fetched as
    /// [`client_keys_fetched_by`](crate::provider::AuthorizationServer::client_keys_fetched_by)
    /// says.
    JwksUri(Arc<str>),
}

/// The reason why a client cannot authenticate as it is registered.
///
/// ```
/// use quadrille::provider::RegisteredAuthError;
///
/// let error = RegisteredAuthError::NoKey;
/// assert_eq!(error.to_string(), "jwks has no key that is usable for the client's assertions");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisteredAuthError {
    /// The `jwks` is not a JWK Set.
    #[error("jwks: {0}")]
    Keys(#[from] KeySetError),
    /// The `jwks` has a private or shared key, which is now known to others.
    #[error("jwks has a private or shared key; replace that key, and give only public ones")]
    PrivateKeys,
    /// The `jwks` has no key that can be used with the client's algorithm.
    #[error("jwks has no key that is usable for the client's assertions")]
    NoKey,
    /// The `jwks_uri` is not a plain https URL.
    #[error("jwks_uri needs to be an https URL without user, password and fragment")]
    JwksUri,
    /// The `token_endpoint_auth_signing_alg` is unknown, or not one of the authentication method.
    #[error("the client may not sign its assertions by this token_endpoint_auth_signing_alg")]
    SigningAlgorithm,
}

impl RegisteredAuth {
    /// The name of the method.
    pub const fn method(&self) -> AuthMethod {
        match self {
            Self::ClientSecretBasic => AuthMethod::ClientSecretBasic,
            Self::ClientSecretPost => AuthMethod::ClientSecretPost,
            Self::ClientSecretJwt { .. } => AuthMethod::ClientSecretJwt,
            Self::PrivateKeyJwt { .. } => AuthMethod::PrivateKeyJwt,
        }
    }

    /// The algorithms of the client's assertions; `None` if it sends none.
    pub(super) fn algorithms(&self) -> Option<Algorithms> {
        let (alg, all) = match self {
            Self::ClientSecretBasic | Self::ClientSecretPost => return None,
            Self::ClientSecretJwt { alg } => (alg, Algorithms::SYMMETRIC),
            Self::PrivateKeyJwt { alg, .. } => (alg, Algorithms::PUBLIC_KEY),
        };
        Some(alg.map_or(all, Algorithms::only))
    }

    /// Checks algorithm and keys.
    pub(super) fn check(&self) -> Result<(), RegisteredAuthError> {
        match self {
            Self::ClientSecretJwt { alg: Some(alg) } if !alg.is_symmetric() => {
                Err(RegisteredAuthError::SigningAlgorithm)
            }
            Self::PrivateKeyJwt { alg: Some(alg), .. } if alg.is_symmetric() => {
                Err(RegisteredAuthError::SigningAlgorithm)
            }
            Self::PrivateKeyJwt { alg, keys } => keys.check(*alg),
            _ => Ok(()),
        }
    }
}

impl ClientKeys {
    pub(crate) const fn are_fetched(&self) -> bool {
        matches!(self, Self::JwksUri(_))
    }

    fn check(&self, alg: Option<Algorithm>) -> Result<(), RegisteredAuthError> {
        let Some(keys) = self.read()? else { return Ok(()) };
        let fits = |alg: Algorithm| keys.iter().any(|key| key.verifies(alg));
        match alg.map_or(!keys.is_empty(), fits) {
            true => Ok(()),
            false => Err(RegisteredAuthError::NoKey),
        }
    }

    /// The keys; `None` if they are fetched.
    pub(super) fn read(&self) -> Result<Option<KeySet>, RegisteredAuthError> {
        match self {
            Self::Jwks(json) => {
                let keys = KeySet::parse(json.as_bytes())?;
                match keys.skipped().contains(&KeyError::NotPublic) {
                    true => Err(RegisteredAuthError::PrivateKeys),
                    false => Ok(Some(keys)),
                }
            }
            Self::JwksUri(uri) => match Self::url(uri) {
                Some(_) => Ok(None),
                None => Err(RegisteredAuthError::JwksUri),
            },
        }
    }

    /// A `jwks_uri` that may be fetched: a plain https URL.
    pub(super) fn url(uri: &str) -> Option<Url> {
        let url = Url::parse(uri).ok()?;
        let is_bare =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        (is_bare && url.scheme() == "https").then_some(url)
    }
}
