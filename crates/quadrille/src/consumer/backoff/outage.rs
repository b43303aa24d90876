//! Whether a service is down, as its API's calls found it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::Timestamp;

use super::Backoff;

/// The pause of one service's API after connection failures and responses with 503.
#[derive(Debug, Default)]
pub(crate) struct Outage(Mutex<Backoff>);

impl Outage {
    /// The rest of the pause, if there is one.
    pub(crate) fn left(&self, now: Timestamp) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).left(now)
    }

    /// Begins a pause. Calls that fail during one count as the same failure: many may be on their
    /// way when a service fails.
    pub(crate) fn begin(&self, asked: Option<Duration>, now: Timestamp) {
        let mut backoff = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if backoff.left(now).is_none() {
            *backoff = backoff.after(asked, now);
        }
    }

    /// Ends the pause: the service responded.
    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Backoff::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_twice_as_long_however_many_calls_fail_in_it() {
        let (outage, mut now) = (Outage::default(), Timestamp::from_seconds(1_000_000));
        assert_eq!(outage.left(now), None);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            for _ in 0..100 {
                outage.begin(None, now);
            }
            assert_eq!(outage.left(now), Some(Duration::from_secs(seconds)));
            now = now + Duration::from_secs(seconds);
            assert_eq!(outage.left(now), None, "{seconds}");
        }
        outage.begin(Some(Duration::from_secs(120)), now);
        assert_eq!(outage.left(now), Some(Duration::from_secs(120)));
        outage.end();
        assert_eq!(outage.left(now), None);
        outage.begin(None, now);
        assert_eq!(outage.left(now), Some(Duration::from_secs(1)), "it begins anew");
    }
}
