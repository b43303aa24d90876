//! The database.

use std::fmt;

use toml::Value;
use url::Url;

use super::{
    error::{ConfigError, Origin},
    found::Found,
    value::Expected,
};

/// The URL of a database of PostgreSQL: `postgres://USER@HOST/DATABASE`. Its password is never
/// shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

impl PostgresUrl {
    /// Reads a URL with the scheme `postgres` or `postgresql`.
    ///
    /// # Errors
    /// [`Expected::Database`].
    pub fn parse(text: &str) -> Result<Self, Expected> {
        let url = Url::parse(text.trim()).map_err(|_| Expected::Database)?;
        match matches!(url.scheme(), "postgres" | "postgresql") {
            true => Ok(Self(url)),
            false => Err(Expected::Database),
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
    let origin = found.values.get("database").map(|(origin, _)| origin.clone());
    let parse = |value: &Value| value.as_str().map_or(Err(Expected::Database), PostgresUrl::parse);
    let url = found.optional("database", parse, PostgresUrl::to_string, "embedded, in data_dir")?;
    match (&url, origin) {
        (Some(url), Some(origin @ (Origin::Flag(_) | Origin::File(_)))) if url.has_password() => {
            Err(ConfigError::DatabasePassword { origin })
        }
        _ => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
