//! The delay after failures in a row.

pub(super) mod outage;

use std::time::Duration;

use crate::Timestamp;

/// The delay after one failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest delay, unless the service asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest delay that the service may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The failures in a row, and the delay after the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: u32,
    /// The beginning and the length of the delay.
    waiting: Option<(Timestamp, Duration)>,
}

impl Backoff {
    /// Adds one failure. `asked` is the delay that the service asks for.
    pub(crate) fn after(self, asked: Option<Duration>, now: Timestamp) -> Self {
        let doubled = FIRST_WAIT * (1 << self.failures.min(10));
        let wait = match asked {
            Some(asked) => asked.clamp(FIRST_WAIT, LONGEST_RETRY_AFTER),
            None => doubled.min(LONGEST_WAIT),
        };
        Self { failures: self.failures.saturating_add(1), waiting: Some((now, wait)) }
    }

    /// The same failures without a delay.
    pub(crate) fn without_delay(self) -> Self {
        Self { waiting: None, ..self }
    }

    /// The rest of the delay, if it is not over.
    pub(crate) fn left(&self, now: Timestamp) -> Option<Duration> {
        let (since, wait) = self.waiting?;
        // If the clock went back, callers do not wait.
        if now < since {
            return None;
        }
        wait.checked_sub(now.since(since)).filter(|left| !left.is_zero())
    }
}
