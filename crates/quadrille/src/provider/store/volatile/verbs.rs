//! The verbs: of the cache, or of the store behind it.

use std::{sync::Arc, time::Duration};

use crate::{Timestamp, oauth2::Resources, provider::client::record::Client};

use super::{
    VolatileCache,
    store::{VolatileStore, waits},
};
use crate::provider::store::{
    AccessRecord, Admission, Admitted, Answer, Answered, Bought, Changes, Clients, CodeRecord,
    Consent, CredentialRecord, FamilyRecord, Grants, InitialTokenRecord, Issue, IssuerId, Issuers,
    KnownSince, LiveGrant, OnceKeys, Outcome, Part, PendingRecord, PendingRef, Redeemed,
    Registrations, RevokeAll, Rotated, Rotation, RowId, SecretHash, Store, StoreError, TokenRef,
    UnusedClient, Worker, forward::forward,
};

/// How far ahead of the clock a number in the cache is believed, since a clock may have been set back.
const FURTHEST_AHEAD: Duration = Duration::from_secs(86_400);

/// The spaces of keys whose loss the server makes up for, and the kinds of their entries: it asks,
/// after each, since when they are known.
const KINDS: [(&str, &str); 3] =
    [("oauth1", "nonce"), ("client_assertion", "client-assertion"), ("assertion", "assertion")];

impl<S: Store, C: VolatileCache> Part for VolatileStore<S, C> {
    /// That of the cache is not sealed. One from far ahead would use numbers up for good.
    async fn newest(&self) -> Result<RowId, StoreError> {
        let believed = RowId::last_at(self.both.now() + FURTHEST_AHEAD);
        let cached = self.both.cache.newest().await?.min(believed);
        Ok(self.store.newest().await?.max(cached))
    }

    /// Clients and revocations are in the store.
    async fn floor(&self) -> Result<RowId, StoreError> {
        self.store.floor().await
    }

    fn is_cacheable(&self) -> bool {
        self.store.is_cacheable()
    }

    fn heard(&self) -> u64 {
        self.store.heard()
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Result<Changes, StoreError> {
        self.store.changes(issuer, position).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.store.sweep(now).await? + self.both.cache.sweep(now).await?)
    }
}

impl<S: Store, C: VolatileCache> Issuers for VolatileStore<S, C> {
    forward! { store:
        fn issuer(; issuer: str) -> IssuerId;
        fn lease(renew: Option<Worker>, holder: [u8; 16], now: Timestamp, expires: Timestamp)
            -> Worker;
    }
}

impl<S: Store, C: VolatileCache> Clients for VolatileStore<S, C> {
    forward! { store:
        fn client(issuer: IssuerId; id: str) -> Option<Arc<Client>>;
        fn clients(issuer: IssuerId) -> Vec<Arc<Client>>;
        fn put_client(issuer: IssuerId, client: Client, before: Option<Arc<Client>>) -> bool;
        fn add_clients(issuer: IssuerId, clients: Vec<Client>) -> Option<Arc<str>>;
        fn remove_client(issuer: IssuerId; id: str) -> bool;
    }
}

impl<S: Store, C: VolatileCache> Registrations for VolatileStore<S, C> {
    forward! { store:
        fn unused_clients(issuer: IssuerId) -> Vec<UnusedClient>;
        fn admit(issuer: IssuerId, admission: Admission) -> Admitted;
        fn put_initial_token(issuer: IssuerId, token: InitialTokenRecord) -> ();
        fn initial_token(issuer: IssuerId; hash: SecretHash) -> Option<InitialTokenRecord>;
        fn initial_tokens(issuer: IssuerId) -> Vec<InitialTokenRecord>;
        fn remove_initial_token(issuer: IssuerId, row: RowId) -> bool;
    }
}

impl<S: Store, C: VolatileCache> Grants for VolatileStore<S, C> {
    fn longest_rotation(&self) -> Duration {
        self.store.longest_rotation()
    }

