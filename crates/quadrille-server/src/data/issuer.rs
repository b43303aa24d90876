//! The issuer of a data directory.
//!
//! A data directory has one issuer, which the store makes part of every key. The first command
//! records it, so later commands need no setting for it. Only `serve` changes the issuer: an issuer
//! that nobody gave follows the port, and any other change needs `--rename-issuer`. Clients,
//! consents and sessions move to the new issuer. Tokens have the old issuer in their seals and
//! become invalid. The issuer cannot change while a process serves the directory.

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
};

use super::{Data, DataError, RecordedIssuer};
use crate::{config::Settings, issuer::Issuer};

/// A lock that is held while a process serves. The system releases it however the process ends.
#[derive(Debug)]
pub struct Serving {
    _lock: File,
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
        let issuer = match settings.issuer.clone().or_else(|| kept.clone()) {
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
                return Err(DataError::IssuerRenamed { current, asked });
            }
            tracing::warn!(%before, now = %issuer, "issuer renamed: tokens issued before are invalid");
        }
        let lock = self.adopt(&issuer, given, recorded).await?;
        lock.lock_shared().map_err(|error| self.lock_failure(error))?;
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
                Err(DataError::OtherIssuer { current: known.to_string(), asked: asked.to_string() })
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
    ) -> Result<File, DataError> {
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
        if let Some(current) = renamed {
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let asked = issuer.to_string();
                    return Err(DataError::IssuerInUse { current, asked });
                }
                Err(TryLockError::Error(error)) => return Err(self.lock_failure(error)),
            }
        }
        let recorded = RecordedIssuer { issuer: issuer.to_string(), given };
        let recorded = self.backend.record_issuer(recorded, before).await;
        recorded.map_err(|error| self.failure(error))?;
        if changes {
            lock.unlock().map_err(|error| self.lock_failure(error))?;
        }
        Ok(lock)
    }

    async fn recorded(&self) -> Result<Option<RecordedIssuer>, DataError> {
        self.backend.issuer().await.map_err(|error| self.failure(error))
    }

    fn lock(&self) -> Result<File, DataError> {
        let path = self.dir.join("lock");
        super::open_lock(&path).map_err(|error| DataError::File { path, error })
    }

    fn lock_failure(&self, error: std::io::Error) -> DataError {
        DataError::File { path: self.dir.join("lock"), error }
    }
}
