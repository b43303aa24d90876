//! Limits that several processes share, in a cache.
//!
//! They are the same as those of one process (`throttle.rs`), in one entry for each party: the time
//! at which its failures are forgiven. If the cache does not answer, each process has its own limits
//! alone.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use crate::{
    Timestamp,
    provider::{
        store::{SecretHash, StoreError, VolatileCache, VolatileEntry, VolatileFound, VolatileKey},
        token::format::sha256,
    },
};

use super::throttle::Rate;

/// The lifetime of an entry, after which the failures of a party are forgiven.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// The attempts to change an entry that others change at the same time. Each failed one is a failure
/// of others that was counted.
const ATTEMPTS: usize = 16;

/// The wait of a party whose attempts come too fast to be counted.
const TOO_FAST: Duration = Duration::from_secs(1);

/// The cache of limits, if processes share one.
#[derive(Clone, Default)]
pub(crate) struct SharedLimits(Option<Arc<dyn Counts>>);

/// A party whose failures are counted for all processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party<'a> {
    /// The kind of the limit, as part of the key.
    pub(crate) limit: &'static str,
    /// The number of the issuer.
    pub(crate) issuer: i64,
    /// The name of the party.
    pub(crate) name: &'a str,
    /// The rate of the limit.
    pub(crate) rate: Rate,
}

impl Party<'_> {
    fn key(&self) -> VolatileKey {
        let hash: SecretHash = sha256(self.name.as_bytes());
        VolatileKey::new(self.limit, self.issuer, &hash)
    }
}

type Counting<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A cache as an object.
trait Counts: Send + Sync + 'static {
    fn count<'a>(&'a self, party: Party<'a>, now: Timestamp) -> Counting<'a, Result<(), Duration>>;
    fn forgive<'a>(&'a self, party: Party<'a>, now: Timestamp) -> Counting<'a, ()>;
}

impl SharedLimits {
    pub(crate) fn in_cache(cache: impl VolatileCache) -> Self {
        Self(Some(Arc::new(Cached(cache))))
    }

    /// Counts a failure, unless the party must wait: the time until it need not.
    pub(crate) async fn count(&self, party: Party<'_>, now: Timestamp) -> Result<(), Duration> {
        let Some(counts) = &self.0 else { return Ok(()) };
        counts.count(party, now).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a limit is counted by this process alone");
            Ok(())
        })
    }

    /// Takes a counted failure back.
    pub(crate) async fn forgive(&self, party: Party<'_>, now: Timestamp) {
        let Some(counts) = &self.0 else { return };
        if let Err(error) = counts.forgive(party, now).await {
            tracing::warn!(%error, "a counted failure is not taken back");
        }
    }
}

struct Cached<C>(C);

impl<C: VolatileCache> Cached<C> {
    /// Changes the entry of a party by `change`, which returns the time at which its failures are
    /// forgiven.
    async fn change<E>(
        &self,
        party: Party<'_>,
        now: Timestamp,
        change: impl Fn(Timestamp) -> Result<Timestamp, E>,
        too_fast: Result<(), E>,
    ) -> Result<Result<(), E>, StoreError> {
        let key = party.key();
        for _ in 0..ATTEMPTS {
            let found = self.0.find(&key, now).await?;
            let after = match change(found.as_ref().and_then(recovered).unwrap_or_default()) {
                Ok(after) => after.millis().to_be_bytes().to_vec(),
                Err(refused) => return Ok(Err(refused)),
            };
            let is_changed = match &found {
                Some(found) => self.0.replace(&key, found, after, now).await?,
                None => self.0.add(&key, VolatileEntry::new(after, now + LIFETIME), now).await?,
            };
            if is_changed {
                return Ok(Ok(()));
            }
        }
        Ok(too_fast)
    }
}

fn recovered(found: &VolatileFound) -> Option<Timestamp> {
    let millis = <[u8; 8]>::try_from(&*found.value).ok()?;
    Some(Timestamp::from_millis(i64::from_be_bytes(millis)))
}

