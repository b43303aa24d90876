//! The note that a user has returned from a service: a cookie for a minute that detects a redirect
//! loop, and for ten seconds a repeated callback (back button, double click).

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    Env, Timestamp,
    consumer::{
        account::Owner,
        cookies::{
            Jar,
            room::{BACK, Coming, make_room, size},
        },
        error::Result,
        site::Site,
        wire::push_decimal,
    },
    page,
};

use super::{AttemptCookie, OwnerMark};

/// A page that wants a login although [`LOOP_ROUNDS`] logins returned to it within this time is in
/// a redirect loop.
const LOOP_WINDOW: Duration = Duration::from_secs(60);

/// The rounds of a redirect loop. A first or second one may be a race of two tabs, or a user who
/// grants a scope only when it is requested again.
const LOOP_ROUNDS: u8 = 3;

/// A callback that arrives again within this time after the login was finished is a repeated one.
const REPEAT_WINDOW: Duration = Duration::from_secs(10);

/// Notes the return of `owner`, the user signed in, whose attempt has ended.
pub(crate) fn note_return(
    site: &Site,
    jar: &Jar,
    service: &str,
    ended: &AttemptCookie,
    owner: &Owner,
    next: &str,
) -> Result<()> {
    let name = site.style.name_of(BACK, service);
    let now = site.env.now();
    let owner = OwnerMark::of(owner).short();
    let (round, first) = round_after(site, jar, &name, &owner, next);
    let (noted, since) = (now.seconds(), now.since(first).as_secs());
    let next = BASE64_URL_SAFE_NO_PAD.encode(next);
    let mut note = String::with_capacity(64 + owner.len() + next.len());
    for number in [noted.unsigned_abs(), round.into(), since] {
        push_decimal(&mut note, number);
        note.push('.');
    }
    for text in [ended.mark(), ".", &owner, ".", &next] {
        note.push_str(text);
    }
    let (bytes, names) = (size(&name, &note), [name]);
    if make_room(jar, &site.style, &site.in_use, Coming::Kept(&names), bytes).is_err() {
        // Without the page: a repeated return shows an error, and no header gets too long.
        note.truncate(note.len() - next.len());
    }
    let [name] = names;
    Ok(jar.set_named(&site.style, name, note, LOOP_WINDOW)?)
}

/// The number of this return of `owner` to `page`, and the time of the first, from the notes of
/// this name.
fn round_after(site: &Site, jar: &Jar, name: &str, owner: &str, page: &str) -> (u8, Timestamp) {
    let notes = jar.values(name);
    let before = notes.iter().filter_map(|note| Note::read(note));
    let before = before.filter(|note| note.is_of_loop(&site.env, owner, page));
    match before.max_by_key(|note| note.round) {
        Some(note) => (note.round.saturating_add(1), note.first),
        None => (1, site.env.now()),
    }
}

/// Whether the browser has just returned from this service.
#[cfg(feature = "axum")]
pub(crate) fn is_just_back(site: &Site, jar: &Jar, service: &str) -> bool {
    jar.values(&site.style.name(&return_cookie(service)))
        .iter()
        .any(|note| Note::read(note).is_some_and(|note| note.is_fresh(&site.env)))
}

/// Whether this user has returned from this service to `page` in each round of a loop. Another page
/// may want a login of its own, for example with a further scope.
#[cfg(feature = "axum")]
pub(crate) fn is_in_loop(site: &Site, jar: &Jar, service: &str, owner: &Owner, page: &str) -> bool {
    let owner = OwnerMark::of(owner).short();
    jar.values(&site.style.name(&return_cookie(service))).iter().any(|note| {
        let note = Note::read(note).filter(|note| note.round >= LOOP_ROUNDS);
        note.is_some_and(|note| note.is_of_loop(&site.env, &owner, page))
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
    /// The number of this return to the page, from 1.
    round: u8,
    /// The time of the first of these returns.
    first: Timestamp,
    mark: &'a str,
    owner: &'a str,
    next: &'a str,
}

impl<'a> Note<'a> {
    fn read(note: &'a str) -> Option<Self> {
        let (seconds, rest) = note.split_once('.')?;
        let (round, rest) = rest.split_once('.')?;
        let (since, rest) = rest.split_once('.')?;
        let (mark, rest) = rest.split_once('.')?;
        let (owner, next) = rest.split_once('.')?;
        let seconds: i64 = seconds.parse().ok()?;
        let first = Timestamp::from_seconds(seconds.checked_sub(since.parse().ok()?)?);
        let (noted, round) = (Timestamp::from_seconds(seconds), round.parse().ok()?);
        Some(Self { noted, round, first, mark, owner, next })
    }

    /// Whether another return of this user to this page is a further round of one loop.
    fn is_of_loop(&self, env: &Env, owner: &str, page: &str) -> bool {
        let in_time = env.now().since(self.first) <= LOOP_WINDOW;
        in_time && self.owner == owner && self.is_at(page)
    }

    /// Whether the user returned to this page, whatever its query; a note without a page stands for
    /// each.
    fn is_at(&self, page: &str) -> bool {
        let path = |page: &[u8]| page.split(|byte| *byte == b'?').next().map(<[u8]>::to_vec);
        let next = BASE64_URL_SAFE_NO_PAD.decode(self.next).unwrap_or_default();
        next.is_empty() || path(&next) == path(page.as_bytes())
    }

    fn is_fresh(&self, env: &Env) -> bool {
        env.now().since(self.noted) <= REPEAT_WINDOW
    }
}

/// The name of the note's cookie.
pub(crate) fn return_cookie(service: &str) -> String {
    [BACK, service].concat()
}
