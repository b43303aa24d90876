//! The key ring of the processes of a database.
//!
//! It is in a file or in the settings, not in the database. The database has a proof, sealed under the
//! newest key, which a process with another ring cannot open: it would find every token unknown. A
//! ring that was given up is remembered by proofs under each of its keys, so that none of them is used again.

use std::path::Path;

use quadrille::{Env, KeyRing, provider::store::StoreError};

use super::{
    Backend, Data, DataError, Place,
    files::{lock_unused, remove_if_there},
    keys, make_dir,
    sealed::Sealed,
};
use crate::config::Settings;

/// The purpose of the seal of the proof.
const PROOF: &str = "quadrille key ring";

/// The length of a proof: that of a box without a text.
const LENGTH: usize = 37;

/// The site of the seals in a database.
pub(super) const DATABASE: &str = "database";

impl Data {
    /// The key ring in the settings, else in the file. The first start makes the file.
    ///
    /// # Errors
    /// [`DataError::Keys`], [`DataError::File`], [`DataError::KeysLost`] or
    /// [`DataError::KeysElsewhere`] if the database was in use and the file is missing: a new key
    /// ring would silently make everything invalid that was issued. [`DataError::OtherKeys`] if the
    /// database was used with another one, [`DataError::KeyGivenUp`] if it has a key of one that was
    /// given up.
    pub async fn keys(&self, settings: &Settings) -> Result<KeyRing, DataError> {
        let keys = self.unproved(settings).await?;
        prove(&*self.backend, &self.env, &self.shown(), &keys).await?;
        Ok(keys)
    }

    /// The key ring, which may be another one than that of the database.
    async fn unproved(&self, settings: &Settings) -> Result<KeyRing, DataError> {
        match given(settings)? {
            Some(keys) => Ok(keys),
            None => self.keys_in(&settings.keys_file).await,
        }
    }

