//! The reasons why a login fails at a service.

use std::time::Duration;

use http::StatusCode;

/// The reason why a login fails, by the service's fault.
///
/// ```
/// use quadrille::consumer::ServiceError;
///
/// assert_eq!(ServiceError::ClientRefused.code(), "client_refused");
/// ```
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

impl ServiceError {
    /// The stable code, for logs, help pages and clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AuthorizationRefused { .. } => "authorization_refused",
            Self::TokenRefused { .. } => "token_refused",
            Self::ClientRefused => "client_refused",
            Self::Unavailable { .. } => "service_unavailable",
            Self::Malformed { .. } => "service_answer_malformed",
            Self::TooLarge => "service_answer_too_large",
            Self::Redirected => "service_redirected",
            Self::TokenType { .. } => "token_type_unknown",
            Self::CallbackNotConfirmed => "callback_not_confirmed",
            Self::SubjectMissing => "subject_missing",
        }
    }

    /// Whether trying the same again later may help.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

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
