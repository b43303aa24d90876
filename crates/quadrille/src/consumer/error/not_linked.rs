//! An account that a user has not linked.

use std::sync::Arc;

/// A missing or unusable account, and the login that mends it.
///
/// ```
/// use quadrille::{Error, consumer::NotLinkedReason};
///
/// fn must_link_again(error: &Error) -> bool {
///     matches!(error, Error::NotLinked(who) if who.reason == NotLinkedReason::NeedsLinkingAgain)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no account at {service} is linked")]
#[non_exhaustive]
pub struct NotLinked {
    /// The service's name.
    pub service: Arc<str>,
    /// The path of this site that begins a login, and then returns to the page requested.
    pub login_url: String,
    /// Whether the request was the navigation to a page, which can be redirected. Any other request
    /// (a fetch, a form) gets a status and JSON.
    pub navigation: bool,
    /// The reason.
    pub reason: NotLinkedReason,
}

/// The reason why a linked account cannot be used.
///
/// ```
/// use quadrille::consumer::NotLinkedReason;
///
/// fn hint(reason: NotLinkedReason) -> &'static str {
///     match reason {
///         NotLinkedReason::ScopeMissing => "Allow a little more, please.",
///         _ => "Link your account, please.",
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotLinkedReason {
    /// No account is linked.
    Missing,
    /// The service refused to refresh the token, or revoked it: the account needs linking again.
    NeedsLinkingAgain,
    /// The token has expired and cannot be refreshed.
    Expired,
    /// The token lacks a required scope.
    ScopeMissing,
}

impl NotLinkedReason {
    /// The reason in words, for a log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "no account is linked",
            Self::NeedsLinkingAgain => "the account needs linking again",
            Self::Expired => "the token has expired and cannot be refreshed",
            Self::ScopeMissing => "the token lacks a required scope",
        }
    }
}
