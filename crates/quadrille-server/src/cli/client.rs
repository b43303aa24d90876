//! `quadrille client`.

use std::{sync::Arc, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use quadrille::{
    Env, Scopes, Secret,
    provider::{
        AdminError, AuthorizationServer, Client, ClientType, GrantType, NewClient,
        store::GrantTypes,
    },
};
use serde::Serialize;

use crate::{
    Failure,
    config::{Settings, parse_duration},
    data::Data,
    failure::Refused,
    output::Output,
};

use super::when;

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
        #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
        keep_old: Duration,
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
    /// How it may get tokens; repeatable [default: authorization_code and
    /// refresh_token, or client_credentials without --redirect-uri]
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

/// A client as it is shown; the names are those of RFC 7591, section 2.
#[derive(Serialize)]
struct Shown<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    client_name: &'a str,
    client_type: ClientType,
    redirect_uris: &'a [String],
    grant_types: &'a GrantTypes,
    scope: &'a str,
    first_party: bool,
    secrets: Vec<ShownSecret>,
    created: String,
}

#[derive(Serialize)]
struct ShownSecret {
    expires: Option<String>,
}

impl<'a> Shown<'a> {
    fn new(client: &'a Client, secret: Option<&'a Secret>) -> Self {
        let secrets = client.secrets.iter();
        Self {
            client_id: &client.id,
            client_secret: secret.map(Secret::expose),
            client_name: &client.name,
            client_type: client.client_type,
            redirect_uris: &client.redirect_uris,
            grant_types: &client.grant_types,
            scope: client.scopes.as_str(),
            first_party: client.first_party,
            secrets: secrets
                .map(|secret| ShownSecret { expires: secret.expires.map(when) })
                .collect(),
            created: when(client.created),
        }
    }

    fn text(&'a self) -> String {
        let grants: Vec<_> = self.grant_types.iter().map(|grant| grant.as_str()).collect();
        let kind = match self.client_type {
            ClientType::Confidential => "confidential",
            ClientType::Public => "public",
        };
        let grants = grants.join(" ");
        let mut lines = vec![["client_id", self.client_id]];
        lines.extend(self.client_secret.map(|secret| ["client_secret", secret]));
        lines.push(["name", self.client_name]);
        lines.push(["type", kind]);
        lines.extend(self.redirect_uris.iter().map(|uri| ["redirect URI", uri.as_str()]));
        lines.push(["grants", &grants]);
        lines.push(["scopes", self.scope]);
        if self.first_party {
            lines.push(["consent", "not asked: first party"]);
        }
        let until = |secret: &'a ShownSecret| secret.expires.as_deref();
        lines.extend(self.secrets.iter().filter_map(until).map(|end| ["secret until", end]));
        lines.push(["since", &self.created]);
        super::table(lines.into_iter())
    }
}

pub(super) async fn run(
    command: &ClientCommand,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let data = match command {
        ClientCommand::Add(_) => Data::open_or_make(settings).await?,
        _ => Data::open_existing(settings).await?,
    };
    let server = data.server(settings).await?;
    let result = match command {
        ClientCommand::Add(args) => add(&server, args, output).await,
        ClientCommand::List => list(&server, output).await,
        ClientCommand::Show { id } => show(&server, id, output).await,
        ClientCommand::RotateSecret { id, keep_old } => {
            rotate_secret(&server, id, *keep_old, output).await
        }
        ClientCommand::Remove { id } => remove(&server, id, output).await,
    };
    data.close(server).await;
    result
}

async fn add(server: &AuthorizationServer, args: &AddArgs, output: Output) -> Result<(), Failure> {
    // Hexadecimal: an id that begins with a hyphen would be taken for a flag.
    let id = Env::system()
        .random::<12>()
        .iter()
        .fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
    let codes = args.grants.is_empty() || args.grants.contains(&Grant::AuthorizationCode);
    if !codes && !args.redirect_uris.is_empty() {
        return Err(Refused::RedirectUriUnused.into());
    }
    // One flag may name several, as they stand in messages.
    let scopes = args.scopes.join(" ");
    let scopes = Scopes::parse(&scopes).map_err(|_| Refused::Scope(scopes))?;
    let name = args.name.trim();
    let mut new = match args.public {
        true => NewClient::public(name),
        false => NewClient::confidential(name),
    };
    new = args.redirect_uris.iter().fold(new.id(id).scopes(scopes), NewClient::redirect_uri);
    if !args.grants.is_empty() {
        new = new.grant_types(args.grants.iter().map(|grant| grant.grant_type()));
    }
    if args.first_party {
        new = new.first_party();
    }
    let registered = server.register(new).await?;
    let secret = registered.secret.as_ref();
    show_secret(&registered.client, secret, output)
}

async fn list(server: &AuthorizationServer, output: Output) -> Result<(), Failure> {
    let clients = server.clients().await?;
    let shown: Vec<_> = clients.iter().map(|client| Shown::new(client, None)).collect();
    output.result(&shown, || {
        super::table(shown.iter().map(|client| {
            [client.client_id, client.client_name, client.scope, client.created.as_str()]
        }))
    })
}

async fn show(server: &AuthorizationServer, id: &str, output: Output) -> Result<(), Failure> {
    let client = find(server, id).await?;
    let shown = Shown::new(&client, None);
    output.result(&shown, || shown.text())
}

async fn rotate_secret(
    server: &AuthorizationServer,
    id: &str,
    keep_old: Duration,
    output: Output,
) -> Result<(), Failure> {
    let secret = match server.rotate_secret(id, keep_old).await {
        Ok(secret) => secret,
        Err(AdminError::UnknownClient) => return Err(not_found(id)),
        Err(error) => return Err(error.into()),
    };
    let client = find(server, id).await?;
    show_secret(&client, Some(&secret), output)
}

async fn remove(server: &AuthorizationServer, id: &str, output: Output) -> Result<(), Failure> {
    let client = find(server, id).await?;
    if !server.remove_client(id).await? {
        return Err(not_found(id));
    }
    output.result(&Shown::new(&client, None), || {
        format!("{} ({id}) was removed, and with it every token it held.", client.name)
    })
}

async fn find(server: &AuthorizationServer, id: &str) -> Result<Arc<Client>, Failure> {
    server.client(id).await?.ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Failure {
    Failure::NotFound { what: "client", name: id.to_owned() }
}

/// The client with its secret, which cannot be shown again.
fn show_secret(client: &Client, secret: Option<&Secret>, output: Output) -> Result<(), Failure> {
    let shown = Shown::new(client, secret);
    let written = output.result(&shown, || shown.text());
    match secret {
        Some(_) if written.is_err() => output.note(&format!(
            "The client_secret is lost. For another: quadrille client rotate-secret {}",
            client.id
        )),
        Some(_) if !output.is_json() => {
            output.note("Keep the client_secret now: only a hash of it is stored.");
        }
        _ => {}
    }
    written
}

impl Grant {
    const fn grant_type(self) -> GrantType {
        match self {
            Self::AuthorizationCode => GrantType::AuthorizationCode,
            Self::RefreshToken => GrantType::RefreshToken,
            Self::ClientCredentials => GrantType::ClientCredentials,
        }
    }
}
