//! Why the provider says no, by whose fault it is.
//!
//! The reasons here are precise and go to the log. What goes out is the code of the RFC, which
//! [`Error::code`] derives from the reason, and words that say what to do.

use std::time::Duration;

use crate::{
    form::FormError,
    oauth2::{ClientAuthError, ErrorCode, RequestError},
};

use super::{client::document::ClientDocumentError, guessing::KdfError, store::StoreError};

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The browser sent something it should not have, or too late. The person in front of it can
    /// mend it.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// The client did something wrong. Its developer can mend it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The operator of this server can mend it.
    #[error(transparent)]
    Operator(#[from] OperatorError),
}

/// What a browser did wrong at the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// The form holds no ticket, or more than one.
    #[error("the consent form holds no ticket")]
    TicketMissing,
    /// The ticket is not one, or was changed, or is another issuer's.
    #[error("the ticket of the consent form was changed")]
    TicketTampered,
    /// The ticket was sealed under a key that this server no longer has.
    #[error("the ticket of the consent form is from a key no longer in the ring")]
    TicketUnderUnknownKey,
    /// The ticket was given to another browser, or this one has lost its cookie.
    #[error("the ticket of the consent form was given to another browser, or the cookie is lost")]
    TicketOfOtherBrowser,
    /// The ticket was given to somebody else.
    #[error("the ticket of the consent form was given to another user")]
    TicketOfOtherUser,
    /// The page was open for too long.
    #[error("the ticket of the consent form has expired")]
    TicketExpired,
    /// The page was answered before, and differently, or its code is spent.
    #[error("the consent page was answered before")]
    TicketAnswered,
    /// The client was changed or removed while the page was open.
    #[error("the client changed while the consent page was open")]
    ClientChanged,
    /// The fields of the form are not those that the page has.
    #[error("the fields of the consent form cannot be read")]
    FormFields,
}

