//! The keys with which a server signs.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;

use crate::{
    Timestamp,
    jose::{Algorithm, KeySet, SigningKey, SigningKeys},
};

use super::error::OperatorError;

/// The algorithm of ID tokens for clients that are registered without one (OpenID Connect Dynamic
/// Client Registration, section 2).
const DEFAULT: Algorithm = Algorithm::Rs256;

/// The signing keys of a server, which are replaced while it runs.
#[derive(Clone, Default)]
pub(crate) struct Signing(Arc<State>);

#[derive(Default)]
struct State {
    keys: RwLock<Option<Arc<Published>>>,
    /// The number of changes, by which what was made of the keys is known to be out of date.
    changes: AtomicU64,
}

/// Keys, and their public parts ready to be sent.
#[derive(Clone)]
struct Published {
    /// The keys of each line: the first one signs what has no algorithm of its own.
    lines: Vec<SigningKeys>,
    public: KeySet,
    jwks: Bytes,
}

impl Signing {
    /// Replaces the keys of the first line.
    pub(crate) fn replace(&self, keys: SigningKeys) {
        self.change(|lines| match lines.first_mut() {
            Some(first) => *first = keys,
            None => lines.push(keys),
        });
    }

    /// Replaces the keys of the further line for the same algorithm, or adds the line.
    pub(crate) fn replace_further(&self, keys: SigningKeys) {
        self.change(|lines| {
            let is_same = |line: &&mut SigningKeys| line.algorithm() == keys.algorithm();
            match lines.iter_mut().skip(1).find(is_same) {
                Some(line) => *line = keys,
                None => lines.push(keys),
            }
        });
    }

    /// The same keys, to be changed apart from these.
    pub(crate) fn apart(&self) -> Self {
        let keys = RwLock::new(self.current());
        Self(Arc::new(State { keys, changes: AtomicU64::new(self.changes()) }))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<SigningKeys>)) {
        let mut keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut lines = keys.as_ref().map(|published| published.lines.clone()).unwrap_or_default();
        change(&mut lines);
        let public: KeySet = lines
            .iter()
            .flat_map(|line| line.iter().map(|(key, _)| key.verifying_key().clone()))
            .collect();
        let jwks = public.to_json().into();
        *keys = Some(Arc::new(Published { lines, public, jwks }));
        self.0.changes.fetch_add(1, Ordering::Release);
    }

    fn current(&self) -> Option<Arc<Published>> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of changes so far; zero without keys.
    pub(crate) fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// `true` if there are keys.
    pub(crate) fn is_set(&self) -> bool {
        self.current().is_some()
    }

    /// The JWK Set, as JSON.
    pub(crate) fn jwks(&self) -> Option<Bytes> {
        self.current().map(|published| published.jwks.clone())
    }

    /// The public keys.
    pub(crate) fn public(&self) -> Option<KeySet> {
        self.current().map(|published| published.public.clone())
    }

    /// The key of the first line that signs now.
    pub(crate) fn key(&self, now: Timestamp) -> Option<SigningKey> {
        self.current()?.lines.first()?.signing(now).cloned()
    }

    /// The key that signs now for a client that is registered with an algorithm, or without one.
    pub(crate) fn key_for(
        &self,
        registered: Option<Algorithm>,
        now: Timestamp,
    ) -> Result<SigningKey, OperatorError> {
        let published = self.current().ok_or(OperatorError::NoSigningKeys)?;
        let mut signing = published.lines.iter().filter_map(|line| line.signing(now));
        let first = published.lines.first().and_then(|line| line.signing(now));
        let found = match registered {
            // A key of another algorithm is published before its time, and offered then. An older
            // key may have been replaced because it was stolen.
            Some(algorithm) => signing.find(|key| key.algorithm() == algorithm).or_else(|| {
                let mut coming = published.lines.iter().flat_map(|line| coming(line, now));
                coming.find(|key| key.algorithm() == algorithm)
            }),
            None => signing.find(|key| key.algorithm() == DEFAULT).or(first),
        };
        let missing = || match registered {
            Some(algorithm) => OperatorError::NoSigningKeyFor(algorithm),
            None => OperatorError::NoSigningKeys,
        };
        found.cloned().ok_or_else(missing)
    }

    /// The algorithms of all lines: those of the keys that sign now, and of those that will.
    pub(crate) fn algorithms(&self, now: Timestamp) -> Vec<Algorithm> {
        let Some(published) = self.current() else { return Vec::new() };
        let lines = published
            .lines
            .iter()
            .flat_map(|line| line.signing(now).into_iter().chain(coming(line, now)));
        let mut algorithms = Vec::new();
        for algorithm in lines.map(SigningKey::algorithm) {
            if !algorithms.contains(&algorithm) {
                algorithms.push(algorithm);
            }
        }
        algorithms
    }

    /// The algorithms that clients may be registered for: those of the newest keys. Another algorithm is
    /// used until its successor signs.
    pub(crate) fn lasting(&self) -> Vec<Algorithm> {
        let Some(published) = self.current() else { return Vec::new() };
        published.lines.iter().filter_map(SigningKeys::algorithm).collect()
    }
}

/// The keys of a line whose time has not come.
fn coming(line: &SigningKeys, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
    line.iter().filter(move |(_, from)| *from > now).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::Rotation;

    #[test]
    fn a_line_that_changes_its_algorithm_offers_both_and_signs_by_each() {
        let (now, rotation) = (Timestamp::from_seconds(1_800_000_000), Rotation::default());
        let key = |algorithm| SigningKey::generate(algorithm).unwrap();
        let mut line = SigningKeys::new(key(Algorithm::Es256), now).unwrap();
        line.add(key(Algorithm::EdDsa), now, &rotation).unwrap();
        let (_, later) = line.iter().last().unwrap();
        let signing = Signing::default();
        signing.replace(line.clone());
        let signed = |registered, now| signing.key_for(registered, now).map(|it| it.algorithm());
        let (old, new) = (Algorithm::Es256, Algorithm::EdDsa);
        assert_eq!(signing.algorithms(now), [old, new]);
        assert_eq!(signing.lasting(), [new]);
        assert_eq!(signed(None, now).unwrap(), old);
        assert_eq!(signed(Some(old), now).unwrap(), old);
        assert_eq!(signed(Some(new), now).unwrap(), new);
        assert_eq!(signing.algorithms(later), [new]);
        assert_eq!(signed(None, later).unwrap(), new);
        assert!(signed(Some(old), later).is_err());
        // As after a theft.
        line.add_at_once(key(Algorithm::Es384), now).unwrap();
        signing.replace(line);
        assert_eq!(signing.algorithms(now), [Algorithm::Es384]);
        assert!(signed(Some(old), now).is_err());
    }
}