impl<C: VolatileCache> Counts for Cached<C> {
    fn count<'a>(&'a self, party: Party<'a>, now: Timestamp) -> Counting<'a, Result<(), Duration>> {
        let one_more = move |recovered| match party.rate.wait(recovered, now) {
            Some(wait) => Err(wait),
            None => Ok(recovered.max(now) + party.rate.forgiven_every),
        };
        Box::pin(self.change(party, now, one_more, Err(TOO_FAST)))
    }

    fn forgive<'a>(&'a self, party: Party<'a>, now: Timestamp) -> Counting<'a, ()> {
        let one_less = move |recovered: Timestamp| match recovered > now {
            true => Ok(recovered - party.rate.forgiven_every),
            false => Err(()),
        };
        Box::pin(async move { self.change(party, now, one_less, Ok(())).await.map(|_| ()) })
    }
}

impl fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedLimits").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::store::VolatileMemory;

    const RATE: Rate = Rate { burst: 10, forgiven_every: Duration::from_secs(60) };

    fn party(name: &str) -> Party<'_> {
        Party { limit: "guesses", issuer: 1, name, rate: RATE }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    #[tokio::test]
    async fn ten_failures_are_free_at_all_processes_together_and_then_one_a_minute() {
        let first = SharedLimits::in_cache(VolatileMemory::new(100));
        let processes = [first.clone(), first.clone(), first];
        let mut counted = 0;
        for process in processes.iter().cycle().take(60) {
            counted += i32::from(process.count(party("eve"), at(0)).await.is_ok());
        }
        assert_eq!(counted, 10);
        let [first, second, _] = &processes;
        assert_eq!(second.count(party("eve"), at(0)).await, Err(Duration::from_secs(60)));
        assert_eq!(first.count(party("ada"), at(0)).await, Ok(()), "another user");
        assert_eq!(first.count(party("eve"), at(60)).await, Ok(()));
        assert!(second.count(party("eve"), at(60)).await.is_err());
        second.forgive(party("eve"), at(60)).await;
        assert_eq!(first.count(party("eve"), at(60)).await, Ok(()));
        assert_eq!(first.count(party("eve"), at(100_000)).await, Ok(()), "in an entry of its own");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_hundred_failures_at_once_at_most_ten_are_free() {
        let limits = SharedLimits::in_cache(VolatileMemory::new(100));
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let limits = limits.clone();
            all.spawn(async move { limits.count(party("eve"), at(0)).await.is_ok() });
        }
        let counted = all.join_all().await.into_iter().filter(|is_free| *is_free).count();
        assert!((1..=10).contains(&counted), "{counted}");
    }

    #[tokio::test]
    async fn without_a_cache_or_an_answer_of_it_nothing_is_refused() {
        struct Away;
        impl VolatileCache for Away {
            async fn add(
                &self,
                _: &VolatileKey,
                _: VolatileEntry,
                _: Timestamp,
            ) -> Result<bool, StoreError> {
                Err(StoreError::cache_unavailable("away"))
            }
            async fn find(
                &self,
                _: &VolatileKey,
                _: Timestamp,
            ) -> Result<Option<VolatileFound>, StoreError> {
                Err(StoreError::cache_unavailable("away"))
            }
            async fn replace(
                &self,
                _: &VolatileKey,
                _: &VolatileFound,
                _: Vec<u8>,
                _: Timestamp,
            ) -> Result<bool, StoreError> {
                Err(StoreError::cache_unavailable("away"))
            }
            async fn remove(&self, _: &VolatileKey) -> Result<(), StoreError> {
                Err(StoreError::cache_unavailable("away"))
            }
            async fn newest(&self) -> Result<crate::provider::store::RowId, StoreError> {
                Err(StoreError::cache_unavailable("away"))
            }
        }
        for limits in [SharedLimits::default(), SharedLimits::in_cache(Away)] {
            for _ in 0..20 {
                assert_eq!(limits.count(party("eve"), at(0)).await, Ok(()));
                limits.forgive(party("eve"), at(0)).await;
            }
        }
    }
}
