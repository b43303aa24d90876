//! Limits that several processes share, in a cache or a database.
//!
//! They are the same as those of one process (`throttle.rs`): of each party, the time at which its
//! failures are forgiven. If nobody answers, each process has its own limits alone.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use crate::{
    RemoteAddress, Timestamp,
    provider::{
        store::{SecretHash, StoreError, VolatileCache, VolatileEntry, VolatileFound, VolatileKey},
        token::format::sha256,
    },
};

use super::throttle::Rate;

/// The lifetime of an entry of a cache, after which the failures of a party are forgiven.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// The attempts to change an entry that others change at the same time. Each failed one is a failure
/// of others that was counted.
const ATTEMPTS: usize = 16;

/// The wait of a party whose attempts come too fast to be counted.
const TOO_FAST: Duration = Duration::from_secs(1);

/// A change of a count: the time at which the failures of a party are forgiven after it, from that
/// before; `None` for no change. A pure function, which may be called again.
pub type CountChange = Arc<dyn Fn(Timestamp) -> Option<Timestamp> + Send + Sync>;

/// The counts of failures that the processes of an issuer share:
/// [`AuthorizationServer::share_limits`](crate::provider::AuthorizationServer::share_limits).
///
/// Every [`VolatileCache`] has such counts. Implement it over a database, which forgives nothing when
/// it is started again. A count is the time at which all failures of a party are forgiven. One that is
/// in the past may be removed.
///
/// ```
/// use quadrille::{Timestamp, provider::{guessing::{CountChange, SharedCounts}}};
/// use quadrille::provider::store::{StoreError, VolatileKey};
/// use std::{collections::HashMap, sync::Mutex};
///
/// #[derive(Default)]
/// struct Counts(Mutex<HashMap<VolatileKey, Timestamp>>);
///
/// impl SharedCounts for Counts {
///     async fn change(
///         &self,
///         key: VolatileKey,
///         change: CountChange,
///         _now: Timestamp,
///     ) -> Result<Option<Timestamp>, StoreError> {
///         let mut counts = self.0.lock().map_err(|_| StoreError::Closed)?;
///         let before = counts.get(&key).copied().unwrap_or_default();
///         if let Some(after) = change(before) {
///             counts.insert(key, after);
///         }
///         Ok(Some(before))
///     }
/// }
/// ```
pub trait SharedCounts: Send + Sync + 'static {
    /// The time by which failures are counted and forgiven: that of the clock of the place with the counts,
    /// which all processes share. `now` is the time by this process's own clock, and the default: the clocks of
    /// processes differ, and each difference forgives failures.
    ///
    /// # Errors
    /// Those of the place. The process goes on with its own limits.
    fn clock(&self, now: Timestamp) -> impl Future<Output = Result<Timestamp, StoreError>> + Send {
        async move { Ok(now) }
    }

    /// Changes the count of a party, at once, and returns it as it was: the Unix epoch if there is
    /// none. `None` if so many change it that this process had no turn; nothing is changed then.
    /// Counts from before `now` may be removed.
    ///
    /// # Errors
    /// Those of the store. The process goes on with its own limits.
    fn change(
        &self,
        key: VolatileKey,
        change: CountChange,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;
}

impl<C: VolatileCache> SharedCounts for C {
    async fn clock(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        self.server_time(now).await
    }

    async fn change(
        &self,
        key: VolatileKey,
        change: CountChange,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        for _ in 0..ATTEMPTS {
            let found = self.find(&key, now).await?;
            let before = found.as_ref().and_then(recovered).unwrap_or_default();
            let Some(after) = change(before) else { return Ok(Some(before)) };
            let after = after.millis().to_be_bytes().to_vec();
            let is_changed = match &found {
                Some(found) => self.replace(&key, found, after, now).await?,
                None => self.add(&key, VolatileEntry::new(after, now + LIFETIME), now).await?,
            };
            if is_changed {
                return Ok(Some(before));
            }
        }
        Ok(None)
    }
}

