//! The session's cookie.

use aws_lc_rs::digest;
use quadrille::{Env, KeyRing, provider::store::SecretHash};

/// The sealed secret in the session's cookie. It is sealed under the key ring, so a new key ring
/// ends every session.
#[derive(Debug)]
pub(super) struct Seals {
    keys: KeyRing,
    mark: String,
}

const PURPOSE: &str = "quadrille session";

impl Seals {
    /// The seals of the provider with this mark.
    pub(super) fn new(keys: KeyRing, mark: &str) -> Self {
        Self { keys, mark: mark.to_owned() }
    }

    /// A new session: its id, and its cookie.
    pub(super) fn make(&self, env: &Env) -> (SecretHash, String) {
        let secret: [u8; 32] = env.random();
        (hash(&secret), self.keys.seal(env, PURPOSE, &self.mark, &secret))
    }

    /// The id of the session in a cookie.
    pub(super) fn id(&self, cookie: &str) -> Option<SecretHash> {
        let secret = self.keys.open(PURPOSE, &self.mark, cookie).ok()?;
        (secret.len() == 32).then(|| hash(&secret))
    }
}

fn hash(secret: &[u8]) -> SecretHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_the_ring_that_sealed_it_while_that_has_the_key() {
        let env = Env::system();
        let (old, new) = ([1; 32], [2; 32]);
        let seals =
            |keys: &[&[u8; 32]]| Seals::new(KeyRing::new(keys.iter().copied()).unwrap(), "a");
        let (id, cookie) = seals(&[&old]).make(&env);
        assert_eq!(seals(&[&new, &old]).id(&cookie), Some(id), "after a rotation");
        assert_eq!(seals(&[&new]).id(&cookie), None, "after the old key was taken out");
        assert_eq!(seals(&[&old]).id("x"), None);
    }
}
