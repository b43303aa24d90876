//! The pool, and how statements are run on it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use quadrille::{
    Env,
    provider::store::{RowId, StoreError},
};
use tokio::{runtime::Handle, task::AbortHandle};

use super::{
    StoreOptions,
    clock::ServerClock,
    engine::{Engine, Script, Statement, Way, Write},
    fault::{reason, run},
    gate::Gate,
    held::Held,
    keys::Keys,
    news::{Announced, News},
    reader::Reader,
    remembered::Remembered,
    texts::Texts,
    values::Values,
};
use crate::fault::{is_duplicate, is_unsupported};

/// A pool with what all verbs share.
pub struct Database<E: Engine>(Arc<Inner<E>>);

struct Inner<E: Engine> {
    pool: E,
    env: Env,
    runtime: Handle,
    gate: Gate,
    texts: Texts,
    way: Way,
    settings: Arc<str>,
    sweeping: E::Sweeping,
    replicas: E::Replicas,
    server_clock: ServerClock,
    newest: OnceLock<Statement>,
    remembered: Remembered,
    news: News,
}

impl<E: Engine> fmt::Debug for Database<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

impl<E: Engine> Clone for Database<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E: Engine> Database<E> {
    pub(super) async fn open(
        pool: E,
        env: Env,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?;
        let with = |pool, keys| {
            Self(Arc::new(Inner {
                pool,
                env: env.clone(),
                runtime: runtime.clone(),
                gate: Gate::new(runtime.clone()),
                texts: Texts::new(options.prefix.clone(), keys),
                way: options.way,
                settings: Arc::clone(&options.settings),
                sweeping: E::Sweeping::default(),
                replicas: E::Replicas::default(),
                server_clock: ServerClock::default(),
                newest: OnceLock::new(),
                remembered: Remembered::default(),
                news: News::new(options.prefix.apply("quadrille_changes")),
            }))
        };
        let ordered = with(pool.clone(), Keys::Ordered);
        let Some(sql) = E::HASHED_KEYS else { return Ok(ordered) };
        match ordered.one(sql, Values::default(), |row| row.flag()).await? {
            Some(true) => Ok(with(pool, Keys::Hashed)),
            _ => Ok(ordered),
        }
    }

    /// The same tables on the pool of a replica.
    #[cfg(feature = "postgres")]
    pub(super) fn on(&self, pool: E) -> Self {
        Self(Arc::new(Inner {
            pool,
            env: self.0.env.clone(),
            runtime: self.0.runtime.clone(),
            gate: Gate::to_replica(self.0.runtime.clone()),
            texts: self.0.texts.again(),
            way: self.0.way,
            settings: Arc::clone(&self.0.settings),
            sweeping: E::Sweeping::default(),
            replicas: E::Replicas::default(),
            server_clock: ServerClock::default(),
            newest: OnceLock::new(),
            remembered: Remembered::default(),
            news: News::new(self.0.news.channel.to_string()),
        }))
    }

    pub(super) fn replicas(&self) -> &E::Replicas {
        &self.0.replicas
    }

    pub(super) fn server_clock(&self) -> &ServerClock {
        &self.0.server_clock
    }

    /// The longest time until a statement is answered.
    pub(super) fn limit(&self) -> Duration {
        self.0.way.limit
    }

    /// Whether the pool was closed, by a program that ends.
    pub(super) fn is_closed(&self) -> bool {
        self.0.pool.pool().is_closed()
    }

    #[cfg(feature = "postgres")]
    pub(super) fn pool(&self) -> &sqlx::Pool<E::Driver> {
        self.0.pool.pool()
    }

    pub(super) fn env(&self) -> &Env {
        &self.0.env
    }

    pub(super) fn keys(&self) -> Keys {
        self.0.texts.keys()
    }

    /// The key of a row.
    pub(super) fn key(&self, row: RowId) -> i64 {
        self.keys().mix(row.0)
    }

    pub(super) fn sweeping(&self) -> &E::Sweeping {
        &self.0.sweeping
    }

    pub(super) fn remembered(&self) -> &Remembered {
        &self.0.remembered
    }

