//! The settings of an API that introspects tokens, before its registration.

use crate::oauth2::Resources;

use super::new::NewClient;

impl NewClient {
    /// Declares the client as an API elsewhere, which may introspect its tokens (RFC 7662): those
    /// for `resources`, by the URIs of
    /// [`AuthorizationServer::resource`](crate::provider::AuthorizationServer::resource), or, if
    /// `resources` is empty, those that name no API. It needs a secret, and no grant type.
    #[must_use]
    pub fn resource_server(mut self, resources: Resources) -> Self {
        self.resource_server = Some(resources);
        self
    }

    /// Withdraws [`resource_server`](Self::resource_server): the client introspects no tokens.
    #[must_use]
    pub fn without_resource_server(mut self) -> Self {
        self.resource_server = None;
        self
    }
}
