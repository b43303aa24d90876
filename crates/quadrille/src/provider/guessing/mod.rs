//! Defence of secrets that people choose: slow hashes, turns and limits.

pub(super) mod kdf;
pub(super) mod line;
pub(super) mod throttle;
pub(super) mod turns;
