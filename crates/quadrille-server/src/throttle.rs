//! Slows down guessing at passwords, and keeps nobody out who has the right one.
//!
//! Failures are counted by the name that was typed, whether or not somebody has it, by the network
//! that they come from, and by both together. What is too many is not refused but waits, for
//! seconds, and only then is the password looked at:
//!
//! * failures at one name from one network take turns, one every two seconds. Ten are free, but
//!   only one where the name is tried from everywhere, or the network tries every name;
//! * all wait in one line for the threads that hash
//!   ([`Line`](quadrille::provider::guessing::Line)), behind those whose network failed less at
//!   this name, and among equals at any. So guesses from elsewhere, of however many networks, never
//!   use up a person's own turn.
//!
//! Failures at this name come first, since an office or a carrier has failures at other names every
//! day: counted together, its people stood behind a few guesses from each of any number of
//! networks. The price is that a network that tries every name stands before a person who mistyped:
//! once for each name. One network cannot make that a flood, as the line serves networks in turn as
//! well.
//!
//! A browser in which the person signed in before has a device cookie (OWASP, "device cookies") and
//! is counted by itself: it does not wait, whatever others do. One that was stolen helps to ten
//! guesses, and after that counts as none. The known browsers of one user have their turns one after the
//! other, or a user with many of them would keep the hashing from all others.

use std::time::Duration;

use quadrille::{Timestamp, provider::guessing::Failures};

/// For how long a refused attempt counts as one that shares the turns of its name and network.
pub const LATELY: Duration = Duration::from_secs(10);

/// The longest wait that a refused attempt is told.
const LONGEST_TOLD: Duration = Duration::from_secs(300);

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

/// The same where the name is tried from everywhere, or the network tries every name.
const HOT_PAIR: Limit = Limit { burst: 1, ..PAIR };

/// Failures at a name from anywhere.
const NAME: Limit =
    Limit { burst: 100, forgiven_every: Duration::from_secs(5), most: Duration::from_secs(1000) };

/// Failures from a network at any name.
const NETWORK: Limit = Limit {
    burst: 100,
    forgiven_every: Duration::from_secs(600),
    most: Duration::from_secs(72_000),
};

/// Failures at one name from one network as they are remembered for the place in line: ten.
const RECORD: Limit =
    Limit { burst: 10, forgiven_every: Duration::from_secs(600), most: Duration::from_secs(6000) };

/// How long an attempt waits at most for its turn, and then for a place. What would have to wait
/// longer is refused.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// Something of each party to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Each<T> {
    /// Of the browser, if it has a device cookie for this name.
    pub device: Option<T>,
    /// Of the name from this network: for its turn.
    pub pair: T,
    /// Of the name from this network: for the place in line.
    pub record: T,
    /// Of the name.
    pub name: T,
    /// Of the network.
    pub network: T,
}

/// When the failures of each party are forgiven; the past where there are none.
pub type Recovery = Each<Timestamp>;

/// How much later that is for one attempt, which was counted as a failure.
pub type Added = Each<Duration>;

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The password is looked at now, as that of a browser with a device cookie.
    Trusted,
    /// The password is looked at in its turn.
    InLine {
        /// After so long at the earliest.
        wait: Duration,
        /// Behind those with fewer.
        failures: Failures,
    },
    /// It is not looked at. Another attempt may be, after so long.
    Refused(Duration),
}

/// The wait that comes of others who share the turns of one name and network: the time that those
/// turns would take for all refused attempts that come during one turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crowd(Duration);

impl Crowd {
    /// The crowd after so much time without another.
    pub fn after(self, time: Duration) -> Self {
        let left = LATELY.saturating_sub(time).as_secs_f64() / LATELY.as_secs_f64();
        Self(self.0.mul_f64(left))
    }

    /// The crowd with one more refused attempt.
    pub fn one_more(self) -> Self {
        // One attempt in `LATELY` is so many in the time of a turn.
        let turn = PAIR.forgiven_every;
        let share = turn.mul_f64(turn.as_secs_f64() / LATELY.as_secs_f64());
        Self(LONGEST_TOLD.min(self.0 + share))
    }

    /// The time after which one should try again whose turn would come after `wait` if it were
    /// alone.
    pub fn wait(self, wait: Duration) -> Duration {
        LONGEST_TOLD.min(wait + self.0)
    }
}

