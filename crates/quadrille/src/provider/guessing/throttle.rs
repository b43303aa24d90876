//! Counts failures, and slows down only those who guess.
//!
//! A generated secret cannot be guessed: a flood of failures is answered with 429, but a right
//! secret always passes. A chosen secret can be guessed: an attempt waits for its turn
//! (`turns.rs`), and an address from which the client has authenticated is exempt, so nobody can
//! lock the true client out.
//!
//! Times are those of a monotonic clock ([`Env::steady`](crate::Env::steady)), so setting the clock
//! back keeps nobody waiting.
//!
//! Memory is bounded: when a table is full, recovered entries are forgotten, and then any. That
//! helps only an attacker with thousands of addresses, whom no table stops.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{RemoteAddress, Timestamp, provider::token::format::sha256};

/// The number of free failures, and the rate at which failures are forgiven.
///
/// ```
/// use quadrille::provider::guessing::Rate;
/// use std::time::Duration;
///
/// let strict = Rate { burst: 3, forgiven_every: Duration::from_secs(60) };
/// assert!(strict.burst < Rate::FAILURES.burst);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number of free failures.
    pub burst: u32,
    /// The time after which one failure is forgiven.
    pub forgiven_every: Duration,
}

impl Rate {
    /// Ten at once, then one every ten seconds.
    pub const FAILURES: Self = Self { burst: 10, forgiven_every: Duration::from_secs(10) };

    /// Counts a failure of a party whose failures are forgiven at the time `recovered`: its wait, and
    /// the time after it. If the wait is longer than `patience`, counts nothing and returns the time
    /// until it would be short enough.
    pub(super) fn turn(
        self,
        recovered: Timestamp,
        now: Timestamp,
        patience: Duration,
    ) -> Result<(Duration, Timestamp), Duration> {
        let wait = wait(self, recovered.millis(), now).map_or(Duration::ZERO, |wait| wait);
        // A refused attempt adds nothing, so the announced wait is the real one.
        if wait > patience {
            return Err(wait.saturating_sub(patience));
        }
        Ok((wait, now.max(recovered) + self.forgiven_every))
    }
}

/// The party whose failures are counted.
///
/// ```
/// use quadrille::{Env, provider::guessing::{Rate, Throttle, Who}};
///
/// let (throttle, now) = (Throttle::new(Rate::FAILURES), Env::system().steady());
/// throttle.failed(Who::Client("app"), now);
/// assert_eq!(throttle.wait(Who::Client("app"), now), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who<'a> {
    /// A client, by the name in the request.
    Client(&'a str),
    /// An address.
    Address(RemoteAddress),
    /// A client, by the name in the request, at one address.
    Pair(&'a str, Option<RemoteAddress>),
    /// All names with this number.
    Named(u16),
}

impl Who<'_> {
    /// The bucket of a name, whether or not a client has it: names share a few thousand buckets, so
    /// invented ones cannot push others out.
    pub(crate) fn named(name: &str) -> Self {
        let digest = sha256(name.as_bytes());
        let [high, low, ..] = digest;
        Self::Named(u16::from_be_bytes([high, low]) % 4096)
    }
}

const BUCKETS: usize = 16 * 1024;

/// Counts failures: of clients that authenticate, and of users who sign in at an application's own
/// page.
///
/// Count the failure before the secret is checked, and take it back if the secret is right: a
/// hundred concurrent guesses are a hundred failures.
///
/// ```
/// use quadrille::{Env, provider::guessing::{Rate, Throttle, Who}};
///
/// let (throttle, now) = (Throttle::new(Rate::FAILURES), Env::system().steady());
/// let who = Who::Pair("ada", None);
/// for _ in 0..10 {
///     assert_eq!(throttle.failed(who, now), None);
/// }
/// assert!(throttle.failed(who, now).is_some(), "the eleventh must wait");
/// throttle.forgive(who, now);
/// assert_eq!(throttle.failed(who, now), None);
/// ```
pub struct Throttle {
    rate: Rate,
    hasher: RandomState,
    /// The time at which each bucket will have recovered, in milliseconds (the generic cell rate
    /// algorithm), by the hash of its party.
    buckets: Mutex<HashMap<u64, i64>>,
    /// The pairs of client and address that have succeeded, with the time.
    known: Mutex<HashMap<u64, i64>>,
}

impl Throttle {
    /// A throttle with this rate.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            hasher: RandomState::new(),
            buckets: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// The time that `who` must wait before the next attempt; `None` for no wait.
    pub fn wait(&self, who: Who<'_>, now: Timestamp) -> Option<Duration> {
        let recovered = *lock(&self.buckets).get(&self.hasher.hash_one(who))?;
        wait(self.rate, recovered, now)
    }

    /// Counts a failure, and returns the result of [`Throttle::wait`] before it.
    pub fn failed(&self, who: Who<'_>, now: Timestamp) -> Option<Duration> {
        self.turn(who, now, Duration::ZERO).err()
    }

    /// Counts a failure that may wait for `patience`, and returns its wait. If the wait is longer,
    /// counts nothing and returns the time until it would be short enough.
    pub(crate) fn turn(
        &self,
        who: Who<'_>,
        now: Timestamp,
        patience: Duration,
    ) -> Result<Duration, Duration> {
        let key = self.hasher.hash_one(who);
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= BUCKETS && !buckets.contains_key(&key) {
            make_room(&mut buckets, now.millis());
        }
        let recovered = buckets.entry(key).or_insert(i64::MIN);
        let before = Timestamp::from_millis(*recovered);
        let (wait, after) = self.rate.turn(before, now, patience)?;
        *recovered = after.millis();
        Ok(wait)
    }

