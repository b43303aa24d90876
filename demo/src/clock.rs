//! A clock that can be put forward: an hour passes at the press of a button.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use quadrille::{Env, Timestamp, env::Source};

/// How far the demo's clock is ahead of the system's. Clones move together.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// An [`Env`] that reads this clock.
    pub(super) fn env(&self) -> Env {
        Env::from_source(self.clone())
    }

    /// Puts it forward.
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
