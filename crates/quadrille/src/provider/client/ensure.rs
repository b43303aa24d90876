//! Clients that a program has in its settings and ensures at each start.

use crate::{
    Secret,
    provider::{
        error::Error, guessing::Verdict, openid::pairwise::are_other_subjects,
        server::AuthorizationServer,
    },
};

use super::{
    new::NewClient,
    oauth1::{
        new_key::{self, NewKey},
        record::{Credential, Key},
    },
    own_keys,
    record::{Client, ClientSecret, ClientType, SecretVerifier},
    registration::{Registered, RegistrationError, check_methods},
};

impl AuthorizationServer {
    /// Registers the client with this [id](NewClient::id), or changes a registered one in one step
    /// to the settings in `new`, after the same checks; consents and tokens remain. Call it at each
    /// start for the clients in your code or configuration, if the store outlives the process;
    /// [`register`](Self::register) is for clients that are registered once.
    ///
    /// A generated secret is returned the first time only, and remains valid afterwards. A new
    /// [chosen](NewClient::chosen_secret) secret replaces all secrets. In OAuth 1.0a a generated
    /// shared-secret remains, and a chosen secret or an RSA key replaces the keys.
    ///
    /// ```
    /// # use quadrille::{
    /// #     Env, Scopes, Secret,
    /// #     provider::{AuthorizationServer, NewClient, store::MemoryStore},
    /// # };
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?
    /// #     .scopes([("photos:read", "See your photos")]);
    /// let printer = NewClient::confidential("Photo printer")
    ///     .id("printer")
    ///     .chosen_secret(Secret::from("from the configuration"))
    ///     .redirect_uri("https://printer.example/callback")
    ///     .scopes(Scopes::parse("photos:read")?);
    /// server.ensure_client(printer.clone()).await?;
    /// server.ensure_client(printer).await?; // at the next start
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RegistrationError`]: [`IdMissing`](RegistrationError::IdMissing) without an id, and
    /// [`OtherType`](RegistrationError::OtherType) for a confidential client that was public, or
    /// vice versa, [`OtherSubjects`](RegistrationError::OtherSubjects), and
    /// [`FromDocument`](RegistrationError::FromDocument) for a client that describes itself.
    pub async fn ensure_client(&self, new: NewClient) -> Result<Registered, RegistrationError> {
        let id = new.chosen_id().ok_or(RegistrationError::IdMissing)?.to_owned();
        let issuer = self.inner().issuer_id().await?;
        loop {
            let Some(before) = self.client(&id).await? else {
                match self.register(new.clone()).await {
                    // Another process has registered it.
                    Err(RegistrationError::IdTaken) => continue,
                    registered => return registered,
                }
            };
            let changed = self.changed(&before, &new).await?;
            if changed.client == *before {
                return Ok(changed);
            }
            let put = self.inner().store.put_client(issuer, changed.client.clone(), Some(before));
            if put.await.map_err(Error::from)? {
                tracing::info!(client = id, "client changed");
                return Ok(changed);
            }
            // The client was changed in between, and that change must not be undone unseen.
        }
    }

    /// The client with the settings of `new` and its own secrets.
    async fn changed(
        &self,
        before: &Client,
        new: &NewClient,
    ) -> Result<Registered, RegistrationError> {
        if before.from_document {
            return Err(RegistrationError::FromDocument);
        }
        let wanted = self.client_of(new).await?;
        if wanted.client.client_type != before.client_type {
            return Err(RegistrationError::OtherType);
        }
        let mut client = before.with_settings(wanted.client, &self.inner().policy);
        if are_other_subjects(before, &client) {
            return Err(RegistrationError::OtherSubjects);
        }
        let mut secret = None;
        let keeps = match new.secret_that_was_chosen() {
            Some(_) if !client.has_use_for_secrets_of(before) => false,
            Some(chosen) => self.is_secret_of(before, chosen).await?,
            None if !client.has_use_for_secrets_of(before) => false,
            None if new.has_own_secret() => false,
            None => !before.secrets.is_empty() || client.secrets.is_empty(),
        };
        if keeps {
            client.secrets.clone_from(&before.secrets);
        } else {
            secret = wanted.secret;
        }
        let mut oauth1_secret = wanted.oauth1_secret;
        if let (Some(now), Some(then)) = (&mut client.oauth1, &before.oauth1)
            && self.keeps_keys(new, &before.id, &then.keys)
        {
            now.keys.clone_from(&then.keys);
            oauth1_secret = None;
        }
        if client.oauth1 != before.oauth1 {
            check_methods(&client, self.inner().now())?;
        }
        Ok(Registered { client, secret, oauth1_secret })
    }

    /// `true` if `chosen` is a secret of this client.
    async fn is_secret_of(
        &self,
        client: &Client,
        chosen: &Secret,
    ) -> Result<bool, RegistrationError> {
        let inner = self.inner();
        let now = inner.now();
        if client.client_type == ClientType::Public {
            return Ok(false);
        }
        for ClientSecret { verifier, expires, .. } in &client.secrets {
            if let SecretVerifier::Sealed(sealed) = verifier
                && own_keys::open(inner, &client.id, sealed).is_some_and(|known| known == *chosen)
            {
                return Ok(true);
            }
            if let Some(hash) = verifier.chosen()
                && expires.is_none_or(|expires| now < expires)
            {
                let verdict = inner.kdf.verify(&inner.env, chosen.clone(), hash.clone()).await;
                if !matches!(verdict.map_err(Error::from)?, Verdict::Wrong) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// `true` if these keys for OAuth 1.0a of the client are those of `new`.
    fn keeps_keys(&self, new: &NewClient, client: &str, keys: &[Key]) -> bool {
        let has_secret = |key: &Key| matches!(key.credential, Credential::SharedSecret(_));
        match new.oauth1_key() {
            Some(NewKey::Secret) => keys.iter().any(has_secret),
            Some(NewKey::ChosenSecret(chosen) | NewKey::ImportedSecret(chosen)) => {
                keys.iter().any(|key| new_key::is_shared_secret(self.inner(), client, key, chosen))
            }
            // RSA keys are compared as text.
            _ => false,
        }
    }
}
