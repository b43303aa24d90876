//! The keys that sign access tokens and ID tokens: in a file, or sealed in a shared database.
//!
//! They are JSON with private JWKs. Commands replace them as a whole, one after the other; processes
//! that serve notice that they have changed.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use quadrille::{
    Env, KeyRing, Secret, Timestamp,
    jose::{Algorithm, Rotation, SigningKey, SigningKeys, SigningKeysError},
    provider::{Client, store::StoreError},
};

use super::{
    Data, DataError, Place, SharedBackend,
    ring::DATABASE,
    sealed::Sealed,
    signing_file::{change_in, read, read_after_change},
};
use crate::config::Settings;

/// The purpose of the seal of the keys in a database.
const SIGNING_KEYS: &str = "quadrille signing keys";

impl Data {
    /// The place of the keys that sign access tokens.
    ///
    /// # Errors
    /// Those of the key ring, under which a shared database has them.
    pub async fn signing(&self, settings: &Settings) -> Result<SigningPlace, DataError> {
        Ok(match &self.place {
            Place::Embedded(_) => SigningPlace::File(settings.signing_keys_file.clone()),
            Place::Shared(backend, place) => {
                self.signing_under(backend, place, &self.keys(settings).await?)
            }
        })
    }

    /// The place in a shared database, under a key ring.
    pub(super) fn signing_under(
        &self,
        backend: &Arc<dyn SharedBackend>,
        place: &str,
        keys: &KeyRing,
    ) -> SigningPlace {
        SigningPlace::Row(Row {
            backend: Arc::clone(backend),
            place: place.to_owned(),
            env: self.env.clone(),
            keys: keys.clone(),
        })
    }
}

/// The place of the keys that sign access tokens.
#[derive(Clone, Debug)]
pub enum SigningPlace {
    /// A file, readable by its owner alone.
    File(PathBuf),
    /// A row of a shared database.
    Row(Row),
}

/// A row of a shared database, whose content is sealed under the key ring.
#[derive(Clone)]
pub struct Row {
    backend: Arc<dyn SharedBackend>,
    place: String,
    env: Env,
    keys: KeyRing,
}

impl SigningPlace {
    /// The keys, if there are any.
    ///
    /// # Errors
    /// [`DataError::SigningKeys`], [`DataError::File`] or [`DataError::Database`].
    pub async fn keys(&self) -> Result<Option<SigningKeys>, DataError> {
        match self {
            Self::File(path) => read(path),
            Self::Row(row) => Ok(row.read().await?.1),
        }
    }

    /// The keys. If tokens are to be signed and there are none, a key is made: for RS256 with
    /// OpenID Connect, whose clients all know it, and else for ES256.
    ///
    /// # Errors
    /// As for [`keys`](Self::keys).
    pub async fn keys_to_serve(
        self,
        settings: Settings,
        env: Env,
    ) -> Result<Option<SigningKeys>, DataError> {
        self.seal_again().await?;
        if let Some(keys) = self.keys().await? {
            return Ok(Some(keys));
        }
        if !settings.signs() {
            return Ok(None);
        }
        let now = env.now();
        let algorithm = first_algorithm(&settings);
        let make = move |keys| match keys {
            Some(keys) => Ok(keys),
            None => {
                let key = SigningKey::generate(algorithm).map_err(SigningKeysError::from);
                key.and_then(|key| SigningKeys::new(key, now))
            }
        };
        self.change(make).await.map(Some)
    }

    /// The keys, if there are any, for a command. If `serve` is about to make the first one in a file, this
    /// waits for it.
    ///
    /// # Errors
    /// As for [`keys`](Self::keys).
    pub async fn keys_for_command(&self) -> Result<Option<SigningKeys>, DataError> {
        match (self.keys().await?, self) {
            (None, Self::File(path)) => {
                let path = path.clone();
                in_background(move || read_after_change(&path)).await?
            }
            (keys, _) => Ok(keys),
        }
    }

    /// Seals keys in a database under the newest key of the ring, so that older ones can be removed
    /// from it.
    ///
    /// # Errors
    /// As for [`keys`](Self::keys).
    pub async fn seal_again(&self) -> Result<(), DataError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Row(row) => row.seal_again().await,
        }
    }

    /// Changes the keys, and returns those that there are then. Concurrent changes follow each
    /// other: `change` may be called again, with what another one has left.
    ///
    /// # Errors
    /// As for [`keys`](Self::keys).
    pub async fn change(
        &self,
        change: impl Fn(Option<SigningKeys>) -> Result<SigningKeys, SigningKeysError>
        + Send
        + Sync
        + 'static,
    ) -> Result<SigningKeys, DataError> {
        match self {
            // It takes a while to generate an RSA key.
            Self::File(path) => {
                let path = path.clone();
                in_background(move || change_in(&path, change)).await?
            }
            Self::Row(row) => row.change(Arc::new(change)).await,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Row(row) => row.place.clone(),
        }
    }
}

