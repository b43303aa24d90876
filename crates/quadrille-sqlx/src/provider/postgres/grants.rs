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
    super::verbs::verbs,
    clients, consents,
    database::Database,
    pending, reads as grants, revoking,
    store::PgStore,
    sweep, tokens,
    tokens::{Issuing, Redeeming, Rotating},
};

verbs! { PgStore {
    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<bool, StoreError> {
        self.issuing.write(Issuing { issuer, issue }).await
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        self.redeeming.write(Redeeming { issuer, code, issue }).await
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        self.rotating.write(Rotating { issuer, rotation }).await
    }
} }
