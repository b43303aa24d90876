//! The places for connections, and their holders.
//!
//! The owner of a place is an IPv4 address, or an IPv6 network of 48 bits. If all places are taken,
//! or all of an owner's share, a new connection takes the place of one that waits for its client:
//! first of one whose answers are not read, then of the one that was answered longest ago, then of
//! one that has sent no request. So connections that are idle, slow or not read lock nobody out,
//! however many there are. A connection whose request is being answered keeps its place.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use quadrille::RemoteAddress;
use tokio::sync::Notify;

use crate::config::Network;

/// All places.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    share: usize,
    /// Peers without a share: each forwards the connections of a whole site.
    trusted: Vec<Network>,
    held: Mutex<Held>,
    /// Notified when a place becomes free.
    freed: Notify,
    /// A counter that orders seats without a clock.
    turn: AtomicU64,
}

#[derive(Debug, Default)]
struct Held {
    /// The number of places taken.
    count: usize,
    /// The number of places that are about to become free.
    leaving: usize,
    /// The seats that are not about to leave.
    by_owner: HashMap<u128, Vec<Arc<Seat>>>,
}

/// The outcome of taking a place.
#[derive(Debug)]
pub(super) enum Taken {
    /// A place, held until it is dropped.
    Place(Place),
    /// The owner has its share, and all of its connections have requests under way.
    ShareIsUsed,
    /// All places are taken. Wait for a [freed](Places::freed) place, and try again.
    Full,
}

/// A place, held by a connection.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    owner: u128,
    seat: Arc<Seat>,
}

#[derive(Debug)]
struct Seat {
    /// [`BUSY`], [`GONE`], or a kind of waiting and the turn at which the wait began. The seat with
    /// the least state is the first to go.
    state: AtomicU64,
    left: Notify,
}

/// The client does not read its answer.
const UNREAD: u64 = 0;
/// The last request was answered.
const ANSWERED: u64 = 1 << 60;
/// The client has sent no request yet.
const NEW: u64 = 2 << 60;
const TURN: u64 = ANSWERED - 1;

/// A request is being answered.
const BUSY: u64 = u64::MAX;
/// The place was given to another.
const GONE: u64 = u64::MAX - 1;

/// A request under way, which protects its place until this value is dropped.
#[derive(Debug)]
pub(super) struct Busy<'a>(&'a Place);

impl Places {
    pub(super) fn new(most: usize, share: usize, trusted: Vec<Network>) -> Arc<Self> {
        Arc::new(Self {
            most,
            share,
            trusted,
            held: Mutex::default(),
            freed: Notify::new(),
            turn: AtomicU64::new(0),
        })
    }

    /// A place for a connection from `peer`. Another connection may have to leave.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Taken {
        let owner = RemoteAddress(peer).wide_network();
        let mut held = self.held();
        if !self.trusted.iter().any(|network| network.contains(peer)) {
            let seats = held.by_owner.get(&owner).map_or(&[][..], |seats| seats);
            if seats.len() >= self.share && !held.make_room(Some(owner)) {
                return Taken::ShareIsUsed;
            }
        }
        if held.count >= self.most {
            if held.count - held.leaving >= self.most {
                held.make_room(None);
            }
            return Taken::Full;
        }
        let seat =
            Arc::new(Seat { state: AtomicU64::new(NEW | self.next_turn()), left: Notify::new() });
        held.count += 1;
        held.by_owner.entry(owner).or_default().push(Arc::clone(&seat));
        drop(held);
        Taken::Place(Place { places: Arc::clone(self), owner, seat })
    }

    /// Waits until a place becomes free.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed) & TURN
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Closes a connection of this owner, or of the owner with the most connections. Returns
    /// whether there was one that could go.
    fn make_room(&mut self, owner: Option<u128>) -> bool {
        loop {
            let found = match owner {
                Some(owner) => {
                    let seats = self.by_owner.get(&owner);
                    seats.and_then(|seats| first_to_go(seats)).map(|(seat, at)| (owner, seat, at))
                }
                None => {
                    let may_go = self.by_owner.iter().filter_map(|(owner, seats)| {
                        let (seat, at) = first_to_go(seats)?;
                        Some((seats.len(), (*owner, seat, at)))
                    });
                    may_go.max_by_key(|(held, _)| *held).map(|(_, found)| found)
                }
            };
            let Some((owner, seat, at)) = found else { return false };
            let relaxed = Ordering::Relaxed;
            // The exchange fails if a request has begun since.
            if seat.state.compare_exchange(at, GONE, relaxed, relaxed).is_ok() {
                self.remove(owner, &seat);
                self.leaving += 1;
                seat.left.notify_one();
                return true;
            }
        }
    }

    /// Removes a seat from those of its owner.
    fn remove(&mut self, owner: u128, seat: &Arc<Seat>) {
        let Some(seats) = self.by_owner.get_mut(&owner) else { return };
        seats.retain(|known| !Arc::ptr_eq(known, seat));
        if seats.is_empty() {
            self.by_owner.remove(&owner);
        }
    }
}

/// The seat that is the first to go, and its state.
fn first_to_go(seats: &[Arc<Seat>]) -> Option<(Arc<Seat>, u64)> {
    let states = seats.iter().map(|seat| (seat, seat.state.load(Ordering::Relaxed)));
    let waiting = states.filter(|(_, state)| *state < GONE);
    waiting.min_by_key(|(_, state)| *state).map(|(seat, state)| (Arc::clone(seat), state))
}

impl Place {
    /// Records that an answer waits to be read.
    pub(super) fn is_unread(&self) {
        let relaxed = Ordering::Relaxed;
        let answered = |state| (ANSWERED..GONE).contains(&state).then_some(UNREAD | (state & TURN));
        let _ = self.seat.state.fetch_update(relaxed, relaxed, answered);
    }

