//! The nonces of requests (RFC 5849, section 3.3).

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    fmt,
    hash::BuildHasher as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    Timestamp,
    provider::{store::SecretHash, token::format::sha256},
};

use super::{
    OAuth1,
    hashes::Hashes,
    shares::{Over, Shares},
};

const SHARDS: usize = 64;

/// Timestamps of this many bits of seconds are forgotten together.
const SLOT_BITS: u32 = 4;

/// The time for which a request is remembered after its timestamp becomes invalid. A request may
/// wait between check and entry, and the clocks of several processes differ.
pub(super) const MARGIN: Duration = Duration::from_secs(30);

/// A request that must not be accepted twice.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Seen<'a> {
    pub(crate) client: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) timestamp: i64,
    pub(crate) nonce: &'a str,
}

impl Seen<'_> {
    const fn slot(&self) -> i64 {
        self.timestamp >> SLOT_BITS
    }

    /// The key for a store. Each part has its length in front, so no two requests share a key.
    pub(super) fn key(&self) -> SecretHash {
        let mut text = Vec::with_capacity(256);
        for part in [self.client, self.token.unwrap_or("\0"), self.nonce] {
            text.extend_from_slice(&part.len().to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        text.extend_from_slice(&self.timestamp.to_be_bytes());
        sha256(&text)
    }
}

/// The result of remembering a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Once {
    First,
    Again,
    /// Too late: it may have been accepted before and forgotten.
    Late,
    /// Too early: it may have been accepted before this process started.
    Earlier,
    /// The client has reached its share of remembered requests. Accepting one without remembering
    /// it would allow its replay.
    Full {
        /// The time until some are forgotten.
        wait: Duration,
        /// `true` if the previous request was accepted.
        is_new: bool,
    },
}

/// The memory of one process: a hash of each request under a secret key, grouped by timestamp, so
/// that requests too old to be accepted are dropped together.
///
/// It begins empty, so requests signed before its beginning must be refused.
pub(crate) struct Nonces {
    hasher: RandomState,
    shards: [Mutex<Slots>; SHARDS],
    shares: Shares,
}

/// Hashes by the slot of their timestamp.
#[derive(Default)]
struct Slots {
    slots: BTreeMap<i64, Hashes>,
    /// The last slot of which something was forgotten.
    forgotten: Option<i64>,
}

impl Nonces {
    pub(crate) fn new() -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { hasher: RandomState::new(), shards, shares: Shares::new() }
    }

    /// Remembers a request for as long as its timestamp is valid. `now` is the time of its check.
    #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
    pub(super) fn remember(&self, seen: Seen<'_>, now: Timestamp, oauth1: &OAuth1) -> Once {
        if let Err(full) = self.count(seen, now, oauth1) {
            return full;
        }
        let hash = self.hasher.hash_one(seen);
        let shard = &self.shards[hash as usize % SHARDS];
        let once = shard.lock().unwrap_or_else(PoisonError::into_inner).remember(seen, hash);
        if once != Once::First {
            self.uncount(seen);
        }
        once
    }

    /// Counts a request that is about to be remembered, here or in the store.
    pub(super) fn count(
        &self,
        seen: Seen<'_>,
        now: Timestamp,
        oauth1: &OAuth1,
    ) -> Result<(), Once> {
        let window = oauth1.window;
        let oldest = (now - window - MARGIN).seconds() >> SLOT_BITS;
        if self.shares.forget(oldest) {
            for shard in &self.shards {
                shard.lock().unwrap_or_else(PoisonError::into_inner).forget(oldest);
            }
        }
        self.shares.take(seen.client, seen.slot(), oauth1.nonces()).map_err(
            |Over { first, is_new }| {
                let free = Timestamp::from_seconds((first + 1) << SLOT_BITS) + window + MARGIN;
                Once::Full { wait: free.since(now), is_new }
            },
        )
    }

    /// Takes back the count of a request that is not remembered after all.
    pub(super) fn uncount(&self, seen: Seen<'_>) {
        self.shares.give_back(seen.client, seen.slot());
    }
}

impl Slots {
    fn remember(&mut self, seen: Seen<'_>, hash: u64) -> Once {
        let slot = seen.slot();
        if self.forgotten.is_some_and(|forgotten| slot <= forgotten) {
            return Once::Late;
        }
        match self.slots.entry(slot).or_default().insert(hash) {
            true => Once::First,
            false => Once::Again,
        }
    }

