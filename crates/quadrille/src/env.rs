//! Clock and randomness, as an argument.
//!
//! This crate reads the time and draws randomness only through an [`Env`], so a test can move the
//! clock instead of sleeping and a decision can be replayed. A lint enforces this.

use std::{
    fmt,
    ops::{Add, Sub},
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rand::Rng as _;
use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since the Unix epoch. On the wire and in databases times are
/// whole seconds: [`Timestamp::seconds`].
///
/// ```
/// use quadrille::Timestamp;
/// use std::time::Duration;
///
/// let issued = Timestamp::from_seconds(1_700_000_000);
/// let expires = issued + Duration::from_secs(60);
/// assert_eq!(expires.seconds(), 1_700_000_060);
/// assert_eq!(expires.since(issued), Duration::from_secs(60));
/// assert_eq!(issued.since(expires), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The greatest point in time: the expiry of something that never expires. Whole seconds
    /// preserve it.
    pub const NEVER: Self = Self::from_seconds(i64::MAX / 1000);

    /// A time in whole seconds since the Unix epoch; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// A time in milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time since `earlier`; zero if that is in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.seconds(), self.0.rem_euclid(1000))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// The start of the monotonic clock.
static START: OnceLock<Instant> = OnceLock::new();

/// A source of time and randomness other than the system.
///
/// ```
/// use quadrille::{Env, Timestamp, env::Source};
///
/// /// A place where it is always noon, and no die has any other face.
/// struct Noon;
///
/// impl Source for Noon {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_seconds(43_200)
///     }
///     fn fill(&self, bytes: &mut [u8]) {
///         bytes.fill(4);
///     }
/// }
///
/// let env = Env::from_source(Noon);
/// assert_eq!(env.now().seconds(), 43_200);
/// assert_eq!(env.random(), [4, 4, 4]);
/// ```
pub trait Source: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Timestamp;
    /// The time on a monotonic clock: see [`Env::steady`]. Implement it if `now` may go back.
    fn steady(&self) -> Timestamp {
        self.now()
    }
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock and the random generator. Cheap to clone.
///
/// ```
/// let env = quadrille::Env::system();
/// let a: [u8; 32] = env.random();
/// let b: [u8; 32] = env.random();
/// assert_ne!(a, b);
/// ```
#[derive(Clone, Default)]
pub struct Env(Option<Arc<dyn Source>>);

impl Env {
    /// The system's clock, and a thread-local cryptographic generator seeded by the system.
    pub const fn system() -> Self {
        Self(None)
    }

    /// Another clock and generator, for tests.
    pub fn from_source(source: impl Source) -> Self {
        Self(Some(Arc::new(source)))
    }

    /// The current time.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(source) => source.now(),
            None => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
                Err(_) => Timestamp(0),
            },
        }
    }

    /// The time on a monotonic clock, for measuring durations. It does not tell the time of day;
    /// never compare it with [`now`](Self::now) or store it beyond the process.
    ///
    /// ```
    /// # use quadrille::Env;
    /// let env = Env::system();
    /// let began = env.steady();
    /// assert!(env.steady() >= began);
    /// ```
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn steady(&self) -> Timestamp {
        match &self.0 {
            Some(source) => source.steady(),
            // Far from zero, so that times before the process started can be represented.
            None => Timestamp::from_seconds(1 << 32) + START.get_or_init(Instant::now).elapsed(),
        }
    }

    /// The time on the clock of [`steady`](Self::steady) to the nanosecond, for measuring durations of
    /// less than a millisecond. Compare it with itself only.
    ///
    /// ```
    /// # use quadrille::Env;
    /// let env = Env::system();
    /// let began = env.elapsed();
    /// assert!(env.elapsed() >= began);
    /// ```
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Some(source) => source.steady().since(Timestamp(0)),
            None => START.get_or_init(Instant::now).elapsed(),
        }
    }

    /// Fills `bytes` with unpredictable bytes.
    #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Some(source) => source.fill(bytes),
            None => rand::rng().fill_bytes(bytes),
        }
    }

    /// `N` unpredictable bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Env(custom)" } else { "Env(system)" })
    }
}
