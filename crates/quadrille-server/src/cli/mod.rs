//! The command line: its grammar, and the dispatch to the commands.

mod access;
mod backup;
mod beginning;
mod check;
mod checks;
mod claims;
mod client;
mod config;
mod confirm;
#[cfg(feature = "fake")]
mod fake;
mod keys;
mod lines;
mod login;
mod manual;
mod migrate;
mod named;
mod personal;
mod progress;
mod registration;
mod table;
mod templates;
mod token;
mod usage;
mod user;
mod user_lines;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::{
    Failure, audit,
    config::{ConfigError, Flags, Settings, environment},
    logging,
    output::Output,
    serve,
    words::quoted,
};

const ABOUT: &str = "An OAuth provider: users sign in, and clients get access with their consent";

const HELP: &str = "\
To start:
  quadrille serve                                 creates the database at the first start
  quadrille user add ada                          asks for a password
  quadrille client add \"Photo printer\" \\
      --redirect-uri https://printer.example/callback --scope profile

Settings are read from flags, then from QUADRILLE_* variables, then from the file given by --config
or QUADRILLE_CONFIG, then from defaults; `quadrille config` shows each with its origin.

Exit codes:
  0  success          3  invalid setting or key ring         6  no such user, client or token
  1  system error     4  data folder or database unusable    7  exists already
  2  usage error      5  cannot listen on the address        8  login at a service failed
  9  a checked provider does not do what the specifications demand";

/// The whole command line.
#[derive(Parser, Debug)]
#[command(name = "quadrille", version, about = ABOUT, after_help = HELP, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// The flags that every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Settings, for every command")]
struct Common {
    /// Read settings from this TOML file [env: QUADRILLE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the database and the key ring; created if missing [env: QUADRILLE_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Database on a server instead of the embedded one, such as
    /// postgres://quadrille@db.internal/quadrille, or mysql://... for MariaDB and MySQL
    /// [env: QUADRILLE_DATABASE]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Public URL of the provider, such as https://id.example [env: QUADRILLE_ISSUER]
    #[arg(long, global = true, value_name = "URL")]
    issuer: Option<String>,
    /// Set any setting, such as --set access_token_lifetime=10m; `quadrille config` lists them
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Log level: off, error, warn, info, debug or trace [env: QUADRILLE_LOG]
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<String>,
    /// Log format: text or json [env: QUADRILLE_LOG_FORMAT]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Print the result as a line of JSON on standard output, errors and remarks as JSON on standard
    /// error
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the provider until SIGTERM or Ctrl-C
    Serve(serve::ServeArgs),
    /// Manage users, who can sign in
    #[command(subcommand)]
    User(user::UserCommand),
    /// Manage clients, the applications that users can give access
    #[command(subcommand)]
    Client(Box<client::ClientCommand>),
    /// Manage initial access tokens, with which developers register clients
    #[command(subcommand)]
    Registration(registration::RegistrationCommand),
    /// Revoke tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Manage the keys that sign tokens
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Log in at another service, and print or save its token
    Login(login::LoginArgs),
    /// Run a fake of a service to log in with, such as GitHub, for tests in any language
    #[cfg(feature = "fake")]
    Fake(fake::FakeArgs),
    /// Check another provider: its metadata, its keys and its refusals
    Check(check::CheckArgs),
    /// Migrate the database to this version, which `serve` does automatically, or move the data into
    /// another database
    Migrate(migrate::MigrateArgs),
    /// Copy database and keys into a new folder, while `serve` runs
    Backup(backup::BackupArgs),
    /// Restore a data folder from a backup
    Restore(backup::RestoreArgs),
    /// Show every setting in effect and where it came from, as a settings file, and check what `serve` checks
    Config,
    /// Write the built-in pages, to replace some of them
    #[command(subcommand)]
    Templates(templates::TemplatesCommand),
    /// Print a script with which a shell completes commands and options
    Completions(manual::CompletionsArgs),
    /// Print the manual, or write a page for each command
    Man(manual::ManArgs),
}

impl Command {
    /// Whether the command has nothing to do with the provider of this machine.
    const fn needs_no_folder(&self) -> bool {
        #[cfg(feature = "fake")]
        if matches!(self, Self::Fake(_)) {
            return true;
        }
        matches!(self, Self::Check(_))
    }
}

/// Runs the program with these arguments.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match parse::<Cli>(arguments) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let output = Output::new(cli.common.json);
    ended(cli.run(output), output)
}

/// Reads the command line of a program.
///
/// # Errors
/// The exit code, after `--help` or a usage error. The text is already printed.
pub fn parse<C: Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<C, ExitCode> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    C::try_parse_from(&arguments).map_err(|error| {
        let is_json = arguments.iter().any(|argument| argument == "--json");
        match usage::told(&error) {
            // A usage error may come from a program.
            Some(text) => Output::new(is_json).error("usage", &text),
            None if error.use_stderr() => Output::new(is_json).help(&error.render()),
            None => {
                let _ = error.print();
            }
        }
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// The exit code for the result of a command. Prints a failure.
pub fn ended(result: Result<(), Failure>, output: Output) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.error(failure.code(), &failure.to_string());
            failure.exit_code()
        }
    }
}

