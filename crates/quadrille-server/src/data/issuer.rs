//! The issuer of a database.
//!
//! A database has one issuer, which the store makes part of every key. The first command
//! records it, so later commands need no setting for it. Only `serve` changes the issuer: an issuer
//! that nobody gave follows the port, and any other change needs `--rename-issuer`. Clients,
//! consents and sessions move to the new issuer. Tokens have the old issuer in their seals and
//! become invalid. The issuer of a data folder cannot change while a process serves it. Where
//! several machines serve a database, no issuer follows a port, and a process stops when another one
//! has changed the issuer.

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
    time::Duration,
};

use quadrille::{KeyRing, provider::AuthorizationServer};

use super::{Data, DataError, Place, RecordedIssuer, sqlite};
use crate::{config::Settings, issuer::Issuer, standing::Standing};

/// The longest time between two looks at the issuer of a shared database.
const LOOK: Duration = Duration::from_secs(2);

/// A lock that is held while a process serves a data folder. The system releases it however the
/// process ends.
#[derive(Debug)]
pub struct Serving {
    _lock: Option<File>,
}

impl Data {
    /// The issuer for a process that serves at `listening`, and the lock that keeps it. With
    /// `rename`, the issuer of the directory may change from one that was given.
    ///
    /// # Errors
    /// [`DataError::IssuerRenamed`], [`DataError::IssuerInUse`] if other processes serve the
    /// directory under another issuer, [`DataError::PlainIssuer`], or those of the database.
    pub async fn serve_as(
        &self,
        settings: &Settings,
        listening: SocketAddr,
        rename: bool,
    ) -> Result<(Issuer, Serving), DataError> {
        let recorded = self.recorded().await?;
        let kept = recorded.as_ref().filter(|recorded| recorded.given);
        let kept = kept.and_then(|recorded| Issuer::parse(&recorded.issuer).ok());
        let given = settings.issuer.is_some() || kept.is_some();
        let shared = recorded.as_ref().filter(|_| self.is_shared());
        let shared = shared.and_then(|recorded| Issuer::parse(&recorded.issuer).ok());
        let known = kept.clone().or(shared);
        let issuer = match settings.issuer.clone().or(known) {
            Some(issuer) => issuer,
            None if listening.ip().is_loopback() => Issuer::loopback(listening),
            None => return Err(DataError::PlainIssuer(listening)),
        };
        if !issuer.is_https() && !listening.ip().is_loopback() {
            return Err(DataError::PlainIssuer(listening));
        }
        if let Some(before) = kept.filter(|before| before.as_str() != issuer.as_str()) {
            let (current, asked) = (before.to_string(), issuer.to_string());
            if !rename {
                let place = self.shown();
                return Err(DataError::IssuerRenamed { place, current, asked });
            }
        }
        let lock = self.adopt(&issuer, given, recorded).await?;
        if let Some(lock) = &lock {
            self.share(lock)?;
        }
        Ok((issuer, Serving { _lock: lock }))
    }

    /// The issuer for a command: the recorded one. A new directory gets the issuer in the settings.
    ///
    /// # Errors
    /// [`DataError::OtherIssuer`] if the settings name another issuer, or those of the database.
    pub async fn issuer(&self, settings: &Settings) -> Result<Issuer, DataError> {
        let recorded = self.recorded().await?;
        let known = recorded.as_ref().and_then(|recorded| Issuer::parse(&recorded.issuer).ok());
        match (&settings.issuer, known) {
            (Some(asked), Some(known)) if known != *asked => {
                let (current, asked) = (known.to_string(), asked.to_string());
                Err(DataError::OtherIssuer { place: self.shown(), current, asked })
            }
            (_, Some(known)) => Ok(known),
            (Some(asked), None) => {
                self.adopt(asked, true, recorded).await?;
                Ok(asked.clone())
            }
            (None, None) => {
                let listen = settings.listen;
                let issuer = match listen.ip().is_loopback() {
                    true => Issuer::loopback(listen),
                    false => Issuer::localhost(listen.port()),
                };
                self.adopt(&issuer, false, recorded).await?;
                Ok(issuer)
            }
        }
    }

