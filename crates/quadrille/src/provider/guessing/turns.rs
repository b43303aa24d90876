//! Turns at a chosen secret, which can be guessed: excess attempts wait, for seconds, and only then
//! is the secret checked. So the right secret is accepted also from an address where others guess,
//! and no guess is answered before its turn.
//!
//! All wait in one line (`line.rs`) for the threads that hash, ordered by failures at this client
//! from this network, then by those of the network. So guesses from thousands of networks keep out
//! nobody without failures at this client, and those at other clients little.

use std::{num::NonZeroUsize, time::Duration};

use crate::Timestamp;

use super::{
    jobs::half,
    line::{Failures, Line, Place},
    shared::{LimitsNow, Party},
    throttle::{Rate, Throttle, Who},
};
use crate::RemoteAddress;

/// Attempts at one client from one network: ten, then one every two seconds.
const PAIR: Rate = Rate { burst: 10, forgiven_every: Duration::from_secs(2) };

/// The failures that decide the place in line: ten, each remembered for ten minutes.
const RECORD: Rate = Rate { burst: 10, forgiven_every: Duration::from_secs(600) };

/// The wait of an attempt from a network with too many failures, at any client.
const HOT: Duration = Duration::from_secs(3);

/// The longest wait. Attempts that would wait longer are refused.
const PATIENCE: Duration = Duration::from_secs(8);

/// The number of attempts that wait at once, and the number from one network.
const SEATS: usize = 256;
const SEATS_OF_A_NETWORK: usize = 32;

/// The number that are hashed or about to be, for each thread: none must be idle.
const PLACES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

#[derive(Debug)]
pub(crate) struct Turns {
    /// The name of the limit where processes share it.
    limit: &'static str,
    pairs: Throttle,
    record: Throttle,
    line: Line,
    /// The line for the clients whose secrets another program hashed at a much greater cost:
    /// guesses at them hold no place in front of the others.
    costly: Line,
}

impl Turns {
    pub(crate) fn new(limit: &'static str) -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            limit,
            pairs: Throttle::new(PAIR),
            record: Throttle::new(RECORD),
            line: Line::new(threads.saturating_mul(PLACES), SEATS, SEATS_OF_A_NETWORK),
            costly: Line::new(half(threads).saturating_mul(PLACES), SEATS, SEATS_OF_A_NETWORK),
        }
    }

    /// Returns when an attempt at this client from this address may start; `is_hot` means that too
    /// many have failed from there, `is_costly` that a check takes much longer than others. The
    /// caller checks the secret while it holds the place. If too many wait, returns the time to
    /// stay away.
    pub(crate) async fn take(
        &self,
        client: &str,
        from: Option<RemoteAddress>,
        is_hot: bool,
        is_costly: bool,
        (now, shared): (Timestamp, LimitsNow<'_>),
    ) -> Result<Place<'_>, Duration> {
        let turn = self.pairs.turn(Who::Pair(client, from), now, PATIENCE)?;
        let party = self.party(client, from);
        let turn_of_all = shared.turn(&party, PATIENCE).await.inspect_err(|_| {
            self.pairs.forgive(Who::Pair(client, from), now);
        })?;
        let wait = turn.max(turn_of_all).max(if is_hot { HOT } else { Duration::ZERO });
        let of_network = from.map_or(0, |from| self.record.failures(Who::Address(from), now));
        let at_name = self.record.failures(Who::Pair(client, from), now);
        let failures = Failures { at_name, of_network };
        // Counted before the secret is checked, so concurrent guesses queue up behind one another.
        // A full record is not added to, and nothing is taken from it either.
        let added: Vec<_> =
            parties(client, from).filter(|who| self.record.failed(*who, now).is_none()).collect();
        let line = if is_costly { &self.costly } else { &self.line };
        match line.turn(from, failures, wait, PATIENCE).await {
            Ok(place) => Ok(place),
            Err(_away) => {
                self.pairs.forgive(Who::Pair(client, from), now);
                added.into_iter().for_each(|who| self.record.forgive(who, now));
                shared.forgive(&party).await;
                Err(HOT)
            }
        }
    }

    /// Takes a turn back: the secret was right.
    pub(crate) async fn forgive(
        &self,
        client: &str,
        from: Option<RemoteAddress>,
        (now, shared): (Timestamp, LimitsNow<'_>),
    ) {
        self.pairs.forgive(Who::Pair(client, from), now);
        parties(client, from).for_each(|who| self.record.forgive(who, now));
        shared.forgive(&self.party(client, from)).await;
    }

    /// The party whose turns all processes share.
    fn party(&self, client: &str, from: Option<RemoteAddress>) -> Party {
        Party::pair(self.limit, PAIR, client, from)
    }
}

