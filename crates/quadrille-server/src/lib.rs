//! The `quadrille` program: an OAuth authorization server ready to run, with an embedded database,
//! pages and a command line.
//!
//! [`run`] is the whole program. It reads its arguments ([`cli`]), finds its settings in flags,
//! environment and file ([`config`]) and does what the command says, or ends with a [`Failure`],
//! whose kind is the exit code.

#![warn(clippy::indexing_slicing, clippy::print_stderr, clippy::print_stdout)]

mod audit;
mod brand;
pub mod check;
pub mod cli;
pub mod config;
pub mod data;
mod failure;
#[cfg(feature = "fake")]
pub mod fake;
mod grant;
pub mod http;
mod issuer;
pub mod logging;
pub mod login;
mod meter;
mod named_file;
pub mod output;
mod refused;
mod request_id;
mod row_number;
pub mod serve;
pub mod sessions;
mod standing;
pub mod texts;
pub mod throttle;
mod traces;
pub mod users;
pub mod web;
mod words;

pub use failure::Failure;
pub use issuer::{InvalidIssuer, Issuer};
pub use standing::Standing;

use std::process::ExitCode;

/// Runs the program with the arguments it was started with.
pub fn run() -> ExitCode {
    cli::run(std::env::args_os())
}
