//! The program, the demo and small applications in a browser.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests, which these lints do not know for such"
)]

mod apache;
mod callbacks;
mod choosing;
mod cross_origin;
mod demo;
mod devices;
mod forms;
mod fragments;
mod keyboard;
mod languages;
mod linking;
mod logins;
mod looks;
mod pictures;
mod referrers;
mod session_frames;
mod session_pages;
mod sessions;
mod side_by_side;
mod support;

/// The program under test, for `process`.
const PROGRAM: &str = env!("CARGO_BIN_EXE_quadrille-for-browsers");
