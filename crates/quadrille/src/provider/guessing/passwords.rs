//! Turns at the passwords of users. They are those of chosen secrets (`turns.rs`), with two more
//! counts: of the failures at a name from everywhere, and of those of a network at any name. Where
//! these are too many, each attempt waits, unless the user has signed in from that network before.

use std::time::Duration;

use crate::{RemoteAddress, Timestamp};

use super::{
    line::Place,
    shared::LimitsNow,
    throttle::{Rate, Throttle, Who},
    turns::Turns,
};

/// The failures of users' passwords, and the line for checking them.
#[derive(Debug)]
pub(crate) struct Passwords {
    throttle: Throttle,
    turns: Turns,
}

/// An attempt whose turn it is. It counts as a failure until its result is told.
#[derive(Debug)]
pub(crate) struct PasswordTurn<'a> {
    passwords: &'a Passwords,
    key: String,
    from: Option<RemoteAddress>,
    at: (Timestamp, LimitsNow<'a>),
    /// The parties whose failures this attempt was added to.
    counted: Counted,
    place: Place<'a>,
}

/// The failures that an attempt was counted as: of the name, of the network.
#[derive(Clone, Copy, Debug)]
struct Counted {
    name: bool,
    network: bool,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { throttle: Throttle::new(Rate::FAILURES), turns: Turns::new("password-guesses") }
    }

    /// Returns when an attempt at this name from this address may start. If too many wait, returns
    /// the time to stay away.
    pub(crate) async fn turn<'a>(
        &'a self,
        name: &str,
        from: Option<RemoteAddress>,
        at: (Timestamp, LimitsNow<'a>),
    ) -> Result<PasswordTurn<'a>, Duration> {
        let (now, _) = at;
        // An application may take names in any case: each has the turns of one user.
        let key = name.trim().to_lowercase();
        let throttle = &self.throttle;
        let counted = Counted {
            name: throttle.failed(Who::named(&key), now).is_none(),
            network: from.is_some_and(|from| throttle.failed(Who::Address(from), now).is_none()),
        };
        let is_over = !counted.name || (from.is_some() && !counted.network);
        let is_hot = is_over && !throttle.is_known(&key, from);
        // Only the application knows by which function it hashes the password.
        let is_costly = false;
        match self.turns.take(&key, from, is_hot, is_costly, at).await {
            Ok(place) => Ok(PasswordTurn { passwords: self, key, from, at, counted, place }),
            Err(wait) => {
                self.forgive(&key, from, counted, now);
                Err(wait)
            }
        }
    }

    fn forgive(&self, key: &str, from: Option<RemoteAddress>, counted: Counted, now: Timestamp) {
        if counted.name {
            self.throttle.forgive(Who::named(key), now);
        }
        if let Some(from) = from.filter(|_| counted.network) {
            self.throttle.forgive(Who::Address(from), now);
        }
    }
}

impl PasswordTurn<'_> {
    /// The password was wrong, or nobody has the name.
    pub(crate) fn was_wrong(self) {
        drop(self.place);
    }

    /// The password was right.
    pub(crate) async fn was_right(self) {
        let (now, _) = self.at;
        self.passwords.throttle.succeeded(&self.key, self.from, now);
        self.was_not_looked_at().await;
    }

    /// The application did not look at the password: the attempt counts for nothing.
    pub(crate) async fn was_not_looked_at(self) {
        let Self { passwords, key, from, at, counted, place } = self;
        drop(place);
        passwords.turns.forgive(&key, from, at).await;
        let (now, _) = at;
        passwords.forgive(&key, from, counted, now);
    }
}
