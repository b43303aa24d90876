//! The reasons why a login fails that a visitor, or their browser, is at fault for.

use http::StatusCode;

/// The reason why a login fails, by the visitor's or their browser's fault.
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

impl BrowserError {
    /// The stable code, for logs, help pages and clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied => "access_denied",
            Self::CallbackMalformed => "callback_malformed",
            Self::StateUnknown => "state_unknown",
            Self::AttemptExpired => "attempt_expired",
            Self::AttemptCookieMissing => "attempt_cookie_missing",
            Self::UserChanged => "user_changed",
            Self::AccountChanged => "account_changed",
            Self::Loop => "login_loop",
            Self::WrongIssuer => "wrong_issuer",
            Self::TenantUnknown => "tenant_unknown",
        }
    }

    /// The status of the answer to the visitor.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Denied | Self::UserChanged => StatusCode::FORBIDDEN,
            Self::Loop => StatusCode::CONFLICT,
            Self::TenantUnknown => StatusCode::NOT_FOUND,
            Self::CallbackMalformed
            | Self::StateUnknown
            | Self::AttemptExpired
            | Self::AttemptCookieMissing
            | Self::AccountChanged
            | Self::WrongIssuer => StatusCode::BAD_REQUEST,
        }
    }
}
