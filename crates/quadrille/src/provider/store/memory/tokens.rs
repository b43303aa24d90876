//! Access tokens in little memory: the parts that many of them share are kept once.

use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    Binding, Scopes, Timestamp,
    actor::{Actor, Authentication},
    oauth2::Resources,
    provider::store::{AccessRecord, Exchange, Grant, GrantDetails, RowId, SecretHash, is_same},
};

use super::shards::{Expires, Rows};

pub(super) struct Tokens {
    rows: Rows<Token>,
    shared: Interner,
}

/// 64 bytes with its key.
struct Token {
    hash: SecretHash,
    grant: RowId,
    shared: Arc<Shared>,
    /// Seconds since the Unix epoch, until 2106.
    expires: u32,
}

impl Expires for Token {
    fn expires(&self) -> i64 {
        self.expires.into()
    }
}

impl Token {
    fn record(&self, row: RowId) -> AccessRecord {
        let Self { hash, grant, shared, expires } = self;
        AccessRecord {
            row,
            hash: *hash,
            grant: Grant {
                id: *grant,
                client: Arc::clone(&shared.client),
                actor: shared.actor.clone(),
                scopes: shared.scopes.clone(),
                resources: shared.resources.clone(),
                authentication: shared.authentication.clone(),
                details: shared.details.clone(),
            },
            expires: Timestamp::from_seconds((*expires).into()),
            binding: shared.binding,
            exchange: shared.exchange.clone(),
        }
    }
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self { rows: Rows::new(), shared: Interner::new() }
    }

    pub(super) fn insert(&self, record: AccessRecord, now: Timestamp) {
        let AccessRecord { row, hash, grant, expires, binding, exchange } = record;
        let Grant { id: grant, client, actor, scopes, resources, authentication, details } = grant;
        let shared = self.shared.intern(Shared {
            client,
            actor,
            scopes,
            resources,
            authentication,
            details,
            binding,
            exchange,
        });
        let expires = u32::try_from(expires.seconds().max(0)).unwrap_or(u32::MAX);
        self.rows.lock(&row).insert(row, Token { hash, grant, shared, expires }, now);
    }

    pub(super) fn get(&self, row: RowId, hash: &SecretHash) -> Option<AccessRecord> {
        let shard = self.rows.lock(&row);
        let token = shard.get(&row)?;
        is_same(&token.hash, hash).then(|| token.record(row))
    }

    /// Inserts a token whose row is new. `false` if it is not.
    pub(super) fn add(&self, record: AccessRecord, now: Timestamp) -> bool {
        let row = record.row;
        let is_new = self.rows.lock(&row).get(&row).is_none();
        if is_new {
            self.insert(record, now);
        }
        is_new
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<AccessRecord> {
        self.rows.collected(|row, token| token.record(*row))
    }

    pub(super) fn sweep(&self, now: Timestamp, limit: usize) -> u64 {
        self.rows.sweep(now, limit)
    }
}

/// The parts that all tokens of a client, or of a user's sign-in, share.
#[derive(PartialEq, Eq)]
struct Shared {
    client: Arc<str>,
    actor: Actor,
    scopes: Scopes,
    resources: Resources,
    authentication: Option<Arc<Authentication>>,
    details: Option<Arc<GrantDetails>>,
    binding: Option<Binding>,
    exchange: Option<Arc<Exchange>>,
}

impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.client, &self.actor, &self.scopes, &self.resources, self.binding).hash(state);
        self.exchange.hash(state);
        self.authentication.as_ref().map(|who| who.auth_time).hash(state);
    }
}

/// One copy of each value, as long as a token refers to it.
struct Interner(RwLock<Known>);

struct Known {
    set: HashSet<Arc<Shared>>,
    /// The size at which values without a token are dropped.
    limit: usize,
}

impl Known {
    /// Drops values without a token, when there are many values.
    fn prune(&mut self) {
        if self.set.len() >= self.limit {
            self.set.retain(|shared| Arc::strong_count(shared) > 1);
            self.limit = 1024.max(self.set.len() * 2);
            self.set.shrink_to_fit();
        }
    }
}

impl Interner {
    fn new() -> Self {
        Self(RwLock::new(Known { set: HashSet::new(), limit: 1024 }))
    }

    fn intern(&self, shared: Shared) -> Arc<Shared> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).set.get(&shared)
        {
            return Arc::clone(known);
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.prune();
        if let Some(known) = known.set.get(&shared) {
            return Arc::clone(known);
        }
        let shared = Arc::new(shared);
        known.set.insert(Arc::clone(&shared));
        shared
    }
}
