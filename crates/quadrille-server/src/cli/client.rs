//! `quadrille client`.

use clap::{Args, Subcommand, ValueEnum};

use crate::{Failure, config::Settings, output::Output};

#[derive(Subcommand, Debug)]
pub(super) enum ClientCommand {
    /// Register an application; its secret is shown once
    #[command(after_help = "\
Examples:
  quadrille client add \"Photo printer\" --redirect-uri https://printer.example/callback \\
      --scope photos:read --scope profile
  quadrille client add \"Phone app\" --public --redirect-uri com.example.app:/callback --scope photos:read
  quadrille client add \"Nightly job\" --grant client_credentials --scope reports:write")]
    Add(AddArgs),
    /// List all applications
    List,
    /// Show one application
    Show {
        /// Its client_id
        id: String,
    },
    /// Give an application a new secret; the old one stays good for a while
    #[command(after_help = "Example:\n  quadrille client rotate-secret 2Yx3 --keep-old 7d")]
    RotateSecret {
        /// Its client_id
        id: String,
        /// How long the secrets of before stay good, such as 0s, 1h or 7d
        #[arg(long, value_name = "DURATION", default_value = "24h")]
        keep_old: String,
    },
    /// Remove an application and every token it holds
    Remove {
        /// Its client_id
        id: String,
    },
}

/// Arguments of `quadrille client add`.
#[derive(Args, Debug)]
pub(super) struct AddArgs {
    /// What people call it; the consent page shows it
    name: String,
    /// Where people may be sent back to (exact match; any port of a loopback address); repeatable
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// What it may ask for; repeatable
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How it may get tokens; repeatable [default: authorization_code and refresh_token]
    #[arg(long = "grant", value_name = "GRANT", value_enum)]
    grants: Vec<Grant>,
    /// It cannot keep a secret: a phone or single-page application
    #[arg(long)]
    public: bool,
    /// It is your own: people are not asked for consent
    #[arg(long)]
    first_party: bool,
}

/// A grant type by its name on the wire.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[value(rename_all = "snake_case")]
pub(super) enum Grant {
    /// People are sent here and come back with a code
    AuthorizationCode,
    /// Tokens are renewed without people
    RefreshToken,
    /// It acts for itself
    ClientCredentials,
}

pub(super) fn run(
    _command: &ClientCommand,
    _settings: &Settings,
    _output: Output,
) -> Result<(), Failure> {
    Ok(())
}
