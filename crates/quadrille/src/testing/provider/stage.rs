//! What the users of a provider in a test do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{provider::UserClaims, testing::Fault};

/// What the users of a provider do, shared with its pages.
#[derive(Clone)]
pub(super) struct Stage(Arc<Mutex<Script>>);

pub(super) struct Script {
    /// The user who signs in; `None` shows the page.
    pub(super) user: Option<String>,
    /// The scopes that users grant; `None` for all.
    pub(super) allows: Option<Vec<String>>,
    /// Whether users decide on the consent page themselves.
    pub(super) shows_pages: bool,
    pub(super) faults: Vec<Fault>,
    /// The users who have signed in.
    pub(super) seen: BTreeSet<String>,
    pub(super) claims: BTreeMap<String, UserClaims>,
    /// Whether all grants are to be revoked before the next request.
    pub(super) must_revoke: bool,
    /// The number of the signing key.
    pub(super) key: u64,
}

impl Stage {
    /// Ada signs in, and allows everything.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Script {
            user: Some("ada".to_owned()),
            allows: None,
            shows_pages: false,
            faults: Vec::new(),
            seen: BTreeSet::new(),
            claims: BTreeMap::new(),
            must_revoke: false,
            key: 1,
        })))
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
