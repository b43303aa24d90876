//! A guard that checks a request when a handler asks.

use std::{any::Any, sync::Arc};

use http::request::Parts;

use super::{options::Guard, verdict::Guarded};

/// The value that a layer lends to its extractors.
pub(crate) trait Lends: Any + Send + Sync {
    /// The guard of the layer.
    fn guard(&self) -> &Guard;
}

/// A guard that checks a request when a handler asks for an [`Access`](super::Access), among the
/// extensions of the request.
#[derive(Clone)]
pub(crate) struct Lazy {
    /// One value for all extractors of the layer: another entry among the extensions would cost
    /// each request two allocations.
    lent: Arc<dyn Lends>,
    /// `true` if the request has no body, which spares it a further entry.
    pub(super) has_no_body: bool,
    /// The verdict once a handler has asked: a signed request is good only once.
    pub(super) verdict: Option<Guarded>,
}

impl Lazy {
    pub(crate) fn new(lent: Arc<dyn Lends>, has_no_body: bool) -> Self {
        Self { lent, has_no_body, verdict: None }
    }

    /// The value that the layer lends, if it is of this type.
    pub(crate) fn lent<T: Any>(&self) -> Option<&T> {
        let lent: &dyn Any = &*self.lent;
        lent.downcast_ref()
    }

    /// Checks a request, unless it or a guard in front has done so.
    pub(crate) async fn check(parts: &mut Parts) {
        if parts.extensions.get::<Guarded>().is_some() {
            return;
        }
        let Some(Self { lent, verdict: None, .. }) = parts.extensions.get() else { return };
        let lent = Arc::clone(lent);
        let guarded = lent.guard().look(parts).await;
        if let Some(lazy) = parts.extensions.get_mut::<Self>() {
            lazy.verdict = Some(guarded);
        }
    }
}
