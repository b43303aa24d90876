//! `quadrille client`.

mod about;
mod add;
mod audiences;
mod auth;
mod changed;
mod edit;
mod find;
mod logo;
mod openid;
mod remarks;
mod rules;
mod secret;
mod shown;
mod transfer;
mod without;

use std::{sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use quadrille::provider::{AdminError, AuthorizationServer};

use crate::{
    Failure,
    config::{Settings, parse_duration},
    data::Backend,
    output::Output,
    refused::Refused,
};

use super::{
    beginning::{begins, open_or_begin, open_to_change, open_to_read},
    confirm::Yes,
    table,
};
use add::{AddArgs, RsaArgs};
use changed::changed;
use edit::EditArgs;
use find::{find, not_found};
use logo::forget_logo;
use secret::SecretCommand;
use shown::{Secrets, Shown, show_secrets};
use transfer::{ExportArgs, ImportArgs};

#[derive(Subcommand, Debug)]
pub(super) enum ClientCommand {
    /// Register a client; its secret is shown once
    #[command(after_help = "\
Examples:
  quadrille client add \"Photo printer\" --redirect-uri https://printer.example/callback \\
      --scope photos:read --scope profile
  quadrille client add \"Phone app\" --public --redirect-uri com.example.app:/callback --scope photos:read
  quadrille client add \"Television\" --public --grant device_code --grant refresh_token \\
      --scope photos:read
  quadrille client add \"Nightly job\" --grant client_credentials --scope reports:write
  quadrille client add \"Partner\" --grant jwt_bearer --scope photos:read
  quadrille client add \"Robot\" --grant client_credentials --private-key-jwt --jwks public.json \\
      --scope reports:write
  quadrille client add \"Photo API\" --resource-server --audience https://api.example
  quadrille client add \"Old printer\" --oauth1 --redirect-uri https://old.example/callback \\
      --scope photos:read
  quadrille client add \"Terminal\" --oauth1 --oob --rsa-key public.pem --scope photos:read")]
    Add(AddArgs),
    /// Change a client; its tokens and consents remain, and so do secrets that it still uses
    #[command(
        override_usage = "quadrille client edit [OPTIONS] <ID>",
        after_help = "\
Examples:
  quadrille client edit 2Yx3 --add-redirect-uri https://beta.example/callback
  quadrille client edit 2Yx3 --name \"Photo printer\" --add-scope profile --remove-scope photos:write
  quadrille client edit 2Yx3 --first-party true
  quadrille client edit 2Yx3 --private-key-jwt --jwks-uri https://robot.example/jwks.json"
    )]
    Edit(EditArgs),
    /// List all clients
    List,
    /// Show one client
    Show {
        /// The client_id
        id: String,
    },
    /// Rotate the secret of a client; the old secret remains valid for a while
    #[command(after_help = "\
Examples:
  quadrille client rotate-secret 2Yx3 --keep-old 7d
  quadrille client rotate-secret 2Yx3 --oauth1 --rsa-key new.pem")]
    RotateSecret(RotateArgs),
    /// Manage the secrets of a client, several of which may be valid at once
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Write clients as lines of JSON, with the hashes of their secrets
    #[command(after_help = "\
Examples:
  quadrille client export --output clients.jsonl
  quadrille client export 2Yx3 --secrets-in-plain-text-for-anyone-who-reads-the-file")]
    Export(ExportArgs),
    /// Add clients from lines of JSON: all of them, or none if a line is wrong
    #[command(after_help = "\
Examples:
  quadrille client import clients.jsonl
A line needs client_id and client_name, and has one of
  \"client_secret\": \"plain text\"
  \"secrets\": [{\"verifier\": \"$2b$12$... or another hash\"}]
  \"oauth1_secret\": \"plain text\"
unless \"client_type\" is \"public\". Further members: redirect_uris, scope, grant_types.")]
    Import(ImportArgs),
    /// Remove a client and all of its tokens, after asking
    Remove {
        /// The client_id
        id: String,
        #[command(flatten)]
        yes: Yes,
    },
}

/// Arguments of `quadrille client rotate-secret`.
#[derive(Args, Debug)]
pub(super) struct RotateArgs {
    /// The client_id
    id: String,
    /// How long the old secrets remain valid, such as 0s, 1h or 7d
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
    keep_old: Duration,
    /// Rotate the credential for OAuth 1.0a, of a client that has both; a client without one
    /// gets one
    #[arg(long)]
    oauth1: bool,
    #[command(flatten)]
    key: RsaArgs,
}

