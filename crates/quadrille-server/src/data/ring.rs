//! The key ring of the processes of a database.
//!
//! An embedded database has its ring in a file beside it, or in the settings. Processes that share a
//! database need the same ring, each from its own file or settings. So the database has a proof,
//! sealed under the ring, which a process with another ring cannot open.

use std::path::Path;

use quadrille::{Env, KeyRing};

use super::{Data, DataError, Place, PostgresBackend, keys, make_dir, postgres::Sealed};
use crate::config::Settings;

/// The purpose of the seal of the proof.
const PROOF: &str = "quadrille key ring";

/// The site of the seals in a database.
pub(super) const DATABASE: &str = "database";

impl Data {
    /// The key ring in the settings, else in the file. The first start makes the file.
    ///
    /// # Errors
    /// [`DataError::Keys`], [`DataError::File`], [`DataError::KeysLost`] or
    /// [`DataError::KeysElsewhere`] if the database was in use and the file is missing: a new key
    /// ring would silently make everything invalid that was issued. [`DataError::OtherKeys`] if the
    /// processes of the database have another one.
    pub async fn keys(&self, settings: &Settings) -> Result<KeyRing, DataError> {
        let keys = match given(settings)? {
            Some(keys) => keys,
            None => self.keys_in(&settings.keys_file).await?,
        };
        if let Place::Shared(backend, url) = &self.place {
            self.prove(backend, url, &keys).await?;
        }
        Ok(keys)
    }

    async fn keys_in(&self, path: &Path) -> Result<KeyRing, DataError> {
        if let Some(keys) = keys::load(path)? {
            return Ok(keys);
        }
        match &self.place {
            Place::Shared(backend, place) => {
                if self.sealed(backend, Sealed::Proof).await?.is_some() {
                    let (path, place) = (path.to_owned(), place.clone());
                    return Err(DataError::KeysElsewhere { path, place });
                }
                let dir = self.dir.clone();
                make_dir(&dir).map_err(|error| DataError::File { path: dir, error })?;
                keys::make(&self.env, path)
            }
            Place::Embedded(_) => match self.known_as().await? {
                None => keys::make(&self.env, path),
                // Another process may just have made both.
                Some(issuer) => keys::load(path)?
                    .ok_or_else(|| DataError::KeysLost { path: path.to_owned(), issuer }),
            },
        }
    }

    /// Makes sure that the processes of a database have the same ring. The first one leaves the
    /// proof, and one with a new key in front seals it again.
    pub(super) async fn prove(
        &self,
        backend: &PostgresBackend,
        place: &str,
        keys: &KeyRing,
    ) -> Result<(), DataError> {
        loop {
            let before = self.sealed(backend, Sealed::Proof).await?;
            if let Some(proof) = &before {
                let opened = keys.open_bytes(PROOF, DATABASE, proof);
                opened.map_err(|_| DataError::OtherKeys { place: place.to_owned() })?;
                if keys.is_under_newest_key(proof) {
                    return Ok(());
                }
            }
            let after = keys.seal_bytes(&self.env, PROOF, DATABASE, b"");
            let replaced = backend.replace_sealed(Sealed::Proof, before.as_deref(), &after).await;
            if replaced.map_err(|error| self.failure(error))? {
                return Ok(());
            }
        }
    }

    /// Accepts the ring of this process in place of the one that the processes of the database had,
    /// which is lost. The signing keys go with it. `false` if there was no other ring.
    ///
    /// # Errors
    /// As for [`keys`](Self::keys).
    pub async fn replace_ring(&self, settings: &Settings) -> Result<bool, DataError> {
        let Place::Shared(backend, _) = &self.place else { return Ok(false) };
        match self.keys(settings).await {
            Ok(_) => Ok(false),
            Err(DataError::OtherKeys { .. }) => {
                // The proof last: until then the command can be run again.
                for which in [Sealed::SigningKeys, Sealed::Proof] {
                    let forgotten = backend.forget(which).await;
                    forgotten.map_err(|error| self.failure(error))?;
                }
                self.keys(settings).await.map(|_| true)
            }
            Err(error) => Err(error),
        }
    }

    /// A sealed secret.
    pub(super) async fn sealed(
        &self,
        backend: &PostgresBackend,
        which: Sealed,
    ) -> Result<Option<Vec<u8>>, DataError> {
        backend.sealed(which).await.map_err(|error| self.failure(error))
    }
}

/// The key ring in the settings.
fn given(settings: &Settings) -> Result<Option<KeyRing>, DataError> {
    let Some(keys) = &settings.keys else { return Ok(None) };
    let ring = KeyRing::parse(keys.expose());
    ring.map(Some).map_err(|error| DataError::Keys { place: "QUADRILLE_KEYS".to_owned(), error })
}

/// Refuses a key ring of the settings that does not open what the ring of the folder seals: the
/// tokens of the folder would not be valid under it.
pub(super) fn opens_folder(settings: &Settings, folder: &Path) -> Result<(), DataError> {
    let path = folder.join("keys");
    let (Some(ring), Some(of_folder)) = (given(settings)?, keys::load(&path)?) else {
        return Ok(());
    };
    let proof = of_folder.seal_bytes(&Env::system(), PROOF, DATABASE, b"");
    let opened = ring.open_bytes(PROOF, DATABASE, &proof);
    opened.map(drop).map_err(|_| DataError::KeysOfFolder { path })
}
