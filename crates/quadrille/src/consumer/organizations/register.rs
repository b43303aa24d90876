//! The exchanges with an organization's host and provider: WebFinger, discovery, and registration (OpenID
//! Connect Dynamic Client Registration 1.0; RFC 7591, RFC 7592).

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use url::Url;

use crate::{
    consumer::{
        error::{BrowserError, Error, Result, ServiceError},
        exchange::{ask_endpoint, retry_after},
        site::Site,
    },
    fetch::{FetchError, Fetcher as _, TrustedFetcher},
    jose::Algorithm,
    oauth2::{
        ClientConfigurationRequest, ClientInformation, ClientMetadata, EndpointError,
        RegistrationRequest, RegistrationResponseError,
    },
    oidc::{ProviderMetadata, UserIdentifier, configuration_url, issuer_in_webfinger},
    transport::{ErasedClient, Purpose},
};

use super::{
    Organizations, name_of,
    stored::{Asked, Method, SIGNED_BY, StoredClient},
};

/// The requests to one organization.
pub(crate) struct Registrar<'a> {
    organizations: &'a Organizations,
    site: &'a Site,
    http: Arc<dyn ErasedClient>,
    /// Whether the site receives logouts.
    receives_logouts: bool,
    /// Whether the site lets others initiate logins.
    accepts_initiated_logins: bool,
}

impl<'a> Registrar<'a> {
    pub(crate) fn new(
        organizations: &'a Organizations,
        site: &'a Site,
        receives_logouts: bool,
        accepts_initiated_logins: bool,
    ) -> Result<Self> {
        let http = organizations.http()?;
        Ok(Self { organizations, site, http, receives_logouts, accepts_initiated_logins })
    }

    /// The issuer of a user (OpenID Connect Discovery, section 2). A host may name another issuer for
    /// each of its users, so requests share the answer to the same identifier only.
    ///
    /// # Errors
    /// [`BrowserError::OrganizationUnknown`]: the user has typed a host that names no issuer, or is
    /// none; and [`BrowserError::TooManyLookups`].
    pub(crate) async fn issuer(&self, typed: &UserIdentifier) -> Result<String> {
        if let Some(issuer) = self.organizations.issuer_of(typed.host()) {
            return Ok(issuer.to_owned());
        }
        let Organizations { service, lookups, .. } = self.organizations;
        let (url, now) = (typed.webfinger_url(), self.site.env.now());
        let key = url.to_string();
        let look_up = || -> Result<_> {
            let turn = lookups.limits.admit(typed.host(), now)?;
            let http = Arc::clone(&self.http);
            Ok(async move {
                let found = issuer_at(&http, &url).await;
                drop(turn);
                found
            })
        };
        lookups.issuers.get(service, &key, now, look_up).await
    }

    /// Registers the site at an issuer.
    ///
    /// # Errors
    /// [`ServiceError::RegistrationUnsupported`], [`ServiceError::RegistrationRefused`],
    /// [`ServiceError::RegistrationUnusable`], and those of the requests.
    pub(crate) async fn register(&self, issuer: &str) -> Result<StoredClient> {
        let fail = |error| Error::service(&self.organizations.service, error);
        let url = configuration_url(issuer);
        let url = url.map_err(|error| fail(ServiceError::ProviderMetadata(error)))?;
        let document = document(&self.http, &url).await.map_err(|error| self.not_fetched(error))?;
        let metadata = ProviderMetadata::parse(&document, issuer);
        let metadata = metadata.map_err(|error| fail(ServiceError::ProviderMetadata(error)))?;
        let endpoint = metadata.registration_endpoint.as_ref();
        let endpoint =
            endpoint.ok_or_else(|| fail(ServiceError::RegistrationUnsupported))?.as_str();
        let method = method(&metadata, self.site.client_keys.is_some())
            .ok_or_else(|| fail(ServiceError::RegistrationUnsupported))?;
        let algorithm =
            algorithm(&metadata).ok_or_else(|| fail(ServiceError::RegistrationUnsupported))?;
        let request = RegistrationRequest {
            metadata: self.wanted(&metadata, method, algorithm),
            initial_access_token: self.organizations.initial_tokens.get(issuer).cloned(),
        };
        let answer = self.ask(request.to_request(endpoint)).await?;
        let (callback, now) = (self.callback(issuer), self.site.env.now());
        let asked = Asked { method, algorithm };
        let client = StoredClient::of(issuer, asked, &callback, &answer, now);
        client.map_err(|reason| fail(ServiceError::RegistrationUnusable(reason)))
    }

