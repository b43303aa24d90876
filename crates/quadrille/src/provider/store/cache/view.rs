//! The memory of one issuer, and its invalidation.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use crate::{
    Timestamp,
    actor::Actor,
    provider::{
        client::record::Client,
        meter::{self, Lookups},
        store::{AccessRecord, Change, CredentialRecord, ErasedStore, IssuerId, RowId, TokenRef},
    },
};

use super::{
    loads::{FRESH, Loads, Mark},
    recent::Recent,
    written::Written,
};

/// The number of clients kept; at this number all are forgotten.
const CLIENTS: usize = 4096;

/// The number of tokens and of credentials kept: some 220 bytes each.
const TOKENS: usize = 32_768;
const CREDENTIALS: usize = 32_768;

/// The number of revoked grants kept beside the tokens before the tokens are searched for them.
const REVOKED: usize = 1024;

pub(super) struct View {
    issuer: IssuerId,
    /// The time of the last successful read of changes, in milliseconds; the minimum if there was
    /// none.
    asked: AtomicI64,
    /// How often the store had heard of changes before that read.
    heard: AtomicU64,
    /// The position in the changes, locked while they are read.
    position: tokio::sync::Mutex<i64>,
    /// Counts invalidations. An answer read before one must not be remembered after it.
    forgotten: AtomicU64,
    clients: RwLock<HashMap<Arc<str>, Arc<Client>>>,
    tokens: Recent<AccessRecord>,
    credentials: Recent<CredentialRecord>,
    pub(super) written: Written,
    /// Grants whose tokens may still be among `tokens`.
    revoked: RwLock<HashSet<RowId>>,
    any_revoked: AtomicBool,
    pub(super) client_lookups: Lookups,
    pub(super) token_lookups: Lookups,
    pub(super) credential_lookups: Lookups,
    pub(super) client_loads: Loads<Arc<str>, Client>,
    pub(super) token_loads: Loads<TokenRef, AccessRecord>,
    pub(super) credential_loads: Loads<TokenRef, CredentialRecord>,
}

impl View {
    pub(super) fn new(issuer: IssuerId) -> Self {
        Self {
            issuer,
            asked: AtomicI64::new(i64::MIN),
            heard: AtomicU64::new(0),
            position: tokio::sync::Mutex::new(-1),
            forgotten: AtomicU64::new(0),
            clients: RwLock::default(),
            tokens: Recent::of(TOKENS),
            credentials: Recent::of(CREDENTIALS),
            written: Written::default(),
            revoked: RwLock::default(),
            any_revoked: AtomicBool::new(false),
            client_lookups: Lookups::of("client"),
            token_lookups: Lookups::of("token"),
            credential_lookups: Lookups::of("credential"),
            client_loads: Loads::default(),
            token_loads: Loads::default(),
            credential_loads: Loads::default(),
        }
    }

    /// `true` if the memory may be used without reading changes first, of which the store has heard so
    /// often.
    pub(super) fn is_fresh(&self, now: Timestamp, heard: u64) -> bool {
        let asked = self.asked.load(Ordering::Acquire);
        // After a step back of the clock it is not fresh.
        heard == self.heard.load(Ordering::Acquire)
            && asked <= now.millis()
            && now < Timestamp::from_millis(asked) + FRESH
    }

