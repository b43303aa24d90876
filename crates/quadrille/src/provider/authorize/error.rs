//! The reasons why an authorization request is refused (RFC 6749, section 4.1.2.1), and why the
//! answer to a consent page is.

use http::StatusCode;

use crate::{
    oauth2::ErrorCode,
    provider::{
        openid::request_object::error::RequestObjectError,
        reason::{Disclosure, Shown},
    },
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
    /// The client is not registered.
    #[error("there is no such client")]
    UnknownClient,
    /// The `redirect_uri` is missing, and the client has none or several registered.
    #[error("the redirect URI is missing, and the client has none or several")]
    RedirectUriMissing,
    /// The `redirect_uri` is not registered.
    #[error("the redirect URI is not registered")]
    RedirectUriNotRegistered,
    /// The client may not use this grant type, or is not registered for this response type.
    #[error("the client may not use this grant type or response type")]
    GrantTypeNotAllowed,
    /// The client may not request one of the scopes.
    #[error("the client may not request this scope")]
    ScopeNotAllowed,
    /// The request is for more scopes than a user can decide on: 1000, or 8 KiB of their names.
    /// Without `scope`, it is for all of the client.
    #[error("the request is for too many scopes: name fewer of them")]
    TooManyScopes,
    /// The requested resource is unknown to this server (RFC 8707, section 2).
    #[error("the resource is unknown here")]
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
    /// A request object is rejected.
    #[error(transparent)]
    RequestObjectRejected(#[from] RequestObjectError),
    /// A client describes itself in `registration` (OpenID Connect Core, section 7.2.1).
    #[error("the parameter registration is not supported")]
    Registration,
    /// The `response_mode` is unknown, not offered, or not for the response type.
    #[error("the response_mode is not supported")]
    ResponseMode,
    /// `prompt` has `none` and other values (OpenID Connect Core, section 3.1.2.1).
    #[error("prompt has none and other values")]
    PromptNoneAmongOthers,
    /// `prompt` has a value that this server does not have.
    #[error("the prompt is unknown, or not supported")]
    PromptUnknown,
    /// `prompt=none`, and no user is signed in, or not as recently or as strongly as the client
    /// requires.
    #[error("prompt=none, and no user is signed in as the request requires")]
    LoginRequired,
    /// The user who is signed in is not the one that the client requires (`id_token_hint`, or `sub`
    /// in `claims`; OpenID Connect Core, sections 3.1.2.1 and 5.5.1).
    #[error("another user is signed in than the request requires")]
    OtherUser,
    /// `prompt=none`, and the user would have to choose an account.
    #[error("prompt=none, and the user would have to choose an account")]
    AccountSelectionRequired,
    /// `prompt=none`, and the application would have to show a page.
    #[error("prompt=none, and the application would have to show a page")]
    InteractionRequired,
    /// `claims` is no request for claims (OpenID Connect Core, section 5.5).
    #[error("claims is malformed, or too long")]
    Claims,
    /// The response type has an ID token, and the request not the scope `openid` (OpenID Connect
    /// Core, section 3.1.2.1).
    #[error("a response type with an ID token needs the scope openid")]
    OpenIdScopeMissing,
    /// The response type has an ID token, and the request no `nonce` (OpenID Connect Core, sections
    /// 3.2.2.1 and 3.3.2.11).
    #[error("a response type with an ID token needs a nonce")]
    NonceMissing,
    /// The `id_token_hint` is no ID token of this server, or its key is no longer known.
    #[error("the id_token_hint is no ID token of this server")]
    Hint,
    /// `prompt=none`, and the user has not consented.
    #[error("prompt=none, and consent is required")]
    ConsentRequired,
    /// `prompt=none`, and the user has not consented. The request has a condition on the sign-in, and
    /// the client is not told whether it is met.
    #[error("prompt=none, and consent is required; the client is not told who is signed in")]
    ConsentRequiredUntold,
    /// `max_age` is no number of seconds.
    #[error("max_age is no number of seconds")]
    MaxAge,
    /// The user's authentication is of none of the classes in `acr_values`, or this server knows
    /// none of them (RFC 9470, section 5).
    #[error("the authentication of the user does not suffice for acr_values")]
    AuthenticationUnmet,
    /// The user denied the request.
    #[error("the user denied the request")]
    Denied,
    /// The application issues no token for the user:
    /// [`before_issue`](crate::provider::AuthorizationServer::before_issue).
    #[error("the application refuses tokens for this user")]
    UserRefused,
    /// The user was removed or disabled, or has signed in before the subject was given again.
    #[error("the user who signed in is gone")]
    UserGone,
}

impl AuthorizeError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        let invalid = Disclosure::words(ErrorCode::InvalidRequest);
        match self {
            Self::UnknownClient => Disclosure::code(ErrorCode::InvalidClient).blame(&["client_id"]),
            Self::RedirectUriMissing => Disclosure::code(ErrorCode::InvalidRequest),
            Self::RedirectUriNotRegistered => {
                Disclosure::code(ErrorCode::InvalidRequest).blame(&["redirect_uri"])
            }
            Self::GrantTypeNotAllowed => {
                Disclosure::words(ErrorCode::UnauthorizedClient).blame(&["grant_type"])
            }
            Self::ScopeNotAllowed => Disclosure::words(ErrorCode::InvalidScope).blame(&["scope"]),
            Self::TooManyScopes => Disclosure::words(ErrorCode::InvalidScope),
            Self::ResourceUnknown => {
                Disclosure::words(ErrorCode::InvalidTarget).blame(&["resource"])
            }
            Self::ChallengeMissing => invalid,
            Self::RequestObject => Disclosure::code(ErrorCode::RequestNotSupported),
            Self::RequestUri => {
                Disclosure::code(ErrorCode::RequestUriNotSupported).blame(&["request_uri"])
            }
            Self::RequestObjectRejected(error) => error.disclosed(),
            Self::Registration => Disclosure::code(ErrorCode::RegistrationNotSupported),
            Self::ResponseMode => invalid.blame(&["response_mode"]),
            Self::PromptNoneAmongOthers | Self::PromptUnknown => invalid.blame(&["prompt"]),
            Self::LoginRequired | Self::OtherUser | Self::ConsentRequiredUntold => {
                Disclosure::code(ErrorCode::LoginRequired)
            }
            Self::AccountSelectionRequired => Disclosure::code(ErrorCode::AccountSelectionRequired),
            Self::InteractionRequired => Disclosure::code(ErrorCode::InteractionRequired),
            Self::Claims | Self::Hint | Self::OpenIdScopeMissing | Self::NonceMissing => invalid,
            Self::ConsentRequired => Disclosure::code(ErrorCode::ConsentRequired),
            Self::MaxAge => invalid.blame(&["max_age"]),
            Self::AuthenticationUnmet => {
                Disclosure::code(ErrorCode::UnmetAuthenticationRequirements).blame(&["acr_values"])
            }
            Self::Denied | Self::UserRefused | Self::UserGone => {
                Disclosure::code(ErrorCode::AccessDenied)
            }
        }
    }

    /// `true` if the authentication of the user may be to blame.
    pub(crate) const fn is_of_sign_in(&self) -> bool {
        matches!(self, Self::AuthenticationUnmet | Self::LoginRequired)
    }

    /// The page for a user who cannot be sent back to the client.
    pub(crate) fn shown(&self) -> Shown {
        match self {
            Self::UnknownClient => Shown::mistake("unknown_client", "problem-unknown-client"),
            Self::RedirectUriMissing => Shown::mistake("redirect_uri_missing", ELSEWHERE),
            Self::RedirectUriNotRegistered => {
                Shown::mistake("redirect_uri_not_registered", ELSEWHERE)
            }
            Self::LoginRequired | Self::ConsentRequiredUntold => {
                not_granted("login_required", UNASKED)
            }
            Self::ConsentRequired => not_granted("consent_required", UNASKED),
            Self::AccountSelectionRequired => not_granted("account_selection_required", UNASKED),
            Self::InteractionRequired => not_granted("interaction_required", UNASKED),
            Self::OtherUser => not_granted("login_required", "problem-other-user-required"),
            Self::AuthenticationUnmet => {
                not_granted("unmet_authentication_requirements", "problem-stronger-sign-in")
            }
            Self::Denied => {
                Shown { status: StatusCode::OK, ..not_granted("access_denied", "problem-denied") }
            }
            Self::UserRefused => not_granted("user_refused", "problem-user-refused"),
            Self::UserGone => not_granted("user_gone", "problem-user-gone"),
            Self::GrantTypeNotAllowed
            | Self::ScopeNotAllowed
            | Self::TooManyScopes
            | Self::ResourceUnknown
            | Self::ChallengeMissing
            | Self::RequestObject
            | Self::RequestUri
            | Self::RequestObjectRejected(_)
            | Self::Registration
            | Self::ResponseMode
            | Self::MaxAge
            | Self::Claims
            | Self::Hint
            | Self::OpenIdScopeMissing
            | Self::NonceMissing
            | Self::PromptNoneAmongOthers
            | Self::PromptUnknown => Shown::mistake_told(&self.disclosed()),
        }
    }
}

