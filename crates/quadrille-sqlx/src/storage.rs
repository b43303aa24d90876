//! The verbs of a storage.

use std::{fmt, sync::Arc, time::Duration};

use quadrille::{
    Owner, Result,
    consumer::{Account, Change, Context, Replaced, StorageError, Stored, Token, TokenStorage},
};
use tokio::sync::{Mutex, MutexGuard};
use tracing::error;

use crate::{
    fault::{is_duplicate, run},
    pool::{Found, Listed, Pool, Value},
    statements::{Dialect, Prefix, Statements},
};

/// The greatest number of bytes of an owner and of a subject, which fits the indexes of every
/// database.
pub(crate) const LONGEST: usize = 512;
/// The greatest number of bytes of a service's name: 40, with that of a tenant 105.
pub(crate) const LONGEST_SERVICE: usize = 128;

/// A storage of linked accounts on a pool of the application: [`SqliteStorage`], [`PgStorage`] or
/// [`MySqlStorage`]. Any number of processes may share the database. Cheap to clone.
///
/// Each [`Login`](quadrille::Login) needs tables of its own: see [`SqlStorage::with_prefix`].
///
/// ```
/// use quadrille::{GitHub, KeyRing, Login};
/// use quadrille_sqlx::SqliteStorage;
/// use sqlx::SqlitePool;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let pool = SqlitePool::connect("sqlite::memory:").await?;
/// let storage = SqliteStorage::new(pool);
/// storage.migrate().await?;
/// let login = Login::new(KeyRing::new([&[7; 32]])?, "https://app.example")
///     .with(GitHub::new("our-id", "our-secret"))
///     .storage(storage);
/// login.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`SqliteStorage`]: crate::SqliteStorage
/// [`PgStorage`]: crate::PgStorage
/// [`MySqlStorage`]: crate::MySqlStorage
#[derive(Clone)]
pub struct SqlStorage<P> {
    pub(crate) pool: P,
    pub(crate) prefix: Prefix,
    pub(crate) sql: Arc<Statements>,
    /// Held to write to SQLite, which has one writer at a time: those of this storage wait in the
    /// order in which they came, where SQLite lets any of many be the next.
    writer: Arc<Mutex<()>>,
}

impl<P: Pool> SqlStorage<P> {
    /// A storage in the tables `quadrille_accounts` and `quadrille_leases`. Opens no connection.
    pub fn new(pool: P) -> Self {
        Self::with_prefix(pool, Prefix::default())
    }

    /// A storage in tables with another prefix, for a second login in one database.
    pub fn with_prefix(pool: P, prefix: Prefix) -> Self {
        let sql = Arc::new(Statements::new(P::DIALECT, &prefix));
        Self { pool, prefix, sql, writer: Arc::default() }
    }

    /// The turn to write, held while writing.
    pub(crate) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match P::DIALECT {
            Dialect::Sqlite => Some(self.writer.lock().await),
            Dialect::Postgres | Dialect::MySql => None,
        }
    }

    pub(crate) async fn execute(
        &self,
        verb: &'static str,
        sql: &Arc<str>,
        values: &[Value<'_>],
    ) -> Result<u64, StorageError> {
        let _turn = self.turn().await;
        run(verb, || self.pool.execute(sql, values)).await
    }

    async fn find(
        &self,
        verb: &'static str,
        cx: &Context<'_>,
        account: &Account,
    ) -> Result<Option<Stored>> {
        let values = key(account);
        let found = run(verb, || self.pool.account(&self.sql.find, &values)).await?;
        found.map(|found| open(cx, account.clone(), found)).transpose()
    }
}

