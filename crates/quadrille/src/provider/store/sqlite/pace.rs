//! The pause of the writer before a commit.
//!
//! While one half of the clients waits for a commit, the other half sends requests; if the writer
//! then began at once, the halves would take turns forever, and each would wait for two syncs of
//! the disk instead of one. Clients that were just answered usually send again sooner than the disk
//! can sync. So the writer waits for about as many as last time, for at most half the time of a
//! commit; if they do not come, it waits more and more seldom.

use std::time::{Duration, Instant};

/// A slow disk is no reason to wait for longer.
const LONGEST: Duration = Duration::from_millis(1);

#[derive(Default)]
pub(super) struct Pace {
    /// The duration of a commit, smoothed.
    commit: Duration,
    /// The number answered last.
    answered: usize,
    /// The number of vain waits in succession.
    vain: u32,
    /// The number of waits to skip.
    skip: u32,
}

impl Pace {
    /// Times a commit of `count` writes.
    #[expect(clippy::disallowed_methods, reason = "it measures the disk; no fact depends on it")]
    pub(super) fn time<T>(&mut self, count: usize, commit: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = commit();
        self.commit = (self.commit * 7 + start.elapsed()) / 8;
        self.answered = count;
        result
    }

    /// The number of writes to wait for, and the longest wait, if `there` are waiting.
    pub(super) fn wait_for(&mut self, there: usize) -> Option<(usize, Duration)> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        let all = std::mem::take(&mut self.answered) + there;
        let wanted = all - all / 8;
        (there < wanted).then_some((wanted, (self.commit / 2).min(LONGEST)))
    }

    /// Records the result of a wait.
    pub(super) fn waited(&mut self, wanted: usize, came: usize) {
        self.vain = if came >= wanted { 0 } else { (self.vain + 1).min(6) };
        self.skip = (1 << self.vain) - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_for_those_who_come_back_and_gives_up_on_those_who_do_not() {
        let mut pace = Pace { commit: Duration::from_micros(400), ..Pace::default() };
        assert_eq!(pace.wait_for(0), None, "nobody was answered yet");
        let patience = Duration::from_micros(200);
        for _ in 0..3 {
            pace.answered = 8;
            assert_eq!(pace.wait_for(8), Some((14, patience)));
            pace.waited(14, 15);
        }
        let mut waits = 0;
        for _ in 0..200 {
            pace.answered = 8;
            if let Some((wanted, _)) = pace.wait_for(8) {
                pace.waited(wanted, 8);
                waits += 1;
            }
        }
        assert!((3..10).contains(&waits), "{waits}");
    }

    #[test]
    fn one_client_alone_never_waits_for_another() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.time(1, || ());
            if let Some((wanted, patience)) = pace.wait_for(0) {
                assert_eq!(wanted, 1, "itself");
                assert!(patience <= LONGEST);
                pace.waited(wanted, 1);
            }
        }
    }
}
