//! A memory in front of a store.

mod loads;
mod recent;
mod view;
mod written;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use crate::{
    Env, Timestamp,
    oauth2::Resources,
    provider::{client::record::Client, meter::Lookups},
};

use super::{
    AccessRecord, Admission, Admitted, Answer, Answered, Bought, Change, Changes, Clients,
    CodeRecord, Consent, CredentialRecord, ErasedStore, FamilyRecord, Grants, InitialTokenRecord,
    Issue, IssuerId, Issuers, KnownSince, LiveGrant, OnceKeys, Part, PendingRecord, PendingRef,
    Redeemed, Registrations, RevokeAll, Rotated, Rotation, RowId, SecretHash, StoreError, TokenRef,
    UnusedClient, Worker, erased::measured, forward::forward,
};

use view::View;
use written::Written;

/// A store with a bounded memory in front: of clients, access tokens and token credentials, but
/// never of their absence, and of codes and refresh tokens that this process wrote itself. An `AuthorizationServer` puts it before every store that [is worth
/// it](Part::is_cacheable).
///
/// A revocation or removal by another process is noticed within half a second: if the truth of an
/// answer was last checked longer ago, or the store has [heard](Part::heard) of a change since, its
/// [changes](Part::changes) are read first, once however many requests wait. There is no background
/// task. If changes may have been missed, or cannot be read, everything is forgotten and the store is
/// asked, once for all requests that wait for the same answer.
pub(crate) struct Cached {
    store: Arc<dyn ErasedStore>,
    env: Env,
    views: RwLock<HashMap<IssuerId, Arc<View>>>,
}

impl Cached {
    /// Puts a memory in front of `store`.
    pub(crate) fn before(store: Arc<dyn ErasedStore>, env: Env) -> Self {
        Self { store, env, views: RwLock::default() }
    }

    /// Puts a memory in front of `store` if it is worth it.
    pub(crate) fn if_worth_it(store: &Arc<dyn ErasedStore>, env: &Env) -> Arc<dyn ErasedStore> {
        let store = measured(Arc::clone(store), env);
        match store.is_cacheable() {
            true => Arc::new(Self::before(store, env.clone())),
            false => store,
        }
    }

    fn view(&self, issuer: IssuerId) -> Arc<View> {
        if let Some(view) = self.views.read().unwrap_or_else(PoisonError::into_inner).get(&issuer) {
            return Arc::clone(view);
        }
        self.new_view(issuer)
    }

    /// A view that is made takes 8 kB of the stack, which each look-up would touch.
    #[cold]
    #[inline(never)]
    fn new_view(&self, issuer: IssuerId) -> Arc<View> {
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(views.entry(issuer).or_insert_with(|| Arc::new(View::new(issuer))))
    }

    /// The result of `look` in memory, if it is still valid.
    async fn recall<T>(
        &self,
        view: &View,
        lookups: &Lookups,
        look: impl Fn(&View) -> Option<T> + Send,
    ) -> Option<T> {
        let mut found = look(view);
        if found.is_some() {
            let now = self.env.now();
            if !view.is_fresh(now, self.store.heard()) {
                view.refresh(&*self.store, now).await;
                found = look(view);
            }
        }
        lookups.one(found.is_some());
        found
    }

    fn forget(&self, issuer: IssuerId, change: Change) {
        self.view(issuer).forget(&[change]);
    }
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cached").field(&self.store).finish()
    }
}

impl Part for Cached {
    fn is_cacheable(&self) -> bool {
        self.store.is_cacheable()
    }

    fn heard(&self) -> u64 {
        self.store.heard()
    }

    forward! { store:
        fn newest() -> RowId;
        fn floor() -> RowId;
        fn changes(issuer: IssuerId, position: i64) -> Changes;
        fn sweep(now: Timestamp) -> u64;
    }
}

