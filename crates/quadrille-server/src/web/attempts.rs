//! Attempts to sign in: what is counted of them, in the database, so that a restart forgets nothing
//! and processes that serve the same folder count together.

use aws_lc_rs::digest;
use quadrille::{Env, KeyRing, RemoteAddress, provider::store::StoreError, seal::MacKey};

use std::sync::Arc;

use crate::{
    data::{Backend, CountKey, Recount},
    throttle::{Added, Each, Turn, added, decide, forgive},
    users::UserName,
};

use super::{devices::DeviceId, refusals::Refusals};

/// Counts attempts to sign in.
#[derive(Debug)]
pub(super) struct Attempts {
    env: Env,
    backend: Arc<dyn Backend>,
    /// What was typed as a name may be a password: the database holds no digest that tells.
    key: MacKey,
    refusals: Refusals,
}

/// An attempt that was counted as a failure until it turns out to be none.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What becomes of it. The wait of a refused one is that of as many as were refused lately.
    pub(super) turn: Turn,
    /// The keys of its counts.
    keys: Each<CountKey>,
    /// What it added to the counts.
    added: Added,
}

impl Attempts {
    /// Counts in this database, for the provider with this mark.
    pub(super) fn new(env: Env, backend: Arc<dyn Backend>, ring: &KeyRing, mark: &str) -> Self {
        let key = ring.mac_key("quadrille sign-in failures", mark);
        Self { env, backend, key, refusals: Refusals::default() }
    }

    /// Counts an attempt, as a failure, and says what becomes of it.
    ///
    /// # Errors
    /// The errors of the store.
    pub(super) async fn begin(
        &self,
        name: &UserName,
        address: RemoteAddress,
        device: Option<DeviceId>,
    ) -> Result<Attempt, StoreError> {
        let keys = self.keys(name, address, device);
        let now = self.backend.clock(self.env.now()).await?;
        let count = Recount { keys, change: Box::new(move |before| decide(before, now).1) };
        let before = self.backend.recount(count, now).await?;
        let (mut turn, after) = decide(&before, now);
        if let Turn::Refused(wait) = &mut turn {
            *wait = self.refusals.one_more(keys.pair, *wait, self.env.steady());
        }
        Ok(Attempt { turn, keys, added: added(&before, &after, now) })
    }

    /// Takes an attempt back: nobody looked at the password.
    ///
    /// # Errors
    /// The errors of the store.
    pub(super) async fn withdraw(&self, attempt: &Attempt) -> Result<(), StoreError> {
        // Nothing was counted.
        if matches!(attempt.turn, Turn::Refused(_)) {
            return Ok(());
        }
        let now = self.backend.clock(self.env.now()).await?;
        self.backend.recount(attempt.forgiven(), now).await.map(|_| ())
    }

    fn keys(
        &self,
        name: &UserName,
        address: RemoteAddress,
        device: Option<DeviceId>,
    ) -> Each<CountKey> {
        let (name, network) = (name.key().as_bytes(), address.network().to_be_bytes());
        let name = digest::digest(&digest::SHA256, name);
        let name = name.as_ref();
        Each {
            device: device.map(|device| self.key(b"d", &device, &[])),
            pair: self.key(b"p", name, &network),
            record: self.key(b"r", name, &network),
            name: self.key(b"n", name, &[]),
            network: self.key(b"a", &network, &[]),
        }
    }

    fn key(&self, kind: &[u8; 1], one: &[u8], other: &[u8]) -> CountKey {
        let mut key = CountKey::default();
        let mac = self.key.mac(&[kind, one, other]);
        key.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        key
    }
}

impl Attempt {
    /// The change that takes back the failure that was counted, for when the session is opened.
    pub(super) fn forgiven(&self) -> Recount {
        let (keys, added) = (self.keys, self.added);
        Recount { keys, change: Box::new(move |counted| forgive(counted, &added)) }
    }
}
