//! Refreshes in progress, the results of recent ones, and the delay after a failure; redemptions of
//! codes in progress ([`redemptions`]).

pub(super) mod redemptions;
pub(super) mod unwritten;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use tokio::sync::watch;

use crate::{
    Env, Secret, Timestamp,
    consumer::error::{Error, ServiceError},
};

use self::unwritten::Unwritten;
use super::{
    account::{Stored, Token},
    backoff::Backoff,
};

/// A token younger than this that gets a 401 is not the problem.
pub(crate) const YOUNG: Duration = Duration::from_secs(30);

/// The time for which a result is remembered.
const REMEMBERED: Duration = Duration::from_secs(600);
/// The greatest number of results remembered; beyond it, the oldest are dropped.
const MOST: usize = 10_000;
/// A refresh token refused this often in a row over this time has expired, whatever error the
/// service names; an answer that no client could use refuses it, too.
const REFUSALS: (u32, Duration) = (3, Duration::from_secs(60));

/// The outcome of one refresh.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Refreshed(Token),
    /// The refresh token is expired or revoked.
    Ended,
    Failed(Error),
    /// The token endpoint was not asked.
    NotAsked(Error),
}

/// The refreshes of this process.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Key, Flight>>);

#[derive(Debug)]
struct Flight {
    began: Timestamp,
    outcome: watch::Receiver<Option<Outcome>>,
    trouble: Trouble,
    /// The service issued the same token with the same lifetime again: the result has the key of
    /// the refresh itself.
    changed_nothing: bool,
}

/// A caller's part in a refresh.
pub(super) enum Boarding {
    /// The refresh is in progress, recently done, or must not be tried again yet.
    Joined(watch::Receiver<Option<Outcome>>),
    /// The caller must run the refresh.
    Begun(watch::Sender<Option<Outcome>>, watch::Receiver<Option<Outcome>>, Trouble),
}

/// The failures of one refresh in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trouble {
    backoff: Backoff,
    refusals: u32,
    refused_since: Option<Timestamp>,
}