/// The parties whose failures decide the place in line.
fn parties(client: &str, from: Option<RemoteAddress>) -> impl Iterator<Item = Who<'_>> {
    [Some(Who::Pair(client, from)), from.map(Who::Address)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{guessing::SharedLimits, store::VolatileMemory};

    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);
    static ALONE: SharedLimits = SharedLimits::NONE;

    fn at() -> (Timestamp, LimitsNow<'static>) {
        (NOON, ALONE.at(1, NOON))
    }

    fn address(number: u32) -> Option<RemoteAddress> {
        Some(RemoteAddress(std::net::Ipv4Addr::from_bits(number).into()))
    }

    #[expect(clippy::disallowed_methods, reason = "tokio's clock is paused, and moved by waiting")]
    async fn waits(turns: &Turns, is_hot: bool) -> Result<u64, u64> {
        let began = tokio::time::Instant::now();
        let turn = turns.take("a", address(1), is_hot, false, at()).await;
        turn.map(|_| began.elapsed().as_secs()).map_err(|wait| wait.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn ten_attempts_are_free_and_then_one_waits_its_turn_until_too_many_do() {
        let turns = Turns::new("guesses");
        for _ in 0..10 {
            assert_eq!(waits(&turns, false).await, Ok(0));
        }
        for seconds in [2, 4, 6, 8] {
            assert_eq!(waits(&turns, false).await, Ok(seconds));
        }
        for _ in 0..2 {
            assert_eq!(waits(&turns, false).await, Err(2));
        }
        turns.forgive("a", address(1), at()).await;
        assert_eq!(waits(&turns, false).await, Ok(8));
    }

    #[tokio::test(start_paused = true)]
    async fn processes_that_share_their_limits_allow_no_more_attempts_than_one() {
        let limits = SharedLimits::of(VolatileMemory::new(100));
        let at = (NOON, limits.at(1, NOON));
        let processes = [(); 4].map(|()| Turns::new("guesses"));
        let mut refused = 0;
        for process in processes.iter().cycle().take(100) {
            refused += u32::from(process.take("a", address(1), false, false, at).await.is_err());
        }
        assert_eq!(refused, 100 - 10 - 4, "ten are free, and four wait");
        let [first, second, ..] = &processes;
        assert!(first.take("b", address(1), false, false, at).await.is_ok(), "another client");
        assert!(first.take("a", address(2), false, false, at).await.is_ok(), "another network");
        first.forgive("a", address(1), at).await;
        assert!(second.take("a", address(1), false, false, at).await.is_ok());
        assert!(second.take("a", address(1), false, false, at).await.is_err());
        // A refused attempt took no turn of its process either.
        let alone = processes[3].take("a", address(1), false, false, (NOON, ALONE.at(1, NOON)));
        assert!(alone.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn from_a_network_that_failed_too_often_each_attempt_waits() {
        assert_eq!(waits(&Turns::new("guesses"), true).await, Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_at_other_clients_put_nobody_behind_those_who_guess_at_this_one() {
        let turns = std::sync::Arc::new(Turns::new("guesses"));
        for other in 0..20 {
            drop(
                turns
                    .take(&format!("client {other}"), address(1), false, false, at())
                    .await
                    .unwrap(),
            );
        }
        let mut flood = tokio::task::JoinSet::new();
        for number in 2..300 {
            drop(turns.take("a", address(number), false, false, at()).await.unwrap());
            let turns = turns.clone();
            flood.spawn(async move {
                while let Ok(_place) = turns.take("a", address(number), false, false, at()).await {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
        }
        // Until all of them have come.
        for _ in 0..300 {
            tokio::task::yield_now().await;
        }
        assert!(waits(&turns, false).await.is_ok_and(|seconds| seconds <= 1));
    }

    #[tokio::test(start_paused = true)]
    async fn costly_guesses_hold_no_place_in_front_of_others() {
        let turns = Turns::new("guesses");
        let mut held = Vec::new();
        for number in 2..1000 {
            let turn = turns.take("costly", address(number), false, true, at());
            let Ok(place) = tokio::time::timeout(Duration::from_millis(1), turn).await else {
                break;
            };
            held.push(place.unwrap());
        }
        assert!(!held.is_empty() && held.len() < 900, "all places are held");
        assert_eq!(waits(&turns, false).await, Ok(0));
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_from_thousands_of_networks_keep_nobody_out() {
        let turns = std::sync::Arc::new(Turns::new("guesses"));
        let mut flood = tokio::task::JoinSet::new();
        for number in 2..3000 {
            let turns = turns.clone();
            flood.spawn(async move {
                // Each guess takes a second, and is followed by the next.
                while let Ok(_place) = turns.take("a", address(number), false, false, at()).await {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
        }
        // Until all of them have come.
        for _ in 0..3000 {
            tokio::task::yield_now().await;
        }
        assert!(waits(&turns, false).await.is_ok_and(|seconds| seconds <= 1));
    }
}
