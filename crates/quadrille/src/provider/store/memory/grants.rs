//! The grants of users, to be listed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use crate::{
    Timestamp,
    actor::Actor,
    provider::store::{Grant, Issue, RowId},
};

use super::shards::{Expires, Rows, lock};

pub(super) struct Grants {
    rows: Rows<Listed>,
    index: Mutex<Index>,
}

#[derive(Clone)]
pub(super) struct Listed {
    pub(super) grant: Grant,
    /// The row of the refresh tokens, if there are any.
    pub(super) family: Option<RowId>,
    /// Seconds since the Unix epoch.
    expires: i64,
}

impl Expires for Listed {
    fn expires(&self) -> i64 {
        self.expires
    }
}

impl Listed {
    pub(super) fn ends(&self) -> Timestamp {
        Timestamp::from_seconds(self.expires)
    }
}

/// The numbers by subject. Those of expired grants are removed from time to time.
struct Index {
    numbers: HashMap<Arc<str>, Vec<RowId>>,
    count: usize,
    /// The count at which numbers without a row are removed.
    limit: usize,
}

const LIMIT: usize = 1024;

impl Index {
    /// Counts a number that comes, and removes those without a row when there are many.
    fn make_room(&mut self, has_row: impl Fn(&RowId) -> bool) {
        if self.count >= self.limit {
            self.numbers.retain(|_, numbers| {
                numbers.retain(|number| has_row(number));
                !numbers.is_empty()
            });
            self.count = self.numbers.values().map(Vec::len).sum();
            self.limit = LIMIT.max(self.count * 2);
        }
        self.count += 1;
    }
}

impl Grants {
    pub(super) fn new() -> Self {
        let index = Index { numbers: HashMap::new(), count: 0, limit: LIMIT };
        Self { rows: Rows::new(), index: Mutex::new(index) }
    }

    /// Lists the grant of these tokens, or postpones its end.
    pub(super) fn put(&self, issue: &Issue, now: Timestamp) {
        let family = issue.family.as_ref();
        let grant = family.map_or(&issue.access.grant, |family| &family.grant);
        let ends = family.map_or(issue.access.expires, |family| family.ends);
        let ends = ends.max(issue.access.expires);
        self.list(grant, family.map(|family| family.row), ends, now);
    }

    /// Lists a grant. `false` if it is listed already, or is that of no user; its end may be
    /// postponed.
    pub(super) fn list(
        &self,
        grant: &Grant,
        family: Option<RowId>,
        ends: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Actor::User(subject) = &grant.actor else { return false };
        let expires = ends.seconds();
        {
            let mut shard = self.rows.lock(&grant.id);
            if let Some(known) = shard.get_mut(&grant.id) {
                known.expires = known.expires.max(expires);
                return false;
            }
            shard.insert(grant.id, Listed { grant: grant.clone(), family, expires }, now);
        }
        let mut index = lock(&self.index);
        index.make_room(|number| self.rows.lock(number).get(number).is_some());
        index.numbers.entry(Arc::clone(subject)).or_default().push(grant.id);
        true
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Listed> {
        self.rows.collected(|_, listed| listed.clone())
    }

    /// The grants of a user, alive or not, ordered by number.
    pub(super) fn of(&self, subject: &str) -> Vec<Listed> {
        let mut numbers = lock(&self.index).numbers.get(subject).cloned().unwrap_or_default();
        numbers.sort_unstable();
        let listed = |number: &RowId| self.rows.lock(number).get(number).cloned();
        numbers.iter().filter_map(listed).collect()
    }

    pub(super) fn sweep(&self, now: Timestamp, limit: usize) {
        self.rows.sweep(now, limit);
    }
}
