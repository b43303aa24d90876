//! The note that a user has just returned from a service: a cookie for ten seconds that detects a
//! redirect loop and a repeated callback (back button, double click).

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{Env, Timestamp, consumer::error::Result, page};

use super::{
    account::Owner,
    attempt::{AttemptCookie, OwnerMark},
    cookie_room::{BACK, Coming, make_room, size},
    cookies::Jar,
    site::Site,
};

/// A page that wants a login within this time after a login returned to it is in a redirect loop.
const LOOP_WINDOW: Duration = Duration::from_secs(10);

/// Notes the return of `owner`, the user signed in, whose attempt has ended.
pub(crate) fn note_return(
    site: &Site,
    jar: &Jar,
    service: &str,
    ended: &AttemptCookie,
    owner: &Owner,
    next: &str,
) -> Result<()> {
    let what = return_cookie(service);
    let now = site.env.now().seconds();
    let next = BASE64_URL_SAFE_NO_PAD.encode(next);
    let mut note = format!("{now}.{}.{}.{next}", ended.mark(), OwnerMark::of(owner).short());
    let whole = site.style.name(&what);
    let bytes = size(&whole, &note);
    if make_room(jar, &site.style, &site.in_use, Coming::Kept(&[whole]), bytes).is_err() {
        // Without the page: a repeated return shows an error, and no header gets too long.
        note.truncate(note.len() - next.len());
    }
    Ok(jar.set(&site.style, &what, note, LOOP_WINDOW)?)
}

/// Whether the browser has just returned from this service.
#[cfg(feature = "axum")]
pub(crate) fn is_just_back(site: &Site, jar: &Jar, service: &str) -> bool {
    jar.values(&site.style.name(&return_cookie(service)))
        .iter()
        .any(|note| Note::read(note).is_some_and(|note| note.is_fresh(&site.env)))
}

/// Whether this user has just returned from this service to `page`. Another page may want a login
/// of its own, for example with a further scope.
#[cfg(feature = "axum")]
pub(crate) fn is_just_back_at(
    site: &Site,
    jar: &Jar,
    service: &str,
    owner: &Owner,
    page: &str,
) -> bool {
    let owner = OwnerMark::of(owner).short();
    jar.values(&site.style.name(&return_cookie(service))).iter().any(|note| {
        let note = Note::read(note).filter(|note| note.is_fresh(&site.env));
        note.is_some_and(|note| note.owner == owner && note.is_at(page))
    })
}

/// The page of the login that has just finished, whose attempt's cookie is removed.
pub(crate) fn just_finished(site: &Site, jar: &Jar, service: &str, mark: &str) -> Option<String> {
    jar.values(&site.style.name(&return_cookie(service))).iter().find_map(|note| {
        let note = Note::read(note).filter(|note| note.mark == mark && note.is_fresh(&site.env))?;
        let next = BASE64_URL_SAFE_NO_PAD.decode(note.next).ok()?;
        page::same_site("", std::str::from_utf8(&next).ok()?)
    })
}

/// The contents of the cookie of [`note_return`].
struct Note<'a> {
    noted: Timestamp,
    mark: &'a str,
    owner: &'a str,
    next: &'a str,
}

impl<'a> Note<'a> {
    fn read(note: &'a str) -> Option<Self> {
        let (seconds, rest) = note.split_once('.')?;
        let (mark, rest) = rest.split_once('.')?;
        let (owner, next) = rest.split_once('.')?;
        Some(Self { noted: Timestamp::from_seconds(seconds.parse().ok()?), mark, owner, next })
    }

    /// Whether the user returned to this page, whatever its query; a note without a page stands for
    /// each.
    #[cfg(feature = "axum")]
    fn is_at(&self, page: &str) -> bool {
        let path = |page: &[u8]| page.split(|byte| *byte == b'?').next().map(<[u8]>::to_vec);
        let next = BASE64_URL_SAFE_NO_PAD.decode(self.next).unwrap_or_default();
        next.is_empty() || path(&next) == path(page.as_bytes())
    }

    fn is_fresh(&self, env: &Env) -> bool {
        env.now().since(self.noted) <= LOOP_WINDOW
    }
}

/// The name of the note's cookie.
pub(crate) fn return_cookie(service: &str) -> String {
    [BACK, service].concat()
}