    /// Runs a verb on the store's own runtime, to its end even if the caller leaves.
    pub(super) async fn spawn<T: Send + 'static>(
        &self,
        verb: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.runtime.spawn(verb).await.map_err(|_| StoreError::Closed)?
    }

    /// Lets a task run beside the verbs.
    pub(super) fn beside(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.0.runtime.spawn(task).abort_handle()
    }

    pub(super) fn news(&self) -> &News {
        &self.0.news
    }

    /// Announces a change, which is committed, to the processes that listen. If that fails, they see
    /// it when they look.
    pub(super) async fn announce(&self, what: Announced) {
        if E::ANNOUNCES
            && !self.0.news.is_silent()
            && let Err(error) = self.tell(what.text()).await
        {
            tracing::debug!(%error, "a change is not announced");
        }
    }

    /// Announces a text.
    pub(super) async fn tell(&self, text: &str) -> Result<(), StoreError> {
        let Inner { news, way, .. } = &*self.0;
        let mut held = self.connection().await?;
        let told = E::announce(&mut held, &news.channel, text, way.limit).await;
        told.map_err(|error| {
            if is_unsupported(&error) {
                news.be_silent();
            }
            reason(error)
        })
    }

    /// The rows of a statement, read.
    pub(super) async fn all<T>(
        &self,
        sql: &'static str,
        values: Values,
        read: impl Fn(&mut Reader<'_, E::Row>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.all_of(&self.0.texts.of::<E>(sql), &values, read).await
    }

    /// The first row of a query.
    pub(super) async fn one<T>(
        &self,
        sql: &'static str,
        values: Values,
        read: impl Fn(&mut Reader<'_, E::Row>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, values, read).await?.into_iter().next())
    }

    /// The rows of the query for the newest numbers, which is written once.
    pub(super) async fn newest<T>(
        &self,
        write: impl FnOnce() -> String,
        read: impl Fn(&mut Reader<'_, E::Row>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let statement = self.0.newest.get_or_init(|| self.0.texts.statement::<E>(&write()));
        self.all_of(statement, &Values::default(), read).await
    }

    pub(super) async fn all_of<T>(
        &self,
        statement: &Statement,
        values: &Values,
        read: impl Fn(&mut Reader<'_, E::Row>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let values = E::arguments(values, statement.order.as_deref())?;
        let rows = self.rows(&statement.sql, values).await?;
        rows.iter().map(|row| read(&mut Reader::of(row, self.keys()))).collect()
    }

    /// The rows of a statement, which is a transaction by itself. It is run again if it lost to
    /// another one.
    pub(super) async fn rows(
        &self,
        sql: &Arc<str>,
        values: E::Arguments,
    ) -> Result<Vec<E::Row>, StoreError> {
        run(|| async {
            if self.0.way.prepares {
                let mut held = self.connection().await?;
                // To the end of the answer: the commit comes after the rows.
                return E::rows(&mut held, sql, values.clone(), self.0.way).await.map_err(reason);
            }
            let mut steps = self.begin().await?;
            let rows = steps.rows(sql, values.clone()).await?;
            steps.commit().await?;
            Ok(rows)
        })
        .await
    }

    /// Runs a statement as [`rows`](Self::rows) does; returns the number of rows that it changed.
    pub(super) async fn execute(
        &self,
        sql: &Arc<str>,
        values: E::Arguments,
    ) -> Result<u64, StoreError> {
        run(|| async {
            if self.0.way.prepares {
                let mut held = self.connection().await?;
                let done = E::execute(&mut held, sql, values.clone(), self.0.way).await;
                return done.map_err(reason);
            }
            let mut steps = self.begin().await?;
            let way = self.0.way;
            let rows = E::execute(&mut steps.held, sql, values.clone(), way).await;
            let rows = rows.map_err(reason)?;
            steps.commit().await?;
            Ok(rows)
        })
        .await
    }

    /// A statement that is not a constant.
    pub(super) fn statement(&self, sql: &str) -> Statement {
        self.0.texts.statement::<E>(sql)
    }

    /// The statement of a constant.
    pub(super) fn text(&self, sql: &'static str) -> Arc<Statement> {
        self.0.texts.of::<E>(sql)
    }

    /// Runs a single statement, again if it lost to another one; returns the number of rows that it
    /// inserted, found to update, or deleted.
    pub(super) async fn run(&self, sql: &'static str, values: Values) -> Result<u64, StoreError> {
        self.run_alone(&self.text(sql), &values).await
    }

    /// Runs a write, again if it lost to another one. `true` if its first statement changed a row.
    pub(super) async fn write(
        &self,
        write: &'static Write,
        values: Values,
    ) -> Result<bool, StoreError> {
        let did = self.write_alone(write, &values).await?;
        if did && write.tells.is_some() {
            self.announce(Announced::Change).await;
        }
        Ok(did)
    }

    async fn write_alone(
        &self,
        write: &'static Write,
        values: &Values,
    ) -> Result<bool, StoreError> {
        let script = self.0.texts.script::<E>(write);
        if script.then.is_empty() {
            // What one statement does needs no transaction, which would hold the locks of the others.
            for statement in &script.in_turn {
                if self.run_alone(statement, values).await? > 0 {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        run(|| async {
            let mut steps = self.begin().await?;
            let did = steps.follow(&script, values).await?;
            steps.commit().await?;
            Ok(did)
        })
        .await
    }

    /// [`Database::run`] of any other statement.
    pub(super) async fn run_alone(
        &self,
        statement: &Statement,
        values: &Values,
    ) -> Result<u64, StoreError> {
        run(|| async {
            if self.0.way.prepares {
                let values = E::arguments(values, statement.order.as_deref())?;
                let mut held = self.connection().await?;
                let result = E::execute(&mut held, &statement.sql, values, self.0.way).await;
                return changed(result, statement);
            }
            let mut steps = self.begin().await?;
            let rows = steps.execute(statement, values).await?;
            steps.commit().await?;
            Ok(rows)
        })
        .await
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<Steps<E>, StoreError> {
        let mut held = self.connection().await?;
        E::begin(&mut held, &self.0.settings, self.0.way.limit).await.map_err(reason)?;
        Ok(Steps { database: self.clone(), held, tells: false })
    }

    /// A connection of the pool.
    async fn connection(&self) -> Result<Held<E::Driver>, StoreError> {
        self.0.gate.pass(&self.0.pool).await
    }
}

/// The statements of one transaction. Without [`Steps::commit`] nothing has happened.
pub(super) struct Steps<E: Engine> {
    database: Database<E>,
    held: Held<E::Driver>,
    /// Whether a change must be announced after the commit.
    tells: bool,
}

impl<E: Engine> Steps<E> {
    /// The connection, for statements that are not the store's.
    pub(super) fn connection(&mut self) -> &mut <E::Driver as sqlx::Database>::Connection {
        self.held.connection()
    }

    /// How its statements are run.
    pub(super) fn held(&mut self) -> (&mut Held<E::Driver>, Way) {
        (&mut self.held, self.database.0.way)
    }

    pub(super) fn now(&self) -> quadrille::Timestamp {
        self.database.env().now()
    }

    /// Runs a single statement; returns the number of rows that it inserted, found to update, or
    /// deleted.
    pub(super) async fn run(
        &mut self,
        sql: &'static str,
        values: Values,
    ) -> Result<u64, StoreError> {
        self.execute(&self.database.text(sql), &values).await
    }

    /// Runs a write. `true` if its first statement changed a row.
    pub(super) async fn write(
        &mut self,
        write: &'static Write,
        values: &Values,
    ) -> Result<bool, StoreError> {
        let script = self.database.0.texts.script::<E>(write);
        let did = self.follow(&script, values).await?;
        self.tells |= did && write.tells.is_some();
        Ok(did)
    }

    async fn follow(
        &mut self,
        script: &Script<Statement>,
        values: &Values,
    ) -> Result<bool, StoreError> {
        let mut did = false;
        for statement in &script.in_turn {
            did = self.execute(statement, values).await? > 0;
            if did {
                break;
            }
        }
        for statement in script.then.iter().filter(|_| did) {
            self.execute(statement, values).await?;
        }
        Ok(did)
    }

    pub(super) async fn execute(
        &mut self,
        statement: &Statement,
        values: &Values,
    ) -> Result<u64, StoreError> {
        let values = E::arguments(values, statement.order.as_deref())?;
        let way = self.database.0.way;
        changed(E::execute(&mut self.held, &statement.sql, values, way).await, statement)
    }

    /// The rows of a query, read.
    pub(super) async fn all<T>(
        &mut self,
        sql: &'static str,
        values: Values,
        read: impl Fn(&mut Reader<'_, E::Row>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let statement = self.database.text(sql);
        let values = E::arguments(&values, statement.order.as_deref())?;
        let rows = self.rows(&statement.sql, values).await?;
        rows.iter().map(|row| read(&mut Reader::of(row, self.database.keys()))).collect()
    }

    /// The first row of a query.
    pub(super) async fn one<T>(
        &mut self,
        sql: &'static str,
        values: Values,
        read: impl Fn(&mut Reader<'_, E::Row>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, values, read).await?.into_iter().next())
    }

    /// `true` if a query has a row.
    pub(super) async fn finds(
        &mut self,
        sql: &'static str,
        values: Values,
    ) -> Result<bool, StoreError> {
        Ok(self.one(sql, values, |_| Ok(())).await?.is_some())
    }

    pub(super) async fn rows(
        &mut self,
        sql: &Arc<str>,
        values: E::Arguments,
    ) -> Result<Vec<E::Row>, StoreError> {
        E::rows(&mut self.held, sql, values, self.database.0.way).await.map_err(reason)
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.held.commit(self.database.0.way.limit).await.map_err(reason)?;
        if self.tells {
            self.database.announce(Announced::Change).await;
        }
        Ok(())
    }
}

/// The number of rows that a statement changed.
fn changed(result: sqlx::Result<u64>, statement: &Statement) -> Result<u64, StoreError> {
    match result {
        Err(error) if statement.may_meet_duplicates && is_duplicate(&error) => Ok(0),
        result => result.map_err(reason),
    }
}
