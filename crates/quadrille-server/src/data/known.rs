//! The settings of this data directory on which clients depend: scopes, APIs and grants.
//!
//! A client may only be added for scopes and APIs that exist, and needs a provider that offers its
//! grants. A command rarely gets all settings that `serve` got. So `serve` records these.

use std::sync::Arc;

use quadrille::{
    oauth2::Resources,
    provider::{Client, store::StoreError},
};

use super::{Data, DataError, Known};
use crate::config::{Offer, Settings};

impl Data {
    /// Records the scopes, APIs and grants that this directory is served with.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn served_with(&self, settings: &Settings) -> Result<(), DataError> {
        let known = Known::of(settings);
        if self.written_down().await?.as_ref() == Some(&known) {
            return Ok(());
        }
        let recorded = self.backend.record_served_with(known).await;
        recorded.map_err(|error| self.failure(error))
    }

    /// The scopes, APIs and grants that clients can request: those in the settings, else the
    /// recorded ones.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn known(&self, settings: &Settings) -> Result<Known, DataError> {
        let mut known = Known::of(settings);
        let Some(before) = self.written_down().await? else { return Ok(known) };
        if settings.is_default("scopes") {
            known.scopes = before.scopes;
        }
        if settings.is_default("resources") {
            known.resources = before.resources;
        }
        if settings.is_default("oauth1.enabled") {
            known.oauth1 = before.oauth1;
        }
        for Offer { grant_type, setting, .. } in settings.grants() {
            if !settings.is_default(setting) {
                continue;
            }
            match before.grant_types.contains(&grant_type) {
                true => known.grant_types.insert(grant_type),
                false => known.grant_types.remove(&grant_type),
            };
        }
        Ok(known)
    }

    async fn written_down(&self) -> Result<Option<Known>, DataError> {
        self.backend.served_with().await.map_err(|error| self.failure(error))
    }
}

impl Known {
    pub(super) fn of(settings: &Settings) -> Self {
        let grants = settings.grants().into_iter().filter(|offer| offer.is_on);
        Self {
            scopes: settings.scopes.clone(),
            resources: settings.resources.clone(),
            grant_types: grants.map(|offer| offer.grant_type).collect(),
            oauth1: settings.oauth1.enabled,
        }
    }

    /// Those of a client's grants that are off.
    pub fn off(&self, settings: &Settings, client: &Client) -> Vec<Offer> {
        let is_off = |offer: &Offer| {
            client.grant_types.contains(&offer.grant_type)
                && !self.grant_types.contains(&offer.grant_type)
        };
        settings.grants().into_iter().filter(is_off).collect()
    }
}

/// [`Known`] as columns of a database.
pub(super) struct KnownColumns {
    /// An object in JSON of names and descriptions.
    pub(super) scopes: String,
    /// URIs, separated by spaces.
    pub(super) resources: String,
    /// An array in JSON.
    pub(super) grant_types: String,
    /// Whether OAuth 1.0a is offered.
    pub(super) oauth1: bool,
}

impl KnownColumns {
    /// The columns of these settings.
    pub(super) fn of(known: &Known) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Failed(Arc::new(error));
        Ok(Self {
            scopes: serde_json::to_string(&known.scopes).map_err(failed)?,
            resources: known.resources.as_str().to_owned(),
            grant_types: serde_json::to_string(&known.grant_types).map_err(failed)?,
            oauth1: known.oauth1,
        })
    }

    /// The settings in these columns.
    pub(super) fn read(self) -> Result<Known, StoreError> {
        let corrupt = || StoreError::Corrupt("the settings with which the database was served");
        let resources = self.resources.split(' ').filter(|uri| !uri.is_empty());
        Ok(Known {
            scopes: serde_json::from_str(&self.scopes).map_err(|_| corrupt())?,
            resources: Resources::of(resources).map_err(|_| corrupt())?,
            grant_types: serde_json::from_str(&self.grant_types).map_err(|_| corrupt())?,
            oauth1: self.oauth1,
        })
    }
}
