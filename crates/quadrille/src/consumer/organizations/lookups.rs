//! The look-ups of organizations and the registrations at their providers: each runs once for all who
//! want its outcome, which is remembered for a while, and their number has limits.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::{
    Timestamp,
    consumer::error::{BrowserError, Error, Result},
    transport::NetworkError,
};

use super::stored::StoredClient;

/// The time for which a failure is remembered.
const FAILURE: Duration = Duration::from_secs(10);
/// The time for which a found issuer is remembered.
const ISSUER: Duration = Duration::from_secs(60);
/// The outcomes that are remembered at most.
const MOST: usize = 4096;
/// The requests to one host within [`WINDOW`], and the hosts to which there are any.
const MOST_AT_HOST: u32 = 60;
const MOST_HOSTS: usize = 4096;
const WINDOW: Duration = Duration::from_secs(60);
/// The look-ups at the same time: each waits for a host that a stranger has chosen.
const MOST_AT_ONCE: usize = 256;

/// The look-ups of one login box.
pub(crate) struct Lookups {
    /// The issuers, by the URL of the WebFinger request.
    pub(super) issuers: Shared<String>,
    /// The registrations, by the name of the organization. The storage remembers them.
    pub(crate) registrations: Shared<StoredClient>,
    pub(super) limits: Limits,
}

impl Lookups {
    pub(super) fn new() -> Self {
        Self {
            issuers: Shared::that_last(ISSUER),
            registrations: Shared::that_last(Duration::ZERO),
            limits: Limits {
                hosts: Mutex::default(),
                turns: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            },
        }
    }
}

/// Work that many want at the same time. It runs on a task of its own, so that it ends also if nobody
/// waits for it any longer.
pub(crate) struct Shared<T> {
    lasts: Duration,
    entries: Mutex<HashMap<Box<str>, Entry<T>>>,
}

struct Entry<T> {
    began: Timestamp,
    outcome: Outcome<T>,
}

type Outcome<T> = watch::Receiver<Option<Result<T>>>;

