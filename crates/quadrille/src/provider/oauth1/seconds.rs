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

use crate::{
    Timestamp,
    guard::SignatureError,
    provider::{error::Error, server::Inner},
};

use super::nonces::{self, Seen};

/// `true` if a second of a client belongs to this process, once the store has answered.
type Claim = Arc<OnceCell<bool>>;

/// The seconds of clients for which the store was asked.
#[derive(Debug, Default)]
pub(crate) struct Seconds(Mutex<BTreeMap<i64, HashMap<Box<str>, Claim>>>);

impl Seconds {
    /// Forgets the seconds before `oldest`.
    fn claim(&self, seen: Seen<'_>, oldest: i64) -> Claim {
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

/// `true` if the second of a request belongs to this process, so no earlier one has accepted it.
/// `now` is the time of the check.
pub(super) async fn is_ours(
    inner: &Inner,
    seen: Seen<'_>,
    now: Timestamp,
) -> Result<bool, SignatureError> {
    let (began, window) = (inner.shared.nonces.began(), inner.oauth1.window);
    let (is_ahead, is_after_the_start) =
        (seen.timestamp > now.seconds(), seen.timestamp <= (began + window).seconds());
    // If the store ends with its process, clients and tokens do so, too.
    if !(is_ahead || is_after_the_start) || !inner.store.is_cacheable() {
        return Ok(true);
    }
    let claim = inner.shared.seconds.claim(seen, (now - window).seconds());
    let ask = || async {
        let issuer = inner.issuer_id().await?;
        let second = Seen { token: None, nonce: "", ..seen };
        let ends = Timestamp::from_seconds(seen.timestamp) + window + nonces::MARGIN;
        let first = inner.store.remember_once(issuer, "oauth1 second", second.key(), ends).await;
        first.map_err(Error::from)
    };
    Ok(*claim.get_or_try_init(ask).await?)
}
