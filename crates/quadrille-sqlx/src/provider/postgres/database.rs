//! The pool, and how statements are run on it.

use std::sync::{Arc, OnceLock};

use quadrille::{
    Env,
    provider::store::{RowId, StoreError},
};
use sqlx::{
    AssertSqlSafe, PgPool, Postgres, Transaction,
    postgres::{PgArguments, PgRow},
};
use tokio::runtime::Handle;

use super::{
    super::{
        StoreOptions,
        fault::{reason, run},
        keys::{Keys, Texts},
    },
    laps::Laps,
    rows::Reader,
};

const SETTINGS: &str = "SELECT hashed_keys FROM quadrille_store_settings";

/// The values of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => {{
        let mut values = sqlx::postgres::PgArguments::default();
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
    pool: PgPool,
    env: Env,
    runtime: Handle,
    keys: Keys,
    texts: Texts,
    prepares: bool,
    laps: Laps,
    newest: OnceLock<Arc<str>>,
}

impl Database {
    pub(super) async fn open(
        pool: PgPool,
        env: Env,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?;
        let inner = |pool, keys| Inner {
            pool,
            env,
            runtime,
            keys,
            texts: Texts::new(options.prefix.clone(), keys),
            prepares: options.prepares,
            laps: Laps::default(),
            newest: OnceLock::new(),
        };
        let settings = Texts::new(options.prefix.clone(), Keys::Ordered).of(SETTINGS);
        let found = sqlx::query_scalar(AssertSqlSafe(settings)).persistent(false);
        let mut transaction = pool.begin().await.map_err(reason)?;
        let is_hashed = found.fetch_one(&mut *transaction).await.map_err(reason)?;
        transaction.commit().await.map_err(reason)?;
        let keys = if is_hashed { Keys::Hashed } else { Keys::Ordered };
        Ok(Self(Arc::new(inner(pool, keys))))
    }

    pub(super) fn env(&self) -> &Env {
        &self.0.env
    }

    pub(super) fn keys(&self) -> Keys {
        self.0.keys
    }

    /// The key of a row.
    pub(super) fn key(&self, row: RowId) -> i64 {
        self.0.keys.mix(row.0)
    }

    pub(super) fn laps(&self) -> &Laps {
        &self.0.laps
    }

    /// The rows of a statement that is written once.
    pub(super) async fn newest_rows(
        &self,
        write: impl FnOnce() -> String,
    ) -> Result<Vec<PgRow>, StoreError> {
        let sql = self.0.newest.get_or_init(|| self.0.texts.write(&write()));
        self.rows_of(sql, PgArguments::default()).await
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

    /// The rows of a statement, which is a transaction by itself. It is run again if it lost to
    /// another one.
    pub(super) async fn rows(
        &self,
        sql: &'static str,
        values: PgArguments,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.rows_of(&self.0.texts.of(sql), values).await
    }

    async fn rows_of(&self, sql: &Arc<str>, values: PgArguments) -> Result<Vec<PgRow>, StoreError> {
        run(|| async {
            let query = sqlx::query_with(AssertSqlSafe(Arc::clone(sql)), values.clone());
            if self.0.prepares {
                // To the end of the answer: the commit comes after the rows.
                return query.fetch_all(&self.0.pool).await.map_err(reason);
            }
            let mut transaction = self.0.pool.begin().await.map_err(reason)?;
            let rows = query.persistent(false).fetch_all(&mut *transaction).await;
            let rows = rows.map_err(reason)?;
            transaction.commit().await.map_err(reason)?;
            Ok(rows)
        })
        .await
    }

    /// The first row of a statement.
    pub(super) async fn one<T>(
        &self,
        sql: &'static str,
        values: PgArguments,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let rows = self.rows(sql, values).await?;
        rows.first().map(|row| read(&mut Reader::of(row, self.0.keys))).transpose()
    }

    /// The rows of a statement, read.
    pub(super) async fn all<T>(
        &self,
        sql: &'static str,
        values: PgArguments,
        read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.rows(sql, values).await?;
        rows.iter().map(|row| read(&mut Reader::of(row, self.0.keys))).collect()
    }

    /// `true` if a statement returns a row: if it did something.
    pub(super) async fn did(
        &self,
        sql: &'static str,
        values: PgArguments,
    ) -> Result<bool, StoreError> {
        Ok(!self.rows(sql, values).await?.is_empty())
    }

    /// Begins a transaction of several statements, at an isolation level at which each of them sees
    /// what others have committed.
    pub(super) async fn begin(&self) -> Result<Steps<'_>, StoreError> {
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
        let transaction = self.0.pool.begin_with(begin).await.map_err(reason)?;
        Ok(Steps { database: self, transaction })
    }
}

/// The statements of one transaction. Without [`Steps::commit`] nothing has happened.
pub(super) struct Steps<'d> {
    database: &'d Database,
    transaction: Transaction<'static, Postgres>,
}

impl Steps<'_> {
    pub(super) async fn rows(
        &mut self,
        sql: &'static str,
        values: PgArguments,
    ) -> Result<Vec<PgRow>, StoreError> {
        let inner = &self.database.0;
        let query = sqlx::query_with(AssertSqlSafe(inner.texts.of(sql)), values);
        let query = query.persistent(inner.prepares);
        query.fetch_all(&mut *self.transaction).await.map_err(reason)
    }

    pub(super) async fn did(
        &mut self,
        sql: &'static str,
        values: PgArguments,
    ) -> Result<bool, StoreError> {
        Ok(!self.rows(sql, values).await?.is_empty())
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(reason)
    }
}
