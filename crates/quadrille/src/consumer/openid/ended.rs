//! The sessions that a provider has ended (OpenID Connect Back-Channel Logout and Front-Channel
//! Logout).

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    consumer::{error::BrowserError, wire::lengths_first},
    form::Params,
};

use super::marks::Marks;

/// The number of ended sessions that are remembered: of those that a signature proves, and of those
/// that a browser says. Anybody can fill the second memory, and nobody the first by that.
const MOST: usize = 65_536;
const MOST_OF_BROWSERS: usize = 16_384;

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
    /// The account, or the user at the issuer where accounts are known by another claim.
    pub(crate) user: Option<&'a str>,
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

/// The sessions that providers have ended, for one process.
#[derive(Debug)]
pub(crate) struct EndedSessions {
    memory: Mutex<Memory>,
    /// Whether there is any: most sites have none, and ask at each request.
    are_any: AtomicBool,
}

#[derive(Debug)]
struct Memory {
    proven: Marks,
    by_browsers: Marks,
}

impl Default for EndedSessions {
    fn default() -> Self {
        let (proven, by_browsers) = (Marks::at_most(MOST), Marks::at_most(MOST_OF_BROWSERS));
        Self { memory: Mutex::new(Memory { proven, by_browsers }), are_any: AtomicBool::new(false) }
    }
}

/// All sessions of a user.
const USER: &str = "user";
/// The session with an identifier.
const SESSION: &str = "session";
/// One session of a user, for those here whose identifier is not known.
const SOME_OF_USER: &str = "some of user";

impl EndedSessions {
    /// Notes an ended session.
    pub(crate) fn note(&self, event: &SessionEnded, told: Told) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { proven, by_browsers } = &mut *memory;
        let marks = match told {
            Told::Proven => proven,
            Told::ByBrowser => by_browsers,
        };
        let mut put = |kind, text: &str| {
            marks.put(&lengths_first([kind, &event.service, text]), event.at);
        };
        let user = event.account.as_ref().or(event.sub.as_ref());
        if let Some(sid) = &event.sid {
            put(SESSION, sid);
        }
        if let Some(user) = user {
            put(if event.sid.is_some() { SOME_OF_USER } else { USER }, user);
        }
        self.are_any.store(true, Ordering::Release);
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
                let key = lengths_first([kind, session.service, text]);
                let times = [memory.proven.get(&key), memory.by_browsers.get(&key)];
                times.into_iter().flatten().any(|at| at >= session.since)
            })
        };
        is_ended(USER, session.user)
            || is_ended(SESSION, session.sid)
            // Better one session too many than one too few.
            || (session.sid.is_none() && is_ended(SOME_OF_USER, session.user))
    }
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
        Session { service: "acme", user: Some(user), sid, since: NOW }
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
