//! The names of all settings.

use super::{ConfigError, Origin};

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    /// Whether it must stay out of files and command lines, which others can read.
    pub secret: bool,
    /// What it is for.
    pub about: &'static str,
}

const fn key(name: &'static str, variable: &'static str, about: &'static str) -> Key {
    Key { name, variable, secret: false, about }
}

/// Every setting there is.
pub const KEYS: &[Key] = &[
    key("data_dir", "QUADRILLE_DATA_DIR", "folder of the database and the key ring"),
    key("listen", "QUADRILLE_LISTEN", "address and port to listen on"),
    key("issuer", "QUADRILLE_ISSUER", "public URL of the provider: its name in every token"),
    key("name", "QUADRILLE_NAME", "what people call this site, on every page"),
    key(
        "trusted_proxies",
        "QUADRILLE_TRUSTED_PROXIES",
        "addresses (CIDR) whose Forwarded and X-Forwarded-For headers are believed",
    ),
    key("templates", "QUADRILLE_TEMPLATES", "folder with pages that replace the built-in ones"),
    Key {
        name: "keys",
        variable: "QUADRILLE_KEYS",
        secret: true,
        about: "key ring, newest first, separated by commas; for processes on several machines",
    },
    key("keys_file", "QUADRILLE_KEYS_FILE", "file with the key ring; made at the first start"),
    key(
        "scopes",
        "QUADRILLE_SCOPES",
        "scopes and what they let an application do, as people read it",
    ),
    key(
        "resources",
        "QUADRILLE_RESOURCES",
        "URIs of the APIs elsewhere that take tokens of this provider",
    ),
    key("session_lifetime", "QUADRILLE_SESSION_LIFETIME", "how long a person stays signed in"),
    key("code_lifetime", "QUADRILLE_CODE_LIFETIME", "how long an authorization code is good"),
    key(
        "access_token_lifetime",
        "QUADRILLE_ACCESS_TOKEN_LIFETIME",
        "how long an access token is good",
    ),
    key(
        "refresh_token_idle_lifetime",
        "QUADRILLE_REFRESH_TOKEN_IDLE_LIFETIME",
        "how long a refresh token may lie unused",
    ),
    key(
        "refresh_token_total_lifetime",
        "QUADRILLE_REFRESH_TOKEN_TOTAL_LIFETIME",
        "how long refreshing may go on after a person consented",
    ),
    key(
        "header_timeout",
        "QUADRILLE_HEADER_TIMEOUT",
        "how long the head of a request may take, and a connection lie idle",
    ),
    key("body_timeout", "QUADRILLE_BODY_TIMEOUT", "how long the body of a request may take"),
    key(
        "shutdown_timeout",
        "QUADRILLE_SHUTDOWN_TIMEOUT",
        "how long requests under way may take after a signal to stop",
    ),
    key(
        "max_connections",
        "QUADRILLE_MAX_CONNECTIONS",
        "how many connections are held at once; more wait",
    ),
    key(
        "log",
        "QUADRILLE_LOG",
        "off, error, warn, info, debug or trace, also by part: info,quadrille::request=debug",
    ),
    key("log_format", "QUADRILLE_LOG_FORMAT", "text or json"),
];

/// The setting of this name.
pub(super) fn find(
    name: &str,
    origin: impl FnOnce() -> Origin,
) -> Result<&'static Key, ConfigError> {
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return Ok(key);
    }
    let nearest = KEYS
        .iter()
        .map(|key| (strsim::jaro_winkler(key.name, name), key.name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name);
    Err(ConfigError::Unknown { origin: origin(), name: name.to_owned(), nearest })
}
