//! The failure of a command, and its exit code.

use std::{io, net::SocketAddr, path::PathBuf, process::ExitCode};

use quadrille::provider::{
    self, AdminError, LogoutUriError, MessageMetadataError, OperatorError, RegistrationError,
    store::StoreError,
};

use crate::{
    check::CheckError,
    config::ConfigError,
    data::DataError,
    login::LoginError,
    refused::Refused,
    texts::TextsError,
    users::{NameError, PasswordError, claims::ClaimError},
    web::{AppError, PagesError},
    words::{Quoted, describe},
};

/// The failure of a command. Each kind has its exit code, which `quadrille --help` lists.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file or folder cannot be used.
    #[error("{}: {}", path.display(), describe(error))]
    File {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A file or folder that a setting names cannot be used.
    #[error("{setting}: {}: {}", path.display(), describe(error))]
    SettingFile {
        /// The setting.
        setting: &'static str,
        /// The path.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A page cannot be read.
    #[error(transparent)]
    Pages(#[from] PagesError),
    /// The authorization server cannot work.
    #[error(transparent)]
    Server(#[from] AppError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {}", describe(error))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        error: io::Error,
    },
    /// There is no such user, client or token.
    #[error("there is no {what} {}", Quoted(name))]
    NotFound {
        /// The kind: `user`, `client` and so on.
        what: &'static str,
        /// The name as given.
        name: String,
    },
    /// The token does not exist, or is no longer valid. The message does not repeat the token: it
    /// is a secret.
    #[error("this is not a valid token of this provider")]
    NoToken,
    /// The name is taken.
    #[error("the {what} {} exists already", Quoted(name))]
    Exists {
        /// The kind: `user`, `client` and so on.
        what: &'static str,
        /// The name as given.
        name: String,
    },
    /// An argument or the input is rejected.
    #[error("{0}")]
    Refused(Refused),
    /// A client cannot be registered with these properties.
    #[error(transparent)]
    Registration(RegistrationError),
    /// A client cannot be changed to these properties.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A login at another service failed.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A provider cannot be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A provider does not do what the specifications demand.
    #[error("{errors} {} not met", if *errors == 1 { "requirement is" } else { "requirements are" })]
    NotMet {
        /// The number of requirements.
        errors: usize,
    },
    /// The user ended the program.
    #[error("interrupted")]
    Interrupted,
    /// The result cannot be written.
    #[error("cannot write to standard output: {}", describe(.0))]
    Output(io::Error),
    /// The system refused something that should always succeed.
    #[error("{}", describe(.0))]
    System(#[from] io::Error),
}

impl From<provider::Error> for Failure {
    fn from(error: provider::Error) -> Self {
        Self::Server(error.into())
    }
}

impl From<RegistrationError> for Failure {
    fn from(error: RegistrationError) -> Self {
        match error {
            RegistrationError::NoSigningKeys => Refused::NoSigningKeys.into(),
            RegistrationError::Messages(MessageMetadataError::KeyMissing(member)) => {
                Refused::NoMessageKey(member).into()
            }
            RegistrationError::LogoutUri(LogoutUriError::Inward(member)) => {
                Refused::Inward(member).into()
            }
            error => Self::Registration(error),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<PasswordError> for Failure {
    fn from(refused: PasswordError) -> Self {
        Self::Refused(refused.into())
    }
}

impl From<ClaimError> for Failure {
    fn from(refused: ClaimError) -> Self {
        Self::Refused(refused.into())
    }
}

impl From<NameError> for Failure {
    fn from(refused: NameError) -> Self {
        Self::Refused(refused.into())
    }
}

impl Failure {
    /// The failure of the database behind this failure, if there is one.
    fn database(&self) -> Option<&StoreError> {
        let error = match self {
            Self::Data(DataError::Database { error, .. })
            | Self::Server(AppError::Store(error)) => return Some(error),
            Self::Server(AppError::Server(error))
            | Self::Registration(RegistrationError::Server(error))
            | Self::Admin(AdminError::Server(error)) => error,
            _ => return None,
        };
        match error {
            provider::Error::Operator(OperatorError::Store(error)) => Some(error),
            _ => None,
        }
    }

    /// The exit code of the program.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            _ if self.database().is_some() => 4,
            Self::System(_) | Self::Output(_) | Self::Server(_) => 1,
            // 2 is the code of clap for usage errors.
            Self::Registration(RegistrationError::IdTaken) => 7,
            Self::Refused(_) | Self::Registration(_) | Self::Admin(_) => 2,
            Self::Login(error) => error.exit_code(),
            Self::Check(CheckError::Issuer) => 2,
            Self::Check(_) => 1,
            Self::NotMet { .. } => 9,
            // As a shell has it: 128 and the number of the signal.
            Self::Interrupted => 130,
            Self::Config(_) | Self::SettingFile { .. } => 3,
            Self::Data(error) => error.codes().0,
            Self::File { .. } => 4,
            Self::Pages(_) => 3,
            Self::Listen { .. } => 5,
            Self::NotFound { .. } | Self::NoToken => 6,
            Self::Exists { .. } => 7,
        })
    }

    /// The error code for programs that read the error as JSON.
    pub fn code(&self) -> &'static str {
        if let Some(error) = self.database() {
            return match error {
                StoreError::Busy => "database_locked",
                StoreError::Full => "database_full",
                StoreError::ReadOnly => "database_read_only",
                StoreError::Denied(_) => "database_denied",
                StoreError::Insecure(_) => "database_insecure",
                StoreError::Newer { .. } => "database_newer",
                StoreError::Older { .. } => "database_older",
                StoreError::Unavailable(_) => "database_unavailable",
                _ => "database",
            };
        }
        match self {
            Self::Config(_) => "config",
            Self::Data(error) => error.codes().1,
            Self::Pages(PagesError::Template { .. }) => "template",
            Self::Pages(PagesError::Logo { .. }) => "logo",
            Self::File { .. }
            | Self::SettingFile { .. }
            | Self::Pages(PagesError::File { .. } | PagesError::Texts(TextsError::File { .. })) => {
                "file"
            }
            Self::Pages(PagesError::Texts(_)) => "texts",
            Self::Server(_) => "server",
            Self::Listen { error, .. } if error.kind() == io::ErrorKind::AddrInUse => {
                "address_in_use"
            }
            Self::Listen { .. } => "listen",
            Self::NotFound { .. } | Self::NoToken => "not_found",
            Self::Exists { .. } => "exists",
            Self::Registration(RegistrationError::IdTaken) => "exists",
            Self::Refused(_) | Self::Registration(_) | Self::Admin(_) => "refused",
            Self::Login(error) => error.code(),
            Self::Check(CheckError::Issuer) => "refused",
            Self::Check(_) => "unreachable",
            Self::NotMet { .. } => "not_met",
            Self::Interrupted => "interrupted",
            Self::System(_) => "system",
            Self::Output(_) => "output",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(error: StoreError) -> Failure {
        let place = "/var/lib/quadrille/quadrille.db".to_owned();
        DataError::Database { place, error }.into()
    }

    #[test]
    fn what_is_wrong_with_a_database_is_said_with_its_file_and_what_to_do() {
        for (error, code, advice) in [
            (StoreError::Busy, "database_locked", "end it, or wait"),
            (StoreError::Full, "database_full", "make room"),
            (StoreError::ReadOnly, "database_read_only", "writable"),
            (StoreError::Newer { found: 9, known: 1 }, "database_newer", "version 9"),
        ] {
            let failure = database(error);
            let said = failure.to_string();
            assert_eq!((failure.code(), failure.exit_code()), (code, ExitCode::from(4)));
            assert!(said.contains("quadrille.db") && said.contains(advice), "{said}");
        }
    }

    #[test]
    fn a_database_that_fails_in_the_middle_of_a_command_is_told_as_one_that_fails_at_its_start() {
        let error = || provider::Error::from(StoreError::Full);
        for failure in [
            Failure::from(error()),
            RegistrationError::from(error()).into(),
            AdminError::from(error()).into(),
        ] {
            assert_eq!((failure.code(), failure.exit_code()), ("database_full", ExitCode::from(4)));
        }
    }

    #[test]
    fn an_address_in_use_is_told_from_one_that_is_not_ours() {
        let failure = |kind: io::ErrorKind| Failure::Listen {
            address: ([192, 0, 2, 1], 80).into(),
            error: kind.into(),
        };
        assert_eq!(failure(io::ErrorKind::AddrInUse).code(), "address_in_use");
        assert_eq!(failure(io::ErrorKind::AddrNotAvailable).code(), "listen");
        assert_eq!(failure(io::ErrorKind::AddrNotAvailable).exit_code(), ExitCode::from(5));
    }
}
