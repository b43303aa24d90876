//! The secrets of a client: several are valid at once, so that one is replaced without downtime.

use std::{sync::Arc, time::Duration};

use crate::{
    Secret, Timestamp,
    jose::{Algorithm, VerifyingKey},
    provider::{
        error::Error,
        server::{AuthorizationServer, Inner},
    },
};

use super::{
    admin::AdminError,
    own_keys,
    record::{Client, ClientSecret, ClientType, SecretVerifier},
    registered_auth::RegisteredAuth,
};

/// The greatest number of secrets of a client that have not expired: an attempt with a wrong secret
/// may cost a slow hash for each.
pub(crate) const MOST_SECRETS: usize = 5;

/// The least length of a chosen secret, in bytes.
pub(super) const SHORTEST_CHOSEN: usize = 12;

/// A secret to add to a client ([`AuthorizationServer::add_secret`]).
///
/// ```
/// use quadrille::{Timestamp, provider::NewSecret};
///
/// let until = Timestamp::from_seconds(1_900_000_000);
/// let secret = NewSecret::generated().expires(until);
/// ```
#[derive(Clone, Debug)]
pub struct NewSecret {
    origin: Origin,
    expires: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Origin {
    Generated,
    Chosen(Secret),
    Imported(SecretVerifier),
}

impl NewSecret {
    /// A generated secret, which cannot be guessed.
    pub const fn generated() -> Self {
        Self { origin: Origin::Generated, expires: None }
    }

    /// A secret of one's own choice, of at least 12 characters.
    pub const fn chosen(secret: Secret) -> Self {
        Self { origin: Origin::Chosen(secret), expires: None }
    }

    /// The verifier of a secret that another program has stored: see [`SecretVerifier::parse`].
    pub const fn imported(verifier: SecretVerifier) -> Self {
        Self { origin: Origin::Imported(verifier), expires: None }
    }

    /// Sets the expiry. The default is none.
    #[must_use]
    pub const fn expires(mut self, expires: Timestamp) -> Self {
        self.expires = Some(expires);
        self
    }
}

/// A secret that was added to a client.
///
/// ```
/// use quadrille::provider::AddedSecret;
///
/// fn show_once(added: &AddedSecret) -> Option<&str> {
///     added.secret.as_ref().map(|secret| secret.expose())
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AddedSecret {
    /// The short id of the secret, by which it is removed.
    pub id: Arc<str>,
    /// The secret, if it was generated. The server has only its hash: show it once.
    pub secret: Option<Secret>,
}

impl AuthorizationServer {
    /// Adds a secret to a client, beside its other secrets. Roll the new one out, and then
    /// [remove](Self::remove_secret) the old one, by the ids in
    /// [`Client::secrets`](super::super::Client::secrets).
    ///
    /// ```
    /// # use quadrille::{
    /// #     Env, provider::{AuthorizationServer, NewClient, NewSecret, store::MemoryStore},
    /// # };
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?;
    /// let client = server.register(NewClient::confidential("Job")).await?.client;
    /// let old = client.secrets.first().ok_or("it has one")?.id.clone();
    /// let added = server.add_secret(&client.id, NewSecret::generated()).await?;
    /// // Both are valid. When the new one is in use:
    /// server.remove_secret(&client.id, &old).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AdminError`]: [`TooManySecrets`](AdminError::TooManySecrets) beyond five.
    pub async fn add_secret(&self, id: &str, new: NewSecret) -> Result<AddedSecret, AdminError> {
        let inner = self.inner();
        if new.expires.is_some_and(|expires| expires <= inner.now()) {
            return Err(AdminError::SecretExpired);
        }
        let hash = match &new.origin {
            Origin::Chosen(secret) if secret.expose().len() < SHORTEST_CHOSEN => {
                return Err(AdminError::ShortSecret);
            }
            Origin::Chosen(secret) => {
                let hash = inner.kdf.hash(&inner.env, secret.clone()).await;
                Some(SecretVerifier::Argon2id(hash.map_err(Error::from)?))
            }
            _ => None,
        };
        let (mut added, mut secret) = (Arc::from(""), None);
        self.change_secrets(id, |client, now| {
            check_use(client)?;
            let signs_with = match &client.auth {
                Some(RegisteredAuth::ClientSecretJwt { alg }) => Some(*alg),
                _ => None,
            };
            let verifier = match (&new.origin, &hash, signs_with) {
                (Origin::Chosen(chosen), _, Some(alg)) => {
                    VerifyingKey::hmac(alg.unwrap_or(Algorithm::Hs256), chosen)
                        .map_err(|_| AdminError::ShortSecretOfAssertions)?;
                    own_keys::seal(inner, &client.id, chosen)
                }
                (Origin::Imported(_), _, Some(_)) => return Err(AdminError::VerifierOfAssertions),
                (Origin::Imported(verifier), ..) | (_, Some(verifier), _) => verifier.clone(),
                (Origin::Generated | Origin::Chosen(_), None, _) => {
                    let (verifier, generated) = self.generate(&client.id, client.auth.as_ref());
                    secret = Some(generated);
                    verifier
                }
            };
            forget_expired(client, now);
            added = new_id(inner, &client.secrets);
            let id = Arc::clone(&added);
            client.secrets.push(ClientSecret { id, created: now, verifier, expires: new.expires });
            check_number(client, now)
        })
        .await?;
        tracing::info!(client = id, secret = %added, "client secret added");
        Ok(AddedSecret { id: added, secret })
    }