fn recovered(found: &VolatileFound) -> Option<Timestamp> {
    let millis = <[u8; 8]>::try_from(&*found.value).ok()?;
    Some(Timestamp::from_millis(i64::from_be_bytes(millis)))
}

/// The counts, if processes share some.
#[derive(Clone)]
pub(crate) struct SharedLimits(Option<Arc<dyn Counts>>);

type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;
type Counting<'a> = Answering<'a, Option<Timestamp>>;

/// [`SharedCounts`] as an object.
trait Counts: Send + Sync + 'static {
    fn clock(&self, now: Timestamp) -> Answering<'_, Timestamp>;
    fn change(&self, key: VolatileKey, change: CountChange, now: Timestamp) -> Counting<'_>;
}

impl<C: SharedCounts> Counts for C {
    fn clock(&self, now: Timestamp) -> Answering<'_, Timestamp> {
        Box::pin(SharedCounts::clock(self, now))
    }

    fn change(&self, key: VolatileKey, change: CountChange, now: Timestamp) -> Counting<'_> {
        Box::pin(SharedCounts::change(self, key, change, now))
    }
}

impl SharedLimits {
    /// Each process counts for itself.
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn of(counts: impl SharedCounts) -> Self {
        Self(Some(Arc::new(counts)))
    }

    /// The limits of this issuer at this time, by the clock of this process.
    pub(crate) fn at(&self, issuer: i64, now: Timestamp) -> LimitsNow<'_> {
        LimitsNow { counts: self.0.as_deref(), issuer, now }
    }
}

impl fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedLimits").field(&self.0.is_some()).finish()
    }
}

/// A party whose failures are counted for all processes.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    /// The kind of the limit, as part of the key.
    limit: &'static str,
    /// The hash of the party's name.
    name: SecretHash,
    rate: Rate,
}

impl Party {
    pub(crate) fn new(limit: &'static str, rate: Rate, name: &str) -> Self {
        Self { limit, name: sha256(name.as_bytes()), rate }
    }

    /// A name at one network.
    pub(crate) fn pair(
        limit: &'static str,
        rate: Rate,
        name: &str,
        from: Option<RemoteAddress>,
    ) -> Self {
        let network = from.map(|from| from.network().to_string());
        Self::new(limit, rate, &format!("{}\0{name}", network.as_deref().unwrap_or("")))
    }
}

/// The shared limits of an issuer at a time.
#[derive(Clone, Copy)]
pub(crate) struct LimitsNow<'a> {
    counts: Option<&'a dyn Counts>,
    issuer: i64,
    now: Timestamp,
}

impl LimitsNow<'_> {
    /// Counts a failure, unless the party must wait: the time until it need not.
    pub(crate) async fn count(&self, party: &Party) -> Result<(), Duration> {
        self.turn(party, Duration::ZERO).await.map(drop)
    }

    /// Counts a failure that may wait for `patience`, and returns its wait. If the wait is longer,
    /// counts nothing and returns the time until it would be short enough.
    pub(crate) async fn turn(
        &self,
        party: &Party,
        patience: Duration,
    ) -> Result<Duration, Duration> {
        match self.try_turn(party, patience).await {
            Ok(turn) => turn,
            Err(error) => {
                tracing::warn!(%error, "a limit is counted by this process alone");
                Ok(Duration::ZERO)
            }
        }
    }

    async fn try_turn(
        &self,
        party: &Party,
        patience: Duration,
    ) -> Result<Result<Duration, Duration>, StoreError> {
        let (rate, now) = (party.rate, self.time().await?);
        let turn = move |recovered| rate.turn(recovered, now, patience);
        let one_more = move |recovered| turn(recovered).ok().map(|(_, after)| after);
        Ok(match self.change(party, Arc::new(one_more), now).await? {
            Some(before) => turn(before).map(|(wait, _)| wait),
            None => Err(TOO_FAST),
        })
    }

    /// Takes a counted failure back.
    pub(crate) async fn forgive(&self, party: &Party) {
        if let Err(error) = self.try_to_forgive(party).await {
            tracing::warn!(%error, "a counted failure is not taken back");
        }
    }

    async fn try_to_forgive(&self, party: &Party) -> Result<(), StoreError> {
        let (rate, now) = (party.rate, self.time().await?);
        let one_less =
            move |recovered: Timestamp| (recovered > now).then(|| recovered - rate.forgiven_every);
        self.change(party, Arc::new(one_less), now).await.map(drop)
    }

    /// The time by the clock of the place with the counts.
    async fn time(&self) -> Result<Timestamp, StoreError> {
        match self.counts {
            Some(counts) => counts.clock(self.now).await,
            None => Ok(self.now),
        }
    }

    /// The count before it; the Unix epoch if processes share none.
    async fn change(
        &self,
        party: &Party,
        change: CountChange,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let Some(counts) = self.counts else { return Ok(Some(Timestamp::default())) };
        let key = VolatileKey::new(party.limit, self.issuer, &party.name);
        counts.change(key, change, now).await
    }
}

