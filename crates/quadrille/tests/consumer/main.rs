//! The consumer as its users see it: an application, a browser, a service.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail"
)]

mod support;

mod attempts;
mod bad_input;
mod errors;
mod hooks;
mod owners;
mod refresh;
mod visit;