    fn forget(&mut self, oldest: i64) {
        while let Some(first) = self.slots.first_entry().filter(|first| *first.key() < oldest) {
            self.forgotten = Some(*first.key());
            first.remove();
        }
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oauth1() -> OAuth1 {
        OAuth1::new().timestamp_window(Duration::from_secs(300)).remember_at_most(1000)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_request_comes_once_for_each_client_token_and_timestamp() {
        let nonces = Nonces::new();
        let seen = Seen { client: "a", token: None, timestamp: 1000, nonce: "x" };
        assert_eq!(nonces.remember(seen, at(1000), &oauth1()), Once::First);
        for (other, once) in [
            (seen, Once::Again),
            (Seen { client: "b", ..seen }, Once::First),
            (Seen { token: Some(""), ..seen }, Once::First),
            (Seen { timestamp: 1001, ..seen }, Once::First),
            (Seen { nonce: "y", ..seen }, Once::First),
        ] {
            assert_eq!(nonces.remember(other, at(1000), &oauth1()), once, "{other:?}");
        }
    }

    #[test]
    fn it_is_remembered_for_as_long_as_its_timestamp_would_pass() {
        // At every place in its slot, whatever requests of this second and the next come in
        // between.
        for timestamp in 1000..1064 {
            for late in 0..4 {
                let nonces = Nonces::new();
                let seen = Seen { client: "a", token: None, timestamp, nonce: "x" };
                assert_eq!(nonces.remember(seen, at(timestamp), &oauth1()), Once::First);
                let last = at(timestamp + 300);
                for later in 0..=late {
                    let other = Seen { timestamp: timestamp + 300, nonce: "y", ..seen };
                    nonces.remember(other, last + Duration::from_secs(later), &oauth1());
                }
                assert_eq!(
                    nonces.remember(seen, last, &oauth1()),
                    Once::Again,
                    "{timestamp} {late}"
                );
            }
        }
    }

    #[test]
    fn a_copy_that_was_checked_in_time_and_waited_is_refused_however_long() {
        for timestamp in 1000..1064 {
            for waited in 0..600 {
                let nonces = Nonces::new();
                let seen = Seen { client: "a", token: None, timestamp, nonce: "x" };
                assert_eq!(nonces.remember(seen, at(timestamp), &oauth1()), Once::First);
                let checked = at(timestamp + 300);
                let other = Seen { timestamp: timestamp + 300, nonce: "y", ..seen };
                nonces.remember(other, checked + Duration::from_secs(waited), &oauth1());
                let copy = nonces.remember(seen, checked, &oauth1());
                assert!(matches!(copy, Once::Again | Once::Late), "{timestamp} {waited} {copy:?}");
            }
        }
    }

    #[test]
    fn after_a_jump_of_the_clock_there_and_back_only_what_was_forgotten_is_refused() {
        let nonces = Nonces::new();
        let seen = Seen { client: "a", token: None, timestamp: 1000, nonce: "x" };
        assert_eq!(nonces.remember(seen, at(1000), &oauth1()), Once::First);
        let ahead = Seen { timestamp: 9000, nonce: "y", ..seen };
        assert_eq!(nonces.remember(ahead, at(9000), &oauth1()), Once::First);
        assert_eq!(nonces.remember(seen, at(1010), &oauth1()), Once::Late);
        let next = Seen { timestamp: 1020, nonce: "z", ..seen };
        assert_eq!(nonces.remember(next, at(1020), &oauth1()), Once::First);
    }

    #[test]
    fn a_flood_of_one_client_fills_its_share_alone_until_it_is_forgotten() {
        let nonces = Nonces::new();
        let names: Vec<String> = (0..2000).map(|nonce| nonce.to_string()).collect();
        let send = |client, timestamp, now| {
            let send = |nonce| {
                let seen = Seen { client, token: None, timestamp, nonce };
                nonces.remember(seen, at(now), &oauth1())
            };
            names.iter().filter(|name| send(name) == Once::First).count()
        };
        assert_eq!(send("flood", 1000, 1000), 500);
        assert_eq!(send("flood", 1200, 1200), 0, "full");
        assert_eq!(send("other", 1200, 1200), 250);
        let more = Seen { client: "flood", token: None, timestamp: 1210, nonce: "more" };
        let full = nonces.remember(more, at(1210), &oauth1());
        let wait = Duration::from_secs(1008 + 330 - 1210);
        assert_eq!(full, Once::Full { wait, is_new: false });
        assert_eq!(
            nonces.remember(more, at(1210) + wait, &oauth1()),
            Once::First,
            "and free again"
        );
        let again = Seen { client: "other", nonce: "3", ..more };
        assert_eq!(
            nonces.remember(Seen { timestamp: 1200, ..again }, at(1400), &oauth1()),
            Once::Again
        );
    }
}
