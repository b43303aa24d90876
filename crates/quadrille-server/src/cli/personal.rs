//! `quadrille user token`: personal access tokens, which programs of a user have without a client.

use std::time::Duration;

use clap::{Args, Subcommand};
use quadrille::{
    oauth2::Resources,
    provider::{
        AuthorizationServer, MintError, NewToken,
        store::{LiveGrant, RowId},
    },
};
use serde::Serialize;
use serde_json::json;

use crate::{
    Failure,
    audit::{Event, record},
    config::{Settings, parse_lifetime},
    data::Data,
    output::Output,
    refused::Refused,
    row_number::RowNumber,
    users::User,
};

use super::{
    beginning::{open_to_change, open_to_read},
    checks::{known_resources, known_scopes, parse_scopes},
    named::user as found,
    table::{self, when},
};

#[derive(Subcommand, Debug)]
pub(super) enum PersonalCommand {
    /// Issue a personal access token, with which a program acts for the user; it is shown once
    #[command(after_help = "\
Example:
  quadrille user token add ada \"backup script\" --scope photos:read --lifetime 30d")]
    Add(AddArgs),
    /// List the personal access tokens of a user that are valid: never the tokens themselves
    List {
        /// The user name
        name: String,
    },
    /// Revoke a personal access token
    Revoke {
        /// The user name
        name: String,
        /// Number of the token, as `user token list` shows it
        #[arg(value_parser = number)]
        number: i64,
    },
}

fn number(text: &str) -> Result<i64, &'static str> {
    text.parse()
        .map_err(|_| "a token is named by its number, which `quadrille user token list` shows")
}

/// Arguments of `quadrille user token add`.
#[derive(Args, Debug)]
pub(super) struct AddArgs {
    /// The user name
    name: String,
    /// Name of the token, by which the user knows it
    token: String,
    /// Scope of the token; repeatable [default: none]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// API that the token is for, by its URI as in the setting resources; repeatable [default: this
    /// provider]
    #[arg(long = "audience", value_name = "URI")]
    audiences: Vec<String>,
    /// How long it is valid; at most refresh_token_total_lifetime
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = parse_lifetime)]
    lifetime: Duration,
}

/// A personal access token.
#[derive(Serialize)]
pub(super) struct ShownToken {
    number: RowNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    name: String,
    scope: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audience: Vec<String>,
    issued: String,
    expires: String,
}

impl ShownToken {
    /// The tokens of a user that are valid.
    pub(super) async fn all(
        server: &AuthorizationServer,
        user: &User,
    ) -> Result<Vec<Self>, Failure> {
        let tokens = server.personal_tokens(&user.subject).await?;
        Ok(tokens.into_iter().map(Self::from).collect())
    }

    /// The lines for people.
    pub(super) fn table(tokens: &[Self]) -> String {
        let made = |token: &Self| (token.number.to_string(), token.audience.join(" "));
        let made: Vec<_> = tokens.iter().map(made).collect();
        let rows = tokens.iter().zip(&made).map(|(token, (number, audience))| {
            [number.as_str(), &token.name, &token.scope, audience, &token.expires]
        });
        table::list(["NUMBER", "NAME", "SCOPES", "AUDIENCE", "EXPIRES"], rows)
    }
}

impl From<LiveGrant> for ShownToken {
    fn from(LiveGrant { grant, expires, .. }: LiveGrant) -> Self {
        let name = grant.details.as_ref().and_then(|details| details.name.as_deref());
        Self {
            number: RowNumber(grant.id),
            access_token: None,
            name: name.unwrap_or_default().to_owned(),
            scope: grant.scopes.to_string(),
            audience: grant.resources.iter().map(str::to_owned).collect(),
            issued: when(grant.id.time()),
            expires: when(expires),
        }
    }
}

pub(super) async fn run(
    command: &PersonalCommand,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let data = match command {
        PersonalCommand::List { .. } => open_to_read(settings, output).await?,
        _ => open_to_change(settings).await?,
    };
    let server = data.server(settings).await?;
    let result = match command {
        PersonalCommand::Add(args) => add(&data, &server, (settings, args), output).await,
        PersonalCommand::List { name } => list(&data, &server, name, output).await,
        PersonalCommand::Revoke { name, number } => {
            revoke(&data, &server, (name, *number), output).await
        }
    };
    let result = data.finish(result).await;
    data.close(server).await;
    result
}

async fn add(
    data: &Data,
    server: &AuthorizationServer,
    (settings, args): (&Settings, &AddArgs),
    output: Output,
) -> Result<(), Failure> {
    let user = found(data, &args.name).await?;
    let known = data.known(settings).await?;
    let scopes = parse_scopes(&args.scopes)?;
    known_scopes(&scopes, &known)?;
    let apis = Resources::of(args.audiences.iter().map(String::as_str));
    let apis = apis.map_err(|_| Refused::Audience)?;
    known_resources(&apis, &known)?;
    let new = NewToken::personal(user.subject.clone(), &*args.token);
    let new = new.scopes(scopes).resources(apis.clone()).lifetime(args.lifetime);
    let minted = match server.mint(new).await {
        Ok(minted) => minted,
        Err(MintError::Server(error)) => return Err(error.into()),
        Err(error) => return Err(Refused::Token(error.to_string()).into()),
    };
    let event = Event::by_operator("token_added", "a personal access token was made").about(&user);
    let (token, name) = (Some(RowNumber(minted.grant)), Some(args.token.trim()));
    record(&Event { token, name, allowed: Some(minted.scopes.as_str()), ..event });
    let shown = ShownToken {
        number: RowNumber(minted.grant),
        access_token: Some(minted.token.expose().to_owned()),
        name: args.token.trim().to_owned(),
        scope: minted.scopes.to_string(),
        audience: apis.iter().map(str::to_owned).collect(),
        issued: when(minted.grant.time()),
        expires: when(minted.expires),
    };
    let written = output.result(&shown, || minted.token.expose().to_owned());
    if written.is_err() {
        output.note(&format!(
            "The token is lost. To revoke it: quadrille user token revoke {} {}",
            args.name, shown.number
        ));
    } else if !output.is_json() {
        output.note(&format!(
            "Store it now: it is not shown again. It acts for {} until {}.",
            user.name, shown.expires
        ));
    }
    if args.lifetime > settings.policy.refresh_token_total_lifetime {
        output.note("It lives no longer than the setting refresh_token_total_lifetime.");
    }
    written
}

async fn list(
    data: &Data,
    server: &AuthorizationServer,
    name: &str,
    output: Output,
) -> Result<(), Failure> {
    let tokens = ShownToken::all(server, &found(data, name).await?).await?;
    output.result(&tokens, || ShownToken::table(&tokens))
}

async fn revoke(
    data: &Data,
    server: &AuthorizationServer,
    (name, number): (&str, i64),
    output: Output,
) -> Result<(), Failure> {
    let user = found(data, name).await?;
    let tokens = server.personal_tokens(&user.subject).await?;
    let (grant, number) = (RowId(number), RowNumber(RowId(number)));
    let is_there = tokens.iter().any(|token| token.grant.id == grant);
    if !is_there || !server.revoke_grant(&user.subject, grant).await? {
        let name = number.to_string();
        return Err(Failure::NotFound { what: "personal access token", name });
    }
    let text = "a personal access token was revoked";
    let event = Event::by_operator("token_revoked", text).about(&user);
    record(&Event { token: Some(number), ..event });
    output.result(&json!({ "revoked": number }), || "Revoked.".to_owned())
}
