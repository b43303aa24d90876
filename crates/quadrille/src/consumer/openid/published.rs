//! Request objects at URLs of this site, until the providers have got them (RFC 9101, section 5.2).
//!
//! Anybody can begin logins, and ask for objects. So an object takes room for two minutes at most, a
//! process has a limited number of them, and a reference that the site has not made is rejected without
//! a look at the storage.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    Timestamp,
    consumer::{
        error::Result,
        site::Site,
        storage::records::{Key, Kind, Records},
    },
};

use super::request_object::LIFETIME;

/// What the seals of references are for.
const PURPOSE: &str = "request object";
/// The greatest number of objects of one process that wait for their providers. Beyond it the oldest
/// gives way: a provider asks within a second.
const MOST: usize = 4096;

/// The keys of the request objects that this process has stored, and no provider has got.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<BTreeSet<String>>);

/// The place where a site publishes request objects.
pub(crate) struct Publisher<'a> {
    pub(crate) records: Records<'a>,
    pub(crate) waiting: &'a Waiting,
}

impl Publisher<'_> {
    /// Stores an object for its provider. Returns the reference, by which it is [taken](Self::take).
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) async fn publish(&self, site: &Site, service: &str, object: &str) -> Result<String> {
        let now = site.env.now();
        let text = BASE64_URL_SAFE_NO_PAD.encode(site.env.random::<16>());
        let key = Key { at: now + LIFETIME, text };
        self.records.put(Kind::Requests, &key, object).await?;
        self.records.sweep(Kind::Requests, now).await?;
        for oldest in self.waiting.add(&key, now) {
            self.records.remove(Kind::Requests, &oldest).await?;
        }
        let key = key.to_text();
        Ok(site.keys.seal(&site.env, PURPOSE, &bound_to(site, service), key.as_bytes()))
    }

    /// The object with this reference, once. `None` if the site has not made the reference, the time is
    /// over, or the object was taken.
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) async fn take(
        &self,
        site: &Site,
        service: &str,
        reference: &str,
    ) -> Result<Option<String>> {
        let key = site.keys.open(PURPOSE, &bound_to(site, service), reference).ok();
        let key = key.and_then(|key| Key::from_text(std::str::from_utf8(&key).ok()?));
        let Some(key) = key.filter(|key| key.at > site.env.now()) else { return Ok(None) };
        self.waiting.keys().remove(&key.to_text());
        self.records.take(Kind::Requests, &key).await
    }
}

impl Waiting {
    /// Adds a key. Returns those that give way to it.
    fn add(&self, key: &Key, now: Timestamp) -> Vec<Key> {
        let mut keys = self.keys();
        keys.insert(key.to_text());
        let mut give_way = Vec::new();
        // In the order of their times.
        while let Some(oldest) = keys.first().and_then(|first| Key::from_text(first)) {
            let is_over = oldest.at <= now;
            if !is_over && keys.len() <= MOST {
                break;
            }
            keys.pop_first();
            // The storage is swept of those that are over.
            give_way.extend(Some(oldest).filter(|_| !is_over));
        }
        give_way
    }

    fn keys(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reference is of one service of one site.
fn bound_to(site: &Site, service: &str) -> String {
    [&site.name, " ", service].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seconds: i64, number: usize) -> Key {
        Key { at: Timestamp::from_seconds(1_800_000_000 + seconds), text: number.to_string() }
    }

    #[test]
    fn the_oldest_object_gives_way_and_those_that_are_over_are_forgotten() {
        let waiting = Waiting::default();
        let now = key(0, 0).at;
        for number in 0..MOST {
            let later = i64::try_from(number).unwrap();
            assert_eq!(waiting.add(&key(1 + later, number), now), []);
        }
        assert_eq!(waiting.add(&key(9000, 9000), now), [key(1, 0)]);
        // One that was got leaves its room.
        waiting.keys().remove(&key(100, 99).to_text());
        assert_eq!(waiting.add(&key(9001, 9001), now), []);
        assert_eq!(waiting.add(&key(9002, 9002), now), [key(2, 1)]);
        assert_eq!(waiting.add(&key(9003, 9003), key(8999, 0).at), []);
        assert_eq!(waiting.keys().len(), 4);
    }
}
