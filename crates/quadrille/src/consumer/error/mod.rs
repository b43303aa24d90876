//! What goes wrong for an application that logs people in elsewhere, sorted by whose fault it is.

use std::{error::Error as StdError, fmt, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use crate::{
    seal::KeyRingError,
    transport::{Cause, CollectError, NetworkError, NoHttpClient, SendError},
};

/// How many characters of an error's causes are written to a log.
const LONGEST_CAUSES: usize = 400;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something did not work, by fault: the visitor's browser, the other service, the network
/// between, or whoever set this application up. Comparable, so that tests can ask for the precise
/// reason; [`Error::code`] is stable and fit for logs and help pages. No variant holds a secret.
///
/// ```
/// use quadrille::{Error, consumer::BrowserError};
///
/// let error = Error::from(BrowserError::Denied);
/// assert_eq!(error.code(), "access_denied");
/// assert_eq!(error.status(), 403);
/// ```
///
/// `Debug` is for people, too, since `main` prints it: it says what `Display` says, and the code.
///
/// As an answer of a handler in axum an error is a small page, or JSON
/// for a request that no page comes from.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The visitor has no account at the service linked (or it needs linking again, or lacks a
    /// scope). As an answer it sends them to log in: see [`recover`](crate::recover).
    #[error(transparent)]
    NotLinked(Box<NotLinked>),
    /// The visitor, or their browser.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// The service, in its part of the login.
    #[error("{service}: {error}")]
    Service {
        /// Its name.
        service: Arc<str>,
        /// What it did.
        error: ServiceError,
    },
    /// The service's API answered a call with an error status.
    #[error("{service} answered {status}")]
    Api {
        /// The service's name.
        service: Arc<str>,
        /// The status of the answer.
        status: StatusCode,
        /// How long to wait before asking again, where the service says so.
        retry_after: Option<Duration>,
        /// What it said, cut at 64 KiB.
        body: Bytes,
    },
    /// The network on the way to the service.
    #[error("{service}: {error}")]
    Network {
        /// The service's name.
        service: Arc<str>,
        /// What happened.
        error: NetworkError,
        /// What it was told from, for logs.
        #[source]
        cause: Option<Cause>,
    },
    /// The application's configuration, storage or code.
    #[error(transparent)]
    Operator(#[from] OperatorError),
}

/// Who must log in, where, and how they can be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no account at {service} is linked")]
#[non_exhaustive]
pub struct NotLinked {
    /// The service.
    pub service: Arc<str>,
    /// Where on this site to log in; brings the visitor back to where they were.
    pub login_url: String,
    /// Whether the request was a page's navigation, which can be redirected. Everything else (a
    /// fetch, a form) is told by status and JSON.
    pub navigation: bool,
    /// Why.
    pub reason: NotLinkedReason,
}

/// Why a linked account cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotLinkedReason {
    /// There is none.
    Missing,
    /// The service refused to refresh its token, or takes it no more (access was revoked there): it
    /// needs linking again.
    NeedsLinkingAgain,
    /// Its token has expired and cannot be refreshed.
    Expired,
    /// It lacks a scope that is needed here.
    ScopeMissing,
}

/// What the visitor or their browser did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// They said no at the service.
    #[error("the visitor declined at the service")]
    Denied,
    /// The callback is not one: a parameter is repeated, broken, overlong or missing.
    #[error("the callback's parameters cannot be read")]
    CallbackMalformed,
    /// `state` is missing, changed, or of another site.
    #[error("the callback's state is not one of ours")]
    StateUnknown,
    /// They took longer than an attempt may last.
    #[error("the login attempt has expired")]
    AttemptExpired,
    /// The cookie of this attempt did not come back, or the attempt was finished before.
    #[error("the login attempt's cookie is missing, or the attempt was finished before")]
    AttemptCookieMissing,
    /// Another user is signed in than the one who began.
    #[error("the login was begun by another user than the one signed in now")]
    UserChanged,
    /// A further scope was granted by another account than the linked one.
    #[error("the visitor chose another account at the service than the one linked")]
    AccountChanged,
    /// They came back within seconds and are still not linked: sending them once more would loop.
    #[error("just back from the service and still not linked")]
    Loop,
    /// The answer comes from another issuer than the one asked (RFC 9207, section 2.4).
    #[error("the answer names another issuer than the service's")]
    WrongIssuer,
    /// A tenant that [`Login::with_tenants`](crate::Login::with_tenants) knows nothing of: in a
    /// link, or in an account that has outlived it.
    #[error("no such tenant")]
    TenantUnknown,
}

