//! Sealing stored tokens again under the newest key.

use std::fmt;

use quadrille::consumer::{Account, Context, StorageError};
use tracing::error;

use crate::{
    fault::run,
    pool::{Found, Pool, Value},
    storage::{SqlStorage, account, key},
};

/// The number of rows read at once.
const PAGE: i64 = 100;

/// The work of [`SqlStorage::reseal`], page by page.
///
/// ```
/// use quadrille::{KeyRing, Login};
/// use quadrille_sqlx::PgStorage;
///
/// async fn rotated(login: &Login, storage: &PgStorage) -> quadrille::Result<()> {
///     let cx = login.storage_context()?;
///     let mut reseal = storage.reseal(&cx).await?;
///     while let Some(progress) = reseal.next().await? {
///         println!("{} of {}", progress.seen, progress.total);
///     }
///     Ok(())
/// }
/// ```
pub struct Reseal<'a, P> {
    storage: &'a SqlStorage<P>,
    cx: &'a Context<'a>,
    progress: Progress,
    done: bool,
}

/// How far [`Reseal`] is.
///
/// ```
/// use quadrille_sqlx::Progress;
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
    /// All accounts, as counted at the beginning; others may come and go meanwhile.
    pub total: u64,
    /// The accounts whose token was under an older key and is under the newest now.
    pub resealed: u64,
    /// The accounts whose token does not open: its key is not in the ring, or the row was changed
    /// by others. They are left as they are, and logged.
    pub unreadable: u64,
    /// The account looked at last: the point to [resume](Reseal::after) after.
    pub last: Option<Account>,
}

impl<P: Pool> SqlStorage<P> {
    /// Seals the tokens of all accounts under the newest key of the ring, so that the older keys
    /// can be removed. Run it after every process has the ring with the new key in front; requests
    /// go on meanwhile, and no refresh is undone. It may be stopped and begun again: tokens that
    /// are under the newest key already are only read.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn reseal<'a>(&'a self, cx: &'a Context<'a>) -> Result<Reseal<'a, P>, StorageError> {
        let total = run("reseal", || self.pool.number(&self.sql.count, &[])).await?;
        let total = u64::try_from(total).unwrap_or(0);
        let progress = Progress { total, ..Progress::default() };
        Ok(Reseal { storage: self, cx, progress, done: false })
    }
}

impl<P: Pool> Reseal<'_, P> {
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
        let page = self.page().await?;
        for found in &page {
            self.one(found).await?;
        }
        self.done = page.is_empty();
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

    async fn page(&self) -> Result<Vec<Found>, StorageError> {
        let SqlStorage { pool, sql, .. } = self.storage;
        let limit = Value::Number(PAGE);
        let first = [limit];
        match &self.progress.last {
            None => run("reseal", || pool.accounts(&sql.first_of_all, &first)).await,
            Some(last) => {
                let [owner, service, subject] = key(last);
                let values = [owner, owner, service, service, subject, limit];
                run("reseal", || pool.accounts(&sql.next_of_all, &values)).await
            }
        }
    }

    async fn one(&mut self, found: &Found) -> Result<(), StorageError> {
        let account = account(found)?;
        let outcome = self.resealed(&account, found).await?;
        match outcome {
            Outcome::Resealed => self.progress.resealed += 1,
            Outcome::Unreadable => self.progress.unreadable += 1,
            Outcome::Nothing => {}
        }
        self.progress.seen += 1;
        self.progress.last = Some(account);
        Ok(())
    }

    async fn resealed(&self, account: &Account, found: &Found) -> Result<Outcome, StorageError> {
        let SqlStorage { pool, sql, .. } = self.storage;
        let [owner, service, subject] = key(account);
        let mut newer: Option<Found> = None;
        loop {
            let now = newer.as_ref().unwrap_or(found);
            if self.cx.is_under_newest_key(&now.token) {
                return Ok(Outcome::Nothing);
            }
            let plain = match self.cx.open(account, &now.token) {
                Ok(plain) => plain,
                Err(reason) => {
                    let (owner, service) = (account.owner.as_str(), &*account.service);
                    error!(owner, service, %reason, "a stored token cannot be sealed again");
                    return Ok(Outcome::Unreadable);
                }
            };
            let sealed = self.cx.seal(account, &plain);
            // The token is the same, and so is its version: a refresh under way finds what it has
            // seen.
            let version = Value::Number(now.version);
            let values = [Value::Bytes(&sealed), owner, service, subject, version];
            if self.storage.execute("reseal", &sql.reseal, &values).await? > 0 {
                return Ok(Outcome::Resealed);
            }
            // Another process has refreshed it, perhaps one that has no new ring yet. That takes a
            // request to the service, so it cannot go on for long.
            let key = key(account);
            let mut again = run("reseal", || pool.accounts(&sql.find, &key)).await?;
            match again.pop() {
                None => return Ok(Outcome::Nothing),
                again => newer = again,
            }
        }
    }
}

enum Outcome {
    Resealed,
    /// It is under the newest key, or gone.
    Nothing,
    Unreadable,
}

impl<P> fmt::Debug for Reseal<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reseal").field("progress", &self.progress).finish_non_exhaustive()
    }
}