/// What a client did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The request is malformed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The method is not one of these.
    #[error("the method must be {0}")]
    Method(&'static str),
    /// The body is longer than 64 KiB.
    #[error("the body is too long")]
    BodyTooLong,

    /// It cannot be told which client this is, or how it authenticates.
    #[error(transparent)]
    Authentication(#[from] ClientAuthError),
    /// There is no such client.
    #[error("there is no such client")]
    UnknownClient,
    /// The client describes itself in a document that was not taken.
    #[error(transparent)]
    Document(#[from] ClientDocumentError),
    /// A confidential client did not authenticate.
    #[error("a confidential client did not authenticate")]
    SecretMissing,
    /// The secret is wrong.
    #[error("the client secret is wrong")]
    SecretWrong,
    /// The secret was right until it expired.
    #[error("the client secret has expired")]
    SecretExpired,
    /// A public client sent a secret: it has none, and would not keep it.
    #[error("a public client sent a secret")]
    SecretOfPublicClient,
    /// Too many failures; try again after this time.
    #[error("too many failed authentications")]
    Throttled(Duration),
    /// The client may not use this grant type.
    #[error("the client may not use this grant type")]
    GrantTypeNotAllowed,

    /// There is no `redirect_uri`, and not exactly one is registered.
    #[error("the request names no redirect URI, and the client has not exactly one")]
    RedirectUriMissing,
    /// The `redirect_uri` is not registered.
    #[error("the redirect URI is not registered")]
    RedirectUriNotRegistered,
    /// A scope was asked for that the client may not have.
    #[error("the client may not ask for this scope")]
    ScopeNotAllowed,
    /// A resource was asked for that this server does not know (RFC 8707, section 2).
    #[error("the resource is not known here")]
    ResourceUnknown,
    /// PKCE is required (RFC 7636, section 4.4.1).
    #[error("a code_challenge is required")]
    ChallengeMissing,
    /// A `request` object was sent.
    #[error("request objects are not supported")]
    RequestObject,
    /// A `request_uri` was sent.
    #[error("request_uri is not supported")]
    RequestUri,
    /// An answer in another way than in the query was asked for.
    #[error("the response_mode is not supported")]
    ResponseMode,
    /// `prompt=none` stands beside other values.
    #[error("prompt=none stands beside other values")]
    PromptNoneAmongOthers,
    /// `prompt=none`, and the person is not signed in.
    #[error("prompt=none, and nobody is signed in")]
    LoginRequired,
    /// `prompt=none`, and the person has not consented yet.
    #[error("prompt=none, and consent is required")]
    ConsentRequired,
    /// The person said no.
    #[error("the person said no")]
    Denied,

    /// There is an `oauth_token` and a `client_id`: one is of OAuth 1.0a, the other of OAuth 2.
    #[error("the request has an oauth_token and a client_id")]
    TwoDances,
    /// There are no such temporary credentials (any more).
    #[error("there are no such temporary credentials")]
    TemporaryUnknown,
    /// The temporary credentials have expired.
    #[error("the temporary credentials have expired")]
    TemporaryExpired,
    /// The temporary credentials were denied, or exchanged.
    #[error("the temporary credentials were used before")]
    TemporaryUsed,

    /// There is no such code (any more), or it is none of ours.
    #[error("there is no such code")]
    CodeUnknown,
    /// The code was given to another client.
    #[error("the code was given to another client")]
    CodeOfOtherClient,
    /// The code came too late.
    #[error("the code has expired")]
    CodeExpired,
    /// The code was redeemed before. What it bought is revoked.
    #[error("the code was redeemed before; what it bought is revoked")]
    CodeReplayed,
    /// What the code stands for was revoked.
    #[error("what the code stands for was revoked")]
    CodeRevoked,
    /// The `redirect_uri` is not the one of the authorization request, or is missing.
    #[error("the redirect URI is not the one of the authorization request")]
    RedirectUriDiffers,
    /// There is no `code_verifier`, but there was a challenge.
    #[error("the code_verifier is missing")]
    VerifierMissing,
    /// There is a `code_verifier`, but there was no challenge (RFC 9700, section 2.1.1).
    #[error("there is a code_verifier, but there was no code_challenge")]
    VerifierWithoutChallenge,
    /// The `code_verifier` does not fit the challenge.
    #[error("the code_verifier does not fit the code_challenge")]
    VerifierWrong,

    /// The refresh token is none of ours, or its family is gone or revoked.
    #[error("there is no such refresh token")]
    RefreshUnknown,
    /// The refresh token was given to another client.
    #[error("the refresh token was given to another client")]
    RefreshOfOtherClient,
    /// The refresh token lay unused for too long, or its chain is over.
    #[error("the refresh token has expired")]
    RefreshExpired,
    /// The refresh token was used before. Its family is revoked.
    #[error("the refresh token was used before; its family is revoked")]
    RefreshReplayed,
    /// More scope was asked for than was granted.
    #[error("more scope was asked for than was granted")]
    ScopeNotGranted,
    /// A token was asked for at another resource than was granted (RFC 8707, section 2.2).
    #[error("the resource is not among those that were granted")]
    ResourceNotGranted,
    /// A public client asked what a token is worth, without proof of who it is (RFC 7662, section 4).
    #[error("a public client cannot ask what a token is worth")]
    PublicClientAsks,
    /// A public client asked for a token for itself.
    #[error("a public client cannot have a token for itself")]
    PublicClientForItself,
}

/// What the operator can mend.
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
    /// An extractor was used where the server's layer is not.
    #[error(
        "the layer of the authorization server is missing around this route: axum's layers cover the \
         routes that were added before them, so call attach on the router that has all routes"
    )]
    LayerMissing,
    /// The router that was attached is nested, so that the endpoints are not where the metadata and
    /// the consent page say.
    #[error(
        "the router that attach made is nested at another path than the issuer has: merge it into the \
         outer router, or give the issuer that path and call prefix_is_stripped"
    )]
    Nested,
    /// A redirect URI that the store holds for a client is not one.
    #[error("a redirect URI in the store is not one")]
    RedirectUri,
    /// What a consent page asks could not be written down.
    #[error("the ticket of a consent page could not be written")]
    Ticket,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Operator(error.into())
    }
}

