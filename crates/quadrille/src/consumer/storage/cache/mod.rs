//! A cache in front of a storage.

mod entry;
#[cfg(feature = "memory-cache")]
mod memory;

use std::{
    array, fmt,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use tracing::warn;

use crate::{
    Env,
    consumer::{
        account::{Account, Owner, Stored, Token},
        error::{Result, StorageError},
        wire::lengths_first,
    },
    digest::sha256,
};

use super::{Change, Context, Replaced, TokenStorage};

#[cfg(feature = "memory-cache")]
pub use memory::MemoryCache;

/// The age after which an account is loaded anew, unless the application sets another.
const MAX_AGE: Duration = Duration::from_secs(10);
/// The time for which a cache that failed is not asked, since that may take its time-out.
const PAUSE: Duration = Duration::from_secs(1);
/// The number of parts of the cache that are distrusted one by one.
const PARTS: usize = 64;

/// A cache of sealed entries, for [`CachedStorage`]: `MemoryCache` (feature `memory-cache`), or one
/// that processes share.
///
/// Each key has a mark, zero at first. An entry that was loaded before a write must not be kept
/// after it, so [`keep`](Self::keep) compares the mark. The cache may drop entries at any time, and
/// marks after twice `max_age`.
///
/// ```
/// use std::{collections::HashMap, sync::{Mutex, PoisonError}, time::Duration};
/// use quadrille::consumer::{CacheKey, StorageError, TokenCache};
///
/// /// It forgets nothing by itself.
/// #[derive(Default)]
/// struct Map(Mutex<HashMap<CacheKey, (u64, Option<Vec<u8>>)>>);
///
/// impl TokenCache for Map {
///     async fn find(&self, key: &CacheKey) -> Result<(u64, Option<Vec<u8>>), StorageError> {
///         let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         Ok(map.get(key).cloned().unwrap_or_default())
///     }
///
///     async fn keep(
///         &self,
///         key: &CacheKey,
///         mark: u64,
///         entry: Vec<u8>,
///         _: Duration,
///     ) -> Result<(), StorageError> {
///         let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         let now = map.entry(*key).or_default();
///         if now.0 == mark {
///             now.1 = Some(entry);
///         }
///         Ok(())
///     }
///
///     async fn forget(&self, key: &CacheKey, mark: u64, _: Duration) -> Result<(), StorageError> {
///         let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         map.insert(*key, (mark, None));
///         Ok(())
///     }
/// }
/// ```
pub trait TokenCache: Send + Sync + 'static {
    /// The mark of the key, and its entry.
    fn find(
        &self,
        key: &CacheKey,
    ) -> impl Future<Output = Result<(u64, Option<Vec<u8>>), StorageError>> + Send;

    /// Keeps an entry, at most for `max_age`, if the key still has the mark of
    /// [`find`](Self::find): both at once.
    fn keep(
        &self,
        key: &CacheKey,
        mark: u64,
        entry: Vec<u8>,
        max_age: Duration,
    ) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Forgets the entry, and gives the key this mark, a random number.
    fn forget(
        &self,
        key: &CacheKey,
        mark: u64,
        max_age: Duration,
    ) -> impl Future<Output = Result<(), StorageError>> + Send;
}

/// The key of an entry: a digest of the site, the owner, the service, and the subject, if one was
/// asked for.
///
/// ```
/// use quadrille::consumer::CacheKey;
///
/// fn key_in_redis(key: &CacheKey) -> Vec<u8> {
///     [b"cache:", &key.as_bytes()[..]].concat()
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    fn new(cx: &Context<'_>, owner: &Owner, service: &str, subject: Option<&str>) -> Self {
        let mut key = lengths_first([&cx.site.name, owner.as_str(), service]);
        match subject {
            Some(subject) => key += &lengths_first([subject]),
            None => key += "current",
        }
        Self(sha256(key.as_bytes()))
    }

    /// The keys whose entries a change of the account affects: its own, and that of the owner's
    /// current account.
    fn both(cx: &Context<'_>, account: &Account) -> [Self; 2] {
        let Account { owner, service, subject } = account;
        [Some(&**subject), None].map(|subject| Self::new(cx, owner, service, subject))
    }

    /// The bytes of the key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The number of the part of the cache that has it.
    fn part(&self) -> usize {
        let [first, ..] = self.0;
        usize::from(first) % PARTS
    }
}

/// For tests of a cache.
impl From<[u8; 32]> for CacheKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// A cache in front of another storage: accounts that were loaded within the last ten seconds are
/// not loaded again.
///
/// A change through this storage is seen at once. A change by another process that has a cache of
/// its own is seen after ten seconds at most ([`max_age`](Self::max_age)): until then, this process
/// may use a token that was removed there. No refresh is lost: changes, leases and lists always go
/// to the storage behind, and before a token is refreshed it is loaded from there. Nothing is
/// remembered about accounts that are not linked.
///
/// Entries are sealed. A cache that fails is not used: accounts are then loaded as without it. In
/// front of a storage in the user's browser there is nothing to cache, and it passes everything on.
///
/// ```
/// # #[cfg(feature = "memory-cache")] {
/// use quadrille::{GitHub, KeyRing, Login};
/// use quadrille::consumer::{CachedStorage, FileStorage, MemoryCache};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("tokens");
/// let storage = CachedStorage::new(MemoryCache::new(10_000), FileStorage::open(path)?);
/// let login = Login::new(KeyRing::new([&[7; 32]])?, "https://app.example")
///     .with(GitHub::new("our-id", "our-secret"))
///     .storage(storage);
/// login.check()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CachedStorage<C, S> {
    cache: C,
    storage: S,
    max_age: Duration,
    /// By part, the time in milliseconds until which the cache is not used: a write whose end is
    /// not known, or which the cache did not learn of.
    distrusted: [AtomicI64; PARTS],
    /// The time in milliseconds until which the cache is not asked.
    down: AtomicI64,
}

