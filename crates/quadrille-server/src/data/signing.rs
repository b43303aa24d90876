//! The file with the keys that sign access tokens.
//!
//! The file is JSON with private JWKs, readable by its owner alone. Commands replace it as a whole,
//! under a lock; processes that serve read it again when it changes.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use quadrille::{
    Env, Secret, Timestamp,
    jose::{Algorithm, Rotation, SigningKey, SigningKeys, SigningKeysError},
    provider::Client,
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
        change_in(&settings.signing_keys_file, change)
    }
}

/// The rotation of keys that sign for `period`. A key is published for a day before it signs, and as
/// long as its tokens live after it signed: those of the settings, and of clients with lifetimes of
/// their own.
pub fn rotation(settings: &Settings, clients: &[Arc<Client>], period: Duration) -> Rotation {
    let usual = Rotation::default();
    let of_clients = clients.iter().filter_map(|client| client.lifetimes.access_token);
    let longest = of_clients.fold(settings.policy.access_token_lifetime, Duration::max);
    Rotation { period, overlap: usual.overlap.max(longest), ..usual }
}

/// A watch over the file, for a process that serves.
#[derive(Debug)]
pub struct SigningKeysWatch {
    env: Env,
    path: PathBuf,
    /// The keys that were read last; `None` before there were any.
    seen: Option<String>,
    /// The last warning, which is not repeated.
    warned: String,
}

impl SigningKeysWatch {
    /// A watch over the file of these settings, which has these keys now, or is not there yet.
    pub fn new(settings: &Settings, env: Env, keys: Option<&SigningKeys>) -> Self {
        let path = settings.signing_keys_file.clone();
        let seen = keys.map(fingerprint);
        Self { env, path, seen, warned: String::new() }
    }

    /// `true` if [`rotate`](Self::rotate) would change the keys in the file. `false` if the file
    /// cannot be read.
    pub fn is_due(&self, rotation: &Rotation) -> bool {
        let (keys, now) = (read(&self.path).ok().flatten(), self.env.now());
        keys.is_some_and(|keys| {
            keys.due(now, rotation).is_some() || keys.needs_sweep(now, rotation)
        })
    }

    /// Adds a successor to the newest key if it needs one, and removes the keys that are over,
    /// unless another process has done so meanwhile.
    ///
    /// # Errors
    /// [`DataError::SigningKeys`] or [`DataError::File`].
    pub fn rotate(&self, rotation: &Rotation) -> Result<(), DataError> {
        let now = self.env.now();
        let rotated = change_in(&self.path, |keys| {
            let mut keys = keys.ok_or(SigningKeysError::Malformed)?;
            sweep(&mut keys, now, rotation);
            if let Some(algorithm) = keys.due(now, rotation) {
                keys.add(SigningKey::generate(algorithm)?, now, rotation)?;
            }
            Ok(keys)
        });
        rotated.map(drop)
    }

    /// The keys in the file, if they changed, or if the file is new. A file that is missing or
    /// malformed changes nothing, and is reported in the log once.
    pub fn changed(&mut self) -> Option<SigningKeys> {
        let keys = match read(&self.path) {
            Ok(Some(keys)) => keys,
            Ok(None) if self.seen.is_none() => return None,
            Ok(None) => {
                self.warn(format!("{} is missing", self.path.display()));
                return None;
            }
            Err(error) => {
                self.warn(error.to_string());
                return None;
            }
        };
        self.warned.clear();
        let now = Some(fingerprint(&keys));
        (now != self.seen).then(|| {
            self.seen = now;
            keys
        })
    }

    fn warn(&mut self, reason: String) {
        if self.warned != reason {
            tracing::warn!(%reason, "the last signing keys are used");
            self.warned = reason;
        }
    }
}

/// Sweeps keys, and says in the log what was mended.
pub fn sweep(keys: &mut SigningKeys, now: Timestamp, rotation: &Rotation) {
    let mended = keys.sweep(now, rotation).mended;
    if mended > 0 {
        tracing::warn!(mended, "signing keys had times of a clock that ran ahead, and were mended");
    }
}

