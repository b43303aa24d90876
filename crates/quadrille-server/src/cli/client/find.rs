//! The client that a command names.

use std::sync::Arc;

use quadrille::provider::{AuthorizationServer, Client};

use crate::Failure;

pub(super) async fn find(server: &AuthorizationServer, id: &str) -> Result<Arc<Client>, Failure> {
    server.client(id).await?.ok_or_else(|| not_found(id))
}

pub(super) fn not_found(id: &str) -> Failure {
    Failure::NotFound { what: "client", name: id.to_owned() }
}
