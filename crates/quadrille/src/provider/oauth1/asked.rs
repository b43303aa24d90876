//! The questions about signed requests of other processes that the store was asked.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

/// The answer of the store to a question that is asked once.
pub(super) type Answer = Arc<OnceCell<bool>>;

/// The questions about seconds of clients, and about blocks, that the store was asked.
#[derive(Debug, Default)]
pub(crate) struct Seconds {
    pub(super) clients: Asked,
    pub(super) blocks: Asked,
}

/// Answers by the last second to which they belong, and client.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<BTreeMap<i64, HashMap<Box<str>, Answer>>>);

impl Asked {
    /// The answer about a second. Forgets the seconds before `oldest`.
    pub(super) fn answer(&self, second: i64, client: &str, oldest: i64) -> Answer {
        let mut seconds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while seconds.first_key_value().is_some_and(|(second, _)| *second < oldest) {
            seconds.pop_first();
        }
        let clients = seconds.entry(second).or_default();
        match clients.get(client) {
            Some(answer) => answer.clone(),
            None => clients.entry(client.into()).or_default().clone(),
        }
    }
}