    /// Adds a generated secret to a client. The other secrets remain valid for `overlap`, so that
    /// the new one can be rolled out first.
    ///
    /// # Errors
    /// [`AdminError`]: [`TooManySecrets`](AdminError::TooManySecrets) beyond five. Without an
    /// overlap the others end, and the new one is the only one.
    pub async fn rotate_secret(&self, id: &str, overlap: Duration) -> Result<Secret, AdminError> {
        let mut secret = Secret::from("");
        self.change_secrets(id, |client, now| {
            check_use(client)?;
            let end = now + overlap;
            for known in &mut client.secrets {
                known.expires = Some(known.expires.map_or(end, |expires| expires.min(end)));
            }
            forget_expired(client, now);
            let id = new_id(self.inner(), &client.secrets);
            let verifier;
            (verifier, secret) = self.generate(&client.id, client.auth.as_ref());
            client.secrets.push(ClientSecret { id, created: now, verifier, expires: None });
            check_number(client, now)
        })
        .await?;
        tracing::info!(client = id, "client secret rotated");
        Ok(secret)
    }

    /// Sets the expiry of a secret, by its id; `None` for none. A time in the past ends it at once.
    ///
    /// # Errors
    /// [`AdminError`]: [`UnknownSecret`](AdminError::UnknownSecret).
    pub async fn expire_secret(
        &self,
        id: &str,
        secret: &str,
        expires: Option<Timestamp>,
    ) -> Result<(), AdminError> {
        self.change_secrets(id, |client, now| {
            let known = client.secrets.iter_mut().find(|known| &*known.id == secret);
            known.ok_or(AdminError::UnknownSecret)?.expires = expires;
            // An expired one that is valid again counts.
            check_number(client, now)
        })
        .await?;
        let expires = expires.map(Timestamp::seconds);
        tracing::info!(client = id, secret, expires, "client secret expires");
        Ok(())
    }

    /// Removes a secret, by its id. The only valid secret remains: add another one before, or
    /// [rotate](Self::rotate_secret) without an overlap.
    ///
    /// # Errors
    /// [`AdminError`]: [`UnknownSecret`](AdminError::UnknownSecret) and
    /// [`LastSecret`](AdminError::LastSecret).
    pub async fn remove_secret(&self, id: &str, secret: &str) -> Result<(), AdminError> {
        self.change_secrets(id, |client, now| {
            let was_valid = client.secrets.iter().any(|known| known.is_valid(now));
            let before = client.secrets.len();
            client.secrets.retain(|known| &*known.id != secret);
            if client.secrets.len() == before {
                return Err(AdminError::UnknownSecret);
            }
            match was_valid && !client.secrets.iter().any(|known| known.is_valid(now)) {
                true => Err(AdminError::LastSecret),
                false => Ok(()),
            }
        })
        .await?;
        tracing::info!(client = id, secret, "client secret removed");
        Ok(())
    }

    /// Changes the secrets of a client, again if the client was changed in between.
    async fn change_secrets(
        &self,
        id: &str,
        mut change: impl FnMut(&mut Client, Timestamp) -> Result<(), AdminError>,
    ) -> Result<(), AdminError> {
        let inner = self.inner();
        let issuer = inner.issuer_id().await?;
        loop {
            let before = self.client(id).await?.ok_or(AdminError::UnknownClient)?;
            let mut client = Client::clone(&before);
            change(&mut client, inner.now())?;
            if client == *before {
                return Ok(());
            }
            if inner.store.put_client(issuer, client, Some(before)).await.map_err(Error::from)? {
                return Ok(());
            }
        }
    }
}

impl ClientSecret {
    /// `true` if the secret has not expired.
    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// Checks that the client authenticates by a secret.
fn check_use(client: &Client) -> Result<(), AdminError> {
    match &client.auth {
        _ if client.client_type == ClientType::Public => Err(AdminError::PublicClient),
        Some(RegisteredAuth::PrivateKeyJwt { .. }) => Err(AdminError::PrivateKeys),
        _ => Ok(()),
    }
}

/// Checks that not too many secrets are valid.
fn check_number(client: &Client, now: Timestamp) -> Result<(), AdminError> {
    let valid = client.secrets.iter().filter(|known| known.is_valid(now)).count();
    if valid > MOST_SECRETS { Err(AdminError::TooManySecrets) } else { Ok(()) }
}

/// Removes the secrets that have expired.
fn forget_expired(client: &mut Client, now: Timestamp) {
    client.secrets.retain(|known| known.is_valid(now));
}

/// An id that none of the `known` secrets has.
pub(super) fn new_id(inner: &Inner, known: &[ClientSecret]) -> Arc<str> {
    loop {
        let id = format!("{:08x}", u32::from_be_bytes(inner.env.random()));
        if known.iter().all(|known| *known.id != *id) {
            return id.into();
        }
    }
}
