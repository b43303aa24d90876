//! The reasons why a request is not done, by whose fault it is.
//!
//! A reason is precise and goes to the log. [`Disclosure`] and [`Shown`] are its consequences: the
//! RFC's code for the client, and the words for the party at fault.

pub(crate) mod endpoint;

use std::time::Duration;

use http::StatusCode;

use crate::{
    form::FormError,
    guard::SignatureError,
    jose::{Algorithm, EncryptError, SignError},
    oauth2::{ErrorCode, RequestError},
};

use endpoint::{DeviceAuthorizationError, EndpointError, TokenError};

use super::{
    authorize::error::{AuthorizeError, BrowserError},
    client::{
        document::error::ClientDocumentError, dynamic::error::ClientRegistrationError,
        error::AuthenticateError,
    },
    guessing::KdfError,
    oauth1::{CredentialsError, TemporaryError},
    openid::{claims::ClaimsUnavailable, logout::error::EndSessionError},
    reason::{Disclosure, Shown},
    store::StoreError,
    token::{
        grant::error::{
            AssertionError, ClientCredentialsError, CodeError, DeviceCodeError, DirectError,
            ExchangeError, PasswordError, RefreshError,
        },
        text_error::TokenTextError,
    },
};

/// The reason why a request is not done, by whose fault it is.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::{ClientError, CodeError, Error}};
///
/// let error = Error::from(CodeError::Replayed);
/// assert_eq!(error.code(), ErrorCode::InvalidGrant);
/// assert!(matches!(error, Error::Client(ClientError::Code(CodeError::Replayed))));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The browser sent an invalid or late request. Its user can mend it.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// The client did something wrong. Its developer can mend it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The operator of this server can mend it.
    #[error(transparent)]
    Operator(#[from] OperatorError),
}

