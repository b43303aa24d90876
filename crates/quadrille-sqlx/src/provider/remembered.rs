//! What this process remembers of the moment since which the database knows what was used.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quadrille::{Timestamp, provider::store::KnownSince};

/// The time for which a process uses the moment without a look: a database is restored seldom, and
/// as a rule before a process uses it.
const FRESH: Duration = Duration::from_secs(1);

/// The moment, with the time before which marks had expired that may have been removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) since: KnownSince,
    pub(super) swept: Timestamp,
}

/// What was read and told last, and when, by the steady clock.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    known: Mutex<Option<(Timestamp, Known)>>,
    told: Mutex<Told>,
}

impl Remembered {
    pub(super) fn known(&self, now: Timestamp) -> Option<Known> {
        lock(&self.known).filter(|(read, _)| now.since(*read) < FRESH).map(|(_, known)| known)
    }

    /// Returns what was known before.
    pub(super) fn know(&self, read: Timestamp, known: Known) -> Option<Known> {
        lock(&self.known).replace((read, known)).map(|(_, before)| before)
    }

    /// Has the next caller look.
    pub(super) fn forget(&self) {
        *lock(&self.known) = None;
    }

    /// The second up to which was told that marks are removed.
    pub(super) fn told(&self) -> i64 {
        lock(&self.told).told
    }

    /// The second up to which it was told so long ago that every process has looked since.
    pub(super) fn told_before(&self, now: Timestamp) -> i64 {
        let mut told = lock(&self.told);
        if now.since(told.when) >= FRESH {
            told.known = told.told;
        }
        told.known
    }

    pub(super) fn tell(&self, up_to: i64, when: Timestamp) {
        let mut told = lock(&self.told);
        (told.told, told.when) = (up_to, when);
        drop(told);
        self.forget();
    }
}

/// The second before which marks had expired that are removed, as it was told, and as every process knows it.
#[derive(Debug, Default)]
struct Told {
    told: i64,
    when: Timestamp,
    known: i64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_removed_only_when_every_process_has_looked_since_it_was_told() {
        let (remembered, at) = (Remembered::default(), Timestamp::from_seconds(1000));
        assert_eq!((remembered.told(), remembered.told_before(at)), (0, 0));
        remembered.tell(600, at);
        assert_eq!((remembered.told(), remembered.told_before(at + FRESH / 2)), (600, 0));
        assert_eq!(remembered.told_before(at + FRESH), 600);
        remembered.tell(700, at + FRESH);
        assert_eq!(remembered.told_before(at + FRESH), 600);
    }
}
