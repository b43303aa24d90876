//! The keys of an issuer, and when each of them signs.

use serde_json::Value;

use super::{
    Algorithm, KeySet, MOST_KEYS, SigningKey,
    kept_key::{Kept, Retired, Rotation, SigningKeysError},
};
use crate::{Secret, Timestamp, json::read_object};

/// The keys of an issuer, with rotation and overlap. One of them signs at a time, whatever their
/// algorithms. A value: a store keeps [`to_json`](Self::to_json), sealed, and a process changes it
/// there by compare-and-swap. Processes with the same value and the same time sign with the same
/// key.
///
/// ```
/// use quadrille::{Timestamp, jose::{Algorithm, Rotation, SigningKey, SigningKeys}};
///
/// let rotation = Rotation::default();
/// let now = Timestamp::from_seconds(1_800_000_000);
/// let first = SigningKey::generate(Algorithm::Es256)?;
/// let mut keys = SigningKeys::new(first.clone(), now)?;
///
/// // A day before the first key's time is over, its successor is published ...
/// let due = keys.wakes_at(&rotation);
/// assert_eq!(due, now + rotation.period - rotation.ahead);
/// if let Some(algorithm) = keys.due(due, &rotation) {
///     keys.add(SigningKey::generate(algorithm)?, due, &rotation)?;
/// }
/// assert_eq!(keys.published().iter().count(), 2);
///
/// // ... and a day later it signs.
/// let signs = |keys: &SigningKeys, at| {
///     keys.signing(at).and_then(SigningKey::kid).map(str::to_owned)
/// };
/// assert_eq!(signs(&keys, due).as_deref(), first.kid());
/// assert_ne!(signs(&keys, due + rotation.ahead).as_deref(), first.kid());
///
/// // The first key signs no longer. A day later its last token has expired, by this clock; another
/// // day later that is certain.
/// let retired = due + rotation.ahead;
/// assert_eq!(keys.sweep(retired, &rotation).removed, 0);
/// assert_eq!(keys.sweep(retired + rotation.overlap, &rotation).removed, 0);
/// assert_eq!(keys.sweep(retired + rotation.overlap * 2, &rotation).removed, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SigningKeys {
    /// In the order in which they sign.
    keys: Vec<Kept>,
}

/// The changes that [`SigningKeys::sweep`] made.
///
/// ```
/// use quadrille::jose::Swept;
///
/// fn was_the_clock_wrong(swept: &Swept) -> bool {
///     swept.mended > 0
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// The number of keys that were removed.
    pub removed: usize,
    /// The number of keys whose times were of a clock that ran ahead, and are now of this one.
    pub mended: usize,
}

impl SigningKeys {
    /// One key, which signs at once.
    ///
    /// # Errors
    /// [`SigningKeysError::Shared`].
    pub fn new(key: SigningKey, now: Timestamp) -> Result<Self, SigningKeysError> {
        let mut keys = Self { keys: Vec::new() };
        keys.keep(Kept::new(key, now))?;
        Ok(keys)
    }

    /// Adds a key of any algorithm. It signs when the newest key's time is over, and was published
    /// for [`Rotation::ahead`] by then. Times of a clock that ran ahead are mended before, as
    /// [`sweep`](Self::sweep) does.
    ///
    /// # Errors
    /// [`SigningKeysError::Shared`], [`SigningKeysError::Repeated`] or
    /// [`SigningKeysError::TooMany`].
    pub fn add(
        &mut self,
        key: SigningKey,
        now: Timestamp,
        rotation: &Rotation,
    ) -> Result<(), SigningKeysError> {
        self.mend(now, rotation);
        let signs_from = match self.keys.last() {
            None => now,
            Some(newest) => (newest.signs_from + rotation.period).max(now + rotation.ahead),
        };
        self.keep(Kept::new(key, signs_from))
    }