/// What becomes of an attempt, and when the failures are forgiven if it is one. A refused attempt
/// counts for nothing, as nobody looked at it.
pub fn decide(before: &Recovery, now: Timestamp) -> (Turn, Recovery) {
    let mut after = *before;
    if let Some(device) = &mut after.device
        && over(DEVICE, *device, now).is_zero()
    {
        *device = one_more(DEVICE, *device, now);
        return (Turn::Trusted, after);
    }
    let is_hot =
        !over(NAME, before.name, now).is_zero() || !over(NETWORK, before.network, now).is_zero();
    let wait = over(if is_hot { HOT_PAIR } else { PAIR }, before.pair, now);
    if wait > PATIENCE {
        return (Turn::Refused(wait - PATIENCE), *before);
    }
    let failures = Failures {
        at_name: count(RECORD, before.record, now),
        of_network: count(NETWORK, before.network, now),
    };
    after.pair = one_more(PAIR, before.pair, now);
    after.record = one_more(RECORD, before.record, now);
    after.name = one_more(NAME, before.name, now);
    after.network = one_more(NETWORK, before.network, now);
    (Turn::InLine { wait, failures }, after)
}

/// What `decide` added.
pub fn added(before: &Recovery, after: &Recovery, now: Timestamp) -> Added {
    let later = |before: Timestamp, after: Timestamp| after.since(before.max(now));
    Each {
        device: before.device.zip(after.device).map(|(before, after)| later(before, after)),
        pair: later(before.pair, after.pair),
        record: later(before.record, after.record),
        name: later(before.name, after.name),
        network: later(before.network, after.network),
    }
}

/// The counts without the failure that was added: it was none. Nothing else is taken from a count
/// that was as high as it gets.
pub fn forgive(counted: &Recovery, added: &Added) -> Recovery {
    Each {
        device: counted.device.zip(added.device).map(|(counted, added)| counted - added),
        pair: counted.pair - added.pair,
        record: counted.record - added.record,
        name: counted.name - added.name,
        network: counted.network - added.network,
    }
}

/// How long until one more failure fits into the burst.
fn over(limit: Limit, recovered: Timestamp, now: Timestamp) -> Duration {
    let debt = debt(limit, recovered, now) + limit.forgiven_every;
    debt.saturating_sub(limit.forgiven_every.saturating_mul(limit.burst))
}

fn one_more(limit: Limit, recovered: Timestamp, now: Timestamp) -> Timestamp {
    now + limit.most.min(debt(limit, recovered, now) + limit.forgiven_every)
}

