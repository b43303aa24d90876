//! The logo of a client that is not shown any more.

use std::sync::Arc;

use quadrille::provider::Client;

use crate::data::Backend;

/// Removes the logo of a client. Another client with the same address gets it again.
pub(super) async fn forget_logo(backend: &Arc<dyn Backend>, client: &Client) {
    if let Some(url) = client.about().logo_uri.as_deref()
        && let Err(error) = backend.forget_logo(url).await
    {
        tracing::warn!(%error, url, "the logo of a client stays for thirty days");
    }
}
