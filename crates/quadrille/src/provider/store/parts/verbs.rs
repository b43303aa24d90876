//! The verbs, each of one part, after a look at clients and users.

use std::{sync::Arc, time::Duration};

use crate::{
    Timestamp,
    oauth2::Resources,
    provider::{
        client::record::Client,
        store::{
            AccessRecord, Admission, Admitted, Answer, Answered, Bought, Clients, CodeRecord,
            Consent, CredentialRecord, FamilyRecord, Grant, Grants, InitialTokenRecord, Issue,
            IssuerId, Issuers, KnownSince, LiveGrant, OnceKeys, Outcome, PendingRecord, PendingRef,
            PendingState, Redeemed, Registrations, RevokeAll, Rotated, Rotation, RowId, SecretHash,
            StoreError, TokenRef, UnusedClient, UserTable, Worker, forward::forward,
        },
    },
};

use super::Parts;

impl<I: Issuers, C: Clients, G: Grants, O: OnceKeys, U: UserTable> Issuers
    for Parts<I, C, G, O, U>
{
    forward! { issuers:
        fn issuer(; issuer: str) -> IssuerId;
        fn lease(renew: Option<Worker>, holder: [u8; 16], now: Timestamp, expires: Timestamp)
            -> Worker;
    }
}

impl<I: Issuers, C: Clients, G: Grants, O: OnceKeys, U: UserTable> Clients
    for Parts<I, C, G, O, U>
{
    async fn client(&self, issuer: IssuerId, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let found = self.clients.client(issuer, id).await?;
        // If there is none, nothing is told: it may come back.
        if let Some(client) = &found {
            self.tell(issuer, id, Some(client.number)).await?;
        }
        Ok(found)
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Result<bool, StoreError> {
        let (id, number) = (Arc::clone(&client.id), client.number);
        let was_put = self.clients.put_client(issuer, client, before).await?;
        if was_put {
            self.tell(issuer, &id, Some(number)).await?;
        }
        Ok(was_put)
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let numbers = clients.iter().map(|client| (Arc::clone(&client.id), client.number));
        let numbers: Vec<_> = numbers.collect();
        let taken = self.clients.add_clients(issuer, clients).await?;
        if taken.is_none() {
            for (id, number) in numbers {
                self.tell(issuer, &id, Some(number)).await?;
            }
        }
        Ok(taken)
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Result<bool, StoreError> {
        let was_there = self.clients.remove_client(issuer, id).await?;
        self.tell(issuer, id, None).await?;
        Ok(was_there)
    }

    forward! { clients:
        fn clients(issuer: IssuerId) -> Vec<Arc<Client>>;
    }
}

impl<I: Issuers, C: Registrations, G: Grants, O: OnceKeys, U: UserTable> Registrations
    for Parts<I, C, G, O, U>
{
    async fn admit(&self, issuer: IssuerId, admission: Admission) -> Result<Admitted, StoreError> {
        let ids = admission.instead_of.iter().map(|client| Arc::clone(&client.id));
        let ids: Vec<_> = ids.chain([Arc::clone(&admission.client.id)]).collect();
        let admitted = self.clients.admit(issuer, admission).await?;
        if admitted == Admitted::Registered {
            for id in ids {
                let client = self.clients.client(issuer, &id).await?;
                self.tell(issuer, &id, client.map(|client| client.number)).await?;
            }
        }
        Ok(admitted)
    }

    forward! { clients:
        fn unused_clients(issuer: IssuerId) -> Vec<UnusedClient>;
        fn put_initial_token(issuer: IssuerId, token: InitialTokenRecord) -> ();
        fn initial_token(issuer: IssuerId; hash: SecretHash) -> Option<InitialTokenRecord>;
        fn initial_tokens(issuer: IssuerId) -> Vec<InitialTokenRecord>;
        fn remove_initial_token(issuer: IssuerId, row: RowId) -> bool;
    }
}

impl<I: Issuers, C: Clients, G: Grants, O: OnceKeys, U: UserTable> Grants for Parts<I, C, G, O, U> {
    fn longest_rotation(&self) -> Duration {
        self.grants.longest_rotation()
    }

    async fn answer(&self, issuer: IssuerId, mut answer: Answer) -> Result<Answered, StoreError> {
        let approved = match &answer.outcome {
            Outcome::Ticket(_, code) => code.as_ref().map(|code| &code.grant),
            Outcome::Pending(_, approval) => approval.as_ref().map(|approval| &approval.grant),
        };
        if let (Some(_), Some(grant)) = (&answer.consent, approved)
            && !self.lives(issuer, grant).await?
        {
            answer.consent = None;
        }
        let answered = self.grants.answer(issuer, answer).await?;
        let before = match &answered {
            Answered::Code(code) => Some(&code.grant),
            Answered::Pending(pending) => approved_grant(pending),
            Answered::First | Answered::Spent | Answered::Denied => None,
        };
        match before {
            Some(grant) if !self.lives(issuer, grant).await? => Ok(Answered::Spent),
            _ => Ok(answered),
        }
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        if self.lives(issuer, &issue.access.grant).await? {
            return self.grants.redeem(issuer, code, issue).await;
        }
        Ok(match self.grants.code(issuer, code).await? {
            Some(code) if code.redeemed => Redeemed::Replayed(code.grant.id),
            Some(_) => Redeemed::Revoked,
            None => Redeemed::Unknown,
        })
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<bool, StoreError> {
        Ok(self.lives(issuer, &issue.access.grant).await?
            && self.grants.issue(issuer, issue).await?)
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<AccessRecord>>, StoreError> {
        let found = self.grants.access(issuer, token).await?;
        self.if_it_lives(issuer, found, |found| &found.grant).await
    }

    async fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        let found = self.grants.family(issuer, row).await?;
        self.if_it_lives(issuer, found, |found| &found.grant).await
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        match self.lives(issuer, &rotation.access.grant).await? {
            true => self.grants.rotate(issuer, rotation).await,
            false => Ok(Rotated::Gone),
        }
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> Result<Redeemed, StoreError> {
        let grant = match &bought {
            Bought::Tokens(issue) => &issue.access.grant,
            Bought::Credential(credential) => &credential.access.grant,
        };
        match self.lives(issuer, grant).await? {
            true => self.grants.redeem_pending(issuer, pending, bought).await,
            // The request cannot be read by its row, to say more.
            false => Ok(Redeemed::Unknown),
        }
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
        let found = self.grants.credential(issuer, token).await?;
        self.if_it_lives(issuer, found, |found| &found.access.grant).await
    }

    async fn subject_since(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> Result<Option<RowId>, StoreError> {
        let Some(begun) = self.user_since(subject).await? else { return Ok(None) };
        let known = self.grants.subject_since(issuer, subject).await?;
        Ok(known.map(|removed| removed.max(RowId::last_before(begun))))
    }

    async fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Result<Option<Consent>, StoreError> {
        let found = self.grants.consent(issuer, subject, client, resources).await?;
        let Some(found) = found else { return Ok(None) };
        let counts = self.has_client(issuer, client, RowId::MAX).await?
            && self.has_user(subject, found.given).await?;
        Ok(counts.then_some(found))
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Result<Vec<Consent>, StoreError> {
        let mut counts = Vec::new();
        for found in self.grants.consents(issuer, subject).await? {
            if self.has_client(issuer, &found.client, RowId::MAX).await?
                && self.has_user(subject, found.given).await?
            {
                counts.push(found);
            }
        }
        Ok(counts)
    }

    async fn grants(&self, issuer: IssuerId, subject: &str) -> Result<Vec<LiveGrant>, StoreError> {
        let mut alive = Vec::new();
        for listed in self.grants.grants(issuer, subject).await? {
            if self.lives(issuer, &listed.grant).await? {
                alive.push(listed);
            }
        }
        Ok(alive)
    }

    forward! { grants:
        fn known_client(issuer: IssuerId; id: str) -> Option<RowId>;
        fn know_client(issuer: IssuerId, number: Option<RowId>; id: str) -> bool;
        fn put_code(issuer: IssuerId, code: CodeRecord) -> ();
        fn code(issuer: IssuerId, row: RowId) -> Option<Arc<CodeRecord>>;
        fn import(issuer: IssuerId, access: AccessRecord) -> ();
        fn put_pending(issuer: IssuerId, pending: PendingRecord) -> bool;
        fn pending(issuer: IssuerId; reference: PendingRef) -> Option<Arc<PendingRecord>>;
        fn revoke_grant(issuer: IssuerId, grant: RowId, until: Timestamp) -> bool;
        fn revoke_all(issuer: IssuerId, what: RevokeAll, last: RowId) -> ();
        fn uses_known_since() -> KnownSince;
    }
}

/// The grant of a pending request that was approved.
fn approved_grant(pending: &PendingRecord) -> Option<&Grant> {
    match &pending.state {
        PendingState::Approved(approval) | PendingState::Redeemed(approval) => {
            Some(&approval.grant)
        }
        PendingState::Pending | PendingState::Denied => None,
    }
}

impl<I: Issuers, C: Clients, G: Grants, O: OnceKeys, U: UserTable> OnceKeys
    for Parts<I, C, G, O, U>
{
    forward! { once:
        fn remember_once(
            issuer: IssuerId, space: &'static str, key: SecretHash, expires: Timestamp
        ) -> bool;
        fn keys_known_since() -> KnownSince;
    }
}
