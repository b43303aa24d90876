//! `quadrille user`.

use std::{
    io::{IsTerminal as _, Read as _},
    num::NonZeroUsize,
    sync::Arc,
};

use clap::Subcommand;
use quadrille::{
    Secret,
    provider::{
        AuthorizationServer,
        guessing::{Cost, Kdf},
    },
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    Failure,
    audit::{Event, record},
    config::Settings,
    data::{Data, Removed},
    output::Output,
    refused::Refused,
    users::{
        Added, LEAST_PASSWORD, MOST_PASSWORD, PasswordError, User, UserName, check_password,
        password_rules, prepared,
    },
};

use super::{
    access,
    beginning::{open_or_begin, open_to_change, open_to_read},
    claims::{self, EditArgs},
    confirm::Yes,
    personal::{self, PersonalCommand},
    table::{self, when},
    user_lines::{self, ExportArgs, ImportArgs},
};

#[derive(Subcommand, Debug)]
pub(super) enum UserCommand {
    /// Add a user
    #[command(after_help = "\
Examples:
  quadrille user add ada
  pass show ada | quadrille user add ada --password-stdin")]
    Add {
        /// The user name: a name or an e-mail address; case does not matter
        name: String,
        /// Read the password from the first line of standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set a new password; the user is signed out everywhere
    #[command(after_help = "\
Clients keep the access that the user gave them.

Examples:
  quadrille user set-password ada
  pass show ada | quadrille user set-password ada --password-stdin")]
    SetPassword {
        /// The user name
        name: String,
        /// Read the password from the first line of standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all users
    List,
    /// Show what is known about a user
    Show {
        /// The user name
        name: String,
    },
    /// Change what is known about a user, and what clients learn with the scopes profile, email, phone and
    /// address
    #[command(after_help = "\
Another e-mail address or phone number is one that was not checked, unless the same command says so.

Examples:
  quadrille user edit ada --claim name='Ada Lovelace' --claim email=ada@example.com
  quadrille user edit ada --claim email_verified=true
  quadrille user edit ada --claim address='{\"locality\":\"London\",\"country\":\"UK\"}'
  quadrille user edit ada --remove-claim phone_number")]
    Edit(EditArgs),
    /// Show the clients that a user gave access, the user's personal access tokens and sessions
    Access {
        /// The user name
        name: String,
    },
    /// Withdraw the access of a client: its tokens for the user are revoked
    #[command(after_help = "\
Example:
  quadrille user withdraw ada printer")]
    Withdraw {
        /// The user name
        name: String,
        /// The client_id
        client: String,
    },
    /// End the sessions of a user; clients keep the access that the user gave them
    #[command(after_help = "\
Examples:
  quadrille user sign-out ada
  quadrille user sign-out ada --session 9f86d081884c7d65")]
    SignOut {
        /// The user name
        name: String,
        /// End this session alone, by its id as `user access` shows it
        #[arg(long, value_name = "ID")]
        session: Option<String>,
    },
    /// Write users to a file, one on each line: names, hashes of passwords, and what is known about them
    Export(ExportArgs),
    /// Add users from such a file; those that are there stay as they are
    Import(ImportArgs),
    /// Manage personal access tokens, with which programs act for a user without a client
    #[command(subcommand)]
    Token(PersonalCommand),
    /// Remove a user, their sessions, and the access that they gave to clients, after asking
    Remove {
        /// The user name
        name: String,
        #[command(flatten)]
        yes: Yes,
    },
}

/// A user as commands show it.
#[derive(Serialize)]
struct Shown<'a> {
    username: &'a str,
    subject: &'a str,
    created: String,
}

impl<'a> From<&'a User> for Shown<'a> {
    fn from(user: &'a User) -> Self {
        Self { username: user.name.as_str(), subject: &user.subject, created: when(user.created) }
    }
}

pub(super) async fn run(
    command: &UserCommand,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    match command {
        UserCommand::Add { name, password_stdin } => {
            let name = UserName::parse_new(name)?;
            let password = new_password(*password_stdin, output)?;
            let data = open_or_begin(settings, output).await?;
            data.finish(add(&data, name, password, output).await).await
        }
        UserCommand::SetPassword { name, password_stdin } => {
            let data = open_to_change(settings).await?;
            let parsed = UserName::parse(name).map_err(|_| not_found(name))?;
            data.backend()
                .user_by_name(&parsed)
                .await
                .map_err(|error| data.failure(error))?
                .ok_or_else(|| not_found(name))?;
            let password = new_password(*password_stdin, output)?;
            data.finish(set_password(&data, &parsed, password, output).await).await
        }
        UserCommand::List => list(&open_to_read(settings, output).await?, output).await,
        UserCommand::Show { name } => {
            claims::show(&open_to_read(settings, output).await?, name, output).await
        }
        UserCommand::Edit(args) => {
            let data = open_to_change(settings).await?;
            data.finish(claims::edit(&data, args, settings, output).await).await
        }
        UserCommand::Export(args) => {
            user_lines::export(&open_to_read(settings, output).await?, args, output).await
        }
        UserCommand::Import(args) => {
            let data = open_or_begin(settings, output).await?;
            data.finish(user_lines::import(&data, args, settings, output).await).await
        }
        UserCommand::Access { name } => {
            let data = open_to_read(settings, output).await?;
            let server = data.server(settings).await?;
            let result = access::list(&data, &server, name, output).await;
            data.close(server).await;
            result
        }
        UserCommand::Withdraw { name, client } => {
            let data = open_to_change(settings).await?;
            let server = data.server(settings).await?;
            let result = access::withdraw(&data, &server, name, client, output).await;
            let result = data.finish(result).await;
            data.close(server).await;
            result
        }
        UserCommand::SignOut { name, session } => {
            let data = open_to_change(settings).await?;
            let result = match session {
                Some(session) => access::end_session(&data, name, session, output).await,
                None => access::sign_out(&data, name, output).await,
            };
            data.finish(result).await
        }
        UserCommand::Token(command) => personal::run(command, settings, output).await,
        UserCommand::Remove { name, yes } => {
            let data = open_to_change(settings).await?;
            let server = data.server(settings).await?;
            let result = remove(&data, &server, (name, *yes), output).await;
            let result = data.finish(result).await;
            data.close(server).await;
            result
        }
    }
}