/// How many failures are not forgiven yet.
fn count(limit: Limit, recovered: Timestamp, now: Timestamp) -> u32 {
    let debt = debt(limit, recovered, now).as_millis();
    let count = debt.div_ceil(limit.forgiven_every.as_millis().max(1));
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How long until all is forgiven. What is further off than failures can be was written before the
/// clock went back: it stands for a burst, so that nobody waits until the clock has caught up.
fn debt(limit: Limit, recovered: Timestamp, now: Timestamp) -> Duration {
    let debt = recovered.since(now);
    if debt > limit.most { limit.forgiven_every.saturating_mul(limit.burst) } else { debt }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const NOBODY: Timestamp = Timestamp::from_seconds(0);
    const FRESH: Recovery =
        Recovery { device: None, pair: NOBODY, record: NOBODY, name: NOBODY, network: NOBODY };

    /// The counts of one name, one network and one device, tried again and again.
    fn after_failures(count: usize, mut counts: Recovery, now: Timestamp) -> Recovery {
        for _ in 0..count {
            counts = decide(&counts, now).1;
        }
        counts
    }

    fn waits(turn: Turn) -> Option<u64> {
        match turn {
            Turn::InLine { wait, .. } => Some(wait.as_secs()),
            Turn::Trusted | Turn::Refused(_) => None,
        }
    }

    fn failures(of: &Recovery) -> Failures {
        match decide(of, NOON).0 {
            Turn::InLine { failures, .. } => failures,
            other => panic!("{other:?}"),
        }
    }

    /// What each of so many attempts at once waits.
    fn each_waits(count: usize, mut counts: Recovery) -> Vec<Option<u64>> {
        let mut turns = Vec::new();
        for _ in 0..count {
            let (turn, after) = decide(&counts, NOON);
            turns.push(waits(turn));
            counts = after;
        }
        turns
    }

    #[test]
    fn ten_failures_are_free_and_then_a_guess_waits_its_turn() {
        let turns = each_waits(16, FRESH);
        assert_eq!(turns[..10], [Some(0); 10]);
        assert_eq!(turns[10..], [Some(2), Some(4), Some(6), Some(8), None, None]);
        let full = after_failures(16, FRESH, NOON);
        assert_eq!(decide(&full, NOON).0, Turn::Refused(Duration::from_secs(2)));
        assert_eq!(waits(decide(&full, NOON + Duration::from_secs(2)).0), Some(8));
    }

    #[test]
    fn where_a_name_is_tried_from_everywhere_only_the_first_attempt_of_a_network_is_free() {
        let mut name = NOBODY;
        for _ in 0..100 {
            assert_eq!(waits(decide(&Recovery { name, ..FRESH }, NOON).0), Some(0));
            name = decide(&Recovery { name, ..FRESH }, NOON).1.name;
        }
        let turns = [Some(0), Some(2), Some(4), Some(6), Some(8), None];
        assert_eq!(each_waits(6, Recovery { name, ..FRESH }), turns);
        let network = after_failures(100, FRESH, NOON).network;
        let tries_every_name = (0..100)
            .fold(NOBODY, |network, _| decide(&Recovery { network, ..FRESH }, NOON).1.network);
        assert!(network < tries_every_name, "what is refused does not count");
        assert_eq!(each_waits(6, Recovery { network: tries_every_name, ..FRESH }), turns);
    }

    #[test]
    fn a_network_stands_behind_those_that_failed_less_at_this_name_and_then_at_any() {
        let stands = |at_name, at_others| {
            let mut counts = FRESH;
            for _ in 0..at_others {
                counts.network = decide(&counts, NOON).1.network;
            }
            for _ in 0..at_name {
                counts = Recovery { pair: NOBODY, ..decide(&counts, NOON).1 };
            }
            failures(&counts)
        };
        let is = |at_name, of_network| Failures { at_name, of_network };
        assert_eq!(stands(0, 0), Failures::default());
        assert_eq!(stands(1, 0), is(1, 1));
        assert_eq!(stands(0, 1), is(0, 1));
        assert_eq!(stands(11, 1000), is(10, 120));
        assert!(stands(0, 20) < stands(1, 0), "an office, and one who guesses at the name");
        assert!(stands(1, 0) < stands(1, 1), "two who mistyped, one of them in an office");
        // One who mistyped, and one who tries every name: see the top of the file.
        assert!(stands(0, 120) < stands(1, 0));
    }

    #[test]
    fn a_known_browser_waits_for_nobody_until_ten_guesses_were_made_with_it() {
        let flooded = after_failures(1000, FRESH, NOON);
        let known = Recovery { device: Some(NOBODY), ..flooded };
        assert_eq!(decide(&known, NOON).0, Turn::Trusted);
        let stolen = after_failures(10, known, NOON);
        assert!(matches!(decide(&stolen, NOON).0, Turn::Refused(_)));
        let elsewhere = Recovery { device: stolen.device, ..FRESH };
        assert_eq!(waits(decide(&elsewhere, NOON).0), Some(0), "as one without");
    }

    #[test]
    fn a_flood_that_gives_way_takes_nothing_from_a_count_that_is_full() {
        let mut counts = after_failures(14, FRESH, NOON);
        counts.pair = NOBODY;
        let full = counts.record;
        let mut taken = Vec::new();
        for _ in 0..20 {
            let (_, after) = decide(&counts, NOON);
            taken.push(added(&counts, &after, NOON));
            counts = Recovery { pair: NOBODY, ..after };
        }
        for added in &taken {
            counts = forgive(&counts, added);
        }
        assert_eq!(counts.record, full);
    }

    #[test]
    fn the_wait_that_is_told_grows_with_those_who_share_the_turn_and_shrinks_when_they_are_gone() {
        let alone = Duration::from_secs(2);
        // Ten in each second: twenty for each turn of two seconds.
        let crowd = (0..600)
            .fold(Crowd::default(), |crowd, _| crowd.after(Duration::from_millis(100)).one_more());
        let told = crowd.wait(alone).as_secs();
        assert!((40..=43).contains(&told), "{told}");
        assert!((20..=24).contains(&crowd.after(LATELY / 2).wait(alone).as_secs()));
        assert_eq!(crowd.after(LATELY).wait(alone), alone);
        let once = Crowd::default().one_more().after(alone).wait(alone);
        assert!(once < Duration::from_secs(3), "one who tries again is not a crowd: {once:?}");
    }

    mod laws {
        use proptest::prelude::*;

        use super::*;

        prop_compose! {
            /// Anything that a database may hold, the future of a clock that went back included.
            fn recovery()(
                device in proptest::option::of(-10_000_000i64..10_000_000),
                pair in -10_000_000i64..10_000_000,
                record in -10_000_000i64..10_000_000,
                name in -10_000_000i64..10_000_000,
                network in -10_000_000i64..10_000_000,
            ) -> Recovery {
                let at = |millis: i64| Timestamp::from_millis(NOON.millis() + millis);
                Recovery {
                    device: device.map(at), pair: at(pair), record: at(record), name: at(name),
                    network: at(network),
                }
            }
        }

        proptest! {
            #[test]
            fn nothing_waits_longer_than_patience_and_nothing_is_refused_for_long(
                before in recovery(),
            ) {
                match decide(&before, NOON).0 {
                    Turn::Trusted => prop_assert!(before.device.is_some()),
                    Turn::InLine { wait, failures } => {
                        prop_assert!(wait <= PATIENCE);
                        prop_assert!(failures.at_name <= 10 && failures.of_network <= 120);
                    }
                    Turn::Refused(wait) => prop_assert!(wait <= PAIR.most - PATIENCE),
                }
            }

            #[test]
            fn what_is_refused_is_heard_after_the_wait_that_was_told(before in recovery()) {
                let (turn, after) = decide(&before, NOON);
                let Turn::Refused(wait) = turn else { return Ok(()) };
                let turn = decide(&after, NOON + wait).0;
                // The browser may be trusted again by then.
                prop_assert!(!matches!(turn, Turn::Refused(_)), "{turn:?}");
            }

            #[test]
            fn the_wait_that_is_told_is_never_shorter_than_the_real_one_nor_endless(
                gaps in proptest::collection::vec(0u64..12_000, 0..2000),
                wait in 0u64..=20_000,
            ) {
                let (mut crowd, wait) = (Crowd::default(), Duration::from_millis(wait));
                for gap in gaps {
                    let later = crowd.after(Duration::from_millis(gap));
                    prop_assert!(later <= crowd && later < later.one_more().max(Crowd(LONGEST_TOLD)));
                    crowd = later.one_more();
                    prop_assert!((wait..=LONGEST_TOLD).contains(&crowd.wait(wait)));
                }
            }

            #[test]
            fn what_others_do_elsewhere_never_makes_anybody_wait_for_the_first_turn(
                before in recovery(), pair in -10_000_000i64..8_000,
            ) {
                // Few failures at this name from this network; at the name and from the network any
                // number.
                let recovered = Timestamp::from_millis(NOON.millis() + pair);
                let before = Recovery { device: None, pair: recovered, ..before };
                let (turn, _) = decide(&before, NOON);
                let Turn::InLine { wait, .. } = turn else {
                    return Err(TestCaseError::fail(format!("{turn:?}")));
                };
                prop_assert!(wait <= recovered.since(NOON), "its own failures, and no others");
            }

            #[test]
            fn who_has_not_failed_stands_behind_nobody(
                before in recovery(), past in -10_000_000i64..=0,
            ) {
                let past = Timestamp::from_millis(NOON.millis() + past);
                let clean = Recovery { device: None, pair: past, record: past, network: past, ..before };
                let (turn, _) = decide(&clean, NOON);
                let failures = Failures::default();
                prop_assert_eq!(turn, Turn::InLine { wait: Duration::ZERO, failures });
            }

            #[test]
            fn who_did_not_fail_at_this_name_stands_before_each_network_that_did(
                before in recovery(), past in -10_000_000i64..=0,
            ) {
                let past = Timestamp::from_millis(NOON.millis() + past);
                let person = Recovery { device: None, pair: past, record: past, ..before };
                let guesser = Recovery { pair: past, network: past, ..decide(&FRESH, NOON).1 };
                prop_assert!(failures(&person) < failures(&guesser));
            }

            #[test]
            fn a_known_browser_with_few_failures_is_always_heard(
                before in recovery(), device in -10_000_000i64..80_000,
            ) {
                let device = Some(Timestamp::from_millis(NOON.millis() + device));
                let (turn, after) = decide(&Recovery { device, ..before }, NOON);
                prop_assert_eq!(turn, Turn::Trusted);
                let others = |of: Recovery| Recovery { device: None, ..of };
                prop_assert_eq!(others(after), others(before), "and takes no turn of others");
            }

            #[test]
            fn a_right_password_leaves_no_failure_behind(before in recovery()) {
                let (_, counted) = decide(&before, NOON);
                let after = forgive(&counted, &added(&before, &counted, NOON));
                for (before, after) in [
                    (before.pair, after.pair), (before.record, after.record),
                    (before.name, after.name), (before.network, after.network),
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
                    let (turn, after) = decide(&counts, now);
                    counts = after;
                    looked_at += u32::from(matches!(turn, Turn::InLine { .. }));
                }
                let most = PAIR.burst
                    + u32::try_from((now.since(NOON) + PATIENCE).as_secs()).unwrap() / 2;
                prop_assert!(looked_at <= most, "{looked_at} of {most}");
            }
        }
    }
}
