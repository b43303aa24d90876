//! Changes of registered clients.

use std::sync::Arc;

use crate::provider::{
    error::Error, openid::pairwise::are_other_subjects, server::AuthorizationServer,
};

use super::{
    dynamic::sector,
    new::NewClient,
    oauth1::new_key::NewRegistration,
    record::Client,
    registration::{Registered, RegistrationError, check_methods},
};

impl AuthorizationServer {
    /// Changes a registered client in one step, after the checks of a registration. `change` gets
    /// the client as it is, and its settings. Secrets, keys, consents, tokens and
    /// the origin of the client remain: a [chosen](NewClient::chosen_secret) secret replaces all secrets, and a key of OAuth 1.0a is
    /// added only to a client that has none. `change` may be called again if the client is changed
    /// elsewhere meanwhile.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, NewClient, store::MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?;
    /// # let printer = NewClient::confidential("Photo printer").redirect_uri("https://a.example/cb");
    /// # let id = server.register(printer).await?.client.id;
    /// let edited = server
    ///     .edit_client(&id, |_, new| new.redirect_uri("https://beta.example/callback"))
    ///     .await?;
    /// assert_eq!(edited.client.redirect_uris.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RegistrationError`]: [`UnknownClient`](RegistrationError::UnknownClient),
    /// [`OtherSubjects`](RegistrationError::OtherSubjects),
    /// [`SectorUnproven`](RegistrationError::SectorUnproven), and
    /// [`FromDocument`](RegistrationError::FromDocument) for a client that describes itself.
    pub async fn edit_client(
        &self,
        id: &str,
        change: impl Fn(&Client, NewClient) -> NewClient,
    ) -> Result<Registered, RegistrationError> {
        let issuer = self.inner().issuer_id().await?;
        loop {
            let before = self.client(id).await?.ok_or(RegistrationError::UnknownClient)?;
            let new = change(&before, settings(&before)?);
            let edited = self.edited(&before, &new).await?;
            if edited.client == *before {
                return Ok(edited);
            }
            let put = self.inner().store.put_client(issuer, edited.client.clone(), Some(before));
            if put.await.map_err(Error::from)? {
                tracing::info!(client = id, "client changed");
                return Ok(edited);
            }
            // The client was changed in between, and that change must not be undone unseen.
        }
    }

    async fn edited(
        &self,
        before: &Arc<Client>,
        new: &NewClient,
    ) -> Result<Registered, RegistrationError> {
        let Registered { client, secret, oauth1_secret } =
            self.client_of(&new.clone().id(&*before.id)).await?;
        if client.client_type != before.client_type {
            return Err(RegistrationError::OtherType);
        }
        let mut edited = Registered {
            client: before.with_settings(client, &self.inner().policy),
            secret,
            oauth1_secret,
        };
        if are_other_subjects(before, &edited.client) {
            return Err(RegistrationError::OtherSubjects);
        }
        if sector::is_unproven(Some(before), &edited.client) {
            return Err(RegistrationError::SectorUnproven);
        }
        let is_chosen = new.has_own_secret();
        let has_use = edited.client.has_use_for_secrets_of(before);
        if !is_chosen && has_use && (!before.secrets.is_empty() || edited.client.secrets.is_empty())
        {
            edited.client.secrets.clone_from(&before.secrets);
            edited.secret = None;
        }
        if let (Some(now), Some(then)) = (&mut edited.client.oauth1, &before.oauth1) {
            now.keys.clone_from(&then.keys);
            edited.oauth1_secret = None;
        }
        if edited.client.oauth1 != before.oauth1 {
            check_methods(&edited.client, self.inner().now())?;
        }
        Ok(edited)
    }
}

/// The settings with which the client would be registered as it is.
fn settings(client: &Client) -> Result<NewClient, RegistrationError> {
    if client.from_document {
        return Err(RegistrationError::FromDocument);
    }
    let oauth1 = client.oauth1.as_ref().map(NewRegistration::again);
    Ok(NewClient::again(client, oauth1))
}
