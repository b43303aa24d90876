//! A store whose short-lived records are in a cache.

use std::{fmt, sync::Arc};

use crate::{Env, KeyRing, Timestamp};

use super::{
    VolatileCache, VolatileEntry, VolatileKey,
    record::{Code, Seal, Waiting},
};
use crate::provider::store::{
    CodeRecord, Identifier, Issue, IssuerId, PendingRecord, PendingRef, PendingState, Redeemed,
    RowId, SecretHash, Store, StoreError, TokenRef,
};

/// A store that keeps in a cache what waits for a moment, and in the store behind it all the rest.
///
/// In the cache are the codes of authorizations without a page, and the requests that no user has
/// answered yet: device codes (RFC 8628) and temporary credentials (RFC 5849). What a user has
/// answered is in the store with the consent, in one transaction, and so is all that is issued. A
/// code in the cache is marked as redeemed before its tokens are stored, so it buys nothing twice;
/// if the process dies in between, it buys nothing at all, and the user begins again. If the cache
/// loses what it has, users and devices begin again.
///
/// The marks of used keys of [`OnceKeys`](crate::provider::store::OnceKeys) are in the cache if it
/// [notices its losses](VolatileCache::keeps_marks), those alone whose loss the server can
/// make up for: nonces of OAuth 1.0a, and the `jti` of assertions.
///
/// Records are sealed under the key ring, so the cache learns nothing of users, and who can write to
/// it cannot make codes. Every process over one store needs the same cache and the same key ring:
/// before another cache is used, all processes stop for as long as codes live.
///
/// ```
/// use quadrille::{
///     Env, KeyRing,
///     provider::{AuthorizationServer, store::{MemoryStore, VolatileMemory, VolatileStore}},
/// };
///
/// let keys = KeyRing::new([&[7; 32]])?;
/// let (store, cache) = (MemoryStore::new(Env::system()), VolatileMemory::new(100_000));
/// let store = VolatileStore::new(store, cache, keys.clone(), Env::system());
/// let server = AuthorizationServer::new("https://id.example", store)?.keys(keys);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VolatileStore<S, C> {
    pub(super) store: Arc<S>,
    pub(super) both: Arc<Both<S, C>>,
}

/// The store, and the cache before it.
pub(super) struct Both<S, C> {
    pub(super) store: Arc<S>,
    pub(super) cache: C,
    seal: Seal,
}

impl<S: Store, C: VolatileCache> VolatileStore<S, C> {
    /// A store over this store, with short-lived records in this cache.
    pub fn new(store: S, cache: C, keys: KeyRing, env: Env) -> Self {
        let (store, seal) = (Arc::new(store), Seal { env, ring: keys });
        Self { store: Arc::clone(&store), both: Arc::new(Both { store, cache, seal }) }
    }

    /// The cache.
    pub fn cache(&self) -> &C {
        &self.both.cache
    }
}

impl<S, C> fmt::Debug for VolatileStore<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolatileStore").finish_non_exhaustive()
    }
}

impl<S: Store, C: VolatileCache> Both<S, C> {
    pub(super) fn now(&self) -> Timestamp {
        self.seal.env.now()
    }

    pub(super) async fn put_code(
        &self,
        issuer: IssuerId,
        code: &CodeRecord,
    ) -> Result<(), StoreError> {
        let key = code_key(issuer, code.row);
        let value = self.seal.close(&key, &Code::of(code)?)?;
        let entry = VolatileEntry::new(value, code.expires).row(code.row.max(code.grant.id));
        match self.cache.add(&key, entry, self.now()).await? {
            true => Ok(()),
            false => Err(StoreError::Corrupt("the row of a code, drawn twice")),
        }
    }

    pub(super) async fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<CodeRecord>, StoreError> {
        let key = code_key(issuer, row);
        let Some(found) = self.cache.find(&key, self.now()).await? else { return Ok(None) };
        if !self.is_known(row).await? {
            return Ok(None);
        }
        self.seal.open(&key, &found).map(Code::read).transpose()
    }

    /// `false` for what was made before the store was restored: it may have been used after the
    /// backup was made.
    async fn is_known(&self, row: RowId) -> Result<bool, StoreError> {
        Ok(self.store.uses_known_since().await?.knows(row.time()))
    }

    /// Redeems a code of the cache; `None` if it is not there.
    pub(super) async fn redeem(
        &self,
        issuer: IssuerId,
        row: RowId,
        issue: Issue,
    ) -> Result<Option<Redeemed>, StoreError> {
        let key = code_key(issuer, row);
        let Some(found) = self.cache.find(&key, self.now()).await? else { return Ok(None) };
        let Some(code) = self.seal.open(&key, &found).map(Code::read).transpose()? else {
            return Ok(Some(Redeemed::Unknown));
        };
        if !self.is_known(row).await? {
            return Ok(Some(Redeemed::Unknown));
        }
        let grant = code.grant.id;
        if code.redeemed {
            return Ok(Some(Redeemed::Replayed(grant)));
        }
        let marked = self.seal.close(&key, &Code::of(&CodeRecord { redeemed: true, ..code })?)?;
        if !self.cache.replace(&key, &found, marked, self.now()).await? {
            // Another caller redeemed it, or the cache has lost it.
            let is_there = self.code(issuer, row).await?.is_some_and(|code| code.redeemed);
            return Ok(Some(if is_there { Redeemed::Replayed(grant) } else { Redeemed::Unknown }));
        }
        if self.store.issue(issuer, issue).await? {
            return Ok(Some(Redeemed::Issued));
        }
        // The grant is dead, and stays so: the code is as it was.
        if let Some(marked) = self.cache.find(&key, self.now()).await? {
            self.cache.replace(&key, &marked, found.value, self.now()).await?;
        }
        Ok(Some(Redeemed::Revoked))
    }

