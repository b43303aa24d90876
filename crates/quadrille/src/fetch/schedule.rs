//! The decision whether a document is fetched, by the facts known about it. "Set" is for a set of
//! keys, the kind that has most reasons to be fetched again.

use std::{fmt, sync::Arc, time::Duration};

use crate::Timestamp;

use super::{FetchError, Fetched, document::Document};

/// The limits of the time for which a set is fresh, and that time without a `max-age`.
const SHORTEST: Duration = Duration::from_secs(60);
const DEFAULT: Duration = Duration::from_secs(10 * 60);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The time for which a set is used after it was fresh, while it cannot be fetched again: as long
/// as access tokens usually live, because their issuer is down, too.
const STALE: Duration = Duration::from_secs(60 * 60);

/// The time between two fetches because of an unknown key: anybody can name one.
const BETWEEN: Duration = Duration::from_secs(10);

/// The longest time between two fetches that fail. The first one is a second, and each next one
/// twice as long.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The reason why a document of another party is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFetched<E> {
    /// The document could not be fetched.
    Fetch(FetchError),
    /// The document cannot be used.
    Unusable(E),
}

impl<E: fmt::Display> fmt::Display for NotFetched<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(error) => error.fmt(f),
            Self::Unusable(error) => error.fmt(f),
        }
    }
}

/// The facts about a document.
pub(super) struct Kept<D: Document> {
    document: Option<Arc<D>>,
    fetched: Timestamp,
    fresh_until: Timestamp,
    /// The begin of the last fetch, or its end if it failed: a party that does not answer is not asked
    /// again at once.
    tried: Option<Timestamp>,
    /// The begin of the last fetch of a set that was fresh, but did not suffice.
    missed: Option<Timestamp>,
    /// The number of fetches that failed since one succeeded.
    failures: u32,
    error: Option<NotFetched<D::Error>>,
}

impl<D: Document> Default for Kept<D> {
    fn default() -> Self {
        Self {
            document: None,
            fetched: Timestamp::default(),
            fresh_until: Timestamp::default(),
            tried: None,
            missed: None,
            failures: 0,
            error: None,
        }
    }
}

/// The next step for a request that needs a document.
pub(super) enum Next<D: Document> {
    /// Use this one.
    Use(Arc<D>),
    /// Wait for the fetch that is under way.
    Wait,
    /// Fetch.
    Fetch,
    /// The document could not be fetched a moment ago.
    Fail(NotFetched<D::Error>),
}

impl<D: Document> Kept<D> {
    /// Decides. `suffices` says whether a set has the key that is needed; `at_once` lets a set that
    /// lacks it be fetched again although it has just been fetched.
    pub(super) fn next(
        &self,
        suffices: impl Fn(&D) -> bool,
        at_once: bool,
        is_under_way: bool,
        now: Timestamp,
    ) -> Next<D> {
        let keys = self.usable(now);
        if let Some(keys) = keys {
            let has_key = suffices(keys);
            // A set from the future is from a clock that was set back since.
            let is_fresh = now < self.fresh_until && self.fetched <= now;
            if has_key && (is_fresh || is_under_way) {
                return Next::Use(keys.clone());
            }
        }
        if is_under_way {
            return Next::Wait;
        }
        if self.may_try(at_once, now) {
            return Next::Fetch;
        }
        if keys.is_none() && self.error.is_none() {
            return Next::Fetch;
        }
        self.told(suffices, now).map_or_else(Next::Fail, Next::Use)
    }

    /// The keys, unless they do not suffice and the last fetch failed: nobody can tell then whether
    /// the issuer has the key meanwhile.
    pub(super) fn told(
        &self,
        suffices: impl Fn(&D) -> bool,
        now: Timestamp,
    ) -> Result<Arc<D>, NotFetched<D::Error>> {
        match (self.usable(now), self.error) {
            (Some(keys), None) => Ok(keys.clone()),
            (Some(keys), Some(_)) if suffices(keys) => Ok(keys.clone()),
            (_, error) => Err(error.unwrap_or(NotFetched::Fetch(FetchError::Unreachable))),
        }
    }

