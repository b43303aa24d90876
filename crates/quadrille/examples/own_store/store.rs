//! The verbs of the store. Each is one transaction: it reads, compares, writes, and says who won.
//! [`OwnStore::begin`] stands for your database's transaction.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use quadrille::{
    Env, Timestamp,
    provider::{
        Client,
        store::{
            AccessRecord, Admission, Admitted, Answer, Answered, Bought, Change, Changes, Clients,
            CodeRecord, Consent, CredentialRecord, FamilyRecord, Grants, Identifier,
            InitialTokenRecord, Issue, IssuerId, Issuers, KnownSince, LiveGrant, OnceKeys, Part,
            PendingRecord, PendingRef, PendingState, Redeemed, Registrations, RevokeAll, Rotated,
            Rotation, RowId, SecretHash, StoreError, TokenRef, UnusedClient, Worker,
        },
    },
};

use super::tables::{Of, Tables, raise};

type Stored<T> = Result<T, StoreError>;
type Found<T> = Stored<Option<Arc<T>>>;

pub(crate) struct OwnStore {
    env: Env,
    all: Mutex<All>,
}

/// What is not of one issuer.
#[derive(Default)]
struct All {
    issuers: Vec<String>,
    workers: BTreeMap<u16, Worker>,
    tables: BTreeMap<IssuerId, Tables>,
}

