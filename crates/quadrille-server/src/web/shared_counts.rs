//! Counts of guesses that all processes of a database share, in the database: beside the failed
//! sign-ins, and for the same reason. A guess costs a slow hash or a user's form, so the transaction is
//! little, and a restart forgives nothing.

use std::sync::Arc;

use quadrille::{
    KeyRing, Timestamp,
    provider::{
        guessing::{CountChange, SharedCounts},
        store::{StoreError, VolatileKey},
    },
    seal::MacKey,
};

use crate::data::{Backend, CountKey};

/// The counts in a database.
#[derive(Debug)]
pub(super) struct CountsInDatabase {
    backend: Arc<dyn Backend>,
    /// What was typed as a name may be a password: the database holds no digest that tells.
    key: MacKey,
}

impl CountsInDatabase {
    /// Counts in this database, for the provider with this mark.
    pub(super) fn new(backend: Arc<dyn Backend>, ring: &KeyRing, mark: &str) -> Self {
        Self { backend, key: ring.mac_key("quadrille shared limits", mark) }
    }
}

impl SharedCounts for CountsInDatabase {
    async fn clock(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        self.backend.clock(now).await
    }

    async fn change(
        &self,
        key: VolatileKey,
        change: CountChange,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut short = CountKey::default();
        let mac = self.key.mac(&[key.as_str().as_bytes()]);
        short.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        self.backend.count(short, change, now).await.map(Some)
    }
}
