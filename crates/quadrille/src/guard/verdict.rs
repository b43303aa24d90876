//! The verdict of a guard on a request, among the extensions of the request.

use std::sync::Arc;

use super::{error::AccessError, verified::Verified};

/// The verdict of a guard.
#[derive(Clone)]
pub(crate) struct Guarded {
    /// The origin of the request, for challenges.
    pub(crate) realm: Arc<str>,
    /// The URL of the API's metadata, for challenges; `None` without any.
    pub(crate) metadata: Option<Arc<str>>,
    /// `true` if challenges offer OAuth 1.0a too.
    pub(crate) offers_oauth1: bool,
    /// The credentials of the request; `None` without any.
    pub(crate) verdict: Result<Option<Verified>, AccessError>,
}
