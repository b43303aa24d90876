//! The pool, and how statements are run on it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use quadrille::{Env, provider::store::StoreError};
use sqlx::{
    AssertSqlSafe, MySql, MySqlPool, Transaction,
    mysql::{MySqlArguments, MySqlRow},
};
use tokio::runtime::Handle;

use super::{
    super::{
        StoreOptions,
        fault::{reason, run},
        keys::{Keys, Texts},
    },
    rows::Reader,
};

/// The bytes of a text that is a key; the server may cut what is longer, instead of refusing it.
const LONGEST: usize = 1024;

/// The values of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => {{
        let mut values = sqlx::mysql::MySqlArguments::default();
        $(
            sqlx::Arguments::add(&mut values, $value)
                .map_err(quadrille::provider::store::StoreError::failed)?;
        )*
        values
    }};
}
pub(super) use values;

/// A pool with what all verbs share.
#[derive(Clone)]
pub(super) struct Database(Arc<Inner>);

struct Inner {
    pool: MySqlPool,
    env: Env,
    runtime: Handle,
    texts: Texts,
    prepares: bool,
    /// The earliest second at which expired rows are removed again.
    sweep: AtomicI64,
}

impl Database {
    pub(super) fn open(
        pool: MySqlPool,
        env: Env,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?;
        let texts = Texts::new(options.prefix.clone(), Keys::Ordered);
        let (prepares, sweep) = (options.prepares, AtomicI64::default());
        Ok(Self(Arc::new(Inner { pool, env, runtime, texts, prepares, sweep })))
    }

    pub(super) fn env(&self) -> &Env {
        &self.0.env
    }

    /// The second at which expired rows are to be removed, for one caller.
    pub(super) fn take_sweep(&self) -> Option<i64> {
        let (now, sweep) = (self.0.env.now().seconds(), &self.0.sweep);
        let next = sweep.load(Ordering::Relaxed);
        let take = || sweep.compare_exchange(next, i64::MAX, Ordering::Relaxed, Ordering::Relaxed);
        (now >= next && take().is_ok()).then_some(now)
    }

    pub(super) fn sweep_again_at(&self, second: i64) {
        self.0.sweep.store(second, Ordering::Relaxed);
    }

    /// Runs a verb on the store's own runtime, to its end even if the caller leaves.
    pub(super) async fn spawn<T: Send + 'static>(
        &self,
        verb: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.runtime.spawn(verb).await.map_err(|_| StoreError::Closed)?
    }

    /// Lets a task run beside the verbs.
    pub(super) fn beside(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.runtime.spawn(task));
    }

    /// Runs a statement, which is a transaction by itself, again if it lost to another one; returns
    /// the number of rows that it inserted, found to update, or deleted.
    pub(super) async fn run(
        &self,
        sql: &'static str,
        values: MySqlArguments,
    ) -> Result<u64, StoreError> {
        run(|| async {
            let query = sqlx::query_with(AssertSqlSafe(self.0.texts.of(sql)), values.clone());
            let query = query.persistent(self.0.prepares);
            Ok(query.execute(&self.0.pool).await.map_err(reason)?.rows_affected())
        })
        .await
    }

    /// The rows of a query, read.
    pub(super) async fn all<T>(
        &self,
        sql: &'static str,
        values: MySqlArguments,
        read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let query = sqlx::query_with(AssertSqlSafe(self.0.texts.of(sql)), values);
        let query = query.persistent(self.0.prepares);
        let rows = query.fetch_all(&self.0.pool).await.map_err(reason)?;
        rows.iter().map(|row| read(&mut Reader::of(row, Keys::Ordered))).collect()
    }

    /// The first row of a query.
    pub(super) async fn one<T>(
        &self,
        sql: &'static str,
        values: MySqlArguments,
        read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, values, read).await?.into_iter().next())
    }

    /// Begins a transaction in which each statement sees what others have committed.
    pub(super) async fn begin(&self) -> Result<Steps<'_>, StoreError> {
        let mut connection = self.0.pool.acquire().await.map_err(reason)?;
        let level = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
        sqlx::raw_sql(level).execute(&mut *connection).await.map_err(reason)?;
        let transaction = Transaction::begin(connection, None).await.map_err(reason)?;
        Ok(Steps { database: self, transaction })
    }
}

/// The statements of one transaction. Without [`Steps::commit`] nothing has happened.
pub(super) struct Steps<'d> {
    database: &'d Database,
    transaction: Transaction<'static, MySql>,
}

impl Steps<'_> {
    /// The number of rows that a statement inserted, found to update, or deleted.
    pub(super) async fn run(
        &mut self,
        sql: &'static str,
        values: MySqlArguments,
    ) -> Result<u64, StoreError> {
        self.execute(sql, values).await.map_err(reason)
    }

    /// Inserts a row; `false` if another one has its key.
    pub(super) async fn insert(
        &mut self,
        sql: &'static str,
        values: MySqlArguments,
    ) -> Result<bool, StoreError> {
        match self.execute(sql, values).await {
            Ok(_) => Ok(true),
            Err(error) if crate::fault::is_duplicate(&error) => Ok(false),
            Err(error) => Err(reason(error)),
        }
    }

    async fn execute(&mut self, sql: &'static str, values: MySqlArguments) -> sqlx::Result<u64> {
        let inner = &self.database.0;
        let query = sqlx::query_with(AssertSqlSafe(inner.texts.of(sql)), values);
        let query = query.persistent(inner.prepares);
        Ok(query.execute(&mut *self.transaction).await?.rows_affected())
    }

    pub(super) async fn all<T>(
        &mut self,
        sql: &'static str,
        values: MySqlArguments,
        read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let inner = &self.database.0;
        let query = sqlx::query_with(AssertSqlSafe(inner.texts.of(sql)), values);
        let query = query.persistent(inner.prepares);
        let rows: Vec<MySqlRow> = query.fetch_all(&mut *self.transaction).await.map_err(reason)?;
        rows.iter().map(|row| read(&mut Reader::of(row, Keys::Ordered))).collect()
    }

    pub(super) async fn one<T>(
        &mut self,
        sql: &'static str,
        values: MySqlArguments,
        read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, values, read).await?.into_iter().next())
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(reason)
    }
}

/// A text that is a key.
pub(super) fn key(text: &str) -> Result<&[u8], StoreError> {
    if text.len() > LONGEST {
        return Err(StoreError::failed("an id, a subject or an issuer has more than 1024 bytes"));
    }
    Ok(text.as_bytes())
}
