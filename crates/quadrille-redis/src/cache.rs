//! A cache that processes share, in front of a storage elsewhere.

use std::{fmt, sync::Arc, time::Duration};

use quadrille::consumer::{CacheKey, StorageError, TokenCache};
use redis::{Script, aio::ConnectionLike};

use crate::fault::logged;

/// The bytes of a mark, before the entry.
const MARK: usize = 8;
/// Key; mark, entry, lifetime in milliseconds. A key that is not there has the mark zero.
const KEEP: &str = "
    local now = redis.call('GET', KEYS[1]) or string.rep('\\0', 8)
    if string.sub(now, 1, 8) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
    return 1";

/// A cache in Redis or Valkey, for a [`CachedStorage`](quadrille::consumer::CachedStorage) whose
/// storage is a database: processes that share it see each other's changes at once. Cheap to clone,
/// as its connection is.
///
/// Entries expire by themselves, so the server may evict what it likes (`maxmemory-policy
/// allkeys-lru`), and need not keep anything over a restart.
///
/// ```
/// use quadrille::{Login, consumer::{CachedStorage, FileStorage}};
/// use quadrille_redis::RedisCache;
///
/// # async fn open(login: Login, database: FileStorage) -> Result<(), redis::RedisError> {
/// let client = redis::Client::open("redis://cache.internal/")?;
/// let cache = RedisCache::new(client.get_connection_manager().await?);
/// let login = login.storage(CachedStorage::new(cache, database));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisCache<C> {
    connection: C,
    prefix: Arc<str>,
    keep: Arc<Script>,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisCache<C> {
    /// A cache in keys that begin with `quadrille-cache:`, on a connection that clones share. Its
    /// time-outs decide how long a request waits for a server that is slow.
    pub fn new(connection: C) -> Self {
        Self::with_prefix(connection, "quadrille-cache:")
    }

    /// A cache in keys with another prefix.
    pub fn with_prefix(connection: C, prefix: &str) -> Self {
        Self { connection, prefix: prefix.into(), keep: Arc::new(Script::new(KEEP)) }
    }

    fn key(&self, key: &CacheKey) -> Vec<u8> {
        [self.prefix.as_bytes(), key.as_bytes()].concat()
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> TokenCache for RedisCache<C> {
    async fn find(&self, key: &CacheKey) -> Result<(u64, Option<Vec<u8>>), StorageError> {
        let mut get = redis::cmd("GET");
        get.arg(self.key(key));
        let found: Option<Vec<u8>> = get
            .query_async(&mut self.connection.clone())
            .await
            .map_err(|error| logged("find", &error))?;
        let Some(found) = found else { return Ok((0, None)) };
        let (mark, entry) = found.split_first_chunk::<MARK>().ok_or(StorageError::Unreadable)?;
        Ok((u64::from_be_bytes(*mark), (!entry.is_empty()).then(|| entry.to_vec())))
    }

    async fn keep(
        &self,
        key: &CacheKey,
        mark: u64,
        entry: Vec<u8>,
        max_age: Duration,
    ) -> Result<(), StorageError> {
        let mut script = self.keep.key(self.key(key));
        script.arg(&mark.to_be_bytes()[..]).arg(entry).arg(millis(max_age));
        let kept: Result<i64, _> = script.invoke_async(&mut self.connection.clone()).await;
        kept.map(drop).map_err(|error| logged("keep", &error))
    }

    async fn forget(
        &self,
        key: &CacheKey,
        mark: u64,
        max_age: Duration,
    ) -> Result<(), StorageError> {
        // What was loaded before is too old when the mark expires.
        let mut set = redis::cmd("SET");
        set.arg(self.key(key)).arg(&mark.to_be_bytes()[..]).arg("PX").arg(millis(max_age * 2));
        let set: Result<(), _> = set.query_async(&mut self.connection.clone()).await;
        set.map_err(|error| logged("forget", &error))
    }
}

/// At least one, which Redis requires.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

impl<C> fmt::Debug for RedisCache<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
