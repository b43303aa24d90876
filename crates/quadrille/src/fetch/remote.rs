//! Documents of other parties, fetched and kept: their keys (RFC 7517, section 5), and the metadata
//! of their providers.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use url::Url;

#[cfg(feature = "provider")]
use crate::jose::KeySetError;
use crate::{Env, Timestamp, jose::KeySet};

use super::{
    ErasedFetcher,
    document::Document,
    schedule::{Kept, Next, NotFetched},
};
#[cfg(feature = "provider")]
use super::{FetchError, Fetched};

/// The number of documents that are kept; at this number those that have expired are forgotten, or
/// all.
const REMEMBERED: usize = 512;

/// The keys of other parties, by the URL of their JWK Set.
pub(crate) type RemoteKeys = Remote<KeySet>;

/// The reason why the keys of a party are not known.
#[cfg(feature = "provider")]
pub(crate) type NoKeys = NotFetched<KeySetError>;

/// The documents of other parties, by their URL. Cheap to clone.
pub(crate) struct Remote<D: Document> {
    source: Source<D>,
    places: Arc<Mutex<HashMap<Arc<str>, Place<D>>>>,
}

type Place<D> = Arc<RemoteDocument<D>>;

/// The document of another party at one URL. It is fetched when it is needed: by the
/// first request, after the time in its `Cache-Control` (a minute to an hour), and when it does not
/// suffice (a token names a key that is not in it), at most once in ten seconds; also ten seconds after
/// any other fetch, unless [`at_once`](Remote::at_once). Simultaneous
/// requests share one fetch. If a document cannot be fetched again, it is used for an hour more.
pub(crate) struct RemoteDocument<D: Document> {
    url: Url,
    source: Source<D>,
    slot: Mutex<Slot<D>>,
}

/// The way in which documents are fetched.
struct Source<D: Document> {
    fetcher: Arc<dyn ErasedFetcher>,
    expected: Arc<D::Expected>,
    at_once: bool,
}

struct Slot<D: Document> {
    kept: Kept<D>,
    /// The fetch under way: its sender is dropped when it ends.
    flight: Option<watch::Receiver<()>>,
}

impl RemoteKeys {
    pub(crate) fn new(fetcher: Arc<dyn ErasedFetcher>) -> Self {
        Self::that_agree_with((), fetcher)
    }

    /// Whether documents can be at a URL.
    #[cfg(feature = "provider")]
    pub(crate) fn reaches(&self, url: &Url) -> bool {
        self.source.fetcher.reaches(url)
    }

    /// Another document of a client, which is not kept.
    #[cfg(feature = "provider")]
    pub(crate) async fn document_at(&self, url: &Url) -> Result<Fetched, FetchError> {
        self.source.fetcher.fetch(url).await
    }
}

impl<D: Document> Remote<D> {
    /// Documents that agree with a value.
    pub(crate) fn that_agree_with(expected: D::Expected, fetcher: Arc<dyn ErasedFetcher>) -> Self {
        let source = Source { fetcher, expected: Arc::new(expected), at_once: false };
        Self { source, places: Arc::default() }
    }

    /// Fetches a document that does not suffice again although it has just been fetched: the other party
    /// may have replaced its keys since.
    #[cfg(feature = "consumer")]
    pub(crate) fn at_once(mut self) -> Self {
        self.source.at_once = true;
        self
    }

    /// The document at a URL. If the kept one does not suffice, it is fetched again, within limits:
    /// the one that is returned may still not suffice, for example because a key does not exist.
    ///
    /// # Errors
    /// [`NotFetched`] if the document cannot be fetched, and none is kept.
    pub(crate) async fn get(
        &self,
        url: &Url,
        env: &Env,
        suffices: impl Fn(&D) -> bool,
    ) -> Result<Arc<D>, NotFetched<D::Error>> {
        let now = env.now();
        self.place(url, now).get(now, env, suffices).await
    }

    fn place(&self, url: &Url, now: Timestamp) -> Place<D> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(url.as_str()) {
            return place.clone();
        }
        if places.len() >= REMEMBERED {
            places.retain(|_, place| place.lock().kept.is_fresh(now));
            if places.len() >= REMEMBERED {
                places.clear();
            }
        }
        let place = Arc::new(RemoteDocument::of(url.clone(), self.source.clone()));
        places.insert(url.as_str().into(), place.clone());
        place
    }
}

#[cfg(any(feature = "provider", all(feature = "guard", feature = "http-client")))]
impl RemoteDocument<KeySet> {
    /// The keys at a URL.
    pub(crate) fn keys_at(url: Url, fetcher: Arc<dyn ErasedFetcher>) -> Arc<Self> {
        let source = Source { fetcher, expected: Arc::new(()), at_once: false };
        Arc::new(Self::of(url, source))
    }
}

impl<D: Document> RemoteDocument<D> {
    fn of(url: Url, source: Source<D>) -> Self {
        Self { url, source, slot: Mutex::default() }
    }

    /// The document, for a request at the time `at`. If the kept one does not suffice, it is fetched
    /// again, as [`Remote::get`] does.
    ///
    /// # Errors
    /// [`NotFetched`] if the document cannot be fetched, and none is kept.
    pub(crate) async fn get(
        self: &Arc<Self>,
        at: Timestamp,
        env: &Env,
        suffices: impl Fn(&D) -> bool,
    ) -> Result<Arc<D>, NotFetched<D::Error>> {
        let mut flight = {
            let mut slot = self.lock();
            match slot.kept.next(&suffices, self.source.at_once, slot.is_under_way(), at) {
                Next::Use(document) => return Ok(document),
                Next::Fail(error) => return Err(error),
                Next::Fetch => self.fetch(&mut slot, env),
                // A flight that is gone has ended.
                Next::Wait => match &slot.flight {
                    Some(flight) => flight.clone(),
                    None => self.fetch(&mut slot, env),
                },
            }
        };
        // The end of the flight is an error: its sender is gone.
        while flight.changed().await.is_ok() {}
        self.lock().kept.told(suffices, env.now())
    }

