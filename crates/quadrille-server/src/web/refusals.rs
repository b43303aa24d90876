//! The attempts that were refused lately, by name and network. A turn of theirs is shared by all
//! who try, so the wait that is told to one depends on how many they are.
//!
//! In memory, and by the monotonic clock: nothing is decided by it but what a page says.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use quadrille::Timestamp;

use crate::{
    data::CountKey,
    throttle::{Crowd, LATELY},
};

/// The number of names and networks that are remembered. Others are told the wait of one who is
/// alone.
const MOST: usize = 4096;

/// Counts refused attempts.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<CountKey, (Timestamp, Crowd)>>);

impl Refusals {
    /// Counts one at this name from this network, whose turn comes after `wait`; the time after
    /// which to try again.
    pub(super) fn one_more(&self, pair: CountKey, wait: Duration, steady: Timestamp) -> Duration {
        let mut crowds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if crowds.len() >= MOST && !crowds.contains_key(&pair) {
            crowds.retain(|_, (at, _)| steady.since(*at) < LATELY);
            if crowds.len() >= MOST {
                return Crowd::default().wait(wait);
            }
        }
        let (at, crowd) = crowds.entry(pair).or_insert((steady, Crowd::default()));
        let told = crowd.after(steady.since(*at)).wait(wait);
        *crowd = crowd.after(steady.since(*at)).one_more();
        *at = steady;
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_seconds(1000);
    const TURN: Duration = Duration::from_secs(1);

    fn key(number: usize) -> CountKey {
        let mut key = CountKey::default();
        key[..8].copy_from_slice(&(number as u64).to_be_bytes());
        key
    }

    #[test]
    fn each_name_and_network_has_a_crowd_of_its_own_and_it_is_forgotten() {
        let refusals = Refusals::default();
        for _ in 0..100 {
            refusals.one_more(key(1), TURN, AT);
        }
        assert!(refusals.one_more(key(1), TURN, AT) > TURN * 30);
        assert_eq!(refusals.one_more(key(2), TURN, AT), TURN);
        assert_eq!(refusals.one_more(key(1), TURN, AT + LATELY), TURN);
    }

    #[test]
    fn memory_is_bounded() {
        let refusals = Refusals::default();
        for number in 0..2 * MOST {
            refusals.one_more(key(number), TURN, AT);
        }
        assert_eq!(refusals.0.lock().unwrap().len(), MOST);
        refusals.one_more(key(2 * MOST), TURN, AT + LATELY);
        assert_eq!(refusals.0.lock().unwrap().len(), 1);
    }
}