    /// Adds a key that signs at once, as after a theft. It replaces the keys that have not signed
    /// yet: they were stored beside the stolen one. Keys that signed remain until
    /// [`sweep`](Self::sweep) or [`remove`](Self::remove).
    ///
    /// ```
    /// use quadrille::{Timestamp, jose::{Algorithm, Rotation, SigningKey, SigningKeys}};
    ///
    /// let now = Timestamp::from_seconds(1_800_000_000);
    /// let first = SigningKey::generate(Algorithm::Es256)?;
    /// let mut keys = SigningKeys::new(first.with_kid("1"), now)?;
    /// let waiting = SigningKey::generate(Algorithm::Es256)?.with_kid("2");
    /// keys.add(waiting, now, &Rotation::default())?;
    /// keys.add_at_once(SigningKey::generate(Algorithm::Es256)?.with_kid("3"), now)?;
    /// let kids: Vec<_> = keys.iter().filter_map(|(key, _)| key.kid()).collect();
    /// assert_eq!(kids, ["1", "3"]);
    /// assert_eq!(keys.signing(now).and_then(SigningKey::kid), Some("3"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`add`](Self::add). The keys are unchanged then.
    pub fn add_at_once(&mut self, key: SigningKey, now: Timestamp) -> Result<(), SigningKeysError> {
        // If the clock was set back to before the first key, that one signed.
        let signed = self.keys.partition_point(|kept| kept.signs_from <= now).max(1);
        let mut keys = Self { keys: self.keys.iter().take(signed).cloned().collect() };
        for kept in &mut keys.keys {
            kept.signs_from = kept.signs_from.min(now);
        }
        keys.keep(Kept::new(key, now))?;
        *self = keys;
        Ok(())
    }

