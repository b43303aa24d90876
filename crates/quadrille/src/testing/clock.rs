//! A clock that stands still until it is moved.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{Env, Timestamp, env::Source};

/// A clock that stands still until it is moved, so that no test sleeps. Clones share their hands.
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
/// clock.set(before);
/// assert_eq!(env.now(), before);
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Stands at noon on the fifteenth of January 2027, UTC.
    pub fn new() -> Self {
        Self::at(Timestamp::from_seconds(1_800_014_400))
    }

    /// Stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.millis())))
    }

    /// An [`Env`] with this clock, and real dice.
    pub fn env(&self) -> Env {
        Env::from_source(self.clone())
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Moves it anywhere, also back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
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

    fn fill(&self, bytes: &mut [u8]) {
        Env::system().fill(bytes);
    }
}