    /// Adds a request that waits, after the keys by which it is found. `false` if one is taken.
    pub(super) async fn put_waiting(
        &self,
        issuer: IssuerId,
        pending: &PendingRecord,
    ) -> Result<bool, StoreError> {
        let mut added: Vec<VolatileKey> = Vec::new();
        let row = pending.row;
        for key in other_keys(issuer, pending) {
            let entry = VolatileEntry::new(row.0.to_be_bytes().to_vec(), pending.expires).row(row);
            if !self.cache.add(&key, entry, self.now()).await? {
                for key in &added {
                    self.cache.remove(key).await?;
                }
                return Ok(false);
            }
            added.push(key);
        }
        let key = pending_key(issuer, row);
        let value = self.seal.close(&key, &Waiting::of(pending))?;
        let entry = VolatileEntry::new(value, pending.expires).row(row);
        self.cache.add(&key, entry, self.now()).await
    }

    /// The request of the cache, and whether it was moved into the store.
    pub(super) async fn waiting(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Result<Option<(PendingRecord, bool)>, StoreError> {
        let key = match reference {
            PendingRef::Identifier(TokenRef::Row { row, .. }) => pending_key(issuer, *row),
            PendingRef::Identifier(TokenRef::Foreign { hash }) => {
                let Some(key) = self.behind(issuer, &foreign_key(issuer, hash)).await? else {
                    return Ok(None);
                };
                key
            }
            PendingRef::UserCode(hash) => {
                let Some(key) = self.behind(issuer, &user_code_key(issuer, hash)).await? else {
                    return Ok(None);
                };
                key
            }
        };
        let Some(found) = self.cache.find(&key, self.now()).await? else { return Ok(None) };
        let Some(waiting) = self.seal.open::<Waiting>(&key, &found) else { return Ok(None) };
        let is_moved = waiting.is_moved;
        let pending = waiting.read()?;
        if !self.is_known(pending.row).await? {
            return Ok(None);
        }
        Ok(pending.is_found_by(reference).then_some((pending, is_moved)))
    }

    /// The key of the request behind another key.
    async fn behind(
        &self,
        issuer: IssuerId,
        key: &VolatileKey,
    ) -> Result<Option<VolatileKey>, StoreError> {
        let found = self.cache.find(key, self.now()).await?;
        let row = found.and_then(|found| found.value.try_into().ok()).map(i64::from_be_bytes);
        Ok(row.map(|row| pending_key(issuer, RowId(row))))
    }

    /// Remembers a key in the cache, as [`remember_once`] does.
    ///
    /// [`remember_once`]: crate::provider::store::OnceKeys::remember_once
    pub(super) async fn mark(
        &self,
        issuer: IssuerId,
        (space, kind): (&'static str, &'static str),
        key: SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let (name, now) = (VolatileKey::new(kind, issuer.0, &key), self.now());
        if expires.seconds() >= now.seconds() {
            return self.cache.add(&name, VolatileEntry::new(Vec::new(), expires), now).await;
        }
        // Processes without a cache may have remembered it, too.
        Ok(self.cache.find(&name, now).await?.is_none()
            && self.store.remember_once(issuer, space, key, expires).await?)
    }

    /// Moves the request in `row` from the cache into the store, if it is there: its state is the
    /// store's from then on.
    pub(super) async fn settle(&self, issuer: IssuerId, row: RowId) -> Result<(), StoreError> {
        let key = pending_key(issuer, row);
        loop {
            let Some(found) = self.cache.find(&key, self.now()).await? else { return Ok(()) };
            let Some(waiting) = self.seal.open::<Waiting>(&key, &found) else { return Ok(()) };
            if !waiting.is_moved {
                let value = self.seal.close(&key, &waiting.moved())?;
                // Of several answers, one marks it; all of them then find it marked.
                self.cache.replace(&key, &found, value, self.now()).await?;
                continue;
            }
            // A store that was restored may have forgotten how it was answered.
            if self.is_known(row).await? {
                // The store refuses it if it is there already, in whatever state.
                self.store.put_pending(issuer, waiting.read()?).await?;
            }
            return Ok(());
        }
    }
}

/// `true` if the request waits for a user, and belongs into the cache.
pub(super) const fn waits(pending: &PendingRecord) -> bool {
    matches!(pending.state, PendingState::Pending)
}

fn code_key(issuer: IssuerId, row: RowId) -> VolatileKey {
    VolatileKey::new("code", issuer.0, &row.0.to_be_bytes())
}

fn pending_key(issuer: IssuerId, row: RowId) -> VolatileKey {
    VolatileKey::new("pending", issuer.0, &row.0.to_be_bytes())
}

fn foreign_key(issuer: IssuerId, hash: &SecretHash) -> VolatileKey {
    VolatileKey::new("foreign", issuer.0, hash)
}

fn user_code_key(issuer: IssuerId, hash: &SecretHash) -> VolatileKey {
    VolatileKey::new("user-code", issuer.0, hash)
}

/// The keys of a request other than its row.
fn other_keys(issuer: IssuerId, pending: &PendingRecord) -> impl Iterator<Item = VolatileKey> {
    let foreign = match &pending.identifier {
        Identifier::Foreign(hash) => Some(foreign_key(issuer, hash)),
        Identifier::Row(_) => None,
    };
    let typed = pending.user_code.map(|hash| user_code_key(issuer, &hash));
    foreign.into_iter().chain(typed)
}
