//! Files and locks of a data directory.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

use super::DataError;

/// The lock of a data folder, which every process that serves holds.
pub(super) fn lock_alone(dir: &Path) -> Result<File, DataError> {
    let path = dir.join("lock");
    let lock = super::open_lock(&path).map_err(in_file(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(DataError::RestoreInUse { place: dir.display().to_string() })
        }
        Err(TryLockError::Error(error)) => Err(in_file(&path)(error)),
    }
}

/// The same lock for a command that changes the whole folder.
pub(super) fn lock_unused(dir: &Path) -> Result<File, DataError> {
    match lock_alone(dir) {
        Err(DataError::RestoreInUse { place }) => Err(DataError::InUse { place }),
        lock => lock,
    }
}

/// Removes a file, if there is one.
pub(super) fn remove_if_there(path: &Path) -> Result<(), DataError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(in_file(path)(error)),
        _ => Ok(()),
    }
}

/// Waits until the names in a folder are on the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Other systems cannot open folders.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    let _ = folder;
    Ok(())
}

/// The error of a file.
pub(super) fn in_file(path: &Path) -> impl Fn(io::Error) -> DataError {
    let path = path.to_owned();
    move |error| DataError::File { path: path.clone(), error }
}
