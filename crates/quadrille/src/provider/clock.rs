//! Detects a clock that is set while the server runs, or was wrong before it started.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use crate::{Env, Timestamp};

use super::store::RowId;

/// The normal drift of clocks, which is no step.
const SLACK: Duration = Duration::from_secs(2);

/// The time for which a comparison counts, in milliseconds: less than [`SLACK`], so no step hides in
/// it. Each request reads the clock several times.
const COMPARED: i64 = 100;

/// Compares the clock with a monotonic one.
pub(crate) struct ClockWatch {
    /// The milliseconds by which the clock is ahead of the monotonic one.
    ahead: AtomicI64,
    /// The time of the last comparison, in milliseconds.
    compared: AtomicI64,
}

impl ClockWatch {
    pub(crate) fn new(env: &Env) -> Self {
        let now = env.now();
        Self { ahead: AtomicI64::new(ahead(now, env)), compared: AtomicI64::new(now.millis()) }
    }

    /// The current time. Logs a step since the last call.
    pub(crate) fn now(&self, env: &Env) -> Timestamp {
        let now = env.now();
        let since = now.millis().saturating_sub(self.compared.load(Ordering::Relaxed));
        if (0..COMPARED).contains(&since) {
            return now;
        }
        self.compared.store(now.millis(), Ordering::Relaxed);
        let (ahead, before) = (ahead(now, env), self.ahead.load(Ordering::Relaxed));
        let step = ahead.saturating_sub(before);
        let is_step = Duration::from_millis(step.unsigned_abs()) > SLACK;
        let order = Ordering::Relaxed;
        let swap = || self.ahead.compare_exchange(before, ahead, order, order);
        // Of several callers that notice the step, one logs it.
        if is_step && swap().is_ok() {
            let seconds = step.unsigned_abs() / 1000;
            if step < 0 {
                tracing::warn!(seconds, "the clock went back: existing tokens last longer");
            } else {
                tracing::warn!(seconds, "the clock went ahead: existing tokens expire sooner");
            }
        }
        now
    }
}

/// Logs if the newest number in the store is in the future.
pub(crate) fn compare(now: Timestamp, newest: RowId) {
    if newest.time() > now + SLACK {
        let seconds = newest.time().since(now).as_secs();
        tracing::warn!(
            seconds,
            "the store holds a row from the future: the clock went back, or was ahead"
        );
    }
}

/// `true` if something that is valid for `lifetime` has expired, or was issued by a clock that has
/// been set back since by more than that: it would be valid for too long. Within the lifetime,
/// clocks of several processes may differ.
pub(crate) fn is_over(now: Timestamp, expires: Timestamp, lifetime: Duration) -> bool {
    now >= expires || expires > now + lifetime + lifetime
}

/// `true` if `then` is within `limit` of `now`, before or after: of a time further in the future it
/// is unknown how long ago it was.
pub(crate) fn is_recent(now: Timestamp, then: Timestamp, limit: Duration) -> bool {
    now.since(then) < limit && then.since(now) < limit
}

fn ahead(now: Timestamp, env: &Env) -> i64 {
    now.millis().saturating_sub(env.steady().millis())
}
