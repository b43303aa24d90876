//! What clients of this data directory can ask for.
//!
//! A client may only be added for scopes and APIs that exist. Those are settings, and commands are
//! seldom told all that `serve` was told: so `serve` writes them down.

use std::{collections::BTreeMap, sync::Arc};

use quadrille::{oauth2::Resources, provider::store::StoreError};

use super::{Data, DataError};
use crate::config::Settings;

/// What clients can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Scopes and what they mean.
    pub scopes: BTreeMap<String, String>,
    /// The APIs that tokens can be meant for.
    pub resources: Resources,
}

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
        let write = self.store.write(move |transaction| -> Result<(), StoreError> {
            let scopes = serde_json::to_string(&known.scopes)
                .map_err(|error| StoreError::Failed(Arc::new(error)))?;
            transaction.execute(
                "INSERT INTO quadrille_program_served_with (only, scopes, resources)
                 VALUES (1, ?1, ?2)
                 ON CONFLICT (only) DO UPDATE SET scopes = ?1, resources = ?2",
                (&scopes, known.resources.as_str()),
            )?;
            Ok(())
        });
        write.await.map_err(|error| self.failure(error))
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
        let read = self.store.read(|connection| {
            let sql = "SELECT scopes, resources FROM quadrille_program_served_with";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let (scopes, resources): (String, String) = (row.get(0)?, row.get(1)?);
            let corrupt = || StoreError::Corrupt("what the directory was served with");
            Ok(Some(Known {
                scopes: serde_json::from_str(&scopes).map_err(|_| corrupt())?,
                resources: Resources::of(resources.split(' ').filter(|uri| !uri.is_empty()))
                    .map_err(|_| corrupt())?,
            }))
        });
        read.await.map_err(|error| self.failure(error))
    }
}
