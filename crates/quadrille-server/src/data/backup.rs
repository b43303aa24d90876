//! Backups of a data directory, and directories that are restored from one.
//!
//! A backup is a folder with the files of a data directory that cannot be made anew: database, key
//! ring and signing keys. The database gets its name last, so a folder that has it is complete.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use quadrille::{
    Env,
    provider::store::{BackupProgress, SqliteStore, StoreError},
};

use super::{
    Backend as _, Data, DataError, SqliteBackend,
    files::{in_file, lock_alone, remove_if_there, sync_folder},
    keys,
    ring::{given, prove},
};
use crate::{config::Settings, named_file};

const DATABASE: &str = "quadrille.db";
const UNFINISHED: &str = "unfinished.db";
const KEYS: &str = "keys";
const SIGNING_KEYS: &str = "signing-keys";

/// The files of a backup, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// `true` if the backup has the key ring: not if it is in an environment variable, or the
    /// directory has none yet.
    pub keys: bool,
    /// `true` if the backup has keys that sign access tokens.
    pub signing_keys: bool,
}

/// Makes a backup of the data directory in a new folder. Processes may serve the directory
/// meanwhile. The database is not migrated.
///
/// # Errors
/// [`DataError::NotEmbedded`], [`DataError::BackupExists`], [`DataError::File`] or
/// [`DataError::Database`].
pub fn back_up(
    settings: &Settings,
    to: &Path,
    progress: impl FnMut(BackupProgress),
) -> Result<BackedUp, DataError> {
    only_embedded(settings)?;
    let database = super::database(&settings.data_dir);
    // A mistyped folder gets no backup of nothing.
    fs::metadata(&database).map_err(in_file(&database))?;
    if to.is_dir() && fs::read_dir(to).map_err(in_file(to))?.next().is_some() {
        return Err(DataError::BackupExists { path: to.to_owned() });
    }
    super::make_dir(to).map_err(in_file(to))?;
    keep_to_oneself(to).map_err(in_file(to))?;
    let made = copy_to(settings, to, progress);
    if made.is_err() {
        for name in [UNFINISHED, KEYS, SIGNING_KEYS] {
            let _ = fs::remove_file(to.join(name));
        }
    }
    made
}

fn copy_to(
    settings: &Settings,
    to: &Path,
    progress: impl FnMut(BackupProgress),
) -> Result<BackedUp, DataError> {
    let database = super::database(&settings.data_dir);
    let (scratch, copy) = (to.join(UNFINISHED), to.join(DATABASE));
    SqliteStore::back_up(&database, &scratch, progress)
        .map_err(|error| super::in_database(&database, error))?;
    // Keys after the database: a key that is used in it is in the file by now.
    let [keys, signing_keys] =
        [(KEYS, &settings.keys_file), (SIGNING_KEYS, &settings.signing_keys_file)].map(
            |(name, from)| match from.exists() {
                true => copy_secret(from, &to.join(name)).map(|()| true),
                false => Ok(false),
            },
        );
    let made = BackedUp { keys: keys?, signing_keys: signing_keys? };
    fs::rename(&scratch, &copy).and_then(|()| sync_folder(to)).map_err(in_file(&copy))?;
    Ok(made)
}

