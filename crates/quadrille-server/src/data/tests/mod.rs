//! Tests that every database of the program has to pass.

pub(super) mod contract;
