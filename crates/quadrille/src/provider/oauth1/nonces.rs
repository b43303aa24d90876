//! Which requests have been seen (RFC 5849, section 3.3).

use std::{
    collections::{BTreeMap, HashSet, hash_map::RandomState},
    fmt,
    hash::{BuildHasher as _, BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::Timestamp;

use super::super::{store::SecretHash, token::sha256};

const SHARDS: usize = 64;

/// How many requests are remembered at most: some sixteen bytes each.
const LIMIT: usize = 16 * 1024 * 1024;

/// Timestamps of so many seconds, a power of two, are forgotten together.
const SLOT_BITS: u32 = 5;

/// A request that must not come twice.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Seen<'a> {
    pub(crate) client: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) timestamp: i64,
    pub(crate) nonce: &'a str,
}

impl Seen<'_> {
    /// For a store. The parts have their lengths before them, so that no two requests share a key.
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

/// Whether a request came for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Once {
    First,
    Again,
    /// There are more requests than can be remembered. To let any through would let all through
    /// again.
    Full,
}

/// What one process remembers: of each request the hash under a key that nobody knows, grouped by
/// timestamp, so that what is too old to come again is dropped at once.
///
/// It begins with nothing, and so must not let through what was signed before its beginning.
pub(crate) struct Nonces {
    began: Timestamp,
    hasher: RandomState,
    shards: [Mutex<Slots>; SHARDS],
    limit: usize,
}

/// Hashes by the slot of their timestamp.
#[derive(Default)]
struct Slots {
    slots: BTreeMap<i64, HashSet<u64, BuildHasherDefault<AsItIs>>>,
    count: usize,
}

impl Nonces {
    pub(crate) fn new(began: Timestamp) -> Self {
        Self::with_limit(began, LIMIT)
    }

    fn with_limit(began: Timestamp, limit: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { began, hasher: RandomState::new(), shards, limit: limit / SHARDS }
    }

    /// When this memory began.
    pub(crate) const fn began(&self) -> Timestamp {
        self.began
    }

    /// Remembers a request until its timestamp is older than `window`.
    #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
    pub(crate) fn remember(&self, seen: Seen<'_>, now: Timestamp, window: Duration) -> Once {
        let hash = self.hasher.hash_one(seen);
        let oldest = (now - window).seconds() >> SLOT_BITS;
        let shard = &self.shards[(hash >> 48) as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.forget(oldest);
        let is_full = shard.count >= self.limit;
        let slot = shard.slots.entry(seen.timestamp >> SLOT_BITS).or_default();
        if slot.contains(&hash) {
            return Once::Again;
        }
        if is_full {
            return Once::Full;
        }
        slot.insert(hash);
        shard.count += 1;
        Once::First
    }
}

impl Slots {
    fn forget(&mut self, oldest: i64) {
        while let Some(first) = self.slots.first_entry().filter(|first| *first.key() < oldest) {
            self.count -= first.remove().len();
        }
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").field("began", &self.began).finish_non_exhaustive()
    }
}

/// A hash needs no further hashing.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_request_comes_once_for_each_client_token_and_timestamp() {
        let nonces = Nonces::new(at(0));
        let seen = Seen { client: "a", token: None, timestamp: 1000, nonce: "x" };
        assert_eq!(nonces.remember(seen, at(1000), WINDOW), Once::First);
        for (other, once) in [
            (seen, Once::Again),
            (Seen { client: "b", ..seen }, Once::First),
            (Seen { token: Some(""), ..seen }, Once::First),
            (Seen { timestamp: 1001, ..seen }, Once::First),
            (Seen { nonce: "y", ..seen }, Once::First),
        ] {
            assert_eq!(nonces.remember(other, at(1000), WINDOW), once, "{other:?}");
        }
    }

    #[test]
    fn it_is_remembered_for_as_long_as_its_timestamp_would_pass() {
        let nonces = Nonces::new(at(0));
        for timestamp in (700..=1300).step_by(7) {
            let seen = Seen { client: "a", token: None, timestamp, nonce: "x" };
            assert_eq!(nonces.remember(seen, at(1000), WINDOW), Once::First);
            assert_eq!(nonces.remember(seen, at(timestamp + 300), WINDOW), Once::Again);
        }
    }

    #[test]
    fn what_is_too_old_is_forgotten_and_too_many_are_refused() {
        let nonces = Nonces::with_limit(at(0), SHARDS * 4);
        let names: Vec<String> = (0..SHARDS * 100).map(|nonce| nonce.to_string()).collect();
        let send = |timestamp, now| {
            let send = |nonce| {
                let seen = Seen { client: "a", token: None, timestamp, nonce };
                nonces.remember(seen, at(now), WINDOW)
            };
            names.iter().filter(|name| send(name) == Once::First).count()
        };
        assert_eq!(send(1000, 1000), SHARDS * 4);
        assert_eq!(send(1200, 1200), 0, "full");
        assert_eq!(send(1400, 1400), SHARDS * 4, "and free again");
    }
}
