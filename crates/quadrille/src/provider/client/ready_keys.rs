//! The keys of clients, parsed once.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use crate::jose::KeySet;

use super::record::Client;

/// The number of clients whose keys are kept ready; at this number all are forgotten.
const KEPT: usize = 4096;

/// The keys of clients, ready to verify, as long as the clients are unchanged.
#[derive(Default)]
pub(crate) struct ReadyKeys(RwLock<HashMap<Arc<str>, Ready>>);

/// The keys of a client, and its record when they were parsed.
struct Ready {
    client: Arc<Client>,
    keys: Arc<KeySet>,
}

impl ReadyKeys {
    pub(super) fn ready(&self, client: &Arc<Client>, json: &str) -> Arc<KeySet> {
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(ready) = known.get(&client.id)
                && Arc::ptr_eq(&ready.client, client)
            {
                return ready.keys.clone();
            }
        }
        let keys = KeySet::parse(json.as_bytes()).unwrap_or_else(|reason| {
            tracing::error!(client = %client.id, %reason, "the keys of this client are not valid");
            KeySet::default()
        });
        let keys = Arc::new(keys);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(client.id.clone(), Ready { client: client.clone(), keys: keys.clone() });
        keys
    }
}

impl fmt::Debug for ReadyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadyKeys")
    }
}