impl<P> fmt::Debug for SqlStorage<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStorage").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl<P: Pool> TokenStorage for SqlStorage<P> {
    fn is_durable(&self) -> bool {
        true
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        if !fits(account) {
            let service = &*account.service;
            error!(service, "an account has too long a key to be stored");
            return Err(StorageError::KeyTooLong.into());
        }
        let sealed = cx.seal_token(account, token);
        let [owner, service, subject] = key(account);
        let version = Value::Number(draw_version(cx));
        let linked = [owner, service, subject, Value::Bytes(&sealed), version];
        if P::DIALECT == Dialect::MySql {
            let of_owner = [owner, service];
            run("link", || async {
                let order = self.pool.number(&self.sql.next_order, &of_owner).await?;
                let [a, b, c, d, e] = linked;
                self.pool.execute(&self.sql.link, &[a, b, c, d, e, Value::Number(order)]).await
            })
            .await?;
        } else {
            let [a, b, c, d, e] = linked;
            self.execute("link", &self.sql.link, &[a, b, c, d, e, owner, service]).await?;
        }
        Ok(())
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        let bytes = |text| Value::Bytes(str::as_bytes(text));
        let of_owner = [bytes(owner.as_str()), bytes(service)];
        let found = match subject {
            None => run("load", || self.pool.account(&self.sql.find_current, &of_owner)).await,
            Some(subject) => {
                let [owner, service] = of_owner;
                let values = [owner, service, bytes(subject)];
                run("load", || self.pool.account(&self.sql.find, &values)).await
            }
        }?;
        let Some(found) = found else { return Ok(None) };
        open(cx, cx.account(owner, service, text(&found.subject)?), found).map(Some)
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        let version = draw_version(cx);
        let changed = change.applied_to(seen, version.unsigned_abs());
        let sealed = cx.seal_token(&changed.account, &changed.token);
        let [owner, service, subject] = key(&changed.account);
        // No row has a version beyond this.
        let before = i64::try_from(seen.version).unwrap_or(-1);
        let values = [
            Value::Bytes(&sealed),
            Value::Number(version),
            Value::Flag(changed.needs_linking_again),
            owner,
            service,
            subject,
            Value::Number(before),
        ];
        if self.execute("replace", &self.sql.replace, &values).await? == 0 {
            return Ok(Replaced::Changed(self.find("replace", cx, &changed.account).await?));
        }
        Ok(Replaced::Done(changed))
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        let [owner, service, subject] = key(account);
        let now = Value::Number(cx.env().now().millis());
        // A process that died left its lease behind; who holds one now releases it.
        let ended = [owner, service, subject, now];
        self.execute("unlink", &self.sql.forget_lease, &ended).await?;
        Ok(self.execute("unlink", &self.sql.unlink, &key(account)).await? > 0)
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let service = Value::Bytes(service.as_bytes());
        let limit = Value::Number(i64::try_from(limit).unwrap_or(i64::MAX));
        let found = match after {
            None => {
                let values = [service, limit];
                run("accounts", || self.pool.accounts(&self.sql.first_accounts, &values)).await
            }
            Some(after) => {
                let [owner, _, subject] = key(after);
                let values = [service, owner, owner, subject, limit];
                run("accounts", || self.pool.accounts(&self.sql.next_accounts, &values)).await
            }
        }?;
        found.into_iter().map(|listed| open(cx, account(&listed)?, listed.found)).collect()
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        if !fits(account) {
            return Err(StorageError::KeyTooLong.into());
        }
        let [owner, service, subject] = key(account);
        let now = cx.env().now();
        let (holder, ends) =
            (Value::Number(holder.cast_signed()), Value::Number((now + lease).millis()));
        let now = Value::Number(now.millis());
        let new = [owner, service, subject, holder, ends];
        if P::DIALECT != Dialect::MySql {
            let values = [owner, service, subject, holder, ends, now];
            return Ok(self.execute("lease", &self.sql.lease, &values).await? > 0);
        }
        let values = [holder, ends, owner, service, subject, holder, now];
        let leased = run("lease", || async {
            if self.pool.execute(&self.sql.lease, &values).await? > 0 {
                return Ok(true);
            }
            match self.pool.execute(&self.sql.insert_lease, &new).await {
                Ok(_) => Ok(true),
                Err(error) if is_duplicate(&error) => Ok(false),
                Err(error) => Err(error),
            }
        });
        Ok(leased.await?)
    }

    async fn release(&self, _: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        let [owner, service, subject] = key(account);
        let values = [owner, service, subject, Value::Number(holder.cast_signed())];
        self.execute("release", &self.sql.release, &values).await?;
        Ok(())
    }
}

/// The values of owner, service and subject. They are bytes, since texts of many databases are
/// equal if they differ only in case or in trailing spaces, and some have no U+0000.
pub(crate) fn key(account: &Account) -> [Value<'_>; 3] {
    let Account { owner, service, subject } = account;
    [owner.as_str(), service, subject].map(|text| Value::Bytes(text.as_bytes()))
}

/// Whether the columns hold the whole key: MySQL may be set to cut what is longer.
fn fits(account: &Account) -> bool {
    let Account { owner, service, subject } = account;
    owner.as_str().len() <= LONGEST && service.len() <= LONGEST_SERVICE && subject.len() <= LONGEST
}

/// Random, so that no version comes twice, and no row counts them for all processes.
fn draw_version(cx: &Context<'_>) -> i64 {
    i64::from_be_bytes(cx.env().random()) & i64::MAX
}

/// The account of a row.
pub(crate) fn account(listed: &Listed) -> Result<Account, StorageError> {
    Ok(Account {
        owner: Owner::from_key(text(&listed.owner)?),
        service: text(&listed.service)?.into(),
        subject: text(&listed.found.subject)?.into(),
    })
}

fn text(bytes: &[u8]) -> Result<&str, StorageError> {
    std::str::from_utf8(bytes).map_err(|_| StorageError::Unreadable)
}

fn open(cx: &Context<'_>, account: Account, found: Found) -> Result<Stored> {
    let token = cx.open_token(&account, found.token)?;
    let version = u64::try_from(found.version).map_err(|_| StorageError::Unreadable)?;
    Ok(Stored { account, token, version, needs_linking_again: found.needs_linking_again })
}
