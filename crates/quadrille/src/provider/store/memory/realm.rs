//! The rows of one issuer.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    Scopes, Timestamp,
    actor::Actor,
    oauth2::Resources,
    provider::store::{
        AccessRecord, Answer, Answered, Bought, Change, Changes, CodeRecord, Consent,
        CredentialRecord, FamilyRecord, Grant, Issue, LiveGrant, Outcome, REVOCATION_SWEEP_DELAY,
        Redeemed, RevokeAll, Rotated, Rotation, RowId, SecretHash, TicketId, TicketUse, TokenRef,
    },
};

use super::{
    grants::Grants,
    log::Log,
    oauth1::Credentials,
    pending::Pending,
    registration::{Clients, InitialTokens},
    shards::{Expires, Place, Rows, Shards, lock, read, write},
    tokens::Tokens,
};

/// The most expired entries that `sweep` removes from each shard at a time.
pub(super) const PER_SWEEP: usize = 64;

/// Locks are taken in the order of the fields.
pub(super) struct Realm {
    pub(super) clients: RwLock<Clients>,
    pub(super) initial_tokens: InitialTokens,
    pub(super) tickets: Shards<TicketId, Ticket>,
    pub(super) codes: Rows<Arc<CodeRecord>>,
    pub(super) pending: Pending,
    pub(super) families: Rows<Arc<FamilyRecord>>,
    pub(super) tokens: Tokens,
    pub(super) foreign: Shards<SecretHash, Place>,
    pub(super) credentials: Credentials,
    pub(super) grants: Grants,
    pub(super) consents: Mutex<HashMap<ConsentKey, Consent>>,
    pub(super) once: Shards<(&'static str, SecretHash), Seconds>,
    pub(super) revoked: Rows<Revoked>,
    /// Spares most reads the look-up in `revoked` and `cut`.
    pub(super) any_revoked: AtomicBool,
    /// The number up to which grants are dead, by subject and, for one client only, client.
    pub(super) cut: RwLock<HashMap<SubjectAndAnyClient, RowId>>,
    /// The number of the last removal, by subject.
    pub(super) removed: RwLock<HashMap<Arc<str>, RowId>>,
    log: Mutex<Log>,
}

/// Subject, client and resources.
type ConsentKey = (Arc<str>, Arc<str>, Resources);
type SubjectAndAnyClient = (Arc<str>, Option<Arc<str>>);

pub(super) struct Ticket {
    pub(super) expires: i64,
    pub(super) code: Option<RowId>,
}

pub(super) struct Seconds(pub(super) i64);

/// The expiry of a revocation.
pub(super) struct Revoked(pub(super) i64);

impl Realm {
    pub(super) fn new() -> Self {
        Self {
            clients: RwLock::default(),
            initial_tokens: InitialTokens::default(),
            tickets: Shards::new(),
            codes: Shards::new(),
            pending: Pending::new(),
            families: Shards::new(),
            tokens: Tokens::new(),
            foreign: Shards::new(),
            credentials: Credentials::new(),
            grants: Grants::new(),
            consents: Mutex::default(),
            once: Shards::new(),
            revoked: Shards::new(),
            any_revoked: AtomicBool::new(false),
            cut: RwLock::default(),
            removed: RwLock::default(),
            log: Mutex::default(),
        }
    }

    pub(super) fn changes(&self, position: i64) -> Changes {
        lock(&self.log).since(position)
    }

    pub(super) fn answer(&self, answer: Answer, now: Timestamp) -> Answered {
        let Answer { outcome, asked, consent } = answer;
        let (TicketUse { ticket, until }, code) = match outcome {
            Outcome::Ticket(used, code) => (used, code),
            Outcome::Pending(row, approval) => {
                let grant = approval.as_ref().map(|approval| approval.grant.clone());
                let remember = || self.remember_consent(consent, &asked, grant.as_ref());
                return self.pending.answer(row, approval, |grant| self.is_alive(grant), remember);
            }
        };
        let mut tickets = self.tickets.lock(&ticket);
        if let Some(before) = tickets.get(&ticket) {
            let Some(row) = before.code else { return Answered::Denied };
            return match self.code(row) {
                Some(code) if !code.redeemed && self.is_alive(&code.grant) => Answered::Code(code),
                _ => Answered::Spent,
            };
        }
        let row = code.as_ref().map(|code| code.row);
        tickets.insert(ticket, Ticket { expires: until.seconds(), code: row }, now);
        self.remember_consent(consent, &asked, code.as_ref().map(|code| &code.grant));
        if let Some(code) = code {
            self.put_code(code, now);
        }
        Answered::First
    }

