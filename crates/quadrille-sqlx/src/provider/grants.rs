//! The verbs of grants and of single-use keys. Each runs on the store's own runtime, and a few expired
//! rows are removed after each that writes.

use std::{sync::Arc, time::Duration};

use quadrille::{
    Timestamp,
    oauth2::Resources,
    provider::store::{
        AccessRecord, Answer, Answered, Bought, CodeRecord, Consent, CredentialRecord,
        FamilyRecord, Grants, Issue, IssuerId, KnownSince, LiveGrant, OnceKeys, PendingRecord,
        PendingRef, Redeemed, RevokeAll, Rotated, Rotation, RowId, SecretHash, StoreError,
        TokenRef, is_same,
    },
};

use super::{
    clients,
    consents::{self, PuttingCode},
    dialect::Dialect,
    known_since,
    lookups::Lookup,
    pending, reads,
    revoking::{self, BeforeGrant},
    store::SqlStore,
    tokens::{self, Issuing, Redeeming, Rotating},
};

impl<E: Dialect> Grants for SqlStore<E> {
    fn longest_rotation(&self) -> Duration {
        self.database.limit()
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<bool, StoreError> {
        self.issuing.run(Issuing { issuer, issue }).await
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        self.redeeming.run(Redeeming { issuer, code, issue }).await
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        self.rotating.run(Rotating::within(self.database.limit(), issuer, rotation)).await
    }

    async fn known_client(&self, issuer: IssuerId, id: &str) -> Result<Option<RowId>, StoreError> {
        let id = id.to_owned();
        self.run(|db| async move { clients::known_client(&db, issuer, &id).await }).await
    }

    async fn know_client(
        &self,
        issuer: IssuerId,
        number: Option<RowId>,
        id: &str,
    ) -> Result<bool, StoreError> {
        let id = Arc::from(id);
        self.write(move |db| async move { clients::know_client(&db, issuer, &id, number).await })
            .await
    }

    async fn answer(&self, issuer: IssuerId, answer: Answer) -> Result<Answered, StoreError> {
        self.write(move |db| async move { consents::answer(&db, issuer, &answer).await }).await
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Result<(), StoreError> {
        self.putting_codes.run(PuttingCode { issuer, code }).await
    }

    async fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<CodeRecord>>, StoreError> {
        self.codes.run(Lookup::of(issuer, row)).await
    }

    async fn import(&self, issuer: IssuerId, access: AccessRecord) -> Result<(), StoreError> {
        self.write(move |db| async move { tokens::import(&db, issuer, &access).await }).await
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<AccessRecord>>, StoreError> {
        let hash = match token {
            TokenRef::Row { hash, .. } | TokenRef::Foreign { hash } => *hash,
            _ => return Ok(None),
        };
        let found = match token {
            TokenRef::Row { row, .. } => self.accesses.run(Lookup::of(issuer, *row)).await?,
            _ => self.run(move |db| async move { reads::foreign(&db, issuer, hash).await }).await?,
        };
        Ok(found.filter(|found| is_same(&found.hash, &hash)))
    }

    async fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        self.families.run(Lookup::of(issuer, row)).await
    }

    async fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> Result<bool, StoreError> {
        self.write(move |db| async move { pending::put(&db, issuer, &pending).await }).await
    }

    async fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Result<Option<Arc<PendingRecord>>, StoreError> {
        let reference = reference.clone();
        self.run(move |db| async move { pending::find(&db, issuer, &reference).await }).await
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> Result<Redeemed, StoreError> {
        self.write(move |db| async move { pending::redeem(&db, issuer, pending, &bought).await })
            .await
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
        let token = token.clone();
        self.run(move |db| async move { pending::credential(&db, issuer, &token).await }).await
    }

    async fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| async move { revoking::revoke_grant(&db, issuer, grant, until).await })
            .await
    }

    async fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> Result<(), StoreError> {
        self.write(move |db| async move { revoking::revoke_all(&db, issuer, &what, last).await })
            .await
    }

    async fn subject_since(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> Result<Option<RowId>, StoreError> {
        let subject = BeforeGrant::Subject { issuer, subject: subject.into() };
        self.before_grants.run(subject).await.map(Some)
    }

    async fn uses_known_since(&self) -> Result<KnownSince, StoreError> {
        self.run(|db| async move { known_since::uses(&db).await }).await
    }

    async fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Result<Option<Consent>, StoreError> {
        let (subject, client) = (subject.to_owned(), client.to_owned());
        let resources = resources.clone();
        self.run(move |db| async move {
            let at = Some((&*client, &resources));
            Ok(consents::consents(&db, issuer, &subject, at).await?.into_iter().next())
        })
        .await
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Result<Vec<Consent>, StoreError> {
        let subject = subject.to_owned();
        self.run(move |db| async move { consents::consents(&db, issuer, &subject, None).await })
            .await
    }

    async fn grants(&self, issuer: IssuerId, subject: &str) -> Result<Vec<LiveGrant>, StoreError> {
        let subject = subject.to_owned();
        self.run(move |db| async move { reads::listed(&db, issuer, &subject).await }).await
    }
}

impl<E: Dialect> OnceKeys for SqlStore<E> {
    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| async move {
            reads::remember_once(&db, issuer, space, &key, expires).await
        })
        .await
    }

    async fn keys_known_since(&self) -> Result<KnownSince, StoreError> {
        self.run(|db| async move { known_since::keys(&db).await }).await
    }
}
