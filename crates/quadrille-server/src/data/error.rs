//! Why a data directory cannot be used.

use std::{io, net::SocketAddr, path::PathBuf};

use quadrille::{
    provider::{IssuerError, store::StoreError},
    seal::KeyRingError,
};

use crate::words::describe;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The key ring cannot be used.
    #[error("the key ring in {place}: {error}")]
    Keys {
        /// A file or an environment variable.
        place: String,
        /// What is wrong with it.
        error: KeyRingError,
    },
    /// There was a key ring, and now there is none.
    #[error(
        "the key ring {path} is missing, and without it everything that {issuer} issued is invalid: restore {path} from a backup, or make a new key ring, which ends every session and every token: (umask 077; openssl rand -base64 32 > {path})",
        path = path.display()
    )]
    KeysLost {
        /// Where it should be.
        path: PathBuf,
        /// What the directory is called.
        issuer: String,
    },
    /// A file or folder of the directory cannot be used.
    #[error("{}: {}", path.display(), describe(error))]
    File {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The database cannot be used.
    #[error("{}: {error}", path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        error: StoreError,
    },
    /// Requests of OAuth 1.0a could come twice, once to each process.
    #[error(
        "another process serves this data directory with OAuth 1.0a, and processes do not share the requests that they have seen: set oauth1.several_processes = true for all of them"
    )]
    NoncesNotShared,
    /// A command was told another issuer than the directory has.
    #[error(
        "this data directory has the issuer {current}, not {asked}; only `quadrille serve --rename-issuer` changes that"
    )]
    OtherIssuer {
        /// What the directory is called.
        current: String,
        /// The one that was asked for.
        asked: String,
    },
    /// The directory would be served under another name than it was given.
    #[error(
        "this data directory has the issuer {current}; with the issuer {asked}, existing tokens become invalid, and every client needs the new issuer. To rename it, add --rename-issuer"
    )]
    IssuerRenamed {
        /// What the directory is called.
        current: String,
        /// The one that was asked for.
        asked: String,
    },
    /// The issuer changed while others serve under the old one.
    #[error(
        "another process serves this data directory with the issuer {current}: to serve it with one more process, give --issuer {current}; to serve it as {asked}, stop the other process first"
    )]
    IssuerInUse {
        /// The one that is served.
        current: String,
        /// The one that was asked for.
        asked: String,
    },
    /// Passwords would cross a network in the clear.
    #[error(
        "listening on {0}, which others can reach, needs an https issuer: give --issuer https://... (and put a proxy that speaks TLS in front), or listen on a loopback address"
    )]
    PlainIssuer(SocketAddr),
    /// The recorded issuer is none.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}
