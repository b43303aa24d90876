//! The verdict of a guard on a request, among the extensions of the request.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::Response;

use super::{error::AccessError, refused::Refused, verified::Verified};

/// The verdict of a guard.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) place: Place,
    /// The credentials of the request; `None` without any.
    pub(crate) verdict: Result<Option<Verified>, AccessError>,
}

/// The place where a request was checked, for challenges.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The origin of the request.
    pub(crate) realm: Arc<str>,
    pub(crate) manner: Arc<Manner>,
}

/// The manner in which a guard refuses requests.
#[derive(Clone)]
pub(crate) struct Manner {
    /// The URL of the API's metadata; `None` without any.
    pub(crate) metadata: Option<Arc<str>>,
    /// `true` if challenges offer OAuth 1.0a too.
    pub(crate) offers_oauth1: bool,
    /// The application's page; `None` for an empty body.
    pub(crate) page: Option<RefusalPage>,
}

/// A page of the application for refused requests.
pub(crate) type RefusalPage = Arc<dyn Fn(&Refused) -> Response<Bytes> + Send + Sync>;

impl fmt::Debug for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manner").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}
