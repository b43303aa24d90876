//! What a measurement brings.

use std::time::Duration;

/// What one measurement brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Operations per second.
    pub(crate) throughput: f64,
    /// CPU time of the server per operation, in microseconds.
    pub(crate) cpu: f64,
    /// How much of its core the server used: 1 is all of it.
    pub(crate) busy: f64,
}

impl Sample {
    /// From counts and times.
    pub(crate) fn new(operations: u64, elapsed: Duration, cpu: Duration) -> Self {
        let operations = operations as f64;
        Self {
            throughput: operations / elapsed.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / operations,
            busy: cpu.as_secs_f64() / elapsed.as_secs_f64(),
        }
    }
}
