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
mod tests;