    /// Records that all answers were read.
    pub(super) fn is_read(&self) {
        let relaxed = Ordering::Relaxed;
        let unread = |state| (state < ANSWERED).then_some(ANSWERED | state);
        let _ = self.seat.state.fetch_update(relaxed, relaxed, unread);
    }

    /// Marks a request as under way. `None` if the place was given to another connection.
    pub(super) fn busy(&self) -> Option<Busy<'_>> {
        let relaxed = Ordering::Relaxed;
        let begin = |turn| (turn != GONE).then_some(BUSY);
        self.seat.state.fetch_update(relaxed, relaxed, begin).ok().map(|_| Busy(self))
    }

    /// Waits until the place is given to another connection.
    pub(super) async fn left(&self) {
        self.seat.left.notified().await;
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.seat.state.store(ANSWERED | self.0.places.next_turn(), Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        held.count -= 1;
        match self.seat.state.load(Ordering::Relaxed) {
            GONE => held.leaving -= 1,
            _ => held.remove(self.owner, &self.seat),
        }
        drop(held);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn place(taken: Taken) -> Place {
        match taken {
            Taken::Place(place) => place,
            other => panic!("{other:?}"),
        }
    }

    fn has_gone(place: &Place) -> bool {
        place.seat.state.load(Ordering::Relaxed) == GONE
    }

    #[test]
    fn a_request_that_is_being_answered_is_not_disturbed_and_others_make_room_in_order() {
        let places = Places::new(5, 5, Vec::new());
        let take = || place(places.take(peer("192.0.2.1")));
        let (new, answered, unread, before, answering) = (take(), take(), take(), take(), take());
        drop(before.busy());
        for place in [&unread, &answered] {
            drop(place.busy());
        }
        unread.is_unread();
        let _answering = answering.busy();
        let mut taken = Vec::new();
        for next in [unread, before, answered, new] {
            assert!(!has_gone(&next));
            let other = peer("192.0.2.2");
            assert!(matches!(places.take(other), Taken::Full));
            // However often it is tried, one connection makes room for one.
            assert!(matches!(places.take(other), Taken::Full));
            assert!(has_gone(&next));
            drop(next);
            let place = place(places.take(other));
            place.seat.state.store(BUSY, Ordering::Relaxed);
            taken.push(place);
        }
        assert!(matches!(places.take(peer("192.0.2.3")), Taken::Full));
        assert!(!has_gone(&answering) && !taken.iter().any(has_gone));
    }

    #[test]
    fn an_answer_that_was_read_late_counts_as_read() {
        let places = Places::new(2, 2, Vec::new());
        let take = || place(places.take(peer("192.0.2.1")));
        let (late, unread) = (take(), take());
        for place in [&unread, &late] {
            drop(place.busy());
            place.is_unread();
        }
        late.is_read();
        unread.is_read();
        unread.is_unread();
        assert!(matches!(places.take(peer("192.0.2.2")), Taken::Full));
        assert!(has_gone(&unread) && !has_gone(&late));
    }

    #[test]
    fn when_all_places_are_taken_the_owner_of_the_most_makes_room() {
        let places = Places::new(6, 5, Vec::new());
        let take = |text: &str| place(places.take(peer(text)));
        let ada = take("192.0.2.9");
        let flood = [(); 5].map(|()| take("192.0.2.1"));
        assert!(matches!(places.take(peer("192.0.2.8")), Taken::Full));
        assert!(!has_gone(&ada));
        assert_eq!(flood.iter().filter(|place| has_gone(place)).count(), 1);
    }

    #[test]
    fn an_address_displaces_its_own_connections_once_it_has_its_share() {
        let places = Places::new(1000, 2, vec![Network::parse("10.0.0.1").unwrap()]);
        let take = |text: &str| place(places.take(peer(text)));
        let other = take("192.0.2.9");
        let flood: Vec<_> = (0..50).map(|_| take("192.0.2.1")).collect();
        assert_eq!(flood.iter().filter(|place| !has_gone(place)).count(), 2);
        assert!(!has_gone(&other));
        let busy: Vec<_> = flood.iter().filter_map(Place::busy).collect();
        assert!(matches!(places.take(peer("192.0.2.1")), Taken::ShareIsUsed));
        assert!(matches!(places.take(peer("::ffff:192.0.2.1")), Taken::ShareIsUsed));
        drop(busy);
        let proxied: Vec<_> = (0..50).map(|_| take("10.0.0.1")).collect();
        assert!(proxied.iter().all(|place| !has_gone(place)), "a trusted proxy has no share");
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_share_one_share() {
        let places = Places::new(100, 2, Vec::new());
        let take = |text: &str| place(places.take(peer(text)));
        let mut held = Vec::new();
        for last in 1..=50 {
            held.push(take(&format!("2001:db8:0:{last:x}::{last:x}")));
        }
        assert_eq!(held.iter().filter(|place| !has_gone(place)).count(), 2);
        let neighbour = take("2001:db8:1:1::1");
        take("2001:db8:0:1::1");
        assert!(!has_gone(&neighbour));
    }

    #[test]
    fn places_that_were_given_back_can_be_taken_again() {
        let places = Places::new(2, 2, Vec::new());
        for _ in 0..10 {
            let held = [(); 2].map(|()| place(places.take(peer("192.0.2.1"))));
            assert!(matches!(places.take(peer("192.0.2.1")), Taken::Full));
            drop(held);
            let held = places.held();
            assert_eq!((held.count, held.leaving, held.by_owner.len()), (0, 0, 0));
        }
    }
}
