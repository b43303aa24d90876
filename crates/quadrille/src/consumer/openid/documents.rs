//! The documents of an OpenID Provider: its metadata and its keys, fetched when they are needed.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use url::Url;

use crate::{
    Env,
    consumer::error::{Error, Result, ServiceError},
    fetch::{Document, FetchError, NotFetched, Remote, RemoteKeys, TrustedFetcher},
    jose::{EncryptingKey, KeyManagement, KeySet, KeySetError},
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
    /// The same again for tokens that anybody can send, whose requests for newer ones count by
    /// themselves.
    metadata_for_anybody: Remote<ProviderMetadata>,
    keys_for_anybody: RemoteKeys,
    encrypting_keys: Remote<EncryptingKeys>,
}

/// On whose account documents that lack what a token needs are fetched again, within limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Newer {
    /// The provider's, which has sent the token itself.
    OfProvider,
    /// That of anybody, who has sent a logout token, or one through a browser. So junk lets no token of
    /// the provider wait for a new key.
    OfAnybody,
    /// A token that no key makes valid.
    No,
}

/// The keys of a provider to which others encrypt.
pub(super) struct EncryptingKeys(KeySet);

impl EncryptingKeys {
    /// The first key for an algorithm.
    pub(super) fn for_algorithm(&self, algorithm: KeyManagement) -> Option<&EncryptingKey> {
        self.0.encrypting_by(algorithm)
    }
}

impl Document for EncryptingKeys {
    const NAME: &'static str = "encrypting keys";
    type Expected = ();
    type Error = KeySetError;

    fn read(body: &[u8], expected: &()) -> Result<Self, KeySetError> {
        KeySet::read(body, expected).map(Self)
    }
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
            metadata: Remote::that_agree_with(Arc::clone(&issuer), fetcher.clone()).at_once(),
            metadata_for_anybody: Remote::that_agree_with(Arc::clone(&issuer), fetcher.clone())
                .at_once(),
            keys_url,
            keys: RemoteKeys::new(fetcher.clone()).at_once(),
            keys_for_anybody: RemoteKeys::new(fetcher.clone()).at_once(),
            encrypting_keys: Remote::that_agree_with((), fetcher).at_once(),
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
        self.newer_metadata(Newer::No, service, env, |_| true).await
    }

    /// The metadata. They are fetched again if those that are kept do not suffice.
    pub(super) async fn newer_metadata(
        &self,
        newer: Newer,
        service: &Arc<str>,
        env: &Env,
        suffices: impl Fn(&ProviderMetadata) -> bool,
    ) -> Result<Arc<ProviderMetadata>> {
        let remotes = (&self.metadata, &self.metadata_for_anybody);
        let found = get(remotes, newer, &self.url, env, suffices).await;
        found.map_err(|error| match error {
            NotFetched::Fetch(error) => not_fetched(service, error),
            NotFetched::Unusable(error) => {
                Error::service(service, ServiceError::ProviderMetadata(error))
            }
        })
    }

    /// Whether the metadata are fetched in any case, since they have the URL of the keys.
    pub(super) const fn are_discovered(&self) -> bool {
        self.keys_url.is_none()
    }

    /// The keys. They are fetched again if those that are kept do not suffice.
    pub(super) async fn keys(
        &self,
        newer: Newer,
        service: &Arc<str>,
        env: &Env,
        suffices: impl Fn(&KeySet) -> bool,
    ) -> Result<Arc<KeySet>> {
        let url = self.keys_url(service, env).await?;
        let remotes = (&self.keys, &self.keys_for_anybody);
        let found = get(remotes, newer, &url, env, suffices).await;
        found.map_err(|error| no_keys(service, error))
    }

    /// The keys to which others encrypt, as [`keys`](Self::keys).
    pub(super) async fn encrypting_keys(
        &self,
        service: &Arc<str>,
        env: &Env,
        algorithm: KeyManagement,
    ) -> Result<Arc<EncryptingKeys>> {
        let url = self.keys_url(service, env).await?;
        let suffices = |keys: &EncryptingKeys| keys.for_algorithm(algorithm).is_some();
        let found = self.encrypting_keys.get(&url, env, suffices).await;
        found.map_err(|error| no_keys(service, error))
    }

    async fn keys_url(&self, service: &Arc<str>, env: &Env) -> Result<Url> {
        match &self.keys_url {
            Some(url) => Ok(url.clone()),
            None => Ok(self.metadata(service, env).await?.jwks_uri.clone()),
        }
    }
}

/// A document: the kept one if it suffices, else a newer one.
async fn get<D: Document>(
    (own, for_anybody): (&Remote<D>, &Remote<D>),
    newer: Newer,
    url: &Url,
    env: &Env,
    suffices: impl Fn(&D) -> bool,
) -> Result<Arc<D>, NotFetched<D::Error>> {
    if newer == Newer::OfProvider {
        return own.get(url, env, suffices).await;
    }
    let known = own.get(url, env, |_| true).await?;
    match newer == Newer::OfAnybody && !suffices(&known) {
        true => for_anybody.get(url, env, suffices).await,
        false => Ok(known),
    }
}

fn no_keys(service: &Arc<str>, error: NotFetched<KeySetError>) -> Error {
    match error {
        NotFetched::Fetch(error) => not_fetched(service, error),
        NotFetched::Unusable(error) => Error::service(service, ServiceError::ProviderKeys(error)),
    }
}

/// The error for a document that could not be fetched.
pub(crate) fn not_fetched(service: &Arc<str>, error: FetchError) -> Error {
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
        FetchError::Url
        | FetchError::ContentType
        | FetchError::Compressed
        | FetchError::Metadata => malformed,
    };
    Error::service(service, error)
}
