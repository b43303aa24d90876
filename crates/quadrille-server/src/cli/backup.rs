//! `quadrille backup` and `quadrille restore`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{
    Failure,
    audit::{Event, record},
    config::Settings,
    data::{self, BackedUp, Data},
    output::Output,
};

use super::{beginning::remark_on_move, progress::Progress};

#[derive(Args, Debug)]
#[command(after_help = "\
The backup has the database, the key ring and the keys that sign tokens. Keep it where only you
can read it: with the key ring, sessions and tokens can be forged. `quadrille serve` may run meanwhile.

Examples:
  quadrille backup /var/backups/quadrille-monday
  quadrille restore /var/backups/quadrille-monday --data-dir restored")]
pub(super) struct BackupArgs {
    /// New folder for the backup
    folder: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The data folder must not have a database. Users sign in again, and logins that were under way begin
again. Tokens, consents and clients are as they were when the backup was made: what was revoked or
removed later has to be revoked or removed again.

Without FOLDER, the data is there already, restored by other tools (pg_restore, a snapshot of the
disk), and what was unfinished in it is ended.

Examples:
  quadrille restore /var/backups/quadrille-monday --data-dir restored
  quadrille restore --database postgres://quadrille@db.internal/quadrille     after pg_restore, mariadb or mysql")]
pub(super) struct RestoreArgs {
    /// Folder of the backup; none if other tools have restored the data
    folder: Option<PathBuf>,
}

pub(super) fn back_up(
    args: &BackupArgs,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let mut told = 0;
    let line = Progress::begin("Copying the database", output);
    let made = data::back_up(settings, &args.folder, |progress| {
        let percent = 100 * progress.copied / progress.total.max(1);
        line.is_at(format!("{percent} %"));
        // A line for each quarter, in the log of a job.
        if percent / 25 > told / 25 && percent < 100 && !line.is_shown() {
            told = percent;
            output.note(&format!("{percent} % of the database copied"));
        }
    })?;
    drop(line);
    if let Some(to) = Data::of_folder_moved_to(settings) {
        remark_on_move(&settings.data_dir.display().to_string(), &to, output);
    }
    let to = args.folder.display().to_string();
    let event = Event::by_operator("backup_made", "database and keys were copied");
    record(&Event { name: Some(&to), ..event });
    let BackedUp { keys, signing_keys } = made;
    if settings.keys.is_some() {
        output.note("the key ring is in QUADRILLE_KEYS, and not in the backup: keep it elsewhere");
    }
    let folder = args.folder.display().to_string();
    let made = json!({ "folder": folder, "keys": keys, "signing_keys": signing_keys });
    output.result(&made, || {
        let [keys, signing] = [(keys, "key ring"), (signing_keys, "signing keys")]
            .map(|(is_there, name)| if is_there { format!(", {name}") } else { String::new() });
        format!("In {folder}: database{keys}{signing}.")
    })
}

pub(super) async fn restore(
    args: &RestoreArgs,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let line = Progress::begin("Restoring", output);
    let [event, place, text] = match &args.folder {
        Some(folder) => {
            data::restore(settings, folder).await?;
            let [dir, folder] = [&settings.data_dir, folder].map(|path| path.display().to_string());
            let text = format!("{dir} is restored from {folder}.");
            [folder, dir, text]
        }
        None => {
            let place = data::restored_by_other_tools(settings).await?;
            let text = format!("What was unfinished in {place} has ended.");
            [place.clone(), place, text]
        }
    };
    drop(line);
    record(&Event {
        name: Some(&event),
        ..Event::by_operator("restored", "database and keys were restored")
    });
    let from = args.folder.as_ref().map(|folder| folder.display().to_string());
    output.result(&json!({ "data_dir": place, "restored_from": from }), || {
        format!("{text} Every session has ended: users sign in again.")
    })
}
