//! The database.

use std::{fmt, time::Duration};

use sqlx::{mysql::MySqlConnectOptions, postgres::PgConnectOptions};
use toml::Value;
use url::Url;

use super::{
    error::{ConfigError, Origin},
    found::Found,
    shown,
    value::{self, Expected},
};

/// The values of `sslmode` of PostgreSQL.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// The values of `ssl-mode` of MariaDB and MySQL, in any case.
const MYSQL_SSL_MODES: [&str; 5] =
    ["disabled", "preferred", "required", "verify_ca", "verify_identity"];

/// How a process uses its connections to a database on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// The greatest number of connections.
    pub connections: u32,
    /// The time for which `serve` waits at its start for the server.
    pub wait: Duration,
    /// The longest time that a statement waits for a lock.
    pub lock_timeout: Duration,
    /// The longest time that a statement runs.
    pub statement_timeout: Duration,
    /// Whether statements are prepared. `None` unless a pooler in transaction mode stands before the
    /// database.
    pub prepared_statements: Option<bool>,
    /// Whether the keys of tables do not rise with time. `None` is the choice of the tables, and for new ones
    /// `false`.
    pub hashed_keys: Option<bool>,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            connections: 16,
            wait: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            prepared_statements: None,
            hashed_keys: None,
        }
    }
}

/// The time after which a statement is given up that the server should have given up.
const GRACE: Duration = Duration::from_secs(2);

impl ConnectionSettings {
    /// The longest time until a statement is answered or given up.
    pub fn longest_statement(&self) -> Duration {
        self.statement_timeout.saturating_add(GRACE)
    }

    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let usual = Self::default();
        let most = usual.connections as usize;
        let connections =
            found.or("database_connections", value::count, ToString::to_string, most)?;
        Ok(Self {
            connections: u32::try_from(connections).unwrap_or(u32::MAX),
            wait: found.or(
                "database_wait",
                value::duration_or_none,
                |wait| shown::duration(*wait),
                usual.wait,
            )?,
            lock_timeout: found.duration("database_lock_timeout", usual.lock_timeout)?,
            statement_timeout: found
                .duration("database_statement_timeout", usual.statement_timeout)?,
            prepared_statements: found.optional(
                "database_prepared_statements",
                value::switch,
                ToString::to_string,
                "unless a pooler in transaction mode stands before the database",
            )?,
            hashed_keys: found.optional(
                "database_hashed_keys",
                value::switch,
                ToString::to_string,
                "as the tables have it; new ones: false",
            )?,
        })
    }
}

/// The kind of a database on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// PostgreSQL.
    Postgres,
    /// MariaDB or MySQL.
    MySql,
}

/// The URL of a database on a server: `postgres://USER@HOST/DATABASE` or `mysql://USER@HOST/DATABASE`. Its
/// password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    url: Url,
    kind: DatabaseKind,
}

impl DatabaseUrl {
    /// Reads a URL with the scheme `postgres`, `postgresql`, `mysql` or `mariadb`.
    ///
    /// # Errors
    /// [`Expected::Database`], [`Expected::SslMode`] or [`Expected::MySqlSslMode`].
    pub fn parse(text: &str) -> Result<Self, Expected> {
        let url = Url::parse(text.trim()).map_err(|_| Expected::Database)?;
        let modes = |name: fn(&str) -> bool| {
            let of_name = url.query_pairs().filter(move |(key, _)| name(key));
            of_name.map(|(_, mode)| mode.into_owned()).collect::<Vec<_>>()
        };
        let (kind, is_read) = match url.scheme() {
            "postgres" | "postgresql" => {
                let modes = modes(|name| name == "sslmode");
                if modes.iter().any(|mode| !SSL_MODES.contains(&&**mode)) {
                    return Err(Expected::SslMode);
                }
                (DatabaseKind::Postgres, url.as_str().parse::<PgConnectOptions>().is_ok())
            }
            "mysql" | "mariadb" => {
                let modes = modes(|name| matches!(name, "ssl-mode" | "sslmode"));
                let is_known =
                    |mode: &String| MYSQL_SSL_MODES.contains(&&*mode.to_ascii_lowercase());
                if !modes.iter().all(is_known) {
                    return Err(Expected::MySqlSslMode);
                }
                // A URL without a database connects, and finds no tables.
                let has_name = url.path().len() > 1;
                let is_read = url.as_str().parse::<MySqlConnectOptions>().is_ok();
                (DatabaseKind::MySql, has_name && is_read)
            }
            _ => return Err(Expected::Database),
        };
        if is_read { Ok(Self { url, kind }) } else { Err(Expected::Database) }
    }

