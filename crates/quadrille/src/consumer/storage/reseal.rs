//! Sealing stored tokens again under the newest key.

use std::fmt;

use tracing::error;

use crate::consumer::{account::Account, error::StorageError};

use super::Context;

/// The number of rows read at once.
const PAGE: usize = 100;

/// The sealed tokens of a storage, which [`Reseal`] walks.
///
/// ```
/// use quadrille::consumer::{Context, Reseal, SealedRows, StorageError};
///
/// /// The method that a storage offers.
/// async fn reseal<'a, R: SealedRows>(
///     rows: R,
///     cx: &'a Context<'a>,
/// ) -> Result<Reseal<'a, R>, StorageError> {
///     Reseal::new(rows, cx).await
/// }
/// ```
pub trait SealedRows: Send + Sync {
    /// The number of all rows.
    fn total(&self) -> impl Future<Output = Result<u64, StorageError>> + Send;

    /// The next rows in an order that does not change, at most `limit`; none after the last.
    fn page(
        &self,
        after: Option<&Account>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<SealedRow>, StorageError>> + Send;

    /// The row of an account.
    fn find(
        &self,
        account: &Account,
    ) -> impl Future<Output = Result<Option<SealedRow>, StorageError>> + Send;

    /// Replaces the sealed token of the row that was seen, and nothing else; `false` if the row has
    /// another version now, or is gone.
    fn swap(
        &self,
        seen: &SealedRow,
        sealed: &[u8],
    ) -> impl Future<Output = Result<bool, StorageError>> + Send;
}

/// A row of [`SealedRows`].
///
/// ```
/// use quadrille::consumer::{Account, Context, SealedRow, Token};
///
/// fn token(cx: &Context<'_>, row: &SealedRow) -> quadrille::Result<Token> {
///     cx.open_token(&row.account, &row.sealed)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// The account.
    pub account: Account,
    /// The version of the token: [`Stored::version`](crate::consumer::Stored::version).
    pub version: u64,
    /// The output of [`Context::seal_token`].
    pub sealed: Vec<u8>,
}

/// The work of sealing all tokens of a storage under the newest key of the ring, page by page, so
/// that the older keys can be removed. Storages offer it as a method `reseal`.
///
/// Run it after every process has the ring with the new key in front; requests go on meanwhile, and
/// no refresh is undone. It may be stopped and begun again: tokens that are under the newest key
/// already are only read.
///
/// ```
/// use quadrille::consumer::{Reseal, SealedRows, StorageError};
///
/// async fn report<R: SealedRows>(mut reseal: Reseal<'_, R>) -> Result<(), StorageError> {
///     while let Some(progress) = reseal.next().await? {
///         println!("{} of {}", progress.seen, progress.total);
///     }
///     Ok(())
/// }
/// ```
pub struct Reseal<'a, R> {
    rows: R,
    cx: &'a Context<'a>,
    progress: Progress,
    done: bool,
}

/// How far [`Reseal`] is.
///
/// ```
/// use quadrille::consumer::Progress;
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

enum Outcome {
    Resealed,
    /// It is under the newest key, or gone.
    Nothing,
    Unreadable,
}

impl<'a, R: SealedRows> Reseal<'a, R> {
    /// Counts the rows.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn new(rows: R, cx: &'a Context<'a>) -> Result<Self, StorageError> {
        let progress = Progress { total: rows.total().await?, ..Progress::default() };
        Ok(Self { rows, cx, progress, done: false })
    }

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
        let page = self.rows.page(self.progress.last.as_ref(), PAGE).await?;
        self.done = page.is_empty();
        for row in page {
            let account = row.account.clone();
            match self.one(row).await? {
                Outcome::Resealed => self.progress.resealed += 1,
                Outcome::Unreadable => self.progress.unreadable += 1,
                Outcome::Nothing => {}
            }
            self.progress.seen += 1;
            self.progress.last = Some(account);
        }
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

    async fn one(&self, mut row: SealedRow) -> Result<Outcome, StorageError> {
        loop {
            if self.cx.is_under_newest_key(&row.sealed) {
                return Ok(Outcome::Nothing);
            }
            let plain = match self.cx.open(&row.account, &row.sealed) {
                Ok(plain) => plain,
                Err(reason) => {
                    let (owner, service) = (row.account.owner.as_str(), &*row.account.service);
                    error!(owner, service, %reason, "a stored token cannot be sealed again");
                    return Ok(Outcome::Unreadable);
                }
            };
            // The token is the same, and so is its version: a refresh under way finds what it has
            // seen.
            let sealed = self.cx.seal(&row.account, &plain);
            if self.rows.swap(&row, &sealed).await? {
                return Ok(Outcome::Resealed);
            }
            // Another process has refreshed it, perhaps one that has no new ring yet. That takes a
            // request to the service, so it cannot go on for long.
            row = match self.rows.find(&row.account).await? {
                Some(row) => row,
                None => return Ok(Outcome::Nothing),
            };
        }
    }
}

impl<R> fmt::Debug for Reseal<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reseal").field("progress", &self.progress).finish_non_exhaustive()
    }
}
