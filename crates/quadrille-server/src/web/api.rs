//! The guard of the program's own API, `/api/me`.

use quadrille::{
    guard::Guard,
    oauth2::{InvalidResource, metadata::ResourceMetadata},
    provider::AuthorizationServer,
};

/// The path below that of the issuer.
pub(super) const PATH: &str = "/api/me";

/// The guard of the API with this URI at a site with this name. It accepts also clients that sign
/// for themselves (OAuth 1.0a), as it accepts their access tokens (RFC 6749, section 4.4).
pub(super) fn guard(
    server: &AuthorizationServer,
    uri: &str,
    site: &str,
) -> Result<Guard, InvalidResource> {
    let mut metadata = ResourceMetadata::of(uri);
    metadata.resource_name = Some(site.to_owned());
    let guard = Guard::new(server).allow_clients_that_sign_for_themselves_without_a_token();
    guard.describe_own(metadata)
}