    /// The registration with a new secret: read at its own endpoint, or made anew.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub(crate) async fn renew(&self, known: StoredClient) -> Result<StoredClient> {
        let (issuer, now) = (&known.issuer, self.site.env.now());
        let mut renewed = None;
        if let Some(configuration) = known.configuration() {
            let request = ClientConfigurationRequest::Read.to_request(&configuration);
            if let Ok(answer) = self.ask(request).await {
                renewed = known.clone().renewed(&answer, &self.callback(issuer), now);
            }
        }
        // A secret that expires as soon as the old one is the old one.
        let renewed = renewed.filter(|renewed| renewed.lasts_longer_than(&known));
        let renewed = match renewed {
            Some(renewed) => renewed,
            None => self.register(issuer).await?,
        };
        Ok(renewed.following(known, now))
    }

    /// The metadata of the site.
    fn wanted(
        &self,
        provider: &ProviderMetadata,
        method: Method,
        algorithm: Algorithm,
    ) -> ClientMetadata {
        let issuer = &*provider.issuer;
        let Organizations { service, client_name, scopes, .. } = self.organizations;
        let here = [&*self.site.name, "/", service, "~", &name_of(issuer)].concat();
        let grants = ["authorization_code", "refresh_token"].map(str::to_owned);
        let mut wanted = ClientMetadata {
            redirect_uris: vec![self.callback(issuer)],
            token_endpoint_auth_method: Some(method.as_str().to_owned()),
            grant_types: Some(grants.to_vec()),
            response_types: Some(vec!["code".to_owned()]),
            client_name: client_name.clone(),
            scope: Some(scopes.clone()),
            ..ClientMetadata::default()
        };
        if method == Method::PrivateKeyJwt {
            wanted.jwks_uri = Some([&*self.site.name, "/jwks.json"].concat());
        }
        let logged_out = vec![[&*here, "/logged-out"].concat()];
        wanted.extra.insert("application_type".to_owned(), "web".into());
        wanted.extra.insert(SIGNED_BY.to_owned(), algorithm.as_str().into());
        wanted.extra.insert("post_logout_redirect_uris".to_owned(), logged_out.into());
        if self.accepts_initiated_logins {
            let initiate = [&*here, "/initiate"].concat();
            wanted.extra.insert("initiate_login_uri".to_owned(), initiate.into());
        }
        if self.receives_logouts {
            let logout = [&*here, "/backchannel-logout"].concat();
            wanted.extra.insert("backchannel_logout_uri".to_owned(), logout.into());
            if provider.logout_tokens_name_sessions {
                let name = "backchannel_logout_session_required".to_owned();
                wanted.extra.insert(name, true.into());
            }
        }
        wanted
    }

    fn callback(&self, issuer: &str) -> String {
        let service = &*self.organizations.service;
        [&*self.site.name, "/", service, "~", &name_of(issuer), "/authorized"].concat()
    }

    /// Sends a request about a registration.
    async fn ask(
        &self,
        request: Result<Request<Bytes>, EndpointError>,
    ) -> Result<ClientInformation> {
        let service = &self.organizations.service;
        let fail = |error| Error::service(service, error);
        let request = request.map_err(|_| fail(ServiceError::RegistrationUnsupported))?;
        let answer = ask_endpoint(&*self.http, service, request, Purpose::Register).await?;
        ClientInformation::parse(&answer).map_err(|error| fail(self.refused(&answer, &error)))
    }

    fn refused(&self, answer: &Response<Bytes>, error: &RegistrationResponseError) -> ServiceError {
        let status = answer.status();
        match error {
            _ if ServiceError::is_overload(status) => ServiceError::Unavailable {
                status,
                retry_after: retry_after(answer.headers(), self.site.env.now()),
            },
            RegistrationResponseError::Refused { error, .. } => ServiceError::RegistrationRefused {
                error: ServiceError::shown(error.error.as_str()),
            },
            _ => ServiceError::Malformed { status },
        }
    }

    fn not_fetched(&self, error: FetchError) -> Error {
        use crate::consumer::openid::not_fetched;
        not_fetched(&self.organizations.service, error)
    }
}

/// The issuer that a WebFinger response names.
async fn issuer_at(http: &Arc<dyn ErasedClient>, url: &Url) -> Result<String> {
    let response = document(http, url).await;
    let issuer = response.ok().and_then(|body| issuer_in_webfinger(&body));
    // An issuer that has no configuration URL is none.
    let issuer = issuer.filter(|issuer| configuration_url(issuer).is_ok());
    Ok(issuer.ok_or(BrowserError::OrganizationUnknown)?)
}

/// A document of a host that a user has chosen: at most 64 KiB, within five seconds, without redirects.
async fn document(http: &Arc<dyn ErasedClient>, url: &Url) -> Result<Bytes, FetchError> {
    let (http, deadline) = (Arc::clone(http), Organizations::DEADLINE);
    if crate::loopback::is_loopback(url) && url.scheme() == "http" {
        return Err(FetchError::NotPublic);
    }
    Ok(TrustedFetcher { http, deadline }.fetch(url).await?.body)
}

/// The signature algorithm of ID tokens to register: the usual one where the provider has it, as each
/// should (OpenID Connect Discovery, section 3), else the first one with public keys.
fn algorithm(metadata: &ProviderMetadata) -> Option<Algorithm> {
    let named = &metadata.id_token_signing_algorithms;
    if named.is_empty() || named.contains(&Algorithm::Rs256) {
        return Some(Algorithm::Rs256);
    }
    named.iter().copied().find(|algorithm| !algorithm.is_symmetric())
}

/// The authentication to register: by the site's keys where both sides can, else with a secret.
fn method(metadata: &ProviderMetadata, has_keys: bool) -> Option<Method> {
    let Some(methods) = &metadata.token_endpoint_auth_methods else {
        return Some(Method::ClientSecretBasic);
    };
    let takes = |method: &Method| methods.iter().any(|known| known == method.as_str());
    let usual = [Method::PrivateKeyJwt, Method::ClientSecretBasic, Method::ClientSecretPost];
    usual.into_iter().filter(|method| has_keys || *method != Method::PrivateKeyJwt).find(takes)
}
