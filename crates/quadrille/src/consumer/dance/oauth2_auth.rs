//! The authentication of the application at the endpoints of a service (RFC 6749, section 2.3; OpenID
//! Connect Core, section 9).

use std::{borrow::Cow, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tracing::error;

use crate::{
    Secret,
    consumer::{
        error::OperatorError,
        registration::Settled,
        service::{ClientAuthentication, Credential, OAuth2Buf, SecretMaker},
        site::Site,
    },
    jose::SigningKey,
    oauth2::ClientAuth,
};

/// The authentication of the client.
pub(super) enum Auth {
    Fixed(ClientAuth),
    /// With a secret that is made anew for each request.
    Made(SecretMaker),
    /// With an assertion by the secret (`client_secret_jwt`).
    SecretJwt(Box<SigningKey>),
    /// With an assertion by the keys of the site (`private_key_jwt`).
    SiteKeys,
}

impl Auth {
    pub(super) fn of(service: &Settled, spec: &OAuth2Buf) -> Result<Self, OperatorError> {
        let name = || Box::from(&*service.name);
        Ok(match (&service.credential, spec.authentication) {
            (Credential::Public, _) => {
                Self::Fixed(ClientAuth::None { client_id: service.id.as_str().into() })
            }
            (Credential::SiteKeys, _) => Self::SiteKeys,
            (Credential::Secret(secret), ClientAuthentication::SecretJwt(algorithm)) => {
                let key = SigningKey::hmac(algorithm, secret);
                let key = key.map_err(|_| OperatorError::SecretMalformed { service: name() })?;
                // No set has the key, whose identifier would tell of the secret.
                Self::SecretJwt(Box::new(key.without_kid()))
            }
            (Credential::Secret(secret), method) => {
                Self::Fixed(with_secret(&service.id, secret.clone(), method))
            }
            (Credential::Key(_), _) | (Credential::Made(_), ClientAuthentication::SecretJwt(_)) => {
                return Err(OperatorError::CredentialMismatch { service: name() });
            }
            (Credential::Made(make), _) => Self::Made(Arc::clone(make)),
        })
    }

    /// The client's credentials at the service, for one request.
    pub(super) fn credentials(
        &self,
        service: &Settled,
        spec: &OAuth2Buf,
        site: &Site,
    ) -> Result<Cow<'_, ClientAuth>, OperatorError> {
        let name = || Box::from(&*service.name);
        let not_made = |reason: &str| {
            error!(service = &*service.name, error = reason, "the client secret could not be made");
            OperatorError::SecretNotMade { service: name() }
        };
        let signed = |key: &SigningKey| {
            let jti = BASE64_URL_SAFE_NO_PAD.encode(site.env.random::<16>());
            let audience = audience(service, spec);
            let auth = ClientAuth::signed(key, &service.id, audience, &jti, site.env.now());
            auth.map(Cow::Owned).map_err(|error| not_made(&error.to_string()))
        };
        match self {
            Self::Fixed(auth) => Ok(Cow::Borrowed(auth)),
            Self::Made(make) => match make(site.env.now()) {
                Ok(secret) => Ok(Cow::Owned(with_secret(&service.id, secret, spec.authentication))),
                Err(error) => Err(not_made(&error)),
            },
            Self::SecretJwt(key) => signed(key),
            Self::SiteKeys => {
                let keys = site.client_keys.as_ref();
                let key = keys.and_then(|keys| keys.signing(site.env.now()));
                signed(&key.ok_or_else(|| OperatorError::ClientKeysMissing { service: name() })?)
            }
        }
    }
}

/// The audience of assertions: the issuer, which no other server can claim to be. Its placeholder for
/// a tenant is none.
fn audience<'a>(service: &'a Settled, spec: &'a OAuth2Buf) -> &'a str {
    let issuer = match &spec.openid.tenants {
        None => spec.openid.issuer.as_ref().or(spec.issuer.as_ref()),
        Some(_) => None,
    };
    issuer.filter(|_| !spec.assertions_for_token_endpoint).unwrap_or(&service.spec.token)
}

/// The authentication of a client with a secret that is sent.
fn with_secret(id: &str, client_secret: Secret, method: ClientAuthentication) -> ClientAuth {
    let client_id = id.into();
    match method {
        ClientAuthentication::Basic => ClientAuth::Basic { client_id, client_secret },
        // A secret that signs is not sent: it has become a key.
        ClientAuthentication::Post
        | ClientAuthentication::Json
        | ClientAuthentication::SecretJwt(_) => ClientAuth::Post { client_id, client_secret },
    }
}