const ELSEWHERE: &str = "problem-redirect-uri";
const UNASKED: &str = "problem-unasked";

const fn not_granted(code: &'static str, text: &'static str) -> Shown {
    Shown { status: StatusCode::BAD_REQUEST, title: "problem-not-granted-title", text, code }
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
    /// The form has no ticket, or more than one.
    #[error("the consent form has no ticket")]
    TicketMissing,
    /// The ticket is malformed, changed, or of another issuer.
    #[error("the ticket of the consent form was changed")]
    TicketTampered,
    /// The ticket was sealed under a key that this server no longer has.
    #[error("the ticket of the consent form is from a key no longer in the ring")]
    TicketUnderUnknownKey,
    /// The ticket was issued to another browser, or this browser has lost its cookie, for example
    /// because more than 24 consent pages were opened.
    #[error("the ticket of the consent form was issued to another browser, or the cookie is lost")]
    TicketOfOtherBrowser,
    /// The ticket was issued to another user.
    #[error("the ticket of the consent form was issued to another user")]
    TicketOfOtherUser,
    /// The page was open for too long.
    #[error("the ticket of the consent form has expired")]
    TicketExpired,
    /// The page was shown before the store lost what it knew of answered pages, as a database does
    /// that is restored from a backup.
    #[error("the ticket of the consent form is from before the store was restored")]
    TicketBeforeRestore,
    /// The page was answered differently before, or its code is redeemed.
    #[error("the consent page was answered before")]
    TicketAnswered,
    /// The client was changed or removed while the page was open.
    #[error("the client changed while the consent page was open")]
    ClientChanged,
    /// A consent that the page showed was withdrawn while the page was open.
    #[error("a consent was withdrawn while the consent page was open")]
    ConsentWithdrawn,
    /// The fields of the form are not those of the page.
    #[error("the fields of the consent form cannot be read")]
    FormFields,
}

