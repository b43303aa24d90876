//! The tables of the store, and the rules that several verbs share.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use quadrille::{
    Actor, Scopes, Timestamp,
    provider::{
        Client,
        store::{
            AccessRecord, Answer, Answered, Change, CodeRecord, Consent, CredentialRecord,
            FamilyRecord, Grant, InitialTokenRecord, Issue, LiveGrant, Outcome, PendingRecord,
            PendingState, REVOCATION_SWEEP_DELAY, RowId, SWEEP_DELAY, SecretHash, TicketId,
            TicketUse, TokenRef, UnusedClient,
        },
    },
};

/// The number of changes that other processes may still read.
const CHANGES: usize = 4096;

/// The most expired rows of a table that a verb removes.
const PER_SWEEP: u64 = 100;

/// The tables of one issuer, each with its key. Texts are compared byte for byte.
#[derive(Default)]
pub(crate) struct Tables {
    pub(super) clients: BTreeMap<Arc<str>, Arc<Client>>,
    /// The numbers of clients that another part keeps.
    pub(super) elsewhere: BTreeMap<Arc<str>, RowId>,
    pub(super) initial_tokens: BTreeMap<RowId, InitialTokenRecord>,
    pub(super) tickets: BTreeMap<TicketId, (Timestamp, Option<RowId>)>,
    pub(super) codes: BTreeMap<RowId, CodeRecord>,
    pub(super) pending: BTreeMap<RowId, PendingRecord>,
    pub(super) access: BTreeMap<RowId, AccessRecord>,
    pub(super) families: BTreeMap<RowId, FamilyRecord>,
    /// By the number of the grant.
    pub(super) credentials: BTreeMap<RowId, CredentialRecord>,
    /// Rows that are found by a hash alone.
    pub(super) by_hash: BTreeMap<(Of, SecretHash), RowId>,
    /// By subject.
    pub(super) grants: BTreeMap<(Arc<str>, RowId), Listed>,
    /// By subject, client and APIs.
    pub(super) consents: BTreeMap<(Arc<str>, Arc<str>, String), Consent>,
    pub(super) once: BTreeMap<(&'static str, SecretHash), Timestamp>,
    pub(super) revoked: BTreeMap<RowId, Timestamp>,
    /// The number up to which grants are dead, by subject, or by subject and client.
    pub(super) cut: BTreeMap<(Arc<str>, Option<Arc<str>>), RowId>,
    /// The number of the last removal, by subject.
    pub(super) removed: BTreeMap<Arc<str>, RowId>,
    pub(super) changes: VecDeque<Change>,
    /// The number of changes that are no longer kept.
    pub(super) dropped: i64,
    pub(super) swept: Timestamp,
    /// The time before which keys had expired that may have been removed.
    pub(super) keys_swept: Timestamp,
    /// The greatest number ever stored, also after its row is gone.
    pub(super) newest: i64,
}

/// A grant of a user: its family, and the expiry of its last token.
type Listed = (Grant, Option<RowId>, Timestamp);

/// The table in which a hash finds a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Of {
    Access,
    Identifier,
    UserCode,
    Credential,
}

/// Removes rows that expired before a second.
fn expire<K: Ord + Clone, V>(
    table: &mut BTreeMap<K, V>,
    until: Timestamp,
    expires: impl Fn(&V) -> Timestamp,
) -> u64 {
    let mut gone = 0;
    table.retain(|_, row| {
        let stays = gone == PER_SWEEP || expires(row).seconds() >= until.seconds();
        gone += u64::from(!stays);
        stays
    });
    gone
}

/// Raises the number of a key.
pub(super) fn raise<K: Ord>(table: &mut BTreeMap<K, RowId>, key: K, last: RowId) {
    let held = table.entry(key).or_insert(last);
    *held = last.max(*held);
}

impl Tables {
    pub(super) fn saw(&mut self, row: RowId) {
        self.newest = self.newest.max(row.0);
    }

    pub(super) fn tell(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > CHANGES {
            self.changes.pop_front();
            self.dropped += 1;
        }
    }

    pub(super) fn number(&self, client: &str) -> Option<RowId> {
        let kept = self.clients.get(client).map(|client| client.number);
        kept.or_else(|| self.elsewhere.get(client).copied())
    }

