//! Storages of linked accounts.

mod cache;
mod cookie;
mod encoding;
mod erased;
mod file;
mod memory;
pub(super) mod records;
mod reseal;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use tracing::error;

use crate::{
    Env,
    consumer::error::{OperatorError, Result, StorageError},
    seal::OpenError,
};

use super::{
    account::{Account, Owner, Stored, Token},
    cookies::Jar,
    site::Site,
    wire::{Reader, Writer, bound_to_all},
};
use encoding::{read_stored, write_stored};

#[cfg(feature = "memory-cache")]
pub use cache::MemoryCache;
pub use cache::{CacheKey, CachedStorage, TokenCache};
pub use cookie::CookieStorage;
pub(crate) use encoding::{read_session, write_session};
pub(crate) use erased::ErasedStorage;
pub use file::FileStorage;
pub use memory::{MemoryStorage, NullStorage};
pub use reseal::{Progress, Reseal, SealedRow, SealedRows};

/// A storage of linked accounts. Each verb is atomic, and those that may lose to another request
/// report that.
///
/// Implement it with `async fn`. A storage that outlives the process should store the token sealed:
/// [`Context::seal`]. Keys are compared byte for byte: by default, many databases take `abc` and
/// `ABC ` for the same. Owners and subjects have up to 512 bytes. The site itself has some rows, too, whose owners begin with `s:` and whose
/// services are no name of one, such as `quadrille.ended`. With the feature `testing`, [`storage_contract!`](crate::storage_contract)
/// tests all of this.
///
/// ```
/// use quadrille::{GitHub, KeyRing, Login, consumer::{MemoryStorage, TokenStorage}};
///
/// fn with_storage(storage: impl TokenStorage) -> Login {
///     Login::new(KeyRing::ephemeral(), "http://localhost:3000")
///         .with(GitHub::new("our-id", "our-secret"))
///         .storage(storage)
/// }
/// with_storage(MemoryStorage::new()).check()?;
/// # Ok::<(), quadrille::Error>(())
/// ```
pub trait TokenStorage: Send + Sync + 'static {
    /// Whether the contents outlive the process, which refuses keys that do not.
    fn is_durable(&self) -> bool;

    /// Whether tokens are stored in the user's browser, so that they are available only during its
    /// requests.
    fn is_in_browser(&self) -> bool {
        false
    }

    /// Stores `token` for `account`, replacing any other, and makes it the owner's current account
    /// at this service.
    fn link(
        &self,
        cx: &Context<'_>,
        account: &Account,
        token: &Token,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The owner's account at `service` with this subject; without one, the one linked last.
    fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> impl Future<Output = Result<Option<Stored>>> + Send;

    /// Compare-and-swap: changes the token that was seen, and nothing if it has been replaced. No
    /// [`Stored::version`] is reused for another token: an account that was unlinked and linked
    /// again is not the one that was seen. Does not make the account the current one.
    fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> impl Future<Output = Result<Replaced>> + Send;

    /// Removes the account; `false` if there was none.
    fn unlink(
        &self,
        cx: &Context<'_>,
        account: &Account,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// The next accounts at `service`, of every owner, in the order of their keys (as [`Account`]s
    /// compare), at most `limit`.
    fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Stored>>> + Send;

    /// Tries to acquire the lease for refreshing or moving the account. `holder` is a random number,
    /// of the process that refreshes or of the request that moves
    /// ([`Login::adopt`](crate::Login::adopt)); others are refused until `lease` is over or
    /// released. The holder may renew its lease for the full time. A storage of one process whose
    /// accounts are not moved need not implement this.
    fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> impl Future<Output = Result<bool>> + Send {
        let _ = (cx, account, holder, lease);
        async { Ok(true) }
    }

    /// Releases a lease. No effect unless `holder` holds it.
    fn release(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (cx, account, holder);
        async { Ok(()) }
    }
}

/// A storage that a [`Login`](crate::Login) shares with the rest of the application.
impl<T: TokenStorage> TokenStorage for Arc<T> {
    fn is_durable(&self) -> bool {
        (**self).is_durable()
    }

    fn is_in_browser(&self) -> bool {
        (**self).is_in_browser()
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        (**self).link(cx, account, token).await
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        (**self).load(cx, owner, service, subject).await
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        (**self).replace(cx, seen, change).await
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        (**self).unlink(cx, account).await
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        (**self).accounts(cx, service, after, limit).await
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        (**self).lease(cx, account, holder, lease).await
    }

    async fn release(&self, cx: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        (**self).release(cx, account, holder).await
    }
}

/// The change of [`TokenStorage::replace`].
///
/// ```
/// use quadrille::consumer::{Change, Stored};
///
/// fn changed(seen: &Stored, change: Change<'_>) -> Stored {
///     let changed = change.applied_to(seen, seen.version + 1);
///     assert_eq!(changed.needs_linking_again, matches!(change, Change::NeedsLinkingAgain));
///     changed
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Replaces the token that was seen by a refreshed one.
    Token(&'a Token),
    /// Marks that the service revoked the token for good.
    NeedsLinkingAgain,
}

impl Change<'_> {
    /// The account after this change of `seen`, with the version that the storage gives it.
    pub fn applied_to(self, seen: &Stored, version: u64) -> Stored {
        let (token, needs_linking_again) = match self {
            Self::Token(token) => (token, false),
            Self::NeedsLinkingAgain => (&seen.token, true),
        };
        let (account, token) = (seen.account.clone(), token.clone());
        Stored { account, token, version, needs_linking_again }
    }
}

