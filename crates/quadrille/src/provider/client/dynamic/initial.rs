//! Initial access tokens (RFC 7591, section 3): issued, listed and revoked by the operator.

use std::time::Duration;

use crate::{
    Secret,
    provider::{
        client::name::is_shown,
        error::Error,
        server::{AuthorizationServer, Inner},
        store::{InitialTokenRecord, RowId, SecretHash, StoreError},
        token::format::sha256,
    },
};

/// An initial access token, when it is issued.
///
/// ```
/// use quadrille::provider::InitialAccessToken;
///
/// fn show_once(issued: &InitialAccessToken) -> &str {
///     issued.token.expose()
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InitialAccessToken {
    /// The token. The server has only its hash: show it once.
    pub token: Secret,
    /// The record.
    pub record: InitialTokenRecord,
}

/// The reason why no initial access token was issued.
///
/// ```
/// use quadrille::provider::InitialTokenError;
///
/// assert!(InitialTokenError::Name.to_string().contains("100 characters"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitialTokenError {
    /// The name is empty or too long, or has invisible characters.
    #[error("an initial access token needs a name of at most 100 characters, all of them visible")]
    Name,
    /// The server failed.
    #[error(transparent)]
    Server(#[from] Error),
}

impl From<StoreError> for InitialTokenError {
    fn from(error: StoreError) -> Self {
        Self::Server(error.into())
    }
}

impl AuthorizationServer {
    /// Issues an initial access token (RFC 7591, section 3), with which `uses` clients (at least
    /// one) can be registered within `lifetime`. The name is for the operator, and stands in the
    /// clients' records.
    ///
    /// # Errors
    /// [`InitialTokenError`].
    pub async fn issue_initial_access_token(
        &self,
        name: &str,
        uses: u32,
        lifetime: Duration,
    ) -> Result<InitialAccessToken, InitialTokenError> {
        let (inner, name) = (self.inner(), name.trim());
        if !is_shown(name) {
            return Err(InitialTokenError::Name);
        }
        let issuer = inner.issuer_id().await?;
        let (hash, token) = random_token(inner);
        let record = InitialTokenRecord {
            row: inner.row().await?,
            hash,
            name: name.into(),
            uses: uses.max(1),
            expires: inner.now() + lifetime,
        };
        inner.store.put_initial_token(issuer, record.clone()).await?;
        tracing::info!(number = record.row.0, name, uses, "initial access token issued");
        Ok(InitialAccessToken { token, record })
    }

    /// The initial access tokens that can still be used, the oldest first.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn initial_access_tokens(&self) -> Result<Vec<InitialTokenRecord>, Error> {
        let inner = self.inner();
        let now = inner.now();
        let mut tokens = inner.store.initial_tokens(inner.issuer_id().await?).await?;
        tokens.retain(|token| now < token.expires);
        Ok(tokens)
    }

    /// Revokes an initial access token, by the number of its row. The clients that were registered
    /// with it remain. `false` if there was none.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn revoke_initial_access_token(&self, row: RowId) -> Result<bool, Error> {
        let inner = self.inner();
        let was_there = inner.store.remove_initial_token(inner.issuer_id().await?, row).await?;
        if was_there {
            tracing::info!(number = row.0, "initial access token revoked");
        }
        Ok(was_there)
    }
}

/// A token that cannot be guessed, and its hash.
pub(super) fn random_token(inner: &Inner) -> (SecretHash, Secret) {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let token = BASE64_URL_SAFE_NO_PAD.encode(inner.env.random::<32>());
    (sha256(token.as_bytes()), Secret::from(token))
}
