//! The scopes and APIs that clients of this data directory can request.
//!
//! A client may only be added for scopes and APIs that exist. These are settings, and a command
//! rarely gets all settings that `serve` got. So `serve` records them.

use super::{Data, DataError, Known};
use crate::config::Settings;

impl Data {
    /// Records the scopes and APIs that this directory is served with.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn served_with(&self, settings: &Settings) -> Result<(), DataError> {
        let known =
            Known { scopes: settings.scopes.clone(), resources: settings.resources.clone() };
        if self.written_down().await?.as_ref() == Some(&known) {
            return Ok(());
        }
        let recorded = self.backend.record_served_with(known).await;
        recorded.map_err(|error| self.failure(error))
    }

    /// The scopes and APIs that clients can request: those in the settings, else the recorded ones.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn known(&self, settings: &Settings) -> Result<Known, DataError> {
        let mut known =
            Known { scopes: settings.scopes.clone(), resources: settings.resources.clone() };
        if let Some(before) = self.written_down().await? {
            if settings.is_default("scopes") {
                known.scopes = before.scopes;
            }
            if settings.is_default("resources") {
                known.resources = before.resources;
            }
        }
        Ok(known)
    }

    async fn written_down(&self) -> Result<Option<Known>, DataError> {
        self.backend.served_with().await.map_err(|error| self.failure(error))
    }
}
