//! The verbs about the clients of an issuer.

use std::sync::Arc;

use crate::{
    Timestamp,
    provider::{
        client::record::Client,
        store::{Admission, Admitted, Change, RowId, SWEEP_DELAY, UnusedClient},
    },
};

use super::{
    realm::{PER_SWEEP, Realm},
    shards::{lock, read, write},
};

impl Realm {
    pub(super) fn client(&self, id: &str) -> Option<Arc<Client>> {
        read(&self.clients).get(id).cloned()
    }

    pub(super) fn clients(&self) -> Vec<Arc<Client>> {
        let mut clients: Vec<_> = read(&self.clients).all().cloned().collect();
        clients.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        clients
    }

    pub(super) fn put_client(&self, client: Client, before: Option<&Client>) -> bool {
        let id = Arc::clone(&client.id);
        let is_another = {
            let mut clients = write(&self.clients);
            if clients.get(&id).map(|held| &**held) != before {
                return false;
            }
            clients.insert(client)
        };
        self.put(id, is_another);
        true
    }

    pub(super) fn add_clients(&self, new: Vec<Client>) -> Option<Arc<str>> {
        let mut added = Vec::new();
        {
            let mut clients = write(&self.clients);
            if let Some(taken) = new.iter().find(|client| clients.get(&client.id).is_some()) {
                return Some(Arc::clone(&taken.id));
            }
            for client in new {
                added.push((Arc::clone(&client.id), clients.insert(client)));
            }
        }
        for (id, is_another) in added {
            self.put(id, is_another);
        }
        None
    }

    /// Tells a client that was put, and removes what depends on one with another number.
    fn put(&self, id: Arc<str>, is_another: bool) {
        match is_another {
            true => self.client_is_another(&id),
            false => self.tell(Change::Client(id)),
        }
    }

    pub(super) fn remove_client(&self, id: &str) -> bool {
        let Some(client) = write(&self.clients).remove(id) else { return false };
        self.client_is_another(&client.id);
        true
    }

    /// Removes what depends on a client that was removed, or has another number.
    fn client_is_another(&self, id: &Arc<str>) {
        lock(&self.consents).retain(|(_, client, _), _| client != id);
        self.credentials.retain(|grant| self.is_alive(grant));
        self.tell(Change::Client(Arc::clone(id)));
    }

    pub(super) fn known_client(&self, id: &str) -> Option<RowId> {
        read(&self.clients).number(id)
    }

    pub(super) fn know_client(&self, id: &str, number: Option<RowId>) -> bool {
        {
            let mut clients = write(&self.clients);
            if clients.get(id).is_some() {
                return false;
            }
            if clients.elsewhere(id) == number {
                return true;
            }
            clients.know(id, number);
        }
        self.client_is_another(&id.into());
        true
    }

    pub(super) fn unused_clients(&self) -> Vec<UnusedClient> {
        read(&self.clients).unused().filter_map(|client| UnusedClient::of(client)).collect()
    }

    pub(super) fn admit(&self, admission: Admission) -> Admitted {
        let Admission { client, token, instead_of } = admission;
        let id = Arc::clone(&client.id);
        let mut gone = Vec::new();
        let is_another = {
            let mut clients = write(&self.clients);
            if clients.get(&id).is_some() {
                return Admitted::IdTaken;
            }
            if token.is_some_and(|hash| !self.initial_tokens.take(&hash)) {
                return Admitted::TokenSpent;
            }
            for other in instead_of {
                let held = clients.get(&other.id).and_then(|held| UnusedClient::of(held));
                if held.is_some_and(|held| held == other) {
                    gone.extend(clients.remove(&other.id));
                }
            }
            clients.insert(client)
        };
        for client in gone {
            self.client_is_another(&client.id);
        }
        self.put(id, is_another);
        Admitted::Registered
    }

    /// Removes clients that were never used in time.
    pub(super) fn sweep_unused(&self, now: Timestamp) -> u64 {
        let until = now - SWEEP_DELAY;
        let is_over = |client: &&Arc<Client>| {
            client.unused_until().is_some_and(|over| over.seconds() < until.seconds())
        };
        let mut gone = 0;
        let over: Vec<_> =
            read(&self.clients).unused().filter(is_over).take(PER_SWEEP).cloned().collect();
        for client in over {
            let mut clients = write(&self.clients);
            if clients.get(&client.id) == Some(&client) {
                clients.remove(&client.id);
                drop(clients);
                self.client_is_another(&client.id);
                gone += 1;
            }
        }
        gone
    }
}
