//! Metadata documents: fetched once for all requests, remembered, and counted if they fail.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::OnceCell;
use url::Url;

use crate::{
    Env, RemoteAddress, Scopes, Timestamp,
    fetch::{ErasedFetcher, Fetcher},
    provider::guessing::{Rate, Throttle, Who},
};
#[cfg(feature = "http-client")]
use crate::{fetch::GuardedFetcher, transport::NoHttpClient};

use super::{super::name::ReservedNames, error::ClientDocumentError, metadata::Described};

/// The number of remembered documents; at this number the expired ones are forgotten, or all.
const REMEMBERED: usize = 512;
/// The limits of the time for which a document is remembered.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The limit of rejected documents for one address. Each fetch is counted when it begins, and
/// forgiven if the document is accepted.
const FAILURES: Rate = Rate { burst: 30, forgiven_every: Duration::from_secs(10) };

/// The limit of rejected documents of one host, for all addresses together. It stops many addresses
/// from using this server to flood a host. Only addresses that have failed at this host are
/// refused.
const FAILURES_AT_A_HOST: Rate = Rate { burst: 300, forgiven_every: Duration::from_secs(1) };

/// Client metadata documents (draft-ietf-oauth-client-id-metadata-document): accepts clients that
/// are not registered, whose `client_id` is the URL of a document in which they describe
/// themselves, as clients of the Model Context Protocol do. Pass it to
/// [`AuthorizationServer::client_metadata_documents`][set].
///
/// Such a client is public and uses PKCE. Users are asked for consent, and the page must show the
/// [host that vouches for the client](crate::provider::ConsentPage::client_host), since anyone can
/// choose its name. A document is remembered for as long as its `Cache-Control` says, but at least
/// five minutes and at most a day. A failure is not remembered, but counted by address, so that no
/// one can block the documents of a host for others. Simultaneous requests for a document share one
/// fetch.
///
/// [set]: crate::provider::AuthorizationServer::client_metadata_documents
///
/// ```
/// use quadrille::{
///     Env, Scopes,
///     provider::{AuthorizationServer, ClientMetadataDocuments, store::MemoryStore},
/// };
///
/// let documents = ClientMetadataDocuments::new()?.scopes(Scopes::parse("photos:read")?);
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
///     .client_metadata_documents(documents);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientMetadataDocuments {
    fetcher: Arc<dyn ErasedFetcher>,
    pub(super) scopes: Option<Scopes>,
    pub(super) reserved: ReservedNames,
    memory: Arc<Memory>,
}

struct Memory {
    known: Mutex<HashMap<Arc<str>, Known>>,
    flights: Mutex<HashMap<Arc<str>, Flight>>,
    addresses: Throttle,
    hosts: Throttle,
}

/// A fetch that is under way, and its result.
type Flight = Arc<OnceCell<Result<Arc<Described>, ClientDocumentError>>>;

/// A part in a fetch. The last part to be dropped removes the fetch.
struct Seat<'a> {
    memory: &'a Memory,
    url: Arc<str>,
    flight: Flight,
}

struct Known {
    described: Arc<Described>,
    until: Timestamp,
}

impl ClientMetadataDocuments {
    /// Documents that a [`GuardedFetcher`] fetches.
    ///
    /// # Errors
    /// [`NoHttpClient`] if it cannot be built.
    #[cfg(feature = "http-client")]
    pub fn new() -> Result<Self, NoHttpClient> {
        Ok(Self::fetched_by(GuardedFetcher::new()?))
    }

    /// Documents that the application's own fetcher fetches.
    pub fn fetched_by(fetcher: impl Fetcher) -> Self {
        let memory = Memory {
            known: Mutex::default(),
            flights: Mutex::default(),
            addresses: Throttle::new(FAILURES),
            hosts: Throttle::new(FAILURES_AT_A_HOST),
        };
        let (scopes, reserved) = (None, ReservedNames::default());
        Self { fetcher: Arc::new(fetcher), scopes, reserved, memory: Arc::new(memory) }
    }

