//! The cache of short-lived records.

use std::{sync::Arc, time::Duration};

use quadrille::{
    Env, KeyRing, Timestamp,
    provider::{
        AuthorizationServer, IssuerError,
        store::{
            KnownSince, RowId, Store, StoreError, VolatileCache, VolatileEntry, VolatileFiles,
            VolatileFound, VolatileKey, VolatileMemcached, VolatileMemory, VolatileStore,
        },
    },
};
use quadrille_redis::VolatileRedis;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::{
    config::{CachePlace, Settings},
    meter,
};

use super::{Data, DataError, sealed::Sealed};

/// The most entries in the memory of this process: some 100 MB.
const ENTRIES: usize = 100_000;

/// The time that Redis has for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest pause between two attempts to connect to Redis.
const PAUSE: Duration = Duration::from_millis(500);

/// The cache of short-lived records, with the keys under which they are sealed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cache {
    place: Place,
    keys: KeyRing,
    env: Env,
}

#[derive(Clone, Debug)]
enum Place {
    Memory(Arc<VolatileMemory>),
    Files(Arc<VolatileFiles>),
    Redis(VolatileRedis<ConnectionManager>),
    Memcached(Arc<VolatileMemcached>),
}

impl Data {
    /// Opens the cache, if there is one.
    ///
    /// # Errors
    /// [`DataError::Cache`], [`DataError::CacheEvicts`] or [`DataError::File`].
    pub async fn cache(
        &self,
        settings: &Settings,
        keys: &KeyRing,
    ) -> Result<Option<Cache>, DataError> {
        let shown = settings.cache.to_string();
        let failure = |error| DataError::Cache { place: shown.clone(), error };
        let env = self.env().clone();
        // Two providers may share one server.
        let mark = self.backend().mark().await.map_err(|error| self.failure(error))?;
        let place = match &settings.cache {
            CachePlace::None => return Ok(None),
            CachePlace::Memory => Place::Memory(Arc::new(VolatileMemory::new(ENTRIES))),
            CachePlace::Files(path) => {
                let files = VolatileFiles::open(path, env.clone());
                let failure = |error| DataError::File { path: path.clone(), error };
                Place::Files(Arc::new(files.map_err(failure)?))
            }
            CachePlace::Redis(url) => {
                let connection = connect(url.expose()).await.map_err(failure)?;
                let prefix = format!("{{quadrille-{mark}}}:");
                let redis = VolatileRedis::with_prefix(connection, env.clone(), &prefix);
                let may_evict = settings.let_the_cache_evict_what_is_under_way;
                if !may_evict && redis.evicts().await.map_err(failure)? {
                    return Err(DataError::CacheEvicts { place: shown });
                }
                Place::Redis(redis)
            }
            CachePlace::Memcached(address) => {
                let prefix = format!("quadrille-{mark}-");
                Place::Memcached(Arc::new(VolatileMemcached::new(address, &prefix, env.clone())))
            }
        };
        let cache = Cache { place, keys: keys.clone(), env };
        cache.check().await.map_err(failure)?;
        Ok(Some(cache))
    }

    /// Warns if the last process that started had another cache, and records this one. The marks of used
    /// assertions and signed requests are in that cache, so those from before this moment are refused, as
    /// after a restore.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn record_cache(&self, settings: &Settings) -> Result<(), DataError> {
        let here = settings.cache.to_string();
        let before = self.sealed(Sealed::Cache).await?;
        if before.as_deref() == Some(here.as_bytes()) {
            return Ok(());
        }
        let none = CachePlace::None.to_string();
        let known = before.as_deref().map_or(Ok(&*none), std::str::from_utf8);
        if let Some(known) = known.ok().filter(|known| *known != here) {
            tracing::warn!(
                before = known,
                now = here,
                "the process that started before had another cache: all processes of a database \
                 need the same one, or logins fail by chance; assertions and signed requests from before \
                 this moment are refused"
            );
        }
        if known != Ok(&*none) {
            self.lose_marks().await?;
        }
        let recorded = self.backend().replace_sealed(Sealed::Cache, before, here.into()).await;
        recorded.map(drop).map_err(|error| self.failure(error))
    }

    /// Records that the marks of what was used until now may be lost.
    async fn lose_marks(&self) -> Result<(), DataError> {
        let since = self.backend().raise_known_since(KnownSince::moment(self.env.now())).await;
        since.map_err(|error| self.failure(error))
    }

    /// Whether the marks of what was used are in a cache, and not in the database.
    pub(super) async fn marks_are_in_a_cache(&self) -> Result<bool, DataError> {
        let none = CachePlace::None.to_string();
        Ok(self.sealed(Sealed::Cache).await?.is_some_and(|cache| cache != none.as_bytes()))
    }
}

