//! Time and allocations of one operation.

use std::time::Instant;

pub(crate) type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The time of one repetition among many, in nanoseconds.
pub(crate) fn nanoseconds(times: u32, work: &mut impl FnMut() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    for _ in 0..times {
        work()?;
    }
    Ok(begun.elapsed().as_nanos() as f64 / f64::from(times))
}

/// The allocations of one repetition among many, once warm.
pub(crate) fn allocations(work: &mut impl FnMut() -> Result<()>) -> Result<u64> {
    const MANY: u64 = 1000;
    work()?;
    let mut outcome = Ok(());
    let counted = allocation_counter::measure(|| {
        for _ in 0..MANY {
            if let Err(error) = work() {
                outcome = Err(error);
            }
        }
    });
    outcome?;
    Ok(counted.count_total.div_ceil(MANY))
}
