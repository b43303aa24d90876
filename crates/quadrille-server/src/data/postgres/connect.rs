//! The connections.

use quadrille::provider::store::StoreError;
use quadrille_sqlx::{StoreOptions, store_error};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use crate::{
    config::{ConnectionSettings, DatabaseUrl},
    data::connecting::{PATIENCE, in_time, is_this_machine, lively},
};

/// The connections to a database.
pub(in crate::data) struct Connected {
    pub(super) pool: PgPool,
    /// How the store uses the connections.
    pub(super) options: StoreOptions,
    /// Whether a pooler in transaction mode stands before the database.
    pub(super) is_pooled: bool,
    server: PgConnectOptions,
}

impl Connected {
    /// A connection whose statements may take any time, and are not in the log for that.
    pub(super) fn for_migrations(&self) -> PgPool {
        let options = self.server.clone().disable_statement_logging();
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let pool = match self.is_pooled {
            true => pool,
            false => pool.after_connect(|connection, _| {
                let unlimited = "SET lock_timeout = 0; SET statement_timeout = 0";
                Box::pin(
                    async move { sqlx::raw_sql(unlimited).execute(connection).await.map(drop) },
                )
            }),
        };
        pool.connect_lazy_with(options)
    }
}

/// Connects to the database of a URL.
pub(in crate::data) async fn connect(
    url: &DatabaseUrl,
    settings: &ConnectionSettings,
) -> Result<Connected, StoreError> {
    let server = options_of(url)?;
    // Without the pool, which does not tell why it cannot connect.
    let is_pooled = in_time(is_pooled(&server)).await?;
    let prepares = settings.prepared_statements.unwrap_or(!is_pooled);
    let options = tables(settings).statement_limit(settings.longest_statement());
    let pool = PgPoolOptions::new().max_connections(settings.connections).acquire_timeout(PATIENCE);
    let pool = lively(pool);
    let (pool, options) = match prepares {
        true => {
            let sql = settings_in("SESSION", settings);
            let set = pool.after_connect(move |connection, _| {
                let set = sqlx::raw_sql(AssertSqlSafe(sql.clone()));
                Box::pin(async move { set.execute(connection).await.map(drop) })
            });
            (set, options)
        }
        // Each transaction may be on another connection of the pooler.
        false => {
            let sql = settings_in("LOCAL", settings);
            (pool, options.without_prepared_statements().settings_of_transactions(sql))
        }
    };
    if is_pooled && prepares {
        tracing::warn!(
            "a pooler in transaction mode stands before the database: it has to know prepared \
             statements, and the role of the program needs lock_timeout and statement_timeout"
        );
    }
    let pool = pool.connect_lazy_with(server.clone());
    Ok(Connected { pool, options, is_pooled, server })
}

/// The options of the tables that are made.
pub(super) fn tables(settings: &ConnectionSettings) -> StoreOptions {
    match settings.hashed_keys {
        Some(true) => StoreOptions::new().hashed_keys(),
        Some(false) | None => StoreOptions::new(),
    }
}

/// Connections to a replica, which need not answer yet.
pub(super) fn connect_lazily(
    url: &DatabaseUrl,
    settings: &ConnectionSettings,
) -> Result<PgPool, StoreError> {
    let pool = PgPoolOptions::new().max_connections(settings.connections).acquire_timeout(PATIENCE);
    Ok(lively(pool).connect_lazy_with(options_of(url)?))
}

/// The options of a connection to the database of a URL. Unless the URL or the environment decides, a
/// server on another machine must prove its name (`verify-full`).
pub(super) fn options_of(url: &DatabaseUrl) -> Result<PgConnectOptions, StoreError> {
    let server: PgConnectOptions = url.expose().parse().map_err(store_error)?;
    let is_decided = url.has("sslmode") || std::env::var_os("PGSSLMODE").is_some();
    let is_local = server.get_socket().is_some() || is_this_machine(server.get_host());
    let server = match is_decided || is_local {
        true => server,
        false => server.ssl_mode(PgSslMode::VerifyFull),
    };
    // PgBouncer would refuse a connection that sets the digits of floating-point numbers.
    Ok(server.application_name("quadrille").extra_float_digits(None))
}

/// Statements that bound the time of later ones, and that let a commit wait for the disk where the
/// database, the role or the URL says otherwise: a crash of the database would lose what was
/// answered, revocations, too.
fn settings_in(scope: &str, settings: &ConnectionSettings) -> String {
    let ConnectionSettings { lock_timeout, statement_timeout, .. } = settings;
    format!(
        "SET {scope} lock_timeout = {}; SET {scope} statement_timeout = {}; \
         SELECT set_config('synchronous_commit', 'on', {}) \
         WHERE current_setting('synchronous_commit') = 'off'",
        lock_timeout.as_millis(),
        statement_timeout.as_millis(),
        scope == "LOCAL"
    )
}

/// The number of transactions for which two connections are compared. Other clients of a pooler may
/// have a process between two statements, so that one comparison can miss the pooler.
const COMPARISONS: usize = 5;

/// Whether a pooler in transaction mode stands before the database: two connections have the same
/// process of the server by turns, or one has two of them.
async fn is_pooled(server: &PgConnectOptions) -> sqlx::Result<bool> {
    let (mut first, mut second) = (server.connect().await?, server.connect().await?);
    let (of_first, mut of_second) = (process(&mut first, "").await?, None);
    let mut is_pooled = false;
    for _ in 0..COMPARISONS {
        let here = process(&mut second, "BEGIN;").await?;
        is_pooled = here == of_first
            || *of_second.get_or_insert(here) != here
            || process(&mut first, "").await? != of_first;
        sqlx::raw_sql("ROLLBACK").execute(&mut second).await?;
        if is_pooled {
            break;
        }
    }
    for connection in [first, second] {
        connection.close().await?;
    }
    Ok(is_pooled)
}

/// The process of the server that has the connection, after another statement. Without a prepared
/// statement.
async fn process(connection: &mut PgConnection, before: &'static str) -> sqlx::Result<i32> {
    let sql = format!("{before} SELECT pg_backend_pid()");
    sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await?.try_get(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::servers;

    /// Their transactions have the connections of the pooler by turns, so two statements of one
    /// client may be on the same one by chance.
    #[tokio::test]
    async fn a_pooler_is_noticed_while_others_use_it() {
        let url = servers::postgres_database();
        let port = format!(":{}/", servers::postgres().port);
        let pooled = url.replace(&port, &format!(":{}/", servers::pgbouncer().port));
        let server = options_of(&DatabaseUrl::parse(&pooled).unwrap()).unwrap();
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let mut other = server.connect().await.unwrap();
            others.spawn(async move {
                loop {
                    sqlx::raw_sql("SELECT pg_sleep(0.001)").execute(&mut other).await.unwrap();
                }
            });
        }
        for number in 0..100 {
            assert!(is_pooled(&server).await.unwrap(), "{number}");
        }
    }
}
