//! `quadrille user`.

use clap::Subcommand;

use crate::{Failure, config::Settings, output::Output};

#[derive(Subcommand, Debug)]
pub(super) enum UserCommand {
    /// Let a person sign in
    #[command(
        after_help = "Examples:\n  quadrille user add ada\n  pass ada | quadrille user add ada --password-stdin"
    )]
    Add {
        /// What they sign in with: a name or an e-mail address; case does not matter
        name: String,
        /// Read the password from standard input (the first line) instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List everyone who can sign in
    List,
    /// Remove a person, their sessions and all that they let applications do
    Remove {
        /// Their name
        name: String,
    },
}

pub(super) fn run(
    _command: &UserCommand,
    _settings: &Settings,
    _output: Output,
) -> Result<(), Failure> {
    Ok(())
}
