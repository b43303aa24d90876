//! Temporary and token credentials of OAuth 1.0a in memory.

use std::sync::Arc;

use crate::{
    Timestamp,
    provider::store::{
        Answered, Approval, CredentialRecord, Grant, Identifier, Redeemed, RowId, SecretHash,
        TemporaryRecord, TemporaryState, TokenRef, is_same,
    },
};

use super::shards::{Expires, Rows, Shards};

/// How many expired entries a call of `sweep` gives back at most from each shard.
const PER_SWEEP: usize = 64;

pub(super) struct Credentials {
    temporaries: Rows<Arc<TemporaryRecord>>,
    /// By the number of their grant.
    credentials: Rows<Arc<CredentialRecord>>,
    /// Where identifiers that the application made are found, of the one kind and the other.
    foreign_temporaries: Shards<SecretHash, Place>,
    foreign_credentials: Shards<SecretHash, Place>,
}

struct Place {
    row: RowId,
    expires: i64,
}

impl Credentials {
    pub(super) fn new() -> Self {
        Self {
            temporaries: Shards::new(),
            credentials: Shards::new(),
            foreign_temporaries: Shards::new(),
            foreign_credentials: Shards::new(),
        }
    }

    pub(super) fn put_temporary(&self, temporary: TemporaryRecord, now: Timestamp) {
        let row = temporary.row;
        if let Identifier::Foreign(hash) = temporary.identifier {
            let place = Place { row, expires: temporary.expires.seconds() };
            self.foreign_temporaries.lock(&hash).insert(hash, place, now);
        }
        self.temporaries.lock(&row).insert(row, Arc::new(temporary), now);
    }

    pub(super) fn temporary(&self, token: &TokenRef) -> Option<Arc<TemporaryRecord>> {
        let (row, identifier) = match token {
            TokenRef::Row { row, hash } => (*row, Identifier::Row(*hash)),
            TokenRef::Foreign { hash } => {
                let row = self.foreign_temporaries.lock(hash).get(hash)?.row;
                (row, Identifier::Foreign(*hash))
            }
        };
        let found = self.temporaries.lock(&row).get(&row).cloned()?;
        is_identified(&found.identifier, &identifier).then_some(found)
    }

    /// What was said of the temporary credentials in `row`. `remember` is called with them locked,
    /// when it is the first to be said.
    pub(super) fn answer(
        &self,
        row: RowId,
        approval: Option<Approval>,
        is_alive: impl Fn(&Grant) -> bool,
        remember: impl FnOnce(),
    ) -> Answered {
        let mut temporaries = self.temporaries.lock(&row);
        let Some(held) = temporaries.get_mut(&row) else { return Answered::Spent };
        match &held.state {
            TemporaryState::Pending => {}
            TemporaryState::Denied => return Answered::Denied,
            TemporaryState::Approved(before) if is_alive(&before.grant) => {
                return Answered::Verified(Arc::clone(held));
            }
            TemporaryState::Approved(_) | TemporaryState::Redeemed(_) => return Answered::Spent,
        }
        Arc::make_mut(held).state =
            approval.map_or(TemporaryState::Denied, TemporaryState::Approved);
        remember();
        Answered::First
    }

    pub(super) fn redeem(
        &self,
        row: RowId,
        credential: CredentialRecord,
        is_alive: impl Fn(&Grant) -> bool,
        now: Timestamp,
    ) -> Redeemed {
        let mut temporaries = self.temporaries.lock(&row);
        let Some(held) = temporaries.get_mut(&row) else { return Redeemed::Unknown };
        let approval = match &held.state {
            TemporaryState::Approved(approval) => approval.clone(),
            TemporaryState::Redeemed(before) => return Redeemed::Replayed(before.grant.id),
            TemporaryState::Pending | TemporaryState::Denied => return Redeemed::Unknown,
        };
        let number = credential.access.row;
        // Held while the grant is looked at: whoever revokes takes it afterwards, so that nothing is
        // left behind which would outlive the tombstone.
        let mut credentials = self.credentials.lock(&number);
        if !is_alive(&approval.grant) {
            return Redeemed::Revoked;
        }
        Arc::make_mut(held).state = TemporaryState::Redeemed(approval);
        if credential.is_foreign {
            let hash = credential.access.hash;
            let place = Place { row: number, expires: credential.access.expires.seconds() };
            self.foreign_credentials.lock(&hash).insert(hash, place, now);
        }
        credentials.insert(number, Arc::new(credential), now);
        Redeemed::Issued
    }

    pub(super) fn credential(&self, token: &TokenRef) -> Option<Arc<CredentialRecord>> {
        let (row, hash, is_foreign) = match token {
            TokenRef::Row { row, hash } => (*row, hash, false),
            TokenRef::Foreign { hash } => {
                (self.foreign_credentials.lock(hash).get(hash)?.row, hash, true)
            }
        };
        let found = self.credentials.lock(&row).get(&row).cloned()?;
        (is_same(&found.access.hash, hash) && found.is_foreign == is_foreign).then_some(found)
    }

    pub(super) fn remove(&self, grant: RowId) {
        let removed = self.credentials.lock(&grant).remove(&grant);
        removed.into_iter().for_each(|removed| self.unindex(&removed));
    }

    /// Removes the token credentials of all dead grants.
    pub(super) fn retain(&self, is_alive: impl Fn(&Grant) -> bool) {
        let mut gone = Vec::new();
        for mut shard in self.credentials.each() {
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
            self.foreign_credentials.lock(hash).remove(hash);
        }
    }

    pub(super) fn sweep(&self, now: Timestamp) -> u64 {
        // Places are no rows of their own.
        self.foreign_temporaries.sweep(now, PER_SWEEP);
        self.foreign_credentials.sweep(now, PER_SWEEP);
        self.temporaries.sweep(now, PER_SWEEP) + self.credentials.sweep(now, PER_SWEEP)
    }
}

fn is_identified(held: &Identifier, presented: &Identifier) -> bool {
    matches!(
        (held, presented),
        (Identifier::Row(a), Identifier::Row(b)) | (Identifier::Foreign(a), Identifier::Foreign(b))
            if is_same(a, b)
    )
}

impl Expires for Place {
    fn expires(&self) -> i64 {
        self.expires
    }
}

impl Expires for Arc<TemporaryRecord> {
    fn expires(&self) -> i64 {
        self.expires.seconds()
    }
}

impl Expires for Arc<CredentialRecord> {
    fn expires(&self) -> i64 {
        self.access.expires.seconds()
    }
}
