//! The keys of other parties (RFC 7517, section 5), fetched from their `jwks_uri` and kept.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use url::Url;

use crate::{Env, Timestamp, jose::KeySet};

use super::{
    ErasedFetcher,
    schedule::{Kept, Next, NoKeys},
};

/// The number of sets that are kept; at this number those that have expired are forgotten, or all.
const REMEMBERED: usize = 512;

/// The keys of other parties, by the URL of their JWK Set. A set is fetched when it is needed: by
/// the first request, after the time in its `Cache-Control` (a minute to an hour), and when a token
/// names a key that it does not have, at most once in ten seconds. Simultaneous requests share one
/// fetch. If a set cannot be fetched again, it is used for an hour more. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RemoteKeys {
    fetcher: Arc<dyn ErasedFetcher>,
    sets: Arc<Mutex<HashMap<Arc<str>, Set>>>,
}

type Set = Arc<Mutex<Slot>>;

#[derive(Default)]
struct Slot {
    kept: Kept,
    /// The fetch under way: its sender is dropped when it ends.
    flight: Option<watch::Receiver<()>>,
}

impl RemoteKeys {
    pub(crate) fn new(fetcher: Arc<dyn ErasedFetcher>) -> Self {
        Self { fetcher, sets: Arc::default() }
    }

    /// The set at a URL. If the kept one does not suffice, it is fetched again, within limits: the
    /// set that is returned may still not suffice, for example because the key does not exist.
    ///
    /// # Errors
    /// [`NoKeys`] if the set cannot be fetched, and none is kept.
    pub(crate) async fn get(
        &self,
        url: &Url,
        env: &Env,
        suffices: impl Fn(&KeySet) -> bool,
    ) -> Result<Arc<KeySet>, NoKeys> {
        let set = self.set(url, env.now());
        let mut flight = {
            let mut slot = lock(&set);
            let now = env.now();
            match slot.kept.next(&suffices, slot.is_under_way(), now) {
                Next::Use(keys) => return Ok(keys),
                Next::Fail(error) => return Err(error),
                Next::Fetch => self.fetch(&mut slot, &set, url, env),
                // A flight that is gone has ended.
                Next::Wait => match &slot.flight {
                    Some(flight) => flight.clone(),
                    None => self.fetch(&mut slot, &set, url, env),
                },
            }
        };
        // The end of the flight is an error: its sender is gone.
        while flight.changed().await.is_ok() {}
        lock(&set).kept.told(suffices, env.now())
    }

    /// Begins a fetch, on a task of its own, so that it ends also if no request waits any longer.
    fn fetch(&self, slot: &mut Slot, set: &Set, url: &Url, env: &Env) -> watch::Receiver<()> {
        let (sender, receiver) = watch::channel(());
        slot.kept.begin(env.now());
        slot.flight = Some(receiver.clone());
        let (fetcher, set, url, env) =
            (self.fetcher.clone(), set.clone(), url.clone(), env.clone());
        tokio::spawn(async move {
            let fetched = fetcher.fetch(&url).await.map_err(NoKeys::Fetch);
            let mut slot = lock(&set);
            slot.kept.end(fetched, env.now());
            if let Some(reason) = slot.kept.error() {
                tracing::warn!(%reason, url = ?url.as_str(), "keys could not be fetched");
            }
            slot.flight = None;
            drop(sender);
        });
        receiver
    }

    fn set(&self, url: &Url, now: Timestamp) -> Set {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = sets.get(url.as_str()) {
            return set.clone();
        }
        if sets.len() >= REMEMBERED {
            sets.retain(|_, set| lock(set).kept.is_fresh(now));
            if sets.len() >= REMEMBERED {
                sets.clear();
            }
        }
        sets.entry(url.as_str().into()).or_default().clone()
    }
}

impl Slot {
    /// `true` if a fetch is under way, and has not been cut off with its runtime.
    fn is_under_way(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.has_changed().is_ok())
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteKeys")
    }
}

fn lock(set: &Set) -> MutexGuard<'_, Slot> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert!(keys.sets.lock().unwrap().len() <= REMEMBERED);
    }
}