    async fn answer(&self, issuer: IssuerId, answer: Answer) -> Result<Answered, StoreError> {
        if let Outcome::Pending(row, _) = &answer.outcome {
            self.both.settle(issuer, *row).await?;
        }
        self.store.answer(issuer, answer).await
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Result<(), StoreError> {
        self.both.put_code(issuer, &code).await
    }

    async fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<CodeRecord>>, StoreError> {
        let cached = self.both.code(issuer, row).await;
        if let Ok(Some(code)) = cached {
            return Ok(Some(code.into()));
        }
        // Without the cache, those of pages are known.
        let stored = self.store.code(issuer, row).await?;
        if stored.is_none() { cached.map(|_| None) } else { Ok(stored) }
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        let both = Arc::clone(&self.both);
        // A dropped future must not leave a code that is marked, and bought nothing.
        let work = tokio::spawn(async move {
            let cached = both.redeem(issuer, code, issue.clone()).await;
            if let Ok(Some(redeemed)) = cached {
                return Ok(redeemed);
            }
            match both.store.redeem(issuer, code, issue).await? {
                Redeemed::Unknown => cached.map(|_| Redeemed::Unknown),
                redeemed => Ok(redeemed),
            }
        });
        work.await.map_err(StoreError::failed)?
    }

    async fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> Result<bool, StoreError> {
        match waits(&pending) {
            true => self.both.put_waiting(issuer, &pending).await,
            false => self.store.put_pending(issuer, pending).await,
        }
    }

    async fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Result<Option<Arc<PendingRecord>>, StoreError> {
        let waiting = match self.both.waiting(issuer, reference).await {
            Ok(Some((waiting, false))) => return Ok(Some(waiting.into())),
            Ok(Some((moved, true))) => Ok(Some(moved.into())),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        // It may be marked as moved, and not be in the store yet.
        let stored = self.store.pending(issuer, reference).await?;
        if stored.is_none() { waiting } else { Ok(stored) }
    }

    forward! { store:
        fn known_client(issuer: IssuerId; id: str) -> Option<RowId>;
        fn know_client(issuer: IssuerId, number: Option<RowId>; id: str) -> bool;
        fn issue(issuer: IssuerId, issue: Issue) -> bool;
        fn import(issuer: IssuerId, access: AccessRecord) -> ();
        fn access(issuer: IssuerId; token: TokenRef) -> Option<Arc<AccessRecord>>;
        fn family(issuer: IssuerId, row: RowId) -> Option<Arc<FamilyRecord>>;
        fn rotate(issuer: IssuerId, rotation: Rotation) -> Rotated;
        fn redeem_pending(issuer: IssuerId, pending: RowId, bought: Bought) -> Redeemed;
        fn credential(issuer: IssuerId; token: TokenRef) -> Option<Arc<CredentialRecord>>;
        fn revoke_grant(issuer: IssuerId, grant: RowId, until: Timestamp) -> bool;
        fn revoke_all(issuer: IssuerId, what: RevokeAll, last: RowId) -> ();
        fn subject_since(issuer: IssuerId; subject: str) -> Option<RowId>;
        fn uses_known_since() -> KnownSince;
        fn consent(issuer: IssuerId; subject: str, client: str, resources: Resources)
            -> Option<Consent>;
        fn consents(issuer: IssuerId; subject: str) -> Vec<Consent>;
        fn grants(issuer: IssuerId; subject: str) -> Vec<LiveGrant>;
    }
}

impl<S: Store, C: VolatileCache> OnceKeys for VolatileStore<S, C> {
    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let kind = KINDS.iter().find(|(name, _)| *name == space).map(|(_, kind)| *kind);
        match kind.filter(|_| self.both.cache.keeps_marks()) {
            Some(kind) => self.both.mark(issuer, (space, kind), key, expires).await,
            None => self.store.remember_once(issuer, space, key, expires).await,
        }
    }

    async fn keys_known_since(&self) -> Result<KnownSince, StoreError> {
        let known = self.store.keys_known_since().await?;
        if !self.both.cache.keeps_marks() {
            return Ok(known);
        }
        let since = self.both.cache.lost_nothing_since(self.both.now()).await?;
        Ok(known.max(KnownSince::moment(since)))
    }
}
