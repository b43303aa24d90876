//! The file with the keys that sign access tokens.
//!
//! The file is JSON with private JWKs, readable by its owner alone. Commands replace it as a whole,
//! under a lock; processes that serve read it again when it changes.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use quadrille::{
    Secret,
    jose::{Algorithm, SigningKey, SigningKeys, SigningKeysError},
};

use super::{Data, DataError};
use crate::config::Settings;

impl Data {
    /// The keys in the file, if the file exists.
    ///
    /// # Errors
    /// [`DataError::SigningKeys`] or [`DataError::File`].
    pub fn signing_keys(&self, settings: &Settings) -> Result<Option<SigningKeys>, DataError> {
        read(&settings.signing_keys_file)
    }

    /// The keys in the file. If access tokens are to be JWTs and there is no file, it is made, with
    /// a key for ES256.
    ///
    /// # Errors
    /// As [`signing_keys`](Self::signing_keys).
    pub fn signing_keys_to_serve(
        &self,
        settings: &Settings,
    ) -> Result<Option<SigningKeys>, DataError> {
        let path = &settings.signing_keys_file;
        if let Some(keys) = read(path)? {
            return Ok(Some(keys));
        }
        if !settings.has_jwts() {
            return Ok(None);
        }
        self.change_signing_keys(settings, |keys| match keys {
            Some(keys) => Ok(keys),
            None => {
                let key = SigningKey::generate(Algorithm::Es256).map_err(SigningKeysError::from);
                key.and_then(|key| SigningKeys::new(key, self.env().now()))
            }
        })
        .map(Some)
    }

    /// Changes the keys in the file, and returns those that it has then. Concurrent changes follow
    /// each other.
    ///
    /// # Errors
    /// [`DataError::SigningKeys`] or [`DataError::File`].
    pub fn change_signing_keys(
        &self,
        settings: &Settings,
        change: impl FnOnce(Option<SigningKeys>) -> Result<SigningKeys, SigningKeysError>,
    ) -> Result<SigningKeys, DataError> {
        let path = &settings.signing_keys_file;
        let lock_path = path.with_extension("lock");
        let failure = |error| DataError::File { path: path.clone(), error };
        let lock = super::open_lock(&lock_path);
        let lock = lock.map_err(|error| DataError::File { path: lock_path, error })?;
        lock.lock().map_err(failure)?;
        let wrong = |error| DataError::SigningKeys { path: path.clone(), error };
        let keys = change(read(path)?).map_err(wrong)?;
        write(path, &keys.to_json().map_err(wrong)?).map_err(failure)?;
        Ok(keys)
    }
}

/// A watch over the file, for a process that serves.
#[derive(Debug)]
pub struct SigningKeysWatch {
    path: PathBuf,
    seen: String,
}

impl SigningKeysWatch {
    /// A watch over the file of these settings, which has these keys now.
    pub fn new(settings: &Settings, keys: &SigningKeys) -> Self {
        let path = settings.signing_keys_file.clone();
        Self { path, seen: keys.published().to_json() + &times(keys) }
    }

    /// The keys in the file, if they changed. A file that is missing or malformed changes nothing,
    /// and is reported in the log.
    pub fn changed(&mut self) -> Option<SigningKeys> {
        let keys = match read(&self.path) {
            Ok(Some(keys)) => keys,
            Ok(None) => {
                tracing::warn!("{} is missing: the last keys are used", self.path.display());
                return None;
            }
            Err(error) => {
                tracing::warn!(%error, "the last signing keys are used");
                return None;
            }
        };
        let now = keys.published().to_json() + &times(&keys);
        (now != self.seen).then(|| {
            self.seen = now;
            keys
        })
    }
}

/// The times of keys, for a comparison.
fn times(keys: &SigningKeys) -> String {
    keys.iter().map(|(_, from)| from.seconds().to_string() + " ").collect()
}

fn read(path: &Path) -> Result<Option<SigningKeys>, DataError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Secret::from(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DataError::File { path: path.to_owned(), error }),
    };
    super::keys::warn_if_others_can_read(path);
    let keys = SigningKeys::from_json(&text);
    keys.map(Some).map_err(|error| DataError::SigningKeys { path: path.to_owned(), error })
}

/// Replaces the file at once: a process that reads it finds the old keys or the new ones.
fn write(path: &Path, json: &Secret) -> io::Result<()> {
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
