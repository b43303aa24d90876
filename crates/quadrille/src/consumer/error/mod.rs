//! The reasons why a login or a call fails, by fault. Each has its code and its status beside it.

mod browser;
mod claim_source;
mod likely;
mod not_linked;
mod operator;
mod operator_code;
mod registration;
mod request_object;
mod service;
mod storage;

pub use browser::BrowserError;
pub use claim_source::ClaimSourceError;
pub use not_linked::{NotLinked, NotLinkedReason};
pub use operator::OperatorError;
pub use registration::RegistrationUnusable;
pub use request_object::RequestObjectUnusable;
pub use service::ServiceError;
pub use storage::StorageError;

use std::{error::Error as StdError, fmt, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use crate::{
    seal::KeyRingError,
    transport::{Cause, CollectError, NetworkError, NoHttpClient, SendError},
};

/// The number of characters of an error's causes in a log.
const LONGEST_CAUSES: usize = 400;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a login or a call fails, by fault: the user's browser, the service, the network
/// or the operator. Comparable, so that tests can check the precise reason; [`Error::code`] is
/// stable and fit for logs and help pages. No variant contains a secret.
///
/// ```
/// use quadrille::{Error, consumer::BrowserError};
///
/// let error = Error::from(BrowserError::Denied);
/// assert_eq!(error.code(), "access_denied");
/// assert_eq!(error.status(), 403);
/// ```
///
/// `Debug` is for people, too, since `main` prints it: the text of `Display`, and the code.
///
/// As a response of a handler in axum, an error is a small page, or JSON for a request that does
/// not load a page.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user has no linked account at the service, or the account needs linking again or lacks a
    /// scope. As a response, it redirects to a login: see [`recover`](crate::recover).
    #[error(transparent)]
    NotLinked(Box<NotLinked>),
    /// The user or their browser.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// The service, in a login or a refresh.
    #[error("{service}: {error}")]
    Service {
        /// The service's name.
        service: Arc<str>,
        /// The reason.
        error: ServiceError,
    },
    /// The service's API responded to a call with an error status.
    #[error("{service} responded with {status}")]
    Api {
        /// The service's name.
        service: Arc<str>,
        /// The status of the response.
        status: StatusCode,
        /// The delay that the service asks for (RFC 9110, section 10.2.3).
        retry_after: Option<Duration>,
        /// The body, cut at 64 KiB.
        body: Bytes,
    },
    /// The network on the way to the service.
    #[error("{service}: {error}")]
    Network {
        /// The service's name.
        service: Arc<str>,
        /// The reason.
        error: NetworkError,
        /// The error of the HTTP client, for logs.
        #[source]
        cause: Option<Cause>,
    },
    /// The application's configuration, storage or code.
    #[error(transparent)]
    Operator(#[from] OperatorError),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.code())
    }
}

