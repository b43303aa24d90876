//! What signatures are checked with: clients' keys, ready for use, and a key for nobody's.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    KeyRing, Secret, Timestamp,
    oauth1::{RsaVerifyingKey, SignatureMethod},
};

use super::{
    super::{Client, server::Inner},
    OAuth1Client, OAuth1Credential,
    wire::CLIENT,
};

/// How many clients' keys are kept ready; more than that, and all are forgotten.
const CLIENTS: usize = 4096;

/// A key that was unsealed, or read.
pub(crate) enum Ready {
    Secret(Secret),
    Rsa(RsaVerifyingKey),
}

impl Ready {
    fn is_for(&self, method: SignatureMethod) -> bool {
        matches!(self, Self::Rsa(_)) == method.is_rsa()
    }
}

/// The keys of a client, each until when it is good.
pub(crate) struct ReadyKeys(Vec<(Ready, Option<Timestamp>)>);

impl ReadyKeys {
    /// Those that are good for a method.
    pub(super) fn fit(
        &self,
        method: SignatureMethod,
        now: Timestamp,
    ) -> impl Iterator<Item = &Ready> {
        self.0
            .iter()
            .filter(move |(key, expires)| {
                key.is_for(method) && expires.is_none_or(|expires| now < expires)
            })
            .map(|(key, _)| key)
    }

    fn of(client: &OAuth1Client, id: &str, ring: &KeyRing, issuer: &str) -> Self {
        let ready = |credential: &OAuth1Credential| match credential {
            OAuth1Credential::SharedSecret(sealed) => {
                let plain = ring.open(CLIENT, issuer, sealed).ok()?;
                std::str::from_utf8(&plain).ok().map(|plain| Ready::Secret(plain.into()))
            }
            OAuth1Credential::RsaPublicKey(pem) => {
                RsaVerifyingKey::from_pem(pem).ok().map(Ready::Rsa)
            }
            OAuth1Credential::ShortRsaPublicKey(pem) => {
                RsaVerifyingKey::from_pem_of_1024_bits_and_up_as_old_installations_have_them(pem)
                    .ok()
                    .map(Ready::Rsa)
            }
        };
        let keys = client.keys.iter().filter_map(|key| match ready(&key.credential) {
            Some(ready) => Some((ready, key.expires)),
            None => {
                tracing::error!(client = id, "a key of this client for OAuth 1.0a cannot be read");
                None
            }
        });
        Self(keys.collect())
    }
}

/// The keys of clients that were read before, as long as the clients are the same.
#[derive(Default)]
pub(crate) struct Memo(RwLock<HashMap<Arc<str>, Known>>);

type Known = (Arc<Client>, Arc<ReadyKeys>);

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

impl Inner {
    /// The keys of a client, if it has a part in OAuth 1.0a.
    pub(super) fn ready_keys(&self, client: &Arc<Client>) -> Option<Arc<ReadyKeys>> {
        let oauth1 = client.oauth1.as_ref()?;
        let memo = &self.shared.oauth1_keys.0;
        {
            let known = memo.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((then, keys)) = known.get(&client.id)
                && Arc::ptr_eq(then, client)
            {
                return Some(keys.clone());
            }
        }
        let keys = Arc::new(ReadyKeys::of(oauth1, &client.id, &self.ring, self.issuer.as_str()));
        let mut known = memo.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CLIENTS {
            known.clear();
        }
        known.insert(client.id.clone(), (client.clone(), keys.clone()));
        Some(keys)
    }
}
