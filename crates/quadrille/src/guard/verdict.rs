//! The verdict of a guard on a request, among the extensions of the request.

use super::{error::AccessError, refused::Place, verified::Verified};

/// The verdict of a guard.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) place: Place,
    /// The credentials of the request; `None` without any.
    pub(crate) verdict: Result<Option<Verified>, AccessError>,
}