    /// The algorithm of the newest key, which may not sign yet.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.keys.last().map(|newest| newest.key.algorithm())
    }

    /// The keys, each with the time from which it signs.
    pub fn iter(&self) -> impl Iterator<Item = (&SigningKey, Timestamp)> {
        self.keys.iter().map(|kept| (&kept.key, kept.signs_from))
    }

    /// The key that signs at a time: the newest one whose time has come. If the clock was set back
    /// to before the first one, it is the first one.
    pub fn signing(&self, now: Timestamp) -> Option<&SigningKey> {
        let newest = self.keys.iter().rev().find(|kept| kept.signs_from <= now);
        newest.or_else(|| self.keys.first()).map(|kept| &kept.key)
    }

    /// The algorithm of the newest key, if that key needs a successor now.
    pub fn due(&self, now: Timestamp, rotation: &Rotation) -> Option<Algorithm> {
        let newest = self.keys.last().filter(|kept| rotation.succession(kept) <= now);
        newest.map(|kept| kept.key.algorithm())
    }

    /// The time at which a successor is [`due`](Self::due) next.
    pub fn wakes_at(&self, rotation: &Rotation) -> Timestamp {
        self.keys.last().map_or(Timestamp::NEVER, |kept| rotation.succession(kept))
    }

    /// Removes the keys that have been known not to sign for [`Rotation::overlap`], twice: since the
    /// first call at which a successor signs, and since the first one after that time. So a clock
    /// that runs ahead for a while removes no key of which tokens are valid.
    ///
    /// When such a clock is right again, the keys that it added would sign long after their time,
    /// and stop the rotation until then. Keys that are to sign later than a period and
    /// [`Rotation::ahead`] from now are mended: they sign when they have been published for
    /// [`Rotation::ahead`] from now on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use quadrille::{Timestamp, jose::{Algorithm, Rotation, SigningKey, SigningKeys}};
    ///
    /// let (now, rotation) = (Timestamp::from_seconds(1_800_000_000), Rotation::default());
    /// let mut keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, now)?;
    /// let wrong = now + Duration::from_secs(10 * 365 * 24 * 3600);
    /// keys.add(SigningKey::generate(Algorithm::Es256)?, wrong, &rotation)?;
    /// assert_eq!(keys.sweep(now, &rotation).mended, 1);
    /// assert_eq!(keys.wakes_at(&rotation), now + rotation.period);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sweep(&mut self, now: Timestamp, rotation: &Rotation) -> Swept {
        let mended = self.mend(now, rotation);
        let before = self.keys.len();
        let retired = self.retired(now);
        for (place, kept) in self.keys.iter_mut().enumerate() {
            // Without its successor, a key signs again.
            kept.retired = match kept.retired {
                _ if place >= retired => None,
                None => Some(Retired { since: now, is_second: false }),
                Some(first) if first.has_waited(now, rotation) && !first.is_second => {
                    Some(Retired { since: now, is_second: true })
                }
                waiting => waiting,
            };
        }
        let is_over = |kept: &&Kept| {
            kept.retired
                .is_some_and(|retired| retired.is_second && retired.has_waited(now, rotation))
        };
        let over = self.keys.iter().take_while(is_over).count();
        self.keys.drain(..over);
        Swept { removed: before - self.keys.len(), mended }
    }

    /// `true` if [`sweep`](Self::sweep) would change the keys.
    pub fn needs_sweep(&self, now: Timestamp, rotation: &Rotation) -> bool {
        let retired = self.retired(now);
        self.keys.iter().enumerate().any(|(place, kept)| {
            kept.is_mistaken(now, rotation)
                || (place < retired) != kept.retired.is_some()
                || kept.retired.is_some_and(|retired| retired.has_waited(now, rotation))
        })
    }

    /// The number of keys whose successors sign.
    fn retired(&self, now: Timestamp) -> usize {
        self.keys.iter().skip(1).take_while(|successor| successor.signs_from <= now).count()
    }

    fn mend(&mut self, now: Timestamp, rotation: &Rotation) -> usize {
        let (mut mended, mut before) = (0, now + rotation.ahead);
        for kept in &mut self.keys {
            if kept.is_mistaken(now, rotation) {
                mended += 1;
                kept.retired = kept.retired.filter(|retired| retired.since <= now);
                if kept.signs_from > rotation.latest(now) {
                    kept.signs_from = before;
                }
            }
            before = before.max(kept.signs_from);
        }
        mended
    }

    /// Removes a key at once, as after a theft: its tokens are invalid as soon as verifiers fetch
    /// the set again. If it signed, the newest other key whose time has come does, or else the next
    /// one: [`add_at_once`](Self::add_at_once) gives a new one. Returns whether the key was there.
    pub fn remove(&mut self, kid: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|kept| kept.key.kid() != Some(kid));
        self.keys.len() != before
    }

    /// The public keys, those that will sign and those that signed among them: the JWK Set of the
    /// issuer.
    pub fn published(&self) -> KeySet {
        self.keys.iter().map(|kept| kept.key.verifying_key().clone()).collect()
    }

    /// The keys with their private parts, for a store. Seal it.
    ///
    /// ```
    /// use quadrille::{Timestamp, jose::{Algorithm, SigningKey, SigningKeys}};
    ///
    /// let key = SigningKey::generate(Algorithm::EdDsa)?;
    /// let keys = SigningKeys::new(key, Timestamp::from_seconds(1_800_000_000))?;
    /// let read = SigningKeys::from_json(&keys.to_json()?)?;
    /// assert_eq!(read.published().to_json(), keys.published().to_json());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SigningKeysError::Key`].
    pub fn to_json(&self) -> Result<Secret, SigningKeysError> {
        // With room for all keys, so that no copy is left behind when it grows.
        let mut json = String::with_capacity(64 + self.keys.len() * 8 * 1024);
        json.push_str(r#"{"keys":["#);
        for (index, kept) in self.keys.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let seconds = kept.signs_from.seconds();
            json.push_str(&format!(r#"{comma}{{"signs_from":{seconds},"#));
            if let Some(retired) = kept.retired {
                let name = if retired.is_second { "waited" } else { "retired" };
                json.push_str(&format!(r#""{name}":{},"#, retired.since.seconds()));
            }
            json.push_str(r#""jwk":"#);
            json.push_str(kept.key.to_private_jwk()?.expose());
            json.push('}');
        }
        json.push_str("]}");
        Ok(json.into())
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`SigningKeysError`].
    pub fn from_json(json: &Secret) -> Result<Self, SigningKeysError> {
        let malformed = |_| SigningKeysError::Malformed;
        let mut members = read_object(json.expose().as_bytes()).map_err(malformed)?;
        let Some(Value::Array(stored)) = members.remove("keys") else {
            return Err(SigningKeysError::Malformed);
        };
        let mut keys = Self { keys: Vec::new() };
        for one in stored {
            let Value::Object(one) = one else { return Err(SigningKeysError::Malformed) };
            keys.keep(Kept::read(one)?)?;
        }
        match keys.keys.is_empty() {
            true => Err(SigningKeysError::Malformed),
            false => Ok(keys),
        }
    }

    fn keep(&mut self, kept: Kept) -> Result<(), SigningKeysError> {
        if kept.key.verifying_key().is_shared() {
            return Err(SigningKeysError::Shared);
        }
        if self.keys.iter().any(|other| other.key.kid() == kept.key.kid()) {
            return Err(SigningKeysError::Repeated);
        }
        if self.keys.len() >= MOST_KEYS {
            return Err(SigningKeysError::TooMany);
        }
        let place = self.keys.partition_point(|other| other.signs_from <= kept.signs_from);
        self.keys.insert(place, kept);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3600);
    const ROTATION: Rotation = Rotation { period: HOUR, ahead: HOUR, overlap: HOUR };

    fn key(kid: &str) -> SigningKey {
        SigningKey::generate(Algorithm::EdDsa).unwrap().with_kid(kid)
    }

    fn signs(keys: &SigningKeys, at: Timestamp) -> &str {
        keys.signing(at).and_then(SigningKey::kid).unwrap()
    }

    #[test]
    fn a_late_successor_is_published_for_a_while_before_it_signs() {
        let mut keys = SigningKeys::new(key("1"), NOW).unwrap();
        let late = NOW + HOUR * 100;
        assert_eq!(keys.due(late, &ROTATION), Some(Algorithm::EdDsa));
        keys.add(key("2"), late, &ROTATION).unwrap();
        assert_eq!(keys.due(late, &ROTATION), None);
        assert_eq!(signs(&keys, late), "1");
        assert_eq!(signs(&keys, late + HOUR), "2");
        for (hours, removed) in [(1, 0), (2, 0), (3, 1)] {
            let at = late + HOUR * hours;
            let before = at - Duration::from_secs(1);
            assert!(!keys.needs_sweep(before, &ROTATION) && keys.needs_sweep(at, &ROTATION));
            assert_eq!(keys.sweep(before, &ROTATION), Swept::default());
            assert_eq!(keys.sweep(at, &ROTATION), Swept { removed, mended: 0 });
        }
        let last = keys.sweep(late + HOUR * 2000, &ROTATION);
        assert_eq!(last, Swept::default(), "the last one stays");
    }

    #[test]
    fn a_key_that_was_stolen_is_replaced_at_once() {
        let mut keys = SigningKeys::new(key("1"), NOW).unwrap();
        keys.add(key("2"), NOW, &ROTATION).unwrap();
        assert_eq!(signs(&keys, NOW), "1");
        assert!(keys.remove("1") && !keys.remove("1"));
        assert_eq!(signs(&keys, NOW), "2");
        assert!(keys.remove("2"));
        assert!(keys.signing(NOW).is_none());
        assert_eq!(keys.wakes_at(&ROTATION), Timestamp::NEVER);
    }

    #[test]
    fn a_key_of_another_algorithm_is_published_ahead_and_then_signs() {
        // In either direction of the order of `Algorithm`.
        for (old, new) in
            [(Algorithm::EdDsa, Algorithm::Es256), (Algorithm::Es256, Algorithm::EdDsa)]
        {
            let key = |algorithm, kid| SigningKey::generate(algorithm).unwrap().with_kid(kid);
            let mut keys = SigningKeys::new(key(old, "1"), NOW).unwrap();
            keys.add(key(new, "2"), NOW + HOUR * 5, &ROTATION).unwrap();
            assert_eq!(signs(&keys, NOW + HOUR * 5), "1");
            assert_eq!(signs(&keys, NOW + HOUR * 6), "2");
            assert_eq!(keys.algorithm(), Some(new));
            assert_eq!(keys.due(NOW + HOUR * 6, &ROTATION), Some(new));
            let removed = [6, 7, 8].map(|at| keys.sweep(NOW + HOUR * at, &ROTATION).removed);
            assert_eq!(removed, [0, 0, 1], "the other algorithm is over");
            assert_eq!(signs(&keys, NOW), "2");
        }
    }

    #[test]
    fn a_clock_that_ran_ahead_stops_no_rotation_and_costs_no_key() {
        let mut keys = SigningKeys::new(key("1"), NOW).unwrap();
        keys.add(key("2"), NOW, &ROTATION).unwrap();
        let wrong = NOW + HOUR * 100_000;
        keys.add(key("3"), wrong, &ROTATION).unwrap();
        keys.add(key("4"), wrong + HOUR, &ROTATION).unwrap();
        for at in [wrong, wrong + HOUR] {
            assert!(keys.needs_sweep(at, &ROTATION));
            assert_eq!(keys.sweep(at, &ROTATION), Swept::default(), "their tokens may be valid");
        }
        // Read by another process, when the clock is right again.
        let mut keys = SigningKeys::from_json(&keys.to_json().unwrap()).unwrap();
        let now = NOW + HOUR / 2;
        assert_eq!(signs(&keys, now), "1");
        assert!(keys.needs_sweep(now, &ROTATION));
        assert_eq!(keys.sweep(now, &ROTATION), Swept { removed: 0, mended: 4 });
        assert!(!keys.needs_sweep(now, &ROTATION));
        assert_eq!(keys.published().iter().count(), 4);
        assert_eq!(signs(&keys, now + HOUR - Duration::from_secs(1)), "2");
        assert_eq!(signs(&keys, now + HOUR), "4");
        assert_eq!(keys.due(now + HOUR, &ROTATION), Some(Algorithm::EdDsa));

        // A clock that is wrong for longer removes what is over by then.
        let removed = [0, 1, 2].map(|hours| keys.sweep(wrong + HOUR * hours, &ROTATION).removed);
        assert_eq!(removed, [0, 0, 3]);
    }

    #[test]
    fn a_key_whose_successor_is_removed_signs_again_and_stays() {
        let mut keys = SigningKeys::new(key("1"), NOW).unwrap();
        keys.add_at_once(key("2"), NOW).unwrap();
        keys.sweep(NOW, &ROTATION);
        assert!(keys.remove("2"));
        assert_eq!(keys.sweep(NOW + HOUR * 9, &ROTATION), Swept::default());
        assert_eq!(signs(&keys, NOW + HOUR * 9), "1");
    }

    #[test]
    fn a_key_at_once_replaces_those_that_wait() {
        let mut keys = SigningKeys::new(key("1"), NOW).unwrap();
        keys.add(key("2"), NOW, &ROTATION).unwrap();
        keys.add(key("3"), NOW, &ROTATION).unwrap();
        assert_eq!(keys.add_at_once(key("1"), NOW), Err(SigningKeysError::Repeated));
        assert_eq!(keys.iter().count(), 3, "an error changes nothing");
        keys.add_at_once(key("4"), NOW).unwrap();
        assert!(keys.remove("1"));
        for at in [NOW - HOUR, NOW, NOW + HOUR * 100] {
            assert_eq!(signs(&keys, at), "4");
        }
        assert_eq!(keys.iter().count(), 1);

        // Also if the clock was set back to before the first key.
        keys.add_at_once(key("5"), NOW - HOUR).unwrap();
        let keys = SigningKeys::from_json(&keys.to_json().unwrap()).unwrap();
        assert_eq!(signs(&keys, NOW - HOUR), "5");
        assert_eq!(keys.iter().count(), 2);
    }

    #[test]
    fn keys_are_stored_and_read_with_their_times() {
        let mut keys = SigningKeys::new(key("1"), NOW).unwrap();
        keys.add(SigningKey::generate(Algorithm::Rs256).unwrap(), NOW, &ROTATION).unwrap();
        keys.add(key("2"), NOW, &ROTATION).unwrap();
        let stored = keys.to_json().unwrap();
        let read = SigningKeys::from_json(&stored).unwrap();
        assert_eq!(read.to_json().unwrap(), stored);
        assert_eq!(signs(&read, NOW + HOUR * 2), "2");
        let published = read.published().to_json();
        for name in ["\"d\"", "\"p\"", "\"qi\"", "\"k\""] {
            assert!(!published.contains(name), "{published}");
        }
        let repeated = keys.add(key("2"), NOW, &ROTATION);
        assert_eq!(repeated, Err(SigningKeysError::Repeated));
        for stored in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[7]}"#, r#"{"keys":[{"jwk":{}}]}"#] {
            let read = SigningKeys::from_json(&Secret::from(stored));
            assert_eq!(read.unwrap_err(), SigningKeysError::Malformed, "{stored}");
        }
    }
}
