//! What holds for all input: what one half of an exchange writes the other reads, nothing that is
//! sent makes anything panic, and the algebra of scopes and seals.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "this is a test from end to end"
)]

mod jose;
mod messages;
mod oauth1;
mod panics;
mod scopes;
mod seals;
