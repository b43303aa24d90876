//! What the program around a server does to registered clients, and to what they were granted.

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

use super::record::{Client, ClientSecret, ClientType, SecretVerifier};

/// Why a client was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// There is no such client.
    #[error("there is no client with this id")]
    UnknownClient,
    /// It is a public client, which has no secret.
    #[error("a public client has no secret")]
    PublicClient,
    /// The key for OAuth 1.0a was not taken.
    #[error(transparent)]
    OAuth1Key(#[from] NewKeyError),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] Error),
}

impl AuthorizationServer {
    /// A client.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn client(&self, id: &str) -> Result<Option<Arc<Client>>, Error> {
        let inner = self.inner();
        Ok(inner.store.client(inner.issuer_id().await?, id).await?)
    }

    /// All clients, ordered by id.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn clients(&self) -> Result<Vec<Arc<Client>>, Error> {
        let inner = self.inner();
        Ok(inner.store.clients(inner.issuer_id().await?).await?)
    }

    /// Gives a client a new secret. Those it has stay good for `overlap`, so that the new one can
    /// be rolled out first.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn rotate_secret(&self, id: &str, overlap: Duration) -> Result<Secret, AdminError> {
        let inner = self.inner();
        let issuer = inner.issuer_id().await?;
        let (verifier, secret) = self.generate();
        loop {
            let before = self.client(id).await?.ok_or(AdminError::UnknownClient)?;
            if before.client_type == ClientType::Public {
                return Err(AdminError::PublicClient);
            }
            let client = with_secret(&before, verifier.clone(), inner.now(), overlap);
            if inner.store.put_client(issuer, client, Some(before)).await.map_err(Error::from)? {
                tracing::info!(client = id, "client secret rotated");
                return Ok(secret);
            }
            // It was changed in between: the change must not be undone.
        }
    }

    /// Removes a client, and with it all it was granted. Says whether it was there.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn remove_client(&self, id: &str) -> Result<bool, Error> {
        let inner = self.inner();
        let was_there = inner.store.remove_client(inner.issuer_id().await?, id).await?;
        if was_there {
            tracing::info!(client = id, "client removed");
        }
        Ok(was_there)
    }

    /// Revokes an access or refresh token, whosever it is, and all that was granted with it. Says
    /// whether it was worth anything.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn revoke_token(&self, token: &Secret) -> Result<bool, Error> {
        let inner = self.inner();
        let Some(found) = lookup::find(inner, token.expose()).await? else { return Ok(false) };
        let grant = found.grant();
        let until = grant::all_over(inner, inner.now());
        let revoked = inner.store.revoke_grant(inner.issuer_id().await?, grant.id, until).await?;
        tracing::info!(grant = grant.id.0, client = %grant.client, "grant revoked by the operator");
        Ok(revoked)
    }

    /// Ends all that a person let clients do: tokens and remembered consents. The person may
    /// consent again, unless [removed](Self::remove_subject). Sessions are the application's own to
    /// end.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn revoke_subject(&self, subject: &str) -> Result<(), Error> {
        let last = self.newest_row().await?;
        self.revoke_all(RevokeAll::Subject(subject.into()), last).await
    }

    /// Ends everything of a person for ever: whatever this subject is granted later is worthless,
    /// also by a request that is under way and took them for signed in. So a subject must not be
    /// given to anybody else.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn remove_subject(&self, subject: &str) -> Result<(), Error> {
        self.revoke_all(RevokeAll::Subject(subject.into()), RowId::MAX).await
    }

    /// Takes back what a person has let a client do: tokens and the remembered consent.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn revoke_consent(&self, subject: &str, client: &str) -> Result<(), Error> {
        let what = RevokeAll::Consent { subject: subject.into(), client: client.into() };
        self.revoke_all(what, self.newest_row().await?).await
    }

    /// No earlier grant has a higher number.
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

/// The client with one secret more, and all others good for `overlap` at most.
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
