//! The claims providers whose claims an application accepts.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use crate::{
    consumer::{confined::confined, error::OperatorError},
    transport::{ErasedClient, HttpClient},
};

/// The claims providers (OpenID Connect Core, section 5.6.2) whose claims an application accepts, by
/// their issuers: [`Client::claims_providers`](crate::consumer::Client::claims_providers). The keys of
/// each are found by its metadata, as those of an OpenID Provider are.
///
/// ```
/// use quadrille::{KeyRing, Login, SpecBuf, consumer::ClaimsProviders};
///
/// let acme = SpecBuf::oidc("acme", "https://id.acme.example")
///     .client("our-id", "our-secret")
///     .claims_providers(ClaimsProviders::new(["https://bank.example"]));
/// Login::new(KeyRing::ephemeral(), "https://app.example").with(acme).check()?;
/// # Ok::<(), quadrille::Error>(())
/// ```
#[derive(Clone)]
pub struct ClaimsProviders {
    pub(crate) issuers: Vec<Arc<str>>,
    http: OnceLock<Result<Arc<dyn ErasedClient>, OperatorError>>,
}

impl ClaimsProviders {
    /// The claims providers with these issuers, which are compared character by character. The OpenID
    /// Provider of the service itself is always one.
    pub fn new(issuers: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        let issuers = issuers.into_iter().map(Into::into).collect();
        Self { issuers, http: OnceLock::new() }
    }

    /// Requests distributed claims with this client, in place of one that is confined to the public
    /// Internet. Gives up: the OpenID Provider chooses the URLs, so a client that reaches services inside
    /// of the network lets it send requests to them.
    #[must_use]
    pub fn http_that_the_provider_can_send_to_services_inside(
        self,
        client: impl HttpClient,
    ) -> Self {
        Self { http: OnceLock::from(Ok(Arc::new(client) as Arc<dyn ErasedClient>)), ..self }
    }

    /// The client of requests to URLs that an OpenID Provider chooses.
    pub(crate) fn http(&self) -> Result<Arc<dyn ErasedClient>, OperatorError> {
        self.http.get_or_init(confined).clone()
    }
}

impl fmt::Debug for ClaimsProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimsProviders").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}
