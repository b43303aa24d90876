//! The reasons why a login fails by the fault of the service.

use std::time::Duration;

use http::StatusCode;

use crate::{
    jose::KeySetError,
    oidc::{ClaimSourcesError, DiscoveryError, IdTokenRejected, LogoutTokenRejected},
};

use super::registration::RegistrationUnusable;

/// The reason why a login or a call fails by the fault of the service.
///
/// ```
/// use quadrille::consumer::ServiceError;
///
/// assert_eq!(ServiceError::ClientRefused.code(), "client_refused");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The authorization endpoint responded with an error (RFC 6749, section 4.1.2.1).
    #[error("the service refused the login: {error}")]
    AuthorizationRefused {
        /// The code; `unreadable` if it is malformed.
        error: Box<str>,
    },
    /// The token endpoint responded with an error (RFC 6749, section 5.2); in OAuth 1, a request
    /// for credentials failed with an `oauth_problem`.
    #[error("the service refused the token request: {error}")]
    TokenRefused {
        /// The code; `unreadable` if it is malformed.
        error: Box<str>,
    },
    /// The service does not know this application, or rejected its secret: `invalid_client`,
    /// `unauthorized_client`. Check the configuration.
    #[error("the service rejected this application's credentials")]
    ClientRefused,
    /// The service is overloaded or out of order: a status of 429 or 5xx, or
    /// `temporarily_unavailable`.
    #[error("the service is unavailable ({status})")]
    Unavailable {
        /// The status of the response.
        status: StatusCode,
        /// The delay that the service asks for (RFC 9110, section 10.2.3).
        retry_after: Option<Duration>,
    },
    /// The response is malformed, for example HTML.
    #[error("the service's response is malformed ({status})")]
    Malformed {
        /// The status of the response.
        status: StatusCode,
    },
    /// The response is too large.
    #[error("the service's response is too large")]
    TooLarge,
    /// The API redirects a call in circles, or to another origin, which must not get the token.
    #[error("the service redirects a call to another origin or in circles")]
    Redirected,
    /// The next page of a list is on another origin, which must not get the token: see
    /// [`Call::pages`](crate::consumer::Call::pages).
    #[error("the next page of a list is on another origin than the service's API")]
    PageElsewhere,
    /// The service was down a moment ago, and the call was to fail at once: see
    /// [`Call::fail_fast`](crate::consumer::Call::fail_fast).
    #[error("the service is down; the next call is due in {retry_after:?}")]
    Down {
        /// The rest of the pause.
        retry_after: Duration,
    },
    /// The token is no bearer token, so a client must not use it (RFC 6749, section 7.1): see
    /// [`Spec::token_types`](crate::Spec::token_types).
    #[error("the service's token is of the type {token_type}, not a bearer token")]
    TokenType {
        /// The `token_type`; `unreadable` if it is malformed.
        token_type: Box<str>,
    },
    /// The service did not confirm the callback (`oauth_callback_confirmed`; RFC 5849, section
    /// 2.1). It has OAuth 1.0 without the repair of 1.0a, so anyone could finish another user's
    /// login.
    #[error("the service did not confirm the callback, as OAuth 1.0a requires")]
    CallbackNotConfirmed,
    /// The account's claims have no identifier that can be read exactly.
    #[error("the service's claims have no subject")]
    SubjectMissing,
    /// The response to a login has no ID token (OpenID Connect Core, section 3.1.3.3).
    #[error("the service's response has no ID token")]
    IdTokenMissing,
    /// The ID token is not valid for this login (OpenID Connect Core, section 3.1.3.7).
    #[error("the service's ID token is rejected: {0}")]
    IdTokenRejected(IdTokenRejected),
    /// The logout token is not valid (OpenID Connect Back-Channel Logout, section 2.6).
    #[error("the service's logout token is rejected: {0}")]
    LogoutTokenRejected(LogoutTokenRejected),
    /// The signed or encrypted claims of the userinfo endpoint are not valid (OpenID Connect Core,
    /// section 5.3.2).
    #[error("the service's user information is rejected: {0}")]
    UserinfoRejected(IdTokenRejected),
    /// The claims of the userinfo endpoint are signed or encrypted, and the service's description does not
    /// say so: see [`Spec::signed_userinfo`](crate::Spec::signed_userinfo) and
    /// [`Spec::encrypted_userinfo`](crate::Spec::encrypted_userinfo).
    #[error("the service's user information is a JWT: its description lacks Spec::signed_userinfo")]
    UserinfoSigned,
    /// The references of the claims to other parties cannot be read (OpenID Connect Core, section 5.6.2).
    #[error("the service's claims refer to other parties in a way that cannot be read: {0}")]
    ClaimSources(ClaimSourcesError),
    /// The metadata of the OpenID Provider cannot be used (OpenID Connect Discovery, section 4.3).
    #[error("the service cannot be discovered: {0}")]
    ProviderMetadata(DiscoveryError),
    /// The keys of the OpenID Provider cannot be read (RFC 7517).
    #[error("the service's keys cannot be read: {0}")]
    ProviderKeys(KeySetError),
    /// The provider has no registration of clients by themselves, or none that this site can use (OpenID
    /// Connect Dynamic Client Registration).
    #[error("the provider does not let this site register itself")]
    RegistrationUnsupported,
    /// The registration endpoint responded with an error (RFC 7591, section 3.2.2).
    #[error("the provider refused the registration of this site: {error}")]
    RegistrationRefused {
        /// The code; `unreadable` if it is malformed.
        error: Box<str>,
    },
    /// The registration endpoint registered the site in a way that no login can use.
    #[error("the provider's registration of this site cannot be used: {0}")]
    RegistrationUnusable(RegistrationUnusable),
    /// The claims of the userinfo endpoint are of another subject than the ID token, and must not be
    /// used (OpenID Connect Core, section 5.3.2).
    #[error("the service's user information is that of another subject")]
    UserinfoOfAnotherSubject,
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
            Self::PageElsewhere => "service_page_elsewhere",
            Self::Down { .. } => "service_down",
            Self::TokenType { .. } => "token_type_unknown",
            Self::CallbackNotConfirmed => "callback_not_confirmed",
            Self::SubjectMissing => "subject_missing",
            Self::IdTokenMissing => "id_token_missing",
            Self::IdTokenRejected(_) => "id_token_rejected",
            Self::LogoutTokenRejected(_) => "logout_token_rejected",
            Self::ClaimSources(_) => "claim_sources_malformed",
            Self::ProviderMetadata(_) => "provider_metadata_unusable",
            Self::ProviderKeys(_) => "provider_keys_unusable",
            Self::RegistrationUnsupported => "registration_unsupported",
            Self::RegistrationRefused { .. } => "registration_refused",
            Self::RegistrationUnusable(_) => "registration_unusable",
            Self::UserinfoRejected(_) | Self::UserinfoSigned => "userinfo_rejected",
            Self::UserinfoOfAnotherSubject => "userinfo_of_another_subject",
        }
    }

    /// The status of the response to the user.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            _ if self.needs_the_user() => StatusCode::FORBIDDEN,
            // Anybody can send one (OpenID Connect Back-Channel Logout, section 2.8).
            Self::LogoutTokenRejected(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::BAD_GATEWAY,
        }
    }

    /// Whether a login that was to show no page (`prompt=none`) needs one of the service (OpenID Connect
    /// Core, section 3.1.2.6).
    pub(crate) fn needs_the_user(&self) -> bool {
        let Self::AuthorizationRefused { error } = self else { return false };
        let pages = [
            "login_required",
            "consent_required",
            "interaction_required",
            "account_selection_required",
        ];
        pages.contains(&&**error)
    }

    /// Whether a later attempt may succeed.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Down { .. })
    }

    /// An error code made safe for pages and logs: a service may send anything.
    pub(crate) fn shown(code: &str) -> Box<str> {
        let fit = code.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let is_number = code.len() <= 10 && code.bytes().all(|byte| byte.is_ascii_digit());
        match !code.is_empty() && code.len() <= 40 && (fit || is_number) {
            true => code.into(),
            false => "unreadable".into(),
        }
    }

    /// Whether a status means that the service is overloaded or out of order.
    pub(crate) fn is_overload(status: StatusCode) -> bool {
        status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
    }
}