impl Cli {
    fn run(&self, output: Output) -> Result<(), Failure> {
        let settings = || -> Result<Settings, Failure> {
            let (settings, remarks) = self.common.settings(&self.command)?;
            for remark in remarks {
                output.note(&remark.to_string());
            }
            match self.command {
                Command::Serve(_) => logging::start(&settings),
                _ => logging::start_for_command(&settings, output),
            }
            // Every command but these may change something.
            if !matches!(self.command, Command::Config | Command::Login(_)) {
                settings.audit_log.as_deref().map_or(Ok(()), |path| {
                    audit::start(path).map_err(|error| serve::audit_log_fails(path, error))
                })?;
            }
            Ok(settings)
        };
        match &self.command {
            Command::Config => config::show(&settings()?, output),
            Command::Serve(args) => serve::run(args, &settings()?, &self.common.again(), output),
            Command::User(command) => block_on(user::run(command, &settings()?, output)),
            Command::Client(command) => block_on(client::run(command, &settings()?, output)),
            Command::Registration(command) => {
                block_on(registration::run(command, &settings()?, output))
            }
            Command::Token(command) => block_on(token::run(command, &settings()?, output)),
            Command::Keys(command) => block_on(keys::run(command, &settings()?, output)),
            Command::Login(args) => {
                settings()?;
                block_on(login::run(args, output))
            }
            // A check has nothing to do with the provider of this machine: it writes nothing anywhere.
            Command::Check(args) => {
                let (settings, remarks) = self.common.settings(&self.command)?;
                remarks.iter().for_each(|remark| output.note(&remark.to_string()));
                block_on(check::run(args, &settings.fetches, output))
            }
            // A fake service has nothing to do with the provider of this machine either.
            #[cfg(feature = "fake")]
            Command::Fake(args) => {
                let (settings, remarks) = self.common.settings(&self.command)?;
                remarks.iter().for_each(|remark| output.note(&remark.to_string()));
                logging::start_for_command(&settings, output);
                block_on(fake::run(args, output))
            }
            Command::Migrate(args) => block_on(migrate::run(args, &settings()?, output)),
            Command::Backup(args) => backup::back_up(args, &settings()?, output),
            Command::Restore(args) => block_on(backup::restore(args, &settings()?, output)),
            // These have nothing to do with a provider.
            Command::Templates(command) => templates::run(command, output),
            Command::Completions(args) => manual::complete(args, Self::command(), output),
            Command::Man(args) => manual::explain(args, Self::command(), output),
        }
    }
}

/// Runs a command on the current thread.
fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

impl Common {
    /// The given flags that another command needs to work on the same provider, each after a space.
    fn again(&self) -> String {
        let config = self.config.as_ref().map(|file| ("--config", file.display().to_string()));
        let data_dir = self.data_dir.clone().map(|dir| ("--data-dir", dir));
        let database = self.database.clone().map(|url| ("--database", url));
        // `serve` records the others that commands look up.
        let is_place = |assignment: &&String| {
            let name = assignment.split('=').next().unwrap_or_default().trim();
            ["data_dir", "database", "keys_file", "signing_keys_file"].contains(&name)
        };
        let set = self.set.iter().filter(is_place);
        let set = set.map(|assignment| ("--set", assignment.clone()));
        let given = config.into_iter().chain(data_dir).chain(database).chain(set);
        given.map(|(flag, text)| format!(" {flag} {}", quoted(&text))).collect()
    }

    fn settings(&self, command: &Command) -> Result<(Settings, Vec<ConfigError>), ConfigError> {
        let mut flags = Flags::default();
        // A check and a fake service need no folder, so they also run without HOME.
        let no_folder = command.needs_no_folder().then_some(".");
        flags.give("data_dir", "--data-dir", self.data_dir.as_deref().or(no_folder));
        flags.give("database", "--database", self.database.as_deref());
        flags.give("issuer", "--issuer", self.issuer.as_deref());
        flags.give("log", "--log", self.log.as_deref());
        flags.give("log_format", "--log-format", self.log_format.as_deref());
        if let Command::Serve(serve) = command {
            serve.flags(&mut flags);
        }
        for assignment in &self.set {
            flags.set(assignment)?;
        }
        // An empty variable counts as none.
        let named = || std::env::var_os("QUADRILLE_CONFIG").filter(|name| !name.is_empty());
        let file = self.config.clone().or_else(|| named().map(Into::into));
        Settings::load(flags, environment(), file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_repeats_the_flags_that_were_given_and_no_others() {
        let again = |arguments: &[&str]| {
            let serve = [&["quadrille", "serve"], arguments].concat();
            Cli::try_parse_from(serve).unwrap().common.again()
        };
        assert_eq!(again(&[]), "");
        assert_eq!(again(&["--listen", "127.0.0.1:1", "--log", "debug", "--json"]), "");
        assert_eq!(
            again(&[
                "--data-dir",
                "Ada's data",
                "--config",
                "q.toml",
                "--set",
                "keys_file=my keys"
            ]),
            r" --config q.toml --data-dir 'Ada'\''s data' --set 'keys_file=my keys'"
        );
        assert_eq!(
            again(&["--set", "scopes=a b", "--set", "device.enabled=true"]),
            "",
            "they are recorded"
        );
    }
}
