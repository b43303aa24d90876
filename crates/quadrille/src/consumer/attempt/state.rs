//! An attempt that travels in `state` (OAuth 2).
//!
//! Its cookie holds 16 random bytes; everything else is sealed inside `state` and bound to that
//! cookie, and the PKCE verifier is derived from it. So twenty tabs fit.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    consumer::{
        cookie_room::{Coming, WITH_STATE, make_room, size},
        cookies::Jar,
        wire::{Reader, Writer},
    },
    error::{BrowserFault, Error, Result},
    oauth2::pkce::Verifier,
    seal::{KeyId, MaskKeys},
};

use super::{Attempt, AttemptCookie, LIFETIME, Seals, not_ours};

const PURPOSE: &str = "login attempt";
const COOKIE: &str = WITH_STATE.name;

/// What goes out with the visitor.
pub(crate) struct Sealed {
    pub(crate) state: String,
    /// For PKCE (RFC 7636, section 4.1).
    pub(crate) verifier: Verifier,
}

/// An attempt that came back.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) attempt: Attempt,
    pub(crate) cookie: AttemptCookie,
    binding: [u8; 16],
    key: KeyId,
}

impl Attempt {
    /// Seals the attempt and sets its cookie.
    pub(crate) fn seal_into_state(&self, seals: &Seals<'_>, jar: &Jar) -> Result<Sealed> {
        let [a, b, c, d] = seals.env.random();
        let random: [u8; 16] = seals.env.random();
        let [t0, t1, t2, t3] = self.begun_bytes();
        // Tabs of one moment must not share a name.
        let id = [t0, t1, t2, t3, a, b, c, d];
        let key = seals.verifiers.newest();
        let cookie = AttemptCookie::new(COOKIE, &id);
        let value = BASE64_URL_SAFE_NO_PAD.encode(random);
        let bytes = size(&seals.style.name(&cookie.0), &value);
        make_room(jar, seals.style, Coming::Attempt(WITH_STATE), bytes)?;
        jar.set(seals.style, &cookie.0, value, LIFETIME)?;
        let mut out = Writer::with_capacity(128 + self.next.len());
        out.fixed(&id).fixed(&random).fixed(&key);
        self.write(&mut out);
        Ok(Sealed {
            state: seals.keys.seal(seals.env, PURPOSE, seals.site, &out.finish()),
            verifier: verifier(seals.verifiers, key, &random)?,
        })
    }
}

impl Opened {
    /// Opens `state`. Whether this browser began the attempt is another question:
    /// [`Opened::check`].
    pub(crate) fn open(seals: &Seals<'_>, state: &str) -> Result<Self> {
        let plain = seals.keys.open(PURPOSE, seals.site, state).map_err(not_ours)?;
        read(&plain).ok_or(Error::Browser(BrowserFault::StateUnknown))
    }

    /// Checks that the attempt is young enough and this browser's own.
    pub(crate) fn check(&self, seals: &Seals<'_>, jar: &Jar) -> Result<(), BrowserFault> {
        self.attempt.check_age(seals.env.now())?;
        let wanted = seals.style.name(&self.cookie.0);
        // A second cookie of that name is somebody else's, and takes nothing from the right one.
        let held = jar.pick(|name, value| (name == wanted).then(|| value.to_owned()));
        let is_ours = held.into_iter().any(|value| {
            let value = BASE64_URL_SAFE_NO_PAD.decode(value).unwrap_or_default();
            verify_slices_are_equal(&value, &self.binding).is_ok()
        });
        if is_ours { Ok(()) } else { Err(BrowserFault::AttemptCookieMissing) }
    }

    /// The PKCE verifier.
    pub(crate) fn verifier(&self, seals: &Seals<'_>) -> Result<Verifier> {
        verifier(seals.verifiers, self.key, &self.binding)
    }
}

fn read(plain: &[u8]) -> Option<Opened> {
    let mut from = Reader(plain);
    let id: [u8; 8] = from.fixed()?;
    let (binding, key) = (from.fixed()?, from.fixed()?);
    let attempt = Attempt::read(&mut from)?;
    Some(Opened { attempt, cookie: AttemptCookie::new(COOKIE, &id), binding, key })
}

/// Derived from what the cookie holds: two blocks, of the 16 random bytes and of their opposites.
fn verifier(keys: &MaskKeys, key: KeyId, binding: &[u8; 16]) -> Result<Verifier> {
    let mut bytes = Zeroizing::new([0; 32]);
    for (half, nonce) in bytes.chunks_exact_mut(16).zip([*binding, binding.map(|byte| !byte)]) {
        half.copy_from_slice(&keys.mask(key, &nonce).ok_or(BrowserFault::AttemptExpired)?);
    }
    Ok(Verifier::from_bytes(&bytes))
}
