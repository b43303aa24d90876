//! The rows that are sealed again under the newest key.

use quadrille::consumer::{Account, Context, Reseal, SealedRow, SealedRows, StorageError};

use crate::{
    fault::run,
    pool::{Found, Pool, Value},
    storage::{SqlStorage, account, key},
};

const VERB: &str = "reseal";

impl<P: Pool> SqlStorage<P> {
    /// Seals the tokens of all accounts under the newest key of the ring: see [`Reseal`].
    ///
    /// ```
    /// use quadrille::Login;
    /// use quadrille_sqlx::PgStorage;
    ///
    /// async fn rotated(login: &Login, storage: &PgStorage) -> quadrille::Result<bool> {
    ///     let cx = login.storage_context()?;
    ///     let progress = storage.reseal(&cx).await?.finish().await?;
    ///     Ok(progress.unreadable == 0)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn reseal<'a>(
        &'a self,
        cx: &'a Context<'a>,
    ) -> Result<Reseal<'a, impl SealedRows + 'a>, StorageError> {
        Reseal::new(Rows(self), cx).await
    }
}

struct Rows<'a, P>(&'a SqlStorage<P>);

impl<P: Pool> SealedRows for Rows<'_, P> {
    async fn total(&self) -> Result<u64, StorageError> {
        let SqlStorage { pool, sql, .. } = self.0;
        let total = run(VERB, || pool.number(&sql.count, &[])).await?;
        Ok(u64::try_from(total).unwrap_or(0))
    }

    async fn page(
        &self,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<SealedRow>, StorageError> {
        let SqlStorage { pool, sql, .. } = self.0;
        let limit = Value::Number(i64::try_from(limit).unwrap_or(i64::MAX));
        let first = [limit];
        let found = match after {
            None => run(VERB, || pool.accounts(&sql.first_of_all, &first)).await,
            Some(after) => {
                let [owner, service, subject] = key(after);
                let values = [owner, owner, service, service, subject, limit];
                run(VERB, || pool.accounts(&sql.next_of_all, &values)).await
            }
        }?;
        found.into_iter().map(|listed| row(account(&listed)?, listed.found)).collect()
    }

    async fn find(&self, account: &Account) -> Result<Option<SealedRow>, StorageError> {
        let SqlStorage { pool, sql, .. } = self.0;
        let key = key(account);
        let found = run(VERB, || pool.account(&sql.find, &key)).await?;
        found.map(|found| row(account.clone(), found)).transpose()
    }

    async fn swap(&self, seen: &SealedRow, sealed: &[u8]) -> Result<bool, StorageError> {
        let [owner, service, subject] = key(&seen.account);
        let version = Value::Number(i64::try_from(seen.version).unwrap_or(-1));
        let values = [Value::Bytes(sealed), owner, service, subject, version];
        Ok(self.0.execute(VERB, &self.0.sql.reseal, &values).await? > 0)
    }
}

fn row(account: Account, found: Found) -> Result<SealedRow, StorageError> {
    let version = u64::try_from(found.version).map_err(|_| StorageError::Unreadable)?;
    Ok(SealedRow { account, version, sealed: found.token })
}
