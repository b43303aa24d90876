//! Errors in settings.

use std::{fmt, path::PathBuf};

use quadrille::{jose::KeySetError, provider::TrustedIssuerError};
use serde::Serialize;

use crate::words::{Quoted, describe, did_you_mean};

use super::value::Expected;

/// An error in a setting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {}", path.display(), describe(error))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: std::io::Error,
    },
    /// The file is not valid TOML.
    #[error("{}: {error}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The position in the file, and the reason.
        error: Box<toml::de::Error>,
    },
    /// There is no such setting.
    #[error("{origin}: there is no setting {}{}", Quoted(name), did_you_mean(*nearest))]
    Unknown {
        /// The origin of the value.
        origin: Origin,
        /// The name as written.
        name: String,
        /// The known name that is closest.
        nearest: Option<&'static str>,
    },
    /// A value is not valid.
    #[error("{origin}: {key} must be {expected}")]
    Invalid {
        /// The origin of the value.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// The values that the setting accepts.
        expected: Expected,
    },
    /// A client whose refresh failed in the database could not repeat it in time.
    #[error(
        "refresh_repeat_window is {window}, and must be at least {least}{}: a client that repeats a \
         refresh whose answer it did not get would be taken for a thief, and its user logged out",
        statement.as_ref().map_or_else(String::new, |timeout| format!(
            " while database_statement_timeout is {timeout}"
        ))
    )]
    RepeatWindowTooShort {
        /// The time in which a refresh token may be repeated.
        window: String,
        /// The shortest one.
        least: String,
        /// The longest time that a statement runs, in a database on a server.
        statement: Option<String>,
    },
    /// A stolen refresh token could be used for too long.
    #[error(
        "refresh_repeat_window must be at most {longest}: within it, the use of a stolen refresh token \
         may pass for a repeat"
    )]
    RepeatWindowTooLong {
        /// The longest time.
        longest: String,
    },
    /// A scope is named that the setting `scopes` does not have.
    #[error(
        "{key}: there is no scope {} among the setting scopes{}",
        Quoted(name),
        did_you_mean(nearest.as_deref())
    )]
    UnknownScope {
        /// The setting that names the scope.
        key: &'static str,
        /// The scope as written.
        name: String,
        /// The known scope that is closest.
        nearest: Option<String>,
    },
    /// A setting names a claim that does not exist, or that it may not name.
    #[error(
        "{key}: there is no claim {} for it{}",
        Quoted(name),
        did_you_mean(nearest.as_deref())
    )]
    UnknownClaim {
        /// The setting that names the claim.
        key: &'static str,
        /// The claim as written.
        name: String,
        /// The known claim that is closest.
        nearest: Option<String>,
    },
    /// The file with certificate authorities cannot be used.
    #[error("certificate_authorities: {}: {error}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: std::io::Error,
    },
    /// A scope that implies `openid`.
    #[error("{key}: no scope implies \"openid\", for which users are asked by itself")]
    ImpliedOpenId {
        /// The setting with the scope.
        key: &'static str,
    },
    /// A setting names a grant type that does not exist.
    #[error("{key}: there is no grant type {}{}", Quoted(name), did_you_mean(nearest.as_deref()))]
    UnknownGrantType {
        /// The setting that names the grant type.
        key: &'static str,
        /// The grant type as written.
        name: String,
        /// The known grant type that is closest.
        nearest: Option<String>,
    },
    /// A setting names a grant type that is off.
    #[error("{key}: {name} is not offered without the setting {needed}")]
    GrantTypeOff {
        /// The setting that names the grant type.
        key: &'static str,
        /// The grant type.
        name: String,
        /// The setting that offers the grant type.
        needed: &'static str,
    },
    /// A path is that of something else, or below it.
    #[error(
        "{key}: {path} is taken: what is at or below {taken} is another page or endpoint; choose \
         another path"
    )]
    PathTaken {
        /// The setting.
        key: &'static str,
        /// The path.
        path: String,
        /// The path of something else.
        taken: String,
    },
    /// Clients that register themselves need a software statement, and no issuer of them is trusted.
    #[error(
        "registration_requires_software_statement: nobody could register, since no issuer in \
         trusted_issuers is trusted_for software-statements"
    )]
    NoStatementIssuer,
    /// A setting names an API that `resources` does not have.
    #[error(
        "{key}: there is no API {} among the setting resources{}",
        Quoted(uri),
        did_you_mean(nearest.as_deref())
    )]
    UnknownResource {
        /// The setting that names the API.
        key: &'static str,
        /// The URI as written.
        uri: String,
        /// The known URI that is closest.
        nearest: Option<String>,
    },
    /// An issuer cannot be trusted as it is written.
    #[error("trusted_issuers: {}: {fault}", Quoted(issuer))]
    Issuer {
        /// The issuer.
        issuer: String,
        /// The reason.
        fault: IssuerFault,
    },
    /// A rule of token exchange cannot be kept as it is written.
    #[error("token_exchange: {}: {fault}", Quoted(client))]
    Exchange {
        /// The `client_id` that the rule is for.
        client: String,
        /// The reason.
        fault: ExchangeFault,
    },
    /// A secret is in a place that others can read, such as a file that people copy.
    #[error("{origin}: {key} is a secret; give it in the environment variable {variable}")]
    Secret {
        /// The origin of the value.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// The environment variable for the secret.
        variable: &'static str,
    },
    /// The URL of the database has a password, in a place that others can read.
    #[error(
        "{origin}: the URL of the database has a password; give the URL in the environment variable \
         QUADRILLE_DATABASE, or for PostgreSQL the password alone in PGPASSWORD or a file of PGPASSFILE"
    )]
    DatabasePassword {
        /// The origin of the URL.
        origin: Origin,
    },
    /// A setting is for a database on a server, and the database is the embedded one.
    #[error("{origin}: {key} is for a database on a server, and the setting database is missing")]
    DatabaseMissing {
        /// The origin of the value.
        origin: Origin,
        /// The setting.
        key: &'static str,
    },
    /// A setting is for PostgreSQL, and the database is one of MariaDB or MySQL.
    #[error(
        "{origin}: {key} is for a database of PostgreSQL, and the setting database names another one"
    )]
    OnlyPostgres {
        /// The origin of the value.
        origin: Origin,
        /// The setting.
        key: &'static str,
    },
    /// The URL of the cache has a password, in a place that others can read.
    #[error(
        "{origin}: the URL of the cache has a password; give the URL in the environment variable \
         QUADRILLE_CACHE"
    )]
    CachePassword {
        /// The origin of the URL.
        origin: Origin,
    },
    /// The setting is for the embedded database.
    #[error("{0} has no effect with the setting database: {1}")]
    Embedded(&'static str, &'static str),
    /// The data directory is not set, and has no default without `HOME`.
    #[error("cannot tell where to keep data: HOME is not set; give --data-dir")]
    NoDataDir,
}

