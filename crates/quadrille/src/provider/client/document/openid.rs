//! The OpenID Connect metadata in a document, for a server.

use crate::provider::{
    client::{
        dynamic::self_described::Server, metadata::CheckedMetadata, registered_auth::ClientKeys,
    },
    openid::client::ClientOpenId,
};

use super::{error::ClientDocumentError, members::Members};

/// Reads and checks the metadata, beside the other metadata.
pub(super) fn read(
    server: &Server<'_>,
    members: &Members,
    beside: &CheckedMetadata,
) -> Result<ClientOpenId, ClientDocumentError> {
    Ok(server.read(&members.effective, keys(server, members), beside)?)
}

/// The keys of a document, if they are of use here. Those that cannot be read, or fetched, are none: a
/// document that needs them is refused.
fn keys(server: &Server<'_>, members: &Members) -> Option<ClientKeys> {
    let keys = match (&members.jwks, &members.jwks_uri) {
        (Some(jwks), None) => ClientKeys::Jwks(jwks.get().into()),
        (None, Some(uri)) if server.fetches_keys => {
            ClientKeys::JwksUri(server.hosts.address("jwks_uri", Some(uri)).ok()??)
        }
        _ => return None,
    };
    keys.read().is_ok().then_some(keys)
}
