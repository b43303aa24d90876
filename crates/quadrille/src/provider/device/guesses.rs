//! Limits of guesses at user codes (RFC 8628, section 5.1), and of requests for device codes.
//!
//! Only signed-in users can try codes. A user has ten wrong ones at once, then one a minute,
//! wherever they come from. A network has fifty, then one in ten seconds, but that holds only for
//! users who have just tried a wrong one: the first code of anybody is looked up, so a flood from
//! the same network locks nobody out.

use std::{fmt, time::Duration};

use crate::{
    RemoteAddress, Timestamp,
    provider::guessing::{Rate, Throttle, Who},
};

pub(crate) const OF_USER: Rate = Rate { burst: 10, forgiven_every: Duration::from_secs(60) };
const OF_NETWORK: Rate = Rate { burst: 50, forgiven_every: Duration::from_secs(10) };

/// Every request for a device code takes a row, and a public client needs no secret for one.
const REQUESTS: Rate = Rate { burst: 100, forgiven_every: Duration::from_secs(1) };

pub(crate) struct Guesses {
    users: Throttle,
    networks: Throttle,
    requests: Throttle,
}

impl Guesses {
    pub(crate) fn new() -> Self {
        Self {
            users: Throttle::new(OF_USER),
            networks: Throttle::new(OF_NETWORK),
            requests: Throttle::new(REQUESTS),
        }
    }

    /// Counts an attempt as a failure, before the code is looked up: a hundred concurrent guesses
    /// are a hundred. `now` is that of a monotonic clock.
    ///
    /// # Errors
    /// The time to wait, if there were too many. Nothing is counted.
    pub(crate) fn begin(
        &self,
        subject: &str,
        from: Option<RemoteAddress>,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let user = Who::Pair(subject, None);
        let has_failed = self.users.has_failed(user, now);
        self.users.turn(user, now, Duration::ZERO)?;
        let Some(from) = from else { return Ok(()) };
        match self.networks.failed(Who::Address(from), now) {
            Some(wait) if has_failed => {
                self.users.forgive(user, now);
                Err(wait)
            }
            _ => Ok(()),
        }
    }

    /// Takes an attempt back: the code was right.
    pub(crate) fn was_right(&self, subject: &str, from: Option<RemoteAddress>, now: Timestamp) {
        self.users.forgive(Who::Pair(subject, None), now);
        if let Some(from) = from {
            self.networks.forgive(Who::Address(from), now);
        }
    }

    /// Counts a request for a device code.
    ///
    /// # Errors
    /// The time to wait, if there were too many.
    pub(crate) fn request(
        &self,
        from: Option<RemoteAddress>,
        now: Timestamp,
    ) -> Result<(), Duration> {
        match from.and_then(|from| self.requests.failed(Who::Address(from), now)) {
            Some(wait) => Err(wait),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Guesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guesses")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Option<RemoteAddress> {
        Some(RemoteAddress(std::net::Ipv4Addr::from(number).into()))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + seconds)
    }

    #[test]
    fn of_a_million_guesses_of_a_user_from_many_networks_ten_are_looked_up_and_one_a_minute() {
        let guesses = Guesses::new();
        let is_looked_up = |n: &u32| guesses.begin("eve", address(*n), at(0)).is_ok();
        assert_eq!((0..1_000_000).filter(is_looked_up).count(), 10);
        assert_eq!(guesses.begin("eve", address(1), at(0)), Err(Duration::from_secs(60)));
        assert_eq!(guesses.begin("eve", None, at(60)), Ok(()));
        assert!(guesses.begin("eve", None, at(60)).is_err());
        assert_eq!(guesses.begin("ada", address(1), at(60)), Ok(()), "another user");
    }

    #[test]
    fn of_a_million_guesses_from_one_network_the_first_of_each_user_is_looked_up() {
        let guesses = Guesses::new();
        let users: Vec<String> = (0..1000).map(|n| format!("mallory{n}")).collect();
        let mut looked_up = 0;
        for _ in 0..1000 {
            for user in &users {
                looked_up += usize::from(guesses.begin(user, address(7), at(0)).is_ok());
            }
        }
        assert_eq!(looked_up, users.len(), "one each, and the network's fifty are among them");
        assert_eq!(guesses.begin("ada", address(7), at(0)), Ok(()), "she has tried none");
        assert!(guesses.begin("ada", address(7), at(0)).is_err());
        assert_eq!(guesses.begin("ada", address(8), at(0)), Ok(()), "from another network");
    }

    #[test]
    fn right_codes_use_up_nothing() {
        let guesses = Guesses::new();
        for _ in 0..1000 {
            assert_eq!(guesses.begin("ada", address(7), at(0)), Ok(()));
            guesses.was_right("ada", address(7), at(0));
        }
    }

    #[test]
    fn a_network_gets_a_hundred_codes_and_one_a_second() {
        let guesses = Guesses::new();
        let given = |now| (0..1000).filter(|_| guesses.request(address(7), now).is_ok()).count();
        assert_eq!((given(at(0)), given(at(30))), (100, 30));
        assert_eq!(guesses.request(address(8), at(30)), Ok(()));
        assert_eq!(guesses.request(None, at(30)), Ok(()), "of no known network");
    }
}