impl fmt::Debug for LimitsNow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LimitsNow").field(&self.counts.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::store::VolatileMemory;

    const RATE: Rate = Rate { burst: 10, forgiven_every: Duration::from_secs(60) };

    fn party(name: &str) -> Party {
        Party::new("guesses", RATE, name)
    }

    async fn count(limits: &SharedLimits, name: &str, now: Timestamp) -> Result<(), Duration> {
        limits.at(1, now).count(&party(name)).await
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    #[tokio::test]
    async fn ten_failures_are_free_at_all_processes_together_and_then_one_a_minute() {
        let first = SharedLimits::of(VolatileMemory::new(100));
        let processes = [first.clone(), first.clone(), first];
        let mut counted = 0;
        for process in processes.iter().cycle().take(60) {
            counted += i32::from(count(process, "eve", at(0)).await.is_ok());
        }
        assert_eq!(counted, 10);
        let [first, second, _] = &processes;
        assert_eq!(count(second, "eve", at(0)).await, Err(Duration::from_secs(60)));
        assert_eq!(count(first, "ada", at(0)).await, Ok(()), "another user");
        assert_eq!(count(first, "eve", at(60)).await, Ok(()));
        assert!(count(second, "eve", at(60)).await.is_err());
        second.at(1, at(60)).forgive(&party("eve")).await;
        assert_eq!(count(first, "eve", at(60)).await, Ok(()));
        assert_eq!(count(first, "eve", at(100_000)).await, Ok(()), "in an entry of its own");
    }

    /// Counts with a clock of their own.
    struct WithClock(VolatileMemory);

    impl SharedCounts for WithClock {
        async fn clock(&self, _: Timestamp) -> Result<Timestamp, StoreError> {
            Ok(at(0))
        }

        async fn change(
            &self,
            key: VolatileKey,
            change: CountChange,
            now: Timestamp,
        ) -> Result<Option<Timestamp>, StoreError> {
            assert_eq!(now, at(0));
            SharedCounts::change(&self.0, key, change, now).await
        }
    }

    #[tokio::test]
    async fn processes_whose_clocks_differ_allow_no_more_failures() {
        let limits = SharedLimits::of(WithClock(VolatileMemory::new(100)));
        let mut counted = 0;
        for number in 0..60 {
            let clock = at([0, 3600, -3600][number % 3]);
            counted += i32::from(count(&limits, "eve", clock).await.is_ok());
        }
        assert_eq!(counted, 10);
        limits.at(1, at(3600)).forgive(&party("eve")).await;
        assert_eq!(count(&limits, "eve", at(-3600)).await, Ok(()));
        assert!(count(&limits, "eve", at(3600)).await.is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_hundred_failures_at_once_at_most_ten_are_free() {
        let limits = SharedLimits::of(VolatileMemory::new(100));
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let limits = limits.clone();
            all.spawn(async move { count(&limits, "eve", at(0)).await.is_ok() });
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
        for limits in [SharedLimits::NONE, SharedLimits::of(Away)] {
            for _ in 0..20 {
                assert_eq!(count(&limits, "eve", at(0)).await, Ok(()));
                limits.at(1, at(0)).forgive(&party("eve")).await;
            }
        }
    }
}