impl From<KdfError> for Error {
    fn from(error: KdfError) -> Self {
        Self::Operator(error.into())
    }
}

impl From<ClientDocumentError> for Error {
    fn from(error: ClientDocumentError) -> Self {
        Self::Client(error.into())
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::Client(error.into())
    }
}

impl Error {
    /// The code on the wire: the one place that derives it from the reason.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Client(error) => error.code(),
            Self::Browser(_) => ErrorCode::InvalidRequest,
            Self::Operator(OperatorError::Store(error)) if error.is_transient() => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::Operator(OperatorError::Kdf(KdfError::Busy)) => ErrorCode::TemporarilyUnavailable,
            Self::Operator(_) => ErrorCode::ServerError,
        }
    }
}

impl ClientError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Request(error) => error.code(),
            Self::Method(_)
            | Self::BodyTooLong
            | Self::RedirectUriMissing
            | Self::RedirectUriNotRegistered
            | Self::ChallengeMissing
            | Self::ResponseMode
            | Self::PromptNoneAmongOthers
            | Self::TwoDances
            | Self::TemporaryUnknown
            | Self::TemporaryExpired
            | Self::TemporaryUsed => ErrorCode::InvalidRequest,
            Self::RequestObject => ErrorCode::RequestNotSupported,
            Self::RequestUri => ErrorCode::RequestUriNotSupported,
            Self::Authentication(error) => error.code(),
            Self::UnknownClient
            | Self::Document(_)
            | Self::SecretMissing
            | Self::SecretWrong
            | Self::SecretExpired
            | Self::SecretOfPublicClient
            | Self::PublicClientAsks
            | Self::Throttled(_) => ErrorCode::InvalidClient,
            Self::GrantTypeNotAllowed | Self::PublicClientForItself => {
                ErrorCode::UnauthorizedClient
            }
            Self::ScopeNotAllowed | Self::ScopeNotGranted => ErrorCode::InvalidScope,
            Self::ResourceUnknown | Self::ResourceNotGranted => ErrorCode::InvalidTarget,
            Self::LoginRequired => ErrorCode::LoginRequired,
            Self::ConsentRequired => ErrorCode::ConsentRequired,
            Self::Denied => ErrorCode::AccessDenied,
            Self::CodeUnknown
            | Self::CodeOfOtherClient
            | Self::CodeExpired
            | Self::CodeReplayed
            | Self::CodeRevoked
            | Self::RedirectUriDiffers
            | Self::VerifierMissing
            | Self::VerifierWithoutChallenge
            | Self::VerifierWrong
            | Self::RefreshUnknown
            | Self::RefreshOfOtherClient
            | Self::RefreshExpired
            | Self::RefreshReplayed => ErrorCode::InvalidGrant,
        }
    }

    /// Words for the client's developer, where they help and tell nothing that a guesser could use.
    pub(crate) fn description(&self) -> Option<String> {
        match self {
            Self::Request(_)
            | Self::Authentication(_)
            | Self::Method(_)
            | Self::BodyTooLong
            | Self::GrantTypeNotAllowed
            | Self::PublicClientForItself
            | Self::ScopeNotAllowed
            | Self::ScopeNotGranted
            | Self::ResourceUnknown
            | Self::ResourceNotGranted
            | Self::ChallengeMissing
            | Self::ResponseMode
            | Self::PromptNoneAmongOthers
            | Self::VerifierMissing
            | Self::VerifierWithoutChallenge
            | Self::RedirectUriDiffers => Some(self.to_string()),
            _ => None,
        }
    }

    /// Whether the body is not declared as a form.
    pub(crate) const fn is_content_type(&self) -> bool {
        matches!(self, Self::Request(RequestError::Form(FormError::ContentType)))
    }
}