    /// The keys, as long as they may be used.
    pub(super) fn usable(&self, now: Timestamp) -> Option<&Arc<D>> {
        self.document.as_ref().filter(|_| now < self.fresh_until + STALE)
    }

    /// `true` if the keys have not expired.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.document.is_some() && now < self.fresh_until
    }

    /// The reason why the last fetch failed.
    pub(super) const fn error(&self) -> Option<NotFetched<D::Error>> {
        self.error
    }

    fn may_try(&self, at_once: bool, now: Timestamp) -> bool {
        let (last, pause) = match self.failures {
            0 if at_once && self.is_fresh(now) => (self.missed, BETWEEN),
            0 => (self.tried, BETWEEN),
            failures => {
                let doubled = 1_u64.checked_shl(failures - 1).unwrap_or(u64::MAX);
                (self.tried, Duration::from_secs(doubled).min(LONGEST_PAUSE))
            }
        };
        last.is_none_or(|last| now < last || now.since(last) >= pause)
    }

    /// Notes the begin of a fetch.
    pub(super) fn begin(&mut self, now: Timestamp) {
        if self.is_fresh(now) {
            self.missed = Some(now);
        }
        self.tried = Some(now);
    }

    /// Notes the result of a fetch.
    pub(super) fn end(
        &mut self,
        result: Result<Fetched, FetchError>,
        expected: &D::Expected,
        now: Timestamp,
    ) {
        let read = result.map_err(NotFetched::Fetch).and_then(|fetched| {
            let read = D::read(&fetched.body, expected).map_err(NotFetched::Unusable)?;
            Ok((read, fetched.max_age))
        });
        match read {
            Ok((document, max_age)) => {
                let fresh = max_age.map_or(DEFAULT, |age| age.clamp(SHORTEST, LONGEST));
                self.document = Some(Arc::new(document));
                (self.fetched, self.fresh_until) = (now, now + fresh);
                (self.failures, self.error) = (0, None);
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                (self.tried, self.error) = (Some(now), Some(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::KeySet;

    type Kept = super::Kept<KeySet>;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const SET: &str = r#"{"keys":[]}"#;

    fn after(seconds: u64) -> Timestamp {
        NOW + Duration::from_secs(seconds)
    }

    fn fetched(at: Timestamp, max_age: Option<u64>) -> Kept {
        let mut kept = Kept::default();
        fetch(&mut kept, at, Ok(max_age));
        kept
    }

    fn fetch(kept: &mut Kept, at: Timestamp, result: Result<Option<u64>, FetchError>) {
        kept.begin(at);
        let fetched = result
            .map(|max_age| Fetched { body: SET.into(), max_age: max_age.map(Duration::from_secs) });
        kept.end(fetched, &(), at);
    }

    fn step(kept: &Kept, suffices: bool, seconds: u64) -> &'static str {
        name(&kept.next(|_| suffices, false, false, after(seconds)))
    }

    fn name(next: &Next<KeySet>) -> &'static str {
        match next {
            Next::Use(_) => "use",
            Next::Wait => "wait",
            Next::Fetch => "fetch",
            Next::Fail(_) => "fail",
        }
    }

    #[test]
    fn a_server_that_hangs_delays_one_request_and_not_the_next() {
        let mut kept = fetched(NOW, Some(60));
        for (failure, pause) in [(0, 1), (1, 2), (2, 4)] {
            let begin = 60 + failure * 100;
            assert_eq!(step(&kept, true, begin), "fetch");
            kept.begin(after(begin));
            kept.end(Err(FetchError::Unreachable), &(), after(begin + 5));
            assert_eq!(step(&kept, true, begin + 5), "use", "the kept one");
            assert_eq!(step(&kept, true, begin + 5 + pause - 1), "use");
            assert_eq!(step(&kept, true, begin + 5 + pause), "fetch");
        }
    }

    #[test]
    fn a_set_is_used_as_long_as_the_answer_says_within_limits() {
        for (max_age, fresh) in
            [(None, 600), (Some(0), 60), (Some(59), 60), (Some(300), 300), (Some(1 << 40), 3600)]
        {
            let kept = fetched(NOW, max_age);
            assert_eq!(step(&kept, true, fresh - 1), "use", "{max_age:?}");
            assert_eq!(step(&kept, true, fresh), "fetch", "{max_age:?}");
        }
    }

    #[test]
    fn an_unknown_key_has_the_set_fetched_again_once_in_ten_seconds() {
        let mut kept = fetched(NOW, None);
        assert_eq!(step(&kept, false, 9), "use");
        assert_eq!(step(&kept, false, 10), "fetch");
        fetch(&mut kept, after(10), Ok(None));
        assert_eq!(step(&kept, false, 19), "use");
        assert_eq!(step(&kept, true, 20), "use");
        assert_eq!(step(&kept, false, 20), "fetch");
    }

    #[test]
    fn a_set_that_has_just_been_fetched_is_fetched_again_at_once_where_that_is_wanted_but_once() {
        let mut kept = fetched(NOW, None);
        let step = |kept: &Kept, suffices: bool, seconds: u64| {
            name(&kept.next(|_| suffices, true, false, after(seconds)))
        };
        assert_eq!(step(&kept, true, 0), "use");
        assert_eq!(step(&kept, false, 0), "fetch");
        fetch(&mut kept, NOW, Ok(None));
        assert_eq!(step(&kept, false, 9), "use");
        assert_eq!(step(&kept, false, 10), "fetch");
        fetch(&mut kept, after(10), Err(FetchError::Unreachable));
        assert_eq!(step(&kept, false, 10), "fail");
        assert_eq!(step(&kept, false, 11), "fetch");
        fetch(&mut kept, after(11), Ok(None));
        assert_eq!(step(&kept, false, 20), "use");
        // A set that was fetched because it had expired is looked at anew.
        fetch(&mut kept, after(611), Ok(None));
        assert_eq!(step(&kept, false, 611), "fetch");
    }

    #[test]
    fn the_last_set_is_used_for_an_hour_while_it_cannot_be_fetched() {
        let mut kept = fetched(NOW, Some(60));
        let mut seconds = 60;
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(step(&kept, true, seconds), "fetch");
            fetch(&mut kept, after(seconds), Err(FetchError::Unreachable));
            assert_eq!(step(&kept, true, seconds + pause - 1), "use");
            seconds += pause;
        }
        fetch(&mut kept, after(3659), Err(FetchError::Unreachable));
        assert_eq!(step(&kept, true, 3659), "use");
        assert_eq!(step(&kept, true, 3660), "fail");
        assert_eq!(kept.error(), Some(NotFetched::Fetch(FetchError::Unreachable)));
    }

    #[test]
    fn without_a_set_a_failure_is_told_until_the_next_try() {
        let mut kept = Kept::default();
        assert_eq!(step(&kept, true, 0), "fetch");
        fetch(&mut kept, NOW, Err(FetchError::Status(404)));
        assert_eq!(name(&kept.next(|_| true, false, false, NOW)), "fail");
        assert_eq!(step(&kept, true, 1), "fetch");
        kept.begin(after(1));
        kept.end(Ok(Fetched::new("{}")), &(), after(1));
        assert!(matches!(kept.error(), Some(NotFetched::Unusable(_))));
    }

    #[test]
    fn a_key_that_is_unknown_while_the_set_cannot_be_fetched_is_not_said_to_be_wrong() {
        let mut kept = fetched(NOW, None);
        fetch(&mut kept, after(10), Err(FetchError::Unreachable));
        assert_eq!(step(&kept, false, 10), "fail");
        assert_eq!(step(&kept, true, 10), "use");
        assert!(kept.told(|_| false, after(10)).is_err());
        fetch(&mut kept, after(11), Ok(None));
        assert_eq!(step(&kept, false, 11), "use");
        assert!(kept.told(|_| false, after(11)).is_ok());
    }

    #[test]
    fn while_a_fetch_is_under_way_others_wait_only_for_a_key_that_they_miss() {
        let kept = fetched(NOW, None);
        assert_eq!(name(&kept.next(|_| true, false, true, after(700))), "use");
        assert_eq!(name(&kept.next(|_| false, false, true, after(700))), "wait");
        assert_eq!(name(&Kept::default().next(|_| true, false, true, NOW)), "wait");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_a_set_for_longer() {
        let kept = fetched(after(100_000), None);
        assert_eq!(step(&kept, true, 0), "fetch");
    }
}
