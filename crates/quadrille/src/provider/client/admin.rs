//! Administration of registered clients.

use std::sync::Arc;

use crate::provider::{error::Error, server::AuthorizationServer};

use super::{oauth1::new_key::NewKeyError, record::Client};

/// The reason why a client is not changed.
///
/// ```
/// use quadrille::provider::AdminError;
///
/// assert_eq!(AdminError::PublicClient.to_string(), "a public client has no secret");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The client is not registered.
    #[error("there is no client with this id")]
    UnknownClient,
    /// The client is public, and has no secret.
    #[error("a public client has no secret")]
    PublicClient,
    /// The client signs with a private key, and has no secret.
    #[error("a client that signs with a private key has no secret")]
    PrivateKeys,
    /// The secret is not among those of the client.
    #[error("the client has no secret with this id")]
    UnknownSecret,
    /// The secret is the only valid one of the client.
    #[error("this is the only valid secret of the client: add another one first")]
    LastSecret,
    /// The client has five secrets that have not expired.
    #[error("a client has at most five secrets: remove one first")]
    TooManySecrets,
    /// The expiry of the new secret is in the past.
    #[error("the expiry of the secret is in the past")]
    SecretExpired,
    /// The chosen secret is too short.
    #[error("a chosen secret needs at least 12 characters")]
    ShortSecret,
    /// The client signs with its secret, which is too short for that.
    #[error("a secret that a client signs with is as long as the hash: 32 characters for HS256")]
    ShortSecretOfAssertions,
    /// The client signs with its secret, of which only a verifier is there.
    #[error("a client that signs with its secret brings the secret itself along")]
    VerifierOfAssertions,
    /// The key for OAuth 1.0a is rejected.
    #[error(transparent)]
    OAuth1Key(#[from] NewKeyError),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] Error),
}

impl AuthorizationServer {
    /// The client with this `client_id`.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn client(&self, id: &str) -> Result<Option<Arc<Client>>, Error> {
        let inner = self.inner();
        Ok(inner.store.client(inner.issuer_id().await?, id).await?)
    }

    /// All clients, ordered by id.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn clients(&self) -> Result<Vec<Arc<Client>>, Error> {
        let inner = self.inner();
        Ok(inner.store.clients(inner.issuer_id().await?).await?)
    }

    /// Removes a client and its grants. `false` if it was not registered.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn remove_client(&self, id: &str) -> Result<bool, Error> {
        let inner = self.inner();
        let was_there = inner.store.remove_client(inner.issuer_id().await?, id).await?;
        if was_there {
            tracing::info!(client = id, "client removed");
        }
        Ok(was_there)
    }
}