/// What the service did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Its authorization endpoint answered with this error (RFC 6749, section 4.1.2.1).
    #[error("it refused the login: {error}")]
    AuthorizationRefused {
        /// The code, as far as it is one.
        error: Box<str>,
    },
    /// Its token endpoint answered with this error (RFC 6749, section 5.2), or a request for
    /// credentials of OAuth 1 with this `oauth_problem`.
    #[error("it refused the token request: {error}")]
    TokenRefused {
        /// The code, as far as it is one.
        error: Box<str>,
    },
    /// It does not know this application, or not with this secret: `invalid_client`,
    /// `unauthorized_client`. Look at the configuration.
    #[error("it refused this application's credentials")]
    ClientRefused,
    /// It is overloaded or broken: a status of 429 or 5xx, or `temporarily_unavailable`.
    #[error("it is unavailable ({status})")]
    Unavailable {
        /// The status of its answer.
        status: StatusCode,
        /// How long to wait before asking again, where it says so.
        retry_after: Option<Duration>,
    },
    /// Its answer is not what it should be: HTML, say.
    #[error("its answer cannot be understood ({status})")]
    Malformed {
        /// The status of its answer.
        status: StatusCode,
    },
    /// Its answer is larger than an answer can sensibly be.
    #[error("its answer is too large")]
    TooLarge,
    /// It redirects in circles, or to another origin, where the token must not follow.
    #[error("it redirects a call to another origin or in circles")]
    Redirected,
    /// Its token is to be used in another way than as a bearer token (RFC 6749, section 7.1), and so
    /// is not used at all: see [`Spec::token_types`](crate::Spec::token_types).
    #[error("its token is of the type {token_type}, not a bearer token")]
    TokenType {
        /// The `token_type`, as far as it is one.
        token_type: Box<str>,
    },
    /// It did not confirm the callback (`oauth_callback_confirmed`; RFC 5849, section 2.1): it speaks
    /// OAuth 1.0 without the repair, in which anybody can finish another's login.
    #[error("it did not confirm the callback, as OAuth 1.0a must")]
    CallbackNotConfirmed,
    /// What it says about the account has no identifier that can be read exactly.
    #[error("its user information names no subject")]
    SubjectMissing,
}

