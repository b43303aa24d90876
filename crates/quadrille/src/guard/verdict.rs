//! The verdict of a guard on a request, among the extensions of the request.

use std::sync::Arc;

use super::{error::AccessError, service::Guard, verified::Verified};

/// The verdict of a guard.
#[derive(Clone)]
pub(crate) struct Guarded {
    /// The origin of the request, for challenges.
    pub(crate) realm: Arc<str>,
    /// `true` if challenges offer OAuth 1.0a too.
    pub(crate) offers_oauth1: bool,
    /// The credentials of the request; `None` without any.
    pub(crate) verdict: Result<Option<Verified>, AccessError>,
}

/// A guard that checks a request when a handler asks for an [`Access`](super::Access).
#[derive(Clone, Debug)]
pub(crate) struct Lazy(pub(crate) Guard);
