//! The record of a client that a program registers.

use std::sync::Arc;

use crate::{Timestamp, provider::store::RowId};

use super::{
    metadata::CheckedMetadata, new::NewClient, record::Client, redirect_uri::RedirectPattern,
};

impl NewClient {
    /// The record of a client with these settings, without secrets.
    pub(super) fn record(
        &self,
        checked: &CheckedMetadata,
        id: Arc<str>,
        number: RowId,
        created: Timestamp,
    ) -> Client {
        let patterns = self.redirect_patterns.iter();
        Client {
            first_party: self.first_party,
            resource_server: self.resource_server.clone(),
            without_pkce: self.without_pkce,
            redirect_patterns: patterns
                .filter_map(|pattern| RedirectPattern::parse(pattern).ok())
                .collect(),
            requires_pkce: self.requires_pkce,
            default_scopes: self.default_scopes.clone(),
            lifetimes: self.lifetimes,
            without_rotation: self.without_rotation,
            access_token_format: self.access_token_format,
            openid: self.openid.clone(),
            about: self.about.clone().member(),
            ..checked.client(id, number, self.scopes.clone(), created)
        }
    }
}