impl<C: TokenCache, S: TokenStorage> CachedStorage<C, S> {
    /// Puts a cache in front of a storage.
    pub fn new(cache: C, storage: S) -> Self {
        let distrusted = array::from_fn(|_| AtomicI64::new(i64::MIN));
        Self { cache, storage, max_age: MAX_AGE, distrusted, down: AtomicI64::new(i64::MIN) }
    }

    /// Sets the age after which an account is loaded anew: the time within which changes by other
    /// processes are seen.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// The mark of the key and its entry; `None` if the cache is not to be used now.
    async fn recall(&self, cx: &Context<'_>, key: &CacheKey) -> Option<(u64, Option<Vec<u8>>)> {
        let distrusted = self.distrusted.get(key.part())?.load(Ordering::SeqCst);
        if cx.env().now().millis() < distrusted {
            return None;
        }
        self.ask(cx, async || self.cache.find(key).await).await
    }

    /// Calls a verb of the cache, unless it failed just now; `None` if it fails.
    async fn ask<T>(
        &self,
        cx: &Context<'_>,
        verb: impl AsyncFnOnce() -> Result<T, StorageError>,
    ) -> Option<T> {
        let now = cx.env().now();
        if now.millis() < self.down.load(Ordering::SeqCst) {
            return None;
        }
        verb()
            .await
            .inspect_err(|reason| {
                warn!(%reason, "the cache of tokens failed, and is not used for a second");
                self.down.store((cx.env().now() + PAUSE).millis(), Ordering::SeqCst);
            })
            .ok()
    }

    /// Runs what may change the account, and forgets it then, whatever the outcome.
    async fn changing<T>(
        &self,
        cx: &Context<'_>,
        account: &Account,
        change: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if self.storage.is_in_browser() {
            return change.await;
        }
        let keys = CacheKey::both(cx, account);
        let mut unknown = UnknownEnd { cached: self, env: cx.env(), keys, is_known: false };
        let result = change.await;
        let mark = u64::from_be_bytes(cx.env().random());
        let [one, other] = &keys;
        let forgotten = self.ask(cx, async || {
            self.cache.forget(one, mark, self.max_age).await?;
            self.cache.forget(other, mark, self.max_age).await
        });
        unknown.is_known = forgotten.await.is_some();
        result
    }
}

/// A change that may have happened without the cache having learned of it: its caller is gone, or
/// the cache failed.
struct UnknownEnd<'a, C, S> {
    cached: &'a CachedStorage<C, S>,
    env: &'a Env,
    keys: [CacheKey; 2],
    is_known: bool,
}

impl<C, S> Drop for UnknownEnd<'_, C, S> {
    fn drop(&mut self) {
        if self.is_known {
            return;
        }
        // What was kept before is too old by then.
        let until = (self.env.now() + self.cached.max_age).millis();
        for key in &self.keys {
            if let Some(at) = self.cached.distrusted.get(key.part()) {
                at.fetch_max(until, Ordering::SeqCst);
            }
        }
    }
}

impl<C: TokenCache, S: TokenStorage> TokenStorage for CachedStorage<C, S> {
    fn is_durable(&self) -> bool {
        self.storage.is_durable()
    }

    fn is_in_browser(&self) -> bool {
        self.storage.is_in_browser()
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        self.changing(cx, account, self.storage.link(cx, account, token)).await
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        if self.storage.is_in_browser() {
            return self.storage.load(cx, owner, service, subject).await;
        }
        let key = CacheKey::new(cx, owner, service, subject);
        let Some((mark, entry)) = self.recall(cx, &key).await else {
            return self.storage.load(cx, owner, service, subject).await;
        };
        let opened = entry.and_then(|entry| entry::open(cx, owner, service, &entry, self.max_age));
        let is_wanted =
            |found: &Stored| subject.is_none_or(|subject| *subject == *found.account.subject);
        if let Some(found) = opened.filter(is_wanted) {
            return Ok(Some(found));
        }
        let since = cx.env().now();
        let stored = self.storage.load(cx, owner, service, subject).await?;
        if let Some(stored) = &stored
            && let Some(entry) = entry::seal(cx, stored, since)
        {
            self.ask(cx, async || self.cache.keep(&key, mark, entry, self.max_age).await).await;
        }
        Ok(stored)
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        self.changing(cx, &seen.account, self.storage.replace(cx, seen, change)).await
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        self.changing(cx, account, self.storage.unlink(cx, account)).await
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        self.storage.accounts(cx, service, after, limit).await
    }

    /// Forgets the account, too: a process that holds the lease must see what the one before it has
    /// stored.
    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        self.changing(cx, account, self.storage.lease(cx, account, holder, lease)).await
    }

    async fn release(&self, cx: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        self.storage.release(cx, account, holder).await
    }
}

impl<C, S: fmt::Debug> fmt::Debug for CachedStorage<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedStorage")
            .field("storage", &self.storage)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}
