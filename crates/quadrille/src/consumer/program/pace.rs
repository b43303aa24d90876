//! The pace of the token requests of a device login (RFC 8628, section 3.5): a pure decision.

use std::time::Duration;

use crate::{
    consumer::error::{BrowserError, Error, Result, ServiceError},
    oauth2::{DeviceAuthorizationResponse, ErrorCode},
};

/// The seconds that `slow_down` adds to the interval.
const SLOWER: Duration = Duration::from_secs(5);
/// The longest pause of the back-off, unless the interval is longer.
const LONGEST: Duration = Duration::from_secs(300);

/// The pace of a login.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// The number of failures since the last response.
    failures: u32,
    /// The delay that the service asked for in the last failure.
    delay: Duration,
    /// The last failure, if no response followed it.
    failure: Option<Error>,
}

impl Pace {
    /// The pace at the beginning; `interval` is the one that the service names.
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self {
            interval: interval.unwrap_or(DeviceAuthorizationResponse::DEFAULT_INTERVAL),
            failures: 0,
            delay: Duration::ZERO,
            failure: None,
        }
    }

    /// The time until the next request. It doubles with each failure.
    pub(super) fn wait(&self) -> Duration {
        let doubled = self.interval.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(0));
        let is_long = doubled > LONGEST || (self.failures > 0 && doubled <= self.interval);
        let doubled = if is_long { LONGEST.max(self.interval) } else { doubled };
        doubled.max(self.delay)
    }

    /// Whether to go on after this error of a token request. With `slow_down`, a service may name
    /// the new interval, which is longer by five seconds at least.
    ///
    /// # Errors
    /// The error that ends the login.
    pub(super) fn hear(&mut self, error: Error, interval: Option<Duration>) -> Result<()> {
        match &error {
            Error::Service { error: ServiceError::TokenRefused { error: code }, .. } => {
                match ErrorCode::from(&**code) {
                    ErrorCode::AuthorizationPending => {}
                    ErrorCode::SlowDown => {
                        let slower = self.interval.saturating_add(SLOWER);
                        self.interval = slower.max(interval.unwrap_or_default());
                    }
                    ErrorCode::AccessDenied => return Err(BrowserError::Denied.into()),
                    ErrorCode::ExpiredToken => return Err(BrowserError::AttemptExpired.into()),
                    _ => return Err(error),
                }
                self.delay = interval.unwrap_or_default();
                (self.failures, self.failure) = (0, None);
            }
            failure if failure.is_transient() => {
                self.failures = self.failures.saturating_add(1);
                self.delay = match failure {
                    Error::Service {
                        error: ServiceError::Unavailable { retry_after: Some(delay), .. },
                        ..
                    } => *delay,
                    _ => Duration::ZERO,
                };
                tracing::warn!(
                    service = failure.service_name(),
                    code = failure.code(),
                    cause = failure.causes(),
                    "a request for the token of a device login failed; it is repeated"
                );
                self.failure = Some(error);
            }
            _ => return Err(error),
        }
        Ok(())
    }

    /// The error of a login whose codes have expired: the last failure, if the service could not be
    /// reached.
    pub(super) fn expired(self) -> Error {
        self.failure.unwrap_or(BrowserError::AttemptExpired.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::transport::NetworkError;

    fn refused(code: &str) -> Error {
        Error::service(&"a".into(), ServiceError::TokenRefused { error: code.into() })
    }

    fn timed_out() -> Error {
        Error::network(&"a".into(), NetworkError::TimedOut)
    }

    fn seconds(pace: &Pace) -> u64 {
        pace.wait().as_secs()
    }

    #[test]
    fn five_seconds_unless_the_service_says_otherwise_and_five_more_for_each_slow_down() {
        let mut pace = Pace::new(None);
        assert_eq!(seconds(&pace), 5);
        pace.hear(refused("authorization_pending"), None).unwrap();
        assert_eq!(seconds(&pace), 5);
        pace.hear(refused("slow_down"), None).unwrap();
        pace.hear(refused("authorization_pending"), None).unwrap();
        assert_eq!(seconds(&pace), 10);
        pace.hear(refused("slow_down"), None).unwrap();
        assert_eq!(seconds(&pace), 15);
        assert_eq!(seconds(&Pace::new(Some(Duration::from_secs(1)))), 1);
    }

    #[test]
    fn the_pause_doubles_while_nothing_comes_back() {
        let mut pace = Pace::new(None);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            pace.hear(timed_out(), None).unwrap();
            pauses.push(seconds(&pace));
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300, 300, 300]);
        pace.hear(refused("authorization_pending"), None).unwrap();
        assert_eq!(seconds(&pace), 5);
        assert_eq!(pace.expired().code(), "attempt_expired");
    }

    #[test]
    fn an_overloaded_service_says_how_long_to_wait() {
        let mut pace = Pace::new(None);
        let overloaded = |retry_after| {
            let status = http::StatusCode::TOO_MANY_REQUESTS;
            Error::service(&"a".into(), ServiceError::Unavailable { status, retry_after })
        };
        pace.hear(overloaded(Some(Duration::from_secs(70))), None).unwrap();
        assert_eq!(seconds(&pace), 70);
        pace.hear(overloaded(None), None).unwrap();
        assert_eq!(seconds(&pace), 20);
        assert_eq!(pace.expired().code(), "service_unavailable");
    }

    #[test]
    fn a_decision_ends_the_login() {
        for (code, ends_as) in [
            ("access_denied", "access_denied"),
            ("expired_token", "attempt_expired"),
            ("invalid_grant", "token_refused"),
            ("unsupported_grant_type", "token_refused"),
            ("unreadable", "token_refused"),
        ] {
            let error = Pace::new(None).hear(refused(code), None).unwrap_err();
            assert_eq!(error.code(), ends_as, "{code}");
        }
        let malformed = ServiceError::Malformed { status: http::StatusCode::OK };
        let error = Error::service(&"a".into(), malformed);
        assert_eq!(Pace::new(None).hear(error.clone(), None), Err(error));
    }

    proptest! {
        #[test]
        fn no_pause_is_shorter_than_the_interval_with_its_slow_downs(
            interval in prop::option::of(1..100_000_u64),
            heard in vec(0..3_u8, 0..80),
        ) {
            let mut pace = Pace::new(interval.map(Duration::from_secs));
            let mut least = interval.unwrap_or(5);
            for heard in heard {
                match heard {
                    0 => pace.hear(refused("authorization_pending"), None).unwrap(),
                    1 => {
                        pace.hear(refused("slow_down"), None).unwrap();
                        least += 5;
                    }
                    _ => {
                        let before = pace.wait();
                        pace.hear(timed_out(), None).unwrap();
                        let longest = LONGEST.max(Duration::from_secs(least));
                        prop_assert!(pace.wait() > before || before == longest);
                    }
                }
                prop_assert!(seconds(&pace) >= least);
                prop_assert!(heard == 2 || seconds(&pace) == least);
            }
        }
    }
}