/// The identity of a refresh: a digest of everything that it changes about the token, so that its
/// result has another key even if the refresh token stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn of(stored: &Stored) -> Self {
        let Stored { account, token, .. } = stored;
        let mut context = digest::Context::new(&digest::SHA256);
        for text in [
            account.owner.as_str(),
            &account.service,
            &account.subject,
            token.access_token.expose(),
            token.refresh_token.as_ref().map_or("", Secret::expose),
        ] {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
        // In seconds, as in a cookie.
        let expires = token.expires.map_or(i64::MAX, Timestamp::seconds);
        for time in [token.obtained.seconds(), expires] {
            context.update(&time.to_be_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        Self(key)
    }
}

impl Flights {
    /// Joins the one refresh of this token, or begins it.
    pub(super) fn board(&self, key: Key, now: Timestamp) -> Boarding {
        let mut flights = self.lock();
        let mut trouble = Trouble::default();
        if let Some(flight) = flights.get(&key).filter(|flight| flight.is_remembered(now)) {
            if !flight.may_be_repeated(now) {
                return Boarding::Joined(flight.outcome.clone());
            }
            trouble = flight.trouble;
        }
        if flights.len() >= MOST {
            flights.retain(|_, flight| flight.is_remembered(now));
            if flights.len() >= MOST
                && let Some(oldest) = flights.iter().min_by_key(|(_, f)| f.began).map(|(k, _)| *k)
            {
                flights.remove(&oldest);
            }
        }
        let (send, outcome) = watch::channel(None);
        let flight =
            Flight { began: now, outcome: outcome.clone(), trouble, changed_nothing: false };
        flights.insert(key, flight);
        Boarding::Begun(send, outcome, trouble)
    }

    /// Records the outcome of the refresh of `old`.
    pub(super) fn land(&self, old: &Stored, outcome: &Outcome, now: Timestamp) {
        let key = Key::of(old);
        let next = match outcome {
            Outcome::Refreshed(token) => {
                Some(Key::of(&Stored { token: token.clone(), ..old.clone() }))
            }
            Outcome::Ended | Outcome::Failed(_) | Outcome::NotAsked(_) => None,
        };
        if let Some(flight) = self.lock().get_mut(&key) {
            flight.changed_nothing = next == Some(key);
            flight.trouble = match outcome {
                Outcome::Failed(error) => flight.trouble.after(error, now),
                Outcome::NotAsked(error) => flight.trouble.without_an_answer(error, now),
                Outcome::Refreshed(_) | Outcome::Ended => Trouble::default(),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    fn is_remembered(&self, now: Timestamp) -> bool {
        // A refresh whose task ended without an outcome.
        let is_lost = self.outcome.borrow().is_none() && self.outcome.has_changed().is_err();
        !is_lost && now.since(self.began) <= REMEMBERED
    }

    /// Whether a new request may repeat the refresh.
    fn may_be_repeated(&self, now: Timestamp) -> bool {
        match &*self.outcome.borrow() {
            Some(Outcome::Failed(_) | Outcome::NotAsked(_)) => self.trouble.may_try(now),
            // The result leads only to another refresh.
            Some(Outcome::Refreshed(token)) if self.changed_nothing => {
                !token.is_good(now, Duration::ZERO) || now.since(self.began) >= YOUNG
            }
            Some(Outcome::Refreshed(_) | Outcome::Ended) | None => false,
        }
    }
}

impl Trouble {
    /// Adds one failure that is no answer of the token endpoint.
    fn without_an_answer(self, error: &Error, now: Timestamp) -> Self {
        let backoff = match error {
            Error::Service { error: ServiceError::Unavailable { retry_after, .. }, .. } => {
                self.backoff.after(*retry_after, now)
            }
            Error::Service { .. } | Error::Network { .. } => self.backoff.after(None, now),
            // The service received no request.
            _ => self.backoff.without_delay(),
        };
        Self { backoff, refusals: 0, refused_since: None }
    }

    /// Adds one failure of the token endpoint.
    pub(super) fn after(self, error: &Error, now: Timestamp) -> Self {
        let is_refusal = matches!(
            error,
            Error::Service {
                error: ServiceError::TokenRefused { .. }
                    | ServiceError::Malformed { .. }
                    | ServiceError::TooLarge
                    | ServiceError::TokenType { .. }
                    | ServiceError::IdTokenRejected(_),
                ..
            }
        );
        let next = self.without_an_answer(error, now);
        match is_refusal {
            true => Self {
                refusals: self.refusals.saturating_add(1),
                refused_since: Some(self.refused_since.unwrap_or(now)),
                ..next
            },
            false => next,
        }
    }

    /// Whether the refresh token was refused often enough to count as expired.
    pub(super) fn is_the_end(&self, now: Timestamp) -> bool {
        let (refusals, since) = REFUSALS;
        self.refusals >= refusals
            && self.refused_since.is_some_and(|first| now.since(first) >= since)
    }

    fn may_try(&self, now: Timestamp) -> bool {
        self.backoff.left(now).is_none()
    }
}

/// The refreshes of this process, and what it is called in leases.
#[derive(Debug, Default)]
pub(crate) struct Refresher {
    pub(super) flights: Flights,
    pub(super) unwritten: Unwritten<Key>,
    holder: OnceLock<u64>,
}

impl Refresher {
    /// What this process is called in leases.
    pub(super) fn holder(&self, env: &Env) -> u64 {
        *self.holder.get_or_init(|| u64::from_be_bytes(env.random()))
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::{Owner, consumer::Account, oidc::IdTokenRejected, transport::NetworkError};

    fn service(error: ServiceError) -> Error {
        Error::Service { service: "github".into(), error }
    }

    fn unavailable(retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        let status = StatusCode::SERVICE_UNAVAILABLE;
        service(ServiceError::Unavailable { status, retry_after })
    }

    fn wait_after(trouble: Trouble, error: &Error, now: Timestamp) -> (Trouble, u64) {
        let trouble = trouble.after(error, now);
        let wait = (0..1000).find(|s| trouble.may_try(now + Duration::from_secs(*s))).unwrap();
        (trouble, wait)
    }

    #[test]
    fn each_failure_in_a_row_waits_twice_as_long_up_to_a_minute() {
        let now = Timestamp::from_seconds(1_000_000);
        let network = Error::network(&"a".into(), NetworkError::TimedOut);
        for error in [unavailable(None), network, service(ServiceError::ClientRefused)] {
            let mut trouble = Trouble::default();
            let waits: Vec<_> = (0..9)
                .map(|_| {
                    let wait;
                    (trouble, wait) = wait_after(trouble, &error, now);
                    wait
                })
                .collect();
            assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60], "{error}");
        }
    }

    #[test]
    fn a_service_says_how_long_to_wait_within_reason() {
        let now = Timestamp::from_seconds(1_000_000);
        for (asked, waits) in [(0, 1), (1, 1), (120, 120), (300, 300), (86_400, 300)] {
            let (_, wait) = wait_after(Trouble::default(), &unavailable(Some(asked)), now);
            assert_eq!(wait, waits, "{asked}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_makes_nobody_wait() {
        let now = Timestamp::from_seconds(1_000_000);
        let trouble = Trouble::default().after(&unavailable(None), now);
        assert!(!trouble.may_try(now));
        assert!(trouble.may_try(now - Duration::from_secs(3600)));
    }

    #[test]
    fn only_refusals_in_a_row_and_for_a_while_are_an_end() {
        let start = Timestamp::from_seconds(1_000_000);
        let at = |seconds| start + Duration::from_secs(seconds);
        let refused = service(ServiceError::TokenRefused { error: "invalid_request".into() });
        let bare = service(ServiceError::Malformed { status: StatusCode::BAD_REQUEST });
        let html = service(ServiceError::Malformed { status: StatusCode::OK });
        let of_another = service(ServiceError::IdTokenRejected(IdTokenRejected::NonceOther));
        let after = |steps: &[(&Error, u64)]| {
            let mut trouble = Trouble::default();
            steps.iter().for_each(|(error, at_second)| {
                trouble = trouble.after(error, at(*at_second));
            });
            trouble.is_the_end(at(steps.last().unwrap().1))
        };
        assert!(after(&[(&refused, 0), (&refused, 30), (&refused, 60)]));
        assert!(after(&[(&refused, 0), (&bare, 30), (&refused, 60)]));
        assert!(!after(&[(&refused, 0), (&refused, 30), (&refused, 59)]), "too soon");
        assert!(!after(&[(&refused, 0), (&refused, 60)]), "too few");
        assert!(!after(&[(&refused, 0), (&unavailable(None), 30), (&refused, 60)]), "not in a row");
        assert!(after(&[(&html, 0), (&of_another, 30), (&html, 60)]), "nor can these be used");
        assert!(!after(&[(&html, 0), (&html, 30), (&html, 59)]), "a fault that passes");
        let unread = Trouble::default().after(&refused, at(0)).after(&refused, at(30));
        assert!(!unread.without_an_answer(&bare, at(60)).is_the_end(at(60)), "of no token");
        let client = service(ServiceError::ClientRefused);
        assert!(!after(&[(&client, 0), (&client, 30), (&client, 60)]), "the operator's fault");
    }

    #[test]
    fn whatever_a_refresh_changes_is_another_refresh() {
        let token = Token::new("a").refresh_token("r").expires(Timestamp::from_seconds(60));
        let account =
            Account { owner: Owner::user(1), service: "github".into(), subject: "7".into() };
        let stored = Stored { account, token, version: 1, needs_linking_again: false };
        let mut others = vec![Key::of(&stored)];
        let mut change = |change: fn(&mut Stored)| {
            let mut other = stored.clone();
            change(&mut other);
            let key = Key::of(&other);
            assert!(!others.contains(&key));
            others.push(key);
        };
        change(|stored| stored.token.access_token = "b".into());
        change(|stored| stored.token.refresh_token = Some("s".into()));
        change(|stored| stored.token.expires = Some(Timestamp::from_seconds(120)));
        change(|stored| stored.token.expires = None);
        change(|stored| stored.token.obtained = Timestamp::from_seconds(1));
        change(|stored| stored.account.subject = "8".into());
        change(|stored| stored.account.service = "gitlab".into());
        change(|stored| stored.account.owner = Owner::user(2));
        let mut same = stored.clone();
        same.version = 2;
        same.token.expires = Some(Timestamp::from_millis(60_999));
        assert_eq!(Key::of(&same), Key::of(&stored), "as it comes back from a cookie");
    }

    #[test]
    fn a_refresh_that_changed_nothing_is_begun_again_when_the_token_has_ended() {
        let start = Timestamp::from_seconds(1_000_000);
        let at = |seconds| start + Duration::from_secs(seconds);
        let account =
            Account { owner: Owner::user(1), service: "github".into(), subject: "7".into() };
        let with = |lasts| {
            let mut token = Token::new("a").refresh_token("r").expires(at(lasts));
            token.obtained = start;
            Stored { account: account.clone(), token, version: 1, needs_linking_again: false }
        };
        for (old, new, begun_again) in [
            (with(10), with(10), [false, true, true, true]),
            (with(3600), with(3600), [false, false, true, true]),
            (with(10), with(20), [false; 4]),
        ] {
            let (flights, key) = (Flights::default(), Key::of(&old));
            let Boarding::Begun(send, ..) = flights.board(key, start) else { panic!() };
            let outcome = Outcome::Refreshed(new.token.clone());
            flights.land(&old, &outcome, start);
            send.send_replace(Some(outcome));
            for (seconds, expected) in [1, 10, 30, 599].into_iter().zip(begun_again) {
                let flight = flights.lock();
                let may_be_repeated = flight[&key].may_be_repeated(at(seconds));
                assert_eq!(may_be_repeated, expected, "{seconds} {new:?}");
            }
        }
    }

    #[test]
    fn a_refresh_whose_task_is_gone_is_begun_again() {
        let (flights, now) = (Flights::default(), Timestamp::from_seconds(1));
        let key = Key([7; 32]);
        let Boarding::Begun(send, ..) = flights.board(key, now) else { panic!() };
        assert!(matches!(flights.board(key, now), Boarding::Joined(_)));
        drop(send);
        assert!(matches!(flights.board(key, now), Boarding::Begun(..)));
    }
}
