//! The line in front of slow work that any stranger can cause, such as hashing a chosen secret.
//!
//! Hashing is scarce: some ten milliseconds of a processor each. In a flood the line decides which
//! attempts are served. Two orders take turns, because an attacker can get in front in each alone:
//!
//! * by [`Failures`], the fewest first; among equals, the newest. A flood of any size, from any
//!   number of networks, stands behind a newcomer without failures, and a network that goes on
//!   guessing at a name falls back with each guess. Names are free, though: one network that
//!   guesses once at each of any number of names is always in front of a person who mistyped.
//! * by network: the one that was served the longest time ago. Each network has its share of the
//!   work, whatever it and others did before, so a flood must come from more networks than are
//!   served within a person's patience. Networks of 48 bits take turns (IPv6), since one party gets
//!   that many as easily as one of 64 bits, and within each the smaller networks.
//!
//! Memory is bounded by seats. Those of a network of 48 bits are counted together. When all are
//! taken, the network with the most gives up its last.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::RemoteAddress;

/// A line of attempts that wait for slow work. Count failures beside it, for example with a
/// [`Throttle`](super::Throttle), and pass those of each attempt.
///
/// ```
/// use std::{num::NonZeroUsize, time::Duration};
/// use quadrille::provider::guessing::{Failures, Line};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), quadrille::provider::guessing::Away> {
/// // Two at work at once, 1,024 wait, of them 64 of one network.
/// let line = Line::new(NonZeroUsize::new(2).unwrap(), 1024, 64);
/// let patience = Duration::from_secs(8);
/// let place = line.turn(None, Failures::default(), Duration::ZERO, patience).await?;
/// // ... the secret is hashed ...
/// drop(place);
/// # Ok(())
/// # }
/// ```
pub struct Line(Mutex<Queue>);

/// Failures that are remembered of the parties to an attempt. The order is that of the line: the
/// failures at the attempt's own name decide, and only among equals the others of its network. So
/// a person in an office where others mistype stands before every network that guesses at their
/// name.
///
/// ```
/// use quadrille::provider::guessing::Failures;
///
/// let office = Failures { at_name: 0, of_network: 20 };
/// let guesser = Failures { at_name: 1, of_network: 1 };
/// assert!(office < guesser);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failures {
    /// The number of failures at the name of this attempt, from its network.
    pub at_name: u32,
    /// The number of failures from its network, at any name.
    pub of_network: u32,
}

/// A place at the work. Dropping it admits the next attempt.
///
/// ```
/// use quadrille::provider::guessing::Place;
///
/// fn check_password(_place: Place<'_>) {
///     // The next attempt starts when this returns.
/// }
/// ```
#[must_use = "dropping it lets in the next"]
pub struct Place<'a> {
    line: &'a Line,
    standing: Standing,
}

/// The reason why an attempt was sent away.
///
/// ```
/// use quadrille::provider::guessing::Away;
///
/// assert_ne!(Away::GaveWay, Away::TooLong);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Away {
    /// All seats are taken: of its network by attempts with fewer failures or newer ones, or of the
    /// line by as many networks.
    #[error("gave way to other attempts, as all seats are taken")]
    GaveWay,
    /// The time ran out before a place was free.
    #[error("no place was free in time")]
    TooLong,
}

impl Line {
    /// A line in front of `places` at the work, with `seats` in all and `seats_of_a_network` for
    /// each network.
    pub fn new(places: NonZeroUsize, seats: usize, seats_of_a_network: usize) -> Self {
        Self(Mutex::new(Queue::new(places, seats, seats_of_a_network)))
    }

    /// Returns when an attempt from this address may start: after `wait` at the earliest, and then
    /// within `patience`. The more `failures`, the further back it stands.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn turn(
        &self,
        from: Option<RemoteAddress>,
        failures: Failures,
        wait: Duration,
        patience: Duration,
    ) -> Result<Place<'_>, Away> {
        let (call, mut called) = oneshot::channel();
        let standing = self.queue().sit(Origin::of(from), failures, call);
        // Leaves the line in every case, also if the client goes away.
        let place = Place { line: self, standing };
        if !wait.is_zero() {
            // An attempt is not called before its wait is over, but may have to give way.
            let gave_way = tokio::time::timeout(wait, &mut called).await.is_ok();
            if gave_way {
                return Err(Away::GaveWay);
            }
        }
        self.queue().ready(standing);
        match tokio::time::timeout(patience, called).await {
            Ok(Ok(Called)) => Ok(place),
            Ok(Err(_)) => Err(Away::GaveWay),
            Err(_) => Err(Away::TooLong),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.queue().leave(self.standing);
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.standing).finish()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.queue();
        write!(f, "Line({} at work, {} wait)", queue.at_work.len(), queue.seated.len())
    }
}

