//! A service as registered by an application, ready for use.

use std::{any::TypeId, borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use url::Url;

use crate::{
    Scopes, consumer::error::OperatorError, loopback::is_secure, oauth2::member::MemberPath,
};

use super::{
    attempt::{Attempt, Kind},
    dance::{Dance, OAuth1Dance, OAuth2Dance},
    endpoint::is_graphic,
    hosted::settled,
    service::{Client, Credential, Protocol, SpecBuf},
};

/// A service as given by the application.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) type_id: TypeId,
    pub(crate) spec: SpecBuf,
    pub(crate) id: String,
    pub(crate) credential: Credential,
}

impl<S: 'static> From<Client<S>> for Registration {
    fn from(client: Client<S>) -> Self {
        let Client { spec, id, credential, .. } = client;
        Self { type_id: TypeId::of::<S>(), spec, id, credential }
    }
}

impl Registration {
    /// A value copied or read from a file often ends with a line break, which a service refuses as
    /// `invalid_client`.
    fn check_credentials(&self) -> Result<(), OperatorError> {
        let is_oauth2 = matches!(self.spec.protocol, Protocol::OAuth2(_));
        let is_fit = |text: &str| {
            let fits = |char: char| match is_oauth2 {
                true => matches!(char, ' '..='~'),
                false => !char.is_control() && char != '\u{feff}',
            };
            text.trim() == text && text.chars().all(fits)
        };
        let service = || Box::from(&*self.spec.name);
        if self.id.is_empty() || !is_fit(&self.id) {
            return Err(OperatorError::ClientIdMalformed { service: service() });
        }
        match &self.credential {
            Credential::Secret(secret) if secret.expose().trim().is_empty() => {
                Err(OperatorError::SecretMissing { service: service() })
            }
            Credential::Secret(secret) if !is_fit(secret.expose()) => {
                Err(OperatorError::SecretMalformed { service: service() })
            }
            // A key is PEM or a path; its reader checks it.
            Credential::Secret(_) | Credential::Key(_) | Credential::None => Ok(()),
        }
    }
}

/// A service, ready for use.
pub(crate) struct Registered {
    pub(crate) name: Arc<str>,
    pub(crate) registration: Registration,
    pub(crate) callback: String,
    /// The base of API calls, with a trailing slash.
    pub(crate) api: Url,
    /// The URL of the account's claims, and the path of the identifier in them.
    pub(crate) identity: Option<(Url, MemberPath)>,
    pub(crate) dance: Dance,
}

impl Registered {
    /// The service's name is checked already.
    pub(crate) fn new(registration: &Registration, site: &str) -> Result<Self, OperatorError> {
        registration.check_credentials()?;
        let mut registration = registration.clone();
        registration.spec = settled(registration.spec)?;
        let Registration { spec, .. } = &registration;
        let service = || Box::from(&*spec.name);
        let malformed = || OperatorError::EndpointMalformed { service: service() };
        // `Url` drops line breaks and spaces, but the request would contain them.
        let endpoint = |text: &str| match Url::parse(text) {
            Ok(url) if is_secure(&url) && url.has_host() && is_graphic(text) => Ok(url),
            _ => Err(malformed()),
        };
        endpoint(&spec.authorize)?;
        endpoint(&spec.token)?;
        let mut api = endpoint(&spec.api)?;
        if !api.path().ends_with('/') {
            api.set_path(&format!("{}/", api.path()));
        }
        let identity = match &spec.identity {
            Some((path, subject)) => {
                let url = api.join(path.trim_start_matches('/')).map_err(|_| malformed())?;
                let subject = MemberPath::parse(subject)
                    .ok_or_else(|| OperatorError::MemberMalformed { service: service() })?;
                Some((url, subject))
            }
            None => None,
        };
        let callback = format!("{site}/{}/authorized", spec.name);
        let dance = match &spec.protocol {
            Protocol::OAuth2(oauth2) => {
                Dance::OAuth2(Box::new(OAuth2Dance::new(&registration, oauth2, &callback)?))
            }
            Protocol::OAuth1(oauth1) => {
                endpoint(&oauth1.temporary)?;
                Dance::OAuth1(Box::new(OAuth1Dance::new(&registration, oauth1)?))
            }
        };
        let name = spec.name.as_ref().into();
        Ok(Self { name, registration, callback, api, identity, dance })
    }

    pub(crate) fn spec(&self) -> &SpecBuf {
        &self.registration.spec
    }

    /// Sets the headers of a service's spec.
    pub(crate) fn add_headers(
        &self,
        request: &mut Request<Bytes>,
        headers: &[(Cow<'static, str>, Cow<'static, str>)],
    ) -> Result<(), OperatorError> {
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            else {
                return Err(OperatorError::EndpointMalformed { service: (*self.name).into() });
            };
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }
}

impl Attempt {
    /// The scopes requested.
    pub(crate) fn asked(&self, registered: &Registered) -> Scopes {
        match &self.kind {
            Kind::Widen { scopes, .. } => Scopes::of(scopes.split(' ')),
            Kind::Link | Kind::Identify => registered.spec().scopes.clone(),
        }
    }
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered").field("name", &self.name).finish_non_exhaustive()
    }
}
