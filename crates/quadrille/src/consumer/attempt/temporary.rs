//! An attempt with temporary credentials (OAuth 1; RFC 5849, section 2.1).
//!
//! All of it is sealed in the attempt's cookie, including the temporary secret. The callback is
//! matched by the temporary identifier that the service repeats, so the callback's URL, which many
//! services compare with a registered one, contains nothing of ours. Only the browser that began
//! has the cookie.
//!
//! The `nonce` of an ID token that a page gets by itself is such an identifier, too, without a secret:
//! nothing else comes back with it.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{
    Secret,
    consumer::{
        cookies::{
            Jar,
            room::{Coming, WITH_TEMPORARY, make_room, size},
        },
        error::{BrowserError, OperatorError},
        site::Site,
        wire::{Reader, Writer},
    },
    digest::sha256,
};

use super::{Attempt, AttemptCookie, LIFETIME, not_ours};

const COOKIE: &str = WITH_TEMPORARY.name;
const PURPOSE: &str = "login attempt with temporary credentials";
const OUT_OF_BAND: &str = "login attempt out of band";

/// Temporary credentials.
#[derive(Clone, Debug)]
pub(crate) struct Temporary {
    pub(crate) token: Secret,
    pub(crate) secret: Secret,
}

impl Temporary {
    /// The `nonce` of an ID token in place of an identifier.
    pub(crate) fn nonce(nonce: &str) -> Self {
        Self { token: nonce.into(), secret: "".into() }
    }
}

/// An attempt that returned.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) attempt: Attempt,
    pub(crate) cookie: AttemptCookie,
    pub(crate) temporary: Temporary,
}

impl Attempt {
    /// Seals the attempt into a cookie of its own.
    pub(crate) fn seal_into_cookie(
        &self,
        temporary: &Temporary,
        site: &Site,
        jar: &Jar,
    ) -> Result<(), OperatorError> {
        let [t0, t1, t2, t3] = self.begun_bytes();
        let [a, b, c, d] = fingerprint(temporary.token.expose());
        let cookie = AttemptCookie::new(COOKIE, &[t0, t1, t2, t3, a, b, c, d]);
        let value = self.seal_with(temporary, site, PURPOSE);
        let bytes = size(&site.style.name(&cookie.0), &value);
        make_room(jar, &site.style, &site.in_use, Coming::Attempt(WITH_TEMPORARY), bytes)?;
        jar.set(&site.style, &cookie.0, value, LIFETIME)
    }

    /// Seals the attempt for a program that stores it itself.
    pub(crate) fn seal_into_text(&self, temporary: &Temporary, site: &Site) -> String {
        self.seal_with(temporary, site, OUT_OF_BAND)
    }

    fn seal_with(&self, temporary: &Temporary, site: &Site, purpose: &str) -> String {
        let mut out = Writer::with_capacity(256);
        self.write(&mut out);
        out.text(temporary.token.expose()).text(temporary.secret.expose());
        let plain = zeroize::Zeroizing::new(out.finish());
        site.keys.seal(&site.env, purpose, &site.name, &plain)
    }
}

impl Opened {
    /// An attempt of an app that sends no cookies, which begins and ends with one request.
    pub(crate) fn without_cookie(attempt: Attempt, site: &Site) -> Self {
        let cookie = AttemptCookie::new(COOKIE, &site.env.random::<8>());
        Self { attempt, cookie, temporary: Temporary::nonce("") }
    }

    /// The attempt of this browser whose temporary identifier is `token`.
    pub(crate) fn find(site: &Site, jar: &Jar, token: &str) -> Result<Self, BrowserError> {
        let ends = mark(token);
        let candidates = jar.pick(|name, value| {
            let id = site.style.strip(COOKIE, name)?;
            id.ends_with(&ends).then(|| (AttemptCookie([COOKIE, id].concat()), value.to_owned()))
        });
        let mut error = BrowserError::AttemptCookieMissing;
        for (cookie, value) in candidates {
            match open(site, PURPOSE, &value) {
                Ok((attempt, temporary)) => {
                    let (ours, theirs) = (temporary.token.expose().as_bytes(), token.as_bytes());
                    if verify_slices_are_equal(ours, theirs).is_ok() {
                        attempt.check_age(site.env.now())?;
                        return Ok(Self { attempt, cookie, temporary });
                    }
                }
                Err(BrowserError::AttemptExpired) => error = BrowserError::AttemptExpired,
                // A cookie changed by hand counts as missing.
                Err(_) => {}
            }
        }
        Err(error)
    }
}

/// The end of the cookie name of the attempt with this temporary identifier.
pub(crate) fn mark(token: &str) -> String {
    AttemptCookie::new("", &fingerprint(token)).0
}

/// Opens the output of [`Attempt::seal_into_text`].
pub(crate) fn open_text(site: &Site, text: &str) -> Result<Opened, BrowserError> {
    let (attempt, temporary) = open(site, OUT_OF_BAND, text)?;
    attempt.check_age(site.env.now())?;
    // No browser has it.
    let cookie = AttemptCookie::new(COOKIE, &fingerprint(temporary.token.expose()));
    Ok(Opened { attempt, cookie, temporary })
}

fn open(site: &Site, purpose: &str, sealed: &str) -> Result<(Attempt, Temporary), BrowserError> {
    let plain = site.keys.open(purpose, &site.name, sealed).map_err(not_ours)?;
    read(&plain).ok_or(BrowserError::StateUnknown)
}

fn read(plain: &[u8]) -> Option<(Attempt, Temporary)> {
    let mut from = Reader(plain);
    let attempt = Attempt::read(&mut from)?;
    let (token, secret) = (from.text()?.into(), from.text()?.into());
    Some((attempt, Temporary { token, secret }))
}

/// Distinguishes the few attempts of a browser. The token itself is compared afterwards.
fn fingerprint(token: &str) -> [u8; 4] {
    let [first, second, third, fourth, ..] = sha256(token.as_bytes());
    [first, second, third, fourth]
}