/// What is wrong with the application itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// An environment variable is not set.
    #[error("set the environment variable {name}")]
    VariableMissing {
        /// Its name.
        name: Box<str>,
    },
    /// The keys.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// The public URL is not an absolute `http` or `https` URL, or has a query or a fragment.
    #[error("the public URL must be absolute, like https://app.example, without query or fragment")]
    PublicUrlMalformed,
    /// The public URL is plain `http` on another host than this machine.
    #[error("the public URL must be https, unless it is on this machine (localhost)")]
    PublicUrlInsecure,
    /// A path given to `.at` is not one.
    #[error("the path to mount at must begin with a slash and hold no empty or dotted segment")]
    MountMalformed,
    /// An endpoint of a service is not an absolute `https` URL (or `http` on this machine).
    #[error("an endpoint of {service} is not an absolute https URL")]
    EndpointMalformed {
        /// Its name.
        service: Box<str>,
    },
    /// The base that a service is hosted at is not an absolute `https` URL (or `http` on this
    /// machine), or has a user, a query or a fragment.
    #[error("the base of {service} must be an absolute https URL, without query or fragment")]
    BaseMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// A resource that tokens of a service are for is not an absolute URI, or has a fragment.
    #[error("a resource of {service} is not an absolute URI without a fragment")]
    ResourceMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// The path of a member in a service's answers is empty, or has an empty name in it.
    #[error("a path in the answers of {service} has an empty name in it")]
    MemberMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// The secret of this application at a service holds a line break, a byte order mark, another
    /// control character or a space at its end, as when it was copied or read from a file with more
    /// than there is to it. A service of OAuth 2 takes no characters but those of ASCII (RFC 6749,
    /// appendix A.2).
    #[error(
        "the client secret of {service} holds a character that belongs to no secret: a line break or a space at its end, perhaps"
    )]
    SecretMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// A service is registered with a secret where its protocol or signature method wants a
    /// private key, with a key where it wants a secret, or with nothing.
    #[error(
        "{service} wants another kind of credential: a shared secret, or a private key for RSA"
    )]
    CredentialMismatch {
        /// Its name.
        service: Box<str>,
    },
    /// The private key that requests to a service are signed with cannot be read or used.
    #[error(
        "the private key for {service} must be RSA of 2048 bits or more, as PEM or the path of a PEM file"
    )]
    SigningKeyUnusable {
        /// Its name.
        service: Box<str>,
    },
    /// Out-of-band logins are a thing of OAuth 1.
    #[error("{service} knows no out-of-band logins: it speaks OAuth 2")]
    NotOutOfBand {
        /// Its name.
        service: Box<str>,
    },
    /// A service's name is not fit for paths and cookies.
    #[error(
        "a service's name is made of letters, digits, '-' and '_', at most 40: not {service:?}"
    )]
    ServiceNameMalformed {
        /// The name.
        service: Box<str>,
    },
    /// Two services under one name.
    #[error("two services are called {service}")]
    ServiceRepeated {
        /// Their name.
        service: Box<str>,
    },
    /// There is no service at all.
    #[error("no service is added: say Login::with, or Login::with_tenants")]
    NoServices,
    /// This application's identifier at a service is empty, or has characters that none has (RFC
    /// 6749, appendix A.1), or spaces around it.
    #[error("this application's client id (or key) at {service} is empty or has spaces around it")]
    ClientIdMalformed {
        /// The service's name.
        service: Box<str>,
    },
    /// This application's secret at a service is empty.
    #[error("this application's secret at {service} is empty")]
    SecretMissing {
        /// The service's name.
        service: Box<str>,
    },
    /// A handler takes an account of a service whose type was not added.
    #[error("a handler takes an account at {service}, which is not added: say Login::with")]
    ServiceNotAdded {
        /// The name of the service, as its type says it.
        service: Box<str>,
    },
    /// The login's router is nested below a path that the public URL does not end in, so that none
    /// of the login's URLs would lead to it.
    #[error(
        "the login's router is nested at {nested}, but the public URL does not end in that path: give Login::new the URL with it"
    )]
    NestedElsewhere {
        /// The path.
        nested: Box<str>,
    },
    /// A service that this application does not have.
    #[error("no service is called {service}: add it with Login::with")]
    ServiceUnknown {
        /// The name asked for.
        service: Box<str>,
    },
    /// Whoever knows the tenants ([`Login::with_tenants`](crate::Login::with_tenants)) failed; the
    /// log says how.
    #[error("a tenant of {service} could not be looked up")]
    TenantLookup {
        /// The service, without the tenant.
        service: Box<str>,
    },
    /// A service is registered under this name, but as another type.
    #[error("{service} is not what its extractor's type says")]
    ServiceMismatch {
        /// The name.
        service: Box<str>,
    },
    /// A handler takes an account, but the router was not given to `Login::attach`.
    #[error("call Login::attach (or add Login::layer) on the router whose handlers take Linked")]
    NotAttached,
    /// [`KeyRing::ephemeral`](crate::KeyRing::ephemeral) beside a storage that lasts.
    #[error(
        "these tokens are stored for good: the keys must last too (KeyRing::from_env instead of KeyRing::ephemeral)"
    )]
    EphemeralKeys,
    /// Something was sealed under a key that is not in the ring any more.
    #[error("a token was sealed under a key that is not in the ring (any more)")]
    KeyUnknown,
    /// All login cookies of a browser together would be longer than proxies take (7 KiB). Keep
    /// tokens on the server: [`Login::storage`](crate::Login::storage) with a
    /// [`TokenStorage`](crate::consumer::TokenStorage) over the application's database, or
    /// [`MemoryStorage`](crate::consumer::MemoryStorage) for one process.
    #[error(
        "this visitor's tokens need {bytes} bytes of cookies, and all login cookies together may have 7168: keep tokens on the server with Login::storage (a TokenStorage over your database; MemoryStorage for a single process)"
    )]
    CookieTooLarge {
        /// Bytes of names and values, with those of the cookies that the visitor has already.
        bytes: usize,
    },
    /// With tokens in cookies: a refreshed token cannot be kept once the answer's headers have
    /// left. See [`Linked::detach`](crate::Linked::detach).
    #[error("a token in a cookie cannot be refreshed after the answer has left: detach it before")]
    AnswerHasLeft,
    /// Tokens in cookies cannot be reached outside a request.
    #[error("tokens in cookies exist only while their visitor asks for something")]
    OutsideRequest,
    /// The storage of tokens does not work.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An API call to another origin than the service's. Say
    /// [`send_token_to_another_origin`](crate::consumer::Call::send_token_to_another_origin) if the token belongs there.
    #[error("the call leaves the service's origin, and its token must not")]
    ForeignOrigin,
    /// An API call that is not a possible HTTP request.
    #[error("the call's path, header or body is not possible in HTTP")]
    CallMalformed,
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    HttpClient,
    /// The network or the file system of this machine.
    #[error("{0}")]
    Io(io::ErrorKind),
}

