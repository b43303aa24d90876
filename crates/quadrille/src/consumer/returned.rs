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

/// A return within this time without a linked account is a redirect loop.
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

/// Whether the browser has just returned from this service; with an owner, whether that user has.
#[cfg(feature = "axum")]
pub(crate) fn is_just_back(site: &Site, jar: &Jar, service: &str, owner: Option<&Owner>) -> bool {
    let owner = owner.map(|owner| OwnerMark::of(owner).short());
    let is_one = |note: &String| {
        let note = Note::read(note).filter(|note| note.is_fresh(&site.env));
        note.is_some_and(|note| owner.as_ref().is_none_or(|owner| note.owner == owner))
    };
    jar.values(&site.style.name(&return_cookie(service))).iter().any(is_one)
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

    fn is_fresh(&self, env: &Env) -> bool {
        env.now().since(self.noted) <= LOOP_WINDOW
    }
}

/// The name of the note's cookie.
pub(crate) fn return_cookie(service: &str) -> String {
    [BACK, service].concat()
}
