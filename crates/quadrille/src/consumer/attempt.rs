//! A login attempt: what is known when a visitor leaves for a service and needed when they return.
//!
//! Nothing is kept on the server. Each attempt has a cookie of 16 random bytes of its own;
//! everything else is sealed inside `state` and bound to that cookie, and the PKCE verifier is
//! derived from it. So twenty tabs fit, and finish in any order.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    Env, KeyRing, Timestamp,
    error::{BrowserFault, Error, OperatorFault, Result},
    oauth2::pkce::Verifier,
    seal::{KeyId, MaskKeys, OpenError},
};

use super::{
    account::Owner,
    cookies::{CookieStyle, Jar},
    wire::{Reader, Writer},
};

/// How long a visitor may take at the service: time to find a password, and to make an account.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);
/// How many attempts of one browser are kept; the oldest make room.
const MOST: usize = 24;
const PURPOSE: &str = "login attempt";
const COOKIE: &str = "try-";
const VERSION: u64 = 1;

/// What an attempt carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The service's name.
    pub(crate) service: Arc<str>,
    /// Where to go in the end.
    pub(crate) next: String,
    /// What kind of login.
    pub(crate) kind: Kind,
    /// Who was signed in when it began.
    pub(crate) begun_by: OwnerMark,
    /// When it began.
    pub(crate) begun: Timestamp,
}

/// What an attempt is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To link an account.
    Link,
    /// To grant further scopes for an account that is linked already, by this subject.
    Widen { scopes: String, subject: String },
    /// To know who the visitor is; no token is kept.
    Identify,
}

/// A digest of an owner: `None` when nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerMark(Option<[u8; 16]>);

impl OwnerMark {
    pub(crate) fn of(owner: &Owner) -> Self {
        if !owner.is_user() {
            return Self(None);
        }
        let digest = digest::digest(&digest::SHA256, owner.as_str().as_bytes());
        Self(digest.as_ref().first_chunk().copied())
    }

    /// Whether `now` may finish what this one began. An attempt that nobody in particular began may
    /// be finished by whoever has signed in since, in the same browser (another tab's login).
    pub(crate) fn may_be_finished_by(self, now: &Owner) -> bool {
        self.0.is_none() || self == Self::of(now)
    }
}

/// What is needed to seal and to open.
pub(crate) struct Seals<'a> {
    pub(crate) env: &'a Env,
    pub(crate) keys: &'a KeyRing,
    pub(crate) verifiers: &'a MaskKeys,
    /// The public URL with the mount.
    pub(crate) site: &'a str,
    pub(crate) style: &'a CookieStyle,
}

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
    id: [u8; 8],
    binding: [u8; 16],
    key: KeyId,
}

impl Attempt {
    /// Seals the attempt and sets its cookie.
    pub(crate) fn seal(&self, seals: &Seals<'_>, jar: &Jar) -> Result<Sealed> {
        let [a, b, c, d] = seals.env.random();
        let random: [u8; 16] = seals.env.random();
        let [t0, t1, t2, t3] = (self.begun.seconds() as u32).to_be_bytes();
        // Tabs of one moment must not share a name.
        let id = [t0, t1, t2, t3, a, b, c, d];
        let key = seals.verifiers.newest();
        make_room(seals, jar)?;
        jar.set(seals.style, &cookie_name(&id), BASE64_URL_SAFE_NO_PAD.encode(random), LIFETIME)?;
        let mut out = Writer::with_capacity(128 + self.next.len());
        out.number(VERSION).fixed(&id).fixed(&random).fixed(&key);
        out.number(self.begun.seconds().unsigned_abs()).text(&self.service).text(&self.next);
        match &self.begun_by.0 {
            None => out.number(0),
            Some(mark) => out.number(1).fixed(mark),
        };
        match &self.kind {
            Kind::Link => out.number(0),
            Kind::Identify => out.number(1),
            Kind::Widen { scopes, subject } => out.number(2).text(scopes).text(subject),
        };
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
        let plain = seals.keys.open(PURPOSE, seals.site, state).map_err(|error| match error {
            // Keys that were dropped from the ring within the hour: for the visitor, too late.
            OpenError::UnknownKey => BrowserFault::AttemptExpired,
            OpenError::Malformed | OpenError::Broken => BrowserFault::StateUnknown,
        })?;
        read(&plain).ok_or(Error::Browser(BrowserFault::StateUnknown))
    }

