//! A service as registered by an application, ready for use.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::Method;
use url::Url;

use crate::{
    consumer::{
        backoff::outage::Outage,
        dance::{Dance, OAuth1Dance, OAuth2Dance},
        error::{BrowserError, OperatorError, Result},
        openid::OpenIdProvider,
        registration::{Registration, Settled},
        service::{
            ClientAuthentication, Credential, Protocol, RequestObjects, Revocation, SpecBuf,
        },
        site::Site,
    },
    jose::Algorithm,
    oidc::ProviderMetadata,
};

/// A service, ready for use.
pub(crate) struct Registered {
    pub(crate) settled: Arc<Settled>,
    pub(crate) dance: Dance,
    pub(crate) outage: Arc<Outage>,
    openid: Option<Arc<OpenIdProvider>>,
    undiscovered: Option<Box<Undiscovered>>,
}

/// The request for the claims of an account.
pub(crate) struct IdentityRequest {
    pub(crate) method: Method,
    /// The JSON body, empty for none.
    pub(crate) json: Bytes,
    /// Whether the access token is the body.
    pub(crate) token_in_body: bool,
}

/// A service whose endpoints are found when they are needed.
struct Undiscovered {
    registration: Registration,
    found: Mutex<Option<(Arc<ProviderMetadata>, Arc<Registered>)>>,
}

impl Registered {
    /// Checks a registration for this site. The service's name is checked already. `known` is an
    /// earlier registration of the same name, whose documents may serve.
    pub(crate) fn new(
        registration: &Registration,
        site: &Site,
        known: Option<&Self>,
    ) -> Result<Self, OperatorError> {
        let settled = Arc::new(Settled::new(registration, &site.name)?);
        let signs = matches!(settled.credential, Credential::SiteKeys)
            || settled.openid().is_some_and(|openid| {
                openid.request_objects.is_some_and(RequestObjects::is_signed)
            });
        if signs && site.client_keys.is_none() {
            return Err(OperatorError::ClientKeysMissing { service: (*settled.name).into() });
        }
        let known = known.and_then(|known| known.openid.as_deref());
        let openid = OpenIdProvider::of(&settled, site, known)?.map(Arc::new);
        let undiscovered = registration.spec.is_to_be_discovered().then(|| {
            Box::new(Undiscovered { registration: registration.clone(), found: Mutex::default() })
        });
        Self::with(settled, openid, undiscovered, Arc::default())
    }

    fn with(
        settled: Arc<Settled>,
        openid: Option<Arc<OpenIdProvider>>,
        undiscovered: Option<Box<Undiscovered>>,
        outage: Arc<Outage>,
    ) -> Result<Self, OperatorError> {
        let dance = match &settled.spec.protocol {
            Protocol::OAuth2(oauth2) => {
                let dance = OAuth2Dance::new(&settled, oauth2, openid.clone())?;
                Dance::OAuth2(Box::new(dance))
            }
            Protocol::OAuth1(oauth1) => {
                Dance::OAuth1(Box::new(OAuth1Dance::new(&settled, oauth1)?))
            }
        };
        Ok(Self { settled, dance, outage, openid, undiscovered })
    }

    /// The OpenID Provider that the service is, if it is one.
    pub(crate) fn provider(&self) -> Option<&OpenIdProvider> {
        self.openid.as_deref()
    }

    /// The request for the claims of an account.
    pub(crate) fn identity_request(&self) -> IdentityRequest {
        let token_in_body = self.openid().is_some_and(|openid| openid.userinfo_token_in_body);
        let (method, json) = match &self.spec.identity_by_post {
            Some(json) if !token_in_body => (Method::POST, Bytes::from(json.clone().into_owned())),
            None if !token_in_body => (Method::GET, Bytes::new()),
            _ => (Method::POST, Bytes::new()),
        };
        IdentityRequest { method, json, token_in_body }
    }

    /// The OpenID Provider that the service must be.
    ///
    /// # Errors
    /// [`OperatorError::NotOpenId`].
    pub(crate) fn openid_provider(&self) -> Result<&OpenIdProvider, OperatorError> {
        let service = || (*self.name).into();
        self.provider().ok_or_else(|| OperatorError::NotOpenId { service: service() })
    }