/// Changes the keys in a file, under a lock.
fn change_in(
    path: &Path,
    change: impl FnOnce(Option<SigningKeys>) -> Result<SigningKeys, SigningKeysError>,
) -> Result<SigningKeys, DataError> {
    let lock_path = path.with_extension("lock");
    let failure = |error| DataError::File { path: path.to_owned(), error };
    let lock = super::open_lock(&lock_path);
    let lock = lock.map_err(|error| DataError::File { path: lock_path, error })?;
    lock.lock().map_err(failure)?;
    let wrong = |error| DataError::SigningKeys { path: path.to_owned(), error };
    let keys = change(read(path)?).map_err(wrong)?;
    write(path, &keys.to_json().map_err(wrong)?).map_err(failure)?;
    Ok(keys)
}

/// The keys with their times, for a comparison.
fn fingerprint(keys: &SigningKeys) -> String {
    let times = keys.iter().map(|(_, from)| format!(" {}", from.seconds()));
    keys.published().to_json() + &times.collect::<String>()
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

#[cfg(test)]
mod tests {
    use quadrille::testing::ManualClock;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

    #[test]
    fn processes_that_share_a_file_rotate_its_keys_once() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let path = folder.path().join("signing-keys");
        let first = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let first = SigningKeys::new(first, clock.now()).unwrap();
        write(&path, &first.to_json().unwrap()).unwrap();
        let watch = || SigningKeysWatch {
            env: clock.env(),
            path: path.clone(),
            seen: Some(fingerprint(&first)),
            warned: String::new(),
        };
        let mut watches = [watch(), watch()];
        let rotation = Rotation { period: MONTH, ..Rotation::default() };
        clock.advance(MONTH - DAY - Duration::from_secs(1));
        assert!(watches.iter().all(|watch| !watch.is_due(&rotation)));
        for _ in 0..3 {
            clock.advance(MONTH - DAY);
            assert!(watches.iter().all(|watch| watch.is_due(&rotation)));
            for watch in &watches {
                watch.rotate(&rotation).unwrap();
            }
            assert!(watches.iter().all(|watch| !watch.is_due(&rotation)));
            let changed = watches.each_mut().map(|watch| watch.changed().unwrap());
            let kids = |keys: &SigningKeys| keys.published().to_json();
            assert_eq!(kids(&changed[0]), kids(&changed[1]));
            assert_eq!(changed[0].iter().count(), 2, "the one before, and the next");
            assert_eq!(changed[0].algorithm(), Some(Algorithm::EdDsa));
            // The next one signs, and the one before is waited for.
            for left in [2, 2, 1] {
                clock.advance(DAY);
                watches[0].rotate(&rotation).unwrap();
                assert_eq!(read(&path).unwrap().unwrap().iter().count(), left);
            }
            for watch in &mut watches {
                watch.changed();
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert!(!watches[0].is_due(&rotation) && watches[0].rotate(&rotation).is_err());
    }

    #[test]
    fn a_file_that_comes_later_is_noticed_and_a_missing_one_is_reported_once() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let path = folder.path().join("signing-keys");
        let (seen, warned) = (None, String::new());
        let mut watch = SigningKeysWatch { env: clock.env(), path: path.clone(), seen, warned };
        assert!(watch.changed().is_none() && watch.warned.is_empty(), "there were never keys");
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let keys = SigningKeys::new(key, clock.now()).unwrap();
        write(&path, &keys.to_json().unwrap()).unwrap();
        assert!(watch.changed().is_some() && watch.changed().is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(watch.changed().is_none());
        let warned = watch.warned.clone();
        assert!(warned.contains("is missing"), "{warned}");
        write(&path, &Secret::from("{}")).unwrap();
        assert!(watch.changed().is_none());
        assert_ne!(watch.warned, warned, "another state");
        write(&path, &keys.to_json().unwrap()).unwrap();
        assert!(watch.changed().is_none() && watch.warned.is_empty());
    }
}
