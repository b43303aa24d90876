//! The management of a client by itself (RFC 7592): read, update, delete.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    RemoteAddress, Secret,
    guard::mask_secrets,
    oauth2::{ClientInformation, ClientMetadata},
    provider::{
        client::{
            own_keys,
            record::{Client, ClientSecret, SecretVerifier},
            secrets,
        },
        error::Error,
        openid::pairwise::are_other_subjects,
        server::{AuthorizationServer, Inner},
        store::SecretHash,
        token::format::sha256,
    },
    seal::MacKey,
};

use super::{
    error::ClientRegistrationError,
    register::{draft, information},
    settings::DynamicRegistration,
};

/// The purpose of the keys from which registration access tokens follow.
const PURPOSE: &str = "registration access token";

/// The client whose registration access token this is, and the token's hash.
pub(crate) struct Itself {
    client: Arc<Client>,
    token: Secret,
    hash: SecretHash,
}

/// Finds the client by its id and its registration access token. Whatever is wrong, the answer is
/// the same, also for a client that was removed (RFC 7592, section 2).
pub(crate) async fn authenticate(
    inner: &Inner,
    id: Option<&str>,
    token: Option<Secret>,
) -> Result<Itself, Error> {
    let invalid = ClientRegistrationError::TokenInvalid;
    let token = token.ok_or(invalid)?;
    let hash = sha256(token.expose().as_bytes());
    let client = inner.store.client(inner.issuer_id().await?, id.ok_or(invalid)?).await?;
    let client = client.filter(|client| !client.is_gone(inner.now())).ok_or(invalid)?;
    let registration = client.registration.as_ref().ok_or(invalid)?;
    let is = |known: &SecretHash| verify_slices_are_equal(known, &hash).is_ok();
    match is(&registration.token) || registration.previous_token.as_ref().is_some_and(is) {
        true => Ok(Itself { client, token, hash }),
        false => Err(invalid.into()),
    }
}

impl Itself {
    /// The `client_id`.
    pub(crate) fn id(&self) -> &str {
        &self.client.id
    }

    /// Reads the registration (RFC 7592, section 2.1). The response has the current registration access
    /// token, also for a client that did not get the response with it.
    pub(crate) async fn read(self, inner: &Inner) -> Result<ClientInformation, Error> {
        let client = self.confirmed(inner).await?;
        let current = client.registration.as_ref().map(|registration| registration.token);
        let token = match current {
            Some(current) if current != self.hash => successors(inner, &client.id, &self.token)
                .into_iter()
                .find(|(hash, _)| *hash == current),
            _ => None,
        };
        Ok(information(inner, &client, None, token.map_or(self.token, |(_, token)| token)))
    }

    /// Deletes the registration (RFC 7592, section 2.3): grants and tokens end with the client.
    pub(crate) async fn delete(self, server: &AuthorizationServer) -> Result<(), Error> {
        match server.remove_client(&self.client.id).await? {
            true => Ok(()),
            // Another request, at the same time, has deleted it.
            false => Err(ClientRegistrationError::TokenInvalid.into()),
        }
    }

    /// The client, whose previous registration access token ends when the current one is used.
    async fn confirmed(&self, inner: &Inner) -> Result<Arc<Client>, Error> {
        let mut client = Client::clone(&self.client);
        match &mut client.registration {
            Some(registration) if registration.token == self.hash => {
                if registration.previous_token.take().is_none() {
                    return Ok(self.client.clone());
                }
            }
            _ => return Ok(self.client.clone()),
        }
        let (issuer, before) = (inner.issuer_id().await?, Some(self.client.clone()));
        // If the client was changed in between, the token ends another time.
        inner.store.put_client(issuer, client.clone(), before).await?;
        Ok(Arc::new(client))
    }

