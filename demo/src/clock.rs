//! A clock that can be moved forward: an hour passes at the press of a button.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use quadrille::{Env, Timestamp, env::Source};

/// The offset of the demo's clock from the system's. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// An [`Env`] that reads this clock.
    pub(super) fn env(&self) -> Env {
        Env::from_source(self.clone())
    }

    /// Moves the clock forward.
    pub(super) fn forward(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Source for Clock {
    fn now(&self) -> Timestamp {
        Env::system().now() + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn fill(&self, bytes: &mut [u8]) {
        Env::system().fill(bytes);
    }
}
