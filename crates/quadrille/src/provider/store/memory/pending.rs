//! Pending requests in memory.

use std::sync::Arc;

use crate::{
    Timestamp,
    provider::store::{
        Answered, Approval, Grant, Identifier, PendingRecord, PendingRef, PendingState, Redeemed,
        RowId, SecretHash, TokenRef,
    },
};

use super::shards::{Expires, Place, Rows, Shards};

/// The most expired entries that `sweep` removes from each shard at a time.
const PER_SWEEP: usize = 64;

pub(super) struct Pending {
    rows: Rows<Arc<PendingRecord>>,
    places: Shards<Key, Place>,
}

/// A key of a request other than its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Foreign(SecretHash),
    UserCode(SecretHash),
}

impl Pending {
    pub(super) fn new() -> Self {
        Self { rows: Shards::new(), places: Shards::new() }
    }

    pub(super) fn put(&self, pending: PendingRecord, now: Timestamp) -> bool {
        let row = pending.row;
        let place = Place { row, expires: pending.expires.seconds() };
        let foreign = match pending.identifier {
            Identifier::Foreign(hash) => Some(Key::Foreign(hash)),
            Identifier::Row(_) => None,
        };
        let keys = [foreign, pending.user_code.map(Key::UserCode)];
        for (index, key) in keys.iter().flatten().enumerate() {
            let mut places = self.places.lock(key);
            if places.get(key).is_some_and(|held| held.expires >= now.seconds()) {
                drop(places);
                for key in keys.iter().flatten().take(index) {
                    self.places.lock(key).remove(key);
                }
                return false;
            }
            places.insert(*key, place, now);
        }
        let mut rows = self.rows.lock(&row);
        if rows.get(&row).is_some() {
            return false;
        }
        rows.insert(row, Arc::new(pending), now);
        true
    }

    pub(super) fn find(&self, reference: &PendingRef) -> Option<Arc<PendingRecord>> {
        let at = |key: Key| self.places.lock(&key).get(&key).map(|place| place.row);
        let row = match reference {
            PendingRef::Identifier(TokenRef::Row { row, .. }) => *row,
            PendingRef::Identifier(TokenRef::Foreign { hash }) => at(Key::Foreign(*hash))?,
            PendingRef::UserCode(hash) => at(Key::UserCode(*hash))?,
        };
        let found = self.rows.lock(&row).get(&row).cloned();
        found.filter(|found| found.is_found_by(reference))
    }

    /// Stores the answer to the request in `row`. If it is the first, calls `remember` with the
    /// request locked.
    pub(super) fn answer(
        &self,
        row: RowId,
        approval: Option<Approval>,
        is_alive: impl Fn(&Grant) -> bool,
        remember: impl FnOnce(),
    ) -> Answered {
        let mut rows = self.rows.lock(&row);
        let Some(held) = rows.get_mut(&row) else { return Answered::Spent };
        match &held.state {
            PendingState::Pending => {}
            PendingState::Denied => return Answered::Denied,
            PendingState::Approved(before) if is_alive(&before.grant) => {
                return Answered::Pending(Arc::clone(held));
            }
            PendingState::Approved(_) | PendingState::Redeemed(_) => return Answered::Spent,
        }
        Arc::make_mut(held).state = approval.map_or(PendingState::Denied, PendingState::Approved);
        remember();
        Answered::First
    }

    /// Redeems the request in `row`. Calls `buy` with the request locked: it stores the purchase if
    /// the grant is alive, else returns `false`.
    pub(super) fn redeem(&self, row: RowId, buy: impl FnOnce(&Grant) -> bool) -> Redeemed {
        let mut rows = self.rows.lock(&row);
        let Some(held) = rows.get_mut(&row) else { return Redeemed::Unknown };
        let approval = match &held.state {
            PendingState::Approved(approval) => approval.clone(),
            PendingState::Redeemed(before) => return Redeemed::Replayed(before.grant.id),
            PendingState::Pending | PendingState::Denied => return Redeemed::Unknown,
        };
        if !buy(&approval.grant) {
            return Redeemed::Revoked;
        }
        Arc::make_mut(held).state = PendingState::Redeemed(approval);
        Redeemed::Issued
    }

    /// `true` if there is a row with this number.
    pub(super) fn has(&self, row: RowId) -> bool {
        self.rows.lock(&row).get(&row).is_some()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<PendingRecord>> {
        self.rows.collected(|_, held| Arc::clone(held))
    }

    pub(super) fn sweep(&self, now: Timestamp) -> u64 {
        // Places are not counted as rows.
        self.places.sweep(now, PER_SWEEP);
        self.rows.sweep(now, PER_SWEEP)
    }
}

impl Expires for Arc<PendingRecord> {
    fn expires(&self) -> i64 {
        self.expires.seconds()
    }
}
