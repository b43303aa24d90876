//! Where the removal of expired rows goes on: a lap over each table.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use quadrille::Timestamp;
use tokio::sync::{Mutex, MutexGuard};

use super::super::keys::Keys;

/// The number of tables whose rows expire.
pub(super) const TABLES: usize = 11;
/// The number of live rows in succession that end a lap: later rows are younger.
const LIVE: i64 = 256;
/// One lap in this many goes over the whole table nevertheless: lifetimes may differ.
const WHOLE: u32 = 8;
/// The longest time between two laps, in seconds.
const LONGEST_PAUSE: i64 = 60;
/// The fewest and the most rows that a step visits in a table.
const FEWEST: usize = 64;
const MOST: usize = 4096;

/// The laps over all tables.
#[derive(Debug, Default)]
pub struct Laps {
    /// In the order of the tables.
    laps: Mutex<[Lap; TABLES]>,
    /// The earliest second at which there may be rows to remove.
    next: AtomicI64,
    /// The writes since the last step.
    writes: AtomicUsize,
}

#[derive(Debug, Default)]
pub(super) struct Lap {
    /// The last key visited; `None` at the beginning.
    pub(super) at: Option<i64>,
    /// The number of live rows in succession up to there.
    live: i64,
    /// The earliest expiry among them.
    soonest: Option<i64>,
    /// The earliest second for another lap.
    pub(super) next: i64,
    count: u32,
}

/// The result of a visit.
pub(super) struct Seen {
    pub(super) rows: i64,
    /// The key of the last one.
    pub(super) last: Option<i64>,
    pub(super) gone: i64,
    /// The earliest expiry of the others.
    pub(super) soonest: Option<i64>,
}

impl Laps {
    /// `true` if there may be rows to remove after these writes.
    pub(super) fn is_due(&self, now: Timestamp, writes: usize) -> bool {
        self.writes.fetch_add(writes, Ordering::Relaxed);
        now.seconds() >= self.next.load(Ordering::Relaxed)
    }

    /// The laps and the number of rows to visit, unless a step is in progress.
    pub(super) fn step(&self) -> Option<(MutexGuard<'_, [Lap; TABLES]>, i64)> {
        let laps = self.laps.try_lock().ok()?;
        let limit = self.writes.swap(0, Ordering::Relaxed).saturating_mul(4);
        Some((laps, i64::try_from(limit.clamp(FEWEST, MOST)).unwrap_or(i64::MAX)))
    }

    /// Waits for the end of a step, and lets none begin.
    pub(super) async fn pause(&self) -> MutexGuard<'_, [Lap; TABLES]> {
        self.laps.lock().await
    }

    /// Ends a step.
    pub(super) fn stepped(&self, laps: &[Lap; TABLES]) {
        let is_in_a_lap = laps.iter().any(|lap| lap.at.is_some());
        let next = laps.iter().map(|lap| lap.next).min().unwrap_or(0);
        self.next.store(if is_in_a_lap { 0 } else { next }, Ordering::Relaxed);
    }
}

impl Lap {
    /// `true` if there may be rows to remove.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.at.is_some() || now.seconds() >= self.next
    }

    /// Goes on after a visit to at most `limit` rows.
    pub(super) fn go_on(&mut self, seen: &Seen, limit: i64, now: Timestamp, keys: Keys) {
        self.at = seen.last;
        self.live = if seen.gone == 0 { self.live + seen.rows } else { 0 };
        self.soonest = [self.soonest, seen.soonest].into_iter().flatten().min();
        let is_ordered = keys == Keys::Ordered;
        let is_over_the_rest = is_ordered && self.live >= LIVE && self.count % WHOLE != WHOLE - 1;
        if seen.rows < limit || is_over_the_rest {
            let (earliest, latest) = (now.seconds() + 1, now.seconds() + LONGEST_PAUSE);
            let next = self.soonest.unwrap_or(latest).clamp(earliest, latest);
            *self = Self { next, count: self.count.wrapping_add(1), ..Self::default() };
        }
    }
}
