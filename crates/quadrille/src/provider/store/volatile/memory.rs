//! A cache in this process.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::Timestamp;

use super::{VolatileCache, VolatileEntry, VolatileFound, VolatileKey};
use crate::provider::store::{RowId, StoreError};

/// The most expired entries that one call removes.
const PER_SWEEP: usize = 64;

/// A cache in this process, of bounded size: when it is full, the entries that expire first go.
///
/// It keeps no marks of used keys. It spares a database the codes of logins without a page, and the
/// requests of devices that nobody answers.
///
/// ```
/// use quadrille::provider::store::VolatileMemory;
///
/// let cache = VolatileMemory::new(100_000);
/// ```
pub struct VolatileMemory {
    limit: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<VolatileKey, VolatileFound>,
    /// Seconds since the Unix epoch.
    by_expiry: BTreeSet<(i64, VolatileKey)>,
    newest: i64,
    last_version: u64,
}

impl VolatileMemory {
    /// An empty cache for so many entries.
    pub fn new(limit: usize) -> Self {
        Self { limit, entries: Mutex::default() }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn get(&mut self, key: &VolatileKey, now: Timestamp) -> Option<&mut VolatileFound> {
        let found = self.by_key.get_mut(key)?;
        (found.expires.seconds() >= now.seconds()).then_some(found)
    }

    fn version(&mut self) -> u64 {
        self.last_version += 1;
        self.last_version
    }

    fn remove(&mut self, key: &VolatileKey) {
        if let Some(found) = self.by_key.remove(key) {
            self.by_expiry.remove(&(found.expires.seconds(), key.clone()));
        }
    }

    /// Removes the first entry by expiry, if it expired before the second of `now`.
    fn remove_expired(&mut self, now: Timestamp) -> bool {
        self.by_expiry.first().is_some_and(|(expires, _)| *expires < now.seconds())
            && self.remove_first()
    }

    fn remove_first(&mut self) -> bool {
        let first = self.by_expiry.pop_first();
        first.is_some_and(|(_, key)| self.by_key.remove(&key).is_some())
    }
}

impl VolatileCache for VolatileMemory {
    async fn add(
        &self,
        key: &VolatileKey,
        entry: VolatileEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut entries = self.entries();
        if entries.get(key, now).is_some() {
            return Ok(false);
        }
        entries.remove(key);
        // More than one, so that they go faster than they come.
        let _ = entries.remove_expired(now) && entries.remove_expired(now);
        while entries.by_key.len() >= self.limit.max(1) && entries.remove_first() {}
        let VolatileEntry { value, expires, row } = entry;
        entries.newest = entries.newest.max(row.map_or(0, |row| row.0));
        entries.by_expiry.insert((expires.seconds(), key.clone()));
        let version = entries.version();
        let expires = Timestamp::from_seconds(expires.seconds());
        entries.by_key.insert(key.clone(), VolatileFound { value, expires, version });
        Ok(true)
    }

    async fn find(
        &self,
        key: &VolatileKey,
        now: Timestamp,
    ) -> Result<Option<VolatileFound>, StoreError> {
        Ok(self.entries().get(key, now).cloned())
    }

    async fn replace(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut entries = self.entries();
        let version = entries.version();
        let held = entries.get(key, now).filter(|held| held.version == found.version);
        Ok(held.is_some_and(|held| {
            held.value = value;
            held.version = version;
            true
        }))
    }

    async fn remove(&self, key: &VolatileKey) -> Result<(), StoreError> {
        self.entries().remove(key);
        Ok(())
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        Ok(RowId(self.entries().newest))
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut entries = self.entries();
        let gone = (0..PER_SWEEP).take_while(|_| entries.remove_expired(now)).count();
        Ok(u64::try_from(gone).unwrap_or(u64::MAX))
    }
}

impl fmt::Debug for VolatileMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolatileMemory").field("limit", &self.limit).finish_non_exhaustive()
    }
}
