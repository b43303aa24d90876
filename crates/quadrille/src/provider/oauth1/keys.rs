//! The keys of clients and tokens, ready to verify signatures.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    KeyRing, Secret, Timestamp,
    oauth1::{HmacVerifyingKey, RsaVerifyingKey, SignatureMethod, SignedRequest, VerifyingKey},
    provider::{
        client::{
            oauth1::record::{Credential, Registration},
            record::Client,
            sealed::{ClientSeal, SecretUse},
        },
        store::{CredentialRecord, RowId},
    },
};

/// The number of clients' keys, and of tokens' keys, kept ready; at this number all are forgotten.
const KEPT: usize = 4096;

/// An unsealed or parsed key.
pub(crate) enum Ready {
    Secret(Secret),
    Rsa(RsaVerifyingKey),
}

impl Ready {
    fn is_for(&self, method: SignatureMethod) -> bool {
        matches!(self, Self::Rsa(_)) == method.is_rsa()
    }
}

/// The keys of a client, each with its expiry.
pub(crate) struct ReadyKeys(Vec<(Ready, Option<Timestamp>)>);

impl ReadyKeys {
    /// The valid keys for a method.
    pub(super) fn fit(
        &self,
        method: SignatureMethod,
        now: Timestamp,
    ) -> impl Iterator<Item = &(Ready, Option<Timestamp>)> {
        self.0.iter().filter(move |(key, expires)| key.is_for(method) && is_good(*expires, now))
    }

    fn of(client: &Registration, id: &str, ring: &KeyRing, issuer: &str) -> Self {
        let seal = ClientSeal::new(ring, issuer, id);
        let ready = |credential: &Credential| match credential {
            Credential::SharedSecret(sealed) => {
                seal.open(SecretUse::OAuth1Client, sealed).map(Ready::Secret)
            }
            Credential::SharedSecretInTable(secret) => Some(Ready::Secret(secret.clone())),
            Credential::RsaPublicKey(pem) => RsaVerifyingKey::from_pem(pem).ok().map(Ready::Rsa),
            Credential::ShortRsaPublicKey(pem) => {
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

fn is_good(expires: Option<Timestamp>, now: Timestamp) -> bool {
    expires.is_none_or(|expires| now < expires)
}

/// The keys that are ready, as long as their sources are unchanged.
#[derive(Default)]
pub(crate) struct Memo {
    clients: RwLock<HashMap<Arc<str>, Known>>,
    tokens: RwLock<HashMap<RowId, KnownToken>>,
}

type Known = (Arc<Client>, Arc<ReadyKeys>);

/// The keys of a token's last valid signature.
struct KnownToken {
    client: Arc<Client>,
    held: Arc<CredentialRecord>,
    /// The expiry of the client's key.
    expires: Option<Timestamp>,
    key: HmacVerifyingKey,
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

impl Memo {
    /// The keys of a client; `None` if it does not use OAuth 1.0a.
    pub(super) fn ready(
        &self,
        client: &Arc<Client>,
        ring: &KeyRing,
        issuer: &str,
    ) -> Option<Arc<ReadyKeys>> {
        let oauth1 = client.oauth1.as_ref()?;
        {
            let known = self.clients.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((then, keys)) = known.get(&client.id)
                && Arc::ptr_eq(then, client)
            {
                return Some(keys.clone());
            }
        }
        let keys = Arc::new(ReadyKeys::of(oauth1, &client.id, ring, issuer));
        let mut known = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(client.id.clone(), (client.clone(), keys.clone()));
        Some(keys)
    }

    /// Verifies a signature with the keys of the token's last one. Unsealing the token's secret
    /// costs as much as the rest of the verification.
    pub(super) fn is_right_as_before(
        &self,
        signed: &SignedRequest<'_>,
        origin: &str,
        (client, held): (&Arc<Client>, &Arc<CredentialRecord>),
        now: Timestamp,
    ) -> bool {
        let known = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&held.access.row).is_some_and(|known| {
            Arc::ptr_eq(&known.client, client)
                && Arc::ptr_eq(&known.held, held)
                && is_good(known.expires, now)
                && signed.is_signed_by(origin, &VerifyingKey::Hmac(&known.key))
        })
    }

    /// Keeps the keys of a valid signature for the next one.
    pub(super) fn keep(
        &self,
        (client, held): (&Arc<Client>, &Arc<CredentialRecord>),
        expires: Option<Timestamp>,
        key: HmacVerifyingKey,
    ) {
        let mut known = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        let token = KnownToken { client: client.clone(), held: held.clone(), expires, key };
        known.insert(held.access.row, token);
    }
}
