//! Why a command failed, and with which exit code.

use std::{io, net::SocketAddr, path::PathBuf, process::ExitCode};

use quadrille::{provider::store::StoreError, seal::KeyRingError};

use crate::config::ConfigError;

/// Why a command failed. Each kind has its exit code, which `quadrille --help` lists.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key ring cannot be used.
    #[error("the key ring in {place}: {error}")]
    Keys {
        /// A file or an environment variable.
        place: String,
        /// What is wrong with it.
        error: KeyRingError,
    },
    /// A file or folder cannot be used.
    #[error("{}: {}", path.display(), describe(error))]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The database cannot be used.
    #[error("the database {}: {error}{}", path.display(), advice(error))]
    Database {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        error: StoreError,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {}", describe(error))]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// There is no such user, client or token.
    #[error("there is no {what} {name:?}")]
    NotFound {
        /// `user`, `client` and so on.
        what: &'static str,
        /// As it was asked for.
        name: String,
    },
    /// There is one already.
    #[error("there is a {what} {name:?} already")]
    Exists {
        /// `user`, `client` and so on.
        what: &'static str,
        /// As it was asked for.
        name: String,
    },
    /// What was given to a command cannot be taken.
    #[error("{0}")]
    Refused(Refused),
    /// The system refused something that it never should.
    #[error("{}", describe(.0))]
    System(#[from] io::Error),
}

/// What was given to a command cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Too easy to guess.
    #[error("a password needs at least {least} characters")]
    PasswordTooShort {
        /// How many.
        least: usize,
    },
    /// Longer than the sign-in page takes.
    #[error("a password may have {most} bytes at most")]
    PasswordTooLong {
        /// How many.
        most: usize,
    },
    /// Typed differently the second time.
    #[error("the two passwords differ")]
    PasswordsDiffer,
    /// Nobody is there to type one.
    #[error("there is no terminal to ask for a password; use --password-stdin")]
    NoTerminal,
    /// Not a name.
    #[error(
        "a user name has 1 to 64 characters, none of them a control character or a space at either end"
    )]
    UserName,
    /// Not a redirect URI that can be registered.
    #[error("{uri:?} is no redirect URI: {reason}")]
    RedirectUri {
        /// As given.
        uri: String,
        /// Why not.
        reason: &'static str,
    },
    /// A grant that sends people back needs a place to send them to.
    #[error("a client with the grant authorization_code needs --redirect-uri")]
    NoRedirectUri,
    /// Not a scope.
    #[error("{0:?} is no scope: printable ASCII without quotation marks, backslashes and spaces")]
    Scope(String),
    /// A client without a secret cannot act for itself.
    #[error("a public client cannot use the grant client_credentials: it has no secret")]
    PublicClientCredentials,
    /// Public clients have no secret.
    #[error("the client {0:?} is public: it has no secret to rotate")]
    NoSecret(String),
    /// The issuer changed while others serve under the old one.
    #[error(
        "this data directory is being served as {current}; stop that before serving it as {asked}"
    )]
    IssuerInUse {
        /// The one that is served.
        current: String,
        /// The one that was asked for.
        asked: String,
    },
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Failure {
    /// The exit code of the program.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::System(_) => 1,
            // 2 is clap's: the command line itself makes no sense.
            Self::Refused(_) => 2,
            Self::Config(_) | Self::Keys { .. } => 3,
            Self::File { .. } | Self::Database { .. } => 4,
            Self::Listen { .. } => 5,
            Self::NotFound { .. } => 6,
            Self::Exists { .. } => 7,
        })
    }

    /// A word for programs that read the error as JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Keys { .. } => "keys",
            Self::File { .. } => "file",
            Self::Database { error, .. } => match error {
                StoreError::Busy => "database_locked",
                StoreError::Full => "database_full",
                StoreError::ReadOnly => "database_read_only",
                StoreError::Newer { .. } => "database_newer",
                _ => "database",
            },
            Self::Listen { error, .. } if error.kind() == io::ErrorKind::AddrInUse => {
                "address_in_use"
            }
            Self::Listen { .. } => "listen",
            Self::NotFound { .. } => "not_found",
            Self::Exists { .. } => "exists",
            Self::Refused(_) => "refused",
            Self::System(_) => "system",
        }
    }
}

/// What the operator can do about it.
fn advice(error: &StoreError) -> &'static str {
    match error {
        StoreError::Busy => {
            "; another program holds it, for example a backup: try again when it is done"
        }
        StoreError::Full => "; make room and start again, nothing that was answered is lost",
        StoreError::ReadOnly => "; make the file and its folder writable for this user",
        StoreError::Newer { .. } => {
            "; use the newer program, or the backup from before the upgrade"
        }
        _ => "",
    }
}

/// The system's words without the number of the error.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there already".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}
