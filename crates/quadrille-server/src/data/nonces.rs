//! Whether a process may keep the nonces of signed requests in memory.
//!
//! A request of OAuth 1.0a is valid once. A process that serves alone keeps the nonces that it has
//! seen in memory. Several processes must share the nonces, which costs a commit for each request,
//! so the operator must turn this on. A lock prevents that a process with its own memory runs
//! beside another process.

use std::fs::{File, TryLockError};

use super::{Data, DataError};
use crate::config::OAuth1Settings;

/// A lock that is held while a process accepts signed requests. The system releases it however the
/// process ends.
#[derive(Debug)]
pub struct TakingSigned {
    _lock: File,
}

impl Data {
    /// Makes sure that all processes that accept signed requests share their nonces. `None` if this
    /// process accepts none.
    ///
    /// # Errors
    /// [`DataError::NoncesNotShared`], or [`DataError::File`].
    pub fn take_signed(&self, oauth1: &OAuth1Settings) -> Result<Option<TakingSigned>, DataError> {
        // Those of a shared database always share their nonces.
        if !oauth1.enabled || self.is_shared() {
            return Ok(None);
        }
        let path = self.dir.join("oauth1.lock");
        let failure = |error| DataError::File { path: path.clone(), error };
        let lock = super::open_lock(&path).map_err(failure)?;
        let locked =
            if oauth1.several_processes { lock.try_lock_shared() } else { lock.try_lock() };
        match locked {
            Ok(()) => Ok(Some(TakingSigned { _lock: lock })),
            Err(TryLockError::WouldBlock) => {
                Err(DataError::NoncesNotShared { place: self.shown() })
            }
            Err(TryLockError::Error(error)) => Err(failure(error)),
        }
    }
}
