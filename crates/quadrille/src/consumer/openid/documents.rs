//! The documents of an OpenID Provider: its metadata and its keys, fetched when they are needed.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use url::Url;

use crate::{
    Env,
    consumer::error::{Error, Result, ServiceError},
    fetch::{Document, FetchError, NotFetched, Remote, RemoteKeys, TrustedFetcher},
    jose::KeySet,
    oidc::{DiscoveryError, ProviderMetadata, configuration_url},
    transport::{ErasedClient, NetworkError},
};

/// The timeout of a document.
const DEADLINE: Duration = Duration::from_secs(5);

impl Document for ProviderMetadata {
    const NAME: &'static str = "metadata";
    /// The issuer.
    type Expected = Arc<str>;
    type Error = DiscoveryError;

    fn read(body: &[u8], issuer: &Arc<str>) -> Result<Self, DiscoveryError> {
        Self::parse(body, issuer)
    }
}

/// The documents of one issuer. Clones share what is kept.
#[derive(Clone)]
pub(super) struct Documents {
    http: Arc<dyn ErasedClient>,
    issuer: Arc<str>,
    /// The URL of the metadata.
    url: Url,
    metadata: Remote<ProviderMetadata>,
    /// The URL of the keys, unless the metadata have it.
    keys_url: Option<Url>,
    keys: RemoteKeys,
}

impl Documents {
    pub(super) fn new(
        issuer: &str,
        keys_url: Option<Url>,
        http: &Arc<dyn ErasedClient>,
    ) -> Result<Self, DiscoveryError> {
        let fetcher = Arc::new(TrustedFetcher { http: Arc::clone(http), deadline: DEADLINE });
        let issuer: Arc<str> = issuer.into();
        Ok(Self {
            http: Arc::clone(http),
            url: configuration_url(&issuer)?,
            metadata: Remote::that_agree_with(Arc::clone(&issuer), fetcher.clone()),
            keys_url,
            keys: RemoteKeys::new(fetcher),
            issuer,
        })
    }

    /// Those of an earlier registration, if they are of the same issuer and the same client.
    pub(super) fn or_known(self, known: Option<&Self>) -> Self {
        let is_same = |known: &&Self| {
            *known.issuer == *self.issuer
                && known.keys_url == self.keys_url
                && Arc::ptr_eq(&known.http, &self.http)
        };
        known.filter(is_same).cloned().unwrap_or(self)
    }

    /// The metadata.
    pub(super) async fn metadata(
        &self,
        service: &Arc<str>,
        env: &Env,
    ) -> Result<Arc<ProviderMetadata>> {
        let found = self.metadata.get(&self.url, env, |_| true).await;
        found.map_err(|error| match error {
            NotFetched::Fetch(error) => not_fetched(service, error),
            NotFetched::Unusable(error) => {
                Error::service(service, ServiceError::ProviderMetadata(error))
            }
        })
    }

    /// The keys. They are fetched again if those that are kept do not suffice.
    pub(super) async fn keys(
        &self,
        service: &Arc<str>,
        env: &Env,
        suffices: impl Fn(&KeySet) -> bool,
    ) -> Result<Arc<KeySet>> {
        let url = match &self.keys_url {
            Some(url) => url.clone(),
            None => self.metadata(service, env).await?.jwks_uri.clone(),
        };
        let found = self.keys.get(&url, env, suffices).await;
        found.map_err(|error| match error {
            NotFetched::Fetch(error) => not_fetched(service, error),
            NotFetched::Unusable(error) => {
                Error::service(service, ServiceError::ProviderKeys(error))
            }
        })
    }
}

/// The error for a document that could not be fetched.
fn not_fetched(service: &Arc<str>, error: FetchError) -> Error {
    let malformed = ServiceError::Malformed { status: StatusCode::OK };
    let error = match error {
        FetchError::TimedOut => return Error::network(service, NetworkError::TimedOut),
        FetchError::Unreachable | FetchError::Busy => {
            return Error::network(service, NetworkError::Connect);
        }
        FetchError::NotPublic => return Error::network(service, NetworkError::AddressRefused),
        FetchError::Status(status) => match StatusCode::from_u16(status) {
            Ok(status) if ServiceError::is_overload(status) => {
                ServiceError::Unavailable { status, retry_after: None }
            }
            Ok(status) => ServiceError::Malformed { status },
            Err(_) => malformed,
        },
        FetchError::TooLarge => ServiceError::TooLarge,
        FetchError::Url | FetchError::ContentType | FetchError::Metadata => malformed,
    };
    Error::service(service, error)
}