impl BrowserError {
    /// The page for the user.
    pub(crate) const fn shown(&self) -> Shown {
        match self {
            Self::TicketMissing => Shown::out_of_date("ticket_missing"),
            Self::TicketTampered => Shown::out_of_date("ticket_tampered"),
            Self::TicketUnderUnknownKey => Shown::out_of_date("ticket_unknown_key"),
            Self::TicketOfOtherBrowser => Shown {
                status: StatusCode::FORBIDDEN,
                text: "problem-other-browser",
                ..Shown::out_of_date("ticket_other_browser")
            },
            Self::TicketOfOtherUser => Shown {
                status: StatusCode::FORBIDDEN,
                text: "problem-other-user",
                ..Shown::out_of_date("ticket_other_user")
            },
            Self::TicketExpired => Shown::out_of_date("ticket_expired"),
            Self::TicketBeforeRestore => Shown::out_of_date("ticket_before_restore"),
            Self::TicketAnswered => Shown {
                status: StatusCode::CONFLICT,
                title: "problem-answered-title",
                text: "problem-answered",
                code: "ticket_answered",
            },
            Self::ClientChanged => Shown::out_of_date("client_changed"),
            Self::ConsentWithdrawn => Shown::out_of_date("consent_withdrawn"),
            Self::FormFields => Shown::out_of_date("form_fields"),
        }
    }
    /// The page for the user, with a link to the same request.
    pub(crate) const fn shown_with_link(&self) -> Shown {
        let text = match self {
            Self::TicketOfOtherBrowser => "problem-other-browser-again",
            Self::TicketOfOtherUser => "problem-other-user-again",
            Self::TicketAnswered => "problem-answered-again",
            _ => "problem-out-of-date-again",
        };
        Shown { text, ..self.shown() }
    }
}
