//! The keys with which a server signs.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use crate::{
    Timestamp,
    jose::{SigningKey, SigningKeys},
};

/// The signing keys of a server, which are replaced while it runs.
#[derive(Clone, Default)]
pub(crate) struct Signing(Arc<RwLock<Option<Arc<Published>>>>);

/// Keys, and their public parts ready to be sent.
struct Published {
    keys: SigningKeys,
    jwks: Bytes,
}

impl Signing {
    pub(crate) fn new(keys: SigningKeys) -> Self {
        let signing = Self::default();
        signing.replace(keys);
        signing
    }

    /// Replaces the keys.
    pub(crate) fn replace(&self, keys: SigningKeys) {
        let jwks = keys.published().to_json().into();
        let published = Some(Arc::new(Published { keys, jwks }));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = published;
    }

    fn current(&self) -> Option<Arc<Published>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `true` if there are keys.
    pub(crate) fn is_set(&self) -> bool {
        self.current().is_some()
    }

    /// The JWK Set, as JSON.
    pub(crate) fn jwks(&self) -> Option<Bytes> {
        self.current().map(|published| published.jwks.clone())
    }

    /// The key that signs now.
    pub(crate) fn key(&self, now: Timestamp) -> Option<SigningKey> {
        self.current()?.keys.signing(now).cloned()
    }
}
