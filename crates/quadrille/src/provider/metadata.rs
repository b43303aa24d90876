//! The metadata document, kept ready to be sent.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

/// The metadata document of a server, which is written once, and again after each change of the
/// signing keys.
#[derive(Clone, Default)]
pub(crate) struct Document(Arc<RwLock<Option<Written>>>);

struct Written {
    /// The number of changes of the keys.
    changes: u64,
    json: Bytes,
}

impl Document {
    /// The document after so many changes of the keys; `write` writes it if need be.
    pub(crate) fn after<E>(
        &self,
        changes: u64,
        write: impl FnOnce() -> Result<Bytes, E>,
    ) -> Result<Bytes, E> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = known.as_ref().filter(|written| written.changes == changes) {
            return Ok(written.json.clone());
        }
        drop(known);
        let json = write()?;
        let written = Written { changes, json: json.clone() };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(written);
        Ok(json)
    }
}
