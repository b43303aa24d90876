//! The moment since which the database knows what was used, as this process remembers it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use quadrille::{Timestamp, provider::store::KnownSince};

/// The time for which a process uses the moment without a look: a database is restored seldom, and
/// as a rule before a process uses it.
const FRESH: Duration = Duration::from_secs(1);

/// The moment as it was last read, and when, by the steady clock.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Option<(Timestamp, KnownSince)>>);

impl Remembered {
    pub(super) fn at(&self, now: Timestamp) -> Option<KnownSince> {
        let remembered = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.filter(|(read, _)| now.since(*read) < FRESH).map(|(_, since)| since)
    }

    pub(super) fn set(&self, remembered: Option<(Timestamp, KnownSince)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = remembered;
    }

    /// Has the next caller look.
    pub(super) fn forget(&self) {
        self.set(None);
    }
}
