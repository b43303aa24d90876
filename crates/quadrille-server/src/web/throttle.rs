//! Slows down guessing at passwords, and keeps nobody out who has the right one.
//!
//! Failures are counted by the name that was typed, whether or not somebody has it, by the network
//! that they come from, and by both together. What is too many for one of these is not refused but
//! waits, for seconds, and only then is the password looked at:
//!
//! * failures at one name from one network take turns, one every two seconds;
//! * where a name is tried from everywhere, or a network tries every name, each attempt waits three
//!   seconds, however many there are. So guesses from elsewhere never use up a person's own turn.
//!
//! A browser in which the person signed in before has a device cookie (OWASP, "device cookies") and
//! is counted by itself: it does not wait, whatever others do. One that was stolen helps to ten
//! guesses, and after that counts as none.
//!
//! Who waits holds a seat, of which there are not so many; without one an attempt is refused. Those
//! with a device cookie need none.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quadrille::Timestamp;

/// How failures of one kind are counted.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// How many are free.
    burst: u32,
    /// How long it takes until one is forgiven.
    forgiven_every: Duration,
    /// How long it takes at most until all are.
    most: Duration,
}

/// Failures in a browser that the person has signed in with before.
const DEVICE: Limit =
    Limit { burst: 10, forgiven_every: Duration::from_secs(10), most: Duration::from_secs(100) };

/// Failures at one name from one network: after these, one more every two seconds.
const PAIR: Limit =
    Limit { burst: 10, forgiven_every: Duration::from_secs(2), most: Duration::from_secs(28) };

/// Failures at a name from anywhere, and failures from a network at any name.
const WIDE: Limit =
    Limit { burst: 100, forgiven_every: Duration::from_secs(5), most: Duration::from_secs(1000) };

/// How long an attempt waits at a name, or from a network, with too many failures.
const HOT: Duration = Duration::from_secs(3);

/// How long an attempt waits at most. What would have to wait longer is refused.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// How many attempts wait at once.
const SEATS: usize = 1024;

/// How many of them from one network.
const SEATS_OF_A_NETWORK: usize = 64;

/// When the failures of each party are forgiven; the past where there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recovery {
    /// Of the browser, if it has a device cookie for this name.
    pub(super) device: Option<Timestamp>,
    /// Of the name from this network.
    pub(super) pair: Timestamp,
    /// Of the name.
    pub(super) name: Timestamp,
    /// Of the network.
    pub(super) network: Timestamp,
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The password is looked at now, as that of a browser with a device cookie.
    Trusted,
    /// The password is looked at after so long.
    After(Duration),
    /// It is not looked at. Another attempt may be, after so long.
    Refused(Duration),
}

/// What becomes of an attempt, and when the failures are forgiven if it is one. A refused attempt
/// counts for nothing, as nobody looked at it.
pub(super) fn decide(before: &Recovery, has_seat: bool, now: Timestamp) -> (Turn, Recovery) {
    let mut after = *before;
    if let Some(device) = &mut after.device
        && over(DEVICE, *device, now).is_zero()
    {
        *device = one_more(DEVICE, *device, now);
        return (Turn::Trusted, after);
    }
    let is_hot = [before.name, before.network]
        .into_iter()
        .any(|recovered| !over(WIDE, recovered, now).is_zero());
    let wait = over(PAIR, before.pair, now).max(if is_hot { HOT } else { Duration::ZERO });
    if wait > PATIENCE {
        return (Turn::Refused(wait - PATIENCE), *before);
    }
    if !wait.is_zero() && !has_seat {
        return (Turn::Refused(HOT), *before);
    }
    after.pair = one_more(PAIR, before.pair, now);
    after.name = one_more(WIDE, before.name, now);
    after.network = one_more(WIDE, before.network, now);
    (Turn::After(wait), after)
}

/// The counts without the failure that `decide` added: it was none.
pub(super) fn forgive(counted: &Recovery, turn: Turn) -> Recovery {
    let mut after = *counted;
    match turn {
        Turn::Trusted => {
            after.device = after.device.map(|device| device - DEVICE.forgiven_every);
        }
        Turn::After(_) => {
            after.pair = after.pair - PAIR.forgiven_every;
            after.name = after.name - WIDE.forgiven_every;
            after.network = after.network - WIDE.forgiven_every;
        }
        Turn::Refused(_) => {}
    }
    after
}

