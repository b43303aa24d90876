//! Revocation of a token by its client (RFC 7009).

use crate::provider::{
    client::record::Client,
    error::Error,
    server::Inner,
    store::{Grant, RowId},
};

use super::{grant, lookup};

/// Revokes the grant behind a token, if it is the client's own. A token that is unknown, or another
/// client's, changes nothing.
pub(crate) async fn by_client(inner: &Inner, client: &Client, token: &str) -> Result<(), Error> {
    let Some(found) = lookup::find(inner, token).await? else { return Ok(()) };
    let Some(grant) = revocable(found.grant(), client) else { return Ok(()) };
    let until = grant::all_over(inner, Some(client), inner.now());
    if inner.store.revoke_grant(inner.issuer_id().await?, grant, until).await? {
        tracing::info!(client = %client.id, grant = grant.0, "the client revoked a grant");
    }
    Ok(())
}

/// The grant that a client may revoke: one of its own.
fn revocable(grant: &Grant, client: &Client) -> Option<RowId> {
    (grant.client == client.id).then_some(grant.id)
}
