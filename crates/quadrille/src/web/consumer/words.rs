//! The words for an error of a login.

use std::borrow::Cow;

use http::StatusCode;

use crate::{
    Error,
    consumer::error::{BrowserError, OperatorError, ServiceError},
    page::Language,
};

/// The heading and the text for an error with this service, by the name that people know.
pub(super) fn words(
    language: Language,
    error: &Error,
    service: Option<&str>,
) -> (&'static str, Cow<'static, str>) {
    let service = service.unwrap_or(language.pattern("the-service"));
    let (title, text) = keys(error);
    let status = match error {
        Error::Api { status, .. } => status.to_string(),
        _ => String::new(),
    };
    let reason = match error {
        Error::Operator(error) if is_in_the_code(error) => error.to_string(),
        _ => String::new(),
    };
    let code = match error {
        Error::Service { error: ServiceError::AuthorizationRefused { error: code }, .. } => {
            code.to_string()
        }
        _ => String::new(),
    };
    let values =
        [("service", service), ("status", &*status), ("reason", &*reason), ("code", &*code)];
    (language.pattern(title), language.text(text, &values))
}

/// The keys of the heading and of the text.
fn keys(error: &Error) -> (&'static str, &'static str) {
    match error {
        Error::Browser(error) => of_browser(error),
        Error::Service { error, .. } if error.needs_the_user() => {
            ("login-refused-title", "login-unseen")
        }
        Error::Service { error: ServiceError::AuthorizationRefused { .. }, .. } => {
            ("login-refused-title", "login-refused-by-service")
        }
        Error::Service { error: ServiceError::ClientRefused, .. } => {
            ("login-not-set-up-title", "login-credentials")
        }
        Error::Service { error: ServiceError::Unavailable { .. }, .. } | Error::Network { .. } => {
            ("login-no-response-title", "login-no-response")
        }
        Error::Service { .. } => ("login-failed-title", "login-response"),
        Error::Api { .. } => ("login-failed-title", "login-api"),
        Error::Operator(_) if error.status() == StatusCode::NOT_FOUND => NO_SUCH_LOGIN,
        Error::Operator(_) if error.is_transient() => {
            ("login-no-response-title", "login-not-looked-up")
        }
        Error::Operator(error) if is_in_the_code(error) => {
            ("login-not-set-up-title", "login-for-developers")
        }
        Error::Operator(_) => ("login-not-set-up-title", "login-not-set-up"),
        Error::NotLinked(_) => ("login-first-title", "login-first"),
    }
}

const NO_SUCH_LOGIN: (&str, &str) = ("login-unknown-title", "login-unknown");

fn of_browser(error: &BrowserError) -> (&'static str, &'static str) {
    match error {
        BrowserError::Denied => ("login-refused-title", "login-refused"),
        BrowserError::AttemptExpired => ("login-expired-title", "login-expired"),
        BrowserError::AttemptCookieMissing => ("login-cookie-title", "login-cookie"),
        BrowserError::StateUnknown
        | BrowserError::CallbackMalformed
        | BrowserError::WrongIssuer => ("login-not-begun-title", "login-not-begun"),
        BrowserError::LoginMalformed => ("login-link-title", "login-link"),
        BrowserError::NotThisOrigin => ("login-other-site-title", "login-other-site"),
        BrowserError::UserChanged => ("login-other-user-title", "login-other-user"),
        BrowserError::AccountChanged => ("login-other-account-title", "login-other-account"),
        BrowserError::AccountNotAllowed => ("login-not-admitted-title", "login-not-admitted"),
        BrowserError::AccountOfAnotherUser => ("login-taken-title", "login-taken"),
        BrowserError::UserUnknown => ("login-user-removed-title", "login-user-removed"),
        BrowserError::IssuerOther => ("login-link-title", "login-link-issuer"),
        BrowserError::TargetElsewhere => ("login-link-title", "login-link-elsewhere"),
        BrowserError::TenantUnknown => NO_SUCH_LOGIN,
        BrowserError::IdentifierMalformed => ("login-no-address-title", "login-no-address"),
        BrowserError::OrganizationUnknown => ("login-organization-title", "login-organization"),
        BrowserError::TooManyLookups => ("login-busy-title", "login-busy"),
        BrowserError::IdTokenRejected(_) | BrowserError::IdTokensNotAccepted => {
            ("login-refused-title", "login-id-token")
        }
        BrowserError::Loop => ("login-loop-title", "login-loop"),
    }
}

/// Mistakes in the application's code, which only its developers see. The reasons contain only names from
/// the code.
fn is_in_the_code(error: &OperatorError) -> bool {
    matches!(
        error,
        OperatorError::NotAttached
            | OperatorError::ServiceNotAdded { .. }
            | OperatorError::ServiceMismatch { .. }
            | OperatorError::NoServices
            | OperatorError::RoutesMissing
            | OperatorError::NestedElsewhere { .. }
    )
}
