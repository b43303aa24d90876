//! A storage whose verbs a test watches, delays and fails.

use std::{sync::Arc, time::Duration};

use crate::{
    Owner, Result,
    consumer::{Account, Change, Context, Replaced, Stored, Token, TokenStorage},
};

/// A verb of a [`TokenStorage`], with the account that it is about.
///
/// ```
/// use quadrille::testing::storage::Verb;
///
/// const fn changes_a_token(verb: &Verb<'_>) -> bool {
///     matches!(verb, Verb::Link(_) | Verb::Replace(_) | Verb::Unlink(_))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Verb<'a> {
    /// [`TokenStorage::link`].
    Link(&'a Account),
    /// [`TokenStorage::load`].
    Load,
    /// [`TokenStorage::replace`], with the account that was seen.
    Replace(&'a Stored),
    /// [`TokenStorage::unlink`].
    Unlink(&'a Account),
    /// [`TokenStorage::accounts`].
    Accounts,
    /// [`TokenStorage::lease`].
    Lease(&'a Account),
    /// [`TokenStorage::release`].
    Release(&'a Account),
}

/// Code of a test that is called around the verbs of a [`WatchedStorage`].
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use quadrille::testing::storage::{Verb, Watch};
///
/// /// Counts the verbs that were done.
/// #[derive(Default)]
/// struct Count(AtomicUsize);
///
/// impl Watch for Count {
///     async fn after(&self, _: Verb<'_>) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Watch: Send + Sync + 'static {
    /// Called before the storage does anything. If it fails, the storage does nothing, and the verb
    /// fails with this error.
    fn before(&self, cx: &Context<'_>, verb: Verb<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (cx, verb);
        async { Ok(()) }
    }

    /// Called after the storage has done its work, and before the caller learns of it.
    fn after(&self, verb: Verb<'_>) -> impl Future<Output = ()> + Send {
        let _ = verb;
        async {}
    }
}

/// A watch that a storage shares with its test.
impl<W: Watch> Watch for Arc<W> {
    async fn before(&self, cx: &Context<'_>, verb: Verb<'_>) -> Result<()> {
        (**self).before(cx, verb).await
    }

    async fn after(&self, verb: Verb<'_>) {
        (**self).after(verb).await;
    }
}

/// A storage for tests that must meet it at a certain moment, or when it fails.
///
/// ```
/// use quadrille::{
///     Result,
///     consumer::{Context, MemoryStorage, StorageError},
///     testing::storage::{Verb, Watch, WatchedStorage},
/// };
///
/// /// A disk that is full.
/// struct Full;
///
/// impl Watch for Full {
///     async fn before(&self, _: &Context<'_>, verb: Verb<'_>) -> Result<()> {
///         match verb {
///             Verb::Link(_) | Verb::Replace(_) => Err(StorageError::Unwritable.into()),
///             _ => Ok(()),
///         }
///     }
/// }
///
/// let storage = WatchedStorage::new(MemoryStorage::new(), Full);
/// ```
#[derive(Clone, Debug)]
pub struct WatchedStorage<S, W> {
    storage: S,
    watch: W,
}

impl<S: TokenStorage, W: Watch> WatchedStorage<S, W> {
    /// Calls `watch` around the verbs of `storage`.
    pub const fn new(storage: S, watch: W) -> Self {
        Self { storage, watch }
    }

    async fn watched<T>(
        &self,
        cx: &Context<'_>,
        verb: Verb<'_>,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        self.watch.before(cx, verb).await?;
        let result = work.await;
        self.watch.after(verb).await;
        result
    }
}

impl<S: TokenStorage, W: Watch> TokenStorage for WatchedStorage<S, W> {
    fn is_durable(&self) -> bool {
        self.storage.is_durable()
    }

    fn is_in_browser(&self) -> bool {
        self.storage.is_in_browser()
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        self.watched(cx, Verb::Link(account), self.storage.link(cx, account, token)).await
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        self.watched(cx, Verb::Load, self.storage.load(cx, owner, service, subject)).await
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        self.watched(cx, Verb::Replace(seen), self.storage.replace(cx, seen, change)).await
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        self.watched(cx, Verb::Unlink(account), self.storage.unlink(cx, account)).await
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let page = self.storage.accounts(cx, service, after, limit);
        self.watched(cx, Verb::Accounts, page).await
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        let leased = self.storage.lease(cx, account, holder, lease);
        self.watched(cx, Verb::Lease(account), leased).await
    }

    async fn release(&self, cx: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        let released = self.storage.release(cx, account, holder);
        self.watched(cx, Verb::Release(account), released).await
    }
}