impl Issuers for Cached {
    forward! { store:
        fn issuer(; issuer: str) -> IssuerId;
        fn lease(renew: Option<Worker>, holder: [u8; 16], now: Timestamp, expires: Timestamp)
            -> Worker;
    }
}

impl Clients for Cached {
    async fn client(&self, issuer: IssuerId, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let view = self.view(issuer);
        if let Some(client) = self.recall(&view, &view.client_lookups, |view| view.client(id)).await
        {
            return Ok(Some(client));
        }
        let mark = view.mark();
        let load = || async {
            let client = self.store.client(issuer, id).await?;
            if let Some(client) = &client {
                view.keep_client(mark, client);
            }
            Ok(client)
        };
        view.client_loads.one(id.into(), mark, self.env.now(), load).await
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Result<bool, StoreError> {
        let id = Arc::clone(&client.id);
        let was_put = self.store.put_client(issuer, client, before).await?;
        // Also if nothing was put: the memory may be older than the store.
        self.forget(issuer, Change::Client(id));
        Ok(was_put)
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let ids: Vec<_> = clients.iter().map(|client| Arc::clone(&client.id)).collect();
        let taken = self.store.add_clients(issuer, clients).await?;
        for id in ids {
            self.forget(issuer, Change::Client(id));
        }
        Ok(taken)
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Result<bool, StoreError> {
        let removed = self.store.remove_client(issuer, id).await?;
        self.forget(issuer, Change::Client(id.into()));
        Ok(removed)
    }

    forward! { store:
        fn clients(issuer: IssuerId) -> Vec<Arc<Client>>;
    }
}

impl Registrations for Cached {
    async fn admit(&self, issuer: IssuerId, admission: Admission) -> Result<Admitted, StoreError> {
        let ids = admission.instead_of.iter().map(|client| Arc::clone(&client.id));
        let ids: Vec<_> = ids.chain([Arc::clone(&admission.client.id)]).collect();
        let admitted = self.store.admit(issuer, admission).await?;
        for id in ids {
            self.forget(issuer, Change::Client(id));
        }
        Ok(admitted)
    }

    forward! { store:
        fn unused_clients(issuer: IssuerId) -> Vec<UnusedClient>;
        fn put_initial_token(issuer: IssuerId, token: InitialTokenRecord) -> ();
        fn initial_token(issuer: IssuerId; hash: SecretHash) -> Option<InitialTokenRecord>;
        fn initial_tokens(issuer: IssuerId) -> Vec<InitialTokenRecord>;
        fn remove_initial_token(issuer: IssuerId, row: RowId) -> bool;
    }
}

impl Grants for Cached {
    fn longest_rotation(&self) -> Duration {
        self.store.longest_rotation()
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<AccessRecord>>, StoreError> {
        let view = self.view(issuer);
        if let Some(access) =
            self.recall(&view, &view.token_lookups, |view| view.access(token)).await
        {
            return Ok(Some(access));
        }
        let mark = view.mark();
        let load = || async {
            let access = self.store.access(issuer, token).await?;
            if let Some(access) = &access {
                view.keep_access(mark, access);
            }
            Ok(access)
        };
        view.token_loads.one(token.clone(), mark, self.env.now(), load).await
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
        let view = self.view(issuer);
        if let Some(credential) =
            self.recall(&view, &view.credential_lookups, |view| view.credential(token)).await
        {
            return Ok(Some(credential));
        }
        let mark = view.mark();
        let load = || async {
            let credential = self.store.credential(issuer, token).await?;
            if let Some(credential) = &credential {
                view.keep_credential(mark, credential);
            }
            Ok(credential)
        };
        view.credential_loads.one(token.clone(), mark, self.env.now(), load).await
    }

    async fn answer(&self, issuer: IssuerId, answer: Answer) -> Result<Answered, StoreError> {
        let code = Written::code_of(&answer);
        let answered = self.store.answer(issuer, answer).await?;
        if let (Answered::First, Some(code)) = (&answered, code) {
            self.view(issuer).written.keep_code(code);
        }
        Ok(answered)
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Result<(), StoreError> {
        let kept = Arc::new(code.clone());
        self.store.put_code(issuer, code).await?;
        self.view(issuer).written.keep_code(kept);
        Ok(())
    }

    async fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<CodeRecord>>, StoreError> {
        match self.view(issuer).written.code(row) {
            Some(code) => Ok(Some(code)),
            None => self.store.code(issuer, row).await,
        }
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        let (view, family) = (self.view(issuer), Written::family_of(&issue));
        // First: nobody knows what became of it if the store does not answer.
        view.written.forget_code(code);
        let redeemed = self.store.redeem(issuer, code, issue).await?;
        if let (Redeemed::Issued, Some(family)) = (&redeemed, family) {
            view.written.keep_family(&family);
        }
        Ok(redeemed)
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<bool, StoreError> {
        let family = Written::family_of(&issue);
        let is_issued = self.store.issue(issuer, issue).await?;
        if let Some(family) = family.filter(|_| is_issued) {
            self.view(issuer).written.keep_family(&family);
        }
        Ok(is_issued)
    }

    async fn family_of(
        &self,
        issuer: IssuerId,
        row: RowId,
        presented: SecretHash,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        let view = self.view(issuer);
        if let Some(family) = view.written.family(row, &presented) {
            return Ok(Some(family));
        }
        let found = self.store.family(issuer, row).await?;
        if let Some(family) = &found {
            view.written.keep_family(family);
        }
        Ok(found)
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        let view = self.view(issuer);
        let turned = view.written.take_family(&rotation);
        let rotated = self.store.rotate(issuer, rotation).await?;
        view.written.keep_rotated(&rotated, turned);
        Ok(rotated)
    }

    async fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let revoked = self.store.revoke_grant(issuer, grant, until).await?;
        self.forget(issuer, Change::Grant(grant));
        Ok(revoked)
    }

    async fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> Result<(), StoreError> {
        let subject = Arc::clone(what.subject());
        self.store.revoke_all(issuer, what, last).await?;
        self.forget(issuer, Change::Subject(subject));
        Ok(())
    }

    async fn know_client(
        &self,
        issuer: IssuerId,
        number: Option<RowId>,
        id: &str,
    ) -> Result<bool, StoreError> {
        let known = self.store.know_client(issuer, number, id).await?;
        self.forget(issuer, Change::Client(id.into()));
        Ok(known)
    }

    // Issued tokens are not remembered at once: their grant may die meanwhile, which only a read
    // shows.
    forward! { store:
        fn known_client(issuer: IssuerId; id: str) -> Option<RowId>;
        fn import(issuer: IssuerId, access: AccessRecord) -> ();
        fn family(issuer: IssuerId, row: RowId) -> Option<Arc<FamilyRecord>>;
        fn put_pending(issuer: IssuerId, pending: PendingRecord) -> bool;
        fn pending(issuer: IssuerId; reference: PendingRef) -> Option<Arc<PendingRecord>>;
        fn redeem_pending(issuer: IssuerId, pending: RowId, bought: Bought) -> Redeemed;
        fn subject_since(issuer: IssuerId; subject: str) -> Option<RowId>;
        fn uses_known_since() -> KnownSince;
        fn consent(issuer: IssuerId; subject: str, client: str, resources: Resources)
            -> Option<Consent>;
        fn consents(issuer: IssuerId; subject: str) -> Vec<Consent>;
        fn grants(issuer: IssuerId; subject: str) -> Vec<LiveGrant>;
    }
}

impl OnceKeys for Cached {
    forward! { store:
        fn remember_once(
            issuer: IssuerId, space: &'static str, key: SecretHash, expires: Timestamp
        ) -> bool;
        fn keys_known_since() -> KnownSince;
    }
}
