//! `quadrille registration`.

use std::time::Duration;

use clap::Subcommand;
use quadrille::provider::{
    InitialTokenError,
    store::{InitialTokenRecord, RowId},
};
use serde::Serialize;

use super::{
    beginning::{open_or_begin, open_to_change, open_to_read},
    table::{list, when},
};
use crate::{
    Failure,
    audit::{Event, record},
    config::{RegistrationMode, Settings, parse_lifetime},
    output::Output,
    refused::Refused,
    row_number::RowNumber,
};

#[derive(Subcommand, Debug)]
pub(super) enum RegistrationCommand {
    /// Issue an initial access token, with which a developer can register clients; it is shown once
    #[command(after_help = "\
Example:
  quadrille registration add-token \"Ada's printers\" --uses 3 --lifetime 7d")]
    AddToken {
        /// Name of the token, for `registration list` and the clients registered with it
        name: String,
        /// Number of clients that can be registered with the token
        #[arg(long, value_name = "NUMBER", default_value_t = 1,
            value_parser = clap::value_parser!(u32).range(1..))]
        uses: u32,
        /// Lifetime of the token
        #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_lifetime)]
        lifetime: Duration,
    },
    /// List the initial access tokens that are valid
    List,
    /// Revoke an initial access token; the clients registered with it remain
    RevokeToken {
        /// Number of the token, as `registration list` shows it
        number: i64,
    },
}

/// An initial access token.
#[derive(Serialize)]
struct Shown<'a> {
    number: RowNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_access_token: Option<&'a str>,
    name: &'a str,
    uses: u32,
    expires: String,
}

impl<'a> Shown<'a> {
    fn new(record: &'a InitialTokenRecord, token: Option<&'a str>) -> Self {
        Self {
            number: RowNumber(record.row),
            initial_access_token: token,
            name: &record.name,
            uses: record.uses,
            expires: when(record.expires),
        }
    }
}

pub(super) async fn run(
    command: &RegistrationCommand,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let data = match command {
        RegistrationCommand::AddToken { .. } => open_or_begin(settings, output).await?,
        RegistrationCommand::List => open_to_read(settings, output).await?,
        RegistrationCommand::RevokeToken { .. } => open_to_change(settings).await?,
    };
    let server = data.server(settings).await?;
    let result = match command {
        RegistrationCommand::AddToken { name, uses, lifetime } => {
            match server.issue_initial_access_token(name, *uses, *lifetime).await {
                Ok(issued) => {
                    let text = "an initial access token was issued";
                    let event = Event::by_operator("initial_access_token_added", text);
                    let (token, name) =
                        (Some(RowNumber(issued.record.row)), Some(&*issued.record.name));
                    record(&Event { token, name, ..event });
                    let shown = Shown::new(&issued.record, Some(issued.token.expose()));
                    let written = output.result(&shown, || issued.token.expose().to_owned());
                    if !output.is_json() {
                        output.note("Give it to the developer now: it is not shown again.");
                        if settings.registration.mode == RegistrationMode::Off {
                            output.note(
                                "Registration is off by the settings of this command. Unless \
                                 `quadrille serve` has others, serve with --set \
                                 registration=initial-access-token.",
                            );
                        }
                    }
                    written
                }
                Err(InitialTokenError::Name) => Err(Refused::InitialTokenName.into()),
                Err(InitialTokenError::Server(error)) => Err(error.into()),
                Err(error) => Err(Refused::Token(error.to_string()).into()),
            }
        }
        RegistrationCommand::List => match server.initial_access_tokens().await {
            Ok(tokens) => {
                let shown: Vec<_> = tokens.iter().map(|token| Shown::new(token, None)).collect();
                output.result(&shown, || {
                    let rows: Vec<_> = shown.iter().map(row).collect();
                    list(
                        ["NUMBER", "NAME", "USES", "EXPIRES"],
                        rows.iter().map(|row| row.each_ref().map(String::as_str)),
                    )
                })
            }
            Err(error) => Err(error.into()),
        },
        RegistrationCommand::RevokeToken { number } => {
            match server.revoke_initial_access_token(RowId(*number)).await {
                Ok(true) => {
                    let text = "an initial access token was revoked";
                    let event = Event::by_operator("initial_access_token_revoked", text);
                    let token = Some(RowNumber(RowId(*number)));
                    record(&Event { token, ..event });
                    output.result(&serde_json::json!({ "revoked": true }), || {
                        "Revoked. The clients registered with it remain.".to_owned()
                    })
                }
                Ok(false) => {
                    let name = number.to_string();
                    Err(Failure::NotFound { what: "initial access token", name })
                }
                Err(error) => Err(error.into()),
            }
        }
    };
    let result = data.finish(result).await;
    data.close(server).await;
    result
}

fn row(token: &Shown<'_>) -> [String; 4] {
    let uses = format!("{} left", token.uses);
    [token.number.to_string(), token.name.to_owned(), uses, token.expires.clone()]
}
