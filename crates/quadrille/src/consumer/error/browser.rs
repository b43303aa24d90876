//! The reasons why a login fails by the fault of the user or their browser.

use http::StatusCode;

use crate::oidc::IdTokenRejected;

/// The reason why a login fails by the fault of the user or their browser.
///
/// ```
/// use quadrille::consumer::BrowserError;
///
/// assert_eq!(BrowserError::Denied.code(), "access_denied");
/// assert_eq!(BrowserError::Denied.status(), 403);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// The user refused at the service (RFC 6749, section 4.1.2.1: `access_denied`).
    #[error("the user refused at the service")]
    Denied,
    /// A parameter of the callback is repeated, malformed or too long.
    #[error("the callback's parameters cannot be read")]
    CallbackMalformed,
    /// A parameter of a request that begins a login is repeated, malformed or too long, or contains
    /// a control character.
    #[error("the parameters of the request to log in cannot be read")]
    LoginMalformed,
    /// A request that changes something (a script's to begin or finish a login, any to log out,
    /// one with `SameOrigin`) does not certainly come from a page of this site, or a script's is
    /// not declared as JSON.
    #[error("the request does not come from a page or a program of this site")]
    NotThisOrigin,
    /// `state` is missing, changed, or of another site.
    #[error("the callback's state is not one of this site")]
    StateUnknown,
    /// The attempt is older than an hour, or than a program's login may be: the codes of a device
    /// login have expired, or nobody returned to the port of a loopback login in time.
    #[error("the login attempt has expired")]
    AttemptExpired,
    /// The browser did not send the cookie of the attempt, or the attempt was finished before.
    #[error("the login attempt's cookie is missing, or the attempt was finished before")]
    AttemptCookieMissing,
    /// The user signed in now did not begin the login.
    #[error("another user began the login than the one signed in now")]
    UserChanged,
    /// A further scope was granted by another account than the linked one.
    #[error("the user chose another account at the service than the linked one")]
    AccountChanged,
    /// The user chose an account without the claim that this site requires
    /// ([`Spec::required_claim`](crate::Spec::required_claim)).
    #[error("the user chose an account that this site does not admit")]
    AccountNotAllowed,
    /// The account belongs to another user of this site than the one signed in
    /// ([`RefusedError::LinkedToAnother`](crate::consumer::users::RefusedError::LinkedToAnother)).
    #[error("the account belongs to another user than the one signed in")]
    AccountOfAnotherUser,
    /// The user signed in does not exist
    /// ([`RefusedError::UserUnknown`](crate::consumer::users::RefusedError::UserUnknown)).
    #[error("the user signed in does not exist")]
    UserUnknown,
    /// The user returned to the page three times within a minute and no account is linked: another
    /// login would be a redirect loop.
    #[error(
        "three logins within a minute linked no usable account: the service grants fewer scopes \
         than the page requires, or the browser or the storage keeps no account"
    )]
    Loop,
    /// The callback names another issuer than the service's (RFC 9207, section 2.4).
    #[error("the callback names another issuer than the service's")]
    WrongIssuer,
    /// A request that initiates a login names another issuer than the service's (OpenID Connect Core,
    /// section 4).
    #[error("the request that initiates a login names another issuer than the service's")]
    IssuerOther,
    /// The page to go on to, in a request that initiates a login, is none of this site, or is a login
    /// (OpenID Connect Core, section 4: `target_link_uri`).
    #[error("the request that initiates a login leads to a page that is none of this site")]
    TargetElsewhere,
    /// The resolver of [`Login::with_tenants`](crate::Login::with_tenants) has no such tenant, or
    /// the tenant's name is invalid.
    #[error("no such tenant")]
    TenantUnknown,
    /// The user has typed neither an e-mail address nor an https URL
    /// ([`UserIdentifier`](crate::oidc::UserIdentifier)).
    #[error("the user has typed neither an e-mail address nor a URL")]
    IdentifierMalformed,
    /// The host that the user has typed names no issuer, or one that is not allowed
    /// ([`Organizations`](crate::consumer::Organizations)).
    #[error("the organization that the user has typed is not found, or not allowed here")]
    OrganizationUnknown,
    /// Too many organizations were looked up within a minute: at the same host, or in all.
    #[error("too many organizations were looked up within a minute")]
    TooManyLookups,
    /// The ID token that a page or an app presents to log in, or that the browser brings beside a code,
    /// is not valid (OpenID Connect Core, sections 3.1.3.7 and 3.3.2.12). Anybody can present one.
    #[error("the ID token that was presented is rejected: {0}")]
    IdTokenRejected(IdTokenRejected),
    /// The service has no sign-in by an ID token at this site:
    /// [`Client::accept_id_tokens`](crate::consumer::Client::accept_id_tokens).
    #[error(
        "this site accepts no ID tokens of pages and apps for this service: \
         Client::accept_id_tokens"
    )]
    IdTokensNotAccepted,
}

impl BrowserError {
    /// The stable code, for logs, help pages and clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied => "access_denied",
            Self::CallbackMalformed => "callback_malformed",
            Self::LoginMalformed => "login_malformed",
            Self::NotThisOrigin => "not_this_origin",
            Self::StateUnknown => "state_unknown",
            Self::AttemptExpired => "attempt_expired",
            Self::AttemptCookieMissing => "attempt_cookie_missing",
            Self::UserChanged => "user_changed",
            Self::AccountChanged => "account_changed",
            Self::AccountNotAllowed => "account_not_allowed",
            Self::AccountOfAnotherUser => "account_of_another_user",
            Self::UserUnknown => "user_unknown",
            Self::Loop => "login_loop",
            Self::WrongIssuer => "wrong_issuer",
            Self::IssuerOther => "issuer_other",
            Self::TargetElsewhere => "target_elsewhere",
            Self::TenantUnknown => "tenant_unknown",
            Self::IdentifierMalformed => "identifier_malformed",
            Self::OrganizationUnknown => "organization_unknown",
            Self::TooManyLookups => "too_many_lookups",
            Self::IdTokenRejected(_) => "id_token_rejected",
            Self::IdTokensNotAccepted => "id_tokens_not_accepted",
        }
    }

    /// The status of the response to the user.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Denied
            | Self::UserChanged
            | Self::AccountNotAllowed
            | Self::UserUnknown
            | Self::IdTokensNotAccepted
            | Self::NotThisOrigin => StatusCode::FORBIDDEN,
            Self::Loop | Self::AccountOfAnotherUser => StatusCode::CONFLICT,
            Self::TenantUnknown | Self::OrganizationUnknown => StatusCode::NOT_FOUND,
            Self::TooManyLookups => StatusCode::TOO_MANY_REQUESTS,
            Self::CallbackMalformed
            | Self::LoginMalformed
            | Self::IdTokenRejected(_)
            | Self::IdentifierMalformed
            | Self::StateUnknown
            | Self::AttemptExpired
            | Self::AttemptCookieMissing
            | Self::AccountChanged
            | Self::IssuerOther
            | Self::TargetElsewhere
            | Self::WrongIssuer => StatusCode::BAD_REQUEST,
        }
    }
}
