//! An attempt in `state` (OAuth 2).
//!
//! The cookie holds 16 random bytes; everything else is sealed into `state` and bound to that
//! cookie, and the PKCE verifier and the `nonce` are derived from it. So twenty tabs fit.
//!
//! Some services accept at most 250 characters of `state`. The rest (a long page to return to, many
//! scopes) is sealed into a second cookie, and so is the application's data.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    Timestamp,
    consumer::{
        cookies::{
            Jar,
            room::{Coming, PAGE, WITH_STATE, make_room, size},
        },
        error::{BrowserError, OperatorError, Result},
        site::Site,
        wire::{Reader, Writer, lengths_first},
    },
    digest::joined,
    oauth2::pkce::Verifier,
    seal::{KeyId, MaskKey, Named as _},
};

use super::{
    Attempt, AttemptCookie, Ending, Kind, LIFETIME, OwnerMark, Required, not_ours, read_data,
    read_version, write_data, write_version,
};

const PURPOSE: &str = "login attempt";
const REST: &str = "rest of a login attempt";
const COOKIE: &str = WITH_STATE.name;
/// The number of bytes sealed into `state`, which then has 240 characters.
const MOST: usize = 143;

/// The part of an attempt in the second cookie.
const NOTHING: u64 = 0;
/// The page to return to; without it, the front page serves.
const NEXT: u64 = 1;
/// The page and the purpose of the attempt.
const NEXT_AND_KIND: u64 = 2;
/// The page, the purpose and the application's data.
const ALL: u64 = 3;

/// The data sent with the user.
pub(crate) struct Sealed {
    pub(crate) state: String,
    /// The PKCE verifier (RFC 7636, section 4.1).
    pub(crate) verifier: Verifier,
    /// The `nonce` (OpenID Connect Core, section 15.5.2).
    pub(crate) nonce: String,
}

/// The part for a second cookie.
struct Rest {
    name: String,
    value: String,
    /// Whether the login can finish without it.
    can_be_lost: bool,
}

/// An attempt that returned.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) attempt: Attempt,
    pub(crate) cookie: AttemptCookie,
    /// The random bytes of the browser's cookie.
    pub(crate) binding: [u8; 16],
    key: KeyId,
}

impl Attempt {
    /// Seals the attempt and sets its cookie.
    pub(crate) fn seal_into_state(&self, site: &Site, jar: &Jar) -> Result<Sealed> {
        let [a, b, c, d] = site.env.random();
        let random: [u8; 16] = site.env.random();
        let [t0, t1, t2, t3] = self.begun_bytes();
        // Tabs begun at the same time must not share a name.
        let id = [t0, t1, t2, t3, a, b, c, d];
        let key = site.verifiers.newest();
        let key_id = key.id();
        let cookie = AttemptCookie::new(COOKIE, &id);
        let value = BASE64_URL_SAFE_NO_PAD.encode(random);
        let mut out = Writer::with_capacity(MOST);
        out.fixed(&id).fixed(&random).fixed(&key_id);
        write_version(self.client, &mut out);
        out.number(self.begun.seconds().unsigned_abs());
        self.begun_by.write(&mut out);
        self.ending.write(&mut out);
        self.required.write(&mut out);
        let (plain, rest) = self.write_within(MOST, site, &cookie, &out.finish());
        let bytes = size(&site.style.name(&cookie.0), &value);
        if let Some(Rest { name, value, can_be_lost }) = rest {
            // For both cookies at once: neither may remove the other.
            let both = bytes + size(&site.style.name(&name), &value);
            match make_room(jar, &site.style, &site.in_use, Coming::Attempt(PAGE), both) {
                Ok(()) => jar.set(&site.style, &name, value, LIFETIME)?,
                // No room beside the stored cookies: the user returns to the front page.
                Err(OperatorError::CookieTooLarge { .. }) if can_be_lost => {}
                Err(error) => return Err(error.into()),
            }
        }
        make_room(jar, &site.style, &site.in_use, Coming::Attempt(WITH_STATE), bytes)?;
        jar.set(&site.style, &cookie.0, value, LIFETIME)?;
        let bound_to = lengths_first([&self.service]) + &site.name;
        Ok(Sealed {
            state: site.keys.seal(&site.env, PURPOSE, &bound_to, &plain),
            verifier: verifier(key, &random),
            nonce: nonce(site.nonces.newest(), &random),
        })
    }

    /// Adds the parts of variable length as far as they fit. Returns the rest for the second
    /// cookie.
    fn write_within(
        &self,
        most: usize,
        site: &Site,
        cookie: &AttemptCookie,
        fixed: &[u8],
    ) -> (Vec<u8>, Option<Rest>) {
        let with = |elsewhere: u64| {
            let mut out = Writer::default();
            out.fixed(fixed).number(elsewhere);
            if elsewhere == NOTHING {
                out.text(&self.next);
            }
            if matches!(elsewhere, NOTHING | NEXT) {
                self.kind.write(&mut out);
            }
            out.finish()
        };
        let fits = |elsewhere: &u64| with(*elsewhere).len() <= most;
        let elsewhere = match self.data {
            Some(_) => ALL,
            None => [NOTHING, NEXT].into_iter().find(fits).unwrap_or(NEXT_AND_KIND),
        };
        match elsewhere {
            NOTHING => (with(NOTHING), None),
            elsewhere => (with(elsewhere), self.rest(site, cookie, elsewhere == NEXT)),
        }
    }

