//! A provider in this process, with its clients, its users and their browsers. The targets for
//! sequences of requests share it.

mod answer;
mod browser;
mod clients;
mod known;
mod process;

pub(crate) use answer::Answer;
pub(crate) use browser::Browser;
pub(crate) use clients::{CLIENTS, SCOPES, URIS, may_redirect};
pub(crate) use known::{Is, Known, Operator};
pub(crate) use process::{API, Consent, ISSUER, Process};

use std::time::Duration;

use arbitrary::Arbitrary;

use crate::nature::Nature;

/// The subjects of the users.
pub(crate) const USERS: [&str; 3] = ["ada", "bob", "eve"];

/// The greatest distance of a clock from the latest time that it has shown. A store deletes a
/// revocation when every revoked object must have expired, by the clock at the time.
const DEEPEST_STEP: Duration = Duration::from_secs(30 * DAY);

const DAY: u64 = 24 * 3600;

/// A move of the clock.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Wait {
    amount: u8,
    back: bool,
}

impl Wait {
    pub(crate) fn pass(self, nature: &Nature) {
        /// Around the limits of the policy, in milliseconds.
        const AMOUNTS: [u64; 22] = [
            1,
            250,
            499,
            500,
            999,
            1000,
            5000,
            9999,
            10_000,
            59_999,
            60_000,
            299_000,
            301_000,
            899_999,
            900_000,
            1_800_000,
            3_599_999,
            3_600_000,
            DAY * 1000,
            19 * DAY * 1000,
            20 * DAY * 1000,
            41 * DAY * 1000,
        ];
        let by = Duration::from_millis(AMOUNTS[usize::from(self.amount) % AMOUNTS.len()]);
        if self.back {
            nature.step_back(by, DEEPEST_STEP);
        } else {
            nature.advance(by);
        }
    }
}

/// Element `number` of a list, counted from its end: sequences mostly use the latest object.
pub(crate) fn recent<T>(list: &[T], number: u8) -> Option<usize> {
    (!list.is_empty()).then(|| list.len() - 1 - usize::from(number) % list.len())
}

/// An element of a list, for any number.
pub(crate) fn pick<T>(list: &[T], number: u8) -> usize {
    usize::from(number) % list.len()
}
