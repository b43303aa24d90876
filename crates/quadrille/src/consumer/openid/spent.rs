//! The memory of tokens that are valid once.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    Timestamp,
    consumer::{
        error::Result,
        storage::records::{Key, Kind, Lease, Records},
    },
};

use super::marks::{Mark, Marks};

/// The number of tokens that are remembered. Each was signed by a provider of this site, so nobody
/// else fills the memory.
const MOST: usize = 65_536;

/// The greatest difference between two clocks that a login may tolerate: so long after its time is a token
/// accepted at most.
pub(crate) const LONGEST_LEEWAY: Duration = Duration::from_secs(300);

/// A token that was used.
#[derive(Debug)]
pub(crate) struct Used {
    mark: Mark,
    expires: Timestamp,
    lease: Option<Lease>,
}

/// The tokens that were used in this process, until they expire.
#[derive(Debug)]
pub(crate) struct Spent(Mutex<Marks>);

impl Default for Spent {
    fn default() -> Self {
        Self(Mutex::new(Marks::at_most(MOST)))
    }
}

impl Spent {
    /// Uses a token up, which expires at this time, for all processes that share these records.
    /// `None` if it was used before.
    pub(crate) async fn spend_for_all(
        &self,
        records: Option<&Records<'_>>,
        token: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Used>> {
        if !self.spend(token, expires, now) {
            return Ok(None);
        }
        let mark = Mark::of(token);
        let Some(records) = records else {
            return Ok(Some(Used { mark, expires, lease: None }));
        };
        let key = key_of(mark, expires);
        let lease = records.claim(Kind::Spent, &key).await?;
        Ok(lease.map(|lease| Used { mark, expires, lease: Some(lease) }))
    }

    /// Lets a token be used again.
    pub(crate) async fn give_back(&self, records: Option<&Records<'_>>, used: Used) -> Result<()> {
        let Used { mark, expires, lease } = used;
        if let (Some(records), Some(lease)) = (records, lease) {
            let key = key_of(mark, expires);
            records.remove(Kind::Spent, &key).await?;
            records.release(Kind::Spent, &key, lease).await?;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(mark);
        Ok(())
    }

    /// Uses a token up, which expires at this time. `false` if it was used before.
    fn spend(&self, token: &str, expires: Timestamp, now: Timestamp) -> bool {
        let token = Mark::of(token);
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.get(token).is_some_and(|expires| expires + LONGEST_LEEWAY >= now) {
            return false;
        }
        spent.put(token, expires);
        true
    }
}

/// The record of a token that expires at this time, which lasts as long as the token may be accepted.
fn key_of(mark: Mark, expires: Timestamp) -> Key {
    Key { at: expires + LONGEST_LEEWAY, text: mark.digits() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_spent_once_until_it_expires() {
        let spent = Spent::default();
        let now = Timestamp::from_seconds(1_800_000_000);
        let expires = now + Duration::from_secs(60);
        assert!(spent.spend("one", expires, now));
        let accepted_until = expires + LONGEST_LEEWAY;
        assert!(!spent.spend("one", expires, accepted_until));
        assert!(spent.spend("other", expires, now));
        let later = accepted_until + Duration::from_secs(1);
        assert!(spent.spend("one", expires, later), "it is forgotten");
    }

    #[test]
    fn the_memory_has_an_end_and_loses_first_what_expires_first() {
        let spent = Spent::default();
        let now = Timestamp::from_seconds(1_800_000_000);
        let at = |place: usize| now + Duration::from_secs(60 + place as u64);
        for place in 0..=MOST {
            assert!(spent.spend(&place.to_string(), at(place), now));
        }
        assert!(!spent.spend("1", at(1), now));
        assert!(spent.spend("0", at(0), now), "the first made room");
    }
}
