//! Access tokens in memory, small: what many of them share is kept once.

use std::{
    collections::HashSet,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    Scopes, Timestamp,
    provider::{
        Actor, Authentication,
        store::{AccessRecord, Grant, RowId, SecretHash, is_same},
    },
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
    /// Seconds since the Unix epoch, good until 2106.
    expires: u32,
}

impl Expires for Token {
    fn expires(&self) -> i64 {
        self.expires.into()
    }
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self { rows: Rows::new(), shared: Interner::new() }
    }

    pub(super) fn insert(&self, record: AccessRecord, now: Timestamp) {
        let AccessRecord { row, hash, grant, expires } = record;
        let Grant { id: grant, client, actor, scopes, authentication } = grant;
        let shared = self.shared.intern(Shared { client, actor, scopes, authentication });
        let expires = u32::try_from(expires.seconds().max(0)).unwrap_or(u32::MAX);
        self.rows.lock(&row).insert(row, Token { hash, grant, shared, expires }, now);
    }

    pub(super) fn get(&self, row: RowId, hash: &SecretHash) -> Option<AccessRecord> {
        let (grant, shared, expires) = {
            let shard = self.rows.lock(&row);
            let token = shard.get(&row)?;
            if !is_same(&token.hash, hash) {
                return None;
            }
            (token.grant, Arc::clone(&token.shared), token.expires)
        };
        Some(AccessRecord {
            row,
            hash: *hash,
            grant: Grant {
                id: grant,
                client: Arc::clone(&shared.client),
                actor: shared.actor.clone(),
                scopes: shared.scopes.clone(),
                authentication: shared.authentication.clone(),
            },
            expires: Timestamp::from_seconds(expires.into()),
        })
    }

    pub(super) fn sweep(&self, now: Timestamp, limit: usize) -> u64 {
        self.rows.sweep(now, limit)
    }
}

/// What all tokens of a client, or of a person's sign-in, have in common.
#[derive(PartialEq, Eq)]
struct Shared {
    client: Arc<str>,
    actor: Actor,
    scopes: Scopes,
    authentication: Option<Arc<Authentication>>,
}

impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.client, &self.actor, &self.scopes).hash(state);
        self.authentication.as_ref().map(|who| who.auth_time).hash(state);
    }
}

/// Keeps one of each, as long as a token refers to it.
struct Interner {
    hasher: RandomState,
    shards: [RwLock<Known>; 16],
}

struct Known {
    set: HashSet<Arc<Shared>>,
    /// How many there may be before those without a token are dropped.
    limit: usize,
}

impl Interner {
    fn new() -> Self {
        let shard = |_| RwLock::new(Known { set: HashSet::new(), limit: 256 });
        Self { hasher: RandomState::new(), shards: std::array::from_fn(shard) }
    }

    fn intern(&self, shared: Shared) -> Arc<Shared> {
        let shard = self.shard(&shared);
        if let Some(known) = shard.read().unwrap_or_else(PoisonError::into_inner).set.get(&shared) {
            return Arc::clone(known);
        }
        let mut known = shard.write().unwrap_or_else(PoisonError::into_inner);
        if known.set.len() >= known.limit {
            known.set.retain(|shared| Arc::strong_count(shared) > 1);
            known.set.shrink_to_fit();
            known.limit = 256.max(known.set.len() * 2);
        }
        if let Some(known) = known.set.get(&shared) {
            return Arc::clone(known);
        }
        let shared = Arc::new(shared);
        known.set.insert(Arc::clone(&shared));
        shared
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
    fn shard(&self, shared: &Shared) -> &RwLock<Known> {
        let hash = self.hasher.hash_one(&shared.client) ^ self.hasher.hash_one(&shared.actor);
        &self.shards[hash as usize % self.shards.len()]
    }
}