    /// Remembers a consent, unless the grant approved `with` it is dead already.
    fn remember_consent(&self, consent: Option<Consent>, asked: &Scopes, with: Option<&Grant>) {
        let Some(consent) = consent else { return };
        let (subject, client) = (Arc::clone(&consent.subject), Arc::clone(&consent.client));
        let key = (subject, client, consent.resources.clone());
        // Locked while the grant is checked: a revocation locks it afterwards.
        let mut consents = lock(&self.consents);
        if with.is_none_or(|grant| self.is_alive(grant)) {
            let consent = consent.following(consents.get(&key), asked);
            consents.insert(key, consent);
        }
    }

    pub(super) fn put_code(&self, code: CodeRecord, now: Timestamp) {
        self.codes.lock(&code.row).insert(code.row, Arc::new(code), now);
    }

    pub(super) fn code(&self, row: RowId) -> Option<Arc<CodeRecord>> {
        self.codes.lock(&row).get(&row).cloned()
    }

    pub(super) fn redeem(&self, row: RowId, issue: Issue, now: Timestamp) -> Redeemed {
        let mut codes = self.codes.lock(&row);
        let Some(code) = codes.get_mut(&row) else { return Redeemed::Unknown };
        if code.redeemed {
            return Redeemed::Replayed(code.grant.id);
        }
        if !self.is_alive(&code.grant) {
            return Redeemed::Revoked;
        }
        Arc::make_mut(code).redeemed = true;
        self.put_tokens(issue, now);
        Redeemed::Issued
    }

    pub(super) fn issue(&self, issue: Issue, now: Timestamp) -> bool {
        let lives = self.is_alive(&issue.access.grant);
        if lives {
            self.put_tokens(issue, now);
        }
        lives
    }

    fn put_tokens(&self, issue: Issue, now: Timestamp) {
        self.grants.put(&issue, now);
        if let Some(family) = issue.family {
            self.families.lock(&family.row).insert(family.row, Arc::new(family), now);
        }
        self.tokens.insert(issue.access, now);
    }

    pub(super) fn import(&self, access: AccessRecord, now: Timestamp) {
        let place = Place { row: access.row, expires: access.expires.seconds() };
        let hash = access.hash;
        self.tokens.insert(access, now);
        self.foreign.lock(&hash).insert(hash, place, now);
    }

    pub(super) fn access(&self, token: &TokenRef) -> Option<AccessRecord> {
        let access = match token {
            TokenRef::Row { row, hash } => self.tokens.get(*row, hash),
            TokenRef::Foreign { hash } => {
                let row = self.foreign.lock(hash).get(hash)?.row;
                self.tokens.get(row, hash)
            }
        };
        access.filter(|access| self.is_alive(&access.grant))
    }

    pub(super) fn family(&self, row: RowId) -> Option<Arc<FamilyRecord>> {
        let family = self.families.lock(&row).get(&row).cloned();
        family.filter(|family| self.is_alive(&family.grant))
    }

    pub(super) fn rotate(&self, rotation: Rotation, now: Timestamp) -> Rotated {
        let mut families = self.families.lock(&rotation.family);
        let Some(family) = families.get_mut(&rotation.family) else { return Rotated::Gone };
        if !self.is_alive(&family.grant) {
            return Rotated::Gone;
        }
        if !rotation.apply(Arc::make_mut(family)) {
            return Rotated::Lost(Arc::clone(family));
        }
        self.tokens.insert(rotation.access, now);
        Rotated::Issued
    }

    pub(super) fn redeem_pending(&self, row: RowId, bought: Bought, now: Timestamp) -> Redeemed {
        self.pending.redeem(row, |grant| match bought {
            Bought::Tokens(issue) => {
                let lives = self.is_alive(grant);
                if lives {
                    self.put_tokens(*issue, now);
                }
                lives
            }
            Bought::Credential(credential) => {
                self.credentials.put(credential, || self.is_alive(grant), now)
            }
        })
    }

    pub(super) fn credential(&self, token: &TokenRef) -> Option<Arc<CredentialRecord>> {
        let found = self.credentials.find(token);
        found.filter(|found| self.is_alive(&found.access.grant))
    }

    pub(super) fn revoke_grant(&self, grant: RowId, until: Timestamp, now: Timestamp) -> bool {
        let mut revoked = self.revoked.lock(&grant);
        if revoked.get(&grant).is_some() {
            return false;
        }
        revoked.insert(grant, Revoked(until.seconds()), now);
        self.any_revoked.store(true, Ordering::SeqCst);
        drop(revoked);
        self.credentials.remove(grant);
        self.tell(Change::Grant(grant));
        true
    }

