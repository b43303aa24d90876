//! Administration of registered clients and their grants.

use std::{sync::Arc, time::Duration};

use crate::{
    Secret, Timestamp,
    provider::{
        error::Error,
        oauth1::new_key::NewKeyError,
        server::AuthorizationServer,
        store::{RevokeAll, RowId},
        token::{grant, lookup},
    },
};

use super::{
    record::{Client, ClientSecret, ClientType, SecretVerifier},
    registered_auth::RegisteredAuth,
};

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

    /// Adds a generated secret to a client. The other secrets remain valid for `overlap`, so that
    /// the new one can be rolled out first.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn rotate_secret(&self, id: &str, overlap: Duration) -> Result<Secret, AdminError> {
        let inner = self.inner();
        let issuer = inner.issuer_id().await?;
        loop {
            let before = self.client(id).await?.ok_or(AdminError::UnknownClient)?;
            if before.client_type == ClientType::Public {
                return Err(AdminError::PublicClient);
            }
            if let Some(RegisteredAuth::PrivateKeyJwt { .. }) = before.auth {
                return Err(AdminError::PrivateKeys);
            }
            let (verifier, secret) = self.generate(before.auth.as_ref());
            let client = with_secret(&before, verifier, inner.now(), overlap);
            if inner.store.put_client(issuer, client, Some(before)).await.map_err(Error::from)? {
                tracing::info!(client = id, "client secret rotated");
                return Ok(secret);
            }
            // The client was changed in between, and this must not undo that change.
        }
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

    /// Revokes the grant behind an access or refresh token of any client. `false` if the token is
    /// invalid, or its grant was revoked already.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn revoke_token(&self, token: &Secret) -> Result<bool, Error> {
        let inner = self.inner();
        let Some(found) = lookup::find(inner, token.expose()).await? else { return Ok(false) };
        let grant = found.grant();
        let issuer = inner.issuer_id().await?;
        let client = inner.store.client(issuer, &grant.client).await?;
        let until = grant::all_over(inner, client.as_deref(), inner.now());
        let revoked = inner.store.revoke_grant(issuer, grant.id, until).await?;
        tracing::info!(grant = grant.id.0, client = %grant.client, "grant revoked by the operator");
        Ok(revoked)
    }

    /// Revokes all grants of a user, and removes the consents. The user may consent again, unless
    /// [removed](Self::remove_subject). The application ends its sessions itself.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn revoke_subject(&self, subject: &str) -> Result<(), Error> {
        let last = self.newest_row().await?;
        self.revoke_all(RevokeAll::Subject(subject.into()), last).await
    }

    /// Revokes all grants of a user, also those that this subject gets later, for example by a
    /// request that is under way and found the user signed in. A removed subject can never be given
    /// to another user.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn remove_subject(&self, subject: &str) -> Result<(), Error> {
        self.revoke_all(RevokeAll::Subject(subject.into()), RowId::MAX).await
    }

    /// Withdraws the consent of a user to a client: revokes its grants and removes the consent.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn revoke_consent(&self, subject: &str, client: &str) -> Result<(), Error> {
        let what = RevokeAll::Consent { subject: subject.into(), client: client.into() };
        self.revoke_all(what, self.newest_row().await?).await
    }

    /// A number that no earlier grant exceeds.
    async fn newest_row(&self) -> Result<RowId, Error> {
        let inner = self.inner();
        // Other processes may have drawn higher numbers in this millisecond.
        Ok(inner.newer_row().await?.max(RowId::last_at(inner.now())))
    }

    async fn revoke_all(&self, what: RevokeAll, last: RowId) -> Result<(), Error> {
        let inner = self.inner();
        tracing::info!(?what, "everything revoked");
        Ok(inner.store.revoke_all(inner.issuer_id().await?, what, last).await?)
    }
}

/// The client with one secret more; the others remain valid for at most `overlap`.
fn with_secret(
    client: &Client,
    verifier: SecretVerifier,
    now: Timestamp,
    overlap: Duration,
) -> Client {
    let mut client = client.clone();
    let end = now + overlap;
    for known in &mut client.secrets {
        known.expires = Some(known.expires.map_or(end, |expires| expires.min(end)));
    }
    client.secrets.retain(|known| known.expires.is_none_or(|expires| now < expires));
    client.secrets.push(ClientSecret { verifier, expires: None });
    client
}
