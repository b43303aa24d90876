//! Caches of short-lived records, which may lose them at any time.
//!
//! The verbs are those that a memory cache on the network offers, each atomic by itself. A record is
//! positive: if it is lost, its user or its client begins again, and nothing is issued twice. Only a
//! cache that notices its losses keeps marks of used keys, too.

mod entry;
mod files;
mod folder;
#[cfg(feature = "memcached")]
mod memcached;
mod memory;
mod owner;
mod packed;
mod record;
mod store;
mod verbs;

use std::future::Future;

pub use entry::{VolatileEntry, VolatileFound, VolatileKey};
pub use files::VolatileFiles;
#[cfg(feature = "memcached")]
pub use memcached::VolatileMemcached;
pub use memory::VolatileMemory;
pub use store::VolatileStore;

use crate::Timestamp;

use super::{RowId, StoreError};

/// A cache of short-lived records: in this process, or on a server that processes share.
///
/// Every verb is atomic: of any number of callers at once one adds an entry, and one replaces what
/// all of them found. Times are those of the caller's clock, in whole seconds. An entry is there up
/// to the second in which it expires; later it is absent, whether or not it was removed.
///
/// A cache may lose any entry at any time, but it must not bring one back: an entry that was
/// replaced or removed never is again as it was before, also after a restart from a snapshot, or on
/// a replica that was promoted. If a cache cannot tell, the entries from before are absent.
///
/// [`volatile_contract!`](crate::volatile_contract) (feature `testing`) tests all of this.
///
/// ```
/// use quadrille::{
///     Timestamp,
///     provider::store::{StoreError, VolatileCache, VolatileEntry, VolatileKey},
/// };
///
/// async fn is_first(cache: &impl VolatileCache, now: Timestamp) -> Result<bool, StoreError> {
///     let key = VolatileKey::new("visit", 1, &[7; 32]);
///     let entry = VolatileEntry::new(b"seen".to_vec(), Timestamp::from_seconds(1_800_000_000));
///     cache.add(&key, entry, now).await
/// }
/// ```
///
/// # Errors
/// [`StoreError::CacheUnavailable`] if the cache does not answer: whether the verb had an effect is
/// then unknown.
pub trait VolatileCache: Send + Sync + 'static {
    /// Adds an entry. `false`, with nothing changed, if there is one with this key.
    ///
    /// [`VolatileEntry::row`] raises [`newest`](Self::newest) before the entry can be found.
    fn add(
        &self,
        key: &VolatileKey,
        entry: VolatileEntry,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The entry with this key.
    fn find(
        &self,
        key: &VolatileKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<VolatileFound>, StoreError>> + Send;

    /// Replaces the value of an entry, with the same expiry, if it is as it was `found`. `false`,
    /// with nothing changed, if it has changed since or is gone.
    fn replace(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
        value: Vec<u8>,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes an entry, if there is one.
    fn remove(&self, key: &VolatileKey) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The greatest [`VolatileEntry::row`] of the entries that are not lost; `RowId(0)` without one.
    fn newest(&self) -> impl Future<Output = Result<RowId, StoreError>> + Send;

    /// `true` if this cache notices its losses, and so is given marks of used keys.
    ///
    /// By default `false`.
    fn keeps_marks(&self) -> bool {
        false
    }

    /// The moment since which this cache has lost nothing, if it [keeps marks](Self::keeps_marks);
    /// else the Unix epoch, the default.
    ///
    /// It is called after [`add`](Self::add) said that a mark is new, and the mark counts only for
    /// what was made later: so a loss before that call must be told here.
    fn lost_nothing_since(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Timestamp, StoreError>> + Send {
        let _ = now;
        async { Ok(Timestamp::default()) }
    }

    /// The time by the clock of the server with the cache, which processes share; `now`, the default, is that
    /// of this process.
    fn server_time(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Timestamp, StoreError>> + Send {
        async move { Ok(now) }
    }

    /// Removes entries that expired before the second of `now`, a bounded number at a time. Returns
    /// their number; zero if none is left.
    ///
    /// By default zero, for a server that removes them by itself.
    fn sweep(&self, now: Timestamp) -> impl Future<Output = Result<u64, StoreError>> + Send {
        let _ = now;
        async { Ok(0) }
    }

    /// Succeeds if the cache answers, and takes entries.
    ///
    /// By default, if [`newest`](Self::newest) answers, for a cache that always takes them.
    fn check(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { self.newest().await.map(drop) }
    }
}
