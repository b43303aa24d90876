//! Changes of a registered client. Each begins with the stored record, and replaces the members
//! that the change is about. Every member is named here, so that a new one is decided on.

use crate::Policy;

use super::{
    dynamic::record::ClientRegistration,
    record::{Client, ClientType},
};

impl Client {
    /// This client with the settings and secrets of `wanted`, at the operator's wish. The origin of
    /// the client remains: also a client that registered itself is changed.
    pub(super) fn with_settings(&self, wanted: Self, server: &Policy) -> Self {
        let Self {
            id: _,
            number: _,
            created: _,
            from_document: _,
            registration: _,
            longest_use_before: _,
            name,
            client_type,
            auth,
            secrets,
            redirect_uris,
            redirect_patterns,
            scopes,
            default_scopes,
            grant_types,
            first_party,
            oauth1,
            resource_server,
            without_pkce,
            requires_pkce,
            lifetimes,
            without_rotation,
            access_token_format,
        } = wanted;
        let mut registration = self.registration.clone();
        if let Some(registration) = &mut registration {
            if scopes != self.scopes {
                registration.scope_ceiling = Some(scopes.clone());
            }
            if grant_types != self.grant_types {
                registration.grant_type_ceiling = Some(grant_types.clone());
            }
        }
        let mut client = Self {
            id: self.id.clone(),
            number: self.number,
            created: self.created,
            from_document: self.from_document,
            registration,
            longest_use_before: self.longest_use_before,
            name,
            client_type,
            auth,
            secrets,
            redirect_uris,
            redirect_patterns,
            scopes,
            default_scopes,
            grant_types,
            first_party,
            oauth1,
            resource_server,
            without_pkce,
            requires_pkce,
            lifetimes,
            without_rotation,
            access_token_format,
        };
        client.remember_longest_use(self, server);
        client
    }

    /// This client with the metadata of `wanted`, at its own wish (RFC 7592, section 2.2). The
    /// operator's settings remain, except those that the new metadata does not deserve: a client
    /// with another name or redirect URI is asked consent for, and a public client has no setting
    /// that needs a secret.
    pub(super) fn with_metadata(&self, wanted: Self) -> Self {
        let Self {
            id: _,
            number: _,
            created: _,
            from_document: _,
            longest_use_before: _,
            secrets: _,
            redirect_patterns: _,
            default_scopes: _,
            first_party: _,
            oauth1: _,
            resource_server: _,
            without_pkce: _,
            requires_pkce: _,
            lifetimes: _,
            without_rotation: _,
            access_token_format: _,
            name,
            client_type,
            auth,
            redirect_uris,
            scopes,
            grant_types,
            registration,
        } = wanted;
        let is_same = name == self.name && redirect_uris == self.redirect_uris;
        let is_confidential = client_type == ClientType::Confidential;
        let registration = match (registration, &self.registration) {
            (Some(new), Some(old)) => Some(Box::new(old.with_metadata(*new))),
            (_, old) => old.clone(),
        };
        Self {
            id: self.id.clone(),
            number: self.number,
            created: self.created,
            from_document: self.from_document,
            longest_use_before: self.longest_use_before,
            secrets: self.secrets.clone(),
            redirect_patterns: self.redirect_patterns.clone(),
            default_scopes: self.default_scopes.clone(),
            first_party: self.first_party && is_same,
            oauth1: self.oauth1.clone().filter(|_| is_confidential),
            resource_server: self.resource_server.clone().filter(|_| is_confidential),
            without_pkce: self.without_pkce && is_confidential,
            requires_pkce: self.requires_pkce,
            lifetimes: self.lifetimes,
            without_rotation: self.without_rotation && is_confidential,
            access_token_format: self.access_token_format,
            name,
            client_type,
            auth,
            redirect_uris,
            scopes,
            grant_types,
            registration,
        }
    }
}

impl ClientRegistration {
    /// This registration with the metadata of `wanted`.
    fn with_metadata(&self, wanted: Self) -> Self {
        let Self {
            token: _,
            previous_token: _,
            unused_until: _,
            from: _,
            initial_access_token: _,
            changed: _,
            scope_ceiling: _,
            grant_type_ceiling: _,
            client_uri,
            logo_uri,
            tos_uri,
            policy_uri,
            contacts,
            software_id,
            software_version,
            software_statement,
        } = wanted;
        Self {
            token: self.token,
            previous_token: self.previous_token,
            unused_until: self.unused_until,
            from: self.from,
            initial_access_token: self.initial_access_token.clone(),
            changed: self.changed,
            scope_ceiling: self.scope_ceiling.clone(),
            grant_type_ceiling: self.grant_type_ceiling.clone(),
            client_uri,
            logo_uri,
            tos_uri,
            policy_uri,
            contacts,
            software_id,
            software_version,
            software_statement,
        }
    }
}
