//! Counting the library's work in tests: loops over untrusted input count their steps, so a test
//! can compare the work for n, 2n and 4n without a clock.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts a step.
pub(crate) fn count() {
    STEPS.set(STEPS.get() + 1);
}

/// The number of steps of `work`.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> usize {
    let before = STEPS.get();
    work();
    STEPS.get() - before
}

/// Asserts that the steps of `work` for 2n and 4n are at most two and four times those for n, and
/// not zero.
pub(crate) fn assert_proportional(n: usize, work: impl Fn(usize) -> usize) {
    let steps = [n, 2 * n, 4 * n].map(work);
    let [once, twice, four_times] = steps;
    assert!(once > 0, "nothing was counted");
    // A tenth for constant work.
    assert!(twice * 10 <= once * 2 * 11, "{steps:?} steps for {n}, twice and four times as many");
    assert!(four_times * 10 <= once * 4 * 11, "{steps:?} steps for {n}, twice and four times");
}
