//! Clients that describe themselves, at the authorization endpoint: they are described when they
//! request something, and stored with a user's consent.

use std::sync::Arc;

use crate::{
    RemoteAddress, Scopes,
    provider::{
        authorize::error::BrowserError,
        client::{
            dynamic::{self_described::Server, used},
            record::Client,
        },
        error::Error,
        server::Inner,
    },
};

use super::{
    metadata::{self, NOT_STORED},
    openid,
};

/// The client of an authorization request: as registered, or as it describes itself now.
pub(crate) async fn client_that_asks(
    inner: &Inner,
    id: &str,
    from: Option<RemoteAddress>,
) -> Result<Option<Arc<Client>>, Error> {
    let stored = inner.store.client(inner.issuer_id().await?, id).await?;
    if stored.as_ref().is_some_and(|client| !client.from_document) {
        return Ok(stored.filter(|client| !client.is_gone(inner.now())));
    }
    let (Some(documents), Some(url)) = (&inner.documents, metadata::url_of(id)) else {
        return Ok(None);
    };
    let now = inner.now();
    let read = |body: &[u8]| {
        let server = Server::of(inner);
        metadata::read(&url, body, &documents.reserved, |members, beside| {
            openid::read(&server, members, beside)
        })
    };
    let described = documents.describe(&url, stored.is_some(), from, &inner.env, read).await;
    let described = described.inspect_err(|reason| {
        tracing::info!(client = id, %reason, "the metadata document of a client is not accepted");
    })?;
    let known: Option<Scopes> = documents.scopes.clone();
    let ceiling = known.unwrap_or_else(|| inner.scopes.names().collect());
    Ok(Some(Arc::new(described.client(&ceiling, stored.as_deref(), now))))
}

/// Stores a client that describes itself, with the consent of a user, and that a client that
/// registered itself is used. Any other client is stored already. The client must not have been
/// removed since the user was asked.
pub(crate) async fn let_in(inner: &Inner, client: Arc<Client>) -> Result<Arc<Client>, Error> {
    if !client.from_document {
        let client = used::mark(inner, client).await?;
        return client.ok_or(BrowserError::ClientChanged.into());
    }
    let issuer = inner.issuer_id().await?;
    loop {
        let stored = inner.store.client(issuer, &client.id).await?;
        let row = match &stored {
            Some(stored) if is_same(stored, &client) => {
                Client { number: stored.number, created: stored.created, ..Client::clone(&client) }
            }
            None if client.number == NOT_STORED => {
                Client { number: inner.newer_row().await?, ..Client::clone(&client) }
            }
            _ => return Err(BrowserError::ClientChanged.into()),
        };
        if stored.as_deref() == Some(&row) {
            return Ok(Arc::new(row));
        }
        if inner.store.put_client(issuer, row.clone(), stored).await? {
            tracing::info!(client = %row.id, "a client that describes itself was stored");
            return Ok(Arc::new(row));
        }
        // The client was stored or removed in between.
    }
}

/// `true` if the stored client is the one on the consent page, not another one with its id.
fn is_same(stored: &Client, asked: &Client) -> bool {
    stored.from_document && (asked.number == NOT_STORED || asked.number == stored.number)
}
