//! Turns at a secret that somebody chose, which can be guessed: what is too much waits, for seconds,
//! and only then is the secret looked at. So the right one is heard also at an address from which
//! somebody else guesses, and no guess is heard faster than its turn comes.
//!
//! An attempt that waits holds a seat. Seats are few; without one an attempt is refused.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::Timestamp;

use super::throttle::{Rate, RemoteAddress, Throttle, Who};

/// Attempts at one client from one network: after ten, one every two seconds.
const PAIR: Rate = Rate { burst: 10, forgiven_every: Duration::from_secs(2) };

/// How long an attempt waits from a network with too many failures, at whatever client.
const HOT: Duration = Duration::from_secs(3);

/// How long an attempt waits at most. What would have to wait longer is refused.
const PATIENCE: Duration = Duration::from_secs(8);

/// How many attempts wait at once, and how many of them from one network.
const SEATS: usize = 256;
const SEATS_OF_A_NETWORK: usize = 32;

#[derive(Debug)]
pub(crate) struct Turns {
    pairs: Throttle,
    /// How many wait, by network.
    waiting: Mutex<HashMap<Option<u128>, usize>>,
}

/// A seat. Dropping it, as happens when the client goes away, gives it back.
struct Seat<'a> {
    turns: &'a Turns,
    network: Option<u128>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { pairs: Throttle::new(PAIR), waiting: Mutex::default() }
    }

    /// Returns when it is the turn of an attempt at this client from there; `is_hot` says that too
    /// many have failed from there already. Says how long to stay away where too many wait.
    pub(crate) async fn take(
        &self,
        client: &str,
        from: Option<RemoteAddress>,
        is_hot: bool,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let who = Who::Pair(client, from);
        let turn = self.pairs.turn(who, now, PATIENCE)?;
        let wait = turn.max(if is_hot { HOT } else { Duration::ZERO });
        if wait.is_zero() {
            return Ok(());
        }
        let Some(_seat) = self.sit(from) else {
            self.pairs.forgive(who, now);
            return Err(HOT);
        };
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Takes a turn back: the secret was right.
    pub(crate) fn forgive(&self, client: &str, from: Option<RemoteAddress>, now: Timestamp) {
        self.pairs.forgive(Who::Pair(client, from), now);
    }

    fn sit(&self, from: Option<RemoteAddress>) -> Option<Seat<'_>> {
        let network = from.map(RemoteAddress::network);
        let mut waiting = self.waiting();
        let all: usize = waiting.values().sum();
        let here = waiting.get(&network).map_or(0, |count| *count);
        if all >= SEATS || here >= SEATS_OF_A_NETWORK {
            return None;
        }
        waiting.insert(network, here + 1);
        Some(Seat { turns: self, network })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Option<u128>, usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut waiting = self.turns.waiting();
        match waiting.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                waiting.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn address(low: u8) -> Option<RemoteAddress> {
        Some(RemoteAddress([192, 0, 2, low].into()))
    }

    #[expect(clippy::disallowed_methods, reason = "tokio's clock is paused, and moved by waiting")]
    async fn waits(turns: &Turns, is_hot: bool) -> Result<u64, u64> {
        let began = tokio::time::Instant::now();
        let turn = turns.take("a", address(1), is_hot, NOON).await;
        turn.map(|()| began.elapsed().as_secs()).map_err(|wait| wait.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn ten_attempts_are_free_and_then_one_waits_its_turn_until_too_many_do() {
        let turns = Turns::new();
        for _ in 0..10 {
            assert_eq!(waits(&turns, false).await, Ok(0));
        }
        for seconds in [2, 4, 6, 8] {
            assert_eq!(waits(&turns, false).await, Ok(seconds));
        }
        for _ in 0..2 {
            assert_eq!(waits(&turns, false).await, Err(2));
        }
        turns.forgive("a", address(1), NOON);
        assert_eq!(waits(&turns, false).await, Ok(8));
        assert!(turns.waiting().is_empty(), "seats are given back");
    }

    #[tokio::test(start_paused = true)]
    async fn from_a_network_that_failed_too_often_each_attempt_waits() {
        assert_eq!(waits(&Turns::new(), true).await, Ok(3));
    }

    #[test]
    fn no_network_takes_all_seats() {
        let turns = Turns::new();
        let here: Vec<_> = (0..).map_while(|_| turns.sit(address(1))).collect();
        assert_eq!(here.len(), SEATS_OF_A_NETWORK);
        let others: Vec<_> = (2..).map_while(|low| turns.sit(address(low))).collect();
        assert_eq!(here.len() + others.len(), SEATS);
        drop(here);
        assert!(turns.sit(address(1)).is_some());
    }
}
