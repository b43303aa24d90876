//! `quadrille token`.

use std::io::Read as _;

use clap::Subcommand;
use quadrille::Secret;
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    Failure,
    audit::{Event, record},
    config::Settings,
    output::Output,
    refused::Refused,
};

use super::beginning::open_to_change;

#[derive(Subcommand, Debug)]
pub(super) enum TokenCommand {
    /// Revoke a token, and every token of the same grant
    #[command(after_help = "\
Every process of the provider rejects it within a second.

Example:
  quadrille token revoke --token-stdin < leaked-token")]
    Revoke {
        /// Read the token from standard input: other users of the machine can see a command line
        #[arg(long, required = true)]
        token_stdin: bool,
    },
}

pub(super) async fn run(
    command: &TokenCommand,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let TokenCommand::Revoke { .. } = command;
    let mut text = Zeroizing::new(Vec::new());
    std::io::stdin().lock().take(64 * 1024).read_to_end(&mut text)?;
    let data = open_to_change(settings).await?;
    // Input that is not UTF-8 is not a token.
    let Ok(token) = std::str::from_utf8(&text) else { return Err(Failure::NoToken) };
    if token.trim().is_empty() {
        return Err(Refused::NothingToRevoke.into());
    }
    let server = data.server(settings).await?;
    let revoked = data
        .finish(server.revoke_token(&Secret::from(token.trim())).await.map_err(Failure::from))
        .await;
    data.close(server).await;
    if !revoked? {
        return Err(Failure::NoToken);
    }
    record(&Event::by_operator("token_revoked", "a token was revoked with its grant"));
    output.result(&json!({ "revoked": true }), || {
        "Revoked, and with it every token of the same grant.".to_owned()
    })
}
