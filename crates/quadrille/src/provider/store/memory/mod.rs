//! A store in memory: fast, and gone with the process.

mod clients;
mod grants;
mod log;
mod moved;
mod oauth1;
mod pending;
mod realm;
mod registration;
mod shards;
mod tokens;
mod transfer;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};

use crate::{Env, Timestamp, oauth2::Resources, provider::client::record::Client};

use super::{
    AccessRecord, Admission, Admitted, Answer, Answered, Bought, Changes, Clients, CodeRecord,
    Consent, CredentialRecord, FamilyRecord, Grants, InitialTokenRecord, Issue, IssuerId, Issuers,
    KnownSince, LiveGrant, OnceKeys, Outcome, Part, PendingRecord, PendingRef, Redeemed,
    Registrations, RevokeAll, Rotated, Rotation, RowId, SWEEP_DELAY, SecretHash, StoreError,
    TokenRef, UnusedClient, Worker,
};

use realm::Realm;
use shards::lock;

/// The most issuers.
const ISSUERS: usize = 65_536;

/// A store in memory, for tests and for single processes that may forget.
///
/// Each write removes a few expired entries.
///
/// ```
/// use quadrille::{Env, provider::store::MemoryStore};
///
/// let store = MemoryStore::new(Env::system());
/// ```
pub struct MemoryStore {
    env: Env,
    issuers: Mutex<HashMap<String, IssuerId>>,
    /// By the number of the issuer, from 1.
    realms: RwLock<Vec<Arc<Realm>>>,
    workers: Mutex<HashMap<u16, Worker>>,
    /// The greatest number ever stored.
    newest: AtomicI64,
    /// Another one than always if rows of another store were moved here.
    known_since: Mutex<KnownSince>,
    /// The second before which marks of keys had expired that may have been removed.
    swept: AtomicI64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(env: Env) -> Self {
        Self {
            env,
            issuers: Mutex::default(),
            realms: RwLock::default(),
            workers: Mutex::default(),
            newest: AtomicI64::new(0),
            known_since: Mutex::new(KnownSince::ALWAYS),
            swept: AtomicI64::new(0),
        }
    }

    fn saw(&self, row: RowId) {
        self.newest.fetch_max(row.0, Ordering::SeqCst);
    }

    /// Notes that marks of keys may be removed now, before a verb does so.
    fn may_sweep(&self, now: Timestamp) {
        self.swept.fetch_max((now - SWEEP_DELAY).seconds(), Ordering::SeqCst);
    }

    fn saw_issue(&self, issue: &Issue) {
        self.saw(issue.access.row.max(issue.access.grant.id));
        if let Some(family) = &issue.family {
            self.saw(family.row);
        }
    }

    fn realm(&self, issuer: IssuerId) -> Result<Arc<Realm>, StoreError> {
        let index = usize::try_from(issuer.0).ok().and_then(|number| number.checked_sub(1));
        let Some(index) = index.filter(|index| *index < ISSUERS) else {
            return Err(StoreError::Corrupt("an issuer"));
        };
        let known = self.realms.read().unwrap_or_else(PoisonError::into_inner).get(index).cloned();
        known.map_or_else(|| self.new_realm(index), Ok)
    }

