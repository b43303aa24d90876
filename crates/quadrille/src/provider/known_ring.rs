//! The key rings under which a store was used. Under another one no token, code and secret in it is
//! genuine, which looks to everybody as if all of them had been revoked.

use std::time::Duration;

use crate::{KeyRing, Timestamp};

use super::store::{ErasedStore, IssuerId, SecretHash, StoreError};

const SPACE: &str = "key ring";

/// The mark that any ring leaves beside those of its keys.
const ANY: SecretHash = [0; 32];

/// The time for which a ring is known: ten years.
const LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Warns at the first use of a store under a ring of which it knows no key, if it knows another ring.
pub(super) async fn look(
    store: &dyn ErasedStore,
    ring: &KeyRing,
    (issuer, number): (&str, IssuerId),
    now: Timestamp,
) {
    // What a process keeps in memory ends with its ring.
    if !store.is_cacheable() {
        return;
    }
    match is_another(store, ring, (issuer, number), now).await {
        Ok(false) => {}
        Ok(true) => tracing::warn!(
            issuer,
            "the store was used under another key ring: tokens, codes and secrets from then are worth \
             nothing under this one. If that is not meant, serve with the key ring of then"
        ),
        Err(error) => tracing::debug!(%error, "the marks of key rings cannot be read"),
    }
}

async fn is_another(
    store: &dyn ErasedStore,
    ring: &KeyRing,
    (issuer, number): (&str, IssuerId),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (past, until) = (Timestamp::from_seconds(0), now + LIFETIME);
    let is_new = |mark, expires| store.remember_once(number, SPACE, mark, expires);
    let knows_a_ring = !is_new(ANY, past).await?;
    let mut knows_this_one = false;
    let marks = ring.derive(|key| key.mac_key(SPACE, issuer).mac(&[]));
    for mark in marks.iter() {
        // A look costs no commit.
        let is_known = !is_new(*mark, past).await? || !is_new(*mark, until).await?;
        knows_this_one |= is_known;
    }
    if !knows_a_ring {
        is_new(ANY, until).await?;
    }
    Ok(knows_a_ring && !knows_this_one)
}
