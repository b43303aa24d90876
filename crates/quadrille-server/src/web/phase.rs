//! The phase of the process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// What the process knows of itself, for `/ready`. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Phase(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    is_draining: AtomicBool,
    keys_fail: AtomicBool,
}

impl Phase {
    /// Records that the process is about to stop.
    pub fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
    }

    /// Records whether the signing keys can be rotated as the settings say.
    pub fn keys_rotate(&self, they_do: bool) {
        self.0.keys_fail.store(!they_do, Ordering::Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.0.is_draining.load(Ordering::Relaxed)
    }

    pub(super) fn keys_fail(&self) -> bool {
        self.0.keys_fail.load(Ordering::Relaxed)
    }
}
