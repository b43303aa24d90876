//! Sealed boxes, which a browser, a URL or a database can store but neither read nor change.
//!
//! A box is AES-256-GCM under a key of its own (derived from a random salt and two keys of the
//! ring), so the number of boxes does not wear a ring key out. Purpose and site (or issuer) are
//! associated data: a box made for one use does not open for another.

mod block;
mod derived;
mod keys;

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::Env;

pub use derived::MacKey;
#[cfg(any(feature = "consumer", feature = "provider"))]
pub(crate) use derived::MaskKey;
use derived::{RingKey, SALT_LEN, associated};
use keys::KEY_ID_LEN;
pub use keys::KeyId;
pub(crate) use keys::Keys;
#[cfg(any(feature = "consumer", feature = "provider"))]
pub(crate) use keys::Named;

const VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + KEY_ID_LEN + SALT_LEN;
const TAG_LEN: usize = 16;

/// The reason why a ring of keys cannot be made. Its `Debug`, which `main` prints, is the message.
///
/// ```
/// use quadrille::{KeyRing, seal::KeyRingError};
///
/// let error = KeyRing::parse("too short").unwrap_err();
/// assert_eq!(error, KeyRingError::Malformed { position: 1 });
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// The environment variable is not set.
    #[error(
        "set {variable} to one or more keys, the newest first, separated by commas; make one with \
         `openssl rand -base64 32`"
    )]
    Missing {
        /// Its name.
        variable: String,
    },
    /// There is no key.
    #[error("a key ring needs at least one key")]
    Empty,
    /// A key is not the base64 of 32 bytes.
    #[error(
        "key {position} of the ring is not 32 bytes in base64; make one with `openssl rand -base64 \
         32`"
    )]
    Malformed {
        /// The position of the key, counted from 1.
        position: usize,
    },
}

impl fmt::Debug for KeyRingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The reason why a sealed box does not open.
///
/// ```
/// use quadrille::{Env, KeyRing, seal::OpenError};
///
/// let (ours, others) = (KeyRing::ephemeral(), KeyRing::ephemeral());
/// let sealed = others.seal(&Env::system(), "greeting", "https://app.example", b"hello");
/// let opened = ours.open("greeting", "https://app.example", &sealed);
/// assert_eq!(opened, Err(OpenError::UnknownKey));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The text is not a sealed box, or one of a later version.
    #[error("not a sealed box")]
    Malformed,
    /// The key of the box is not in the ring.
    #[error("sealed under a key that is not in the ring")]
    UnknownKey,
    /// The box was changed, or made for another purpose or site.
    #[error("the seal is broken, or was made for another purpose or site")]
    Broken,
}

/// A ring of keys: the first seals, all open. To rotate, put a new key in front, and drop the old
/// one when everything sealed under it has expired.
///
/// ```
/// use quadrille::{Env, KeyRing};
///
/// let env = Env::system();
/// let ring = KeyRing::ephemeral();
/// let sealed = ring.seal(&env, "state", "https://app.example", b"hello");
/// assert_eq!(&ring.open("state", "https://app.example", &sealed)?[..], b"hello");
/// assert!(ring.open("token", "https://app.example", &sealed).is_err());
/// # Ok::<(), quadrille::seal::OpenError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    keys: Arc<Keys<RingKey>>,
    ephemeral: bool,
}