/// The order in the line by failures: the fewest first; among equals, the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    failures: Failures,
    number: Reverse<u64>,
}

/// The call to an attempt. One that gives way sees its caller gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Called;

/// The networks of an attempt; `None` is that of attempts without an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    wide: Option<u128>,
    network: Option<u128>,
}

impl Origin {
    fn of(from: Option<RemoteAddress>) -> Self {
        Self {
            wide: from.map(RemoteAddress::wide_network),
            network: from.map(RemoteAddress::network),
        }
    }
}

struct Seat {
    origin: Origin,
    call: oneshot::Sender<Called>,
}

/// The number of networks whose last service is remembered. One that is forgotten counts as never
/// served.
const NETWORKS: usize = 16 * 1024;

/// The attempts that wait, and those at work. It knows no clock.
struct Queue {
    places: NonZeroUsize,
    seats: usize,
    seats_of_a_network: usize,
    /// The number of attempts so far.
    count: u64,
    /// The number of calls so far.
    calls: u64,
    /// The number of the last call of each network, wide ones included.
    served: HashMap<Option<u128>, u64>,
    seated: BTreeMap<Standing, Seat>,
    /// The attempts in `seated` that can be called.
    ready: BTreeSet<Standing>,
    /// The number of seats of each wide network.
    of_network: HashMap<Option<u128>, usize>,
    at_work: BTreeSet<Standing>,
}

impl Queue {
    fn new(places: NonZeroUsize, seats: usize, seats_of_a_network: usize) -> Self {
        Self {
            places,
            seats,
            seats_of_a_network,
            count: 0,
            calls: 0,
            served: HashMap::new(),
            seated: BTreeMap::new(),
            ready: BTreeSet::new(),
            of_network: HashMap::new(),
            at_work: BTreeSet::new(),
        }
    }

    /// Seats an attempt. The last of its network gives way if that has more seats than its share,
    /// else the last of a network with the most seats if there are too many: perhaps the attempt
    /// itself.
    fn sit(
        &mut self,
        origin: Origin,
        failures: Failures,
        call: oneshot::Sender<Called>,
    ) -> Standing {
        self.count = self.count.saturating_add(1);
        let standing = Standing { failures, number: Reverse(self.count) };
        self.seated.insert(standing, Seat { origin, call });
        let of_network = self.of_network.entry(origin.wide).or_insert(0);
        *of_network = of_network.saturating_add(1);
        let mut from_behind = self.seated.iter().rev();
        let gives_way = if *of_network > self.seats_of_a_network {
            from_behind.find(|(_, seat)| seat.origin.wide == origin.wide)
        } else if self.seated.len() > self.seats {
            let most = self.of_network.values().max();
            from_behind.find(|(_, seat)| self.of_network.get(&seat.origin.wide) == most)
        } else {
            None
        };
        if let Some(standing) = gives_way.map(|(standing, _)| *standing) {
            self.stand_up(standing);
        }
        standing
    }

    /// Ends the wait of an attempt: it can be called.
    fn ready(&mut self, standing: Standing) {
        if self.seated.contains_key(&standing) {
            self.ready.insert(standing);
            self.call();
        }
    }

    /// Removes an attempt from line and work.
    fn leave(&mut self, standing: Standing) {
        self.stand_up(standing);
        self.at_work.remove(&standing);
        self.call();
    }

    /// Calls the next in line while there are places.
    fn call(&mut self) {
        while self.at_work.len() < self.places.get()
            && let Some(standing) = self.next()
            && let Some(seat) = self.stand_up(standing)
        {
            self.serve(seat.origin);
            // A caller that has left frees its place next.
            self.at_work.insert(standing);
            let _ = seat.call.send(Called);
        }
    }