    /// Every read of a token asks this: nothing of a dead grant is found.
    pub(super) fn is_alive(&self, grant: &Grant) -> bool {
        let is_cut = |client| match &grant.actor {
            Actor::User(subject) => {
                let last = self.cut.get(&(Arc::clone(subject), client));
                last.is_some_and(|last| grant.id <= *last)
            }
            _ => false,
        };
        self.number(&grant.client).is_some_and(|number| number <= grant.id)
            && !self.revoked.contains_key(&grant.id)
            && !is_cut(None)
            && !is_cut(Some(Arc::clone(&grant.client)))
    }

    /// A new or changed client. Under another number it is another client.
    pub(super) fn keep(&mut self, client: Client) {
        let (id, number) = (Arc::clone(&client.id), client.number);
        self.saw(number);
        let before = self.number(&id);
        self.elsewhere.remove(&id);
        self.clients.insert(Arc::clone(&id), Arc::new(client));
        self.changed(&id, before.is_some_and(|before| before != number));
    }

    pub(super) fn changed(&mut self, id: &Arc<str>, is_another: bool) {
        if is_another {
            self.consents.retain(|(_, client, _), _| client != id);
            self.bury();
        }
        self.tell(Change::Client(Arc::clone(id)));
    }

    /// Removes the token credentials of dead grants: they may outlive the memory of a revocation.
    pub(super) fn bury(&mut self) {
        let is_dead = |held: &&CredentialRecord| !self.is_alive(&held.access.grant);
        let dead: Vec<_> = self.credentials.values().filter(is_dead).cloned().collect();
        for held in dead {
            self.credentials.remove(&held.access.row);
            self.by_hash.remove(&(Of::Credential, held.access.hash));
            if let Actor::User(subject) = &held.access.grant.actor {
                self.grants.remove(&(Arc::clone(subject), held.access.grant.id));
            }
        }
    }

    pub(super) fn issue(&mut self, issue: Issue) {
        let Issue { access, family } = issue;
        self.saw(access.row.max(access.grant.id));
        let grant = family.as_ref().map_or(&access.grant, |family| &family.grant).clone();
        let ends = family.as_ref().map_or(access.expires, |family| family.ends.max(access.expires));
        self.list(grant, family.as_ref().map(|family| family.row), ends);
        if let Some(family) = family {
            self.saw(family.row);
            self.families.insert(family.row, family);
        }
        self.access.insert(access.row, access);
    }

    /// Lists a grant of a user, once, with its latest expiry.
    pub(super) fn list(&mut self, grant: Grant, family: Option<RowId>, ends: Timestamp) {
        let Actor::User(subject) = &grant.actor else { return };
        let key = (Arc::clone(subject), grant.id);
        let listed = self.grants.entry(key).or_insert((grant, family, ends));
        listed.2 = listed.2.max(ends);
    }

    /// Remembers a consent, unless the grant approved `with` it is dead already.
    pub(super) fn remember(
        &mut self,
        consent: Option<Consent>,
        asked: &Scopes,
        with: Option<&Grant>,
    ) {
        let Some(consent) = consent else { return };
        if with.is_some_and(|grant| !self.is_alive(grant)) {
            return;
        }
        let (subject, client) = (Arc::clone(&consent.subject), Arc::clone(&consent.client));
        let key = (subject, client, consent.resources.as_str().to_owned());
        let consent = consent.following(self.consents.get(&key), asked);
        self.consents.insert(key, consent);
    }

    /// What became of an earlier answer; [`Answered::First`] if there was none.
    pub(super) fn answered(&self, outcome: &Outcome) -> Answered {
        match outcome {
            Outcome::Ticket(used, _) => match self.tickets.get(&used.ticket) {
                None => Answered::First,
                Some((_, None)) => Answered::Denied,
                Some((_, Some(row))) => match self.codes.get(row) {
                    Some(code) if !code.redeemed && self.is_alive(&code.grant) => {
                        Answered::Code(Arc::new(code.clone()))
                    }
                    _ => Answered::Spent,
                },
            },
            Outcome::Pending(row, _) => match self.pending.get(row) {
                Some(held) => match &held.state {
                    PendingState::Pending => Answered::First,
                    PendingState::Denied => Answered::Denied,
                    PendingState::Approved(before) if self.is_alive(&before.grant) => {
                        Answered::Pending(Arc::new(held.clone()))
                    }
                    PendingState::Approved(_) | PendingState::Redeemed(_) => Answered::Spent,
                },
                None => Answered::Spent,
            },
        }
    }