/// The reason why an issuer in the settings is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerFault {
    /// The members are not those of an issuer.
    #[error("{}", .0.message())]
    Members(Box<toml::de::Error>),
    /// The issuer has no keys, or several sources of them.
    #[error("it needs jwks, jwks_file or jwks_uri, one of them")]
    OneSource,
    /// The file of the keys cannot be read.
    #[error("{}: {}", path.display(), describe(error))]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: std::io::Error,
    },
    /// The keys are not a JWK Set.
    #[error("its keys: {0}")]
    Keys(#[from] KeySetError),
    /// The issuer cannot be trusted.
    #[error(transparent)]
    Issuer(#[from] TrustedIssuerError),
    /// The algorithms are none, unknown, or need a secret.
    #[error("algorithms: some of those with public keys, such as [\"ES256\", \"EdDSA\"]")]
    Algorithms,
    /// The issuer is trusted for nothing.
    #[error("trusted_for is empty: name jwt-bearer, token-exchange or software-statements")]
    NoPurpose,
    /// The users of the issuer's subjects are not known.
    #[error(
        "subjects says which users its subjects are: a table such as {{ \"17\" = \"ada\" }}, or \
         \"user-names\" if the issuer may get tokens for every user, by name"
    )]
    Subjects,
    /// The setting has no effect.
    #[error("{0} has no effect with this trusted_for")]
    Unused(&'static str),
}

/// The reason why a rule of token exchange in the settings is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeFault {
    /// The members are not those of a rule.
    #[error("{}", .0.message())]
    Members(Box<toml::de::Error>),
    /// The rule allows nothing.
    #[error("it needs tokens_of, with client_ids, or jwts_of, with issuers")]
    NoTokens,
    /// An issuer is not trusted for token exchange.
    #[error(
        "jwts_of: no issuer {} in trusted_issuers is trusted_for token-exchange{}",
        Quoted(issuer),
        did_you_mean(nearest.as_deref())
    )]
    UntrustedIssuer {
        /// The issuer as written.
        issuer: String,
        /// The trusted issuer that is closest.
        nearest: Option<String>,
    },
    /// An API is not in the setting `resources`.
    #[error(
        "there is no API {} among the setting resources{}",
        Quoted(uri),
        did_you_mean(nearest.as_deref())
    )]
    UnknownResource {
        /// The URI as written.
        uri: String,
        /// The known URI that is closest.
        nearest: Option<String>,
    },
}

/// The origin of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag(&'static str),
    /// An environment variable.
    Environment(String),
    /// The configuration file.
    File(PathBuf),
    /// The data in this folder, which remembers it from an earlier start.
    Data(PathBuf),
    /// The default of the program.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => f.write_str(variable),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Data(folder) => write!(f, "given before, and remembered in {}", folder.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