impl Row {
    /// The sealed keys, and the keys.
    async fn read(&self) -> Result<(Option<Vec<u8>>, Option<SigningKeys>), DataError> {
        let sealed = self.backend.sealed(Sealed::SigningKeys).await;
        let Some(sealed) = sealed.map_err(|error| self.failure(error))? else {
            return Ok((None, None));
        };
        let json = self.keys.open_bytes(SIGNING_KEYS, DATABASE, &sealed);
        let json = json.map_err(|_| DataError::OtherKeys { place: self.place.clone() })?;
        let json = std::str::from_utf8(&json).map_err(|_| SigningKeysError::Malformed);
        let keys = json.and_then(|json| SigningKeys::from_json(&Secret::from(json)));
        Ok((Some(sealed), Some(keys.map_err(|error| self.wrong(error))?)))
    }

    async fn change(
        &self,
        change: Arc<
            impl Fn(Option<SigningKeys>) -> Result<SigningKeys, SigningKeysError>
            + Send
            + Sync
            + 'static,
        >,
    ) -> Result<SigningKeys, DataError> {
        loop {
            let (before, keys) = self.read().await?;
            let change = Arc::clone(&change);
            let changed = in_background(move || change(keys)).await?;
            let changed = changed.map_err(|error| self.wrong(error))?;
            let json = changed.to_json().map_err(|error| self.wrong(error))?;
            if self.replace(before, json.expose().as_bytes()).await? {
                return Ok(changed);
            }
        }
    }

    /// [`SigningPlace::seal_again`].
    async fn seal_again(&self) -> Result<(), DataError> {
        let (sealed, keys) = self.read().await?;
        let old = sealed.filter(|sealed| !self.keys.is_under_newest_key(sealed));
        let (Some(sealed), Some(keys)) = (old, keys) else { return Ok(()) };
        let json = keys.to_json().map_err(|error| self.wrong(error))?;
        // Another process that was faster has sealed them, too.
        self.replace(Some(sealed), json.expose().as_bytes()).await.map(drop)
    }

    async fn replace(&self, before: Option<Vec<u8>>, json: &[u8]) -> Result<bool, DataError> {
        let after = self.keys.seal_bytes(&self.env, SIGNING_KEYS, DATABASE, json);
        let replaced = self.backend.replace_sealed(Sealed::SigningKeys, before, after).await;
        replaced.map_err(|error| self.failure(error))
    }

    fn failure(&self, error: StoreError) -> DataError {
        DataError::Database { place: self.place.clone(), error }
    }