impl OwnStore {
    pub(crate) fn new(env: Env) -> Self {
        Self { env, all: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction on the tables of an issuer. Once a minute it removes expired rows, too.
    fn begin<T>(&self, issuer: IssuerId, verb: impl FnOnce(&mut Tables) -> T) -> Stored<T> {
        let (mut all, now) = (self.lock(), self.env.now());
        let tables = all.tables.entry(issuer).or_default();
        if now.seconds() >= tables.swept.seconds() + 60 {
            tables.swept = now;
            tables.sweep(now);
        }
        Ok(verb(tables))
    }
}

impl Part for OwnStore {
    async fn newest(&self) -> Stored<RowId> {
        Ok(RowId(self.lock().tables.values().map(|tables| tables.newest).max().unwrap_or(0)))
    }

    /// A read costs no more than that of a cache.
    fn is_cacheable(&self) -> bool {
        false
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Stored<Changes> {
        self.begin(issuer, |tables| {
            let kept = i64::try_from(tables.changes.len()).unwrap_or(i64::MAX);
            let newest = tables.dropped + kept;
            let gap = !(tables.dropped..=newest).contains(&position);
            let skip = usize::try_from(position - tables.dropped).unwrap_or(0);
            let told = tables.changes.iter().skip(skip).cloned();
            let changes = if gap { Vec::new() } else { told.collect() };
            Changes { position: newest, changes, gap }
        })
    }

    async fn sweep(&self, now: Timestamp) -> Stored<u64> {
        let gone = |tables: &mut Tables| tables.sweep(now) + tables.sweep_unused(now);
        Ok(self.lock().tables.values_mut().map(gone).sum())
    }
}

impl Issuers for OwnStore {
    async fn issuer(&self, issuer: &str) -> Stored<IssuerId> {
        let mut all = self.lock();
        let known = all.issuers.iter().position(|known| known == issuer);
        let index = known.unwrap_or_else(|| {
            all.issuers.push(issuer.to_owned());
            all.issuers.len() - 1
        });
        Ok(IssuerId(i64::try_from(index).unwrap_or(i64::MAX - 1) + 1))
    }

    async fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Stored<Worker> {
        let workers = &mut self.lock().workers;
        if let Some(ours) = renew.and_then(|ours| workers.get_mut(&ours.number))
            && ours.holder == holder
        {
            ours.expires = expires;
            return Ok(*ours);
        }
        for number in 0..1024 {
            // The next holder draws no numbers for times of the one before.
            let not_before = workers.get(&number).map_or(Timestamp::default(), |held| held.expires);
            if not_before <= now {
                let ours = Worker { number, holder, expires, not_before };
                workers.insert(number, ours);
                return Ok(ours);
            }
        }
        Err(StoreError::Busy)
    }
}

impl Clients for OwnStore {
    async fn client(&self, issuer: IssuerId, id: &str) -> Found<Client> {
        self.begin(issuer, |tables| tables.clients.get(id).cloned())
    }

    async fn clients(&self, issuer: IssuerId) -> Stored<Vec<Arc<Client>>> {
        self.begin(issuer, |tables| tables.clients.values().cloned().collect())
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Stored<bool> {
        self.begin(issuer, |tables| {
            let is_same = tables.clients.get(&client.id) == before.as_ref();
            if is_same {
                tables.keep(client);
            }
            is_same
        })
    }

    async fn add_clients(&self, issuer: IssuerId, clients: Vec<Client>) -> Found<str> {
        self.begin(issuer, |tables| {
            let mut ids = clients.iter().map(|client| &client.id);
            let taken = ids.find(|id| tables.clients.contains_key(*id)).cloned();
            if taken.is_none() {
                clients.into_iter().for_each(|client| tables.keep(client));
            }
            taken
        })
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Stored<bool> {
        self.begin(issuer, |tables| tables.remove(id))
    }
}

impl Registrations for OwnStore {
    async fn admit(&self, issuer: IssuerId, admission: Admission) -> Stored<Admitted> {
        let Admission { client, token, instead_of } = admission;
        self.begin(issuer, |tables| {
            if tables.clients.contains_key(&client.id) {
                return Admitted::IdTaken;
            }
            if let Some(hash) = token {
                let found = tables.initial_tokens.values_mut().find(|token| token.hash == hash);
                let Some(found) = found else { return Admitted::TokenSpent };
                found.uses -= 1;
                tables.initial_tokens.retain(|_, token| token.uses > 0);
            }
            for other in instead_of {
                let held = tables.clients.get(&other.id).and_then(|held| UnusedClient::of(held));
                if held == Some(other.clone()) {
                    tables.remove(&other.id);
                }
            }
            tables.keep(client);
            Admitted::Registered
        })
    }

    async fn put_initial_token(&self, issuer: IssuerId, token: InitialTokenRecord) -> Stored<()> {
        self.begin(issuer, |tables| {
            tables.saw(token.row);
            tables.initial_tokens.insert(token.row, token);
        })
    }

    async fn initial_tokens(&self, issuer: IssuerId) -> Stored<Vec<InitialTokenRecord>> {
        self.begin(issuer, |tables| tables.initial_tokens.values().cloned().collect())
    }

    async fn remove_initial_token(&self, issuer: IssuerId, row: RowId) -> Stored<bool> {
        self.begin(issuer, |tables| tables.initial_tokens.remove(&row).is_some())
    }
}

impl Grants for OwnStore {
    async fn known_client(&self, issuer: IssuerId, id: &str) -> Stored<Option<RowId>> {
        self.begin(issuer, |tables| tables.number(id))
    }

    async fn know_client(&self, issuer: IssuerId, number: Option<RowId>, id: &str) -> Stored<bool> {
        self.begin(issuer, |tables| {
            number.into_iter().for_each(|number| tables.saw(number));
            if tables.clients.contains_key(id) {
                return false;
            }
            let id: Arc<str> = id.into();
            let before = tables.elsewhere.remove(&id);
            tables.elsewhere.extend(number.map(|number| (Arc::clone(&id), number)));
            if before != number {
                tables.changed(&id, true);
            }
            true
        })
    }

    async fn answer(&self, issuer: IssuerId, answer: Answer) -> Stored<Answered> {
        self.begin(issuer, |tables| {
            let before = tables.answered(&answer.outcome);
            if before == Answered::First {
                tables.answer(answer);
            }
            before
        })
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Stored<()> {
        self.begin(issuer, |tables| tables.put_code(code))
    }

    async fn code(&self, issuer: IssuerId, row: RowId) -> Found<CodeRecord> {
        self.begin(issuer, |tables| tables.codes.get(&row).cloned().map(Arc::new))
    }

    async fn redeem(&self, issuer: IssuerId, code: RowId, issue: Issue) -> Stored<Redeemed> {
        self.begin(issuer, |tables| {
            let Some(held) = tables.codes.get(&code) else { return Redeemed::Unknown };
            if held.redeemed {
                return Redeemed::Replayed(held.grant.id);
            }
            if !tables.is_alive(&held.grant) {
                return Redeemed::Revoked;
            }
            tables.codes.entry(code).and_modify(|code| code.redeemed = true);
            tables.issue(issue);
            Redeemed::Issued
        })
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Stored<bool> {
        self.begin(issuer, |tables| {
            let lives = tables.is_alive(&issue.access.grant);
            if lives {
                tables.issue(issue);
            }
            lives
        })
    }

    async fn import(&self, issuer: IssuerId, access: AccessRecord) -> Stored<()> {
        self.begin(issuer, |tables| {
            tables.saw(access.row.max(access.grant.id));
            tables.by_hash.insert((Of::Access, access.hash), access.row);
            tables.access.insert(access.row, access);
        })
    }

    async fn access(&self, issuer: IssuerId, token: &TokenRef) -> Found<AccessRecord> {
        self.begin(issuer, |tables| {
            let row = tables.place(Of::Access, token)?;
            let found = tables.access.get(&row).filter(|held| held.hash == *token.hash())?;
            tables.is_alive(&found.grant).then(|| Arc::new(found.clone()))
        })
    }

    async fn family(&self, issuer: IssuerId, row: RowId) -> Found<FamilyRecord> {
        self.begin(issuer, |tables| {
            let found = tables.families.get(&row)?;
            tables.is_alive(&found.grant).then(|| Arc::new(found.clone()))
        })
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Stored<Rotated> {
        self.begin(issuer, |tables| {
            let Some(mut held) = tables.families.get(&rotation.family).cloned() else {
                return Rotated::Gone;
            };
            if !tables.is_alive(&held.grant) {
                return Rotated::Gone;
            }
            if !rotation.apply(&mut held) {
                return Rotated::Lost(Arc::new(held));
            }
            tables.saw(rotation.access.row);
            tables.families.insert(held.row, held);
            tables.access.insert(rotation.access.row, rotation.access);
            Rotated::Issued
        })
    }

    async fn put_pending(&self, issuer: IssuerId, pending: PendingRecord) -> Stored<bool> {
        self.begin(issuer, |tables| {
            let mut keys: Vec<_> = pending.user_code.iter().map(|it| (Of::UserCode, *it)).collect();
            if let Identifier::Foreign(hash) = pending.identifier {
                keys.push((Of::Identifier, hash));
            }
            let is_taken = keys.iter().any(|key| tables.by_hash.contains_key(key));
            if is_taken || tables.pending.contains_key(&pending.row) {
                return false;
            }
            tables.saw(pending.row);
            tables.by_hash.extend(keys.into_iter().map(|key| (key, pending.row)));
            tables.pending.insert(pending.row, pending);
            true
        })
    }

    async fn pending(&self, issuer: IssuerId, reference: &PendingRef) -> Found<PendingRecord> {
        self.begin(issuer, |tables| {
            let row = match reference {
                PendingRef::Identifier(token) => tables.place(Of::Identifier, token)?,
                PendingRef::UserCode(hash) => *tables.by_hash.get(&(Of::UserCode, *hash))?,
            };
            let found = tables.pending.get(&row).filter(|held| held.is_found_by(reference))?;
            Some(Arc::new(found.clone()))
        })
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        row: RowId,
        bought: Bought,
    ) -> Stored<Redeemed> {
        self.begin(issuer, |tables| {
            let approval = match tables.pending.get(&row).map(|held| &held.state) {
                Some(PendingState::Approved(approval)) => approval.clone(),
                Some(PendingState::Redeemed(before)) => return Redeemed::Replayed(before.grant.id),
                _ => return Redeemed::Unknown,
            };
            if !tables.is_alive(&approval.grant) {
                return Redeemed::Revoked;
            }
            match bought {
                Bought::Tokens(issue) => tables.issue(*issue),
                Bought::Credential(credential) => tables.put_credential(credential),
            }
            tables.pending.entry(row).and_modify(|it| it.state = PendingState::Redeemed(approval));
            Redeemed::Issued
        })
    }

    async fn credential(&self, issuer: IssuerId, token: &TokenRef) -> Found<CredentialRecord> {
        self.begin(issuer, |tables| {
            let row = tables.place(Of::Credential, token)?;
            let found = tables.credentials.get(&row).filter(|held| held.is_found_by(token))?;
            tables.is_alive(&found.access.grant).then(|| Arc::new(found.clone()))
        })
    }

    async fn revoke_grant(&self, issuer: IssuerId, grant: RowId, until: Timestamp) -> Stored<bool> {
        self.begin(issuer, |tables| {
            let is_new = !tables.revoked.contains_key(&grant);
            if is_new {
                tables.revoked.insert(grant, until);
                tables.bury();
                tables.tell(Change::Grant(grant));
            }
            is_new
        })
    }

    async fn revoke_all(&self, issuer: IssuerId, what: RevokeAll, last: RowId) -> Stored<()> {
        let (subject, client) = (Arc::clone(what.subject()), what.client().cloned());
        self.begin(issuer, |tables| {
            tables.saw(last);
            if matches!(what, RevokeAll::Removed(_)) {
                raise(&mut tables.removed, Arc::clone(&subject), last);
            }
            raise(&mut tables.cut, (Arc::clone(&subject), client.clone()), last);
            tables.consents.retain(|(who, to, _), _| {
                *who != subject || client.as_ref().is_some_and(|client| client != to)
            });
            tables.bury();
            tables.tell(Change::Subject(subject));
        })
    }

    async fn subject_since(&self, issuer: IssuerId, subject: &str) -> Stored<Option<RowId>> {
        self.begin(issuer, |tables| Some(tables.removed.get(subject).copied().unwrap_or(RowId(0))))
    }

    async fn uses_known_since(&self) -> Stored<KnownSince> {
        Ok(KnownSince::ALWAYS)
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Stored<Vec<Consent>> {
        let first = (subject.into(), "".into(), String::new());
        self.begin(issuer, |tables| {
            let from = tables.consents.range(first..);
            let of_subject = from.take_while(|((who, ..), _)| **who == *subject);
            of_subject.map(|(_, consent)| consent.clone()).collect()
        })
    }

    async fn grants(&self, issuer: IssuerId, subject: &str) -> Stored<Vec<LiveGrant>> {
        let subject: Arc<str> = subject.into();
        let all = (Arc::clone(&subject), RowId(0))..=(subject, RowId::MAX);
        self.begin(issuer, |tables| {
            let listed = tables.grants.range(all).map(|(_, listed)| listed);
            let alive = listed.filter(|(grant, ..)| tables.is_alive(grant));
            alive.map(|(grant, family, ends)| tables.live(grant, *family, *ends)).collect()
        })
    }
}

impl OnceKeys for OwnStore {
    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Stored<bool> {
        let now = self.env.now().seconds();
        self.begin(issuer, |tables| {
            let known = tables.once.get(&(space, key));
            let is_new = known.is_none_or(|expires| expires.seconds() < now);
            if is_new {
                // A clock that is right again may need the longer time.
                let expires = expires.max(known.copied().unwrap_or_default());
                tables.once.insert((space, key), expires);
            }
            is_new
        })
    }

    async fn keys_known_since(&self) -> Stored<KnownSince> {
        let swept = self.lock().tables.values().map(|tables| tables.keys_swept).max();
        Ok(KnownSince::ALWAYS.after_sweep(swept.unwrap_or_default(), self.env.now()))
    }
}