/// How long until one more failure fits into the burst.
fn over(limit: Limit, recovered: Timestamp, now: Timestamp) -> Duration {
    let debt = debt(limit, recovered, now) + limit.forgiven_every;
    debt.saturating_sub(limit.forgiven_every.saturating_mul(limit.burst))
}

fn one_more(limit: Limit, recovered: Timestamp, now: Timestamp) -> Timestamp {
    now + limit.most.min(debt(limit, recovered, now) + limit.forgiven_every)
}

/// How long until all is forgiven. What is further off than failures can be was written before the
/// clock went back: it stands for a burst, so that nobody waits until the clock has caught up.
fn debt(limit: Limit, recovered: Timestamp, now: Timestamp) -> Duration {
    let debt = recovered.since(now);
    if debt > limit.most { limit.forgiven_every.saturating_mul(limit.burst) } else { debt }
}

/// The seats of attempts that wait.
#[derive(Default)]
pub(super) struct Seats(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: usize,
    of_network: HashMap<u128, usize>,
}

/// A seat. Dropping it, as happens when the browser goes away, gives it back.
pub(super) struct Seat<'a> {
    seats: &'a Seats,
    network: u128,
}

impl Seats {
    /// A seat for an attempt from this network, if there is one.
    pub(super) fn take(&self, network: u128) -> Option<Seat<'_>> {
        let mut taken = self.taken();
        let of_network = taken.of_network.get(&network).copied().unwrap_or(0);
        if taken.all >= SEATS || of_network >= SEATS_OF_A_NETWORK {
            return None;
        }
        taken.all += 1;
        taken.of_network.insert(network, of_network + 1);
        Some(Seat { seats: self, network })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.all = taken.all.saturating_sub(1);
        match taken.of_network.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.of_network.remove(&self.network);
            }
        }
    }
}