pub(super) async fn run(
    command: &ClientCommand,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let tried = match command {
        ClientCommand::Add(args) if begins(settings) => Some(add::tried(args, settings).await?),
        _ => None,
    };
    let data = match command {
        ClientCommand::Add(_) | ClientCommand::Import(_) => open_or_begin(settings, output).await?,
        ClientCommand::List
        | ClientCommand::Show { .. }
        | ClientCommand::Export(_)
        | ClientCommand::Secret(SecretCommand::List { .. }) => {
            open_to_read(settings, output).await?
        }
        _ => open_to_change(settings).await?,
    };
    let server = data.server(settings).await?;
    let result = match command {
        ClientCommand::Add(args) => {
            let known = data.known(settings).await?;
            let new = tried.map_or_else(|| args.client(&known), Ok)?;
            add::add(&server, new, (settings, &known), output).await
        }
        ClientCommand::Edit(args) => {
            let known = data.known(settings).await?;
            edit::edit((&server, data.backend()), args, (settings, &known), output).await
        }
        ClientCommand::List => list(&server, output).await,
        ClientCommand::Show { id } => show(&server, id, output).await,
        ClientCommand::RotateSecret(args) => rotate_secret(&server, args, output).await,
        ClientCommand::Secret(command) => secret::run(&server, command, output).await,
        ClientCommand::Export(args) => transfer::export(&server, args, output).await,
        ClientCommand::Import(args) => {
            let known = data.known(settings).await?;
            transfer::import(&server, args, (settings, &known), output).await
        }
        ClientCommand::Remove { id, yes } => {
            remove((&server, data.backend()), id, *yes, output).await
        }
    };
    let result = data.finish(result).await;
    data.close(server).await;
    result
}

/// The columns of the list of clients.
const HEAD: [&str; 6] = ["CLIENT ID", "NAME", "PROTOCOL", "REGISTERED", "SCOPES", "ADDED"];

async fn list(server: &AuthorizationServer, output: Output) -> Result<(), Failure> {
    let clients = server.clients().await?;
    let shown: Vec<_> =
        clients.iter().map(|client| Shown::new(client, Secrets::default())).collect();
    output.result(&shown, || {
        let rows = shown.iter().map(|client| {
            let ways = client.ways();
            let (id, name, scope) = (client.client_id, client.client_name, client.scope);
            [id, name, ways, client.origin(), scope, client.created.as_str()]
        });
        table::list(HEAD, rows)
    })
}

async fn show(server: &AuthorizationServer, id: &str, output: Output) -> Result<(), Failure> {
    let client = find(server, id).await?;
    let shown = Shown::new(&client, Secrets::default());
    output.result(&shown, || shown.text())
}

async fn rotate_secret(
    server: &AuthorizationServer,
    args: &RotateArgs,
    output: Output,
) -> Result<(), Failure> {
    let (id, keep_old) = (args.id.as_str(), args.keep_old);
    let client = find(server, id).await?;
    // A client with one secret only needs no flag that names the secret.
    let signs_only = client.oauth1.is_some()
        && client.grant_types.is_empty()
        && client.resource_server.is_none();
    let (mut secret, mut oauth1) = (None, None);
    let rotated = if args.oauth1 || signs_only {
        let added = server.add_oauth1_key(id, args.key.read()?, keep_old).await;
        added.map(|generated| oauth1 = generated)
    } else {
        server.rotate_secret(id, keep_old).await.map(|generated| secret = Some(generated))
    };
    match rotated {
        Ok(()) => changed("secret_rotated", "the secret of a client was rotated", id),
        Err(AdminError::UnknownClient) => return Err(not_found(id)),
        Err(error) => return Err(error.into()),
    }
    let client = find(server, id).await?;
    let secrets = Secrets { client: secret.as_ref(), oauth1: oauth1.as_ref() };
    show_secrets(&client, secrets, output)
}

async fn remove(
    (server, backend): (&AuthorizationServer, &Arc<dyn Backend>),
    id: &str,
    yes: Yes,
    output: Output,
) -> Result<(), Failure> {
    let client = find(server, id).await?;
    if client.is_of_personal_tokens() {
        return Err(Refused::ClientOfTokens.into());
    }
    yes.or_confirm(async {
        Ok(format!(
            "{} ({id}) is removed for good. With it end its secrets, all of its tokens, and the access \
             that users gave it.",
            client.name
        ))
    })
    .await?;
    if !server.remove_client(id).await? {
        return Err(not_found(id));
    }
    forget_logo(backend, &client).await;
    changed("client_removed", "a client was removed", id);
    output.result(&Shown::new(&client, Secrets::default()), || {
        format!("{} ({id}) was removed, with all of its tokens.", client.name)
    })
}
