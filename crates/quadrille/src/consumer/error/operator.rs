//! The reasons why a login fails by the fault of the application: its configuration, its code or
//! its storage.

use std::io;

use crate::{seal::KeyRingError, transport::NoHttpClient};

use super::{request_object::RequestObjectUnusable, storage::StorageError};

/// The reason why a login or a call fails by the fault of the application: its configuration, its
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
    #[error("set the environment variable {name}{}", unless_public(public.as_deref()))]
    VariableMissing {
        /// The variable's name.
        name: Box<str>,
        /// The variable of a client without a secret, where that would do.
        public: Option<Box<str>>,
    },
    /// A setting is missing in its section.
    #[error("{path}: this setting is missing{}", unless_public(public.as_deref()))]
    SettingMissing {
        /// The path of the key.
        path: Box<str>,
        /// The key of a client without a secret, where that would do.
        public: Option<Box<str>>,
    },
    /// A section of settings has an unknown key, or the environment has a variable whose name
    /// differs from a known one by a letter.
    #[error("{}: there is no such setting{}", path.escape_debug(), suggestion(nearest.as_deref()))]
    SettingUnknown {
        /// The path of the key.
        path: Box<str>,
        /// The known key or variable with the nearest name.
        nearest: Option<Box<str>>,
    },
    /// A section of a login is named as no service, or its key `service` names none.
    #[error(
        "{}: no service has this name{} (LoginSettings::with_service adds one of your own; a \
         second registration names its service by the key \"service\")",
        path.escape_debug(),
        suggestion(nearest.as_deref())
    )]
    SectionUnknown {
        /// The path of the section, or of its key.
        path: Box<str>,
        /// The known service or key with the nearest name.
        nearest: Option<Box<str>>,
    },
    /// A setting has a value of another type, or none of its words.
    #[error("{path}: must be {expected}")]
    SettingMalformed {
        /// The path of the key, or the name of the environment variable.
        path: Box<str>,
        /// The values that it may have.
        expected: Box<str>,
    },
    /// A setting has a value that the login refuses. Its code is that of the reason.
    #[error("{path}: {error}")]
    SettingRefused {
        /// The path of the key, or the name of the environment variable.
        path: Box<str>,
        /// The reason.
        error: Box<OperatorError>,
    },
    /// The key ring cannot be read.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// The public URL is not an absolute `http` or `https` URL, or has a query or a fragment.
    #[error("the public URL must be absolute, like https://app.example, without query or fragment")]
    PublicUrlMalformed,
    /// The public URL is `http` on another host than this machine.
    #[error("the public URL must be https, unless it is on this machine (localhost)")]
    PublicUrlInsecure,
    /// The path of [`Login::at`](crate::Login::at) is malformed.
    #[error("the login's path must begin with a slash and have no empty or dotted segment")]
    MountMalformed,
    /// An endpoint of a service is not an absolute `https` URL (or `http` on this machine), or has a
    /// place that was not filled in: `{tenant}`, or an empty segment.
    #[error("an endpoint of {service} is not an absolute https URL with everything filled in")]
    EndpointMalformed {
        /// The service's name.
        service: Box<str>,
    },
    /// The base of an installation of a service is not an absolute `https` URL (or `http` on this
    /// machine), or has a user, a query or a fragment.
    #[error("the base of {service} must be an absolute https URL, without query or fragment")]
    BaseMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// A resource of a service (RFC 8707) is not an absolute URI, or has a fragment.
    #[error("a resource of {service} is not an absolute URI without a fragment")]
    ResourceMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// The path of a member in a service's responses contains an empty name.
    #[error("the path of a member in the responses of {service} contains an empty name")]
    MemberMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// A parameter of [`Client::allow_parameters`](crate::consumer::Client::allow_parameters), or
    /// one that the application adds to the registration or to a request, is set by the login
    /// itself, or decides what is authorized, or is no name of a parameter.
    #[error("the parameter {name:?} of {service} is one that only the login itself sets")]
    ParameterReserved {
        /// The name of the service.
        service: Box<str>,
        /// The name of the parameter.
        name: Box<str>,
    },
    /// The callback of [`Client::json_callback`](crate::consumer::Client::json_callback) is not an
    /// `https` URL (or `http` on this machine), nor of a scheme that is a reversed domain name, or
    /// has a fragment.
    #[error(
        "the callback of {service} for scripts and programs must be an https URL, or have a scheme \
         with a dot, like com.example.app:/callback"
    )]
    JsonCallbackMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// The origin of [`Login::pop_up`](crate::Login::pop_up) is not an `https` origin (or `http` on
    /// this machine) without a path.
    #[error(
        "the origin that opens logins in a window must be like https://app.example, without a path"
    )]
    OpenerMalformed,
    /// The difference between clocks of [`Login::clock_leeway`](crate::Login::clock_leeway) is more than
    /// five minutes.
    #[error("the tolerated difference between clocks is five minutes at most")]
    ClockLeewayTooLong,
    /// The data of [`Begin::data`](crate::consumer::Begin::data) is longer than 512 bytes as JSON.
    /// Keep it in the application's session or database, and carry its identifier.
    #[error("the data of a login has {bytes} bytes as JSON, and at most 512 are carried along")]
    DataTooLarge {
        /// The bytes of the JSON.
        bytes: usize,
    },
    /// The secret of this application at a service contains a control character (often a line break
    /// or a byte order mark, from a file), or has spaces or quotation marks around it. For OAuth 2,
    /// also a character outside of ASCII (RFC 6749, appendix A.2).
    #[error(
        "the client secret of {service} contains a character that no secret has: for example a \
         line break or a space at its end, or quotation marks around it"
    )]
    SecretMalformed {
        /// The name of the service.
        service: Box<str>,
    },
    /// The function of [`Client::secret_by`](crate::consumer::Client::secret_by) failed; the log
    /// has its error.
    #[error("the client secret of {service} could not be made")]
    SecretNotMade {
        /// The name of the service.
        service: Box<str>,
    },
    /// A service is registered with a secret where its protocol or signature method requires a
    /// private key, with a key where it requires a secret, or with neither.
    #[error(
        "{service} requires another kind of credential: a shared secret, or a private key for RSA"
    )]
    CredentialMismatch {
        /// The service's name.
        service: Box<str>,
    },
    /// A service is registered with the keys of the site, which has none
    /// ([`Login::client_keys`](crate::Login::client_keys)).
    #[error(
        "{service} wants keys of this site, to sign or to decrypt: set them by Login::client_keys"
    )]
    ClientKeysMissing {
        /// The service's name.
        service: Box<str>,
    },
    /// The private key for signing requests to a service cannot be read or used.
    #[error(
        "the private key for {service} must be RSA of 2048 bits or more, as PEM or the path of \
         a PEM file"
    )]
    SigningKeyUnusable {
        /// The service's name.
        service: Box<str>,
    },
    /// Only services of OAuth 1 have out-of-band logins.
    #[error("{service} has no out-of-band logins: its protocol is OAuth 2")]
    NotOutOfBand {
        /// The service's name.
        service: Box<str>,
    },
    /// Only OpenID Providers have ID tokens ([`Spec::oidc`](crate::Spec::oidc)).
    #[error("{service} is no OpenID Provider, so it has no ID tokens")]
    NotOpenId {
        /// The service's name.
        service: Box<str>,
    },
    /// A service cannot be sent request objects ([`Spec::request_objects`](crate::Spec)).
    #[error("{service} cannot be sent request objects: {reason}")]
    RequestObjectUnusable {
        /// The service's name.
        service: Box<str>,
        /// The reason.
        reason: RequestObjectUnusable,
    },
    /// A service's name is not fit for paths and cookies.
    #[error("a service's name has 1 to 40 letters, digits, '-' and '_': not {service:?}")]
    ServiceNameMalformed {
        /// The name.
        service: Box<str>,
    },
    /// Two services have one name.
    #[error("two services are named {service}")]
    ServiceRepeated {
        /// The name.
        service: Box<str>,
    },
    /// The service has no device flow: no
    /// [`Spec::device_authorization`](crate::Spec::device_authorization).
    #[error("{service} has no device flow: use a loopback redirect")]
    NoDeviceFlow {
        /// The service's name.
        service: Box<str>,
    },
    /// The flows for programs need OAuth 2. With OAuth 1 they are
    /// [`Login::begin_out_of_band`](crate::Login::begin_out_of_band).
    #[error("{service} has OAuth 1: programs log in there with Login::begin_out_of_band")]
    NotForPrograms {
        /// The service's name.
        service: Box<str>,
    },
    /// The service compares the port of a loopback redirect URI with the registered one, so a free
    /// port does not serve.
    #[error(
        "{service} compares the port of a redirect URI: register http://127.0.0.1:8017/callback \
         there, for example, and pass that port to Loopback::port"
    )]
    LoopbackPortMissing {
        /// The service's name.
        service: Box<str>,
    },
    /// The path of a loopback redirect URI does not begin with a slash, or has a query or a
    /// character that URLs encode.
    #[error("the path of a loopback redirect URI begins with a slash and has no query")]
    LoopbackPathMalformed,
    /// The port of a loopback redirect URI cannot be opened.
    #[error("cannot listen on {address}: {error}")]
    LoopbackListen {
        /// The address.
        address: std::net::SocketAddr,
        /// The error of the system.
        error: io::ErrorKind,
    },
    /// The login has no service.
    #[error(
        "no service is added: call Login::with or Login::with_tenants, or add a section or the \
         variables of a service to the settings"
    )]
    NoServices,
    /// This application's identifier at a service is empty, has characters that no identifier has
    /// (RFC 6749, appendix A.1), or has spaces or quotation marks around it.
    #[error(
        "this application's client id (or key) at {service} is empty or has spaces or quotation \
         marks around it"
    )]
    ClientIdMalformed {
        /// The service's name.
        service: Box<str>,
    },
    /// A scope has a character that no scope has: a quotation mark, a backslash, a line break or
    /// one outside of ASCII (RFC 6749, section 3.3).
    #[error("the scope {scope:?} of {service} has a character that no scope has")]
    ScopeMalformed {
        /// The service's name.
        service: Box<str>,
        /// The scope.
        scope: Box<str>,
    },
    /// This application's secret at a service is empty.
    #[error("this application's secret at {service} is empty")]
    SecretMissing {
        /// The service's name.
        service: Box<str>,
    },
    /// A handler takes an account of a service whose type is not added.
    #[error("a handler takes an account at {service}, which is not added: call Login::with")]
    ServiceNotAdded {
        /// The service's name in its type.
        service: Box<str>,
    },
    /// The login's router is nested at a path that the public URL does not end in, so none of the
    /// login's URLs leads to it.
    #[error(
        "the login's router is nested at {nested}, but the public URL does not end in that path: \
         pass the whole URL to Login::new"
    )]
    NestedElsewhere {
        /// The path.
        nested: Box<str>,
    },
    /// No service has the requested name.
    #[error("no service is named {service}: add it with Login::with")]
    ServiceUnknown {
        /// The requested name.
        service: Box<str>,
    },
    /// The resolver of tenants ([`Login::with_tenants`](crate::Login::with_tenants)) failed; the
    /// log has the reason.
    #[error("a tenant of {service} could not be looked up")]
    TenantLookup {
        /// The service's name without the tenant's.
        service: Box<str>,
    },
    /// The service with this name is not of the extractor's type.
    #[error("{service} is registered as another type than the extractor's")]
    ServiceMismatch {
        /// The name.
        service: Box<str>,
    },
    /// A handler takes an account, but its router has no [`Login::layer`](crate::Login::layer).
    #[error("call Login::attach (or add Login::layer) on the router whose handlers take Linked")]
    NotAttached,
    /// A user was sent to the login's path, which has no route: the application has
    /// [`Login::layer`](crate::Login::layer) and not [`Login::routes`](crate::Login::routes).
    #[error("the login's path has no route: call Login::attach (or merge Login::routes)")]
    RoutesMissing,
    /// The keys end with the process ([`KeyRing::ephemeral`](crate::KeyRing::ephemeral)), but the
    /// storage outlives it.
    #[error(
        "the storage outlives the process, so the keys must, too (KeyRing::from_env instead of \
         KeyRing::ephemeral)"
    )]
    EphemeralKeys,
    /// A token is sealed under a key that is not in the ring.
    #[error("a token is sealed under a key that is not in the ring")]
    KeyUnknown,
    /// All login cookies of a browser together would be longer than many proxies accept (7 KiB).
    /// Store tokens on the server: [`Login::storage`](crate::Login::storage) with a
    /// [`TokenStorage`](crate::consumer::TokenStorage) over the application's database, or
    /// [`MemoryStorage`](crate::consumer::MemoryStorage) for one process.
    #[error(
        "this user's tokens need {bytes} bytes of cookies, and all login cookies together may have \
         7168: store tokens on the server with Login::storage (a TokenStorage over your database, \
         or MemoryStorage for a single process)"
    )]
    CookieTooLarge {
        /// The bytes of names and values, including the cookies that the browser has already.
        bytes: usize,
    },
    /// With tokens in cookies: a refreshed token cannot be stored once the response's headers are
    /// sent. See [`Linked::detach`](crate::Linked::detach).
    #[error(
        "a token in a cookie cannot be refreshed after the response's headers are sent: detach it \
         before"
    )]
    AnswerHasLeft,
    /// Tokens in cookies are not available outside of a request.
    #[error("tokens in cookies are available only during a request of their user")]
    OutsideRequest,
    /// The registrations of this site at organizations need a storage on the server, and so do request
    /// objects at a URL of the site
    /// ([`RequestObjects::ByReference`](crate::consumer::RequestObjects)).
    #[error("{service} needs a storage on the server: Login::storage")]
    StorageInBrowser {
        /// The service's name.
        service: Box<str>,
    },
    /// A domain of [`Organizations::domain`](crate::consumer::Organizations::domain) is none.
    #[error("{domain:?} is no domain of an organization: it has no port, no path and no @")]
    DomainMalformed {
        /// The domain.
        domain: Box<str>,
    },
    /// The storage of tokens failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The URL of an API call is on another origin than the service's API. If that origin may have
    /// the token, call
    /// [`send_token_to_another_origin`](crate::consumer::Call::send_token_to_another_origin).
    #[error("the call's URL is not on the service's origin, and its token must not leave it")]
    ForeignOrigin,
    /// An API call is no valid HTTP request.
    #[error("the call's path, header or body is invalid in HTTP")]
    CallMalformed,
    /// The token of an account has no secret, which signatures with HMAC and PLAINTEXT need (RFC
    /// 5849, section 3.4): the application stored it without
    /// [`Token::token_secret`](crate::consumer::Token::token_secret).
    #[error("the stored token has no token secret to sign with")]
    TokenSecretMissing,
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    HttpClient,
    /// An error of the network or the file system of this machine.
    #[error("{0}")]
    Io(io::ErrorKind),
}

/// A question to put after the name of an unknown setting.
fn unless_public(key: Option<&str>) -> String {
    key.map_or_else(String::new, |key| format!("; a client without a secret says {key} = true"))
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

impl From<NoHttpClient> for OperatorError {
    fn from(_: NoHttpClient) -> Self {
        Self::HttpClient
    }
}
