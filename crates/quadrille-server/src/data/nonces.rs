//! Whether a process that takes signed requests may remember them by itself.
//!
//! A request of OAuth 1.0a is good once. A process that serves alone remembers in memory what it has
//! seen; several have to share it, which costs a commit for each request, and so must be asked for.
//! A lock sees to it that nobody who remembers alone is beside another.

use std::fs::{File, TryLockError};

use super::{Data, DataError};
use crate::config::OAuth1Settings;

/// Held while a process takes signed requests. The system lets go of it however the process ends.
#[derive(Debug)]
pub struct TakingSigned {
    _lock: File,
}

impl Data {
    /// Makes sure that all processes that take signed requests know what the others have seen.
    /// `None` where none are taken.
    ///
    /// # Errors
    /// [`DataError::NoncesNotShared`], or [`DataError::File`].
    pub fn take_signed(&self, oauth1: &OAuth1Settings) -> Result<Option<TakingSigned>, DataError> {
        if !oauth1.enabled {
            return Ok(None);
        }
        let path = self.dir.join("oauth1.lock");
        let failure = |error| DataError::File { path: path.clone(), error };
        let lock = super::open_lock(&path).map_err(failure)?;
        let locked =
            if oauth1.several_processes { lock.try_lock_shared() } else { lock.try_lock() };
        match locked {
            Ok(()) => Ok(Some(TakingSigned { _lock: lock })),
            Err(TryLockError::WouldBlock) => Err(DataError::NoncesNotShared),
            Err(TryLockError::Error(error)) => Err(failure(error)),
        }
    }
}
