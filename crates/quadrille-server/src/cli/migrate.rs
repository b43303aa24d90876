//! `quadrille migrate`.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{
    Failure,
    audit::{Event, record},
    config::{DatabaseUrl, Settings},
    data::{
        Data, End, KeysAfter, MySqlBackend, PostgresBackend, Progress, SqliteBackend, folder_of,
        transfer,
    },
    output::Output,
    refused::Refused,
    words::quoted,
};

use super::{beginning::remark_if_moved, progress::Progress as Line};

#[derive(Args, Debug)]
#[command(after_help = "\
With --from or --to, moves a provider into another database: clients, users, consents and tokens, so
that nobody has to consent again. Sessions end. No process may serve either database meanwhile. Without
one of the two, it is the database of the settings. A move that was interrupted is run again.

Examples:
  quadrille migrate
  quadrille migrate --sql sqlite | sqlite3 quadrille.db
  quadrille migrate --sql postgres --back
  quadrille migrate --from sqlite:/var/lib/quadrille --to postgres://quadrille@db.internal/quadrille
  quadrille migrate --from postgres://quadrille@db.internal/quadrille --to sqlite:/var/lib/quadrille
  quadrille migrate --from sqlite:/var/lib/quadrille --to mysql://quadrille@db.internal/quadrille")]
pub(super) struct MigrateArgs {
    /// Database to move: sqlite:DIR, with DIR a data folder, postgres://... or mysql://...
    #[arg(long, value_name = "DATABASE")]
    from: Option<String>,
    /// Database to move to, which must be empty
    #[arg(long, value_name = "DATABASE")]
    to: Option<String>,
    /// Print the SQL of all tables, for an operator who runs it, and do nothing: postgres, mysql or sqlite
    #[arg(
        long,
        value_name = "KIND",
        num_args = 0..=1,
        default_missing_value = "postgres",
        conflicts_with_all = ["from", "to"]
    )]
    sql: Option<Kind>,
    /// With --sql: print the way back to the tables of the version before, for a program of that
    /// version. What only this version stores is lost; stop its processes first
    #[arg(long, requires = "sql")]
    back: bool,
}

/// A kind of database.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Postgres,
    /// MariaDB and MySQL
    Mysql,
    Sqlite,
}

pub(super) async fn run(
    args: &MigrateArgs,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    if let Some(kind) = args.sql {
        let sql = match (kind, args.back) {
            (Kind::Postgres, false) => PostgresBackend::migrations_sql(&settings.connection),
            (Kind::Postgres, true) => PostgresBackend::migrations_back_sql(),
            (Kind::Mysql, false) => MySqlBackend::migrations_sql(),
            (Kind::Mysql, true) => return Err(Refused::NoWayBack.into()),
            (Kind::Sqlite, false) => SqliteBackend::migrations_sql(),
            (Kind::Sqlite, true) => SqliteBackend::migrations_back_sql(),
        };
        return output.result(&json!({ "sql": sql }), || sql.clone());
    }
    if args.from.is_some() || args.to.is_some() {
        return move_data(args, settings, output).await;
    }
    let line = Line::begin("Migrating the database", output);
    // Opening a database already migrates it.
    let data = Data::open_or_make(settings).await?;
    drop(line);
    remark_if_moved(&data, output).await?;
    let shown = data.shown();
    let place = if data.is_shared() { "database" } else { "data_dir" };
    output.result(&json!({ place: shown, "migrated": true }), || {
        format!("The database in {shown} is up to date.")
    })
}

async fn move_data(args: &MigrateArgs, settings: &Settings, output: Output) -> Result<(), Failure> {
    let (from, to) = (end(args.from.as_deref(), settings)?, end(args.to.as_deref(), settings)?);
    let mut moved = serde_json::Map::new();
    let line = Line::begin("Moving", output);
    let keys = transfer(settings, (&from, &to), |progress| {
        let Progress { kind, read, is_complete } = progress;
        let name = kind.replace('_', " ");
        if is_complete {
            moved.insert(kind.to_owned(), read.into());
        }
        line.is_at(format!("{name}: {read}"));
        // In a log, a line for each kind, and more of them for many rows.
        let is_due = (is_complete && read > 0) || (!is_complete && read.is_multiple_of(100_000));
        if is_due && !line.is_shown() {
            output.note(&format!("{name}: {read}"));
        }
    })
    .await?;
    drop(line);
    let (from, to) = (shown(&from), shown(&to));
    let event = Event::by_operator("moved", "the data was moved into another database");
    record(&Event { name: Some(&to), ..event });
    let next = match &keys {
        KeysAfter::InFolder => String::new(),
        KeysAfter::OfProcesses => {
            " Each process that serves it needs the key ring: in QUADRILLE_KEYS, or as a file."
                .to_owned()
        }
        KeysAfter::InSettings(file) => {
            let file = quoted(&file.display().to_string());
            format!(
                " The key ring is in QUADRILLE_KEYS, and not in the folder: serve it with this \
                 variable, or put the ring there:\n  (umask 077; printenv QUADRILLE_KEYS | tr , \
                 '\\n' > {file})"
            )
        }
    };
    let keys = match keys {
        KeysAfter::InFolder => "folder",
        KeysAfter::InSettings(_) => "environment",
        KeysAfter::OfProcesses => "processes",
    };
    output.result(&json!({ "from": from, "to": to, "moved": moved, "keys": keys }), || {
        format!("Moved from {from} to {to}. Every session has ended: users sign in again.{next}")
    })
}

/// An end of a move: that of the settings, if it was not given.
fn end(given: Option<&str>, settings: &Settings) -> Result<End, Failure> {
    let Some(text) = given else {
        return Ok(match &settings.database {
            Some(url) => End::Server(url.clone()),
            None => End::Folder(settings.data_dir.clone()),
        });
    };
    if let Some(folder) = folder_of(text) {
        return Ok(End::Folder(folder));
    }
    let url = DatabaseUrl::parse(text).map_err(|_| Refused::DatabaseUrl)?;
    match url.has_password() {
        true => Err(Refused::DatabasePassword.into()),
        false => Ok(End::Server(url)),
    }
}

fn shown(end: &End) -> String {
    match end {
        End::Folder(folder) => folder.display().to_string(),
        End::Server(url) => url.to_string(),
    }
}