    /// The next in line: by failures and by network in turn.
    fn next(&self) -> Option<Standing> {
        if self.calls.is_multiple_of(2) {
            return self.ready.first().copied();
        }
        let ready = self.seated.iter().filter(|(standing, _)| self.ready.contains(standing));
        // `None`, for never, is the least. Among equals the first is taken.
        let served = |network| self.served.get(&network);
        ready
            .min_by_key(|(_, Seat { origin, .. })| (served(origin.wide), served(origin.network)))
            .map(|(standing, _)| *standing)
    }

    fn serve(&mut self, origin: Origin) {
        self.calls = self.calls.saturating_add(1);
        if self.served.len() >= NETWORKS {
            let kept = u64::try_from(NETWORKS / 2).unwrap_or(u64::MAX);
            let since = self.calls.saturating_sub(kept);
            self.served.retain(|_, call| *call > since);
        }
        self.served.insert(origin.wide, self.calls);
        self.served.insert(origin.network, self.calls);
    }

    fn stand_up(&mut self, standing: Standing) -> Option<Seat> {
        self.ready.remove(&standing);
        let seat = self.seated.remove(&standing)?;
        match self.of_network.get_mut(&seat.origin.wide) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                self.of_network.remove(&seat.origin.wide);
            }
        }
        Some(seat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: NonZeroUsize = NonZeroUsize::new(2).unwrap();
    const SECOND: Duration = Duration::from_secs(1);

    fn queue() -> Queue {
        Queue::new(PLACES, 8, 3)
    }

    const fn origin(network: u128) -> Origin {
        Origin { wide: Some(network), network: Some(network) }
    }

    /// A new attempt without a wait, and its call.
    fn comes(
        queue: &mut Queue,
        network: u128,
        failures: u32,
    ) -> (Standing, oneshot::Receiver<Called>) {
        comes_from(queue, origin(network), failures)
    }

    fn comes_from(
        queue: &mut Queue,
        origin: Origin,
        failures: u32,
    ) -> (Standing, oneshot::Receiver<Called>) {
        let (call, called) = oneshot::channel();
        let failures = Failures { at_name: failures, of_network: failures };
        let standing = queue.sit(origin, failures, call);
        queue.ready(standing);
        (standing, called)
    }

    fn gave_way(called: &mut oneshot::Receiver<Called>) -> bool {
        called.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn somebody_without_failures_goes_before_a_full_line_and_the_newest_first() {
        let mut queue = queue();
        let at_work: Vec<_> = (0..2).map(|n| comes(&mut queue, n, 0)).collect();
        let _flood: Vec<_> = (10..30).map(|n| comes(&mut queue, n, 0)).collect();
        let (_, mut first) = comes(&mut queue, 2, 0);
        let (_, mut second) = comes(&mut queue, 3, 0);
        queue.leave(at_work[0].0);
        assert!(first.try_recv().is_err() && second.try_recv().is_ok());
        queue.leave(at_work[1].0);
        assert!(first.try_recv().is_ok());
    }

    #[test]
    fn those_who_failed_give_way_to_those_who_did_not_and_fall_behind_them() {
        let mut queue = queue();
        let at_work: Vec<_> = (0..2).map(|n| comes(&mut queue, n, 0)).collect();
        let mut failed: Vec<_> = (10..18).map(|n| comes(&mut queue, u128::from(n), n)).collect();
        let (_, mut fresh) = comes(&mut queue, 1, 0);
        assert!(gave_way(&mut failed[7].1), "the one with the most failures");
        assert!(failed[..7].iter_mut().all(|(_, called)| !gave_way(called)));
        let (_, mut worse) = comes(&mut queue, 2, 100);
        assert!(gave_way(&mut worse));
        queue.leave(at_work[0].0);
        assert!(fresh.try_recv().is_ok());
        queue.leave(at_work[1].0);
        assert!(failed[0].1.try_recv().is_ok(), "the one with the fewest");
    }

    #[test]
    fn a_network_has_its_share_of_seats_and_its_own_give_way() {
        let mut queue = queue();
        let _at_work: Vec<_> = (0..2).map(|n| comes(&mut queue, n, 0)).collect();
        let (_, mut other) = comes(&mut queue, 1, 9);
        let mut flood: Vec<_> = (0..5).map(|n| comes(&mut queue, 7, n)).collect();
        assert!(gave_way(&mut flood[3].1) && gave_way(&mut flood[4].1));
        let (_, mut person) = comes(&mut queue, 7, 0);
        assert!(gave_way(&mut flood[2].1) && !gave_way(&mut person) && !gave_way(&mut other));
    }

    fn address(text: &str) -> Origin {
        Origin::of(Some(RemoteAddress(text.parse().unwrap())))
    }

    #[test]
    fn ever_new_networks_of_one_wide_network_are_one_in_seats_and_turns() {
        let mut queue = Queue::new(PLACES, 1024, 64);
        let mut fresh = (0..).map(|n| address(&format!("2001:db8:0:{n:x}::1")));
        let mut flood: Vec<_> =
            fresh.by_ref().take(2).map(|it| comes_from(&mut queue, it, 0)).collect();
        let (_, mut mistyped) = comes_from(&mut queue, address("2001:db8:1::1"), 3);
        let (_, mut person) = comes_from(&mut queue, address("192.0.2.1"), 0);
        for origin in fresh.take(5000) {
            flood.push(comes_from(&mut queue, origin, 0));
        }
        assert_eq!(queue.seated.len(), 64 + 2);
        // Every second call is one by network.
        for _ in 0..4 {
            let next = *queue.at_work.first().unwrap();
            queue.leave(next);
        }
        assert!(person.try_recv().is_ok() && mistyped.try_recv().is_ok());
    }

    #[test]
    fn networks_of_one_wide_network_take_turns_among_themselves() {
        let mut queue = queue();
        let (first, _called) = comes_from(&mut queue, address("2001:db8:0:1::1"), 0);
        let _other = comes(&mut queue, 8, 0);
        let _by_failures = comes(&mut queue, 9, 0);
        let _flood = comes_from(&mut queue, address("2001:db8:0:1::2"), 1);
        let (_, mut neighbour) = comes_from(&mut queue, address("2001:db8:0:2::1"), 2);
        queue.leave(first);
        let next = *queue.at_work.first().unwrap();
        queue.leave(next);
        assert!(neighbour.try_recv().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_waits_for_its_time_and_then_for_a_place_but_not_for_ever() {
        let line = Line::new(NonZeroUsize::MIN, 2, 2);
        let turn = |wait| line.turn(None, Failures::default(), wait, SECOND);
        let place = turn(SECOND).await.unwrap();
        assert_eq!(turn(SECOND).await.unwrap_err(), Away::TooLong);
        drop(place);
        drop(turn(Duration::ZERO).await.unwrap());
        assert_eq!(format!("{line:?}"), "Line(0 at work, 0 wait)");
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_whose_client_goes_away_leaves_the_line() {
        let line = Line::new(NonZeroUsize::MIN, 2, 2);
        let place = line.turn(None, Failures::default(), Duration::ZERO, SECOND).await.unwrap();
        for wait in [Duration::ZERO, SECOND * 100] {
            let waits = line.turn(None, Failures::default(), wait, SECOND * 100);
            assert!(tokio::time::timeout(SECOND, waits).await.is_err());
        }
        drop(place);
        assert_eq!(format!("{line:?}"), "Line(0 at work, 0 wait)");
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_gives_way_while_it_waits_for_its_time() {
        let line = Line::new(NonZeroUsize::MIN, 1, 1);
        let waits = line.turn(None, Failures { at_name: 1, of_network: 1 }, SECOND * 100, SECOND);
        let person = async {
            tokio::task::yield_now().await;
            line.turn(None, Failures::default(), Duration::ZERO, SECOND).await.unwrap()
        };
        let (away, _place) = tokio::join!(waits, person);
        assert_eq!(away.unwrap_err(), Away::GaveWay);
    }

    #[test]
    fn networks_that_were_served_are_forgotten_when_they_are_too_many() {
        let mut queue = queue();
        for network in 0..3 * NETWORKS as u128 {
            queue.serve(origin(network));
            assert!(queue.served.len() <= NETWORKS);
        }
        assert!(queue.served.contains_key(&Some(3 * NETWORKS as u128 - 1)));
    }

    mod laws {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn the_line_is_bounded_keeps_its_order_and_forgets_who_has_gone(
                steps in proptest::collection::vec((0u8..3, 0u128..5, 0u32..4), 1..300),
            ) {
                let mut queue = queue();
                let mut here = Vec::new();
                for (kind, network, failures) in steps {
                    match kind {
                        0 if !here.is_empty() => {
                            let gone = usize::try_from(network).unwrap() % here.len();
                            let (standing, _): (Standing, _) = here.swap_remove(gone);
                            queue.leave(standing);
                        }
                        _ => here.push(comes(&mut queue, network, failures)),
                    }
                    prop_assert!(queue.seated.len() <= 8 && queue.at_work.len() <= 2);
                    prop_assert!(queue.of_network.values().all(|count| (1..=3).contains(count)));
                    prop_assert_eq!(queue.of_network.values().sum::<usize>(), queue.seated.len());
                    prop_assert!(queue.seated.is_empty() || queue.at_work.len() == 2, "no idle place");
                    for (standing, called) in &mut here {
                        let is_here = queue.seated.contains_key(standing)
                            || queue.at_work.contains(standing);
                        prop_assert_eq!(is_here, !gave_way(called) || queue.at_work.contains(standing));
                    }
                }
                for (standing, _) in here {
                    queue.leave(standing);
                }
                prop_assert!(queue.seated.is_empty() && queue.at_work.is_empty());
                prop_assert!(queue.ready.is_empty() && queue.of_network.is_empty());
            }

            #[test]
            fn whatever_the_line_a_newcomer_without_failures_is_one_of_the_next_two(
                before in proptest::collection::vec((0u128..40, 0u32..4), 2..100),
            ) {
                let mut queue = queue();
                let here: Vec<_> = before
                    .into_iter()
                    .map(|(network, failures)| comes(&mut queue, network, failures))
                    .collect();
                let (_, mut person) = comes(&mut queue, 7, 0);
                for _ in 0..2 {
                    let next = *queue.at_work.first().unwrap();
                    queue.leave(next);
                }
                prop_assert!(person.try_recv().is_ok());
                drop(here);
            }

            #[test]
            fn a_network_is_served_in_its_turn_whatever_it_did_and_however_many_come(
                flood in proptest::collection::vec((0u128..6, 0u32..4), 45..90),
                failures in 4u32..1000,
            ) {
                let mut queue = queue();
                let (first, _served) = comes(&mut queue, 9, 0);
                let _other = comes(&mut queue, 8, 0);
                let (_, mut person) = comes(&mut queue, 9, failures);
                queue.leave(first);
                // Six other networks come all the time: three attempts for each that is served.
                let mut here = Vec::new();
                for three in flood.chunks_exact(3) {
                    for (network, failures) in three {
                        here.push(comes(&mut queue, *network, *failures));
                    }
                    let next = *queue.at_work.first().unwrap();
                    queue.leave(next);
                }
                prop_assert!(person.try_recv().is_ok());
                drop(here);
            }

            #[test]
            fn nobody_gives_way_to_one_with_more_failures_but_to_one_of_a_network_with_fewer_seats(
                before in proptest::collection::vec((0u128..40, 0u32..9), 2..100),
                network in 0u128..40, failures in 0u32..9,
            ) {
                let mut queue = queue();
                let here: Vec<_> = before
                    .into_iter()
                    .map(|(network, failures)| comes(&mut queue, network, failures))
                    .collect();
                let seated: Vec<_> =
                    queue.seated.iter().map(|(standing, seat)| (*standing, seat.origin.wide)).collect();
                let seats = queue.of_network.clone();
                let of = |network: Option<u128>| seats.get(&network).copied().unwrap_or(0);
                let (newcomer, _called) = comes(&mut queue, network, failures);
                for (gone, from) in seated.iter().filter(|(old, _)| !queue.seated.contains_key(old)) {
                    let fewer = of(Some(network)) + 1 < of(*from);
                    prop_assert!(gone.failures >= newcomer.failures || fewer);
                }
                drop(here);
            }
        }
    }
}