    async fn keys_in(&self, path: &Path) -> Result<KeyRing, DataError> {
        if let Some(keys) = keys::load(path)? {
            return Ok(keys);
        }
        match &self.place {
            Place::Shared(_, place) => {
                if self.sealed(Sealed::Proof).await?.is_some() {
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

    /// Accepts the ring of this process in place of the one of the database, which is lost or stolen,
    /// and ends every session, all tokens and the keys that sign JWTs. `false` if the ring is that of
    /// the database.
    ///
    /// # Errors
    /// [`DataError::InUse`] if a process serves the folder, and as for [`keys`](Self::keys).
    pub async fn give_ring_up(&self, settings: &Settings) -> Result<bool, DataError> {
        let keys = self.unproved(settings).await?;
        let _lock = match self.place {
            Place::Embedded(_) => Some(lock_unused(&self.dir)?),
            // Processes that serve notice, and stop.
            Place::Shared(..) => None,
        };
        loop {
            let Some(before) = self.sealed(Sealed::Proof).await? else {
                return self.keys(settings).await.map(|_| false);
            };
            if keys.open_bytes(PROOF, DATABASE, &before).is_ok() {
                return self.keys(settings).await.map(|_| false);
            }
            refuse_given_up(&*self.backend, &self.shown(), &keys).await?;
            let of_keys = self.sealed(Sealed::RingKeys).await?.unwrap_or_default();
            let of_keys = proofs(&of_keys);
            refuse_key_of(&of_keys, &self.shown(), &keys)?;
            if let Place::Embedded(_) = self.place {
                remove_if_there(&settings.signing_keys_file)?;
            }
            let after = keys.seal_bytes(&self.env, PROOF, DATABASE, b"");
            let given_up = self.backend.give_ring_up(before, of_keys, after, self.env.now()).await;
            if given_up.map_err(|error| self.failure(error))? {
                return Ok(true);
            }
        }
    }

    /// The error of a process whose ring is no longer that of the database, if it is not.
    pub(super) async fn ring_given_up(&self, keys: &KeyRing) -> Option<DataError> {
        // A database that does not answer for a while has not got another ring by that.
        let proof = self.backend.sealed(Sealed::Proof).await.ok()??;
        let opened = keys.open_bytes(PROOF, DATABASE, &proof);
        opened.is_err().then(|| DataError::KeysReplaced { place: self.shown() })
    }

    /// A sealed secret.
    pub(super) async fn sealed(&self, which: Sealed) -> Result<Option<Vec<u8>>, DataError> {
        self.backend.sealed(which).await.map_err(|error| self.failure(error))
    }
}

/// Makes sure that a ring is that of a database, which is `place` for the operator. The first process
/// leaves the proof, and one with a new key in front seals it again.
pub(super) async fn prove(
    backend: &dyn Backend,
    env: &Env,
    place: &str,
    keys: &KeyRing,
) -> Result<(), DataError> {
    let failure = |error| DataError::Database { place: place.to_owned(), error };
    loop {
        let before = backend.sealed(Sealed::Proof).await.map_err(failure)?;
        if let Some(proof) = &before {
            let opened = keys.open_bytes(PROOF, DATABASE, proof);
            opened.map_err(|_| DataError::OtherKeys { place: place.to_owned() })?;
            refuse_given_up(backend, place, keys).await?;
            prove_each(backend, env, keys).await.map_err(failure)?;
            if keys.is_under_newest_key(proof) {
                return Ok(());
            }
        }
        let after = keys.seal_bytes(env, PROOF, DATABASE, b"");
        let replaced = backend.replace_sealed(Sealed::Proof, before, after).await;
        if replaced.map_err(failure)? {
            return prove_each(backend, env, keys).await.map_err(failure);
        }
    }
}

/// Leaves a proof under each key of the ring.
async fn prove_each(backend: &dyn Backend, env: &Env, keys: &KeyRing) -> Result<(), StoreError> {
    let ours = keys.seal_bytes_under_each(env, PROOF, DATABASE, b"");
    loop {
        let before = backend.sealed(Sealed::RingKeys).await?;
        let known = proofs(before.as_deref().unwrap_or(&[]));
        let has = |all: &[Vec<u8>], one: &[u8]| {
            all.iter().any(|proof| KeyRing::are_under_one_key(proof, one))
        };
        if known.iter().all(|proof| has(&ours, proof)) && ours.iter().all(|one| has(&known, one)) {
            return Ok(());
        }
        if backend.replace_sealed(Sealed::RingKeys, before, ours.concat()).await? {
            return Ok(());
        }
    }
}

/// The proofs under each key.
fn proofs(all: &[u8]) -> Vec<Vec<u8>> {
    all.chunks_exact(LENGTH).map(<[u8]>::to_vec).collect()
}

/// Refuses a ring with a key that was given up: it is lost, or others know it.
async fn refuse_given_up(
    backend: &dyn Backend,
    place: &str,
    keys: &KeyRing,
) -> Result<(), DataError> {
    let given_up = backend.rings_given_up().await;
    let given_up =
        given_up.map_err(|error| DataError::Database { place: place.to_owned(), error })?;
    refuse_key_of(&given_up, place, keys)
}

/// Refuses a ring with a key under which one of these proofs is.
fn refuse_key_of(proofs: &[Vec<u8>], place: &str, keys: &KeyRing) -> Result<(), DataError> {
    match proofs.iter().any(|proof| keys.open_bytes(PROOF, DATABASE, proof).is_ok()) {
        true => Err(DataError::KeyGivenUp { place: place.to_owned() }),
        false => Ok(()),
    }
}

/// The key ring in the settings.
pub(crate) fn given(settings: &Settings) -> Result<Option<KeyRing>, DataError> {
    let Some(keys) = &settings.keys else { return Ok(None) };
    let ring = KeyRing::parse(keys.expose());
    ring.map(Some).map_err(|error| DataError::Keys { place: "QUADRILLE_KEYS".to_owned(), error })
}

/// Refuses a folder with another key ring than that of the data that is moved into it.
pub(super) fn fits_folder(keys: &KeyRing, folder: &Path) -> Result<(), DataError> {
    let path = folder.join("keys");
    let Some(of_folder) = keys::load(&path)? else { return Ok(()) };
    let proof = keys.seal_bytes(&Env::system(), PROOF, DATABASE, b"");
    let opened = of_folder.open_bytes(PROOF, DATABASE, &proof);
    opened.map(drop).map_err(|_| DataError::OtherKeysInFolder { path })
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
