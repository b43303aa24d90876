//! The sessions that a provider has ended (OpenID Connect Back-Channel Logout and Front-Channel
//! Logout).
//!
//! Each request compares sessions with the memory of its process. The records of the site, which all of
//! its processes share, are read at the first request and every two seconds.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    consumer::{
        error::{BrowserError, Result},
        storage::records::{Key, Kind, Records},
        wire::lengths_first,
    },
    form::Params,
};

use super::marks::{Mark, Marks};

/// The number of ended sessions that are remembered: of those that a signature proves, and of those
/// that a browser says. Anybody can fill the second memory, and nobody the first by that.
const MOST: usize = 65_536;
const MOST_OF_BROWSERS: usize = 16_384;
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
    /// The issuer.
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
}

/// A session at this site, which began with a login at a provider.
pub(crate) struct Session<'a> {
    pub(crate) service: &'a str,
    /// The account, and the user at the issuer, by whom it is known where accounts are not.
    pub(crate) users: [&'a str; 2],
    pub(crate) sid: Option<&'a str>,
    /// The time of the login.
    pub(crate) since: Timestamp,
}

/// The source of an ended session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A logout token, or another process of this site.
    Proven,
    /// A page in a browser, which proves nothing.
    ByBrowser,
}

impl Told {
    const ALL: [Self; 2] = [Self::Proven, Self::ByBrowser];

