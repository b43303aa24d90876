//! Requests that an earlier process may have accepted, if its memory ended with it.
//!
//! A request signed before the start is refused. But a client whose clock is ahead signs for
//! seconds to come, which become valid after the start. So each second of a client that is ahead of
//! the clock, or less than a window after the start, belongs to the process that accepts its first
//! request: the store knows the taken seconds, and nothing of the requests. A client whose clock is
//! right costs the store nothing but a write each second for a window after each start.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::nonces::Seen;

/// `true` if a second of a client belongs to this process, once the store has answered.
pub(super) type Claim = Arc<OnceCell<bool>>;

/// The seconds of clients for which the store was asked.
#[derive(Debug, Default)]
pub(crate) struct Seconds(Mutex<BTreeMap<i64, HashMap<Box<str>, Claim>>>);

impl Seconds {
    /// The claim to the second of a request. Forgets the seconds before `oldest`.
    pub(super) fn claim(&self, seen: Seen<'_>, oldest: i64) -> Claim {
        let mut seconds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while seconds.first_key_value().is_some_and(|(second, _)| *second < oldest) {
            seconds.pop_first();
        }
        let clients = seconds.entry(seen.timestamp).or_default();
        match clients.get(seen.client) {
            Some(claim) => claim.clone(),
            None => clients.entry(seen.client.into()).or_default().clone(),
        }
    }
}
