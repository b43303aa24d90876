//! The log of an overload. Any stranger can cause one, so the log gets at most one line in ten
//! seconds, with the number of attempts.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use quadrille::Timestamp;

/// The shortest time between two lines.
const EVERY: Duration = Duration::from_secs(10);

/// The attempts that were refused because more users signed in than passwords could be checked.
#[derive(Debug, Default)]
pub(super) struct Overload(Mutex<Count>);

#[derive(Debug, Default)]
struct Count {
    /// Attempts since the last line.
    attempts: u64,
    /// The time of the last line.
    logged: Option<Timestamp>,
}

impl Overload {
    /// Counts a refused attempt, and logs the overload if a line is due.
    pub(super) fn sent_away(&self, now: Timestamp) {
        let due = self.0.lock().unwrap_or_else(PoisonError::into_inner).one_more(now);
        if let Some(attempts) = due {
            tracing::warn!(attempts, "more people sign in than passwords can be checked");
        }
    }
}

impl Count {
    /// The number of attempts to log now, if a line is due.
    fn one_more(&mut self, now: Timestamp) -> Option<u64> {
        self.attempts = self.attempts.saturating_add(1);
        // A line is also due after the clock was set back.
        let is_recent = |logged: Timestamp| now.since(logged) < EVERY && logged.since(now) < EVERY;
        if self.logged.is_some_and(is_recent) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.attempts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overload_is_one_line_in_ten_seconds_with_the_number_of_attempts() {
        let (mut count, noon) = (Count::default(), Timestamp::from_seconds(1_800_000_000));
        let mut at =
            |seconds: i64| count.one_more(Timestamp::from_seconds(noon.seconds() + seconds));
        assert_eq!(at(0), Some(1));
        assert_eq!((0..1000).filter_map(|n| at(n % 10)).count(), 0);
        assert_eq!(at(10), Some(1001));
        assert_eq!(at(11), None);
        assert_eq!(at(-3600), Some(2), "the clock went back");
    }
}