/// The client's mistake, by the exchange in which it was made. Each exchange has an enum of its
/// reasons.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::{AuthorizeError, ClientError}};
///
/// let error = ClientError::from(AuthorizeError::ScopeNotAllowed);
/// assert_eq!(error.code(), ErrorCode::InvalidScope);
/// assert_eq!(error.to_string(), "the client may not request this scope");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// An endpoint does not read such requests.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The request is malformed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The client has not authenticated.
    #[error(transparent)]
    Authenticate(#[from] AuthenticateError),
    /// The client describes itself in a document that is not accepted.
    #[error(transparent)]
    Document(#[from] ClientDocumentError),
    /// A dynamic registration, or a request about one.
    #[error(transparent)]
    Registration(#[from] ClientRegistrationError),
    /// An authorization request.
    #[error(transparent)]
    Authorize(#[from] AuthorizeError),
    /// An authorization request with temporary credentials of OAuth 1.0a.
    #[error(transparent)]
    Temporary(#[from] TemporaryError),
    /// A token request, whatever its grant.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// An authorization code.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// A refresh token.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// A token for the client itself.
    #[error(transparent)]
    ClientCredentials(#[from] ClientCredentialsError),
    /// A JWT of another issuer.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// A grant that the application decides on.
    #[error(transparent)]
    Direct(#[from] DirectError),
    /// The password of a user.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A token exchange.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// A request for a device code.
    #[error(transparent)]
    DeviceAuthorization(#[from] DeviceAuthorizationError),
    /// A device code.
    #[error(transparent)]
    DeviceCode(#[from] DeviceCodeError),
    /// A request for logout.
    #[error(transparent)]
    EndSession(#[from] EndSessionError),
}

/// The reason why the server cannot do its work, which its operator can mend.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::{Error, OperatorError}};
///
/// assert_eq!(Error::from(OperatorError::EphemeralKeys).code(), ErrorCode::ServerError);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The store could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be hashed.
    #[error(transparent)]
    Kdf(#[from] KdfError),
    /// The store outlives the process, and the keys do not.
    #[error("keys that end with the process are not for a store that outlives it: give .keys()")]
    EphemeralKeys,
    /// A client whose refresh failed in the database could not repeat it:
    /// [`Policy::least_repeat_window`](crate::Policy::least_repeat_window).
    #[error(
        "refresh tokens may be repeated for {window:?}, and the store may carry a rotation out so late \
         that it must be {least:?}: give Policy::refresh_repeat_window, or let statements end earlier"
    )]
    RepeatWindow {
        /// The time in which a refresh token may be repeated.
        window: Duration,
        /// The shortest one for this store.
        least: Duration,
    },
    /// An extractor was used on a route without the server's layer.
    #[error(
        "the layer of the authorization server is missing around this route: axum's layers cover \
         the routes that were added before them, so call attach on the router that has all routes"
    )]
    LayerMissing,
    /// The attached router is nested, so the endpoints are not at the paths in the metadata and on
    /// the consent page.
    #[error(
        "the router that attach made is nested at another path than the issuer has: merge it into \
         the outer router, or give the issuer that path and call prefix_is_stripped"
    )]
    Nested,
    /// The application has no page at a path where the server needs one.
    #[error(
        "the application has no route for {method} {path}: add one to the router before attach, \
         with a handler that takes {takes}"
    )]
    PageMissing {
        /// The method of the request.
        method: &'static str,
        /// The path, as requests arrive here.
        path: Box<str>,
        /// The extractor that the handler takes.
        takes: &'static str,
    },
    /// The device page was requested from a server that offers no device authorization grant.
    #[error("this server offers no device authorization grant: call device_grant")]
    DeviceGrantMissing,
    /// The end session endpoint was requested from a server that offers no logout.
    #[error("this server offers no logout: call OpenId::logout")]
    LogoutMissing,
    /// No user code was free.
    #[error("no user code is free: far too many device codes are waiting")]
    UserCodes,
    /// A redirect URI in the store is invalid.
    #[error("a redirect URI in the store is invalid")]
    RedirectUri,
    /// The ticket of a consent page could not be written as JSON.
    #[error("the ticket of a consent page could not be written")]
    Ticket,
    /// The application's hook before an issue could not decide:
    /// [`NotIssued::Unavailable`](super::NotIssued::Unavailable).
    #[error("the application cannot decide on a token: {0}")]
    BeforeIssue(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The application could not decide on a grant.
    #[error("the application could not decide on a grant: {0}")]
    Grant(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The application made a text that cannot be an access token
    /// ([`AuthorizationServer::access_tokens_by_a_generator_of_my_own_that_may_be_guessed`]).
    ///
    /// [`AuthorizationServer::access_tokens_by_a_generator_of_my_own_that_may_be_guessed`]: super::AuthorizationServer::access_tokens_by_a_generator_of_my_own_that_may_be_guessed
    #[error(transparent)]
    TokenText(TokenTextError),
    /// A JWT access token or an ID token is to be signed, and there are no keys for it.
    #[error("tokens are to be signed, and there are no keys for it: give .signing_keys()")]
    NoSigningKeys,
    /// A client is registered with an algorithm for which there is no key
    /// ([`AuthorizationServer::further_signing_keys`](super::AuthorizationServer::further_signing_keys)).
    #[error("a client's tokens are to be signed by {}, and there is no key for it", .0.as_str())]
    NoSigningKeyFor(Algorithm),
    /// The application's claims about a user could not be looked up.
    #[error("the claims about a user cannot be looked up: {0}")]
    Claims(#[source] ClaimsUnavailable),
    /// A subject cannot be in an ID token (OpenID Connect Core, section 2).
    #[error("a subject has more than 255 characters, or others than printable ASCII: no ID token")]
    Subject,
    /// A client gets pairwise subjects, and the server has no secret for them
    /// ([`OpenId::pairwise_subjects`](super::OpenId::pairwise_subjects)), or the client no sector.
    #[error(
        "a client gets pairwise subjects: call OpenId::pairwise_subjects, and give it a sector"
    )]
    NoPairwiseSubjects,
    /// A token could not be signed.
    #[error(transparent)]
    Sign(SignError),
    /// A token could not be encrypted.
    #[error(transparent)]
    Encrypt(EncryptError),
    /// The metadata (RFC 8414) could not be written as JSON.
    #[error("the metadata document could not be written")]
    Metadata,
}

macro_rules! into_error {
    ($($reason:ty => $fault:ident),* $(,)?) => {$(
        impl From<$reason> for Error {
            fn from(reason: $reason) -> Self {
                Self::$fault(reason.into())
            }
        }
    )*};
}

into_error! {
    EndpointError => Client,
    RequestError => Client,
    AuthenticateError => Client,
    ClientDocumentError => Client,
    ClientRegistrationError => Client,
    AuthorizeError => Client,
    TemporaryError => Client,
    TokenError => Client,
    CodeError => Client,
    RefreshError => Client,
    ClientCredentialsError => Client,
    AssertionError => Client,
    DirectError => Client,
    PasswordError => Client,
    ExchangeError => Client,
    DeviceAuthorizationError => Client,
    DeviceCodeError => Client,
    EndSessionError => Client,
    StoreError => Operator,
    KdfError => Operator,
}

impl From<Error> for SignatureError {
    fn from(error: Error) -> Self {
        Self::unavailable(error)
    }
}

impl From<Error> for CredentialsError {
    fn from(error: Error) -> Self {
        match error {
            Error::Client(ClientError::Token(TokenError::UserRefused)) => Self::UserRefused,
            error => Self::Signature(error.into()),
        }
    }
}

impl Error {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Client(error) => error.code(),
            Self::Browser(_) => ErrorCode::InvalidRequest,
            Self::Operator(error) if error.is_transient() => ErrorCode::TemporarilyUnavailable,
            Self::Operator(_) => ErrorCode::ServerError,
        }
    }

    /// The name of the limit that a request exceeded, if it was refused for that.
    pub(crate) fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Client(ClientError::Authenticate(AuthenticateError::Throttled(_))) => {
                Some("client_authentication")
            }
            Self::Client(ClientError::DeviceAuthorization(DeviceAuthorizationError::TooMany(
                _,
            ))) => Some("device_codes"),
            Self::Client(ClientError::Password(error)) => error.wait().map(|_| "passwords"),
            Self::Client(ClientError::Registration(error)) => error.wait().map(|_| "registration"),
            Self::Operator(OperatorError::Kdf(KdfError::Busy)) => Some("hashing"),
            _ => None,
        }
    }

    /// The page for a user.
    pub(crate) fn shown(&self) -> Shown {
        match self {
            Self::Client(error) => error.shown(),
            Self::Browser(error) => error.shown(),
            Self::Operator(error) => error.shown(),
        }
    }
}

