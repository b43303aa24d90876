//! A guard that checks a request when a handler asks.

use std::{any::Any, sync::Arc};

use http::request::Parts;

use super::{options::Guard, verdict::Guarded};

/// A guard that checks a request when a handler asks for an [`Access`](super::Access), among the
/// extensions of the request.
#[derive(Clone)]
pub(crate) struct Lazy {
    guard: Guard,
    /// The value that the same layer lends to other extractors. An entry of its own among the
    /// extensions would cost each request two allocations.
    pub(crate) lent: Arc<dyn Any + Send + Sync>,
    /// The verdict once a handler has asked: a signed request is good only once.
    pub(super) verdict: Option<Guarded>,
}

impl Lazy {
    pub(crate) fn new(guard: Guard, lent: Arc<dyn Any + Send + Sync>) -> Self {
        Self { guard, lent, verdict: None }
    }

    /// Checks a request, unless it or a guard in front has done so.
    pub(crate) async fn check(parts: &mut Parts) {
        if parts.extensions.get::<Guarded>().is_some() {
            return;
        }
        let Some(Self { guard, verdict: None, .. }) = parts.extensions.get() else { return };
        let guarded = guard.clone().look(parts).await;
        if let Some(lazy) = parts.extensions.get_mut::<Self>() {
            lazy.verdict = Some(guarded);
        }
    }
}