/// Connects, and connects again whenever the connection breaks.
async fn connect(url: &str) -> Result<ConnectionManager, StoreError> {
    let client = redis::Client::open(url).map_err(StoreError::cache_unavailable)?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE))
        .set_max_delay(PAUSE)
        .set_number_of_retries(1);
    let connecting = client.get_connection_manager_with_config(config);
    connecting.await.map_err(StoreError::cache_unavailable)
}

/// The authorization server over a store, with a cache if there is one.
pub(super) fn server(
    issuer: &str,
    store: impl Store,
    cache: Option<Cache>,
) -> Result<AuthorizationServer, IssuerError> {
    match cache {
        None => AuthorizationServer::new(issuer, store),
        Some(cache) => {
            let (keys, env) = (cache.keys.clone(), cache.env.clone());
            AuthorizationServer::new(issuer, VolatileStore::new(store, cache, keys, env))
        }
    }
}

/// Calls the verb of whichever cache it is.
macro_rules! verb {
    ($self:ident.$verb:ident($($argument:expr),*)) => {
        match &$self.place {
            Place::Memory(cache) => cache.$verb($($argument),*).await,
            Place::Files(cache) => cache.$verb($($argument),*).await,
            Place::Redis(cache) => cache.$verb($($argument),*).await,
            Place::Memcached(cache) => cache.$verb($($argument),*).await,
        }
    };
}

/// Counts a verb: whether it found, added or replaced something; `None` if the cache failed.
fn measured(verb: &'static str, did: Option<bool>) {
    let result = match did {
        Some(true) => "yes",
        Some(false) => "no",
        None => "failed",
    };
    meter::cache_verb(verb, result);
}

impl VolatileCache for Cache {
    async fn add(
        &self,
        key: &VolatileKey,
        entry: VolatileEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let added = verb!(self.add(key, entry, now));
        measured("add", added.as_ref().ok().copied());
        added
    }

    async fn find(
        &self,
        key: &VolatileKey,
        now: Timestamp,
    ) -> Result<Option<VolatileFound>, StoreError> {
        let found = verb!(self.find(key, now));
        measured("find", found.as_ref().ok().map(Option::is_some));
        found
    }

    async fn replace(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let replaced = verb!(self.replace(key, found, value, now));
        measured("replace", replaced.as_ref().ok().copied());
        replaced
    }

    async fn remove(&self, key: &VolatileKey) -> Result<(), StoreError> {
        let removed = verb!(self.remove(key));
        measured("remove", removed.as_ref().ok().map(|()| true));
        removed
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        let newest = verb!(self.newest());
        measured("newest", newest.as_ref().ok().map(|_| true));
        newest
    }

    fn keeps_marks(&self) -> bool {
        matches!(self.place, Place::Redis(_))
    }

    async fn server_time(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        verb!(self.server_time(now))
    }

    async fn lost_nothing_since(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let since = verb!(self.lost_nothing_since(now));
        measured("lost_nothing_since", since.as_ref().ok().map(|_| true));
        since
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        verb!(self.sweep(now))
    }

    async fn check(&self) -> Result<(), StoreError> {
        verb!(self.check())
    }
}