    const fn kind(self) -> Kind {
        match self {
            Self::Proven => Kind::Ended,
            Self::ByBrowser => Kind::EndedByBrowser,
        }
    }
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

#[derive(Debug)]
struct Memory {
    proven: Marks,
    by_browsers: Marks,
}

impl Default for EndedSessions {
    fn default() -> Self {
        let (proven, by_browsers) = (Marks::at_most(MOST), Marks::at_most(MOST_OF_BROWSERS));
        Self {
            memory: Mutex::new(Memory { proven, by_browsers }),
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
    /// Notes an ended session, here and for all processes that share these records.
    pub(crate) async fn note_for_all(
        &self,
        records: Option<&Records<'_>>,
        event: &SessionEnded,
        told: Told,
    ) -> Result<()> {
        self.receives();
        for mark in marks_of(event) {
            let gone = self.put(mark, event.at, told);
            let Some(records) = records else { continue };
            records.put(told.kind(), &key(mark, event.at), "").await?;
            if let Some((mark, at)) = gone {
                records.remove(told.kind(), &key(mark, at)).await?;
            }
        }
        Ok(())
    }

    /// Notes an ended session here.
    pub(crate) fn note(&self, event: &SessionEnded, told: Told) {
        for mark in marks_of(event) {
            self.put(mark, event.at, told);
        }
    }

    /// Notes a mark here. Returns the one that gave way.
    fn put(&self, mark: Mark, at: Timestamp, told: Told) -> Option<(Mark, Timestamp)> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = match told {
            Told::Proven => &mut memory.proven,
            Told::ByBrowser => &mut memory.by_browsers,
        };
        let gone = marks.put(mark, at);
        self.are_any.store(true, Ordering::Release);
        gone
    }

    /// This site receives logouts, of which other processes may have been told.
    pub(crate) fn receives(&self) {
        self.receives.store(true, Ordering::Release);
    }

    /// Whether the records must be read before sessions are compared.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let looked = self.looked.load(Ordering::Acquire);
        let pause = i64::try_from(PAUSE.as_millis()).unwrap_or(i64::MAX);
        self.receives.load(Ordering::Acquire)
            && (looked == NEVER || (now.millis() - looked).abs() >= pause)
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
                let gone = Mark::read(&key.text).and_then(|mark| self.put(mark, key.at, told));
                if let Some((mark, at)) = gone {
                    records.remove(told.kind(), &self::key(mark, at)).await?;
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

    /// Whether there is no ended session.
    pub(crate) fn is_empty(&self) -> bool {
        !self.are_any.load(Ordering::Acquire)
    }

    /// Whether the provider has ended a session since it began.
    pub(crate) fn has(&self, session: &Session<'_>) -> bool {
        if self.is_empty() {
            return false;
        }
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ended = |kind, text: Option<&str>| {
            text.is_some_and(|text| {
                let mark = Mark::of(&lengths_first([kind, session.service, text]));
                let times = [memory.proven.get(mark), memory.by_browsers.get(mark)];
                times.into_iter().flatten().any(|at| at >= session.since)
            })
        };
        let is_ended_for = |kind| session.users.iter().any(|user| is_ended(kind, Some(user)));
        is_ended_for(USER)
            || is_ended(SESSION, session.sid)
            // Better one session too many than one too few.
            || (session.sid.is_none() && is_ended_for(SOME_OF_USER))
    }
}

/// The marks of an ended session.
fn marks_of(event: &SessionEnded) -> impl Iterator<Item = Mark> {
    let mark = |kind, text: &String| Mark::of(&lengths_first([kind, &event.service, text]));
    let session = event.sid.as_ref().map(|sid| mark(SESSION, sid));
    let user = event.account.as_ref().or(event.sub.as_ref());
    let kind = if event.sid.is_some() { SOME_OF_USER } else { USER };
    session.into_iter().chain(user.map(|user| mark(kind, user)))
}

fn key(mark: Mark, at: Timestamp) -> Key {
    Key { at, text: mark.digits() }
}

/// The session in the query of a front-channel logout (section 3): issuer and session are required, as
/// without them any site could end the sessions of its visitors.
///
/// # Errors
/// [`BrowserError::CallbackMalformed`], and [`BrowserError::WrongIssuer`].
pub(crate) fn in_front_channel<'a>(
    params: &'a Params<'_>,
    issuer: &str,
) -> Result<&'a str, BrowserError> {
    let one = |name| params.one(name).ok().flatten().filter(|text| !text.is_empty());
    let (Some(iss), Some(sid)) = (one("iss"), one("sid")) else {
        return Err(BrowserError::CallbackMalformed);
    };
    if iss == issuer { Ok(sid) } else { Err(BrowserError::WrongIssuer) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn ended(sub: Option<&str>, sid: Option<&str>) -> EndedSessions {
        let ended = EndedSessions::default();
        let event = SessionEnded {
            service: "acme".into(),
            issuer: "https://id.example".into(),
            sub: sub.map(Into::into),
            sid: sid.map(Into::into),
            account: sub.map(|sub| format!("https://id.example#{sub}")),
            at: NOW,
        };
        ended.note(&event, Told::Proven);
        ended
    }

    fn session<'a>(user: &'a str, sid: Option<&'a str>) -> Session<'a> {
        Session { service: "acme", users: [user, ""], sid, since: NOW }
    }

    const ADA: &str = "https://id.example#ada";
    const GRACE: &str = "https://id.example#grace";

    #[test]
    fn a_logout_ends_the_session_that_it_names_and_no_other() {
        let one = ended(Some("ada"), Some("s1"));
        assert!(one.has(&session(ADA, Some("s1"))));
        assert!(!one.has(&session(ADA, Some("s2"))));
        assert!(one.has(&session(ADA, None)), "which session this is, nobody knows");
        assert!(!one.has(&session(GRACE, None)));
        assert!(!one.has(&Session { service: "other", ..session(ADA, Some("s1")) }));
        let without_user = ended(None, Some("s1"));
        assert!(without_user.has(&session(ADA, Some("s1"))));
        assert!(!without_user.has(&session(ADA, None)));
    }

    #[test]
    fn a_logout_without_a_session_ends_all_of_the_user() {
        let all = ended(Some("ada"), None);
        for sid in [Some("s1"), Some("s2"), None] {
            assert!(all.has(&session(ADA, sid)));
            assert!(!all.has(&session(GRACE, sid)));
        }
    }

    #[test]
    fn a_session_that_began_later_goes_on() {
        let all = ended(Some("ada"), None);
        let since = NOW + Duration::from_secs(1);
        assert!(!all.has(&Session { since, ..session(ADA, Some("s1")) }));
        assert!(!EndedSessions::default().has(&session(ADA, Some("s1"))));
    }

    #[test]
    fn what_browsers_say_fills_no_memory_of_what_is_proven() {
        let ended = ended(Some("ada"), Some("s1"));
        for number in 0..=MOST_OF_BROWSERS {
            let event = SessionEnded {
                service: "acme".into(),
                issuer: "https://id.example".into(),
                sub: None,
                sid: Some(number.to_string()),
                account: None,
                at: NOW + Duration::from_secs(number as u64),
            };
            ended.note(&event, Told::ByBrowser);
        }
        assert!(ended.has(&session(ADA, Some("s1"))));
        assert!(ended.has(&session(GRACE, Some("1"))));
        assert!(!ended.has(&session(GRACE, Some("0"))), "the first made room");
    }

    #[test]
    fn a_frame_names_issuer_and_session_once_each() {
        let read = |query: &str| {
            let params = Params::parse(query.as_bytes()).unwrap();
            in_front_channel(&params, "https://id.example").map(str::to_owned)
        };
        assert_eq!(read("iss=https%3A%2F%2Fid.example&sid=s1"), Ok("s1".into()));
        for query in [
            "",
            "sid=s1",
            "iss=https%3A%2F%2Fid.example",
            "iss=https%3A%2F%2Fid.example&sid=",
            "iss=https%3A%2F%2Fid.example&sid=s1&sid=s2",
        ] {
            assert_eq!(read(query), Err(BrowserError::CallbackMalformed), "{query}");
        }
        let other = read("iss=https%3A%2F%2Fid.example%2F&sid=s1");
        assert_eq!(other, Err(BrowserError::WrongIssuer));
    }
}
