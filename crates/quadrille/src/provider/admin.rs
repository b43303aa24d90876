//! Administration of the grants of all clients.

use std::time::Duration;

use crate::Secret;

use super::{
    error::Error,
    server::AuthorizationServer,
    store::{RevokeAll, RowId},
    token::{grant, lookup},
};

/// The difference between the clocks of processes.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

impl AuthorizationServer {
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

    /// Revokes all grants of a user, and removes the consents. The user may consent again. The
    /// application ends its sessions itself; for a user who is removed, call
    /// [`remove_subject`](Self::remove_subject) instead.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn revoke_subject(&self, subject: &str) -> Result<(), Error> {
        let last = self.newest_row().await?;
        self.revoke_all(RevokeAll::Subject(subject.into()), last).await
    }

    /// Revokes all grants of a user who is removed, and removes the consents. Sign-ins from before
    /// count no more: a request that is under way and found the user signed in gets nothing.
    ///
    /// The subject may be given to another user, or to the same one again, who inherits nothing: new
    /// sign-ins and new grants count, from a second after the removal on at the latest. An
    /// application that knows the user no more must grant nothing to the subject by itself: by
    /// [`mint`](Self::mint), or in the functions of further grants. A
    /// [`UserTable`](crate::provider::store::UserTable) sees to that.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn remove_subject(&self, subject: &str) -> Result<(), Error> {
        // Other processes, whose clocks may be ahead, have numbers for requests under way.
        let last = RowId::last_at(self.inner().now() + CLOCKS_DIFFER);
        let last = self.newest_row().await?.max(last);
        self.revoke_all(RevokeAll::Removed(subject.into()), last).await
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
        let client = what.client().map(|client| &**client);
        tracing::info!(subject = &**what.subject(), client, "everything revoked");
        Ok(inner.store.revoke_all(inner.issuer_id().await?, what, last).await?)
    }
}
