//! A clock for tests, which stands still until it is moved.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{Env, Timestamp, env::Source};

/// A clock that stands still until it is moved, so that no test sleeps. Clones share one time.
///
/// ```
/// use quadrille::{Timestamp, testing::ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let env = clock.env();
/// let before = env.now();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(env.now().since(before), Duration::from_secs(3600));
/// let steady = env.steady();
/// clock.set(before);
/// assert_eq!(env.now(), before);
/// assert_eq!(env.steady(), steady, "who sets a clock makes no time pass");
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    now: AtomicI64,
    steady: AtomicI64,
}

impl ManualClock {
    /// A clock at noon on the fifteenth of January 2027, UTC.
    pub fn new() -> Self {
        Self::at(Timestamp::from_seconds(1_800_014_400))
    }

    /// A clock at `now`.
    pub fn at(now: Timestamp) -> Self {
        let hand = || AtomicI64::new(now.millis());
        Self(Arc::new(Hands { now: hand(), steady: hand() }))
    }

    /// An [`Env`] with this clock and the system's randomness.
    pub fn env(&self) -> Env {
        Env::from_source(self.clone())
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now.load(Ordering::SeqCst))
    }

    /// Advances the time.
    pub fn advance(&self, by: Duration) {
        let steady = Source::steady(self) + by;
        self.0.steady.store(steady.millis(), Ordering::SeqCst);
        self.set(self.now() + by);
    }

    /// Sets the time, forwards or backwards, as an operator does: [`Env::steady`] is unchanged.
    pub fn set(&self, now: Timestamp) {
        self.0.now.store(now.millis(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Source for ManualClock {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn steady(&self) -> Timestamp {
        Timestamp::from_millis(self.0.steady.load(Ordering::SeqCst))
    }

    fn fill(&self, bytes: &mut [u8]) {
        Env::system().fill(bytes);
    }
}
