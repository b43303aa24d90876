//! The sessions that a provider has ended (OpenID Connect Back-Channel Logout and Front-Channel
//! Logout).
//!
//! Each request compares sessions with the memory of its process. The records of the site, which all of
//! its processes share, are read at the first request and every two seconds.
//!
//! A front-channel logout has no proof, and its request comes without cookies. If this site has seen the
//! session, the logout is worth as much as one by a token; a logout of any other session is kept apart
//! ([`Memory`]).

mod memory;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    consumer::{
        error::{BrowserError, Result},
        storage::records::{Key, Records},
        wire::lengths_first,
    },
    form::Params,
};

use self::memory::{Memory, Most, Noted, RowChange, Told};
use super::marks::Mark;

/// The number of sessions that are remembered: of those that have ended, and of those that are seen.
const MOST: Most = Most { proven: 65_536, by_browsers: 16_384, seen: 65_536 };
/// The time after which the records are read again.
const PAUSE: Duration = Duration::from_secs(2);
/// The difference between the clocks of two processes.
const SLACK: Duration = Duration::from_secs(60);
/// The time for which records are kept: no session of a browser lasts longer.
const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);
/// The records that are read at once.
const PAGE: usize = 500;

/// A provider has ended sessions of a user: the event of `on_session_ended` hooks. With
/// [`sid`](Self::sid) it is one session at the provider, and without it all of the user
/// [`sub`](Self::sub).
///
/// ```
/// use quadrille::{SessionEnded, Result};
///
/// async fn ended(event: SessionEnded) -> Result<()> {
///     match (&event.sid, &event.account) {
///         (Some(sid), _) => println!("end the session that began with the sid {sid}"),
///         (None, Some(account)) => println!("end all sessions of {account}"),
///         (None, None) => println!("end all sessions of {:?} at {}", event.sub, event.issuer),
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionEnded {
    /// The service's name.
    pub service: Arc<str>,
    /// The issuer. In a front-channel logout of a service that does not name its issuer there
    /// ([`Spec::front_channel_logout_without_issuer`](crate::Spec)), as the service's description
    /// has it.
    pub issuer: String,
    /// The user at the issuer (`sub`), if the provider names one.
    pub sub: Option<String>,
    /// The session at the issuer: the claim `sid` of the ID token that began it.
    pub sid: Option<String>,
    /// The account's identifier, as in [`Claims::subject`](crate::consumer::Claims::subject), if the
    /// provider names the user and accounts are known by that.
    pub account: Option<String>,
    /// The time at which this site was told.
    pub at: Timestamp,
    /// The time at which the provider says that it ended them: the `iat` of a logout token, by the
    /// provider's clock. Without a [`sid`](Self::sid), sessions that began later go on, however late
    /// the token comes. `None` for a front-channel logout.
    #[serde(default)]
    pub issued: Option<Timestamp>,
    /// Whether a signature of the provider proves it (a logout token). A front-channel logout is a
    /// request that anybody can send, also about sessions that do not exist.
    #[serde(default)]
    pub proven: bool,
}

/// A session at this site, which began with a login at a provider.
pub(crate) struct Session<'a> {
    pub(crate) service: &'a str,
    /// The account, and the user at the issuer, by whom it is known where accounts are not.
    pub(crate) users: [&'a str; 2],
    /// The issuer, at a service with several.
    pub(crate) issuer: &'a str,
    pub(crate) sid: Option<&'a str>,
    /// The time of the login.
    pub(crate) since: Timestamp,
}

/// The sessions that providers have ended, as one process knows them.
#[derive(Debug)]
pub(crate) struct EndedSessions {
    memory: Mutex<Memory>,
    /// Whether there is any: most sites have none, and ask at each request.
    are_any: AtomicBool,
    /// Whether this site receives logouts.
    receives: AtomicBool,
    /// The time in milliseconds at which the records were read.
    looked: AtomicI64,
    /// The last records that were read, by source. Held while reading.
    last: tokio::sync::Mutex<[Option<Key>; 2]>,
}

impl Default for EndedSessions {
    fn default() -> Self {
        Self {
            memory: Mutex::new(Memory::at_most(MOST)),
            are_any: AtomicBool::new(false),
            receives: AtomicBool::new(false),
            looked: AtomicI64::new(NEVER),
            last: tokio::sync::Mutex::default(),
        }
    }
}

/// All sessions of a user.
const USER: &str = "user";
/// The session with an identifier.
const SESSION: &str = "session";
/// One session of a user, for those here whose identifier is not known.
const SOME_OF_USER: &str = "some of user";

