//! The file of the keys that sign, for one change at a time.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use quadrille::{
    Secret,
    jose::{SigningKeys, SigningKeysError},
};

use super::error::DataError;
use crate::named_file;

/// The keys in a file, after a change that is under way.
pub(super) fn read_after_change(path: &Path) -> Result<Option<SigningKeys>, DataError> {
    // Without a lock, no change was ever begun.
    if let Ok(lock) = File::open(path.with_extension("lock")) {
        let failure = |error| DataError::File { path: path.to_owned(), error };
        lock.lock_shared().map_err(failure)?;
    }
    read(path)
}

/// Changes the keys in a file, under a lock.
pub(super) fn change_in(
    path: &Path,
    change: impl FnOnce(Option<SigningKeys>) -> Result<SigningKeys, SigningKeysError>,
) -> Result<SigningKeys, DataError> {
    let lock_path = path.with_extension("lock");
    let failure = |error| DataError::File { path: path.to_owned(), error };
    let lock = super::open_lock(&lock_path);
    let lock = lock.map_err(|error| DataError::File { path: lock_path, error })?;
    lock.lock().map_err(failure)?;
    let wrong = |error| in_file(path, error);
    let keys = change(read(path)?).map_err(wrong)?;
    write(path, &keys.to_json().map_err(wrong)?).map_err(failure)?;
    Ok(keys)
}

fn in_file(path: &Path, error: SigningKeysError) -> DataError {
    DataError::SigningKeys { place: path.display().to_string(), error }
}

/// The keys in a file, if there is one.
pub(super) fn read(path: &Path) -> Result<Option<SigningKeys>, DataError> {
    let text = match named_file::text(path) {
        Ok(text) => Secret::from(text.as_str()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(super::keys::unread(path, error)),
    };
    super::keys::warn_if_others_can_read(path);
    let keys = SigningKeys::from_json(&text);
    keys.map(Some).map_err(|error| in_file(path, error))
}

/// Replaces the file at once: a process that reads it finds the old keys or the new ones.
pub(super) fn write(path: &Path, json: &Secret) -> io::Result<()> {
    let scratch = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&scratch)?;
    file.write_all(json.expose().as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&scratch, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
