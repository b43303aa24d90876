//! An account that a visitor has not linked.

use std::sync::Arc;

/// Who must log in, where, and how they can be told.
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
    /// The service.
    pub service: Arc<str>,
    /// Where on this site to log in; brings the visitor back to where they were.
    pub login_url: String,
    /// Whether the request was a page's navigation, which can be redirected. Everything else (a
    /// fetch, a form) is told by status and JSON.
    pub navigation: bool,
    /// Why.
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
    /// There is none.
    Missing,
    /// The service refused to refresh its token, or takes it no more (access was revoked there): it
    /// needs linking again.
    NeedsLinkingAgain,
    /// Its token has expired and cannot be refreshed.
    Expired,
    /// It lacks a scope that is needed here.
    ScopeMissing,
}