    pub(super) fn revoke_all(&self, what: &RevokeAll, last: RowId) {
        let (subject, client) = (what.subject(), what.client());
        {
            let mut cut = write(&self.cut);
            let known = cut.entry((Arc::clone(subject), client.cloned())).or_insert(last);
            *known = last.max(*known);
        }
        if matches!(what, RevokeAll::Removed(_)) {
            let mut removed = write(&self.removed);
            let known = removed.entry(Arc::clone(subject)).or_insert(last);
            *known = last.max(*known);
        }
        self.any_revoked.store(true, Ordering::SeqCst);
        lock(&self.consents)
            .retain(|(who, to, _), _| who != subject || client.is_some_and(|client| client != to));
        self.credentials.retain(|grant| self.is_alive(grant));
        self.tell(Change::Subject(Arc::clone(subject)));
    }

    /// The number up to which the subject was that of users who were removed.
    pub(super) fn removed(&self, subject: &str) -> RowId {
        read(&self.removed).get(subject).copied().unwrap_or(RowId(0))
    }

    pub(super) fn consent(
        &self,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Option<Consent> {
        let key = (subject.into(), client.into(), resources.clone());
        lock(&self.consents).get(&key).cloned()
    }

    pub(super) fn consents(&self, subject: &str) -> Vec<Consent> {
        let consents = lock(&self.consents);
        let of_subject = consents.values().filter(|consent| *consent.subject == *subject);
        let mut found: Vec<_> = of_subject.cloned().collect();
        found.sort_by(|a, b| {
            (&a.client, a.resources.as_str()).cmp(&(&b.client, b.resources.as_str()))
        });
        found
    }

    pub(super) fn grants(&self, subject: &str) -> Vec<LiveGrant> {
        let mut found = self.credentials.of(subject);
        for listed in self.grants.of(subject) {
            let family = listed.family.and_then(|row| self.families.lock(&row).get(&row).cloned());
            found.push(LiveGrant {
                refreshed: family.and_then(|it| LiveGrant::refreshed(it.row, it.rotated)),
                expires: listed.ends(),
                grant: listed.grant,
            });
        }
        found.retain(|found| self.is_alive(&found.grant));
        found.sort_unstable_by_key(|found| found.grant.id);
        found
    }

    pub(super) fn remember_once(
        &self,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
        now: Timestamp,
    ) -> bool {
        let key = (space, key);
        let mut once = self.once.lock(&key);
        if once.get(&key).is_some_and(|known| known.0 >= now.seconds()) {
            return false;
        }
        // Another process, or a clock that is right again, may need the longer time.
        let known = once.get(&key).map_or(0, |known| known.0);
        once.insert(key, Seconds(known.max(expires.seconds())), now);
        true
    }

    pub(super) fn sweep(&self, now: Timestamp) -> u64 {
        // The rows list grants that are counted already.
        self.grants.sweep(now, PER_SWEEP);
        self.tickets.sweep(now, PER_SWEEP)
            + self.codes.sweep(now, PER_SWEEP)
            + self.pending.sweep(now)
            + self.families.sweep(now, PER_SWEEP)
            + self.tokens.sweep(now, PER_SWEEP)
            + self.foreign.sweep(now, PER_SWEEP)
            + self.credentials.sweep(now)
            + self.once.sweep(now, PER_SWEEP)
            + self.revoked.sweep(now, PER_SWEEP)
            + self.initial_tokens.sweep(now)
            + self.sweep_unused(now)
    }

    pub(super) fn is_alive(&self, grant: &Grant) -> bool {
        read(&self.clients).number(&grant.client).is_some_and(|number| number <= grant.id)
            && !(self.any_revoked.load(Ordering::SeqCst) && self.is_revoked(grant))
    }

    fn is_revoked(&self, grant: &Grant) -> bool {
        if self.revoked.lock(&grant.id).get(&grant.id).is_some() {
            return true;
        }
        let Actor::User(subject) = &grant.actor else { return false };
        let cut = read(&self.cut);
        let is_cut = |client| {
            cut.get(&(Arc::clone(subject), client)).is_some_and(|last: &RowId| grant.id <= *last)
        };
        !cut.is_empty() && (is_cut(None) || is_cut(Some(Arc::clone(&grant.client))))
    }

    pub(super) fn tell(&self, change: Change) {
        lock(&self.log).tell(change);
    }
}

impl Expires for Ticket {
    fn expires(&self) -> i64 {
        self.expires
    }
}

impl Expires for Seconds {
    fn expires(&self) -> i64 {
        self.0
    }
}

impl Expires for Revoked {
    const DELAY: Duration = REVOCATION_SWEEP_DELAY;

    fn expires(&self) -> i64 {
        self.0
    }
}

impl Expires for Arc<CodeRecord> {
    fn expires(&self) -> i64 {
        self.expires.seconds()
    }
}

impl Expires for Arc<FamilyRecord> {
    fn expires(&self) -> i64 {
        self.expires.seconds()
    }
}
