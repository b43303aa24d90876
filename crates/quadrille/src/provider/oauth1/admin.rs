//! Administration of clients' keys for OAuth 1.0a.

use std::{sync::Arc, time::Duration};

use crate::{
    Secret,
    provider::{
        client::{
            admin::AdminError,
            oauth1::{
                new_key::{self, NewKey, NewKeyError},
                record::{Credential, Key, Registration},
            },
            record::{Client, ClientType},
        },
        error::Error,
        server::AuthorizationServer,
    },
};

impl AuthorizationServer {
    /// Adds a key for OAuth 1.0a to a client, which needs no key before. The client's other keys
    /// remain valid for `overlap`, so that the new one can be rolled out first. Returns the secret
    /// if one was generated.
    ///
    /// ```
    /// # use quadrille::{
    /// #     Env,
    /// #     provider::{AuthorizationServer, NewClient, oauth1::NewKey, store::MemoryStore},
    /// # };
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let new = NewClient::confidential("Photo printer")
    ///     .redirect_uri("https://printer.example/callback");
    /// let client = server.register(new).await?.client;
    /// let secret = server.add_oauth1_key(&client.id, NewKey::Secret, Duration::ZERO).await?;
    /// assert!(secret.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn add_oauth1_key(
        &self,
        id: &str,
        key: NewKey,
        overlap: Duration,
    ) -> Result<Option<Secret>, AdminError> {
        let inner = self.inner();
        let (credential, secret) = key.make(inner, id)?;
        self.change_oauth1(id, |before| {
            if before.client_type == ClientType::Public {
                return Err(AdminError::PublicClient);
            }
            let mut oauth1 = before.oauth1.clone().unwrap_or_default();
            let (now, end) = (inner.now(), inner.now() + overlap);
            for known in &mut oauth1.keys {
                known.expires = Some(known.expires.map_or(end, |expires| expires.min(end)));
            }
            oauth1.keys.retain(|known| known.expires.is_none_or(|expires| now < expires));
            let key = Key { credential: credential.clone(), expires: None };
            let alone = Registration { keys: vec![key.clone()], ..oauth1.clone() };
            if !alone.can_sign(now) {
                return Err(NewKeyError::Methods.into());
            }
            oauth1.keys.push(key);
            Ok(Some(oauth1))
        })
        .await?;
        tracing::info!(client = id, "client key for OAuth 1.0a added");
        Ok(secret)
    }

    /// Sets whether users may carry the verifier to a client (`oauth_callback=oob`).
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn set_oauth1_out_of_band(&self, id: &str, allowed: bool) -> Result<(), AdminError> {
        self.change_oauth1(id, |before| {
            let mut oauth1 = before.oauth1.clone().unwrap_or_default();
            oauth1.out_of_band = allowed;
            Ok(Some(oauth1))
        })
        .await
    }

    /// Removes a client's keys for OAuth 1.0a: its signatures become invalid.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn remove_oauth1(&self, id: &str) -> Result<(), AdminError> {
        self.change_oauth1(id, |_| Ok(None)).await?;
        tracing::info!(client = id, "client keys for OAuth 1.0a removed");
        Ok(())
    }

    /// The valid shared-secrets of a client, the oldest first. They can be revealed because
    /// checking a signature takes the secret itself.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn reveal_oauth1_secrets(&self, id: &str) -> Result<Vec<Secret>, AdminError> {
        let inner = self.inner();
        let client = self.client(id).await?.ok_or(AdminError::UnknownClient)?;
        let keys = client.oauth1.iter().flat_map(|oauth1| oauth1.good_keys(inner.now()));
        let opened = keys.filter_map(|key| match &key.credential {
            Credential::SharedSecret(sealed) => new_key::open(inner, &client.id, sealed),
            Credential::SharedSecretInTable(secret) => Some(secret.clone()),
            _ => None,
        });
        Ok(opened.collect())
    }

    async fn change_oauth1(
        &self,
        id: &str,
        change: impl Fn(&Client) -> Result<Option<Registration>, AdminError>,
    ) -> Result<(), AdminError> {
        let inner = self.inner();
        let issuer = inner.issuer_id().await?;
        loop {
            let before = self.client(id).await?.ok_or(AdminError::UnknownClient)?;
            let client = Client { oauth1: change(&before)?, ..Client::clone(&before) };
            let put = inner.store.put_client(issuer, client, Some(Arc::clone(&before))).await;
            if put.map_err(Error::from)? {
                return Ok(());
            }
            // It was changed in between: this must not undo that change.
        }
    }
}
