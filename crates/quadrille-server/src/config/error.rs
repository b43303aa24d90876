//! What is wrong with a setting, and where it stands.

use std::{fmt, path::PathBuf};

use serde::Serialize;

use crate::words::{Quoted, describe, did_you_mean};

use super::value::Expected;

/// What is wrong with a setting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {}", path.display(), describe(error))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{}: {error}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// There is no such setting.
    #[error("{origin}: there is no setting {}{}", Quoted(name), did_you_mean(*nearest))]
    Unknown {
        /// Where it stands.
        origin: Origin,
        /// As it stands there.
        name: String,
        /// The one that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A value makes no sense.
    #[error("{origin}: {key} must be {expected}")]
    Invalid {
        /// Where it stands.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// What it must be.
        expected: Expected,
    },
    /// A scope is named that the setting `scopes` does not have.
    #[error("{key}: there is no scope {} among the setting scopes{}", Quoted(name), did_you_mean(nearest.as_deref()))]
    UnknownScope {
        /// Which setting names it.
        key: &'static str,
        /// As it stands there.
        name: String,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// It must not stand in a file that people copy around.
    #[error("{origin}: {key} is a secret; give it in the environment variable {variable}")]
    Secret {
        /// Where it stands.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// Where it belongs.
        variable: &'static str,
    },
    /// Neither given nor to be guessed.
    #[error("cannot tell where to keep data: HOME is not set; give --data-dir")]
    NoDataDir,
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag(&'static str),
    /// An environment variable.
    Environment(String),
    /// The file.
    File(PathBuf),
    /// Nowhere: this is what the program does by itself.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => f.write_str(variable),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
