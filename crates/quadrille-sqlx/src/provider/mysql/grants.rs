//! The verbs of grants.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    oauth2::Resources,
    provider::store::{
        AccessRecord, Answer, Answered, Bought, CodeRecord, Consent, CredentialRecord,
        FamilyRecord, Grants, Issue, IssuerId, LiveGrant, OnceKeys, PendingRecord, PendingRef,
        Redeemed, RevokeAll, Rotated, Rotation, RowId, SecretHash, StoreError, TokenRef,
    },
};

use super::{
    super::verbs::verbs, clients, consents, database::Database, pending, reads as grants, revoking,
    store::MySqlStore, sweep, tokens,
};

verbs! { MySqlStore {
    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<bool, StoreError> {
        self.write(move |db| async move { tokens::issue(&db, issuer, &issue).await }).await
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        self.write(move |db| async move { tokens::redeem(&db, issuer, code, &issue).await }).await
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        self.write(move |db| async move { tokens::rotate(&db, issuer, &rotation).await }).await
    }
} }