    /// The number of failures of `who` that are counted and not yet forgiven.
    pub(crate) fn failures(&self, who: Who<'_>, now: Timestamp) -> u32 {
        let recovered = lock(&self.buckets).get(&self.hasher.hash_one(who)).copied();
        let debt = recovered.map_or(Duration::ZERO, |at| Timestamp::from_millis(at).since(now));
        let count = debt.as_nanos().div_ceil(self.rate.forgiven_every.as_nanos().max(1));
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// `true` if a failure is counted and not yet forgiven.
    pub(crate) fn has_failed(&self, who: Who<'_>, now: Timestamp) -> bool {
        self.failures(who, now) > 0
    }

    /// Takes a counted failure back.
    pub fn forgive(&self, who: Who<'_>, now: Timestamp) {
        if let Some(recovered) = lock(&self.buckets).get_mut(&self.hasher.hash_one(who))
            && *recovered > now.millis()
        {
            *recovered = (Timestamp::from_millis(*recovered) - self.rate.forgiven_every).millis();
        }
    }

    /// Records that the client has authenticated from this address.
    pub fn succeeded(&self, client: &str, from: Option<RemoteAddress>, now: Timestamp) {
        let mut known = lock(&self.known);
        if known.len() >= BUCKETS {
            make_room(&mut known, i64::MIN);
        }
        known.insert(self.hasher.hash_one(Who::Pair(client, from)), now.millis());
    }

    /// `true` if the client has authenticated from this address.
    pub fn is_known(&self, client: &str, from: Option<RemoteAddress>) -> bool {
        lock(&self.known).contains_key(&self.hasher.hash_one(Who::Pair(client, from)))
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Throttle({:?})", self.rate)
    }
}

impl std::hash::Hash for RemoteAddress {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.network().hash(state);
    }
}

fn wait(rate: Rate, recovered: i64, now: Timestamp) -> Option<Duration> {
    // Free while one more failure would still fit into the burst.
    let room = rate.forgiven_every.saturating_mul(rate.burst.saturating_sub(1));
    let free = Timestamp::from_millis(recovered) - room;
    (free > now).then(|| free.since(now))
}

fn make_room(table: &mut HashMap<u64, i64>, until: i64) {
    table.retain(|_, at| *at > until);
    let mut excess = table.len().saturating_sub(BUCKETS / 2);
    table.retain(|_, _| {
        let stays = excess == 0;
        excess = excess.saturating_sub(1);
        stays
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, forgiven_every: Duration::from_secs(10) };

    fn address(text: &str) -> RemoteAddress {
        RemoteAddress(text.parse().unwrap())
    }

    #[test]
    fn after_the_burst_a_failure_must_wait_and_is_forgiven_with_time() {
        let throttle = Throttle::new(RATE);
        let (who, now) = (Who::Client("a"), Timestamp::from_seconds(1000));
        for _ in 0..3 {
            assert_eq!(throttle.wait(who, now), None);
            assert_eq!(throttle.failed(who, now), None);
        }
        assert_eq!(throttle.wait(who, now), Some(Duration::from_secs(10)));
        assert_eq!(throttle.failed(who, now), Some(Duration::from_secs(10)));
        assert_eq!(throttle.wait(Who::Client("b"), now), None, "others are not concerned");
        let later = now + Duration::from_secs(10);
        assert_eq!(throttle.failed(who, later), None);
        assert_eq!(throttle.wait(who, later), Some(Duration::from_secs(10)));
        assert_eq!(throttle.wait(who, later + Duration::from_secs(30)), None);
    }

    #[test]
    fn an_address_that_succeeded_is_known_for_this_client_only() {
        let throttle = Throttle::new(RATE);
        throttle.succeeded("a", Some(address("192.0.2.1")), Timestamp::from_seconds(1));
        assert!(throttle.is_known("a", Some(address("192.0.2.1"))));
        assert!(throttle.is_known("a", Some(address("::ffff:192.0.2.1"))));
        assert!(!throttle.is_known("b", Some(address("192.0.2.1"))));
        assert!(!throttle.is_known("a", Some(address("192.0.2.2"))));
        assert!(!throttle.is_known("a", None));
    }

    #[test]
    fn sixty_four_bits_of_ipv6_are_one_party() {
        let throttle = Throttle::new(RATE);
        let now = Timestamp::from_seconds(1);
        for low in 0..3 {
            throttle.failed(Who::Address(address(&format!("2001:db8::{low}"))), now);
        }
        assert!(throttle.wait(Who::Address(address("2001:db8::ffff")), now).is_some());
        assert!(throttle.wait(Who::Address(address("2001:db8:0:1::")), now).is_none());
    }

    #[test]
    fn memory_is_bounded_and_who_failed_last_is_still_counted() {
        let throttle = Throttle::new(RATE);
        let now = Timestamp::from_seconds(1);
        let names: Vec<String> = (0..3 * BUCKETS).map(|n| n.to_string()).collect();
        for name in &names {
            throttle.failed(Who::Client(name), now);
            throttle.succeeded(name, None, now);
        }
        assert!(lock(&throttle.buckets).len() <= BUCKETS);
        assert!(lock(&throttle.known).len() <= BUCKETS);
        for _ in 0..2 {
            throttle.failed(Who::Client(&names[names.len() - 1]), now);
        }
        assert!(throttle.wait(Who::Client(&names[names.len() - 1]), now).is_some());
    }
}
