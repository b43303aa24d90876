//! The note that this server sent a user to sign in for a request, which comes back with the user.
//!
//! Behind the server's layer a note is bound to a cookie of the browser: otherwise a sign-in of any
//! other browser, to which somebody sends the address, would be the one that the request demands.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};

use crate::{
    Timestamp, cookie,
    form::{FormWriter, Params},
    provider::{clock::is_recent, server::Inner, store::SecretHash, token::format::sha256},
};

use super::{
    consent_page::Slot,
    next::{Before, Sent},
};

/// The parameter of the way back from the sign-in page.
const SINCE: &str = "quadrille_since";

/// The mark of a user who was not signed in.
const NOBODY: i64 = i64::MIN;

/// The length of the cookie's value: 16 random bytes in base64url.
const COOKIE: usize = 22;

/// The hash of the cookie that notes of this browser are bound to, which the layer sets if it is
/// missing. `None` without the layer.
pub(super) fn browser(inner: &Inner, request: &Request<Bytes>) -> Option<SecretHash> {
    let slot = request.extensions().get::<Slot>()?;
    if let Some(value) = cookies(inner, request.headers()).next() {
        return Some(sha256(value.as_bytes()));
    }
    let value = BASE64_URL_SAFE_NO_PAD.encode(inner.env.random::<16>());
    let secure = if inner.issuer.is_https() { "; Secure" } else { "" };
    let name = inner.issuer.cookie_name("browser");
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}");
    slot.add_cookie(HeaderValue::try_from(cookie).ok()?);
    Some(sha256(value.as_bytes()))
}

/// The values of the browser's cookies of that name, of which another domain may have set one.
fn cookies<'a>(inner: &Inner, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
    let wanted = inner.issuer.cookie_name("browser");
    cookie::pairs(headers)
        .filter(move |(name, value)| **name == *wanted && value.len() == COOKIE)
        .map(|(_, value)| value)
}

/// The text that a note is bound to: a note for one request says nothing about another.
fn note_for(inner: &Inner, same: &FormWriter) -> String {
    [inner.issuer.as_str(), " ", &same.clone().finish()].concat()
}

/// The URL of a request with a note.
pub(super) fn noted(inner: &Inner, same: &FormWriter, sent: Sent) -> FormWriter {
    let mut url = same.clone();
    url.append(SINCE, &seal(inner, same, sent));
    url
}

/// The note for a request.
fn seal(inner: &Inner, same: &FormWriter, sent: Sent) -> String {
    let before = sent.before.map_or(NOBODY, |before| before.time.millis());
    let session = sent.before.and_then(|before| before.session);
    let times = [sent.at.millis().to_be_bytes(), before.to_be_bytes()].concat();
    let part = |hash: &Option<SecretHash>| match hash {
        Some(hash) => [&[1], &hash[..]].concat(),
        None => vec![0],
    };
    let plain = [times, part(&session), part(&sent.chosen), part(&sent.browser)].concat();
    inner.ring.seal(&inner.env, SINCE, &note_for(inner, same), &plain)
}

/// The note of a request, if it is recent enough to be for this one.
fn open(inner: &Inner, same: &FormWriter, sealed: &str) -> Option<Sent> {
    let plain = inner.ring.open(SINCE, &note_for(inner, same), sealed).ok()?;
    let (at, rest) = plain.split_first_chunk()?;
    let (before, rest) = rest.split_first_chunk()?;
    let (session, rest) = part(rest)?;
    let (chosen, rest) = part(rest)?;
    let (browser, _) = part(rest)?;
    let at = Timestamp::from_millis(i64::from_be_bytes(*at));
    let before = i64::from_be_bytes(*before);
    let time = Timestamp::from_millis(before);
    let before = Before { time, session };
    let before = (before.time.millis() != NOBODY).then_some(before);
    is_recent(inner.now(), at, inner.policy.ticket_lifetime).then_some(Sent {
        at,
        before,
        chosen,
        browser,
    })
}

/// The URL of a request by GET, without a note.
pub(super) fn same(inner: &Inner, params: &Params<'_>) -> FormWriter {
    let mut same = FormWriter::after_url(&inner.paths.authorize);
    for (name, value) in params.iter().filter(|(name, _)| *name != SINCE) {
        same.append(name, value);
    }
    same
}

/// The note of a request, if this browser got it.
pub(super) fn found(inner: &Inner, params: &Params<'_>, request: &Request<Bytes>) -> Option<Sent> {
    let sent = of_any_browser(inner, params)?;
    let is_its = |hash| cookies(inner, request.headers()).any(|it| sha256(it.as_bytes()) == hash);
    let is_bound = request.extensions().get::<Slot>().is_some();
    sent.browser.map_or(!is_bound, is_its).then_some(sent)
}

/// The note of a request from any browser.
pub(super) fn of_any_browser(inner: &Inner, params: &Params<'_>) -> Option<Sent> {
    let sealed = params.many(SINCE).next()?;
    open(inner, &same(inner, params), sealed)
}

/// A hash that may be there, and the bytes behind it.
fn part(bytes: &[u8]) -> Option<(Option<SecretHash>, &[u8])> {
    match bytes.split_first()? {
        (0, rest) => Some((None, rest)),
        (_, rest) => rest.split_first_chunk().map(|(hash, rest)| (Some(*hash), rest)),
    }
}
