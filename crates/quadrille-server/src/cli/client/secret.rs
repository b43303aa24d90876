//! `quadrille client secret`.

use std::{io::Read as _, time::Duration};

use clap::{Args, Subcommand};
use quadrille::{
    Env, Secret, Timestamp,
    provider::{AdminError, AuthorizationServer, NewSecret},
};
use zeroize::Zeroizing;

use crate::{
    Failure,
    config::{parse_duration, parse_lifetime},
    output::Output,
    refused::Refused,
    words::nearest,
};

use super::{
    super::{confirm::Yes, table},
    changed::changed,
    find::{find, not_found},
    shown::{Secrets, ShownSecret, show_secrets},
};

#[derive(Subcommand, Debug)]
pub(in super::super) enum SecretCommand {
    /// Add a secret to a client, beside its other secrets; it is shown once
    #[command(after_help = "\
Examples:
  quadrille client secret add 2Yx3
  pass show printer | quadrille client secret add 2Yx3 --secret-stdin --expires-in 90d")]
    Add(SecretAddArgs),
    /// List the secrets of a client: their ids, ages and ends, never the secrets
    List {
        /// The client_id
        id: String,
    },
    /// Set the end of a secret
    Expire(SecretExpireArgs),
    /// Remove a secret, after asking; the only valid one remains
    Remove {
        /// The client_id
        id: String,
        /// The id of the secret, as `list` shows it
        secret: String,
        #[command(flatten)]
        yes: Yes,
    },
}

/// Arguments of `quadrille client secret add`.
#[derive(Args, Debug)]
pub(in super::super) struct SecretAddArgs {
    /// The client_id
    id: String,
    /// Read the secret from standard input, instead of generating one
    #[arg(long)]
    secret_stdin: bool,
    /// Lifetime of the secret, such as 90d [default: without an end]
    #[arg(long, value_name = "DURATION", value_parser = parse_lifetime)]
    expires_in: Option<Duration>,
}

/// Arguments of `quadrille client secret expire`.
#[derive(Args, Debug)]
pub(in super::super) struct SecretExpireArgs {
    /// The client_id
    id: String,
    /// The id of the secret, as `list` shows it
    secret: String,
    /// Time for which the secret remains valid, such as 0s or 7d
    #[arg(long = "in", value_name = "DURATION", value_parser = parse_duration)]
    after: Duration,
}

pub(super) async fn run(
    server: &AuthorizationServer,
    command: &SecretCommand,
    output: Output,
) -> Result<(), Failure> {
    match command {
        SecretCommand::Add(args) => add(server, args, output).await,
        SecretCommand::List { id } => list(server, id, output).await,
        SecretCommand::Expire(args) => {
            let end = Env::system().now() + args.after;
            let expired = server.expire_secret(&args.id, &args.secret, Some(end)).await;
            done(server, &args.id, &args.secret, expired).await?;
            changed("secret_changed", "the secret of a client got another end", &args.id);
            let client = find(server, &args.id).await?;
            let outlives = |expires: Option<Timestamp>| expires.is_none_or(|at| at > end);
            if !client.secrets.iter().any(|known| outlives(known.expires)) {
                output.note(
                    "The application has no secret after that. Add one: quadrille client secret add",
                );
            }
            list(server, &args.id, output).await
        }
        SecretCommand::Remove { id, secret, yes } => {
            let client = find(server, id).await?;
            if client.secrets.iter().any(|known| *known.id == **secret) {
                yes.or_confirm(async {
                    Ok(format!(
                        "The secret {secret} of {} ({id}) is removed for good: a program with it \
                         gets no more tokens.",
                        client.name
                    ))
                })
                .await?;
            }
            let removed = server.remove_secret(id, secret).await;
            done(server, id, secret, removed).await?;
            changed("secret_removed", "a secret of a client was removed", id);
            list(server, id, output).await
        }
    }
}

async fn add(
    server: &AuthorizationServer,
    args: &SecretAddArgs,
    output: Output,
) -> Result<(), Failure> {
    let mut new = match args.secret_stdin {
        true => NewSecret::chosen(read_secret()?),
        false => NewSecret::generated(),
    };
    if let Some(lifetime) = args.expires_in {
        new = new.expires(Env::system().now() + lifetime);
    }
    let added = match server.add_secret(&args.id, new).await {
        Ok(added) => added,
        Err(AdminError::UnknownClient) => return Err(not_found(&args.id)),
        Err(error) => return Err(error.into()),
    };
    changed("secret_added", "a client got a further secret", &args.id);
    let client = find(server, &args.id).await?;
    show_secrets(&client, Secrets { client: added.secret.as_ref(), oauth1: None }, output)
}

async fn list(server: &AuthorizationServer, id: &str, output: Output) -> Result<(), Failure> {
    let secrets = ShownSecret::all(&*find(server, id).await?);
    output.result(&secrets, || {
        let rows = secrets.iter().map(|secret| {
            let end = secret.expires.as_deref().unwrap_or("no end");
            [&*secret.id, secret.kind, &secret.created, end]
        });
        table::list(["SECRET", "KIND", "ADDED", "EXPIRES"], rows)
    })
}

/// The result of a change, with the nearest id of a mistyped one.
async fn done(
    server: &AuthorizationServer,
    id: &str,
    secret: &str,
    result: Result<(), AdminError>,
) -> Result<(), Failure> {
    match result {
        Ok(()) => Ok(()),
        Err(AdminError::UnknownClient) => Err(not_found(id)),
        Err(AdminError::UnknownSecret) => {
            let client = find(server, id).await?;
            let known = client.secrets.iter().map(|known| &*known.id);
            let nearest = nearest(secret, known).map(str::to_owned);
            Err(Refused::NotOfTheClient { what: "secret", name: secret.to_owned(), nearest }.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The greatest length of a secret that is read, in bytes.
const LONGEST: u64 = 1024;

/// A secret from the first line of standard input: VSCHAR of RFC 6749, appendix A.2.
pub(super) fn read_secret() -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1026));
    std::io::stdin().lock().take(LONGEST + 2).read_to_end(&mut bytes)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_text = !line.is_empty() && line.iter().all(|byte| matches!(byte, b' '..=b'~'));
    match std::str::from_utf8(line) {
        Ok(text) if is_text && line.len() <= 1024 => Ok(Secret::from(text)),
        _ => Err(Refused::Secret.into()),
    }
}
