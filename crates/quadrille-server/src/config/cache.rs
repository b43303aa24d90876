//! The cache of short-lived records.

use std::{fmt, path::PathBuf};

use toml::Value;
use url::Url;

use super::{
    error::{ConfigError, Origin},
    found::Found,
    value::Expected,
};

/// The port of memcached.
const MEMCACHED: u16 = 11_211;

/// The place of the cache of short-lived records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CachePlace {
    /// None: they are in the database.
    #[default]
    None,
    /// The memory of this process.
    Memory,
    /// The files of a folder.
    Files(PathBuf),
    /// A server of Redis or Valkey.
    Redis(RedisUrl),
    /// A server of memcached: its host and port.
    Memcached(String),
}

/// The URL of a server of Redis or Valkey. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(Url);

impl RedisUrl {
    /// The URL, with its password.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        if shown.password().is_some() {
            let _ = shown.set_password(Some("***"));
        }
        fmt::Display::fmt(&shown, f)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl CachePlace {
    /// Reads `none`, `memory`, `files:DIR` or a URL.
    ///
    /// # Errors
    /// [`Expected::Cache`].
    pub fn parse(text: &str) -> Result<Self, Expected> {
        match text.trim() {
            "none" => return Ok(Self::None),
            "memory" => return Ok(Self::Memory),
            _ => {}
        }
        if let Some(folder) = text.trim().strip_prefix("files:") {
            let is_named = !folder.is_empty() && !folder.starts_with("//");
            return is_named.then(|| Self::Files(folder.into())).ok_or(Expected::Cache);
        }
        let url = Url::parse(text.trim()).map_err(|_| Expected::Cache)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Expected::Cache)?;
        match url.scheme() {
            "memcached" if matches!(url.path(), "" | "/") && url.username().is_empty() => {
                let port = url.port().unwrap_or(MEMCACHED);
                Ok(Self::Memcached(format!("{host}:{port}")))
            }
            "redis" | "rediss" => Ok(Self::Redis(RedisUrl(url))),
            _ => Err(Expected::Cache),
        }
    }

    fn has_password(&self) -> bool {
        matches!(self, Self::Redis(RedisUrl(url)) if url.password().is_some())
    }
}

impl fmt::Display for CachePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Memory => f.write_str("memory"),
            Self::Files(folder) => write!(f, "files:{}", folder.display()),
            Self::Redis(url) => fmt::Display::fmt(url, f),
            Self::Memcached(address) => write!(f, "memcached://{address}"),
        }
    }
}

/// The setting `cache`.
pub(super) fn of(found: &mut Found) -> Result<CachePlace, ConfigError> {
    let origin = found.values.get("cache").map(|(origin, _)| origin.clone());
    let parse = |value: &Value| value.as_str().map_or(Err(Expected::Cache), CachePlace::parse);
    let place = found.or("cache", parse, ToString::to_string, CachePlace::None)?;
    if place.has_password() {
        found.keep_out_of_files("cache");
    }
    match origin {
        Some(origin @ (Origin::Flag(_) | Origin::File(_))) if place.has_password() => {
            Err(ConfigError::CachePassword { origin })
        }
        _ => Ok(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_shown_as_it_was_written_without_its_password() {
        for (text, shown) in [
            ("none", "none"),
            ("memory", "memory"),
            ("files:/var/cache/id", "files:/var/cache/id"),
            ("redis://cache.internal", "redis://cache.internal"),
            ("rediss://cache.internal:6380/2", "rediss://cache.internal:6380/2"),
            ("redis://:hunter2@cache/", "redis://:***@cache/"),
            ("redis://id:hunter2@cache/", "redis://id:***@cache/"),
            ("memcached://cache", "memcached://cache:11211"),
            ("memcached://[::1]:11212", "memcached://[::1]:11212"),
        ] {
            let place = CachePlace::parse(text).unwrap();
            assert_eq!(place.to_string(), shown);
            assert!(!format!("{place:?}").contains("hunter2"));
            assert_eq!(place.has_password(), text.contains("hunter2"));
        }
        for text in ["", "redis", "redis:", "files:", "files:///x", "http://cache", "postgres://db"]
        {
            assert_eq!(CachePlace::parse(text), Err(Expected::Cache), "{text}");
        }
    }
}