    /// Reads changes, once however many requests wait. If that fails, forgets everything.
    pub(super) async fn refresh(&self, store: &dyn ErasedStore, now: Timestamp) {
        let mut position = self.position.lock().await;
        // Before the read, so that an announcement during it leads to another one.
        let heard = store.heard();
        if self.is_fresh(now, heard) {
            return;
        }
        loop {
            match store.changes(self.issuer, *position).await {
                Ok(told) => {
                    let is_all = told.position == *position;
                    if told.gap {
                        self.forget_all();
                    }
                    self.forget(&told.changes);
                    *position = told.position;
                    if is_all || told.gap {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "changes cannot be read, so the cache is emptied");
                    self.forget_all();
                    return;
                }
            }
        }
        self.heard.store(heard, Ordering::Release);
        self.asked.store(now.millis(), Ordering::Release);
        meter::changes_read(now);
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.forgotten.load(Ordering::Acquire))
    }

    pub(super) fn client(&self, id: &str) -> Option<Arc<Client>> {
        read(&self.clients).get(id).cloned()
    }

    pub(super) fn access(&self, token: &TokenRef) -> Option<Arc<AccessRecord>> {
        let found = match token {
            TokenRef::Row { row, hash } => {
                self.tokens.get(hash).filter(|found| found.row == *row)?
            }
            TokenRef::Foreign { .. } => return None,
        };
        (!self.is_revoked(found.grant.id)).then_some(found)
    }

    pub(super) fn credential(&self, token: &TokenRef) -> Option<Arc<CredentialRecord>> {
        let found = match token {
            TokenRef::Row { row, hash } => {
                let is_it =
                    |found: &Arc<CredentialRecord>| !found.is_foreign && found.access.row == *row;
                self.credentials.get(hash).filter(is_it)?
            }
            TokenRef::Foreign { hash } => {
                self.credentials.get(hash).filter(|found| found.is_foreign)?
            }
        };
        (!self.is_revoked(found.access.grant.id)).then_some(found)
    }

    fn is_revoked(&self, grant: RowId) -> bool {
        self.any_revoked.load(Ordering::Acquire) && read(&self.revoked).contains(&grant)
    }

    pub(super) fn keep_client(&self, mark: Mark, client: &Arc<Client>) {
        let mut clients = write(&self.clients);
        if self.still(mark) {
            if clients.len() >= CLIENTS {
                clients.clear();
            }
            clients.insert(Arc::clone(&client.id), Arc::clone(client));
        }
    }

    pub(super) fn keep_access(&self, mark: Mark, access: &Arc<AccessRecord>) {
        self.tokens.put_if(access.hash, access, || self.still(mark));
    }

    pub(super) fn keep_credential(&self, mark: Mark, credential: &Arc<CredentialRecord>) {
        self.credentials.put_if(credential.access.hash, credential, || self.still(mark));
    }

    pub(super) fn forget(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        // Before anything is removed, so that nothing is put back: `put` compares it under the lock
        // of the map that it changes.
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        for change in changes {
            match change {
                Change::Client(id) => {
                    write(&self.clients).remove(id);
                    self.tokens.retain(|token| token.grant.client != *id);
                    self.credentials.retain(|held| held.access.grant.client != *id);
                }
                Change::Grant(grant) => self.forget_grant(*grant),
                Change::Subject(subject) => {
                    let is_theirs =
                        |actor: &Actor| matches!(actor, Actor::User(user) if user == subject);
                    self.tokens.retain(|token| !is_theirs(&token.grant.actor));
                    self.credentials.retain(|held| !is_theirs(&held.access.grant.actor));
                }
            }
        }
    }

    /// Collects revoked grants, because searching all tokens for each would be slow.
    fn forget_grant(&self, grant: RowId) {
        let mut revoked = write(&self.revoked);
        revoked.insert(grant);
        if revoked.len() >= REVOKED {
            self.tokens.retain(|token| !revoked.contains(&token.grant.id));
            self.credentials.retain(|held| !revoked.contains(&held.access.grant.id));
            revoked.clear();
        }
        self.any_revoked.store(!revoked.is_empty(), Ordering::Release);
    }

    fn forget_all(&self) {
        self.asked.store(i64::MIN, Ordering::Release);
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        write(&self.clients).clear();
        self.tokens.retain(|_| false);
        self.credentials.retain(|_| false);
        let mut revoked = write(&self.revoked);
        revoked.clear();
        self.any_revoked.store(false, Ordering::Release);
    }

    fn still(&self, mark: Mark) -> bool {
        self.forgotten.load(Ordering::Acquire) == mark.0
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
