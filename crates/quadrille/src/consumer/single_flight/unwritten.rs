//! Refreshed tokens that the storage could not take.
//!
//! A service that rotates refresh tokens has revoked the stored one by then, so the account would
//! be lost with the new token. It is kept in this process until the storage takes it.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Timestamp, consumer::account::Token};

/// The greatest number of tokens kept; beyond it, the oldest is dropped.
const MOST: usize = 10_000;
/// The time for which one is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The tokens, by the refresh that each is the result of.
pub(crate) struct Unwritten<K>(Mutex<HashMap<K, (Token, Timestamp)>>);

impl<K: Copy + Eq + Hash> Unwritten<K> {
    pub(crate) fn keep(&self, key: K, token: Token, now: Timestamp) {
        let mut kept = self.lock();
        kept.retain(|_, (_, since)| now.since(*since) < KEPT);
        if kept.len() >= MOST
            && let Some(oldest) = kept.iter().min_by_key(|(_, (_, since))| *since).map(|(k, _)| *k)
        {
            kept.remove(&oldest);
        }
        kept.insert(key, (token, now));
    }

    /// The token, which is kept no longer.
    pub(crate) fn take(&self, key: K) -> Option<Token> {
        self.lock().remove(&key).map(|(token, _)| token)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (Token, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Default for Unwritten<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K> fmt::Debug for Unwritten<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unwritten")
    }
}
