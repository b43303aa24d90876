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
        let mut registration = self.registration.clone();
        if let Some(registration) = &mut registration {
            if wanted.scopes != self.scopes {
                registration.scope_ceiling = Some(wanted.scopes.clone());
            }
            if wanted.grant_types != self.grant_types {
                registration.grant_type_ceiling = Some(wanted.grant_types.clone());
            }
        }
        let Self {
            id,
            number,
            created,
            from_document,
            registration: _,
            longest_use_before,
            name: _,
            client_type: _,
            auth: _,
            secrets: _,
            redirect_uris: _,
            redirect_patterns: _,
            scopes: _,
            default_scopes: _,
            grant_types: _,
            first_party: _,
            oauth1: _,
            resource_server: _,
            without_pkce: _,
            requires_pkce: _,
            lifetimes: _,
            without_rotation: _,
            access_token_format: _,
            openid: _,
            about: _,
            is_in_table: _,
        } = self.clone();
        let mut client =
            Self { id, number, created, from_document, registration, longest_use_before, ..wanted };
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
            openid,
            about: _,
            is_in_table: _,
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
            first_party: self.first_party && is_same,
            oauth1: self.oauth1.clone().filter(|_| is_confidential),
            resource_server: self.resource_server.clone().filter(|_| is_confidential),
            without_pkce: self.without_pkce && is_confidential,
            without_rotation: self.without_rotation && is_confidential,
            openid,
            name,
            client_type,
            auth,
            redirect_uris,
            scopes,
            grant_types,
            registration,
            ..self.clone()
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
            client_uri,
            logo_uri,
            tos_uri,
            policy_uri,
            contacts,
            software_id,
            software_version,
            software_statement,
            ..self.clone()
        }
    }
}