impl ClientError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    /// The reason's words for the client's developer, where they get them.
    pub(crate) fn description(&self) -> Option<String> {
        self.disclosed().has_words.then(|| self.to_string())
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::Endpoint(error) => error.disclosed(),
            Self::Request(error) => of_request(*error),
            Self::Authenticate(error) => error.disclosed(),
            Self::Document(error) => error.disclosed(),
            Self::Registration(error) => error.disclosed(),
            Self::Authorize(error) => error.disclosed(),
            Self::Temporary(error) => error.disclosed(),
            Self::Token(error) => error.disclosed(),
            Self::Code(error) => error.disclosed(),
            Self::Refresh(error) => error.disclosed(),
            Self::ClientCredentials(error) => error.disclosed(),
            Self::Assertion(error) => error.disclosed(),
            Self::Direct(error) => error.disclosed(),
            Self::Password(error) => error.disclosed(),
            Self::Exchange(error) => error.disclosed(),
            Self::DeviceAuthorization(error) => error.disclosed(),
            Self::DeviceCode(error) => error.disclosed(),
            Self::EndSession(error) => error.disclosed(),
        }
    }

    fn shown(&self) -> Shown {
        match self {
            Self::Authorize(error) => error.shown(),
            Self::Temporary(error) => error.shown(),
            Self::Document(error) => error.shown(),
            Self::EndSession(error) => error.shown(),
            Self::Endpoint(_)
            | Self::Request(_)
            | Self::Authenticate(_)
            | Self::Registration(_)
            | Self::Token(_)
            | Self::Code(_)
            | Self::Refresh(_)
            | Self::ClientCredentials(_)
            | Self::Assertion(_)
            | Self::Direct(_)
            | Self::Password(_)
            | Self::Exchange(_)
            | Self::DeviceAuthorization(_)
            | Self::DeviceCode(_) => Shown::mistake_told(&self.disclosed()),
        }
    }
}

/// The disclosure of a request's error: the message has code and parameter, this adds the value
/// that the log may have.
fn of_request(error: RequestError) -> Disclosure {
    let words = Disclosure::words(error.code());
    match error {
        RequestError::Form(FormError::ContentType | FormError::ContentEncoding) => {
            words.status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        }
        RequestError::MalformedScope => words.blame(&["scope"]),
        RequestError::MalformedResource => words.blame(&["resource"]),
        RequestError::UnsupportedGrantType => words.blame(&["grant_type"]),
        RequestError::UnsupportedResponseType => words.blame(&["response_type"]),
        RequestError::MalformedChallenge => words.blame(&["code_challenge"]),
        RequestError::PlainChallenge | RequestError::UnknownChallengeMethod => {
            words.blame(&["code_challenge_method"])
        }
        RequestError::Form(_) | RequestError::Missing(_) | RequestError::MalformedVerifier => words,
    }
}

impl OperatorError {
    /// `true` if the same request may succeed in a while.
    fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Kdf(error) => *error == KdfError::Busy,
            Self::BeforeIssue(_) | Self::Grant(_) | Self::Claims(_) => true,
            _ => false,
        }
    }

    /// `true` for a mistake in the application's code. Only its developers see it, and the reason
    /// contains only names from the code, so it is shown to them.
    pub(crate) fn is_in_the_code(&self) -> bool {
        match self {
            Self::EphemeralKeys
            | Self::RepeatWindow { .. }
            | Self::LayerMissing
            | Self::Nested
            | Self::PageMissing { .. }
            | Self::NoSigningKeys
            | Self::NoSigningKeyFor(_)
            | Self::DeviceGrantMissing
            | Self::LogoutMissing
            | Self::NoPairwiseSubjects => true,
            Self::Store(_)
            | Self::Kdf(_)
            | Self::BeforeIssue(_)
            | Self::Grant(_)
            | Self::Claims(_)
            | Self::Subject
            | Self::UserCodes
            | Self::RedirectUri
            | Self::Ticket
            | Self::Metadata
            | Self::TokenText(_)
            | Self::Sign(_)
            | Self::Encrypt(_) => false,
        }
    }

    fn shown(&self) -> Shown {
        if self.is_in_the_code() {
            return Shown {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                title: "problem-not-set-up-title",
                text: "problem-not-set-up",
                code: "server_error",
            };
        }
        let (status, code) = match self.is_transient() {
            true => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            false => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        Shown { status, title: "problem-failed-title", text: "problem-failed", code }
    }
}