impl<T: Clone + Send + Sync + 'static> Shared<T> {
    /// Work whose success is remembered for this time.
    fn that_last(lasts: Duration) -> Self {
        Self { lasts, entries: Mutex::default() }
    }

    /// The outcome of the work with this key, which is begun if it is neither running nor remembered.
    ///
    /// # Errors
    /// Those of the work and of `begin`, and [`NetworkError::Interrupted`] if its task has ended without
    /// an outcome.
    pub(crate) async fn get<Work>(
        &self,
        service: &Arc<str>,
        key: &str,
        now: Timestamp,
        begin: impl FnOnce() -> Result<Work>,
    ) -> Result<T>
    where
        Work: Future<Output = Result<T>> + Send + 'static,
    {
        let mut outcome = self.joined(key, now, begin)?;
        let landed = outcome.wait_for(Option::is_some).await;
        let landed = landed.ok().and_then(|outcome| outcome.clone());
        landed.unwrap_or_else(|| Err(Error::network(service, NetworkError::Interrupted)))
    }

    fn joined<Work>(
        &self,
        key: &str,
        now: Timestamp,
        begin: impl FnOnce() -> Result<Work>,
    ) -> Result<Outcome<T>>
    where
        Work: Future<Output = Result<T>> + Send + 'static,
    {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(key).filter(|entry| entry.serves(self.lasts, now)) {
            return Ok(entry.outcome.clone());
        }
        let work = begin()?;
        if entries.len() >= MOST {
            entries.retain(|_, entry| entry.serves(self.lasts, now));
            if entries.len() >= MOST {
                // Those who wait have their outcome still.
                entries.clear();
            }
        }
        let (send, outcome) = watch::channel(None);
        entries.insert(key.into(), Entry { began: now, outcome: outcome.clone() });
        tokio::spawn(async move {
            let done = work.await;
            send.send_replace(Some(done));
        });
        Ok(outcome)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Entry<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Entry<T> {
    fn serves(&self, lasts: Duration, now: Timestamp) -> bool {
        let lasts = match &*self.outcome.borrow() {
            // The task is gone if its end of the channel is.
            None => return self.outcome.has_changed().is_ok(),
            Some(Ok(_)) => lasts,
            Some(Err(_)) => FAILURE,
        };
        // One from the future is from a clock that was set back since.
        self.began <= now && now.since(self.began) < lasts
    }
}

/// The limits of requests to hosts that strangers choose.
pub(super) struct Limits {
    /// The begin of a window and the requests in it, by host.
    hosts: Mutex<HashMap<Box<str>, (Timestamp, u32)>>,
    turns: Arc<Semaphore>,
}

impl Limits {
    /// Admits a request to a host, which holds its turn until it ends.
    ///
    /// # Errors
    /// [`BrowserError::TooManyLookups`].
    pub(super) fn admit(
        &self,
        host: &str,
        now: Timestamp,
    ) -> Result<OwnedSemaphorePermit, BrowserError> {
        let turn = Arc::clone(&self.turns).try_acquire_owned();
        let turn = turn.map_err(|_| BrowserError::TooManyLookups)?;
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |begin: Timestamp| begin > now || now.since(begin) >= WINDOW;
        if hosts.len() >= MOST_HOSTS && !hosts.contains_key(host) {
            hosts.retain(|_, (begin, _)| !is_over(*begin));
            if hosts.len() >= MOST_HOSTS {
                return Err(BrowserError::TooManyLookups);
            }
        }
        let (begin, requests) = hosts.entry(host.into()).or_insert((now, 0));
        if is_over(*begin) {
            (*begin, *requests) = (now, 0);
        }
        if *requests >= MOST_AT_HOST {
            return Err(BrowserError::TooManyLookups);
        }
        *requests += 1;
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn after(seconds: u64) -> Timestamp {
        NOW + Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_less_than_a_success() {
        let shared = Shared::that_last(Duration::from_secs(60));
        let runs = Arc::new(AtomicUsize::new(0));
        let get = async |key: &str, fails: bool, now| {
            let runs = Arc::clone(&runs);
            let begin = || {
                Ok(async move {
                    runs.fetch_add(1, Ordering::SeqCst);
                    if fails { Err(BrowserError::OrganizationUnknown.into()) } else { Ok(7) }
                })
            };
            shared.get(&"work".into(), key, now, begin).await
        };
        for (seconds, runs_then) in [(0, 1), (59, 1), (60, 2), (30, 3)] {
            assert_eq!(get("good", false, after(seconds)).await, Ok(7));
            assert_eq!(runs.load(Ordering::SeqCst), runs_then, "{seconds}");
        }
        for (seconds, runs_then) in [(0, 4), (9, 4), (10, 5)] {
            assert!(get("bad", true, after(seconds)).await.is_err());
            assert_eq!(runs.load(Ordering::SeqCst), runs_then, "{seconds}");
        }
    }

    #[test]
    fn one_host_gets_so_many_requests_within_a_minute() {
        let limits = Lookups::new().limits;
        for _ in 0..MOST_AT_HOST {
            assert!(limits.admit("acme.example", NOW).is_ok());
        }
        let refused = limits.admit("acme.example", after(59)).map(drop);
        assert_eq!(refused, Err(BrowserError::TooManyLookups));
        assert!(limits.admit("globex.example", after(59)).is_ok());
        assert!(limits.admit("acme.example", after(60)).is_ok());
    }

    #[test]
    fn the_hosts_and_the_requests_under_way_have_an_end() {
        let limits = Lookups::new().limits;
        for number in 0..MOST_HOSTS {
            assert!(limits.admit(&number.to_string(), NOW).is_ok());
        }
        assert!(limits.admit("one more", NOW).is_err());
        assert!(limits.admit("0", NOW).is_ok(), "a known one");
        assert!(limits.admit("one more", after(60)).is_ok());
        let turns: Vec<_> =
            (0..MOST_AT_ONCE).map(|n| limits.admit(&n.to_string(), after(60)).unwrap()).collect();
        assert!(limits.admit("last", after(60)).is_err());
        drop(turns);
        assert!(limits.admit("last", after(60)).is_ok());
    }
}
