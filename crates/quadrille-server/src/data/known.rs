//! What clients of this data directory can ask for.
//!
//! A client may only be added for scopes and APIs that exist. Those are settings, and commands are
//! seldom told all that `serve` was told: so `serve` writes them down.

use super::{Data, DataError, Known};
use crate::config::Settings;

impl Data {
    /// Writes down with which scopes and APIs this directory is served.
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

    /// What clients can ask for: what the settings say, else what it was served with last.
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