    /// The OpenID Provider whose ID tokens log in if a page or an app presents them.
    ///
    /// # Errors
    /// [`OperatorError::NotOpenId`], and [`BrowserError::IdTokensNotAccepted`].
    pub(crate) fn provider_of_presented(&self) -> Result<&OpenIdProvider> {
        let provider = self.openid_provider()?;
        match self.allowed.id_tokens {
            true => Ok(provider),
            false => Err(BrowserError::IdTokensNotAccepted.into()),
        }
    }

    /// The service with its endpoints, which may have to be discovered.
    ///
    /// # Errors
    /// Those of the request for the provider's metadata.
    pub(crate) async fn discovered(self: &Arc<Self>, site: &Site) -> Result<Arc<Self>> {
        let (Some(undiscovered), Some(openid)) = (&self.undiscovered, &self.openid) else {
            return Ok(Arc::clone(self));
        };
        let metadata = openid.metadata(&site.env).await?;
        let mut found = undiscovered.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, registered)) = &*found
            && Arc::ptr_eq(known, &metadata)
        {
            return Ok(Arc::clone(registered));
        }
        let mut registration = undiscovered.registration.clone();
        // The base has moved the issuer, and the metadata say where everything else is.
        registration.spec = self.settled.spec.clone();
        complete(&mut registration.spec, &metadata);
        let settled = Arc::new(Settled::new(&registration, &site.name)?);
        let (openid, outage) = (Some(Arc::clone(openid)), Arc::clone(&self.outage));
        let registered = Arc::new(Self::with(settled, openid, None, outage)?);
        *found = Some((metadata, Arc::clone(&registered)));
        Ok(registered)
    }
}

/// Fills in what a provider says about itself, where the application has not said otherwise.
fn complete(spec: &mut SpecBuf, metadata: &ProviderMetadata) {
    let Protocol::OAuth2(oauth2) = &mut spec.protocol else { return };
    let endpoint = |url: &Option<Url>| url.as_ref().map(literal);
    spec.authorize = literal(&metadata.authorization_endpoint).into();
    // Without a token endpoint, a code could not be redeemed: the check of the endpoints says so.
    spec.token = endpoint(&metadata.token_endpoint).unwrap_or_default().into();
    if spec.identity.is_none() {
        let userinfo = endpoint(&metadata.userinfo_endpoint);
        spec.identity = userinfo.map(|url| (url.into(), "sub".into()));
    }
    if oauth2.issuer.is_none() {
        oauth2.issuer = Some(metadata.issuer.clone().into());
        oauth2.issuer_required = metadata.names_issuer_in_every_answer;
    }
    if oauth2.authentication == ClientAuthentication::Basic {
        oauth2.authentication = authentication(metadata);
    }
    if oauth2.revocation.is_none() {
        let revocation = endpoint(&metadata.revocation_endpoint);
        oauth2.revocation = revocation.map(|url| (url.into(), Revocation::Standard));
    }
    if oauth2.openid.end_session.is_none() {
        let end = endpoint(&metadata.end_session_endpoint);
        oauth2.openid.end_session = end.map(Into::into);
    }
    if oauth2.device_authorization.is_none() {
        let device = endpoint(&metadata.device_authorization_endpoint);
        oauth2.device_authorization = device.map(Into::into);
    }
}

/// A URL of the metadata as an endpoint: braces, which only the application's own endpoints have as places
/// to fill in, are characters like any other (RFC 3986, section 2.1).
fn literal(url: &Url) -> String {
    url.as_str().replace('{', "%7B").replace('}', "%7D")
}

/// The authentication with a secret that a provider accepts: the first of the usual ones.
fn authentication(metadata: &ProviderMetadata) -> ClientAuthentication {
    let methods = metadata.token_endpoint_auth_methods.as_deref().unwrap_or_default();
    let takes = |method: &str| methods.iter().any(|known| known == method);
    if takes("client_secret_basic") || methods.is_empty() {
        return ClientAuthentication::Basic;
    }
    if takes("client_secret_post") {
        return ClientAuthentication::Post;
    }
    if !takes("client_secret_jwt") {
        return ClientAuthentication::Basic;
    }
    let mut algorithms = metadata.token_endpoint_auth_signing_algorithms.iter().copied();
    let symmetric = algorithms.find(|algorithm| algorithm.is_symmetric());
    ClientAuthentication::SecretJwt(symmetric.unwrap_or(Algorithm::Hs256))
}

impl Deref for Registered {
    type Target = Settled;
    fn deref(&self) -> &Settled {
        &self.settled
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("name", &self.name).finish_non_exhaustive()
    }
}