    /// Reads the URL of a database of PostgreSQL.
    fn parse_postgres(text: &str) -> Result<Self, Expected> {
        let url = Self::parse(text).map_err(|expected| match expected {
            Expected::MySqlSslMode | Expected::Database => Expected::Postgres,
            expected => expected,
        })?;
        if url.kind == DatabaseKind::Postgres { Ok(url) } else { Err(Expected::Postgres) }
    }

    /// The kind of the database.
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// `true` if the URL has a parameter of this name.
    pub fn has(&self, parameter: &str) -> bool {
        self.url.query_pairs().any(|(name, _)| name == parameter)
    }

    /// `true` if the URL has a password.
    pub fn has_password(&self) -> bool {
        self.url.password().is_some() || self.has("password")
    }

    /// The URL, with its password.
    pub fn expose(&self) -> &str {
        self.url.as_str()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.url.clone();
        // Parameters may have a password, and the paths of keys are of no interest.
        shown.set_query(None);
        if shown.password().is_some() {
            let _ = shown.set_password(Some("***"));
        }
        fmt::Display::fmt(&shown, f)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The setting `database`. `None` is the embedded database.
pub(super) fn of(found: &mut Found) -> Result<Option<DatabaseUrl>, ConfigError> {
    url(found, "database", any, "embedded, in data_dir")
}

/// The setting `database_direct`: the same database without a pooler between.
pub(super) fn direct(found: &mut Found) -> Result<Option<DatabaseUrl>, ConfigError> {
    url(found, "database_direct", postgres, "as database")
}

/// Read-only replicas of a shared database.
#[derive(Clone, Debug)]
pub struct ReadFrom {
    /// The streaming standbys.
    pub urls: Vec<DatabaseUrl>,
    /// The longest time by which one may lag and still be asked.
    pub max_lag: Duration,
}

impl ReadFrom {
    /// The settings `read_from` and `read_from_max_lag`.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let origin = found.values.get("read_from").map(|(origin, _)| origin.clone());
        let parse = |value: &Value| {
            let urls = value::list(value, Expected::Postgres)?;
            urls.iter().map(|url| DatabaseUrl::parse_postgres(url)).collect()
        };
        let urls = found.or("read_from", parse, |urls| shown::list(urls), Vec::new())?;
        refuse_passwords(&urls, origin)?;
        if urls.iter().any(DatabaseUrl::has_password) {
            found.keep_out_of_files("read_from");
        }
        let max_lag = found.duration("read_from_max_lag", Duration::from_secs(10))?;
        Ok(Self { urls, max_lag })
    }
}

/// Refuses settings that say nothing about this database: the operator has forgotten it, or named another
/// kind.
pub(super) fn refuse_unfit(
    found: &Found,
    database: Option<&DatabaseUrl>,
) -> Result<(), ConfigError> {
    let is_set = |key| found.values.get(key).map(|(origin, _)| (origin.clone(), key));
    match database.map(DatabaseUrl::kind) {
        None => match ["database_direct", "read_from"].into_iter().find_map(is_set) {
            Some((origin, key)) => Err(ConfigError::DatabaseMissing { origin, key }),
            None => Ok(()),
        },
        Some(DatabaseKind::Postgres) => Ok(()),
        Some(DatabaseKind::MySql) => match OF_POSTGRES.into_iter().find_map(is_set) {
            Some((origin, key)) => Err(ConfigError::OnlyPostgres { origin, key }),
            None => Ok(()),
        },
    }
}

/// The settings of databases of PostgreSQL alone.
const OF_POSTGRES: [&str; 4] =
    ["database_direct", "database_hashed_keys", "database_prepared_statements", "read_from"];

/// Flags and files may be read by others.
fn refuse_passwords<'u>(
    urls: impl IntoIterator<Item = &'u DatabaseUrl>,
    origin: Option<Origin>,
) -> Result<(), ConfigError> {
    let has_password = urls.into_iter().any(DatabaseUrl::has_password);
    match origin {
        Some(origin @ (Origin::Flag(_) | Origin::File(_))) if has_password => {
            Err(ConfigError::DatabasePassword { origin })
        }
        _ => Ok(()),
    }
}