async fn add(data: &Data, name: UserName, password: Secret, output: Output) -> Result<(), Failure> {
    let user = User::new(data.env(), name, hash(data, password).await?);
    let added = data.backend().add_user(user.clone()).await.map_err(|error| data.failure(error))?;
    match added {
        Added::Now => {}
        Added::Taken => {
            return Err(Failure::Exists { what: "user", name: user.name.to_string() });
        }
        Added::LooksLike(other) => {
            let name = user.name.to_string();
            return Err(Refused::UserNameLooksLike { name, other }.into());
        }
    }
    record(&Event::by_operator("user_added", "a user was added").about(&user));
    output.result(&Shown::from(&user), || format!("{} can sign in.", user.name))
}

async fn set_password(
    data: &Data,
    name: &UserName,
    password: Secret,
    output: Output,
) -> Result<(), Failure> {
    let hash = hash(data, password).await?;
    let set = data.backend().set_password(name, hash).await;
    let user = set.map_err(|error| data.failure(error))?;
    let user = user.ok_or_else(|| not_found(name.as_str()))?;
    record(&Event::by_operator("password_set", "a user got a new password").about(&user));
    output.result(&Shown::from(&user), || format!("{} has a new password.", user.name))
}

async fn hash(data: &Data, password: Secret) -> Result<Arc<str>, Failure> {
    let kdf = Kdf::with_threads(Cost::RECOMMENDED, NonZeroUsize::MIN, 1);
    Ok(kdf.hash(data.env(), password).await.map_err(std::io::Error::other)?)
}

async fn list(data: &Data, output: Output) -> Result<(), Failure> {
    let users = data.backend().users().await.map_err(|error| data.failure(error))?;
    let shown: Vec<_> = users.iter().map(Shown::from).collect();
    output.result(&shown, || {
        let rows = shown.iter().map(|user| [user.username, user.subject, &user.created]);
        table::list(["NAME", "SUBJECT", "ADDED"], rows)
    })
}

async fn remove(
    data: &Data,
    server: &AuthorizationServer,
    (name, yes): (&str, Yes),
    output: Output,
) -> Result<(), Failure> {
    let parsed = UserName::parse(name).map_err(|_| not_found(name))?;
    yes.or_confirm(access::ends_with(data, server, name)).await?;
    let removed = data.backend().remove_user(Removed::Named(&parsed), server.issuer()).await;
    let user = removed.map_err(|error| data.failure(error))?.ok_or_else(|| not_found(name))?;
    record(&Event::by_operator("user_removed", "a user was removed").about(&user));
    output.result(&Shown::from(&user), || format!("{} was removed.", user.name))
}

fn not_found(name: &str) -> Failure {
    Failure::NotFound { what: "user", name: name.to_owned() }
}

/// Reads a new password, and checks it.
fn new_password(from_stdin: bool, output: Output) -> Result<Secret, Failure> {
    let password = if from_stdin { read_password()? } else { ask_password(output)? };
    check_password(&password)?;
    Ok(prepared(&password))
}

/// The first line of standard input.
fn read_password() -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_PASSWORD + 2));
    let most = u64::try_from(MOST_PASSWORD + 2).unwrap_or(u64::MAX);
    std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    let line = bytes.split(|byte| *byte == b'\n').next();
    let line = line.ok_or(PasswordError::TooShort { least: LEAST_PASSWORD })?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Refused::PasswordNotUtf8)?;
    Ok(Secret::from(text))
}

/// Says what a password must be, and prompts twice, without an echo.
fn ask_password(output: Output) -> Result<Secret, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Refused::NoTerminal.into());
    }
    output.note(&password_rules());
    let first = Secret::from(rpassword::prompt_password("Password: ")?);
    check_password(&first)?;
    let second = Secret::from(rpassword::prompt_password("Once more: ")?);
    if first == second { Ok(first) } else { Err(Refused::PasswordsDiffer.into()) }
}
