//! Which client is asking, and whether it is (RFC 6749, section 2.3).

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{Secret, Timestamp, oauth2::PresentedClient};

use super::{
    Client, ClientSecret, ClientType, SecretVerifier,
    error::{ClientError, Error},
    kdf::Verdict,
    server::Inner,
    store::SecretHash,
    throttle::{RemoteAddress, Who},
    token::sha256,
};

/// What can be said of a client without slow work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quick {
    /// It is public, or its generated secret is right.
    Passed,
    /// It is not.
    Failed(ClientError),
    /// It has chosen secrets, which must be hashed to know.
    Hash,
}

/// Decides what can be decided at once. A chosen secret is looked at only where no generated one
/// fits.
fn quick(client: &Client, secret: Option<&SecretHash>, now: Timestamp) -> Quick {
    let Some(hash) = secret else {
        return match client.client_type {
            ClientType::Public => Quick::Passed,
            ClientType::Confidential => Quick::Failed(ClientError::SecretMissing),
        };
    };
    if client.client_type == ClientType::Public {
        return Quick::Failed(ClientError::SecretOfPublicClient);
    }
    let fits = |secret: &&ClientSecret| match &secret.verifier {
        SecretVerifier::Sha256(known) => verify_slices_are_equal(known, hash).is_ok(),
        SecretVerifier::Argon2id(_) => false,
    };
    let is_good = |secret: &ClientSecret| secret.expires.is_none_or(|expires| now < expires);
    match client.secrets.iter().find(fits) {
        Some(secret) if is_good(secret) => Quick::Passed,
        Some(_) => Quick::Failed(ClientError::SecretExpired),
        None if chosen(client, now).next().is_some() => Quick::Hash,
        None => Quick::Failed(ClientError::SecretWrong),
    }
}

/// The hashes of the chosen secrets that have not expired.
fn chosen(client: &Client, now: Timestamp) -> impl Iterator<Item = &Arc<str>> {
    client.secrets.iter().filter_map(move |secret| match &secret.verifier {
        SecretVerifier::Argon2id(hash) if secret.expires.is_none_or(|expires| now < expires) => {
            Some(hash)
        }
        _ => None,
    })
}

impl Inner {
    /// The client that sent a request, once it is known to be it.
    pub(crate) async fn authenticate(
        &self,
        presented: &PresentedClient<'_>,
        from: Option<RemoteAddress>,
    ) -> Result<Arc<Client>, Error> {
        let client = self.store.client(self.issuer_id().await?, &presented.id).await?;
        let Some(client) = client else {
            return Err(self.unknown(presented, from).await);
        };
        let now = self.now();
        let hash = presented.secret.as_ref().map(|secret| sha256(secret.as_bytes()));
        match quick(&client, hash.as_ref(), now) {
            Quick::Passed => Ok(client),
            Quick::Failed(error) => Err(self.failed(Some(&client), error, from).into()),
            Quick::Hash => {
                let secret = Secret::from(presented.secret.as_deref().unwrap_or(""));
                self.check_chosen(client, secret, from).await
            }
        }
    }

    /// A failure is counted, and answered with 429 once there are too many. Nothing that is right
    /// is held up by it.
    fn failed(
        &self,
        client: Option<&Client>,
        error: ClientError,
        from: Option<RemoteAddress>,
    ) -> ClientError {
        let id = client.map(|client| &*client.id);
        tracing::info!(client = id, from = ?from.map(|from| from.0), reason = %error, "client authentication failed");
        self.count_failure(client, from).map_or(error, ClientError::Throttled)
    }

    /// Counts a failure of a client and of an address. How long they must wait if there were too
    /// many.
    pub(crate) fn count_failure(
        &self,
        client: Option<&Client>,
        from: Option<RemoteAddress>,
    ) -> Option<Duration> {
        let (throttle, now) = (&self.shared.throttle, self.env.steady());
        let by_client = client.and_then(|client| throttle.failed(Who::Client(&client.id), now));
        let by_address = from.and_then(|from| throttle.failed(Who::Address(from), now));
        by_client.max(by_address)
    }

    /// An unknown client costs as much as one with a chosen secret, where there are such.
    async fn unknown(&self, presented: &PresentedClient<'_>, from: Option<RemoteAddress>) -> Error {
        let error = self.failed(None, ClientError::UnknownClient, from);
        if error == ClientError::UnknownClient
            && let Some(secret) = &presented.secret
            && self.shared.has_chosen_secrets.load(Ordering::Relaxed)
            && let Err(error) = self.kdf.verify_for_nobody(Secret::from(&**secret)).await
        {
            return error.into();
        }
        error.into()
    }

    /// A secret that somebody chose can be guessed: failures are counted for each pair of client and
    /// address before the secret is looked at, but where this client has authenticated before, it is
    /// left alone.
    async fn check_chosen(
        &self,
        client: Arc<Client>,
        secret: Secret,
        from: Option<RemoteAddress>,
    ) -> Result<Arc<Client>, Error> {
        self.shared.has_chosen_secrets.store(true, Ordering::Relaxed);
        let (throttle, steady) = (&self.shared.throttle, self.env.steady());
        let who = Who::Pair(&client.id, from);
        if !throttle.is_known(&client.id, from)
            && let Some(wait) = throttle.failed(who, steady)
        {
            return Err(ClientError::Throttled(wait).into());
        }
        for stored in chosen(&client, self.now()) {
            match self.kdf.verify(&self.env, secret.clone(), stored.clone()).await? {
                Verdict::Wrong => {}
                Verdict::Right => {
                    throttle.forgive(who, steady);
                    throttle.succeeded(&client.id, from, steady);
                    return Ok(client.clone());
                }
                Verdict::Outgrown(better) => {
                    throttle.forgive(who, steady);
                    throttle.succeeded(&client.id, from, steady);
                    self.upgrade(&client, stored, better).await;
                    return Ok(client.clone());
                }
            }
        }
        tracing::info!(client = %client.id, from = ?from.map(|from| from.0), "a chosen client secret is wrong");
        Err(ClientError::SecretWrong.into())
    }

    /// Stores a hash made at today's cost. That it failed is no reason to refuse a right secret.
    async fn upgrade(&self, client: &Arc<Client>, old: &Arc<str>, better: Arc<str>) {
        let mut upgraded = Client::clone(client);
        for secret in &mut upgraded.secrets {
            if secret.verifier == SecretVerifier::Argon2id(old.clone()) {
                secret.verifier = SecretVerifier::Argon2id(better.clone());
            }
        }
        let stored = async {
            let issuer = self.issuer_id().await?;
            self.store.put_client(issuer, upgraded, Some(client.clone())).await.map_err(Error::from)
        };
        let client = &client.id;
        match stored.await {
            Ok(true) => tracing::info!(%client, "the hash of a client secret was renewed"),
            // The client was changed in between; another time.
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%client, %error, "the hash of a client secret was not renewed");
            }
        }
    }
}