impl fmt::Debug for Seat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({:?})", self.seats)
    }
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seats({} taken)", self.taken().all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const NOBODY: Timestamp = Timestamp::from_seconds(0);
    const FRESH: Recovery = Recovery { device: None, pair: NOBODY, name: NOBODY, network: NOBODY };

    /// The counts of one name, one network and one device, tried again and again.
    fn after_failures(count: usize, mut counts: Recovery, now: Timestamp) -> Recovery {
        for _ in 0..count {
            counts = decide(&counts, true, now).1;
        }
        counts
    }

    #[test]
    fn ten_failures_are_free_and_then_a_guess_waits_its_turn() {
        let mut counts = FRESH;
        let mut turns = Vec::new();
        for _ in 0..16 {
            let (turn, after) = decide(&counts, true, NOON);
            turns.push(turn);
            counts = after;
        }
        let seconds = |seconds| Turn::After(Duration::from_secs(seconds));
        assert_eq!(turns[..10], [seconds(0); 10]);
        assert_eq!(turns[10..14], [seconds(2), seconds(4), seconds(6), seconds(8)]);
        assert_eq!(turns[14..], [Turn::Refused(Duration::from_secs(2)); 2]);
        let later = NOON + Duration::from_secs(2);
        assert_eq!(decide(&counts, true, later).0, seconds(8));
    }

    #[test]
    fn a_name_that_all_the_world_tries_makes_a_newcomer_wait_and_no_more() {
        let mut name = NOBODY;
        for _ in 0..100_000 {
            name = decide(&Recovery { name, ..FRESH }, true, NOON).1.name;
        }
        let (turn, after) = decide(&Recovery { name, ..FRESH }, true, NOON);
        assert_eq!(turn, Turn::After(HOT));
        assert_ne!(after.pair, NOBODY, "and it counts");
        let network = name;
        assert_eq!(decide(&Recovery { network, ..FRESH }, true, NOON).0, Turn::After(HOT));
    }

    #[test]
    fn a_known_browser_waits_for_nobody_until_ten_guesses_were_made_with_it() {
        let flooded = after_failures(1000, FRESH, NOON);
        let known = Recovery { device: Some(NOBODY), ..flooded };
        assert_eq!(decide(&known, false, NOON).0, Turn::Trusted, "without a seat");
        let stolen = after_failures(10, known, NOON);
        assert!(matches!(decide(&stolen, true, NOON).0, Turn::Refused(_)));
        let elsewhere = Recovery { device: stolen.device, ..FRESH };
        assert_eq!(decide(&elsewhere, true, NOON).0, Turn::After(Duration::ZERO), "as one without");
    }

    #[test]
    fn seats_are_given_back_and_no_network_takes_them_all() {
        let seats = Seats::default();
        let mut taken: Vec<_> = (0..SEATS_OF_A_NETWORK).map(|_| seats.take(1)).collect();
        assert!(taken.iter().all(Option::is_some) && seats.take(1).is_none());
        let others: Vec<_> = (2..).map_while(|network| seats.take(network)).collect();
        assert_eq!(taken.len() + others.len(), SEATS);
        taken.pop();
        assert!(seats.take(1).is_some());
        drop((taken, others));
        assert_eq!(seats.taken().all, 0);
        assert!(seats.taken().of_network.is_empty());
    }

    mod laws {
        use proptest::prelude::*;

        use super::*;

        prop_compose! {
            /// Anything that a database may hold, the future of a clock that went back included.
            fn recovery()(
                device in proptest::option::of(-10_000_000i64..10_000_000),
                pair in -10_000_000i64..10_000_000,
                name in -10_000_000i64..10_000_000,
                network in -10_000_000i64..10_000_000,
            ) -> Recovery {
                let at = |millis: i64| Timestamp::from_millis(NOON.millis() + millis);
                Recovery {
                    device: device.map(at), pair: at(pair), name: at(name), network: at(network),
                }
            }
        }

        proptest! {
            #[test]
            fn nothing_waits_longer_than_patience_and_nothing_is_refused_for_long(
                before in recovery(), has_seat: bool,
            ) {
                match decide(&before, has_seat, NOON).0 {
                    Turn::Trusted => prop_assert!(before.device.is_some()),
                    Turn::After(wait) => {
                        prop_assert!(wait <= PATIENCE);
                        prop_assert!(wait.is_zero() || has_seat);
                    }
                    Turn::Refused(wait) => prop_assert!(wait <= PATIENCE),
                }
            }

            #[test]
            fn what_is_refused_is_heard_after_the_wait_that_was_told(before in recovery()) {
                let (turn, after) = decide(&before, true, NOON);
                let Turn::Refused(wait) = turn else { return Ok(()) };
                let turn = decide(&after, true, NOON + wait).0;
                prop_assert!(matches!(turn, Turn::After(_)), "{turn:?}");
            }

            #[test]
            fn what_others_do_elsewhere_never_refuses_anybody(
                before in recovery(), pair in -10_000_000i64..10_000,
            ) {
                // Few failures at this name from this network; at the name and from the network any
                // number.
                let pair = Timestamp::from_millis(NOON.millis() + pair);
                let (turn, _) = decide(&Recovery { pair, ..before }, true, NOON);
                prop_assert!(!matches!(turn, Turn::Refused(_)), "{turn:?}");
                let Turn::After(wait) = turn else { return Ok(()) };
                prop_assert!(wait <= HOT);
            }

            #[test]
            fn a_known_browser_with_few_failures_is_always_heard(
                before in recovery(), device in -10_000_000i64..80_000, has_seat: bool,
            ) {
                let device = Some(Timestamp::from_millis(NOON.millis() + device));
                let (turn, after) = decide(&Recovery { device, ..before }, has_seat, NOON);
                prop_assert_eq!(turn, Turn::Trusted);
                let others = |of: Recovery| (of.pair, of.name, of.network);
                prop_assert_eq!(others(after), others(before), "and takes no turn of others");
            }

            #[test]
            fn a_right_password_leaves_no_failure_behind(before in recovery(), has_seat: bool) {
                let (turn, counted) = decide(&before, has_seat, NOON);
                let after = forgive(&counted, turn);
                for (before, after) in [
                    (before.pair, after.pair), (before.name, after.name),
                    (before.network, after.network),
                ] {
                    prop_assert!(after <= before.max(NOON));
                }
            }

            #[test]
            fn from_one_network_a_name_is_tried_no_faster_than_the_rate(
                gaps in proptest::collection::vec(0i64..3000, 1..200),
            ) {
                let (mut counts, mut now, mut looked_at) = (FRESH, NOON, 0u32);
                for gap in gaps {
                    now = now + Duration::from_millis(gap.unsigned_abs());
                    let (turn, after) = decide(&counts, true, now);
                    counts = after;
                    looked_at += u32::from(matches!(turn, Turn::After(_)));
                }
                let most = PAIR.burst
                    + u32::try_from((now.since(NOON) + PATIENCE).as_secs()).unwrap() / 2;
                prop_assert!(looked_at <= most, "{looked_at} of {most}");
            }
        }
    }
}