    /// Replaces the metadata (RFC 7592, section 2.2). The client gets a new registration access
    /// token, and a new secret if it needs one. One token is good for one update.
    pub(crate) async fn update(
        self,
        server: &AuthorizationServer,
        settings: &DynamicRegistration,
        client_id: &str,
        client_secret: Option<&Secret>,
        metadata: ClientMetadata,
        from: Option<RemoteAddress>,
    ) -> Result<ClientInformation, Error> {
        let inner = server.inner();
        let before = &self.client;
        if client_id != &*before.id {
            return Err(ClientRegistrationError::OtherClient.into());
        }
        if before.registration.as_ref().is_none_or(|found| found.token != self.hash) {
            return Err(ClientRegistrationError::ChangedMeanwhile.into());
        }
        let now = inner.now();
        if client_secret.is_some_and(|secret| !has_secret(inner, before, secret)) {
            return Err(ClientRegistrationError::OtherSecret.into());
        }
        let draft = draft(inner, settings, before.registration.as_deref(), metadata).await?;
        draft.check_sector(inner, from).await?;
        let needs_secret = draft.needs_secret();
        let wanted = draft.client(before.id.clone(), before.number, before.created);
        let mut client = before.with_metadata(wanted);
        if are_other_subjects(before, &client) {
            return Err(ClientRegistrationError::OtherSubjects.into());
        }
        let (hash, token) =
            successor(&inner.ring.mac_key(PURPOSE, inner.issuer.as_str()), &before.id, &self.token);
        let is_renamed = client.name != before.name || client.redirect_uris != before.redirect_uris;
        if let Some(registration) = &mut client.registration {
            registration.token = hash;
            registration.previous_token = Some(self.hash);
            if is_renamed {
                registration.changed = Some(now);
            }
        }
        let secret = kept_and_new(server, settings, before, &mut client, needs_secret);
        let issuer = inner.issuer_id().await?;
        if !inner.store.put_client(issuer, client.clone(), Some(before.clone())).await? {
            // Another request has changed the client, or removed it: this one may be repeated.
            return Err(ClientRegistrationError::ChangedMeanwhile.into());
        }
        let name = mask_secrets(&client.name);
        tracing::info!(client = %client.id, name = &*name, "client updated its registration");
        Ok(information(inner, &client, secret, token))
    }
}

/// The registration access tokens after this one, by each key of the ring: one of them is the current
/// one, if this is the one before.
fn successors(inner: &Inner, client: &str, token: &Secret) -> Vec<(SecretHash, Secret)> {
    let keys = inner.ring.derive(|key| key.mac_key(PURPOSE, inner.issuer.as_str()));
    keys.iter().map(|key| successor(key, client, token)).collect()
}

/// The registration access token after this one, and its hash. A client that did not get it reads it
/// by this one.
fn successor(key: &MacKey, client: &str, token: &Secret) -> (SecretHash, Secret) {
    let (client, token) = (sha256(client.as_bytes()), sha256(token.expose().as_bytes()));
    let token = BASE64_URL_SAFE_NO_PAD.encode(key.mac(&[&client, &token]));
    (sha256(token.as_bytes()), Secret::from(token))
}

/// `true` if the text is a valid secret of the client.
fn has_secret(inner: &Inner, client: &Client, secret: &Secret) -> bool {
    let (hash, now) = (sha256(secret.expose().as_bytes()), inner.now());
    let is = |verifier: &SecretVerifier| match verifier {
        SecretVerifier::Sha256(known) => verify_slices_are_equal(known, &hash).is_ok(),
        SecretVerifier::Sealed(sealed) => {
            own_keys::open(inner, &client.id, sealed).is_some_and(|known| known == *secret)
        }
        // Chosen by the operator since; clients that register themselves have generated ones.
        SecretVerifier::Argon2id(_) | SecretVerifier::Imported(_) => false,
    };
    let is_valid = |known: &ClientSecret| known.expires.is_none_or(|expires| now < expires);
    client.secrets.iter().any(|known| is_valid(known) && is(&known.verifier))
}

/// Gives the client the secrets from before, and a further one, which is returned, if it has none
/// or the newest is in the second half of its life.
fn kept_and_new(
    server: &AuthorizationServer,
    settings: &DynamicRegistration,
    before: &Client,
    client: &mut Client,
    needs_secret: bool,
) -> Option<Secret> {
    let now = server.inner().now();
    if !needs_secret {
        client.secrets.clear();
        return None;
    }
    let auth = client.auth.clone();
    let is_valid = |secret: &&ClientSecret| {
        secret.expires.is_none_or(|expires| now < expires)
            && secret.verifier.is_of_use_with(auth.as_ref())
    };
    client.secrets = before.secrets.iter().filter(is_valid).cloned().collect();
    let half = settings.secret_lifetime.map(|lifetime| now + lifetime / 2);
    let is_young = client.secrets.last().is_some_and(|newest| match (newest.expires, half) {
        (Some(expires), Some(half)) => expires > half,
        (Some(_), None) | (None, _) => true,
    });
    if is_young {
        return None;
    }
    let (verifier, secret) = server.generate(&client.id, auth.as_ref());
    let expires = settings.secret_lifetime.map(|lifetime| now + lifetime);
    let id = secrets::new_id(server.inner(), &client.secrets);
    client.secrets.push(ClientSecret { id, created: now, verifier, expires });
    Some(secret)
}
