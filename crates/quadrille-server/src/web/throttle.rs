//! Slows down whoever guesses passwords, without telling who exists and without locking anybody out.
//!
//! Three counts of failures, by the name that was typed, whether or not somebody has it:
//! of the name at this address, which always counts; of the address, and of the name from anywhere,
//! which count only where that name has not signed in from that address before. So a flood of
//! guesses from elsewhere cannot keep a person out at their usual address, and a thousand machines
//! that share the work on one name get no further than one.

use std::time::Duration;

use quadrille::{
    Timestamp,
    provider::{Rate, RemoteAddress, Throttle, Who},
};

use crate::users::UserName;

/// Many people may share an address, and one person may be the aim of many.
const WIDE: Rate = Rate { burst: 100, forgiven_every: Duration::from_secs(5) };

/// Counts failed sign-ins.
#[derive(Debug)]
pub(super) struct SignInThrottle {
    narrow: Throttle,
    wide: Throttle,
}

/// An attempt that was counted as a failure until it turns out to be none.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    throttle: &'a SignInThrottle,
    name: &'a str,
    address: RemoteAddress,
    usual: bool,
}

impl Default for SignInThrottle {
    fn default() -> Self {
        Self { narrow: Throttle::new(Rate::FAILURES), wide: Throttle::new(WIDE) }
    }
}

impl SignInThrottle {
    /// Begins an attempt.
    ///
    /// # Errors
    /// How long to wait before the next.
    pub(super) fn begin<'a>(
        &'a self,
        name: &'a UserName,
        address: RemoteAddress,
        now: Timestamp,
    ) -> Result<Attempt<'a>, Duration> {
        let name = name.key();
        let usual = self.narrow.is_known(name, Some(address));
        let attempt = Attempt { throttle: self, name, address, usual };
        if !usual {
            let wide = attempt.wide().into_iter().filter_map(|who| self.wide.wait(who, now)).max();
            if let Some(wait) = wide {
                return Err(wait);
            }
        }
        if let Some(wait) = self.narrow.failed(attempt.narrow(), now) {
            return Err(wait);
        }
        if !usual {
            for who in attempt.wide() {
                let _ = self.wide.failed(who, now);
            }
        }
        Ok(attempt)
    }
}

impl Attempt<'_> {
    /// The password was right.
    pub(super) fn succeeded(self, now: Timestamp) {
        self.withdraw(now);
        self.throttle.narrow.succeeded(self.name, Some(self.address), now);
    }

    /// Nobody looked at the password: it counts neither way.
    pub(super) fn withdraw(&self, now: Timestamp) {
        self.throttle.narrow.forgive(self.narrow(), now);
        if !self.usual {
            for who in self.wide() {
                self.throttle.wide.forgive(who, now);
            }
        }
    }

    fn narrow(&self) -> Who<'_> {
        Who::Pair(self.name, Some(self.address))
    }

    fn wide(&self) -> [Who<'_>; 2] {
        [Who::Address(self.address), Who::Client(self.name)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> RemoteAddress {
        RemoteAddress(std::net::Ipv4Addr::new(192, 0, 2, last).into())
    }

    #[test]
    fn guessing_at_one_name_from_one_address_is_slowed_down() {
        let (throttle, ada) = (SignInThrottle::default(), UserName::parse("Ada").unwrap());
        let now = Timestamp::from_seconds(1000);
        for _ in 0..10 {
            assert!(throttle.begin(&ada, address(1), now).is_ok());
        }
        let wait = throttle.begin(&ada, address(1), now).unwrap_err();
        assert_eq!(wait, Duration::from_secs(10));
        let typed_differently = UserName::parse("aDA").unwrap();
        assert!(throttle.begin(&typed_differently, address(1), now).is_err());
        assert!(throttle.begin(&ada, address(1), now + wait).is_ok());
    }

    #[test]
    fn a_thousand_machines_cannot_keep_a_person_out_where_they_usually_sign_in() {
        let (throttle, ada) = (SignInThrottle::default(), UserName::parse("ada").unwrap());
        let now = Timestamp::from_seconds(1000);
        throttle.begin(&ada, address(1), now).unwrap().succeeded(now);
        let guesses = (2..=250).filter(|last| throttle.begin(&ada, address(*last), now).is_ok());
        assert_eq!(guesses.count(), 100, "the name is slowed down wherever it is tried");
        assert!(throttle.begin(&ada, address(1), now).is_ok());
    }

    #[test]
    fn guessing_at_many_names_from_one_address_is_slowed_down_but_not_for_those_who_live_there() {
        let throttle = SignInThrottle::default();
        let now = Timestamp::from_seconds(1000);
        let ada = UserName::parse("ada").unwrap();
        throttle.begin(&ada, address(1), now).unwrap().succeeded(now);
        let names: Vec<_> = (0..200).map(|n| UserName::parse(&n.to_string()).unwrap()).collect();
        let guesses = names.iter().filter(|name| throttle.begin(name, address(1), now).is_ok());
        assert_eq!(guesses.count(), 100);
        assert!(throttle.begin(&ada, address(1), now).is_ok());
    }

    #[test]
    fn signing_in_a_thousand_times_is_no_failure() {
        let (throttle, ada) = (SignInThrottle::default(), UserName::parse("ada").unwrap());
        let now = Timestamp::from_seconds(1000);
        for _ in 0..1000 {
            throttle.begin(&ada, address(1), now).unwrap().succeeded(now);
        }
    }
}