    /// Waits until the database was moved away, or has another issuer than this one, or another key ring,
    /// which another process gave it. The lock of a data folder keeps all that from it, but a lock can be
    /// removed, or be another one where the folder is reached by another path: a move is seen there, too.
    pub async fn replaced(
        &self,
        (issuer, keys): (&Issuer, &KeyRing),
        server: &AuthorizationServer,
        standing: &Standing,
    ) -> DataError {
        let Place::Shared(backend, _) = &self.place else {
            return self.moved_away_in_spite_of_the_lock().await;
        };
        let mut heard = 0;
        loop {
            let began = self.env.steady();
            if let Some(error) = self.moved_while_served(server).await {
                standing.end();
                return error;
            }
            if let Some(error) = self.ring_given_up(keys).await {
                return error;
            }
            // A database that does not answer for a while has not been renamed by that.
            if let Ok(Some(recorded)) = self.backend.issuer().await
                && recorded.issuer != issuer.as_str()
            {
                return DataError::IssuerReplaced { place: self.shown(), now: recorded.issuer };
            }
            standing.looked(began);
            heard = backend.announced_after(heard, LOOK).await;
        }
    }

    /// Waits until the data was moved away, and looks every [`LOOK`].
    async fn moved_away_in_spite_of_the_lock(&self) -> DataError {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(error) = self.error_if_moved_away().await {
                return error;
            }
        }
    }

    /// The issuer that the operator gave, if there is one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn known_issuer(&self) -> Result<Option<Issuer>, DataError> {
        let given = self.recorded().await?.filter(|recorded| recorded.given);
        Ok(given.and_then(|recorded| Issuer::parse(&recorded.issuer).ok()))
    }

    /// The issuer that `serve` takes from the folder, which is only read: `None` if the settings name one or
    /// a database, or if the folder has none that the operator gave.
    pub fn remembered_issuer(settings: &Settings) -> Option<Issuer> {
        if settings.issuer.is_some() || settings.database.is_some() {
            return None;
        }
        let recorded = sqlite::issuer_in(&super::database(&settings.data_dir))?;
        recorded.given.then(|| Issuer::parse(&recorded.issuer).ok()).flatten()
    }

    /// The recorded issuer, if there is one.
    pub(super) async fn known_as(&self) -> Result<Option<String>, DataError> {
        Ok(self.recorded().await?.map(|recorded| recorded.issuer))
    }

    /// Records `issuer`, unless the directory is served under another one.
    async fn adopt(
        &self,
        issuer: &Issuer,
        given: bool,
        recorded: Option<RecordedIssuer>,
    ) -> Result<Option<File>, DataError> {
        let lock = self.lock()?;
        let before = match recorded {
            Some(recorded) if recorded.issuer == issuer.as_str() && recorded.given == given => {
                return Ok(lock);
            }
            Some(recorded) => Some(recorded.issuer),
            None => None,
        };
        let renamed = before.clone().filter(|before| before != issuer.as_str());
        let changes = renamed.is_some();
        if let (Some(current), Some(lock)) = (renamed, &lock) {
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let asked = issuer.to_string();
                    let place = self.shown();
                    return Err(DataError::IssuerInUse { place, current, asked });
                }
                Err(TryLockError::Error(error)) => return Err(self.lock_failure(error)),
            }
        }
        let recorded = RecordedIssuer { issuer: issuer.to_string(), given };
        let recorded = self.backend.record_issuer(recorded, before.clone()).await;
        recorded.map_err(|error| self.failure(error))?;
        if let Some(before) = before.filter(|_| changes) {
            tracing::warn!(%before, now = %issuer, "issuer renamed: tokens issued before are invalid");
        }
        if let (true, Some(lock)) = (changes, &lock) {
            lock.unlock().map_err(|error| self.lock_failure(error))?;
        }
        Ok(lock)
    }

    /// The recorded issuer, with whether the operator gave it.
    pub(super) async fn recorded(&self) -> Result<Option<RecordedIssuer>, DataError> {
        self.backend.issuer().await.map_err(|error| self.failure(error))
    }

    /// The file to lock; `None` if the database is on a server.
    fn lock(&self) -> Result<Option<File>, DataError> {
        if self.is_shared() {
            return Ok(None);
        }
        let path = self.dir.join("lock");
        super::open_lock(&path).map(Some).map_err(|error| DataError::File { path, error })
    }

    /// Shares the lock with other processes that serve. While a command moves or restores the folder,
    /// or another process starts, it waits.
    fn share(&self, lock: &File) -> Result<(), DataError> {
        match lock.try_lock_shared() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(self.lock_failure(error)),
        }
        let folder = self.dir.display();
        tracing::warn!(%folder, "waiting for a command that moves or restores this folder");
        lock.lock_shared().map_err(|error| self.lock_failure(error))
    }

    fn lock_failure(&self, error: std::io::Error) -> DataError {
        DataError::File { path: self.dir.join("lock"), error }
    }
}
