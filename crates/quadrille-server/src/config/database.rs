//! The database.

use std::{fmt, time::Duration};

use sqlx::postgres::PgConnectOptions;
use toml::Value;
use url::Url;

use super::{
    error::{ConfigError, Origin},
    found::Found,
    shown,
    value::{self, Expected},
};

/// The values of `sslmode`.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// How a process uses its connections to a database of PostgreSQL.
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

/// The URL of a database of PostgreSQL: `postgres://USER@HOST/DATABASE`. Its password is never
/// shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

impl PostgresUrl {
    /// Reads a URL with the scheme `postgres` or `postgresql`.
    ///
    /// # Errors
    /// [`Expected::Database`] or [`Expected::SslMode`].
    pub fn parse(text: &str) -> Result<Self, Expected> {
        let url = Url::parse(text.trim()).map_err(|_| Expected::Database)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(Expected::Database);
        }
        let mut modes = url.query_pairs().filter(|(name, _)| name == "sslmode");
        if modes.any(|(_, mode)| !SSL_MODES.contains(&&*mode)) {
            return Err(Expected::SslMode);
        }
        match url.as_str().parse::<PgConnectOptions>() {
            Ok(_) => Ok(Self(url)),
            Err(_) => Err(Expected::Database),
        }
    }

    /// `true` if the URL has a parameter of this name.
    pub fn has(&self, parameter: &str) -> bool {
        self.0.query_pairs().any(|(name, _)| name == parameter)
    }

    /// `true` if the URL has a password.
    pub fn has_password(&self) -> bool {
        self.0.password().is_some() || self.has("password")
    }

    /// The URL, with its password.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        // Parameters may have a password, and the paths of keys are of no interest.
        shown.set_query(None);
        if shown.password().is_some() {
            let _ = shown.set_password(Some("***"));
        }
        fmt::Display::fmt(&shown, f)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The setting `database`. `None` is the embedded database.
pub(super) fn of(found: &mut Found) -> Result<Option<PostgresUrl>, ConfigError> {
    url(found, "database", "embedded, in data_dir")
}

/// The setting `database_direct`: the same database without a pooler between.
pub(super) fn direct(found: &mut Found) -> Result<Option<PostgresUrl>, ConfigError> {
    url(found, "database_direct", "as database")
}

/// Read-only replicas of a shared database.
#[derive(Clone, Debug)]
pub struct ReadFrom {
    /// The streaming standbys.
    pub urls: Vec<PostgresUrl>,
    /// The longest time by which one may lag and still be asked.
    pub max_lag: Duration,
}

impl ReadFrom {
    /// The settings `read_from` and `read_from_max_lag`.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let origin = found.values.get("read_from").map(|(origin, _)| origin.clone());
        let parse = |value: &Value| {
            let urls = value::list(value, Expected::Database)?;
            urls.iter().map(|url| PostgresUrl::parse(url)).collect()
        };
        let urls = found.or("read_from", parse, |urls| shown::list(urls), Vec::new())?;
        refuse_passwords(&urls, origin)?;
        if urls.iter().any(PostgresUrl::has_password) {
            found.keep_out_of_files("read_from");
        }
        let max_lag = found.duration("read_from_max_lag", Duration::from_secs(10))?;
        Ok(Self { urls, max_lag })
    }
}

/// Refuses settings that say nothing without a database on a server: the operator has forgotten it.
pub(super) fn refuse_alone(found: &Found) -> Result<(), ConfigError> {
    for key in ["database_direct", "read_from"] {
        if let Some((origin, _)) = found.values.get(key) {
            return Err(ConfigError::DatabaseMissing { origin: origin.clone(), key });
        }
    }
    Ok(())
}

/// Flags and files may be read by others.
fn refuse_passwords<'u>(
    urls: impl IntoIterator<Item = &'u PostgresUrl>,
    origin: Option<Origin>,
) -> Result<(), ConfigError> {
    let has_password = urls.into_iter().any(PostgresUrl::has_password);
    match origin {
        Some(origin @ (Origin::Flag(_) | Origin::File(_))) if has_password => {
            Err(ConfigError::DatabasePassword { origin })
        }
        _ => Ok(()),
    }
}

fn url(
    found: &mut Found,
    key: &'static str,
    absent: &str,
) -> Result<Option<PostgresUrl>, ConfigError> {
    let origin = found.values.get(key).map(|(origin, _)| origin.clone());
    let parse = |value: &Value| value.as_str().map_or(Err(Expected::Database), PostgresUrl::parse);
    let url = found.optional(key, parse, PostgresUrl::to_string, absent)?;
    refuse_passwords(&url, origin)?;
    if url.as_ref().is_some_and(PostgresUrl::has_password) {
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
        let urls = urls.map(|url| PostgresUrl::parse(url).unwrap());
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
        ] {
            let url = PostgresUrl::parse(text).unwrap();
            assert_eq!(url.has_password(), has_password, "{text}");
            assert!(!format!("{url} {url:?}").contains("hunter2"));
            assert_eq!(url.expose(), text);
        }
        for text in ["mysql://db/id", "quadrille.db", "sqlite:x", ""] {
            assert_eq!(PostgresUrl::parse(text), Err(Expected::Database), "{text}");
        }
        let mode = "postgres://id@db.internal/id?sslmode=verify";
        assert_eq!(PostgresUrl::parse(mode), Err(Expected::SslMode));
    }
}
