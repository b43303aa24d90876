//! The reasons why logins fail that the application is at fault for: its configuration, its code or
//! its storage.

use std::io;

use http::StatusCode;

use crate::{seal::KeyRingError, transport::NoHttpClient};

/// The reason why a login or a call fails, by the fault of the application: its configuration, its
/// code or its storage. The operator or the developers can mend it.
///
/// ```
/// use quadrille::{KeyRing, Login, consumer::OperatorError};
///
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example");
/// assert_eq!(login.check().unwrap_err(), OperatorError::NoServices.into());
/// ```
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
    /// The resolver of tenants ([`Login::with_tenants`](crate::Login::with_tenants)) failed; the
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
    /// A user was sent to the login's path, which has no route: the application has
    /// [`Login::layer`](crate::Login::layer) and not [`Login::routes`](crate::Login::routes).
    #[error("the login's path has no route: call Login::attach (or merge Login::routes)")]
    RoutesMissing,
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
    /// The token of an account has no secret, which signatures with HMAC and PLAINTEXT need (RFC
    /// 5849, section 3.4): the application stored it without
    /// [`Token::token_secret`](crate::consumer::Token::token_secret).
    #[error("the stored token has no token secret to sign with")]
    TokenSecretMissing,
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    HttpClient,
    /// The network or the file system of this machine.
    #[error("{0}")]
    Io(io::ErrorKind),
}

/// The reason why a storage of tokens does not work. Storages log the details themselves.
///
/// ```
/// use quadrille::{Error, consumer::StorageError};
///
/// let error = Error::from(StorageError::Unavailable);
/// assert_eq!(error.status(), 503);
/// assert!(error.is_transient());
/// ```
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

impl OperatorError {
    /// The stable code, for logs, help pages and clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::VariableMissing { .. } => "variable_missing",
            Self::KeyRing(_) => "keys_malformed",
            Self::PublicUrlMalformed => "public_url_malformed",
            Self::PublicUrlInsecure => "public_url_insecure",
            Self::MountMalformed => "mount_malformed",
            Self::EndpointMalformed { .. } => "endpoint_malformed",
            Self::BaseMalformed { .. } => "base_malformed",
            Self::ResourceMalformed { .. } => "resource_malformed",
            Self::MemberMalformed { .. } => "member_malformed",
            Self::SecretMalformed { .. } => "secret_malformed",
            Self::CredentialMismatch { .. } => "credential_mismatch",
            Self::SigningKeyUnusable { .. } => "signing_key_unusable",
            Self::NotOutOfBand { .. } => "not_out_of_band",
            Self::ServiceNameMalformed { .. } => "service_name_malformed",
            Self::ServiceRepeated { .. } => "service_repeated",
            Self::NoServices => "no_services",
            Self::ClientIdMalformed { .. } => "client_id_malformed",
            Self::SecretMissing { .. } => "secret_missing",
            Self::ServiceNotAdded { .. } => "service_not_added",
            Self::NestedElsewhere { .. } => "nested_elsewhere",
            Self::ServiceUnknown { .. } => "service_unknown",
            Self::TenantLookup { .. } => "tenant_lookup_failed",
            Self::ServiceMismatch { .. } => "service_mismatch",
            Self::NotAttached => "not_attached",
            Self::RoutesMissing => "routes_missing",
            Self::EphemeralKeys => "ephemeral_keys",
            Self::KeyUnknown => "key_unknown",
            Self::CookieTooLarge { .. } => "cookie_too_large",
            Self::AnswerHasLeft => "answer_has_left",
            Self::OutsideRequest => "outside_request",
            Self::Storage(_) => "storage_failed",
            Self::ForeignOrigin => "foreign_origin",
            Self::CallMalformed => "call_malformed",
            Self::TokenSecretMissing => "token_secret_missing",
            Self::HttpClient => "http_client",
            Self::Io(_) => "io",
        }
    }

    /// The status of the answer to the visitor.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::ServiceUnknown { .. } => StatusCode::NOT_FOUND,
            error if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether trying the same again later may help.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self, Self::Storage(StorageError::Unavailable) | Self::TenantLookup { .. })
    }
}

impl From<NoHttpClient> for OperatorError {
    fn from(_: NoHttpClient) -> Self {
        Self::HttpClient
    }
}
