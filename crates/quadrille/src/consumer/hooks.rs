//! The hooks of a login, independent of the web framework of their handlers.

use std::{any::Any, pin::Pin, sync::Arc};

use super::account::Stored;

/// The event of `on_refreshed`: a token was refreshed.
///
/// ```
/// use quadrille::Refreshed;
///
/// async fn log(event: Refreshed) {
///     println!("refreshed a token of {}", event.service);
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refreshed {
    /// The service's name.
    pub service: Arc<str>,
    /// The account and its new token.
    pub stored: Stored,
}

/// The hooks of an application. The adapter of a web framework implements it and recovers its own
/// type by [`Any`]: its routes call most hooks for a response of that framework.
pub(crate) trait ErasedHooks: Any + Send + Sync {
    /// Runs the hook for a refreshed token, outside of any request.
    fn refreshed(&self, event: Refreshed) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// An application without hooks.
pub(crate) struct NoHooks;

impl ErasedHooks for NoHooks {
    fn refreshed(&self, _: Refreshed) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}
