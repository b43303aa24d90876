//! Whether this process may answer for its data.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use quadrille::{Env, Timestamp};

/// The longest time without a look at the database. A process that was paused for longer (a stopped virtual
/// machine, a debugger) looks first: its data may have been moved away, which takes until its lease of
/// row numbers is over, at least two and a half minutes after a look.
const LONGEST: Duration = Duration::from_secs(60);

/// Needs no look: the system keeps others from the data.
const ALWAYS: i64 = i64::MAX;

/// The data was moved away.
const ENDED: i64 = i64::MIN;

/// What a process knows of its right to answer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Standing(Arc<AtomicI64>);

impl Default for Standing {
    /// That of a process without such looks.
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(ALWAYS)))
    }
}

impl Standing {
    /// Records a look at the database that began at this time of the monotonic clock.
    pub(crate) fn looked(&self, began: Timestamp) {
        self.0.store(began.millis(), Ordering::Relaxed);
    }

    /// Records that the data was moved away.
    pub(crate) fn end(&self) {
        self.0.store(ENDED, Ordering::Relaxed);
    }

    /// Whether requests are answered.
    pub(crate) fn may_answer(&self, env: &Env) -> bool {
        match self.0.load(Ordering::Relaxed) {
            ALWAYS => true,
            ENDED => false,
            looked => env.steady().since(Timestamp::from_millis(looked)) <= LONGEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use quadrille::testing::ManualClock;

    use super::*;

    #[test]
    fn a_process_that_was_paused_answers_after_its_next_look_and_none_after_a_move() {
        let (clock, standing) = (ManualClock::new(), Standing::default());
        let env = clock.env();
        clock.advance(LONGEST * 9);
        assert!(standing.may_answer(&env), "without looks");
        standing.looked(env.steady());
        clock.advance(LONGEST);
        assert!(standing.may_answer(&env));
        let began = env.steady();
        clock.advance(Duration::from_millis(1));
        assert!(!standing.may_answer(&env));
        standing.looked(began);
        assert!(standing.may_answer(&env));
        standing.end();
        assert!(!standing.may_answer(&env));
    }
}