    fn wrong(&self, error: SigningKeysError) -> DataError {
        DataError::SigningKeys { place: self.place.clone(), error }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Runs work that takes a while on a thread for such work.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, DataError> {
    let ended = |_| DataError::Stopped;
    tokio::task::spawn_blocking(work).await.map_err(ended)
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

/// A watch over the keys, for a process that serves.
#[derive(Debug)]
pub struct SigningKeysWatch {
    env: Env,
    place: SigningPlace,
    /// The keys that were read last; `None` before there were any.
    seen: Option<String>,
    /// The last warning, which is not repeated.
    warned: String,
    /// How many changes of other processes were heard of.
    heard: u64,
}

impl SigningKeysWatch {
    /// A watch over the place, which has these keys now, or none yet.
    pub fn new(place: SigningPlace, env: Env, keys: Option<&SigningKeys>) -> Self {
        Self { env, place, seen: keys.map(fingerprint), warned: String::new(), heard: 0 }
    }

    /// Waits for so long, or until another process announces a change.
    pub async fn pause(&mut self, longest: Duration) {
        match &self.place {
            SigningPlace::File(_) => tokio::time::sleep(longest).await,
            SigningPlace::Row(row) => {
                self.heard = row.backend.announced_after(self.heard, longest).await;
            }
        }
    }

    /// `true` if [`rotate`](Self::rotate) would change the keys. `false` if they cannot be read.
    pub async fn is_due(&self, rotation: &Rotation) -> bool {
        let (keys, now) = (self.place.keys().await.ok().flatten(), self.env.now());
        keys.is_some_and(|keys| {
            keys.due(now, rotation).is_some() || keys.needs_sweep(now, rotation)
        })
    }

    /// Adds a successor to the newest key if it needs one, and removes the keys that are over,
    /// unless another process has done so meanwhile.
    ///
    /// # Errors
    /// Those of [`SigningPlace::change`].
    pub async fn rotate(&self, rotation: &Rotation) -> Result<(), DataError> {
        let (now, rotation) = (self.env.now(), *rotation);
        let rotated = self.place.change(move |keys| {
            let mut keys = keys.ok_or(SigningKeysError::Malformed)?;
            sweep(&mut keys, now, &rotation);
            if let Some(algorithm) = keys.due(now, &rotation) {
                keys.add(SigningKey::generate(algorithm)?, now, &rotation)?;
            }
            Ok(keys)
        });
        rotated.await.map(drop)
    }

    /// The keys, if they changed, or if they are new. Keys that are missing or malformed change
    /// nothing, and are reported in the log once.
    pub async fn changed(&mut self) -> Option<SigningKeys> {
        let keys = match self.place.keys().await {
            Ok(Some(keys)) => keys,
            Ok(None) if self.seen.is_none() => return None,
            Ok(None) => {
                self.warn(format!("{} is missing", self.place.shown()));
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

/// The keys with their times, for a comparison.
fn fingerprint(keys: &SigningKeys) -> String {
    let times = keys.iter().map(|(_, from)| format!(" {}", from.seconds()));
    keys.published().to_json() + &times.collect::<String>()
}

/// The algorithm of the first key, if nobody names one. Every OpenID Provider must have RS256 (OpenID
/// Connect Core, section 15.1).
pub(crate) const fn first_algorithm(settings: &Settings) -> Algorithm {
    if settings.openid.enabled { Algorithm::Rs256 } else { Algorithm::Es256 }
}

#[cfg(test)]
mod tests {
    use quadrille::testing::ManualClock;

    use super::{super::signing_file::write, *};

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

    async fn none_is_due(watches: &[SigningKeysWatch], rotation: &Rotation) -> bool {
        for watch in watches {
            if watch.is_due(rotation).await {
                return false;
            }
        }
        true
    }

    #[tokio::test]
    async fn processes_that_share_a_file_rotate_its_keys_once() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let path = folder.path().join("signing-keys");
        let first = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let first = SigningKeys::new(first, clock.now()).unwrap();
        write(&path, &first.to_json().unwrap()).unwrap();
        let watch = || SigningKeysWatch {
            env: clock.env(),
            place: SigningPlace::File(path.clone()),
            seen: Some(fingerprint(&first)),
            warned: String::new(),
            heard: 0,
        };
        let mut watches = [watch(), watch()];
        let rotation = Rotation { period: MONTH, ..Rotation::default() };
        clock.advance(MONTH - DAY - Duration::from_secs(1));
        assert!(none_is_due(&watches, &rotation).await);
        for _ in 0..3 {
            clock.advance(MONTH - DAY);
            for watch in &watches {
                assert!(watch.is_due(&rotation).await);
            }
            for watch in &watches {
                watch.rotate(&rotation).await.unwrap();
            }
            assert!(none_is_due(&watches, &rotation).await);
            let [first, second] = &mut watches;
            let changed = [first.changed().await.unwrap(), second.changed().await.unwrap()];
            let kids = |keys: &SigningKeys| keys.published().to_json();
            assert_eq!(kids(&changed[0]), kids(&changed[1]));
            assert_eq!(changed[0].iter().count(), 2, "the one before, and the next");
            assert_eq!(changed[0].algorithm(), Some(Algorithm::EdDsa));
            // The next one signs, and the one before is waited for.
            for left in [2, 2, 1] {
                clock.advance(DAY);
                watches[0].rotate(&rotation).await.unwrap();
                assert_eq!(read(&path).unwrap().unwrap().iter().count(), left);
            }
            for watch in &mut watches {
                watch.changed().await;
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert!(none_is_due(&watches, &rotation).await);
        assert!(watches[0].rotate(&rotation).await.is_err());
    }

    #[tokio::test]
    async fn a_file_that_comes_later_is_noticed_and_a_missing_one_is_reported_once() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let path = folder.path().join("signing-keys");
        let (seen, warned) = (None, String::new());
        let mut watch = SigningKeysWatch {
            env: clock.env(),
            place: SigningPlace::File(path.clone()),
            seen,
            warned,
            heard: 0,
        };
        assert!(
            watch.changed().await.is_none() && watch.warned.is_empty(),
            "there were never keys"
        );
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let keys = SigningKeys::new(key, clock.now()).unwrap();
        write(&path, &keys.to_json().unwrap()).unwrap();
        assert!(watch.changed().await.is_some() && watch.changed().await.is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(watch.changed().await.is_none());
        let warned = watch.warned.clone();
        assert!(warned.contains("is missing"), "{warned}");
        write(&path, &Secret::from("{}")).unwrap();
        assert!(watch.changed().await.is_none());
        assert_ne!(watch.warned, warned, "another state");
        write(&path, &keys.to_json().unwrap()).unwrap();
        assert!(watch.changed().await.is_none() && watch.warned.is_empty());
    }
}