impl Error {
    /// The stable code of this error, for logs, help pages and clients.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLinked(_) => "not_linked",
            Self::Browser(error) => error.code(),
            Self::Service { error, .. } => error.code(),
            Self::Api { .. } => "api_error",
            Self::Network { error, .. } => match error {
                NetworkError::Connect
                | NetworkError::Name
                | NetworkError::Refused
                | NetworkError::Tls
                | NetworkError::AddressRefused => "service_unreachable",
                NetworkError::TimedOut => "service_timed_out",
                NetworkError::Interrupted => "service_interrupted",
            },
            Self::Operator(error) => error.code(),
        }
    }

    /// The likely cause, a sentence for logs and their readers. Each code has a section in the
    /// guide with all of them.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// let github = GitHub::new("our-id", "our-secret\n");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example").with(github);
    /// let error = login.check().unwrap_err();
    /// assert_eq!(error.likely_cause(), "the secret was read with a line break at its end");
    /// ```
    pub fn likely_cause(&self) -> &'static str {
        match self {
            Self::Service { error: ServiceError::IdTokenRejected(reason), .. }
            | Self::Browser(BrowserError::IdTokenRejected(reason)) => likely::of_id_token(*reason),
            Self::Service { error: ServiceError::UserinfoRejected(reason), .. } => {
                likely::of_userinfo(*reason)
            }
            Self::Service { error: ServiceError::ProviderMetadata(reason), .. } => {
                likely::of_metadata(*reason)
            }
            _ => likely::cause_of(self.code()),
        }
    }

    /// The status of the response to the user.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotLinked(_) => StatusCode::UNAUTHORIZED,
            Self::Browser(error) => error.status(),
            Self::Service { error, .. } => error.status(),
            Self::Network { error: NetworkError::TimedOut, .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Api { .. } | Self::Network { .. } => StatusCode::BAD_GATEWAY,
            Self::Operator(error) => error.status(),
        }
    }

    /// Whether a later attempt may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Service { error, .. } => error.is_transient(),
            Self::Api { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Operator(error) => error.is_transient(),
            Self::NotLinked(_) | Self::Browser(_) => false,
        }
    }

    /// The service concerned.
    pub(crate) fn service_name(&self) -> Option<&str> {
        match self {
            Self::NotLinked(who) => Some(&who.service),
            Self::Service { service, .. }
            | Self::Api { service, .. }
            | Self::Network { service, .. } => Some(service),
            Self::Browser(_) | Self::Operator(_) => None,
        }
    }

    /// All causes in one line, for logs.
    pub(crate) fn causes(&self) -> Option<String> {
        let mut line = None;
        let mut cause = StdError::source(self);
        while let Some(error) = cause {
            line = Some(match line {
                None => error.to_string(),
                Some(line) => format!("{line}: {error}"),
            });
            cause = error.source();
        }
        // It may quote another party's certificate or response.
        let fit = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
        line.map(|line| line.chars().take(LONGEST_CAUSES).map(fit).collect())
    }

    pub(crate) fn network(service: &Arc<str>, error: impl Into<SendError>) -> Self {
        let SendError { reason, cause } = error.into();
        Self::Network { service: Arc::clone(service), error: reason, cause }
    }

    /// The error of an endpoint that did not respond. Its URL is among the causes, without a query.
    pub(crate) fn unanswered(
        service: &Arc<str>,
        error: impl Into<SendError>,
        endpoint: &str,
    ) -> Self {
        let SendError { reason, cause } = error.into();
        let url = endpoint.split(['?', '#']).next().unwrap_or_default().to_owned();
        Self::network(service, SendError::new(reason, Unanswered { url, cause }))
    }

    /// The same error of an ID token that the browser has brought: anybody can present one.
    pub(crate) fn of_the_browser(self) -> Self {
        match self {
            Self::Service { error: ServiceError::IdTokenRejected(reason), .. } => {
                BrowserError::IdTokenRejected(reason).into()
            }
            other => other,
        }
    }

    pub(crate) fn service(service: &Arc<str>, error: ServiceError) -> Self {
        Self::Service { service: Arc::clone(service), error }
    }
}

/// The place at which the network failed.
#[derive(Debug, thiserror::Error)]
#[error("at {url}")]
struct Unanswered {
    url: String,
    #[source]
    cause: Option<Cause>,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Operator(OperatorError::Io(error.kind()))
    }
}

impl From<KeyRingError> for Error {
    fn from(error: KeyRingError) -> Self {
        Self::Operator(OperatorError::KeyRing(error))
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Self::Operator(OperatorError::Storage(error))
    }
}

impl From<NoHttpClient> for Error {
    fn from(error: NoHttpClient) -> Self {
        OperatorError::from(error).into()
    }
}

impl CollectError {
    /// The error for a response of this service.
    pub(crate) fn at(self, service: &Arc<str>, status: StatusCode) -> Error {
        match self {
            Self::TooLarge => Error::service(service, ServiceError::TooLarge),
            Self::Coding => Error::service(service, ServiceError::Malformed { status }),
            Self::Network(error) => Error::network(service, error),
        }
    }
}