    /// Sets the scopes that such clients may request (default: all scopes of the server). Leave out
    /// those that only registered clients should have.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// Reserves names (default: none), as
    /// [`DynamicRegistration::reserved_names`](crate::provider::DynamicRegistration::reserved_names) does
    /// for clients that register themselves: a document with one of them is not accepted, also if its host
    /// is yours. Register your own clients.
    ///
    /// ```
    /// use quadrille::provider::ClientMetadataDocuments;
    ///
    /// let documents = ClientMetadataDocuments::new()?.reserved_names(["Acme", "PayPal"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn reserved_names<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        for name in names {
            self.reserved.add(name.as_ref());
        }
        self
    }

    /// The client that the document at `url` describes, by `read`. `is_stored` is `true` if a user has
    /// consented to this client before.
    pub(super) async fn describe(
        &self,
        url: &Url,
        is_stored: bool,
        from: Option<RemoteAddress>,
        env: &Env,
        read: impl FnOnce(&[u8]) -> Result<Described, ClientDocumentError>,
    ) -> Result<Arc<Described>, ClientDocumentError> {
        let (now, steady) = (env.now(), env.steady());
        if let Some(described) = self.memory.recall(url, now) {
            return Ok(described);
        }
        let seat = self.memory.board(url);
        let fetched = seat.flight.get_or_try_init(|| async {
            let counted = self.memory.count(url, is_stored, from, steady)?;
            let fetched = self.fetch(url, now, read).await;
            if fetched.is_ok() {
                self.memory.forgive(&counted, steady);
            }
            Ok::<_, ClientDocumentError>(fetched)
        });
        fetched.await?.clone()
    }

    async fn fetch(
        &self,
        url: &Url,
        now: Timestamp,
        read: impl FnOnce(&[u8]) -> Result<Described, ClientDocumentError>,
    ) -> Result<Arc<Described>, ClientDocumentError> {
        let fetched = self.fetcher.fetch(url).await?;
        let described = Arc::new(read(&fetched.body)?);
        let age = fetched.max_age.unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST);
        self.memory.keep(url, described.clone(), now + age, now);
        Ok(described)
    }
}

/// The parties for whom a failure is counted.
struct Counted<'a> {
    parties: [Option<Who<'a>>; 2],
    host: Option<Who<'a>>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut flights = lock(&self.memory.flights);
        let is_this = flights.get(&self.url).is_some_and(|known| Arc::ptr_eq(known, &self.flight));
        // This reference and that of the table.
        if is_this && (self.flight.initialized() || Arc::strong_count(&self.flight) <= 2) {
            flights.remove(&self.url);
        }
    }
}

impl Memory {
    fn board(&self, url: &Url) -> Seat<'_> {
        let url: Arc<str> = url.as_str().into();
        let flight = lock(&self.flights).entry(url.clone()).or_default().clone();
        Seat { memory: self, url, flight }
    }

    /// Counts a fetch as failed before it begins. A client that a user has consented to is counted
    /// by itself, so that requests for other documents cannot block it.
    fn count<'a>(
        &self,
        url: &'a Url,
        is_stored: bool,
        from: Option<RemoteAddress>,
        steady: Timestamp,
    ) -> Result<Counted<'a>, ClientDocumentError> {
        let host = url.host_str().unwrap_or_default();
        let counted = match is_stored {
            true => Counted { parties: [Some(Who::Pair(url.as_str(), from)), None], host: None },
            false => Counted {
                parties: [Some(Who::Pair(host, from)), from.map(Who::Address)],
                host: Some(Who::Client(host)),
            },
        };
        let parties = || counted.parties.into_iter().flatten();
        let has_failed_there = self.addresses.has_failed(Who::Pair(host, from), steady);
        let is_full = counted.host.is_some_and(|host| self.hosts.wait(host, steady).is_some());
        if (is_full && has_failed_there)
            || parties().any(|who| self.addresses.wait(who, steady).is_some())
        {
            return Err(ClientDocumentError::Throttled);
        }
        for who in parties() {
            self.addresses.failed(who, steady);
        }
        counted.host.map(|host| self.hosts.failed(host, steady));
        Ok(counted)
    }

    fn forgive(&self, counted: &Counted<'_>, steady: Timestamp) {
        for who in counted.parties.into_iter().flatten() {
            self.addresses.forgive(who, steady);
        }
        if let Some(host) = counted.host {
            self.hosts.forgive(host, steady);
        }
    }

    fn recall(&self, url: &Url, now: Timestamp) -> Option<Arc<Described>> {
        let known = lock(&self.known);
        // After a step back of the clock, its expiry is too far away.
        let counts = |known: &&Known| now < known.until && known.until <= now + LONGEST;
        known.get(url.as_str()).filter(counts).map(|known| known.described.clone())
    }

    fn keep(&self, url: &Url, described: Arc<Described>, until: Timestamp, now: Timestamp) {
        let mut known = lock(&self.known);
        if known.len() >= REMEMBERED {
            known.retain(|_, known| now < known.until);
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        known.insert(url.as_str().into(), Known { described, until });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ClientMetadataDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientMetadataDocuments")
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