/// The outcome of [`TokenStorage::replace`].
///
/// ```
/// use quadrille::Result;
/// use quadrille::consumer::{Change, Context, MemoryStorage, Replaced, Stored, TokenStorage};
///
/// async fn mark(storage: &MemoryStorage, cx: &Context<'_>, seen: &Stored) -> Result<bool> {
///     let replaced = storage.replace(cx, seen, Change::NeedsLinkingAgain).await?;
///     Ok(matches!(replaced, Replaced::Done(_)))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The change is made; the account as stored now.
    Done(Stored),
    /// The token was replaced before: the account as stored now, or `None` if it was removed.
    Changed(Option<Stored>),
}

/// The environment of a storage.
///
/// ```
/// use quadrille::consumer::{Account, Context, Token};
///
/// fn row(cx: &Context<'_>, account: &Account, token: &Token) -> serde_json::Result<Vec<u8>> {
///     Ok(cx.seal(account, &serde_json::to_vec(token)?))
/// }
/// ```
pub struct Context<'a> {
    pub(crate) jar: Option<&'a Jar>,
    pub(crate) site: &'a Site,
}

impl Context<'_> {
    /// The source of time and randomness.
    pub fn env(&self) -> &Env {
        &self.site.env
    }

    /// An account of a row. It shares the name of the service with the login, which saves a copy
    /// of it for each request.
    ///
    /// ```
    /// use quadrille::{Owner, Result};
    /// use quadrille::consumer::{Account, Context, Token};
    ///
    /// fn token(cx: &Context<'_>, owner: &Owner, subject: &str, sealed: &[u8]) -> Result<Token> {
    ///     cx.open_token(&cx.account(owner, "github", subject), sealed)
    /// }
    /// ```
    pub fn account(&self, owner: &Owner, service: &str, subject: &str) -> Account {
        let known = self.site.in_use.services.iter().find(|known| ***known == *service);
        let service = known.map_or_else(|| service.into(), Arc::clone);
        Account { owner: owner.clone(), service, subject: subject.into() }
    }

    /// Seals a token for this account: it opens for no other owner, service or subject.
    pub fn seal(&self, account: &Account, token: &[u8]) -> Vec<u8> {
        let Site { env, keys, .. } = self.site;
        keys.seal_bytes_bound(env, &self.bound_to(account), token)
    }

    /// Opens the output of [`Context::seal`].
    ///
    /// # Errors
    /// Those of [`KeyRing::open_bytes`](crate::KeyRing::open_bytes), which distinguish an unknown
    /// key from a broken seal.
    pub fn open<'b>(
        &self,
        account: &Account,
        sealed: impl Into<Cow<'b, [u8]>>,
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, OpenError> {
        self.site.keys.open_bytes_bound(&self.bound_to(account), sealed.into().into_owned())
    }

    /// Seals a token in an encoding of its own: [`Context::seal`].
    pub fn seal_token(&self, account: &Account, token: &Token) -> Vec<u8> {
        let mut out = Writer::with_capacity(256);
        write_stored(&mut out, token);
        self.seal(account, &zeroize::Zeroizing::new(out.finish()))
    }

    /// Opens the output of [`Context::seal_token`]. Logs the account of one that does not open.
    ///
    /// ```
    /// use quadrille::Result;
    /// use quadrille::consumer::{Account, Context, Token};
    ///
    /// fn copied(cx: &Context<'_>, account: &Account, sealed: &[u8]) -> Result<Vec<u8>> {
    ///     let token: Token = cx.open_token(account, sealed)?;
    ///     Ok(cx.seal_token(account, &token))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`OperatorError::KeyUnknown`] and [`StorageError::Unreadable`].
    pub fn open_token<'b>(
        &self,
        account: &Account,
        sealed: impl Into<Cow<'b, [u8]>>,
    ) -> Result<Token> {
        let opened = self.open(account, sealed).map_err(|error| match error {
            OpenError::UnknownKey => OperatorError::KeyUnknown,
            OpenError::Malformed | OpenError::Broken => StorageError::Unreadable.into(),
        });
        let token = opened.and_then(|plain| {
            read_stored(&mut Reader(&plain)).ok_or_else(|| StorageError::Unreadable.into())
        });
        token.map_err(|reason| {
            let (owner, service) = (account.owner.as_str(), &*account.service);
            error!(owner, service, %reason, "a stored token cannot be read");
            reason.into()
        })
    }

    /// Whether the output of [`Context::seal`] is sealed under the newest key of the ring, so that
    /// it need not be sealed again before older keys are removed.
    ///
    /// ```
    /// use quadrille::consumer::{Account, Context};
    ///
    /// fn resealed(cx: &Context<'_>, account: &Account, sealed: &[u8]) -> Option<Vec<u8>> {
    ///     let is_old = !cx.is_under_newest_key(sealed);
    ///     is_old.then(|| cx.open(account, sealed).map(|plain| cx.seal(account, &plain)).ok())?
    /// }
    /// ```
    pub fn is_under_newest_key(&self, sealed: &[u8]) -> bool {
        self.site.keys.is_under_newest_key(sealed)
    }

    fn bound_to(&self, account: &Account) -> String {
        let Account { owner, service, subject } = account;
        bound_to_all("stored token", [&self.site.name, owner.as_str(), service, subject])
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("site", &self.site.name).finish_non_exhaustive()
    }
}
