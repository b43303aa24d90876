//! A cache that goes away and comes back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use quadrille::{
    Timestamp,
    provider::store::{
        RowId, StoreError, VolatileCache, VolatileEntry, VolatileFound, VolatileKey, VolatileMemory,
    },
};

/// A cache that others share, and that may be away.
#[derive(Clone)]
pub(crate) struct Lent {
    cache: Arc<VolatileMemory>,
    pub(crate) is_away: Arc<AtomicBool>,
}

impl Lent {
    pub(crate) fn new() -> Self {
        Self { cache: Arc::new(VolatileMemory::new(1000)), is_away: Arc::default() }
    }

    fn here(&self) -> Result<&VolatileMemory, StoreError> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(StoreError::cache_unavailable("away")),
            false => Ok(&self.cache),
        }
    }
}

impl VolatileCache for Lent {
    async fn add(
        &self,
        key: &VolatileKey,
        entry: VolatileEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.here()?.add(key, entry, now).await
    }

    async fn find(
        &self,
        key: &VolatileKey,
        now: Timestamp,
    ) -> Result<Option<VolatileFound>, StoreError> {
        self.here()?.find(key, now).await
    }

    async fn replace(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.here()?.replace(key, found, value, now).await
    }

    async fn remove(&self, key: &VolatileKey) -> Result<(), StoreError> {
        self.here()?.remove(key).await
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        self.here()?.newest().await
    }
}
