//! `quadrille client export` and `quadrille client import`.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use quadrille::provider::{
    AuthorizationServer, Client, ClientMetadataError, ExportedSecrets, GrantType, ImportError,
    LineError, LogoutUriError, RegistrationError,
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    Failure,
    config::Settings,
    data::Known,
    grant::Grant,
    output::Output,
    refused::Refused,
    words::{counted, did_you_mean, nearest, quoted},
};

use super::{
    super::{lines, progress::Progress},
    changed::changed,
    find::find,
    openid::offering_all,
    remarks::remark,
};

/// Arguments of `quadrille client export`.
#[derive(Args, Debug)]
pub(in super::super) struct ExportArgs {
    /// The client_ids [default: all clients]
    ids: Vec<String>,
    /// New file for the lines, which only you can read [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write OAuth 1.0a secrets, and secrets that sign assertions, in plain text, for a provider
    /// with another key ring: every reader of the file can act as these clients
    #[arg(long = "secrets-in-plain-text-for-anyone-who-reads-the-file")]
    plain: bool,
}

/// Arguments of `quadrille client import`.
#[derive(Args, Debug)]
pub(in super::super) struct ImportArgs {
    /// File with a client in JSON on each line; - for standard input
    file: PathBuf,
}

pub(super) async fn export(
    server: &AuthorizationServer,
    args: &ExportArgs,
    output: Output,
) -> Result<(), Failure> {
    let mut clients: Vec<Arc<Client>> = Vec::new();
    for id in &args.ids {
        clients.push(find(server, id).await?);
    }
    if args.ids.is_empty() {
        clients = server.clients().await?;
    }
    let form = match args.plain {
        true => ExportedSecrets::InPlainText,
        false => ExportedSecrets::Sealed,
    };
    let mut lines = Zeroizing::new(String::new());
    let mut exported = 0_usize;
    for client in &clients {
        match server.export_client(client, form) {
            Some(line) => {
                exported += 1;
                lines.push_str(&line);
                lines.push('\n');
            }
            None if client.from_document => output.note(&format!(
                "{} describes itself at its client_id, and is left out.",
                client.id
            )),
            None => return Err(Refused::SealedElsewhere(client.id.to_string()).into()),
        }
    }
    let text = match args.plain {
        true => "clients were exported, with their secrets in plain text",
        false => "clients were exported",
    };
    for client in &clients {
        changed("client_exported", text, &client.id);
    }
    if let Some(path) = lines::write(&lines, args.output.as_deref())? {
        let count = counted(exported, "client was", "clients were");
        output.note(&format!("{count} written to {}.", path.display()));
    }
    Ok(())
}

/// The result of an import.
#[derive(Serialize)]
struct Shown<'a> {
    added: Vec<&'a str>,
    known: Vec<&'a str>,
}

pub(super) async fn import(
    server: &AuthorizationServer,
    args: &ImportArgs,
    (settings, known): (&Settings, &Known),
    output: Output,
) -> Result<(), Failure> {
    let text = lines::read(&args.file)?;
    let line = Progress::begin("Importing clients", output);
    let imported = match offering_all(server, (settings, known))?.import_clients(&text).await {
        Ok(imported) => imported,
        Err(ImportError::Server(error)) => return Err(error.into()),
        Err(ImportError::Lines(lines)) => {
            let lines = lines.iter().map(|(line, error)| said(*line, error, known));
            return Err(Refused::Import(lines.collect::<Vec<_>>().join("\n")).into());
        }
        Err(error) => return Err(Refused::Import(error.to_string()).into()),
    };
    drop(line);
    for client in &imported.added {
        changed("client_added", "a client was imported", &client.id);
        remark(client, (settings, known), output);
    }
    for weak in &imported.weak {
        output.note(&format!(
            "{id} can be guessed: {}. `quadrille client rotate-secret {}` makes another secret.",
            weak.weakness,
            quoted(&weak.client),
            id = weak.client,
        ));
    }
    let shown = Shown {
        added: imported.added.iter().map(|client| &*client.id).collect(),
        known: imported.known.iter().map(|id| &**id).collect(),
    };
    output.result(&shown, || {
        let count = counted(shown.added.len(), "client was", "clients were");
        format!("{count} imported; {} there already.", counted(shown.known.len(), "was", "were"))
    })
}

/// The reason why a line is wrong, with the nearest known word.
fn said(line: usize, error: &LineError, known: &Known) -> String {
    let grant;
    let likely = match error {
        LineError::UnknownMember { name, known, .. } => nearest(name, known.iter().copied()),
        LineError::UnknownGrantType(name) => {
            grant = Grant::nearest(name);
            grant.as_ref().map(GrantType::as_str)
        }
        LineError::Registration(RegistrationError::Metadata(
            ClientMetadataError::UnknownScope(name),
        )) => nearest(name, known.scopes.keys().map(String::as_str)),
        LineError::Registration(RegistrationError::UnknownResource(uri)) => {
            nearest(uri, known.resources.iter())
        }
        _ => None,
    };
    let further = match error {
        LineError::Registration(RegistrationError::NoSigningKeys) => {
            return format!("line {line}: {}", Refused::NoSigningKeys);
        }
        LineError::Registration(RegistrationError::LogoutUri(LogoutUriError::Inward(member))) => {
            return format!("line {line}: {}", Refused::Inward(member));
        }
        LineError::Exists { members } if !members.is_empty() => {
            "; `quadrille client edit` changes it, and `quadrille client remove` makes room for the line"
        }
        LineError::Registration(RegistrationError::UnknownResource(_)) => {
            " (see the setting resources)"
        }
        _ => "",
    };
    format!("line {line}: {error}{further}{}", did_you_mean(likely))
}
