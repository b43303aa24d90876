//! The pace of clients that poll with a device code (RFC 8628, section 3.5).
//!
//! A poll is not worth a commit, so each process keeps the pace in its memory: after a restart, or
//! at another process, one early poll is forgiven. Only polls with a genuine code of the client are
//! counted, so nobody fills the table without that many codes.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Timestamp, provider::store::RowId};

/// The time by which each `slow_down` lengthens the interval.
const SLOWER: Duration = Duration::from_secs(5);

/// The interval at most: a client that does not listen learns nothing from a longer one.
const LONGEST: Duration = Duration::from_secs(60);

/// The number of codes whose pace is remembered.
const CODES: usize = 64 * 1024;

/// The last polls, by the row of the code. Times are those of a monotonic clock.
#[derive(Default)]
pub(crate) struct Pace(Mutex<HashMap<RowId, Polls>>);

#[derive(Clone, Copy)]
struct Polls {
    last: Timestamp,
    interval: Duration,
}

impl Pace {
    /// Counts a poll, and returns `true` if it came too early. The first one never does.
    /// `interval` is the one in the device authorization response; networks may deliver a poll a
    /// fifth of it early.
    pub(crate) fn is_too_fast(&self, code: RowId, interval: Duration, now: Timestamp) -> bool {
        let mut polls = self.lock();
        if polls.len() >= CODES && !polls.contains_key(&code) {
            make_room(&mut polls, now);
        }
        let Some(before) = polls.get_mut(&code) else {
            polls.insert(code, Polls { last: now, interval });
            return false;
        };
        let is_early = now.since(before.last) < before.interval.saturating_sub(interval / 5);
        before.last = now;
        if is_early {
            before.interval = (before.interval + SLOWER).min(LONGEST.max(interval));
        }
        is_early
    }

    /// Forgets a code that is not polled any more.
    pub(crate) fn forget(&self, code: RowId) {
        self.lock().remove(&code);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RowId, Polls>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pace({} codes)", self.lock().len())
    }
}

/// Forgets codes that nobody polls any more and, if too few of them are, any half.
fn make_room(polls: &mut HashMap<RowId, Polls>, now: Timestamp) {
    polls.retain(|_, polls| now.since(polls.last) < LONGEST * 2);
    let mut excess = polls.len().saturating_sub(CODES / 2);
    polls.retain(|_, _| {
        let stays = excess == 0;
        excess = excess.saturating_sub(1);
        stays
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_seconds(1000) + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_client_in_time_is_never_told_to_slow_down_and_one_that_is_told_waits_five_seconds_more() {
        let pace = Pace::default();
        let code = RowId(1);
        let is_early = |seconds| pace.is_too_fast(code, INTERVAL, at(seconds));
        for (seconds, expected) in [
            (0.0, false),
            (5.0, false),
            // Delivered early.
            (9.1, false),
            (14.0, false),
            (17.9, true),
            // Ten seconds from now on.
            (23.0, true),
            // Fifteen.
            (38.0, false),
            (52.5, false),
        ] {
            assert_eq!(is_early(seconds), expected, "{seconds}");
        }
        assert!(!pace.is_too_fast(RowId(2), INTERVAL, at(52.6)), "another code");
        pace.forget(code);
        assert!(!is_early(52.7), "a code of which nothing is known");
    }

    #[test]
    fn the_interval_of_a_client_that_never_listens_stops_growing() {
        let pace = Pace::default();
        for poll in 0..100 {
            pace.is_too_fast(RowId(1), INTERVAL, at(f64::from(poll)));
        }
        assert!(!pace.is_too_fast(RowId(1), INTERVAL, at(99.0 + 60.0)));
    }

    #[test]
    fn memory_is_bounded_and_the_codes_that_are_polled_are_remembered() {
        let pace = Pace::default();
        for row in 0..3 * CODES {
            let row = RowId(i64::try_from(row).unwrap());
            pace.is_too_fast(row, INTERVAL, at(0.0));
            assert!(pace.is_too_fast(row, INTERVAL, at(0.1)));
        }
        assert!(pace.lock().len() <= CODES);
    }
}
