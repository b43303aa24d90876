//! The clock of the server, by which it can tell that a statement arrived too late. A server that is
//! stopped for a while, or that the network kept apart, carries out afterwards what it had received, even
//! if nobody waits for it any more.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quadrille::Timestamp;

/// The time for which a reading of the clock counts.
const FRESH: Duration = Duration::from_secs(10);

/// The last reading of the server's clock: when, by the steady clock of this process, and by how many
/// milliseconds the server's was ahead of that.
#[derive(Debug, Default)]
pub(super) struct ServerClock(Mutex<Option<(Timestamp, i64)>>);

impl ServerClock {
    /// That reading, if it counts at this time.
    pub(super) fn at(&self, now: Timestamp) -> Option<i64> {
        self.reading().filter(|(read, _)| now.since(*read) < FRESH).map(|(_, ahead)| ahead)
    }

    /// Has the clock read again: after a failover it is another one, and it may be set.
    #[cfg(any(test, feature = "postgres"))]
    pub(super) fn forget(&self) {
        *self.reading() = None;
    }

    pub(super) fn reading(&self) -> MutexGuard<'_, Option<(Timestamp, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_read_again_after_a_while_and_after_a_loss() {
        let (clock, read) = (ServerClock::default(), Timestamp::from_seconds(1000));
        assert_eq!(clock.at(read), None);
        *clock.reading() = Some((read, 7));
        assert_eq!(clock.at(read + Duration::from_secs(9)), Some(7));
        assert_eq!(clock.at(read + FRESH), None);
        clock.forget();
        assert_eq!(clock.at(read), None);
    }
}
