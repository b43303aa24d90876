//! Dynamic registrations: clients that nobody has used yet, and initial access tokens.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use crate::{
    Timestamp,
    provider::{
        client::record::Client,
        store::{InitialTokenRecord, RowId, SWEEP_DELAY, SecretHash},
    },
};

use super::shards::lock;

/// The clients of an issuer.
#[derive(Default)]
pub(super) struct Clients {
    all: HashMap<Arc<str>, Arc<Client>>,
    /// The clients that must be used until a certain time, by their numbers.
    unused: BTreeSet<(RowId, Arc<str>)>,
    /// The numbers of those that are kept elsewhere.
    elsewhere: HashMap<Arc<str>, RowId>,
}

impl Clients {
    /// The number of a client, wherever it is kept.
    pub(super) fn number(&self, id: &str) -> Option<RowId> {
        self.all.get(id).map(|client| client.number).or_else(|| self.elsewhere(id))
    }

    pub(super) fn elsewhere(&self, id: &str) -> Option<RowId> {
        self.elsewhere.get(id).copied()
    }

    pub(super) fn know(&mut self, id: &str, number: Option<RowId>) {
        match number {
            Some(number) => self.elsewhere.insert(id.into(), number),
            None => self.elsewhere.remove(id),
        };
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<Client>> {
        self.all.get(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.all.values()
    }

    /// Those that are kept elsewhere, by their ids.
    pub(super) fn all_elsewhere(&self) -> impl Iterator<Item = (&Arc<str>, &RowId)> {
        self.elsewhere.iter()
    }

    pub(super) fn unused(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.unused.iter().filter_map(|(_, id)| self.all.get(id))
    }

    /// `true` if the client takes the place of one with another number.
    pub(super) fn insert(&mut self, client: Client) -> bool {
        let then = self.number(&client.id);
        self.remove(&client.id);
        self.elsewhere.remove(&client.id);
        let (id, number) = (Arc::clone(&client.id), client.number);
        if client.unused_until().is_some() {
            self.unused.insert((number, Arc::clone(&id)));
        }
        self.all.insert(id, Arc::new(client));
        then.is_some_and(|then| then != number)
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<Client>> {
        let client = self.all.remove(id)?;
        self.unused.remove(&(client.number, Arc::clone(&client.id)));
        Some(client)
    }
}

/// The initial access tokens of an issuer, by row.
#[derive(Default)]
pub(super) struct InitialTokens(Mutex<BTreeMap<RowId, InitialTokenRecord>>);

impl InitialTokens {
    pub(super) fn put(&self, token: InitialTokenRecord) {
        lock(&self.0).insert(token.row, token);
    }

    /// Puts a token whose row is new. `false` if it is not.
    pub(super) fn add(&self, token: InitialTokenRecord) -> bool {
        let mut tokens = lock(&self.0);
        !tokens.contains_key(&token.row) && tokens.insert(token.row, token).is_none()
    }

    pub(super) fn find(&self, hash: &SecretHash) -> Option<InitialTokenRecord> {
        lock(&self.0).values().find(|token| token.hash == *hash).cloned()
    }

    pub(super) fn all(&self) -> Vec<InitialTokenRecord> {
        lock(&self.0).values().cloned().collect()
    }

    pub(super) fn remove(&self, row: RowId) -> bool {
        lock(&self.0).remove(&row).is_some()
    }

    /// Takes a use. `false` if none is left.
    pub(super) fn take(&self, hash: &SecretHash) -> bool {
        let mut tokens = lock(&self.0);
        let Some(token) = tokens.values_mut().find(|token| token.hash == *hash) else {
            return false;
        };
        token.uses = token.uses.saturating_sub(1);
        let (row, is_spent) = (token.row, token.uses == 0);
        if is_spent {
            tokens.remove(&row);
        }
        true
    }

    pub(super) fn sweep(&self, now: Timestamp) -> u64 {
        let mut tokens = lock(&self.0);
        let (before, until) = (tokens.len(), now - SWEEP_DELAY);
        tokens.retain(|_, token| token.expires.seconds() >= until.seconds());
        u64::try_from(before - tokens.len()).unwrap_or(u64::MAX)
    }
}
