//! The connections.

use quadrille::provider::store::StoreError;
use quadrille_sqlx::{StoreOptions, store_error};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlPool, Row as _,
    mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlSslMode},
};

use crate::{
    config::{ConnectionSettings, DatabaseUrl},
    data::connecting::{PATIENCE, in_time, is_this_machine, lively},
};

/// The longest times that the servers know: of MariaDB in seconds, of MySQL in milliseconds.
const LONGEST_OF_MARIADB: u64 = 31_536_000;
const LONGEST_OF_MYSQL: u128 = 4_294_967_295;

/// The longest wait for a lock in seconds.
const LONGEST_WAIT: u64 = 100_000_000;

/// The connections to a database.
pub(in crate::data) struct Connected {
    pub(super) pool: MySqlPool,
    /// How the store uses the connections.
    pub(super) options: StoreOptions,
    /// Whether a commit waits for the disk.
    pub(super) is_durable: bool,
    kind: Kind,
    server: MySqlConnectOptions,
}

/// The kind of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    MariaDb,
    MySql,
}

impl Connected {
    /// A connection whose statements may take any time, and are not in the log for that.
    pub(super) fn for_migrations(&self) -> MySqlPool {
        let options = self.server.clone().disable_statement_logging();
        let pool = MySqlPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let unlimited = match self.kind {
            Kind::MariaDb => "SET SESSION autocommit = 1, max_statement_time = 0",
            // The limit of MySQL is one of queries.
            Kind::MySql => "SET SESSION autocommit = 1",
        };
        let pool = pool.after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(unlimited).execute(connection).await.map(drop) })
        });
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
    let (kind, is_durable) = in_time(look_at(&server)).await?;
    let options = StoreOptions::new().statement_limit(settings.longest_statement());
    let pool =
        MySqlPoolOptions::new().max_connections(settings.connections).acquire_timeout(PATIENCE);
    let sql = settings_of(kind, settings);
    let pool = lively(pool).after_connect(move |connection, _| {
        let set = sqlx::raw_sql(AssertSqlSafe(sql.clone()));
        Box::pin(async move { set.execute(connection).await.map(drop) })
    });
    let pool = pool.connect_lazy_with(server.clone());
    Ok(Connected { pool, options, is_durable, kind, server })
}

/// The options of a connection to the database of a URL. Unless the URL decides, a server on another
/// machine must prove its name.
fn options_of(url: &DatabaseUrl) -> Result<MySqlConnectOptions, StoreError> {
    let server: MySqlConnectOptions = url.expose().parse().map_err(store_error)?;
    let is_decided = url.has("ssl-mode") || url.has("sslmode");
    let is_local = server.get_socket().is_some() || is_this_machine(server.get_host());
    Ok(match is_decided || is_local {
        true => server,
        false => server.ssl_mode(MySqlSslMode::VerifyIdentity),
    })
}

/// The kind of the server, and whether a commit waits for its disk.
async fn look_at(server: &MySqlConnectOptions) -> sqlx::Result<(Kind, bool)> {
    let mut connection = server.connect().await?;
    let look = "SELECT version(), CAST(@@innodb_flush_log_at_trx_commit AS SIGNED)";
    let row = sqlx::raw_sql(look).fetch_one(&mut connection).await?;
    let (version, flushes): (&str, i64) = (row.try_get_unchecked(0)?, row.try_get(1)?);
    let kind = if version.contains("MariaDB") { Kind::MariaDb } else { Kind::MySql };
    connection.close().await?;
    Ok((kind, flushes == 1))
}

/// Statements that bound the time of later ones, refuse values that do not fit instead of cutting them, and
/// let each statement see what others have committed.
fn settings_of(kind: Kind, settings: &ConnectionSettings) -> String {
    let ConnectionSettings { lock_timeout, statement_timeout, .. } = settings;
    let limit = match kind {
        Kind::MariaDb => {
            format!("max_statement_time = {}", statement_timeout.as_secs().min(LONGEST_OF_MARIADB))
        }
        Kind::MySql => {
            format!("max_execution_time = {}", statement_timeout.as_millis().min(LONGEST_OF_MYSQL))
        }
    };
    format!(
        "SET SESSION autocommit = 1, sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES'), \
         innodb_lock_wait_timeout = {}, {limit}; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        lock_timeout.as_secs().clamp(1, LONGEST_WAIT)
    )
}
