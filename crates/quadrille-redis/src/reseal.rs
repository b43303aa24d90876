//! Sealing stored tokens again under the newest key.

use std::fmt;

use quadrille::consumer::{Account, Context, StorageError};
use redis::{Script, aio::ConnectionLike};
use tracing::error;

use crate::{
    fault::logged,
    keys::{account, pack, unpack},
    storage::{RESEAL, RedisStorage},
};

/// The number of accounts read at once.
const PAGE: usize = 100;

/// The work of [`RedisStorage::reseal`], page by page.
///
/// ```
/// use quadrille::Login;
/// use quadrille_redis::RedisStorage;
/// use redis::aio::ConnectionManager;
///
/// async fn rotated(
///     login: &Login,
///     storage: &RedisStorage<ConnectionManager>,
/// ) -> quadrille::Result<()> {
///     let cx = login.storage_context()?;
///     let mut reseal = storage.reseal(&cx, "github").await?;
///     while let Some(progress) = reseal.next().await? {
///         println!("{} of {}", progress.seen, progress.total);
///     }
///     Ok(())
/// }
/// ```
pub struct Reseal<'a, C> {
    storage: &'a RedisStorage<C>,
    cx: &'a Context<'a>,
    service: Box<str>,
    script: Script,
    progress: Progress,
    done: bool,
}

/// How far [`Reseal`] is.
///
/// ```
/// use quadrille_redis::Progress;
///
/// /// Whether the older keys may be removed from the ring.
/// fn is_complete(progress: &Progress) -> bool {
///     progress.unreadable == 0
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The accounts looked at.
    pub seen: u64,
    /// All accounts of the service, as counted at the beginning; others may come and go meanwhile.
    pub total: u64,
    /// The accounts whose token was under an older key and is under the newest now.
    pub resealed: u64,
    /// The accounts whose token does not open: its key is not in the ring, or the value was changed
    /// by others. They are left as they are, and logged.
    pub unreadable: u64,
    /// The account looked at last: the point to [resume](Reseal::after) after.
    pub last: Option<Account>,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStorage<C> {
    /// Seals the tokens of all accounts of a service under the newest key of the ring, so that the
    /// older keys can be removed. Run it after every process has the ring with the new key in
    /// front; requests go on meanwhile, and no refresh is undone. It may be stopped and begun
    /// again: tokens that are under the newest key already are only read.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn reseal<'a>(
        &'a self,
        cx: &'a Context<'a>,
        service: &str,
    ) -> Result<Reseal<'a, C>, StorageError> {
        let mut count = redis::cmd("ZCARD");
        count.arg(self.keys(service).index());
        let total = count.query_async(&mut self.connection.clone()).await;
        let total = total.map_err(|error| logged("reseal", &error))?;
        Ok(Reseal {
            storage: self,
            cx,
            service: service.into(),
            script: Script::new(RESEAL),
            progress: Progress { total, ..Progress::default() },
            done: false,
        })
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Reseal<'_, C> {
    /// Begins after this account ([`Progress::last`]), in another process, for example.
    #[must_use]
    pub fn after(mut self, account: Account) -> Self {
        self.progress.last = Some(account);
        self
    }

    /// Looks at the next hundred accounts; `None` after the last.
    ///
    /// # Errors
    /// [`StorageError`]; the next call tries the same accounts again.
    pub async fn next(&mut self) -> Result<Option<Progress>, StorageError> {
        if self.done {
            return Ok(None);
        }
        let last = self.progress.last.as_ref();
        let members = self.storage.members("reseal", &self.service, last, PAGE).await?;
        for member in &members {
            let account = account(&self.service, member)?;
            self.one(&account).await?;
            self.progress.seen += 1;
            self.progress.last = Some(account);
        }
        self.done = members.is_empty();
        Ok((!self.done).then(|| self.progress.clone()))
    }

    /// Looks at all accounts that are left.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn finish(mut self) -> Result<Progress, StorageError> {
        while self.next().await?.is_some() {}
        Ok(self.progress)
    }

    async fn one(&mut self, account: &Account) -> Result<(), StorageError> {
        let Account { owner, subject, .. } = account;
        let accounts = self.storage.keys(&self.service).accounts(owner.as_str());
        loop {
            let found =
                self.storage.values("reseal", &self.service, std::slice::from_ref(account)).await?;
            let Some(value) = found.into_iter().next().flatten() else { return Ok(()) };
            let (version, needs_linking_again, sealed) = unpack(&value)?;
            if self.cx.is_under_newest_key(sealed) {
                return Ok(());
            }
            let plain = match self.cx.open(account, sealed) {
                Ok(plain) => plain,
                Err(reason) => {
                    let (owner, service) = (owner.as_str(), &*self.service);
                    error!(owner, service, %reason, "a stored token cannot be sealed again");
                    self.progress.unreadable += 1;
                    return Ok(());
                }
            };
            // The token is the same, and so is its version: a refresh under way finds what it has
            // seen.
            let sealed = self.cx.seal(account, &plain);
            let mut script = self.script.key(&accounts);
            script.arg(subject.as_bytes()).arg(&value);
            script.arg(pack(version, needs_linking_again, &sealed));
            let done = script.invoke_async(&mut self.storage.connection.clone()).await;
            if done.map_err(|error| logged("reseal", &error))? {
                self.progress.resealed += 1;
                return Ok(());
            }
            // Another process has refreshed it. That takes a request to the service, so it cannot
            // go on for long.
        }
    }
}

impl<C> fmt::Debug for Reseal<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reseal").field("progress", &self.progress).finish_non_exhaustive()
    }
}
