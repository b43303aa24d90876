//! The clock and the random numbers of one run: the input moves the clock and gives the seed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use quadrille::{Env, Timestamp, env::Source};

/// Noon on the fifteenth of January 2027, UTC.
const START: i64 = 1_800_014_400_000;

/// A clock that stands still until it is moved, and random numbers that follow from a seed. Clones
/// share both.
#[derive(Clone, Debug)]
pub(crate) struct Nature(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    now: AtomicI64,
    latest: AtomicI64,
    dice: AtomicU64,
}

impl Nature {
    pub(crate) fn new(seed: u64) -> Self {
        let (now, latest) = (AtomicI64::new(START), AtomicI64::new(START));
        Self(Arc::new(Inside { now, latest, dice: AtomicU64::new(seed) }))
    }

    pub(crate) fn env(&self) -> Env {
        Env::from_source(self.clone())
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now.load(Ordering::SeqCst))
    }

    /// The latest time that the clock has shown.
    pub(crate) fn latest(&self) -> Timestamp {
        Timestamp::from_millis(self.0.latest.load(Ordering::SeqCst))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Moves the clock back, at most to `most` before the latest time that it has shown.
    pub(crate) fn step_back(&self, by: Duration, most: Duration) {
        let earliest = self.latest() - most;
        self.set((self.now() - by).max(earliest));
    }

    fn set(&self, now: Timestamp) {
        self.0.now.store(now.millis(), Ordering::SeqCst);
        self.0.latest.fetch_max(now.millis(), Ordering::SeqCst);
    }

    /// SplitMix64: it repeats no number.
    fn throw(&self) -> u64 {
        let state = self.0.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Source for Nature {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let thrown = self.throw().to_le_bytes();
            chunk.copy_from_slice(&thrown[..chunk.len()]);
        }
    }
}
