//! How much a test made the library do: steps are counted where input of strangers is walked, so
//! that a test can compare the work for n, 2n and 4n without a clock.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// One more step.
pub(crate) fn count() {
    STEPS.set(STEPS.get() + 1);
}

/// How many steps `work` takes.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> usize {
    let before = STEPS.get();
    work();
    STEPS.get() - before
}

/// Asserts that the steps of `work` for 2n and 4n are no more than two and four times those for n,
/// and that some were counted.
pub(crate) fn assert_proportional(n: usize, work: impl Fn(usize) -> usize) {
    let steps = [n, 2 * n, 4 * n].map(work);
    let [once, twice, four_times] = steps;
    assert!(once > 0, "nothing was counted");
    // A tenth for what does not depend on the length.
    assert!(twice * 10 <= once * 2 * 11, "{steps:?} steps for {n}, twice and four times as many");
    assert!(four_times * 10 <= once * 4 * 11, "{steps:?} steps for {n}, twice and four times");
}
