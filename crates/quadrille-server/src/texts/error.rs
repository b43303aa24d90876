//! The reason why texts cannot be loaded.

use std::{io, path::PathBuf};

use crate::words::describe;

/// The texts cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextsError {
    /// A file or folder cannot be read.
    #[error("{}: {}", path.display(), describe(error))]
    File {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A folder has no language tag for a name.
    #[error("{}: the name of the folder is no language tag such as de or pt-BR", path.display())]
    Tag {
        /// The path.
        path: PathBuf,
    },
    /// A file is not valid.
    #[error("{}: line {line}: {error}", path.display())]
    Syntax {
        /// The path.
        path: PathBuf,
        /// The line of the first error.
        line: usize,
        /// The reason.
        error: String,
    },
    /// There are no texts in the default language.
    #[error("there are no texts in {0}, the default language")]
    NoDefault(String),
}