/// Before the records were read.
const NEVER: i64 = i64::MIN;

impl EndedSessions {
    /// Notes an ended session, here and for all processes that share these records. `issuer` is empty at
    /// a service that has one. `leeway`: the difference between its clock and that of this site.
    pub(crate) async fn note_for_all(
        &self,
        records: Option<&Records<'_>>,
        event: &SessionEnded,
        issuer: &str,
        leeway: Duration,
    ) -> Result<()> {
        self.receives();
        for (mark, until) in marks_of(event, issuer, leeway) {
            let Noted { told, gone } = self.put(mark, until, told_by(event));
            let Some(records) = records else { continue };
            records.put(told.kind(), &key_of(mark, event.at, until), "").await?;
            if let Some((mark, at)) = gone {
                records.remove(told.kind(), &key(mark, at)).await?;
            }
        }
        Ok(())
    }

    /// Notes an ended session here. `issuer` and `leeway` as in [`note_for_all`](Self::note_for_all).
    pub(crate) fn note(&self, event: &SessionEnded, issuer: &str, leeway: Duration) {
        for (mark, until) in marks_of(event, issuer, leeway) {
            self.put(mark, until, told_by(event));
        }
    }

    fn put(&self, mark: Mark, at: Timestamp, told: Told) -> Noted {
        let noted = self.memory().note(mark, at, told);
        self.are_any.store(true, Ordering::Release);
        noted
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This site receives logouts, of which other processes may have been told.
    pub(crate) fn receives(&self) {
        self.receives.store(true, Ordering::Release);
    }

    /// Whether this site receives logouts.
    pub(crate) fn is_receiving(&self) -> bool {
        self.receives.load(Ordering::Acquire)
    }

    /// Whether the records must be read before sessions are compared.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let looked = self.looked.load(Ordering::Acquire);
        let pause = i64::try_from(PAUSE.as_millis()).unwrap_or(i64::MAX);
        self.is_receiving() && (looked == NEVER || (now.millis() - looked).abs() >= pause)
    }

    /// Reads what other processes, or those before this one, were told of.
    ///
    /// # Errors
    /// Those of the storage at the first time. Later ones are logged, since sessions are then compared
    /// with what is known.
    pub(crate) async fn look(&self, records: &Records<'_>, now: Timestamp) -> Result<()> {
        let is_first = self.looked.load(Ordering::Acquire) == NEVER;
        let mut last = match self.last.try_lock() {
            Ok(last) => last,
            // Another request reads them.
            Err(_) if !is_first => return Ok(()),
            Err(_) => self.last.lock().await,
        };
        if !self.is_due(now) {
            return Ok(());
        }
        for (told, last) in Told::ALL.into_iter().zip(&mut *last) {
            match self.read(records, told, last, now).await {
                Ok(()) => {}
                Err(error) if is_first => return Err(error),
                Err(error) => {
                    let code = error.code();
                    tracing::warn!(code, %error, "logouts of other processes cannot be read");
                }
            }
        }
        if let Err(error) = self.write(records).await {
            let code = error.code();
            tracing::warn!(code, %error, "ended sessions of this site cannot be written");
        }
        self.looked.store(now.millis(), Ordering::Release);
        Ok(())
    }

