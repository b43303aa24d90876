//! `quadrille demo`.

mod dance;
mod diagram;
mod explain;
mod mask;
mod pages;
mod photos;
mod record;
mod safety;
#[cfg(test)]
mod tests;
mod thread;

use clap::Args;

use crate::{Failure, output::Output};

/// Arguments of `quadrille demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {}

/// Runs the demo until Ctrl-C.
///
/// # Errors
/// When it cannot listen.
pub fn run(_args: &DemoArgs, _output: Output) -> Result<(), Failure> {
    Ok(())
}
