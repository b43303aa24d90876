//! A cache in this process.

use std::{
    array, fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::sync::Cache;

use crate::consumer::error::StorageError;

use super::{CacheKey, PARTS, TokenCache};

/// A cache in the process, for [`CachedStorage`](super::CachedStorage). It holds the accounts used
/// most, and needs the feature `memory-cache`.
///
/// ```
/// use quadrille::consumer::{CachedStorage, MemoryCache, MemoryStorage};
///
/// let storage = CachedStorage::new(MemoryCache::new(10_000), MemoryStorage::new());
/// ```
pub struct MemoryCache {
    entries: Cache<CacheKey, Vec<u8>>,
    /// The marks: one for all keys of a part. Locked while an entry is kept or forgotten.
    marks: [Mutex<u64>; PARTS],
}

impl MemoryCache {
    /// A cache of at most this many entries, of some 500 bytes each.
    pub fn new(entries: u64) -> Self {
        Self { entries: Cache::new(entries), marks: array::from_fn(|_| Mutex::default()) }
    }

    fn mark(&self, key: &CacheKey) -> Option<MutexGuard<'_, u64>> {
        let mark = self.marks.get(key.part())?;
        Some(mark.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TokenCache for MemoryCache {
    async fn find(&self, key: &CacheKey) -> Result<(u64, Option<Vec<u8>>), StorageError> {
        let mark = self.mark(key).map_or(0, |mark| *mark);
        Ok((mark, self.entries.get(key)))
    }

    async fn keep(
        &self,
        key: &CacheKey,
        mark: u64,
        entry: Vec<u8>,
        _: Duration,
    ) -> Result<(), StorageError> {
        if let Some(now) = self.mark(key)
            && *now == mark
        {
            self.entries.insert(*key, entry);
        }
        Ok(())
    }

    async fn forget(&self, key: &CacheKey, mark: u64, _: Duration) -> Result<(), StorageError> {
        if let Some(mut now) = self.mark(key) {
            *now = mark;
            self.entries.invalidate(key);
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.entry_count();
        f.debug_struct("MemoryCache").field("entries", &entries).finish_non_exhaustive()
    }
}