    fn rest(&self, site: &Site, cookie: &AttemptCookie, can_be_lost: bool) -> Option<Rest> {
        let name = cookie.page()?;
        let mut out = Writer::with_capacity(128 + self.next.len());
        out.text(&cookie.0).text(&self.next);
        self.kind.write(&mut out);
        write_data(self.data.as_ref(), &mut out);
        let value = site.keys.seal(&site.env, REST, &site.name, &out.finish());
        Some(Rest { name, value, can_be_lost })
    }
}

impl Opened {
    /// Opens `state` if it belongs to this service. [`Opened::check`] checks the browser.
    pub(crate) fn open(site: &Site, jar: &Jar, service: &Arc<str>, state: &str) -> Result<Self> {
        let bound_to = lengths_first([service]) + &site.name;
        let plain = site.keys.open(PURPOSE, &bound_to, state).map_err(not_ours)?;
        let opened = read(&plain, service, |cookie| rest(site, jar, cookie));
        opened.ok_or(BrowserError::StateUnknown)?
    }

    /// Checks that the attempt has not expired and belongs to this browser.
    pub(crate) fn check(&self, site: &Site, jar: &Jar) -> Result<(), BrowserError> {
        self.attempt.check_age(site.env.now())?;
        let is_wanted = |name: &str| site.style.strip("", name) == Some(&*self.cookie.0);
        let is_binding = |value: &str| {
            let value = BASE64_URL_SAFE_NO_PAD.decode(value);
            value.is_ok_and(|value| verify_slices_are_equal(&value, &self.binding).is_ok())
        };
        // Another party's cookie of that name does not hide the right one.
        let is_ours = jar.read(|cookies| {
            cookies.all().any(|(name, value)| is_wanted(name) && is_binding(value))
        });
        if is_ours { Ok(()) } else { Err(BrowserError::AttemptCookieMissing) }
    }

    /// The PKCE verifier.
    pub(crate) fn verifier(&self, site: &Site) -> Result<Verifier> {
        let key = site.verifiers.find(self.key).ok_or(BrowserError::AttemptExpired)?;
        Ok(verifier(key, &self.binding))
    }

    /// The `nonce` of the authorization request.
    pub(crate) fn nonce(&self, site: &Site) -> Result<String> {
        let key = site.nonces.find(self.key).ok_or(BrowserError::AttemptExpired)?;
        Ok(nonce(key, &self.binding))
    }
}

/// `None` if the attempt is not ours, an error if its second cookie is missing and required.
fn read(
    plain: &[u8],
    service: &Arc<str>,
    rest: impl FnOnce(&AttemptCookie) -> Option<Elsewhere>,
) -> Option<Result<Opened>> {
    let mut from = Reader(plain);
    let id: [u8; 8] = from.fixed()?;
    let (binding, key) = (from.fixed()?, from.fixed()?);
    let client = read_version(&mut from)?;
    let begun = Timestamp::from_seconds(i64::try_from(from.number()?).ok()?);
    let (begun_by, ending) = (OwnerMark::read(&mut from)?, Ending::read(&mut from)?);
    let required = Required::read(&mut from)?;
    let cookie = AttemptCookie::new(COOKIE, &id);
    let (next, kind, data) = match from.number()? {
        NOTHING => (from.text()?.to_owned(), Kind::read(&mut from)?, None),
        NEXT => {
            let kind = Kind::read(&mut from)?;
            (rest(&cookie).map(|(next, ..)| next).unwrap_or_default(), kind, None)
        }
        NEXT_AND_KIND | ALL => match rest(&cookie) {
            Some(rest) => rest,
            None => return Some(Err(BrowserError::AttemptCookieMissing.into())),
        },
        _ => return None,
    };
    let attempt = Attempt {
        service: Arc::clone(service),
        next,
        kind,
        client,
        begun_by,
        begun,
        ending,
        required,
        data,
    };
    Some(Ok(Opened { attempt, cookie, binding, key }))
}

/// The contents of an attempt's second cookie: the page, the purpose and the application's data.
type Elsewhere = (String, Kind, Option<Value>);

fn rest(site: &Site, jar: &Jar, cookie: &AttemptCookie) -> Option<Elsewhere> {
    let wanted = site.style.name(&cookie.page()?);
    let held = jar.pick(|name, value| (name == wanted).then(|| value.to_owned()));
    held.iter().find_map(|value| {
        let plain = site.keys.open(REST, &site.name, value).ok()?;
        let mut from = Reader(&plain);
        // The cookie must belong to this attempt.
        if from.text()? != cookie.0 {
            return None;
        }
        Some((from.text()?.to_owned(), Kind::read(&mut from)?, read_data(&mut from)?))
    })
}

/// Derives the verifier from the cookie: two blocks, of the 16 random bytes and of their
/// complement.
fn verifier(key: &MaskKey, binding: &[u8; 16]) -> Verifier {
    let bytes = joined(&key.mask(binding), &key.mask(&binding.map(|byte| !byte)));
    Verifier::from_bytes(&bytes)
}

/// Derives the `nonce` from the cookie, by a key of its own: it proves that an ID token answers a
/// request of this browser, and tells nothing about the verifier.
fn nonce(key: &MaskKey, binding: &[u8; 16]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(key.mask(binding))
}
