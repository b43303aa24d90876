//! A kind of database: its driver, and how it writes SQL.

use std::{sync::Arc, time::Duration};

use quadrille::provider::store::StoreError;

use super::{held::Held, reader::Fields, values::Values};

/// A write: whether the first statement changes a row decides whether the others follow, in the
/// same transaction.
///
/// Statements are in the SQL of PostgreSQL, with `mix(column)` for the key of a number, and a
/// table `done`, which has rows if the first statement changed one.
#[derive(Debug)]
pub struct Write {
    pub(super) first: &'static str,
    /// In place of `first`, for databases whose upserts have no condition: the first of them that
    /// changes a row decides. A query changes none.
    #[cfg_attr(
        not(feature = "mysql"),
        expect(dead_code, reason = "PostgreSQL runs a verb as one statement")
    )]
    pub(super) in_turn: &'static [&'static str],
    pub(super) then: &'static [&'static str],
    /// The number of the value that is told as a change, of the issuer in `$1`.
    pub(super) tells: Option<usize>,
    /// For answers of users: a query that has a row if the approved grant is alive. The consent is
    /// in `$2` to `$10`.
    pub(super) lives: Option<&'static str>,
}

impl Write {
    /// A single statement.
    pub(super) const fn of(first: &'static str) -> Self {
        Self { first, in_turn: &[], then: &[], tells: None, lives: None }
    }
}

/// A statement as a database understands it.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(super) sql: Arc<str>,
    /// The places of its values, where they have no numbers.
    pub(super) order: Option<Vec<usize>>,
    /// A key that is taken is no error: no row is changed.
    pub(super) may_meet_duplicates: bool,
}

impl Statement {
    /// A statement whose values are used in their order.
    pub(super) fn plain(sql: impl Into<Arc<str>>) -> Self {
        Self { sql: sql.into(), order: None, may_meet_duplicates: false }
    }
}

/// The statements of a [`Write`].
#[derive(Debug)]
pub struct Script<S> {
    /// The first of them that changes a row decides.
    pub(super) in_turn: Vec<S>,
    pub(super) then: Vec<S>,
}

/// A pool of sqlx, with the SQL of its database.
pub trait Engine: Clone + Send + Sync + 'static {
    type Driver: sqlx::Database<Row = Self::Row, Arguments = Self::Arguments>;
    type Row: Fields + Send + Sync;
    type Arguments: sqlx::IntoArguments<Self::Driver> + Clone + Default + Send + Sync;
    /// How far the removal of expired rows has come.
    type Sweeping: Default + Send + Sync;
    /// The read-only replicas.
    type Replicas: Default + Send + Sync;

    /// Whether the database tells processes what others announce.
    const ANNOUNCES: bool = false;
    /// Reads whether keys are hashed, if that is a choice.
    const HASHED_KEYS: Option<&str>;
    /// Reads the clock of the server, in milliseconds.
    const NOW: &str;

    /// The pool, by its own name.
    fn pool(&self) -> &sqlx::Pool<Self::Driver>;

    /// Connects beside the pool, and disconnects. The pool itself goes on trying where the server
    /// refuses connections, and does not tell the reason.
    fn dial(&self) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// A statement, which has prefix and keys already.
    fn statement(sql: &str) -> Statement;

    /// The statements of a write.
    fn script(write: &Write) -> Script<String>;

    fn arguments(values: &Values, order: Option<&[usize]>) -> Result<Self::Arguments, StoreError>;

    /// Begins a transaction at an isolation level at which each statement sees what others have
    /// committed, with settings for this transaction alone.
    fn begin(
        held: &mut Held<Self::Driver>,
        settings: &str,
        limit: Duration,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Announces a text to the processes that listen, if it [announces](Self::ANNOUNCES).
    fn announce(
        held: &mut Held<Self::Driver>,
        channel: &str,
        text: &str,
        limit: Duration,
    ) -> impl Future<Output = sqlx::Result<()>> + Send {
        let _ = (held, channel, text, limit);
        std::future::ready(Ok(()))
    }

    /// The rows of a statement.
    fn rows(
        held: &mut Held<Self::Driver>,
        sql: &Arc<str>,
        values: Self::Arguments,
        way: Way,
    ) -> impl Future<Output = sqlx::Result<Vec<Self::Row>>> + Send;

    /// The number of rows that a statement inserted, found to update, or deleted.
    fn execute(
        held: &mut Held<Self::Driver>,
        sql: &Arc<str>,
        values: Self::Arguments,
        way: Way,
    ) -> impl Future<Output = sqlx::Result<u64>> + Send;
}

/// How statements are run.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Whether they are prepared once for a connection.
    pub(super) prepares: bool,
    /// The longest time until the answer.
    pub(super) limit: Duration,
}

/// The methods of [`Engine`] that differ in types only.
macro_rules! driver {
    ($connection:ty) => {
        fn pool(&self) -> &sqlx::Pool<Self::Driver> {
            self
        }

        async fn dial(&self) -> sqlx::Result<()> {
            use sqlx::Connection as _;
            let connection = <$connection>::connect_with(&self.connect_options()).await?;
            connection.close().await
        }

        async fn rows(
            held: &mut Held<Self::Driver>,
            sql: &Arc<str>,
            values: Self::Arguments,
            way: Way,
        ) -> sqlx::Result<Vec<Self::Row>> {
            let query = sqlx::query_with(sqlx::AssertSqlSafe(Arc::clone(sql)), values);
            let query = query.persistent(way.prepares);
            held.run(way.limit, |connection| query.fetch_all(connection)).await
        }

        async fn execute(
            held: &mut Held<Self::Driver>,
            sql: &Arc<str>,
            values: Self::Arguments,
            way: Way,
        ) -> sqlx::Result<u64> {
            let query = sqlx::query_with(sqlx::AssertSqlSafe(Arc::clone(sql)), values);
            let query = query.persistent(way.prepares);
            Ok(held.run(way.limit, |connection| query.execute(connection)).await?.rows_affected())
        }
    };
}
pub(super) use driver;