    /// Checks that the attempt is young enough and this browser's own.
    pub(crate) fn check(&self, seals: &Seals<'_>, jar: &Jar) -> Result<(), BrowserFault> {
        if seals.env.now().since(self.attempt.begun) > LIFETIME {
            return Err(BrowserFault::AttemptExpired);
        }
        let cookie = jar
            .get(&seals.style.name(&cookie_name(&self.id)))
            .ok_or(BrowserFault::AttemptCookieMissing)?;
        let cookie = BASE64_URL_SAFE_NO_PAD.decode(cookie).unwrap_or_default();
        verify_slices_are_equal(&cookie, &self.binding)
            .map_err(|_| BrowserFault::AttemptCookieMissing)
    }

    /// The PKCE verifier.
    pub(crate) fn verifier(&self, seals: &Seals<'_>) -> Result<Verifier> {
        verifier(seals.verifiers, self.key, &self.binding)
    }

    /// Ends the attempt: its cookie goes.
    pub(crate) fn end(&self, seals: &Seals<'_>, jar: &Jar) -> Result<(), OperatorFault> {
        jar.remove(seals.style, &cookie_name(&self.id))
    }
}

fn read(plain: &[u8]) -> Option<Opened> {
    let mut from = Reader(plain);
    if from.number()? != VERSION {
        return None;
    }
    let (id, binding, key) = (from.fixed()?, from.fixed()?, from.fixed()?);
    let begun = Timestamp::from_seconds(i64::try_from(from.number()?).ok()?);
    let (service, next) = (from.text()?.into(), from.text()?.to_owned());
    let begun_by = OwnerMark(match from.number()? {
        0 => None,
        _ => Some(from.fixed()?),
    });
    let kind = match from.number()? {
        0 => Kind::Link,
        1 => Kind::Identify,
        _ => Kind::Widen { scopes: from.text()?.to_owned(), subject: from.text()?.to_owned() },
    };
    Some(Opened { attempt: Attempt { service, next, kind, begun_by, begun }, id, binding, key })
}

/// Derived from what the cookie holds: two blocks, of the 16 random bytes and of their opposites.
fn verifier(keys: &MaskKeys, key: KeyId, binding: &[u8; 16]) -> Result<Verifier> {
    let mut bytes = Zeroizing::new([0; 32]);
    for (half, nonce) in bytes.chunks_exact_mut(16).zip([*binding, binding.map(|byte| !byte)]) {
        half.copy_from_slice(&keys.mask(key, &nonce).ok_or(BrowserFault::AttemptExpired)?);
    }
    Ok(Verifier::from_bytes(&bytes))
}

/// The name begins with the time, so that names sort by age.
fn cookie_name(id: &[u8; 8]) -> String {
    let mut name = String::with_capacity(COOKIE.len() + 2 * id.len());
    name.push_str(COOKIE);
    for byte in id {
        for nibble in [byte >> 4, byte & 15] {
            name.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    name
}

/// Removes the oldest attempts' cookies when there are too many.
fn make_room(seals: &Seals<'_>, jar: &Jar) -> Result<(), OperatorFault> {
    let mut names =
        jar.names(|name| seals.style.strip(COOKIE, name).map(|id| [COOKIE, id].concat()));
    if names.len() < MOST {
        return Ok(());
    }
    names.sort_unstable();
    for name in names.iter().take(names.len() + 1 - MOST) {
        jar.remove(seals.style, name)?;
    }
    Ok(())
}
