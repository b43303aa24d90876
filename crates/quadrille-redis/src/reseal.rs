//! The values that are sealed again under the newest key.

use quadrille::consumer::{Account, Context, Reseal, SealedRow, SealedRows, StorageError};
use redis::{Script, aio::ConnectionLike};

use crate::{
    fault::logged,
    keys::unpack,
    storage::{RESEAL, RedisStorage},
};

const VERB: &str = "reseal";

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStorage<C> {
    /// Seals the tokens of all accounts of a service under the newest key of the ring: see
    /// [`Reseal`].
    ///
    /// ```
    /// use quadrille::Login;
    /// use quadrille_redis::RedisStorage;
    /// use redis::aio::ConnectionManager;
    ///
    /// async fn rotated(
    ///     login: &Login,
    ///     storage: &RedisStorage<ConnectionManager>,
    /// ) -> quadrille::Result<bool> {
    ///     let cx = login.storage_context()?;
    ///     let progress = storage.reseal(&cx, "github").await?.finish().await?;
    ///     Ok(progress.unreadable == 0)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn reseal<'a>(
        &'a self,
        cx: &'a Context<'a>,
        service: &str,
    ) -> Result<Reseal<'a, impl SealedRows + use<'a, C>>, StorageError> {
        let rows = Rows { storage: self, service: service.into(), swap: Script::new(RESEAL) };
        Reseal::new(rows, cx).await
    }
}

/// The accounts of one service.
struct Rows<'a, C> {
    storage: &'a RedisStorage<C>,
    service: Box<str>,
    swap: Script,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> SealedRows for Rows<'_, C> {
    async fn total(&self) -> Result<u64, StorageError> {
        let mut count = redis::cmd("ZCARD");
        count.arg(self.storage.keys(&self.service).index());
        let total = count.query_async(&mut self.storage.connection.clone()).await;
        total.map_err(|error| logged(VERB, &error))
    }

    async fn page(
        &self,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<SealedRow>, StorageError> {
        let page = self.storage.page(VERB, &self.service, after, limit).await?;
        page.into_iter().map(|(account, value)| row(account, &value)).collect()
    }

    async fn find(&self, account: &Account) -> Result<Option<SealedRow>, StorageError> {
        let one = std::slice::from_ref(account);
        let found = self.storage.values(VERB, &self.service, one).await?.pop().flatten();
        found.map(|value| row(account.clone(), &value)).transpose()
    }

    async fn swap(&self, seen: &SealedRow, sealed: &[u8]) -> Result<bool, StorageError> {
        let Account { owner, subject, .. } = &seen.account;
        let accounts = self.storage.keys(&self.service).accounts(owner.as_str());
        let mut script = self.swap.key(accounts);
        script.arg(subject.as_bytes()).arg(&seen.version.to_be_bytes()[..]).arg(sealed);
        let done = script.invoke_async(&mut self.storage.connection.clone()).await;
        done.map_err(|error| logged(VERB, &error))
    }
}

fn row(account: Account, value: &[u8]) -> Result<SealedRow, StorageError> {
    let (version, _, sealed) = unpack(value)?;
    Ok(SealedRow { account, version, sealed: sealed.to_vec() })
}
