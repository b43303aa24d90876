//! The failure of a login.

use std::{error::Error as _, io, path::PathBuf};

use quadrille::{
    Error,
    consumer::{BrowserError, OperatorError, ServiceError},
};

use crate::words::{Quoted, describe, did_you_mean};

use super::variable::variable;

/// The reason why `quadrille login` fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// No service has this name.
    #[error(
        "there is no service {}{} (`quadrille login --list` lists them)",
        Quoted(name),
        did_you_mean(nearest.as_deref())
    )]
    UnknownService {
        /// The name as given.
        name: String,
        /// The known name that is closest.
        nearest: Option<String>,
    },
    /// The service speaks OAuth 1.
    #[error("{0} has OAuth 1, which `quadrille login` does not support")]
    OAuth1(String),
    /// The application's identifier at the service is missing.
    #[error("give the application's identifier at {service}: --client-id ID, or {variable}")]
    NoClientId {
        /// The service.
        service: String,
        /// The environment variable.
        variable: String,
    },
    /// An option of the service is not `KEY=VALUE`.
    #[error("--option takes KEY=VALUE, not {}", Quoted(.0))]
    Option(String),
    /// A secret was given on the command line.
    #[error(
        "a secret on the command line can be read by other users of this machine: set {variable}, \
         or use --client-secret-file"
    )]
    SecretOption {
        /// The environment variable.
        variable: String,
    },
    /// A file cannot be used.
    #[error("{}: {}", path.display(), describe(error))]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The file for the token is a link, or no file.
    #[error("{}: it is a {kind}, and a token is saved in a file only", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// The kind: `link` or `folder`.
        kind: &'static str,
    },
    /// The login failed.
    #[error("{}{}", told(error), hint(service, error).map(|hint| format!("; {hint}")).unwrap_or_default())]
    Login {
        /// The service.
        service: String,
        /// The error.
        error: Box<Error>,
    },
}

impl LoginError {
    pub(super) fn login(service: &str, error: Error) -> Self {
        Self::Login { service: service.to_owned(), error: Box::new(error) }
    }

    /// The exit code of the program.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::UnknownService { .. }
            | Self::OAuth1(_)
            | Self::NoClientId { .. }
            | Self::Option(_)
            | Self::SecretOption { .. } => 2,
            Self::File { .. } | Self::NoFile { .. } => 4,
            Self::Login { error, .. } => match **error {
                Error::Operator(OperatorError::LoopbackListen { .. }) => 5,
                Error::Operator(_) => 2,
                _ => 8,
            },
        }
    }

    /// The error code for programs that read the error as JSON.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::UnknownService { .. } => "service_unknown",
            Self::OAuth1(_) => "not_for_programs",
            Self::NoClientId { .. } => "client_id_missing",
            Self::Option(_) | Self::SecretOption { .. } => "refused",
            Self::File { .. } | Self::NoFile { .. } => "file",
            Self::Login { error, .. } => error.code(),
        }
    }
}

/// The error and its causes.
fn told(error: &Error) -> String {
    let mut text = match error {
        Error::Operator(OperatorError::LoopbackPortMissing { service }) => {
            return format!(
                "{service} compares the port of a redirect URI with the registered one"
            );
        }
        Error::Operator(OperatorError::NoDeviceFlow { service }) => {
            return format!("{service} has no device flow");
        }
        error => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.extend(error.to_string().chars().filter(|char| !char.is_control()).take(400));
        cause = error.source();
    }
    text
}

/// The thing to do about an error.
fn hint(service: &str, error: &Error) -> Option<String> {
    let prefix = variable(service, "");
    Some(match error {
        Error::Browser(BrowserError::AttemptExpired) => "run the command again".to_owned(),
        Error::Operator(OperatorError::NoDeviceFlow { .. }) => "leave --device out".to_owned(),
        Error::Operator(OperatorError::LoopbackPortMissing { .. }) => {
            "register http://127.0.0.1:8017/callback there, for example, and add --port 8017"
                .to_owned()
        }
        Error::Operator(OperatorError::LoopbackListen { .. }) => {
            "end the program that listens there, or give another --port".to_owned()
        }
        Error::Service { error: ServiceError::ClientRefused, .. } => {
            format!("check --client-id and {prefix}CLIENT_SECRET")
        }
        Error::Service { error: ServiceError::AuthorizationRefused { error }, .. }
            if &**error == "device_flow_disabled" =>
        {
            "enable the device flow in the application's settings there".to_owned()
        }
        Error::Network { .. } => "check the network, and run the command again".to_owned(),
        _ => return None,
    })
}