/// Why a storage of tokens does not work. Storages log the details themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// It does not answer, or not in time.
    #[error("the storage of tokens is unavailable")]
    Unavailable,
    /// What it holds cannot be read.
    #[error("the storage of tokens holds something unreadable")]
    Unreadable,
    /// It is full or read-only.
    #[error("the storage of tokens cannot be written")]
    Unwritable,
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
            Self::Browser(error) => match error {
                BrowserError::Denied => "access_denied",
                BrowserError::CallbackMalformed => "callback_malformed",
                BrowserError::StateUnknown => "state_unknown",
                BrowserError::AttemptExpired => "attempt_expired",
                BrowserError::AttemptCookieMissing => "attempt_cookie_missing",
                BrowserError::UserChanged => "user_changed",
                BrowserError::AccountChanged => "account_changed",
                BrowserError::Loop => "login_loop",
                BrowserError::WrongIssuer => "wrong_issuer",
                BrowserError::TenantUnknown => "tenant_unknown",
            },
            Self::Service { error, .. } => match error {
                ServiceError::AuthorizationRefused { .. } => "authorization_refused",
                ServiceError::TokenRefused { .. } => "token_refused",
                ServiceError::ClientRefused => "client_refused",
                ServiceError::Unavailable { .. } => "service_unavailable",
                ServiceError::Malformed { .. } => "service_answer_malformed",
                ServiceError::TooLarge => "service_answer_too_large",
                ServiceError::Redirected => "service_redirected",
                ServiceError::TokenType { .. } => "token_type_unknown",
                ServiceError::CallbackNotConfirmed => "callback_not_confirmed",
                ServiceError::SubjectMissing => "subject_missing",
            },
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
            Self::Operator(error) => match error {
                OperatorError::VariableMissing { .. } => "variable_missing",
                OperatorError::KeyRing(_) => "keys_malformed",
                OperatorError::PublicUrlMalformed => "public_url_malformed",
                OperatorError::PublicUrlInsecure => "public_url_insecure",
                OperatorError::MountMalformed => "mount_malformed",
                OperatorError::EndpointMalformed { .. } => "endpoint_malformed",
                OperatorError::BaseMalformed { .. } => "base_malformed",
                OperatorError::ResourceMalformed { .. } => "resource_malformed",
                OperatorError::MemberMalformed { .. } => "member_malformed",
                OperatorError::SecretMalformed { .. } => "secret_malformed",
                OperatorError::CredentialMismatch { .. } => "credential_mismatch",
                OperatorError::SigningKeyUnusable { .. } => "signing_key_unusable",
                OperatorError::NotOutOfBand { .. } => "not_out_of_band",
                OperatorError::ServiceNameMalformed { .. } => "service_name_malformed",
                OperatorError::ServiceRepeated { .. } => "service_repeated",
                OperatorError::NoServices => "no_services",
                OperatorError::ClientIdMalformed { .. } => "client_id_malformed",
                OperatorError::SecretMissing { .. } => "secret_missing",
                OperatorError::ServiceNotAdded { .. } => "service_not_added",
                OperatorError::NestedElsewhere { .. } => "nested_elsewhere",
                OperatorError::ServiceUnknown { .. } => "service_unknown",
                OperatorError::TenantLookup { .. } => "tenant_lookup_failed",
                OperatorError::ServiceMismatch { .. } => "service_mismatch",
                OperatorError::NotAttached => "not_attached",
                OperatorError::EphemeralKeys => "ephemeral_keys",
                OperatorError::KeyUnknown => "key_unknown",
                OperatorError::CookieTooLarge { .. } => "cookie_too_large",
                OperatorError::AnswerHasLeft => "answer_has_left",
                OperatorError::OutsideRequest => "outside_request",
                OperatorError::Storage(_) => "storage_failed",
                OperatorError::ForeignOrigin => "foreign_origin",
                OperatorError::CallMalformed => "call_malformed",
                OperatorError::HttpClient => "http_client",
                OperatorError::Io(_) => "io",
            },
        }
    }

    /// The status that this error has as an answer to the visitor.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotLinked(_) => StatusCode::UNAUTHORIZED,
            Self::Browser(BrowserError::Denied | BrowserError::UserChanged) => {
                StatusCode::FORBIDDEN
            }
            Self::Browser(BrowserError::Loop) => StatusCode::CONFLICT,
            Self::Browser(BrowserError::TenantUnknown) => StatusCode::NOT_FOUND,
            Self::Browser(_) => StatusCode::BAD_REQUEST,
            Self::Network { error: NetworkError::TimedOut, .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Service { .. } | Self::Api { .. } | Self::Network { .. } => {
                StatusCode::BAD_GATEWAY
            }
            Self::Operator(OperatorError::ServiceUnknown { .. }) => StatusCode::NOT_FOUND,
            Self::Operator(
                OperatorError::Storage(StorageError::Unavailable)
                | OperatorError::TenantLookup { .. },
            ) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Operator(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether trying the same again later may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Service { error, .. } => matches!(error, ServiceError::Unavailable { .. }),
            Self::Api { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Operator(OperatorError::Storage(error)) => *error == StorageError::Unavailable,
            Self::Operator(OperatorError::TenantLookup { .. }) => true,
            Self::NotLinked(_) | Self::Browser(_) | Self::Operator(_) => false,
        }
    }

    /// The service that it is about.
    pub(crate) fn service_name(&self) -> Option<&str> {
        match self {
            Self::NotLinked(who) => Some(&who.service),
            Self::Service { service, .. }
            | Self::Api { service, .. }
            | Self::Network { service, .. } => Some(service),
            Self::Browser(_) | Self::Operator(_) => None,
        }
    }

    /// All its causes in one line, for logs.
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
        // Another party's certificate or answer may be quoted in it.
        let fit = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
        line.map(|line| line.chars().take(LONGEST_CAUSES).map(fit).collect())
    }

    pub(crate) fn network(service: &Arc<str>, error: impl Into<SendError>) -> Self {
        let SendError { reason, cause } = error.into();
        Self::Network { service: Arc::clone(service), error: reason, cause }
    }

    pub(crate) fn service(service: &Arc<str>, error: ServiceError) -> Self {
        Self::Service { service: Arc::clone(service), error }
    }
}

impl ServiceError {
    /// An error code, if it looks like one: it goes to pages and logs, and a service that is out of
    /// order may put anything there.
    pub(crate) fn shown(code: &str) -> Box<str> {
        let fit = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if fit && !code.is_empty() && code.len() <= 40 { code.into() } else { "unreadable".into() }
    }

    /// Whether a status says that there is too much to do, or nothing works.
    pub(crate) fn is_overload(status: StatusCode) -> bool {
        status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
    }
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
impl From<NoHttpClient> for OperatorError {
    fn from(_: NoHttpClient) -> Self {
        Self::HttpClient
    }
}

impl From<NoHttpClient> for Error {
    fn from(error: NoHttpClient) -> Self {
        OperatorError::from(error).into()
    }
}

impl CollectError {
    /// Whose answer it was.
    pub(crate) fn at(self, service: &Arc<str>, status: StatusCode) -> Error {
        match self {
            Self::TooLarge => Error::service(service, ServiceError::TooLarge),
            Self::Coding => Error::service(service, ServiceError::Malformed { status }),
            Self::Network(error) => Error::network(service, error),
        }
    }
}
