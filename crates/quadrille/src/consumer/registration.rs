//! The application's registration at a service: as given, and checked.

use std::{any::TypeId, borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use url::Url;

use crate::{consumer::error::OperatorError, loopback::is_secure, oauth2::member::MemberPath};

use super::{
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
            Credential::Secret(_) | Credential::Key(_) | Credential::Public => Ok(()),
        }
    }
}

/// A registration whose values are checked.
pub(crate) struct Settled {
    pub(crate) name: Arc<str>,
    pub(crate) type_id: TypeId,
    pub(crate) spec: SpecBuf,
    pub(crate) id: String,
    pub(crate) credential: Credential,
    pub(crate) callback: String,
    /// The base of API calls, with a trailing slash.
    pub(crate) api: Url,
    /// The URL of the account's claims, and the path of the identifier in them.
    pub(crate) identity: Option<(Url, MemberPath)>,
}

impl Settled {
    /// Checks a registration for the site with this name. The service's name is checked already.
    pub(crate) fn new(registration: &Registration, site: &str) -> Result<Self, OperatorError> {
        registration.check_credentials()?;
        let Registration { type_id, spec, id, credential } = registration.clone();
        let spec = settled(spec)?;
        let service = || Box::from(&*spec.name);
        let malformed = || OperatorError::EndpointMalformed { service: service() };
        // `Url` drops line breaks and spaces, but the request would contain them.
        let endpoint = |text: &str| match Url::parse(text) {
            Ok(url) if is_secure(&url) && url.has_host() && is_graphic(text) => Ok(url),
            _ => Err(malformed()),
        };
        endpoint(&spec.authorize)?;
        endpoint(&spec.token)?;
        if let Protocol::OAuth1(oauth1) = &spec.protocol {
            endpoint(&oauth1.temporary)?;
        }
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
        let name = spec.name.as_ref().into();
        Ok(Self { name, type_id, spec, id, credential, callback, api, identity })
    }

    /// Sets the headers of the service's spec.
    pub(crate) fn add_headers(
        &self,
        request: &mut Request<Bytes>,
        headers: &[(Cow<'static, str>, Cow<'static, str>)],
    ) -> Result<(), OperatorError> {
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            else {
                return Err(self.endpoint_malformed());
            };
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    /// The error for a request to one of the service's endpoints that cannot be built.
    pub(crate) fn endpoint_malformed(&self) -> OperatorError {
        OperatorError::EndpointMalformed { service: (*self.name).into() }
    }
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settled").field("name", &self.name).finish_non_exhaustive()
    }
}
