//! The hooks of a login, whatever web framework their handlers belong to.

use std::{any::Any, pin::Pin, sync::Arc};

use super::account::Stored;

/// The event of `on_refreshed`: a token was refreshed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refreshed {
    /// The service's name.
    pub service: Arc<str>,
    /// The account and its new token.
    pub stored: Stored,
}

/// The hooks that an application gave. The adapter of a web framework implements it, and finds its
/// own type again by [`Any`]: most hooks are asked for an answer of that framework, by its routes.
pub(crate) trait Hooks: Any + Send + Sync {
    /// A token was refreshed. This happens outside of any request.
    fn refreshed(&self, event: Refreshed) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// No hooks.
pub(crate) struct NoHooks;

impl Hooks for NoHooks {
    fn refreshed(&self, _: Refreshed) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}
