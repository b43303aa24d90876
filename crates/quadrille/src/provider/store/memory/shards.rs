//! Sharded maps whose entries expire and are removed a few at a time.

use std::{
    collections::{BTreeMap, HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash, Hasher},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use crate::{
    Timestamp,
    provider::store::{RowId, SWEEP_DELAY},
};

const SHARDS: usize = 64;

/// The most expired entries that an insert removes: more than one, so that they go faster than they
/// come.
const PER_INSERT: usize = 4;

/// The expiry of an entry, in whole seconds since the Unix epoch.
pub(super) trait Expires {
    /// The time for which an expired entry is kept.
    const DELAY: Duration = SWEEP_DELAY;

    fn expires(&self) -> i64;
}

/// The row behind a key other than its number.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) row: RowId,
    pub(super) expires: i64,
}

impl Expires for Place {
    fn expires(&self) -> i64 {
        self.expires
    }
}

pub(super) struct Shards<K, V, S = RandomState> {
    hasher: S,
    shards: [Mutex<Shard<K, V, S>>; SHARDS],
}

pub(super) struct Shard<K, V, S = RandomState> {
    map: HashMap<K, V, S>,
    due: Due<K>,
}

/// Keys of numbered rows.
pub(super) type Rows<V> = Shards<RowId, V, BuildRowHasher>;

impl<K: Hash + Eq + Copy, V: Expires, S: BuildHasher + Clone + Default> Shards<K, V, S> {
    pub(super) fn new() -> Self {
        let hasher = S::default();
        let shard = |_| {
            let map = HashMap::with_hasher(hasher.clone());
            Mutex::new(Shard { map, due: Due(BTreeMap::new()) })
        };
        Self { shards: std::array::from_fn(shard), hasher }
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
    pub(super) fn lock(&self, key: &K) -> MutexGuard<'_, Shard<K, V, S>> {
        // The map inside uses the low and the topmost bits.
        let shard = (self.hasher.hash_one(key) >> 32) as usize % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, Shard<K, V, S>>> {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a function makes of each entry, in no order.
    pub(super) fn collected<T>(&self, read: impl Fn(&K, &V) -> T) -> Vec<T> {
        let mut all = Vec::new();
        for shard in self.each() {
            all.extend(shard.map.iter().map(|(key, value)| read(key, value)));
        }
        all
    }

    /// Removes expired entries, up to `limit` in each shard.
    pub(super) fn sweep(&self, now: Timestamp, limit: usize) -> u64 {
        self.each().map(|mut shard| shard.sweep(now, limit)).sum()
    }
}

impl<K: Hash + Eq + Copy, V: Expires, S: BuildHasher> Shard<K, V, S> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    /// An entry to change. Its expiry may be postponed, but not brought forward.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V, now: Timestamp) {
        self.sweep(now, PER_INSERT);
        self.due.file(key, value.expires());
        self.map.insert(key, value);
    }

    /// Inserts an entry whose key is new. `false` if it is not.
    pub(super) fn add(&mut self, key: K, value: V, now: Timestamp) -> bool {
        let is_new = !self.map.contains_key(&key);
        if is_new {
            self.insert(key, value, now);
        }
        is_new
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.map.remove(key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.map.values()
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.map.retain(keep);
    }

    fn sweep(&mut self, now: Timestamp, limit: usize) -> u64 {
        let (mut gone, until) = (0, now - V::DELAY);
        for _ in 0..limit {
            let Some(key) = self.due.pop(until) else { break };
            match self.map.get(&key).map(V::expires) {
                Some(expires) if expires >= until.seconds() => self.due.file(key, expires),
                Some(_) => {
                    self.map.remove(&key);
                    gone += 1;
                }
                None => {}
            }
        }
        self.shrink();
        gone
    }

    /// Gives memory back when most entries have gone.
    fn shrink(&mut self) {
        if self.map.capacity() > 64 + self.map.len() * 4 {
            self.map.shrink_to(self.map.len() * 2);
        }
    }
}

/// Keys by the minute of their expiry.
struct Due<K>(BTreeMap<i64, Vec<K>>);

impl<K> Due<K> {
    fn file(&mut self, key: K, expires: i64) {
        self.0.entry(expires >> 6).or_default().push(key);
    }

    fn pop(&mut self, until: Timestamp) -> Option<K> {
        let mut first = self.0.first_entry()?;
        if *first.key() >= until.seconds() >> 6 {
            return None;
        }
        let key = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        key
    }
}

/// Row numbers come from the server, never from an attacker who looks for collisions.
#[derive(Clone, Default)]
pub(super) struct BuildRowHasher;

pub(super) struct RowHasher(u64);

impl BuildHasher for BuildRowHasher {
    type Hasher = RowHasher;
    fn build_hasher(&self) -> RowHasher {
        RowHasher(0)
    }
}

impl Hasher for RowHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_i64(&mut self, row: i64) {
        self.write_u64(row.cast_unsigned());
    }
    fn write_u64(&mut self, word: u64) {
        // Numbers differ in their high bits and in their low ones; the two halves of the product
        // depend on both.
        let product = u128::from(self.0 ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Locks, also after a panic elsewhere: no verb leaves half a change behind.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
