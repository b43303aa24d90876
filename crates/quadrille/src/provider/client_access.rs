//! The consents and grants of users: listed for them, and withdrawn.

use std::{collections::BTreeMap, sync::Arc};

use crate::{Scopes, Timestamp};

use super::{
    client::{document::metadata::host_of, record::Client},
    error::Error,
    server::AuthorizationServer,
    store::{Consent, LiveGrant, RowId},
    token::grant,
};

/// The access that a user has granted a client: consents that are remembered, and grants that have
/// tokens. A first-party client has grants without a consent, and so has a device that the user
/// approved; a consent may be left without grants, after its tokens have expired.
///
/// ```
/// use quadrille::provider::{AuthorizationServer, Error};
///
/// async fn list(server: &AuthorizationServer, subject: &str) -> Result<Vec<String>, Error> {
///     let granted = server.consents(subject).await?;
///     let line = granted.iter().map(|granted| {
///         let (name, times) = (&granted.client.name, granted.grants.len());
///         format!("{name} may {} ({times} sign-ins)", granted.scopes())
///     });
///     Ok(line.collect())
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientAccess {
    /// The client.
    pub client: Arc<Client>,
    /// The remembered consents, one for each set of APIs (RFC 8707).
    pub consents: Vec<Consent>,
    /// The grants with tokens, the oldest first: one for each sign-in at the client.
    pub grants: Vec<LiveGrant>,
}

impl ClientAccess {
    /// The scopes of all consents and grants.
    pub fn scopes(&self) -> Scopes {
        let consents = self.consents.iter().map(|consent| &consent.scopes);
        let grants = self.grants.iter().map(|listed| &listed.grant.scopes);
        consents.chain(grants).fold(Scopes::EMPTY, |all, scopes| all.union(scopes))
    }

    /// The time of the latest consent or grant.
    pub fn given(&self) -> Timestamp {
        let consents = self.consents.iter().map(|consent| consent.given);
        let grants = self.grants.iter().map(|listed| listed.grant.id.time());
        consents.chain(grants).max().unwrap_or_default()
    }

    /// The time of the earliest consent or grant that still counts: about when the user first let the
    /// client in.
    pub fn first_given(&self) -> Timestamp {
        let consents = self.consents.iter().map(|consent| consent.given);
        let grants = self.grants.iter().map(|listed| listed.grant.id.time());
        consents.chain(grants).min().unwrap_or_default()
    }

    /// The time at which the last token of the client expires: later if it refreshes until then. `None`
    /// without grants.
    pub fn expires(&self) -> Option<Timestamp> {
        self.grants.iter().map(|listed| listed.expires).max()
    }

    /// The time at which the client last got a token: at a sign-in or by a refresh. `None` without
    /// grants.
    pub fn last_issue(&self) -> Option<Timestamp> {
        let used =
            |listed: &LiveGrant| listed.refreshed.unwrap_or_default().max(listed.grant.id.time());
        self.grants.iter().map(used).max()
    }

    /// The host of a client that describes itself
    /// ([`ClientMetadataDocuments`](super::ClientMetadataDocuments)): such a client has chosen its
    /// name. `None` for all others.
    pub fn client_host(&self) -> Option<String> {
        host_of(&self.client)
    }

    /// The time at which a client that registered itself last changed its name or a redirect URI, if
    /// that was after the access was given: the user knows the client by another name.
    pub fn changed_since(&self) -> Option<Timestamp> {
        let changed = self.client.registration.as_ref()?.changed?;
        (!self.client.is_as_at(self.given())).then_some(changed)
    }
}

impl AuthorizationServer {
    /// The access that a user has granted to clients, ordered by `client_id`: with first-party
    /// clients, devices and token credentials of OAuth 1.0a, without
    /// [personal access tokens](Self::personal_tokens). [`revoke_consent`](Self::revoke_consent)
    /// withdraws that of one client, and [`revoke_grant`](Self::revoke_grant) one of its grants.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn consents(&self, subject: &str) -> Result<Vec<ClientAccess>, Error> {
        let inner = self.inner();
        let issuer = inner.issuer_id().await?;
        let mut found: BTreeMap<Arc<str>, (Vec<Consent>, Vec<LiveGrant>)> = BTreeMap::new();
        for consent in inner.store.consents(issuer, subject).await? {
            found.entry(Arc::clone(&consent.client)).or_default().0.push(consent);
        }
        let personal = self.client_of_personal_tokens().await?;
        for listed in self.live_grants(subject).await? {
            if !personal.as_ref().is_some_and(|client| client.owns(&listed.grant)) {
                found.entry(Arc::clone(&listed.grant.client)).or_default().1.push(listed);
            }
        }
        let mut granted = Vec::with_capacity(found.len());
        for (id, (consents, grants)) in found {
            // The client may have been removed since.
            if let Some(client) = inner.store.client(issuer, &id).await? {
                granted.push(ClientAccess { client, consents, grants });
            }
        }
        Ok(granted)
    }

    /// Revokes one grant of a user, for example that of a lost device: its tokens are dead. `false`
    /// if the user has no such grant. The consent is still remembered, so that the client can ask
    /// for a new grant without a page.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn revoke_grant(&self, subject: &str, number: RowId) -> Result<bool, Error> {
        let inner = self.inner();
        let grants = self.live_grants(subject).await?;
        let Some(listed) = grants.into_iter().find(|listed| listed.grant.id == number) else {
            return Ok(false);
        };
        let issuer = inner.issuer_id().await?;
        let client = inner.store.client(issuer, &listed.grant.client).await?;
        let until = grant::all_over(inner, client.as_deref(), inner.now()).max(listed.expires);
        let revoked = inner.store.revoke_grant(issuer, number, until).await?;
        tracing::info!(grant = number.0, client = %listed.grant.client, "the user revoked a grant");
        Ok(revoked)
    }

    /// The grants of a user whose tokens have not all expired.
    pub(super) async fn live_grants(&self, subject: &str) -> Result<Vec<LiveGrant>, Error> {
        let inner = self.inner();
        let mut grants = inner.store.grants(inner.issuer_id().await?, subject).await?;
        let now = inner.now();
        grants.retain(|listed| now < listed.expires);
        Ok(grants)
    }
}