/// Restores a data directory, which must not have a database, from a backup. Everything that was
/// unfinished at the backup is ended, and every session.
///
/// # Errors
/// [`DataError::NotEmbedded`], [`DataError::DatabaseExists`], [`DataError::RestoreInUse`] if a
/// process serves the directory, [`DataError::File`], [`DataError::Keys`], [`DataError::KeysLost`] or [`DataError::Database`].
pub async fn restore(settings: &Settings, from: &Path) -> Result<(), DataError> {
    only_embedded(settings)?;
    let (backup, database) = (from.join(DATABASE), super::database(&settings.data_dir));
    if fs::metadata(&backup).map_err(in_file(&backup))?.len() == 0 {
        let error = StoreError::Corrupt("the file is empty");
        return Err(super::in_database(&backup, error));
    }
    if database.exists() {
        return Err(DataError::DatabaseExists { path: database });
    }
    let dir = &settings.data_dir;
    super::make_dir(dir).map_err(in_file(dir))?;
    let _lock = lock_alone(dir)?;
    let scratch = dir.join(UNFINISHED);
    for suffix in ["", "-wal", "-shm"] {
        remove_if_there(&with_suffix(&scratch, suffix))?;
    }
    copy_secret(&backup, &scratch)?;
    // A folder that was copied while no process used it may have its last commits here.
    let log = with_suffix(&backup, "-wal");
    if log.exists() {
        copy_secret(&log, &with_suffix(&scratch, "-wal"))?;
    }
    for (name, to) in [(KEYS, &settings.keys_file), (SIGNING_KEYS, &settings.signing_keys_file)] {
        let (key, is_unused) = (from.join(name), name == KEYS && settings.keys.is_some());
        if key.exists() && !is_unused {
            copy_secret(&key, to)?;
        }
    }
    let opened = SqliteBackend::open(&scratch, Env::system()).await;
    let restored = opened.map_err(|error| super::in_database(&backup, error))?;
    let mended = mend(&restored, settings, from).await;
    restored.close().await;
    mended?;
    fs::rename(&scratch, &database).and_then(|()| sync_folder(dir)).map_err(in_file(&database))?;
    Ok(())
}

/// Ends every session and all that was unfinished in data that other tools have restored: those of a
/// database on a server, or a snapshot of a disk. Returns the place of the data.
///
/// # Errors
/// [`DataError::RestoreInUse`] if a process serves the folder, [`DataError::File`] or
/// [`DataError::Database`].
pub async fn restored_by_other_tools(settings: &Settings) -> Result<String, DataError> {
    let data = Data::open_existing(settings).await?;
    let _lock = match data.is_shared() {
        // Processes notice by themselves.
        true => None,
        false => Some(lock_alone(&settings.data_dir)?),
    };
    if let Some(to) = data.moved_to().await? {
        tracing::warn!("the data in {} was moved to {to}, and is old", data.shown());
    }
    let ended = data.backend().end_unfinished(data.env().now()).await;
    ended.map_err(|error| data.failure(error))?;
    data.backend().close().await;
    Ok(data.shown())
}

/// A database on a server has its own tools.
fn only_embedded(settings: &Settings) -> Result<(), DataError> {
    match &settings.database {
        Some(url) => Err(DataError::NotEmbedded { place: url.to_string() }),
        None => Ok(()),
    }
}

/// Checks a copied database and its key ring, and ends all that was unfinished.
async fn mend(restored: &SqliteBackend, settings: &Settings, from: &Path) -> Result<(), DataError> {
    let failure = |error| super::in_database(&from.join(DATABASE), error);
    restored.check_pages().await.map_err(failure)?;
    let ring = match given(settings)? {
        Some(ring) => Some(ring),
        None => keys::load(&settings.keys_file)?,
    };
    let was_in_use = restored.issuer().await.map_err(failure)?.is_some();
    match ring {
        Some(ring) if was_in_use => {
            let place = from.display().to_string();
            prove(restored, &Env::system(), &place, &ring).await?;
        }
        None if was_in_use => {
            let (path, backup) = (settings.keys_file.clone(), from.to_owned());
            return Err(DataError::NoKeysInBackup { path, backup });
        }
        _ => {}
    }
    restored.end_unfinished(Env::system().now()).await.map_err(failure)
}

/// Copies a file that only this user may read. A file that is there already must be the same.
pub(super) fn copy_secret(from: &Path, to: &Path) -> Result<(), DataError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut source = File::open(from).map_err(in_file(from))?;
    match options.open(to) {
        Ok(mut copy) => {
            let copied = io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all());
            if copied.is_err() {
                let _ = fs::remove_file(to);
            }
            copied.map_err(in_file(to))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let read = |path: &Path| named_file::bytes(path).map_err(in_file(path));
            match read(from)? == read(to)? {
                true => Ok(()),
                false => {
                    Err(DataError::KeysDiffer { path: to.to_owned(), backup: from.to_owned() })
                }
            }
        }
        Err(error) => Err(in_file(to)(error)),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Lets no other user see or replace the files of a folder, which was there before.
fn keep_to_oneself(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let _ = folder;
    Ok(())
}