    /// Begins a fetch, on a task of its own, so that it ends also if no request waits any longer.
    fn fetch(self: &Arc<Self>, slot: &mut Slot<D>, env: &Env) -> watch::Receiver<()> {
        let (sender, receiver) = watch::channel(());
        slot.kept.begin(env.now());
        slot.flight = Some(receiver.clone());
        let (place, env) = (self.clone(), env.clone());
        tokio::spawn(async move {
            let Source { fetcher, expected, .. } = &place.source;
            let fetched = fetcher.fetch(&place.url).await;
            let mut slot = place.lock();
            slot.kept.end(fetched, expected, env.now());
            if let Some(reason) = slot.kept.error() {
                let (what, url) = (D::NAME, place.url.as_str());
                tracing::warn!(%reason, what, url, "a document could not be fetched");
            }
            slot.flight = None;
            drop(sender);
        });
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, Slot<D>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Document> Clone for Remote<D> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), places: self.places.clone() }
    }
}

impl<D: Document> Clone for Source<D> {
    fn clone(&self) -> Self {
        let Self { fetcher, expected, at_once } = self;
        Self { fetcher: fetcher.clone(), expected: expected.clone(), at_once: *at_once }
    }
}

impl<D: Document> Default for Slot<D> {
    fn default() -> Self {
        Self { kept: Kept::default(), flight: None }
    }
}

impl<D: Document> Slot<D> {
    /// `true` if a fetch is under way, and has not been cut off with its runtime.
    fn is_under_way(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.has_changed().is_ok())
    }
}

impl<D: Document> fmt::Debug for Remote<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", D::NAME)
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use tokio::sync::Semaphore;

    use super::*;
    use crate::{
        fetch::{FetchError, Fetched, Fetcher},
        jose::{Algorithm, SigningKey},
        testing::ManualClock,
    };

    /// A server of one key, which answers when it is let.
    struct Server {
        key: Mutex<Option<SigningKey>>,
        asked: AtomicUsize,
        turns: Semaphore,
    }

    impl Fetcher for Arc<Server> {
        async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.turns.acquire().await.unwrap().forget();
            let key = self.key.lock().unwrap().clone().ok_or(FetchError::Unreachable)?;
            Ok(Fetched::new(KeySet::from_iter([key.verifying_key().clone()]).to_json()))
        }
    }

    fn key(kid: &str) -> SigningKey {
        SigningKey::generate(Algorithm::EdDsa).unwrap().with_kid(kid)
    }

    fn server(turns: usize) -> Arc<Server> {
        Arc::new(Server {
            key: Mutex::new(Some(key("1"))),
            asked: AtomicUsize::new(0),
            turns: Semaphore::new(turns),
        })
    }

    fn has(kid: &'static str) -> impl Fn(&KeySet) -> bool {
        move |keys| keys.iter().any(|key| key.kid() == Some(kid))
    }

    fn url() -> Url {
        Url::parse("https://id.example/jwks").unwrap()
    }

    #[tokio::test]
    async fn a_new_key_is_fetched_once_for_all_that_need_it() {
        let (server, clock) = (server(1), ManualClock::new());
        let (keys, env) = (RemoteKeys::new(Arc::new(server.clone())), clock.env());
        keys.get(&url(), &env, has("1")).await.unwrap();
        *server.key.lock().unwrap() = Some(key("2"));
        clock.advance(Duration::from_secs(10));
        let crowd: Vec<_> = (0..50)
            .map(|_| {
                let (keys, env) = (keys.clone(), env.clone());
                tokio::spawn(async move { keys.get(&url(), &env, has("2")).await.unwrap() })
            })
            .collect();
        tokio::task::yield_now().await;
        server.turns.add_permits(1);
        for one in crowd {
            assert!(has("2")(&one.await.unwrap()));
        }
        assert_eq!(server.asked.load(Ordering::SeqCst), 2);
        for _ in 0..100 {
            let set = keys.get(&url(), &env, has("3")).await.unwrap();
            assert!(!has("3")(&set), "there is none");
        }
        assert_eq!(server.asked.load(Ordering::SeqCst), 2, "and nobody asks so soon");
    }

    #[tokio::test]
    async fn a_request_that_is_dropped_leaves_the_fetch_to_the_others() {
        let (server, clock) = (server(0), ManualClock::new());
        let (keys, env) = (RemoteKeys::new(Arc::new(server.clone())), clock.env());
        let first = tokio::spawn({
            let (keys, env) = (keys.clone(), env.clone());
            async move { keys.get(&url(), &env, has("1")).await }
        });
        tokio::task::yield_now().await;
        first.abort();
        server.turns.add_permits(1);
        keys.get(&url(), &env, has("1")).await.unwrap();
        assert_eq!(server.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn the_number_of_sets_is_bounded() {
        let (server, clock) = (server(10_000), ManualClock::new());
        let (keys, env) = (RemoteKeys::new(Arc::new(server.clone())), clock.env());
        for number in 0..2000 {
            let url = Url::parse(&format!("https://id.example/{number}")).unwrap();
            keys.get(&url, &env, has("1")).await.unwrap();
        }
        assert!(keys.places.lock().unwrap().len() <= REMEMBERED);
    }
}
