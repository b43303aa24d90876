//! Token credentials of OAuth 1.0a in memory.

use std::sync::Arc;

use crate::{
    Timestamp,
    actor::Actor,
    provider::store::{CredentialRecord, Grant, LiveGrant, RowId, SecretHash, TokenRef},
};

use super::shards::{Expires, Place, Rows, Shards};

/// The most expired entries that `sweep` removes from each shard at a time.
const PER_SWEEP: usize = 64;

pub(super) struct Credentials {
    /// By the number of their grant.
    rows: Rows<Arc<CredentialRecord>>,
    /// The rows of identifiers that the application made.
    foreign: Shards<SecretHash, Place>,
}

impl Credentials {
    pub(super) fn new() -> Self {
        Self { rows: Shards::new(), foreign: Shards::new() }
    }

    /// Stores token credentials if their grant is alive; `false` if it is dead.
    pub(super) fn put(
        &self,
        credential: CredentialRecord,
        is_alive: impl FnOnce() -> bool,
        now: Timestamp,
    ) -> bool {
        let number = credential.access.row;
        // Locked while the grant is checked: a revocation locks it afterwards, so nothing is left
        // behind that would outlive the tombstone.
        let mut rows = self.rows.lock(&number);
        if !is_alive() {
            return false;
        }
        if credential.is_foreign {
            let hash = credential.access.hash;
            let place = Place { row: number, expires: credential.access.expires.seconds() };
            self.foreign.lock(&hash).insert(hash, place, now);
        }
        rows.insert(number, Arc::new(credential), now);
        true
    }

    pub(super) fn find(&self, token: &TokenRef) -> Option<Arc<CredentialRecord>> {
        let row = match token {
            TokenRef::Row { row, .. } => *row,
            TokenRef::Foreign { hash } => self.foreign.lock(hash).get(hash)?.row,
        };
        self.rows.lock(&row).get(&row).filter(|found| found.is_found_by(token)).cloned()
    }

    /// The grants of a user that have token credentials, alive or not.
    pub(super) fn of(&self, subject: &str) -> Vec<LiveGrant> {
        let mut found = Vec::new();
        for shard in self.rows.each() {
            let of_subject = |held: &&Arc<CredentialRecord>| match &held.access.grant.actor {
                Actor::User(user) => **user == *subject,
                Actor::Client(_) => false,
            };
            found.extend(shard.values().filter(of_subject).map(|held| LiveGrant {
                grant: held.access.grant.clone(),
                refreshed: None,
                expires: held.access.expires,
            }));
        }
        found
    }

    /// Replaces a sealed secret, if it is `before`.
    pub(super) fn swap_secret(&self, grant: RowId, before: &[u8], after: &[u8]) -> bool {
        let mut rows = self.rows.lock(&grant);
        let Some(held) = rows.get_mut(&grant).filter(|held| *held.secret == *before) else {
            return false;
        };
        let swapped = CredentialRecord { secret: after.into(), ..CredentialRecord::clone(held) };
        *held = Arc::new(swapped);
        true
    }

    pub(super) fn remove(&self, grant: RowId) {
        let removed = self.rows.lock(&grant).remove(&grant);
        removed.into_iter().for_each(|removed| self.unindex(&removed));
    }

    /// Removes the token credentials of all dead grants.
    pub(super) fn retain(&self, is_alive: impl Fn(&Grant) -> bool) {
        let mut gone = Vec::new();
        for mut shard in self.rows.each() {
            shard.retain(|_, held| {
                let lives = is_alive(&held.access.grant);
                if !lives {
                    gone.push(Arc::clone(held));
                }
                lives
            });
        }
        gone.iter().for_each(|removed| self.unindex(removed));
    }

    fn unindex(&self, removed: &CredentialRecord) {
        if removed.is_foreign {
            let hash = &removed.access.hash;
            self.foreign.lock(hash).remove(hash);
        }
    }

    /// `true` if there is a row with this number.
    pub(super) fn has(&self, row: RowId) -> bool {
        self.rows.lock(&row).get(&row).is_some()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<CredentialRecord>> {
        self.rows.collected(|_, held| Arc::clone(held))
    }

    pub(super) fn sweep(&self, now: Timestamp) -> u64 {
        // Places are not counted as rows.
        self.foreign.sweep(now, PER_SWEEP);
        self.rows.sweep(now, PER_SWEEP)
    }
}

impl Expires for Arc<CredentialRecord> {
    fn expires(&self) -> i64 {
        self.access.expires.seconds()
    }
}