    async fn read(
        &self,
        records: &Records<'_>,
        told: Told,
        last: &mut Option<Key>,
        now: Timestamp,
    ) -> Result<()> {
        if last.is_none() {
            records.sweep(told.kind(), now - KEPT).await?;
        }
        let mut from = last.clone().map(|last| Key { at: last.at - SLACK, text: String::new() });
        loop {
            let page = records.later(told.kind(), from.as_ref(), PAGE).await?;
            for key in &page {
                let Some((mark, until)) = ended_by(key) else { continue };
                let noted = self.put(mark, until, told);
                if noted.told != told {
                    records.put(noted.told.kind(), key, "").await?;
                    records.remove(told.kind(), key).await?;
                }
                if let Some((mark, at)) = noted.gone {
                    records.remove(noted.told.kind(), &self::key(mark, at)).await?;
                }
            }
            let is_last = page.len() < PAGE;
            if let Some(newest) = page.into_iter().next_back() {
                from = Some(newest.clone());
                *last = Some(newest);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Writes what has changed by the sessions that were seen since.
    async fn write(&self, records: &Records<'_>) -> Result<()> {
        let changes = self.memory().take_unwritten();
        for change in changes {
            match change {
                RowChange::Put(told, mark, at) => {
                    records.put(told.kind(), &key(mark, at), "").await?;
                }
                RowChange::Remove(told, mark, at) => {
                    records.remove(told.kind(), &key(mark, at)).await?;
                }
            }
        }
        Ok(())
    }

    /// Whether there is no ended session.
    fn is_empty(&self) -> bool {
        !self.are_any.load(Ordering::Acquire)
    }

    /// Whether the provider has ended a session since it began. The session is one of this site.
    pub(crate) fn has(&self, session: &Session<'_>, now: Timestamp) -> bool {
        if self.is_empty() && !self.is_receiving() {
            return false;
        }
        let Session { service, users, issuer, sid, since } = *session;
        let sid = sid.map(|sid| mark_of_session(service, issuer, sid));
        let mut memory = self.memory();
        if let Some(sid) = sid {
            memory.see(sid, now);
        }
        if self.is_empty() {
            return false;
        }
        let is_ended = |mark| memory.ended(mark).is_some_and(|at| at >= since);
        let is_ended_for = |kind| users.iter().any(|user| is_ended(mark_of(kind, service, user)));
        is_ended_for(USER)
            || sid.is_some_and(is_ended)
            // Better one session too many than one too few.
            || (sid.is_none() && is_ended_for(SOME_OF_USER))
    }
}

/// The marks of an ended session, each with the time up to which a session must have begun. The one with
/// an identifier has ended whenever this site is told; of the sessions of a user, a token that comes late
/// ends none that began after it was issued.
fn marks_of(
    event: &SessionEnded,
    issuer: &str,
    leeway: Duration,
) -> impl Iterator<Item = (Mark, Timestamp)> {
    let sid = event.sid.as_ref();
    let session = sid.map(|sid| (mark_of_session(&event.service, issuer, sid), event.at));
    let user = event.account.as_ref().or(event.sub.as_ref());
    let kind = if sid.is_some() { SOME_OF_USER } else { USER };
    let latest = event.issued.map(|issued| issued + leeway);
    let until = latest.map_or(event.at, |latest| latest.min(event.at));
    session.into_iter().chain(user.map(|user| (mark_of(kind, &event.service, user), until)))
}

fn mark_of(kind: &str, service: &str, user: &str) -> Mark {
    Mark::of(&lengths_first([kind, service, user]))
}

fn mark_of_session(service: &str, issuer: &str, sid: &str) -> Mark {
    Mark::of(&lengths_first([SESSION, service, issuer, sid]))
}

const fn told_by(event: &SessionEnded) -> Told {
    if event.proven { Told::Proven } else { Told::ByBrowser }
}

fn key(mark: Mark, at: Timestamp) -> Key {
    Key { at, text: mark.digits() }
}

/// The record of a mark at the time at which the site was told, by which other processes find it. One
/// that came late says until when. It stays until it is swept when a later one takes its place.
fn key_of(mark: Mark, at: Timestamp, until: Timestamp) -> Key {
    match at == until {
        true => key(mark, at),
        false => Key { at, text: format!("{}-{:x}", mark.digits(), until.millis()) },
    }
}

/// The mark of a record, and the time up to which a session must have begun.
fn ended_by(key: &Key) -> Option<(Mark, Timestamp)> {
    match key.text.split_once('-') {
        None => Some((Mark::read(&key.text)?, key.at)),
        Some((mark, until)) => {
            let until = i64::from_str_radix(until, 16).ok()?;
            Some((Mark::read(mark)?, Timestamp::from_millis(until)))
        }
    }
}

/// The session in the query of a front-channel logout (section 3), and its issuer. Both are required, as
/// without them any site could end the sessions of its visitors; the issuer may be missing at a service
/// that is known to forget it.
///
/// # Errors
/// [`BrowserError::CallbackMalformed`], and [`BrowserError::WrongIssuer`].
pub(crate) fn in_front_channel<'a>(
    params: &'a Params<'_>,
    forgets_issuer: bool,
    is_issuer: impl Fn(&str) -> bool,
) -> Result<(Option<&'a str>, &'a str), BrowserError> {
    let one = |name| params.one(name).map_err(|_| BrowserError::CallbackMalformed);
    let (iss, sid) = (one("iss")?, one("sid")?.filter(|text| !text.is_empty()));
    match (iss, sid) {
        (Some(iss), Some(_)) if !is_issuer(iss) => Err(BrowserError::WrongIssuer),
        (Some(_), Some(sid)) => Ok((iss, sid)),
        (None, Some(sid)) if forgets_issuer => Ok((None, sid)),
        _ => Err(BrowserError::CallbackMalformed),
    }
}

#[cfg(test)]
mod tests;
