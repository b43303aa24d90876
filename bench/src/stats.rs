//! The result of a measurement.

use std::time::Duration;

/// The result of one measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Operations per second.
    pub(crate) throughput: f64,
    /// CPU time of the server per operation, in microseconds.
    pub(crate) cpu: f64,
    /// The share of its core that the server used: 1 is the whole core.
    pub(crate) busy: f64,
}

impl Sample {
    /// The sample with these counts and times.
    pub(crate) fn new(operations: u64, elapsed: Duration, cpu: Duration) -> Self {
        let operations = operations as f64;
        Self {
            throughput: operations / elapsed.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / operations,
            busy: cpu.as_secs_f64() / elapsed.as_secs_f64(),
        }
    }
}
