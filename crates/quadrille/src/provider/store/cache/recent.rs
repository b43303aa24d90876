//! Maps that keep what was used last.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, BuildHasherDefault, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::provider::store::SecretHash;

const SHARDS: usize = 32;

/// Two halves: when the younger half is full, the older one is dropped.
pub(super) struct Halves<K, V, S = RandomState> {
    younger: HashMap<K, Arc<V>, S>,
    older: HashMap<K, Arc<V>, S>,
    /// The number of entries of a half.
    half: usize,
}

impl<K: Hash + Eq, V, S: BuildHasher + Default> Halves<K, V, S> {
    /// At most so many entries.
    pub(super) fn of(most: usize) -> Self {
        Self { younger: HashMap::default(), older: HashMap::default(), half: most / 2 }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<Arc<V>> {
        if let Some(found) = self.younger.get(key) {
            return Some(Arc::clone(found));
        }
        let (key, found) = self.older.remove_entry(key)?;
        self.put(key, Arc::clone(&found));
        Some(found)
    }

    pub(super) fn take(&mut self, key: &K) -> Option<Arc<V>> {
        self.younger.remove(key).or_else(|| self.older.remove(key))
    }

    pub(super) fn put(&mut self, key: K, value: Arc<V>) {
        if self.younger.len() >= self.half {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(key, value);
    }

    fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.younger.retain(|_, value| keep(value));
        self.older.retain(|_, value| keep(value));
    }
}

/// Entries by hash, in shards.
pub(super) struct Recent<V>([Mutex<Shard<V>>; SHARDS]);

type Shard<V> = Halves<SecretHash, V, BuildHasherDefault<HashIsHash>>;

impl<V> Recent<V> {
    /// At most so many entries.
    pub(super) fn of(most: usize) -> Self {
        Self(std::array::from_fn(|_| Mutex::new(Halves::of(most / SHARDS))))
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
    fn lock(&self, hash: &SecretHash) -> MutexGuard<'_, Shard<V>> {
        // The maps go by the first eight bytes.
        lock(&self.0[usize::from(hash[8]) % SHARDS])
    }

    pub(super) fn get(&self, hash: &SecretHash) -> Option<Arc<V>> {
        self.lock(hash).get(hash)
    }

    pub(super) fn take(&self, hash: &SecretHash) -> Option<Arc<V>> {
        self.lock(hash).take(hash)
    }

    pub(super) fn put(&self, hash: SecretHash, value: &Arc<V>) {
        self.lock(&hash).put(hash, Arc::clone(value));
    }

    /// Puts an entry, if `still` says under the lock that it is true.
    pub(super) fn put_if(&self, hash: SecretHash, value: &Arc<V>, still: impl FnOnce() -> bool) {
        let mut shard = self.lock(&hash);
        if still() {
            shard.put(hash, Arc::clone(value));
        }
    }

    pub(super) fn retain(&self, mut keep: impl FnMut(&V) -> bool) {
        for shard in &self.0 {
            lock(shard).retain(&mut keep);
        }
    }
}

/// A SHA-256 hash needs no further hashing.
#[derive(Default)]
pub(super) struct HashIsHash(u64);

impl Hasher for HashIsHash {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }
    fn write_usize(&mut self, _length: usize) {}
    fn finish(&self) -> u64 {
        self.0
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