/// A database of any kind.
fn any(value: &Value) -> Result<DatabaseUrl, Expected> {
    value.as_str().map_or(Err(Expected::Database), DatabaseUrl::parse)
}

fn postgres(value: &Value) -> Result<DatabaseUrl, Expected> {
    value.as_str().map_or(Err(Expected::Postgres), DatabaseUrl::parse_postgres)
}

fn url(
    found: &mut Found,
    key: &'static str,
    parse: fn(&Value) -> Result<DatabaseUrl, Expected>,
    absent: &str,
) -> Result<Option<DatabaseUrl>, ConfigError> {
    let origin = found.values.get(key).map(|(origin, _)| origin.clone());
    let url = found.optional(key, parse, DatabaseUrl::to_string, absent)?;
    refuse_passwords(&url, origin)?;
    if url.as_ref().is_some_and(DatabaseUrl::has_password) {
        found.keep_out_of_files(key);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_of_a_replica_is_refused_where_others_can_read_it() {
        let urls = ["postgres://one/id", "postgres://id:hunter2@two/id"];
        let urls = urls.map(|url| DatabaseUrl::parse(url).unwrap());
        let flag = || Some(Origin::Flag("--read-from"));
        assert!(matches!(
            refuse_passwords(&urls, flag()),
            Err(ConfigError::DatabasePassword { origin: Origin::Flag("--read-from") })
        ));
        assert!(refuse_passwords(&urls[..1], flag()).is_ok());
        assert!(refuse_passwords(&urls, None).is_ok());
    }

    #[test]
    fn a_password_is_noticed_wherever_it_is_and_never_shown() {
        for (text, has_password) in [
            ("postgres://id@db.internal/id", false),
            ("postgresql:///id?host=/run/postgresql&sslmode=disable", false),
            ("postgres://id:hunter2@db.internal/id", true),
            ("postgres:///id?password=hunter2", true),
            ("mysql://id@db.internal/id?ssl-mode=VERIFY_CA", false),
            ("mariadb://id:hunter2@db.internal/id", true),
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.has_password(), has_password, "{text}");
            assert!(!format!("{url} {url:?}").contains("hunter2"));
            assert_eq!(url.expose(), text);
        }
        for text in ["mysql://db", "mysql://db/", "quadrille.db", "sqlite:x", ""] {
            assert_eq!(DatabaseUrl::parse(text), Err(Expected::Database), "{text}");
        }
        let mode = "postgres://id@db.internal/id?sslmode=verify";
        assert_eq!(DatabaseUrl::parse(mode), Err(Expected::SslMode));
        let mode = "mysql://id@db.internal/id?ssl-mode=verify-full";
        assert_eq!(DatabaseUrl::parse(mode), Err(Expected::MySqlSslMode));
        assert_eq!(DatabaseUrl::parse_postgres("mysql://db/id"), Err(Expected::Postgres));
    }
}
