//! The first use of a client that registered itself, after which it is kept.

use std::sync::Arc;

use crate::provider::{client::record::Client, error::Error, server::Inner};

/// Stores that the client is used. `None` if it was removed meanwhile.
pub(crate) async fn mark(inner: &Inner, client: Arc<Client>) -> Result<Option<Arc<Client>>, Error> {
    if client.unused_until().is_none() {
        return Ok(Some(client));
    }
    let issuer = inner.issuer_id().await?;
    loop {
        let stored = inner.store.client(issuer, &client.id).await?;
        let stored = stored.filter(|stored| stored.number == client.number);
        let Some(stored) = stored else { return Ok(None) };
        let mut used = Client::clone(&stored);
        match &mut used.registration {
            Some(registration) if registration.unused_until.is_some() => {
                (registration.unused_until, registration.from) = (None, None);
            }
            _ => return Ok(Some(stored)),
        }
        if inner.store.put_client(issuer, used.clone(), Some(stored)).await? {
            tracing::info!(client = %used.id, "a client that registered itself is used");
            return Ok(Some(Arc::new(used)));
        }
        // The client was changed in between.
    }
}