impl KeyRing {
    /// A ring of these keys, the newest first.
    ///
    /// # Errors
    /// [`KeyRingError::Empty`] without a key.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a [u8; 32]>) -> Result<Self, KeyRingError> {
        let keys = Keys::of(keys.into_iter().map(RingKey::new)).ok_or(KeyRingError::Empty)?;
        Ok(Self { keys: Arc::new(keys), ephemeral: false })
    }

    /// A ring from an operator's text: "new,old", each 32 bytes in base64 (either alphabet, with or
    /// without padding).
    ///
    /// ```
    /// use quadrille::{KeyRing, seal::KeyRingError};
    ///
    /// let ring = KeyRing::parse(
    ///     "b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28=, \
    ///      YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=",
    /// )?;
    /// assert!(!ring.is_ephemeral());
    /// assert_eq!(
    ///     KeyRing::parse("hunter2").unwrap_err(),
    ///     KeyRingError::Malformed { position: 1 },
    /// );
    /// # Ok::<(), KeyRingError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyRingError::Malformed`] with the position of the key, never its text.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut keys = Vec::new();
        for (index, part) in text.split(',').map(str::trim).enumerate() {
            if part.is_empty() && text.trim().is_empty() {
                return Err(KeyRingError::Empty);
            }
            let malformed = KeyRingError::Malformed { position: index + 1 };
            let plain =
                Zeroizing::new(part.trim_end_matches('=').replace('+', "-").replace('/', "_"));
            let bytes = Zeroizing::new(
                BASE64_URL_SAFE_NO_PAD.decode(plain.as_bytes()).map_err(|_| malformed.clone())?,
            );
            keys.push(Zeroizing::new(<[u8; 32]>::try_from(&bytes[..]).map_err(|_| malformed)?));
        }
        Self::new(keys.iter().map(|key| &**key))
    }

    /// The ring in an environment variable, in the form of [`KeyRing::parse`].
    ///
    /// # Errors
    /// [`KeyRingError::Missing`] with the name of a variable that is not set or empty, or those of [`KeyRing::parse`].
    pub fn from_env(variable: &str) -> Result<Self, KeyRingError> {
        match std::env::var(variable) {
            Ok(text) if !text.trim().is_empty() => Self::parse(&Zeroizing::new(text)),
            _ => Err(KeyRingError::Missing { variable: variable.to_owned() }),
        }
    }

    /// A random ring that ends with the process, like everything sealed under it: for a first try
    /// and for tests. Refused if tokens are stored.
    pub fn ephemeral() -> Self {
        let key = Zeroizing::new(Env::system().random());
        Self { keys: Arc::new(Keys::one(RingKey::new(&key))), ephemeral: true }
    }

    /// Whether the ring ends with the process: [`KeyRing::ephemeral`].
    pub fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// Seals `plain` for `purpose` at `site` (an issuer, or an application's public URL). The box
    /// is unpadded base64url, 50 characters longer than the base64url of `plain`.
    ///
    /// # Panics
    /// See [`KeyRing::seal_bytes`].
    pub fn seal(&self, env: &Env, purpose: &str, site: &str, plain: &[u8]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.seal_bytes(env, purpose, site, plain))
    }

    /// [`KeyRing::seal`] without base64, for databases: 37 bytes longer than `plain`.
    ///
    /// ```
    /// use quadrille::{Env, KeyRing};
    ///
    /// let ring = KeyRing::ephemeral();
    /// let sealed = ring.seal_bytes(&Env::system(), "token", "https://app.example", b"secret");
    /// assert_eq!(sealed.len(), 6 + 37);
    /// assert_eq!(&ring.open_bytes("token", "https://app.example", &sealed)?[..], b"secret");
    /// # Ok::<(), quadrille::seal::OpenError>(())
    /// ```
    ///
    /// # Panics
    /// If `plain` has 64 GiB, or AES-256-GCM does not work: there is no box to return.
    pub fn seal_bytes(&self, env: &Env, purpose: &str, site: &str, plain: &[u8]) -> Vec<u8> {
        self.seal_bytes_bound(env, &associated(purpose, site), plain)
    }

    /// [`KeyRing::seal_bytes`] under each key of the ring, the newest first: boxes of which a ring with any
    /// of the keys opens one.
    ///
    /// ```
    /// use quadrille::{Env, KeyRing};
    ///
    /// let (old, new) = ([1; 32], [2; 32]);
    /// let ring = KeyRing::new([&new, &old])?;
    /// let boxes = ring.seal_bytes_under_each(&Env::system(), "mark", "https://app.example", b"");
    /// assert!(ring.is_under_newest_key(&boxes[0]) && boxes.len() == 2);
    /// assert!(KeyRing::new([&old])?.is_under_newest_key(&boxes[1]));
    /// # Ok::<(), quadrille::seal::KeyRingError>(())
    /// ```
    ///
    /// # Panics
    /// See [`KeyRing::seal_bytes`].
    #[cfg(feature = "provider")]
    pub fn seal_bytes_under_each(
        &self,
        env: &Env,
        purpose: &str,
        site: &str,
        plain: &[u8],
    ) -> Vec<Vec<u8>> {
        let associated = associated(purpose, site);
        self.keys.iter().map(|key| sealed(key, env, &associated, plain)).collect()
    }

    /// Whether two boxes of [`KeyRing::seal_bytes`] are sealed under the same key. Opens nothing.
    ///
    /// ```
    /// use quadrille::{Env, KeyRing};
    ///
    /// let seal = |ring: &KeyRing| ring.seal_bytes(&Env::system(), "mark", "https://app.example", b"");
    /// let (one, other) = (KeyRing::ephemeral(), KeyRing::ephemeral());
    /// assert!(KeyRing::are_under_one_key(&seal(&one), &seal(&one)));
    /// assert!(!KeyRing::are_under_one_key(&seal(&one), &seal(&other)));
    /// ```
    pub fn are_under_one_key(one: &[u8], other: &[u8]) -> bool {
        let key = |sealed: &[u8]| sealed.first_chunk::<{ 1 + KEY_ID_LEN }>().copied();
        key(one).is_some_and(|of_one| key(other) == Some(of_one))
    }

    /// [`KeyRing::seal`] with the associated data in one: purpose, NUL and site.
    #[cfg(feature = "consumer")]
    pub(crate) fn seal_bound(&self, env: &Env, associated: &str, plain: &[u8]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.seal_bytes_bound(env, associated, plain))
    }

    /// [`KeyRing::seal_bound`] without base64.
    pub(crate) fn seal_bytes_bound(&self, env: &Env, associated: &str, plain: &[u8]) -> Vec<u8> {
        sealed(self.keys.newest(), env, associated, plain)
    }

    /// Opens a box sealed for the same purpose and site under any key of the ring.
    ///
    /// # Errors
    /// [`OpenError`]: an unknown key is told from a broken seal.
    pub fn open(
        &self,
        purpose: &str,
        site: &str,
        sealed: &str,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.open_bound(&associated(purpose, site), sealed)
    }

    /// [`KeyRing::open`] with the associated data in one: purpose, NUL and site.
    pub(crate) fn open_bound(
        &self,
        associated: &str,
        sealed: &str,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let raw = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| OpenError::Malformed)?;
        self.open_bytes_bound(associated, raw)
    }

    /// Whether a key of the ring may open this box; others never do. Opens nothing.
    #[cfg(feature = "consumer")]
    pub(crate) fn has_key_of(&self, sealed: &str) -> bool {
        // The first eight characters of base64url are six bytes.
        let head = sealed.get(..8).and_then(|head| BASE64_URL_SAFE_NO_PAD.decode(head).ok());
        let head = head.as_deref().and_then(<[u8]>::split_first);
        let id = |rest: &[u8]| rest.first_chunk().copied();
        head.is_some_and(|(version, rest)| {
            *version == VERSION && id(rest).is_some_and(|id| self.keys.find(id).is_some())
        })
    }

    /// Whether a box of [`KeyRing::seal_bytes`] is sealed under the newest key. Opens nothing.
    ///
    /// ```
    /// use quadrille::{Env, KeyRing};
    ///
    /// let (old, new) = ([1; 32], [2; 32]);
    /// let before = KeyRing::new([&old])?;
    /// let sealed = before.seal_bytes(&Env::system(), "token", "https://app.example", b"secret");
    /// assert!(before.is_under_newest_key(&sealed));
    /// assert!(!KeyRing::new([&new, &old])?.is_under_newest_key(&sealed));
    /// # Ok::<(), quadrille::seal::KeyRingError>(())
    /// ```
    pub fn is_under_newest_key(&self, sealed: &[u8]) -> bool {
        let rest = sealed.split_first().filter(|(version, _)| **version == VERSION);
        rest.is_some_and(|(_, rest)| rest.starts_with(&self.keys.newest().id))
    }

    /// [`KeyRing::open`] for the output of [`KeyRing::seal_bytes`].
    ///
    /// # Errors
    /// See [`KeyRing::open`].
    pub fn open_bytes(
        &self,
        purpose: &str,
        site: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.open_bytes_bound(&associated(purpose, site), sealed.to_vec())
    }

    /// [`KeyRing::open_bound`] without base64.
    pub(crate) fn open_bytes_bound(
        &self,
        associated: &str,
        sealed: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let mut sealed = Zeroizing::new(sealed);
        let (version, rest) = sealed.split_first().ok_or(OpenError::Malformed)?;
        let (id, rest) = rest.split_first_chunk::<KEY_ID_LEN>().ok_or(OpenError::Malformed)?;
        let (salt, body) = rest.split_first_chunk::<SALT_LEN>().ok_or(OpenError::Malformed)?;
        if *version != VERSION || body.len() < TAG_LEN {
            return Err(OpenError::Malformed);
        }
        let key = self.keys.find(*id).ok_or(OpenError::UnknownKey)?;
        let once = key.box_key(salt).ok_or(OpenError::Broken)?;
        let associated = Aad::from(associated);
        // Moves the plain text to the front.
        let length = once
            .open_within(zero_nonce(), associated, &mut sealed, HEADER_LEN..)
            .map_err(|_| OpenError::Broken)?
            .len();
        sealed.truncate(length);
        Ok(sealed)
    }

    /// A key for message authentication codes, derived from the newest key of the ring for one
    /// purpose at one site. Make it once and keep it. It changes with the newest key.
    ///
    /// ```
    /// use quadrille::KeyRing;
    ///
    /// let key = KeyRing::ephemeral().mac_key("failures", "https://app.example");
    /// let code = key.mac(&[b"attempt 7"]);
    /// assert_eq!(code, key.mac(&[b"attempt", b" 7"]));
    /// assert_ne!(code, key.mac(&[b"attempt 8"]));
    /// ```
    pub fn mac_key(&self, purpose: &str, site: &str) -> MacKey {
        self.keys.newest().mac_key(purpose, site)
    }

    /// A derived key for each key of the ring. Make them once and keep them.
    #[cfg(any(feature = "consumer", feature = "provider"))]
    pub(crate) fn derive<K>(&self, derive: impl Fn(&RingKey) -> K) -> Keys<K> {
        self.keys.derive(derive)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys.len())
    }
}

