//! Accepted tokens that are remembered for a while.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::Timestamp;

/// The number of values remembered; at this number the old ones are forgotten, or all.
const REMEMBERED: usize = 4096;

/// Values that are remembered for a while, by keys.
pub(super) struct Memory<K, V> {
    /// The longest time for which a value is remembered.
    longest: Duration,
    known: Mutex<HashMap<K, Known<V>>>,
}

/// A remembered value, and its expiry.
struct Known<V> {
    value: V,
    until: Timestamp,
}

impl<K: Eq + Hash, V> Memory<K, V> {
    pub(super) fn of(longest: Duration) -> Self {
        Self { longest, known: Mutex::default() }
    }

    /// The result of `read` for the value with this key; `None` if none is remembered.
    pub(super) fn recall<Q: Eq + Hash + ?Sized, R>(
        &self,
        key: &Q,
        now: Timestamp,
        read: impl FnOnce(&V) -> Option<R>,
    ) -> Option<R>
    where
        K: Borrow<Q>,
    {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // After a step back of the clock, its expiry is too far ahead to be true.
        let counts = |known: &&Known<V>| now < known.until && known.until <= now + self.longest;
        known.get(key).filter(counts).and_then(|known| read(&known.value))
    }

    /// Remembers a value, at most until it expires.
    pub(super) fn keep(&self, key: K, value: V, expires: Timestamp, now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, known| now < known.until);
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        known.insert(key, Known { value, until: (now + self.longest).min(expires) });
    }
}