    /// The first answer: stores approval and consent.
    pub(super) fn answer(&mut self, answer: Answer) {
        let Answer { outcome, asked, consent } = answer;
        match outcome {
            Outcome::Ticket(TicketUse { ticket, until }, code) => {
                self.remember(consent, &asked, code.as_ref().map(|code| &code.grant));
                self.tickets.insert(ticket, (until, code.as_ref().map(|code| code.row)));
                code.into_iter().for_each(|code| self.put_code(code));
            }
            Outcome::Pending(row, approval) => {
                self.remember(consent, &asked, approval.as_ref().map(|approval| &approval.grant));
                approval.iter().for_each(|approval| self.saw(approval.grant.id));
                let state = approval.map_or(PendingState::Denied, PendingState::Approved);
                self.pending.entry(row).and_modify(|held| held.state = state);
            }
        }
    }

    pub(super) fn put_code(&mut self, code: CodeRecord) {
        self.saw(code.row.max(code.grant.id));
        self.codes.insert(code.row, code);
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let removed = self.clients.remove(id);
        removed.iter().for_each(|removed| self.changed(&removed.id, true));
        removed.is_some()
    }

    /// The row of a token, which has to have its hash.
    pub(super) fn place(&self, of: Of, token: &TokenRef) -> Option<RowId> {
        match token {
            TokenRef::Row { row, .. } => Some(*row),
            _ => self.by_hash.get(&(of, *token.hash())).copied(),
        }
    }

    pub(super) fn put_credential(&mut self, credential: CredentialRecord) {
        let access = &credential.access;
        self.saw(access.row);
        if credential.is_foreign {
            self.by_hash.insert((Of::Credential, access.hash), access.row);
        }
        self.list(access.grant.clone(), None, access.expires);
        self.credentials.insert(access.row, credential);
    }

    pub(super) fn live(
        &self,
        grant: &Grant,
        family: Option<RowId>,
        expires: Timestamp,
    ) -> LiveGrant {
        let family = family.and_then(|row| self.families.get(&row));
        let refreshed = family.and_then(|held| LiveGrant::refreshed(held.row, held.rotated));
        LiveGrant { grant: grant.clone(), refreshed, expires }
    }

    /// Expired rows are kept for a while: the clock that says so may be ahead.
    pub(super) fn sweep(&mut self, now: Timestamp) -> u64 {
        let (until, of_revocations) = (now - SWEEP_DELAY, now - REVOCATION_SWEEP_DELAY);
        self.keys_swept = self.keys_swept.max(until);
        expire(&mut self.grants, until, |(.., ends)| *ends);
        let gone = expire(&mut self.tickets, until, |(until, _)| *until)
            + expire(&mut self.initial_tokens, until, |token| token.expires)
            + expire(&mut self.codes, until, |code| code.expires)
            + expire(&mut self.pending, until, |pending| pending.expires)
            + expire(&mut self.access, until, |access| access.expires)
            + expire(&mut self.families, until, |family| family.expires)
            + expire(&mut self.credentials, until, |held| held.access.expires)
            + expire(&mut self.once, until, |expires| *expires)
            + expire(&mut self.revoked, of_revocations, |until| *until);
        if gone > 0 {
            self.by_hash.retain(|(of, _), row| match of {
                Of::Access => self.access.contains_key(row),
                Of::Credential => self.credentials.contains_key(row),
                Of::Identifier | Of::UserCode => self.pending.contains_key(row),
            });
        }
        gone
    }

    /// Removes clients that were not used in time.
    pub(super) fn sweep_unused(&mut self, now: Timestamp) -> u64 {
        let until = now - SWEEP_DELAY;
        let is_over = |client: &UnusedClient| client.until.seconds() < until.seconds();
        let unused = self.clients.values().filter_map(|client| UnusedClient::of(client));
        let over: Vec<_> = unused.filter(is_over).collect();
        over.iter().map(|client| u64::from(self.remove(&client.id))).sum()
    }
}