    /// The realm of an issuer whose number another part of the store gave. It stands apart, since a
    /// realm that is made takes 54 kB of the stack, which each look-up would touch.
    #[cold]
    #[inline(never)]
    fn new_realm(&self, index: usize) -> Result<Arc<Realm>, StoreError> {
        let mut realms = self.realms.write().unwrap_or_else(PoisonError::into_inner);
        while realms.len() <= index {
            realms.push(Arc::new(Realm::new()));
        }
        realms.get(index).cloned().ok_or(StoreError::Corrupt("an issuer"))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl Part for MemoryStore {
    async fn newest(&self) -> Result<RowId, StoreError> {
        Ok(RowId(self.newest.load(Ordering::SeqCst)))
    }

    /// A read costs no more than a cache would.
    fn is_cacheable(&self) -> bool {
        false
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Result<Changes, StoreError> {
        Ok(self.realm(issuer)?.changes(position))
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let realms = self.realms.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.may_sweep(now);
        Ok(realms.iter().map(|realm| realm.sweep(now)).sum())
    }
}

impl Issuers for MemoryStore {
    async fn issuer(&self, issuer: &str) -> Result<IssuerId, StoreError> {
        let mut issuers = lock(&self.issuers);
        if let Some(number) = issuers.get(issuer) {
            return Ok(*number);
        }
        let mut realms = self.realms.write().unwrap_or_else(PoisonError::into_inner);
        realms.push(Arc::new(Realm::new()));
        let number = IssuerId(realms.len().try_into().unwrap_or(i64::MAX));
        issuers.insert(issuer.to_owned(), number);
        Ok(number)
    }

    async fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Worker, StoreError> {
        let mut workers = lock(&self.workers);
        if let Some(ours) = renew.and_then(|ours| workers.get_mut(&ours.number))
            && ours.holder == holder
        {
            ours.expires = expires;
            return Ok(*ours);
        }
        for number in 0..1024 {
            let not_before = match workers.get(&number) {
                Some(held) if held.expires > now => continue,
                Some(held) => held.expires,
                None => Timestamp::default(),
            };
            let ours = Worker { number, holder, expires, not_before };
            workers.insert(number, ours);
            return Ok(ours);
        }
        Err(StoreError::Busy)
    }
}

impl Clients for MemoryStore {
    async fn client(&self, issuer: IssuerId, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(self.realm(issuer)?.client(id))
    }

    async fn clients(&self, issuer: IssuerId) -> Result<Vec<Arc<Client>>, StoreError> {
        Ok(self.realm(issuer)?.clients())
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Result<bool, StoreError> {
        self.saw(client.number);
        Ok(self.realm(issuer)?.put_client(client, before.as_deref()))
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        for client in &clients {
            self.saw(client.number);
        }
        Ok(self.realm(issuer)?.add_clients(clients))
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Result<bool, StoreError> {
        Ok(self.realm(issuer)?.remove_client(id))
    }
}

impl Registrations for MemoryStore {
    async fn unused_clients(&self, issuer: IssuerId) -> Result<Vec<UnusedClient>, StoreError> {
        Ok(self.realm(issuer)?.unused_clients())
    }

    async fn admit(&self, issuer: IssuerId, admission: Admission) -> Result<Admitted, StoreError> {
        self.saw(admission.client.number);
        Ok(self.realm(issuer)?.admit(admission))
    }

    async fn put_initial_token(
        &self,
        issuer: IssuerId,
        token: InitialTokenRecord,
    ) -> Result<(), StoreError> {
        self.saw(token.row);
        self.realm(issuer)?.initial_tokens.put(token);
        Ok(())
    }

    async fn initial_token(
        &self,
        issuer: IssuerId,
        hash: &SecretHash,
    ) -> Result<Option<InitialTokenRecord>, StoreError> {
        Ok(self.realm(issuer)?.initial_tokens.find(hash))
    }

    async fn initial_tokens(
        &self,
        issuer: IssuerId,
    ) -> Result<Vec<InitialTokenRecord>, StoreError> {
        Ok(self.realm(issuer)?.initial_tokens.all())
    }

    async fn remove_initial_token(&self, issuer: IssuerId, row: RowId) -> Result<bool, StoreError> {
        Ok(self.realm(issuer)?.initial_tokens.remove(row))
    }
}

impl Grants for MemoryStore {
    async fn known_client(&self, issuer: IssuerId, id: &str) -> Result<Option<RowId>, StoreError> {
        Ok(self.realm(issuer)?.known_client(id))
    }

    async fn know_client(
        &self,
        issuer: IssuerId,
        number: Option<RowId>,
        id: &str,
    ) -> Result<bool, StoreError> {
        number.inspect(|number| self.saw(*number));
        Ok(self.realm(issuer)?.know_client(id, number))
    }

    async fn answer(&self, issuer: IssuerId, answer: Answer) -> Result<Answered, StoreError> {
        match &answer.outcome {
            Outcome::Ticket(_, Some(code)) => self.saw(code.row.max(code.grant.id)),
            Outcome::Pending(_, Some(approval)) => self.saw(approval.grant.id),
            Outcome::Ticket(_, None) | Outcome::Pending(_, None) => {}
        }
        Ok(self.realm(issuer)?.answer(answer, self.env.now()))
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Result<(), StoreError> {
        self.saw(code.row.max(code.grant.id));
        self.realm(issuer)?.put_code(code, self.env.now());
        Ok(())
    }

    async fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<CodeRecord>>, StoreError> {
        Ok(self.realm(issuer)?.code(row))
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        self.saw_issue(&issue);
        Ok(self.realm(issuer)?.redeem(code, issue, self.env.now()))
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<bool, StoreError> {
        self.saw_issue(&issue);
        Ok(self.realm(issuer)?.issue(issue, self.env.now()))
    }

    async fn import(&self, issuer: IssuerId, access: AccessRecord) -> Result<(), StoreError> {
        self.saw(access.row.max(access.grant.id));
        self.realm(issuer)?.import(access, self.env.now());
        Ok(())
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<AccessRecord>>, StoreError> {
        Ok(self.realm(issuer)?.access(token).map(Arc::new))
    }

    async fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        Ok(self.realm(issuer)?.family(row))
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        self.saw(rotation.access.row);
        Ok(self.realm(issuer)?.rotate(rotation, self.env.now()))
    }

    async fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> Result<bool, StoreError> {
        self.saw(pending.row);
        Ok(self.realm(issuer)?.pending.put(pending, self.env.now()))
    }

    async fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Result<Option<Arc<PendingRecord>>, StoreError> {
        Ok(self.realm(issuer)?.pending.find(reference))
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> Result<Redeemed, StoreError> {
        match &bought {
            Bought::Tokens(issue) => self.saw_issue(issue),
            Bought::Credential(credential) => self.saw(credential.access.grant.id),
        }
        Ok(self.realm(issuer)?.redeem_pending(pending, bought, self.env.now()))
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
        Ok(self.realm(issuer)?.credential(token))
    }

    async fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.realm(issuer)?.revoke_grant(grant, until, self.env.now()))
    }

    async fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> Result<(), StoreError> {
        self.saw(last);
        self.realm(issuer)?.revoke_all(&what, last);
        Ok(())
    }

    async fn subject_since(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> Result<Option<RowId>, StoreError> {
        Ok(Some(self.realm(issuer)?.removed(subject)))
    }

    /// What could be used ends with the store.
    async fn uses_known_since(&self) -> Result<KnownSince, StoreError> {
        Ok(*lock(&self.known_since))
    }

    async fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Result<Option<Consent>, StoreError> {
        Ok(self.realm(issuer)?.consent(subject, client, resources))
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Result<Vec<Consent>, StoreError> {
        Ok(self.realm(issuer)?.consents(subject))
    }

    async fn grants(&self, issuer: IssuerId, subject: &str) -> Result<Vec<LiveGrant>, StoreError> {
        Ok(self.realm(issuer)?.grants(subject))
    }
}

impl OnceKeys for MemoryStore {
    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let now = self.env.now();
        self.may_sweep(now);
        Ok(self.realm(issuer)?.remember_once(space, key, expires, now))
    }

    /// The clients that use keys end with the store.
    async fn keys_known_since(&self) -> Result<KnownSince, StoreError> {
        let swept = Timestamp::from_seconds(self.swept.load(Ordering::SeqCst));
        Ok(lock(&self.known_since).after_sweep(swept, self.env.now()))
    }
}
