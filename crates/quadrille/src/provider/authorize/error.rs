//! The reasons why an authorization request is refused (RFC 6749, section 4.1.2.1), and why the
//! answer to a consent page is.

use http::StatusCode;

use crate::{
    oauth2::ErrorCode,
    provider::reason::{Disclosure, Shown},
};

/// The reason why an authorization request is refused, once it can be read (RFC 6749, section
/// 4.1.2.1). The client is told the code; the user is told instead where nothing may be sent to the
/// client.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::AuthorizeError};
///
/// assert_eq!(AuthorizeError::Denied.code(), ErrorCode::AccessDenied);
/// assert_eq!(AuthorizeError::ScopeNotAllowed.code(), ErrorCode::InvalidScope);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// There is no such client.
    #[error("there is no such client")]
    UnknownClient,
    /// There is no `redirect_uri`, and not exactly one is registered.
    #[error("the request names no redirect URI, and the client has not exactly one")]
    RedirectUriMissing,
    /// The `redirect_uri` is not registered.
    #[error("the redirect URI is not registered")]
    RedirectUriNotRegistered,
    /// The client may not use this grant type.
    #[error("the client may not use this grant type")]
    GrantTypeNotAllowed,
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
}

impl AuthorizeError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        let invalid = Disclosure::words(ErrorCode::InvalidRequest);
        match self {
            Self::UnknownClient => Disclosure::code(ErrorCode::InvalidClient).blame("client_id"),
            Self::RedirectUriMissing => Disclosure::code(ErrorCode::InvalidRequest),
            Self::RedirectUriNotRegistered => {
                Disclosure::code(ErrorCode::InvalidRequest).blame("redirect_uri")
            }
            Self::GrantTypeNotAllowed => {
                Disclosure::words(ErrorCode::UnauthorizedClient).blame("grant_type")
            }
            Self::ScopeNotAllowed => Disclosure::words(ErrorCode::InvalidScope).blame("scope"),
            Self::ResourceUnknown => Disclosure::words(ErrorCode::InvalidTarget).blame("resource"),
            Self::ChallengeMissing => invalid,
            Self::RequestObject => Disclosure::code(ErrorCode::RequestNotSupported),
            Self::RequestUri => {
                Disclosure::code(ErrorCode::RequestUriNotSupported).blame("request_uri")
            }
            Self::ResponseMode => invalid.blame("response_mode"),
            Self::PromptNoneAmongOthers => invalid.blame("prompt"),
            Self::LoginRequired => Disclosure::code(ErrorCode::LoginRequired),
            Self::ConsentRequired => Disclosure::code(ErrorCode::ConsentRequired),
            Self::Denied => Disclosure::code(ErrorCode::AccessDenied),
        }
    }

    /// The page for a user who cannot be sent back to the client.
    pub(crate) const fn shown(&self) -> Shown {
        match self {
            Self::UnknownClient => Shown::mistake(
                "unknown_client",
                "The application that sent you here is not known. Nothing was granted.",
            ),
            Self::RedirectUriMissing => Shown::mistake("redirect_uri_missing", ELSEWHERE),
            Self::RedirectUriNotRegistered => {
                Shown::mistake("redirect_uri_not_registered", ELSEWHERE)
            }
            Self::LoginRequired => not_granted("login_required", UNASKED),
            Self::ConsentRequired => not_granted("consent_required", UNASKED),
            Self::Denied => Shown {
                status: StatusCode::OK,
                ..not_granted(
                    "access_denied",
                    "You said no to an application that nobody here knows. It was not told.",
                )
            },
            Self::GrantTypeNotAllowed
            | Self::ScopeNotAllowed
            | Self::ResourceUnknown
            | Self::ChallengeMissing
            | Self::RequestObject
            | Self::RequestUri
            | Self::ResponseMode
            | Self::PromptNoneAmongOthers => Shown::MISTAKE,
        }
    }
}

const ELSEWHERE: &str = "The application wants you to be sent to an address that is not \
                         registered for it. You were not sent there, and nothing was granted.";
const UNASKED: &str = "An application that you have not let in asked to go on without asking you.";

const fn not_granted(code: &'static str, text: &'static str) -> Shown {
    Shown { status: StatusCode::BAD_REQUEST, title: "Nothing was granted", text, code }
}

/// The reason why the answer to a consent page is refused: a mistake of the browser, which its user
/// can mend.
///
/// ```
/// use quadrille::provider::{BrowserError, Error};
///
/// let error = Error::from(BrowserError::TicketExpired);
/// assert_eq!(error.to_string(), "the ticket of the consent form has expired");
/// ```
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

impl BrowserError {
    /// The page that says so.
    pub(crate) const fn shown(&self) -> Shown {
        match self {
            Self::TicketMissing => Shown::out_of_date("ticket_missing"),
            Self::TicketTampered => Shown::out_of_date("ticket_tampered"),
            Self::TicketUnderUnknownKey => Shown::out_of_date("ticket_unknown_key"),
            Self::TicketOfOtherBrowser => Shown {
                status: StatusCode::FORBIDDEN,
                text: "This page was opened in another browser, or this one has lost a cookie. Go \
                       back to the application and start again, with cookies allowed.",
                ..Shown::out_of_date("ticket_other_browser")
            },
            Self::TicketOfOtherUser => Shown {
                status: StatusCode::FORBIDDEN,
                text: "Somebody else has signed in since this page was opened. Go back to the \
                       application and start again.",
                ..Shown::out_of_date("ticket_other_user")
            },
            Self::TicketExpired => Shown::out_of_date("ticket_expired"),
            Self::TicketAnswered => Shown {
                status: StatusCode::CONFLICT,
                title: "Already answered",
                text: "You have answered this question before. Go back to the application; if it \
                       still waits for you, start there again.",
                code: "ticket_answered",
            },
            Self::ClientChanged => Shown::out_of_date("client_changed"),
            Self::FormFields => Shown::out_of_date("form_fields"),
        }
    }
}