/// A box under a key.
#[expect(clippy::expect_used, reason = "no caller could go on, and no message is so long")]
fn sealed(key: &RingKey, env: &Env, associated: &str, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN + plain.len() + TAG_LEN);
    let salt: [u8; SALT_LEN] = env.random();
    out.push(VERSION);
    out.extend_from_slice(&key.id);
    out.extend_from_slice(&salt);
    out.extend_from_slice(plain);
    let tag = out.get_mut(HEADER_LEN..).and_then(|body| {
        let associated = Aad::from(associated);
        key.box_key(&salt)?.seal_in_place_separate_tag(zero_nonce(), associated, body).ok()
    });
    out.extend_from_slice(tag.expect("AES-256-GCM seals any text below 64 GiB").as_ref());
    out
}

/// A box's key seals only that box, so its nonce may be constant.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_seals_and_every_key_opens() {
        let env = Env::system();
        let old = KeyRing::new([&[1; 32]]).unwrap();
        let both = KeyRing::new([&[2; 32], &[1; 32]]).unwrap();
        let new = KeyRing::new([&[2; 32]]).unwrap();
        let sealed = old.seal(&env, "p", "s", b"x");
        assert_eq!(&both.open("p", "s", &sealed).unwrap()[..], b"x");
        assert_eq!(new.open("p", "s", &sealed).unwrap_err(), OpenError::UnknownKey);
        let sealed = both.seal(&env, "p", "s", b"x");
        assert!(new.open("p", "s", &sealed).is_ok());
    }

    #[test]
    fn a_box_opens_for_its_purpose_and_site_only_and_not_when_changed() {
        let env = Env::system();
        let ring = KeyRing::ephemeral();
        let sealed = ring.seal_bytes(&env, "p", "s", b"some text");
        assert_eq!(ring.open_bytes("q", "s", &sealed).unwrap_err(), OpenError::Broken);
        assert_eq!(ring.open_bytes("p", "t", &sealed).unwrap_err(), OpenError::Broken);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(ring.open_bytes("p", "s", &changed).is_err(), "byte {index}");
            assert!(ring.open_bytes("p", "s", &sealed[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn an_operator_is_told_which_key_is_wrong_and_never_its_text() {
        let good = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert!(KeyRing::parse(&format!("{good}, {good}")).is_ok());
        let error = KeyRing::parse(&format!("{good},short-canary")).unwrap_err();
        assert_eq!(error, KeyRingError::Malformed { position: 2 });
        assert!(!error.to_string().contains("canary"));
        assert_eq!(KeyRing::parse(" ").unwrap_err(), KeyRingError::Empty);
        assert!(
            KeyRing::from_env("QUADRILLE_NO_SUCH_VARIABLE")
                .unwrap_err()
                .to_string()
                .contains("QUADRILLE_NO_SUCH_VARIABLE")
        );
    }

    #[cfg(feature = "provider")]
    fn ring(keys: &[&[u8; 32]]) -> KeyRing {
        KeyRing::new(keys.iter().copied()).unwrap()
    }

    #[cfg(feature = "provider")]
    #[test]
    fn macs_differ_by_purpose_site_and_ring_key() {
        let mac = |ring: &KeyRing, purpose, site, part: &[u8]| {
            ring.derive(|key| key.mac_key(purpose, site)).newest().mac(&[part])
        };
        let (new, old) = (ring(&[&[2; 32], &[1; 32]]), ring(&[&[1; 32]]));
        let all = [
            mac(&new, "p", "s", b"x"),
            mac(&new, "q", "s", b"x"),
            mac(&new, "p", "t", b"x"),
            mac(&new, "p", "s", b"y"),
            mac(&old, "p", "s", b"x"),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one) && *one != [0; 32], "{index}");
        }
        assert_eq!(mac(&new, "p", "s", b"x"), all[0]);
    }

    #[cfg(feature = "provider")]
    #[test]
    fn masks_differ_by_purpose_site_ring_key_and_nonce() {
        let masks = |ring: &KeyRing, purpose, site| ring.derive(|key| key.mask_key(purpose, site));
        let (new, old) = (ring(&[&[2; 32], &[1; 32]]), ring(&[&[1; 32]]));
        let keys = masks(&new, "p", "s");
        let mask = keys.newest().mask(&[7; 16]);
        assert_ne!(mask, keys.newest().mask(&[8; 16]));
        assert_ne!(mask, masks(&new, "q", "s").newest().mask(&[7; 16]));
        assert_ne!(mask, masks(&new, "p", "t").newest().mask(&[7; 16]));
        let old = masks(&old, "p", "s").newest().id();
        assert_ne!(mask, keys.find(old).unwrap().mask(&[7; 16]));
        assert!(keys.find([0; 4]).is_none(), "a key that is gone derives nothing");
        let secret = keys.newest().secret(&[7; 32]);
        assert_ne!(secret, keys.find(old).unwrap().secret(&[7; 32]));
        assert_ne!(secret, keys.newest().secret(&[8; 32]));
    }
}
