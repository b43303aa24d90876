//! Attempts to sign in: what is counted of them, in the database, so that a restart forgets nothing
//! and processes that serve the same folder count together.

use aws_lc_rs::digest;
use quadrille::{
    Env, KeyRing, RemoteAddress, Timestamp,
    provider::store::{SqliteStore, StoreError},
    seal::MacKey,
};
use rusqlite::{OptionalExtension as _, Transaction};

use std::sync::Arc;

use crate::users::UserName;

use super::{
    devices::DeviceId,
    throttle::{Added, Each, Recovery, Turn, added, decide, forgive},
};

/// How many counts that are over are forgotten with each attempt.
const SWEPT: i64 = 32;

/// Counts attempts to sign in.
#[derive(Debug)]
pub(super) struct Attempts {
    env: Env,
    store: Arc<SqliteStore>,
    /// What was typed as a name may be a password: the database holds no digest that tells.
    key: MacKey,
}

/// An attempt that was counted as a failure until it turns out to be none.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What becomes of it.
    pub(super) turn: Turn,
    parties: Parties,
    /// What it added to the counts.
    added: Added,
}

/// The keys of the counts of an attempt.
type Parties = Each<Key>;

type Key = [u8; 16];

impl Attempts {
    /// Counts in this store, which has the program's tables, for the provider with this mark.
    pub(super) fn new(env: Env, store: Arc<SqliteStore>, ring: &KeyRing, mark: &str) -> Self {
        let key = ring.mac_key("quadrille sign-in failures", mark);
        Self { env, store, key }
    }

    /// Counts an attempt, as a failure, and says what becomes of it.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn begin(
        &self,
        name: &UserName,
        address: RemoteAddress,
        device: Option<DeviceId>,
    ) -> Result<Attempt, StoreError> {
        let (parties, now) = (self.parties(name, address, device), self.env.now());
        self.store
            .write(move |transaction| -> Result<Attempt, StoreError> {
                let before = parties.load(transaction)?;
                let (turn, after) = decide(&before, now);
                parties.store(transaction, &before, &after)?;
                transaction.execute(
                    "DELETE FROM quadrille_program_failures WHERE key IN
                     (SELECT key FROM quadrille_program_failures WHERE recovered <= ?1 LIMIT ?2)",
                    (now.millis(), SWEPT),
                )?;
                Ok(Attempt { turn, parties, added: added(&before, &after, now) })
            })
            .await
    }

    /// Takes an attempt back: nobody looked at the password.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn withdraw(&self, attempt: &Attempt) -> Result<(), StoreError> {
        // Nothing was counted.
        if matches!(attempt.turn, Turn::Refused(_)) {
            return Ok(());
        }
        self.store.write(attempt.forgiven()).await
    }

    fn parties(
        &self,
        name: &UserName,
        address: RemoteAddress,
        device: Option<DeviceId>,
    ) -> Parties {
        let (name, network) = (name.key().as_bytes(), address.network().to_be_bytes());
        let name = digest::digest(&digest::SHA256, name);
        let name = name.as_ref();
        Parties {
            device: device.map(|device| self.key(b"d", &device, &[])),
            pair: self.key(b"p", name, &network),
            record: self.key(b"r", name, &network),
            name: self.key(b"n", name, &[]),
            network: self.key(b"a", &network, &[]),
        }
    }

    fn key(&self, kind: &[u8; 1], one: &[u8], other: &[u8]) -> Key {
        let mut key = Key::default();
        let mac = self.key.mac(&[kind, one, other]);
        key.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        key
    }
}

impl Attempt {
    /// What takes the failure back that was counted, to be run when the session is opened.
    pub(super) fn forgiven(
        &self,
    ) -> impl FnOnce(&Transaction<'_>) -> Result<(), StoreError> + Send + 'static {
        let (parties, added) = (self.parties, self.added);
        move |transaction| {
            let counted = parties.load(transaction)?;
            parties.store(transaction, &counted, &forgive(&counted, &added))
        }
    }
}

impl Parties {
    fn load(&self, transaction: &Transaction<'_>) -> Result<Recovery, StoreError> {
        let mut read = transaction
            .prepare_cached("SELECT recovered FROM quadrille_program_failures WHERE key = ?1")?;
        let mut recovered = |key: &Key| -> Result<Timestamp, StoreError> {
            let found: Option<i64> = read.query_row([&key[..]], |row| row.get(0)).optional()?;
            Ok(Timestamp::from_millis(found.unwrap_or(0)))
        };
        Ok(Recovery {
            device: self.device.as_ref().map(&mut recovered).transpose()?,
            pair: recovered(&self.pair)?,
            record: recovered(&self.record)?,
            name: recovered(&self.name)?,
            network: recovered(&self.network)?,
        })
    }

    fn store(
        &self,
        transaction: &Transaction<'_>,
        before: &Recovery,
        after: &Recovery,
    ) -> Result<(), StoreError> {
        let mut write = transaction.prepare_cached(
            "INSERT INTO quadrille_program_failures (key, recovered) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET recovered = ?2",
        )?;
        let mut changed = |key: &Key, before: Timestamp, after: Timestamp| {
            if before == after {
                return Ok(());
            }
            write.execute((&key[..], after.millis())).map(|_| ())
        };
        if let (Some(key), Some(before), Some(after)) = (&self.device, before.device, after.device)
        {
            changed(key, before, after)?;
        }
        changed(&self.pair, before.pair, after.pair)?;
        changed(&self.record, before.record, after.record)?;
        changed(&self.name, before.name, after.name)?;
        changed(&self.network, before.network, after.network)?;
        Ok(())
    }
}
