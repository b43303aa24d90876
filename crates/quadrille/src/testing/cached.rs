//! A store as a server uses it.

use std::sync::Arc;

use crate::{
    Env,
    provider::store::{Store, cache::Cached},
};

/// A store with a server's memory in front, for tests of a store as a server uses it. An
/// `AuthorizationServer` does this by itself.
///
/// ```
/// use quadrille::{provider::store::MemoryStore, testing::{ManualClock, cached}};
///
/// let clock = ManualClock::new();
/// let store = cached(MemoryStore::new(clock.env()), clock.env());
/// ```
pub fn cached(store: impl Store, env: Env) -> impl Store {
    Cached::before(Arc::new(store), env)
}
