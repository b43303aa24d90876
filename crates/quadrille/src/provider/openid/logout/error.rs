//! The reasons why a request for logout is refused (OpenID Connect RP-Initiated Logout, section 4).

use http::StatusCode;

use crate::{
    form::FormError,
    oauth2::ErrorCode,
    provider::reason::{Disclosure, Shown},
};

/// The reason why a request for logout is refused (OpenID Connect RP-Initiated Logout, section 4).
/// The user sees a page, and stays signed in.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::EndSessionError};
///
/// assert_eq!(EndSessionError::Hint.code(), ErrorCode::InvalidRequest);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndSessionError {
    /// The `id_token_hint` is no ID token of this server, or its key is no longer known.
    #[error("the id_token_hint is no ID token of this server")]
    Hint,
    /// The `client_id` is not that of the `id_token_hint`.
    #[error("the client_id is not that of the id_token_hint")]
    OtherClient,
    /// The client is not registered.
    #[error("there is no such client")]
    UnknownClient,
    /// The `post_logout_redirect_uri` has no client: neither a `client_id` nor an `id_token_hint`.
    #[error("a post_logout_redirect_uri needs an id_token_hint or a client_id")]
    ClientMissing,
    /// The `post_logout_redirect_uri` is not registered.
    #[error("the post_logout_redirect_uri is not registered")]
    RedirectUriNotRegistered,
    /// The form of the page is changed, too old, or of another session.
    #[error("the ticket of the sign-out page was changed, has expired, or is of another session")]
    Ticket,
    /// The parameters are malformed, or one of them is repeated.
    #[error(transparent)]
    Form(#[from] FormError),
}

impl EndSessionError {
    /// The code of the error.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        let code = Disclosure::code(ErrorCode::InvalidRequest);
        match self {
            Self::Hint | Self::ClientMissing | Self::Ticket | Self::Form(_) => code,
            Self::OtherClient | Self::UnknownClient => code.blame(&["client_id"]),
            Self::RedirectUriNotRegistered => code.blame(&["post_logout_redirect_uri"]),
        }
    }

    /// The page for the user.
    pub(crate) const fn shown(&self) -> Shown {
        let text = match self {
            Self::Hint
            | Self::OtherClient
            | Self::UnknownClient
            | Self::ClientMissing
            | Self::Form(_) => "problem-logout-mistake",
            Self::RedirectUriNotRegistered => "problem-logout-redirect-uri",
            Self::Ticket => "problem-logout-out-of-date",
        };
        let code = match self {
            Self::Hint => "logout_hint",
            Self::OtherClient => "logout_other_client",
            Self::UnknownClient => "logout_unknown_client",
            Self::ClientMissing => "logout_client_missing",
            Self::RedirectUriNotRegistered => "post_logout_redirect_uri_not_registered",
            Self::Ticket => "logout_ticket",
            Self::Form(_) => "logout_malformed",
        };
        Shown { status: StatusCode::BAD_REQUEST, title: "problem-logout-title", text, code }
    }
}
