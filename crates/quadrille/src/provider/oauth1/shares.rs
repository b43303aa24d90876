//! The number of remembered requests of each client: a flood of one must not shut out others.

use std::{
    collections::{HashMap, hash_map::RandomState},
    fmt,
    hash::BuildHasher as _,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use super::hashes::ByHash;

const SHARDS: usize = 64;

/// Counts remembered requests by client and slot of time.
///
/// A client may hold as many as are left for all others together. So one client alone gets half of
/// the room, two that flood get a third each, and there is always room for a quiet one.
pub(super) struct Shares {
    total: AtomicUsize,
    /// The first slot that is not forgotten.
    oldest: AtomicI64,
    hasher: RandomState,
    clients: [Mutex<HashMap<u64, Share, ByHash>>; SHARDS],
}

#[derive(Default)]
struct Share {
    count: usize,
    /// The number in each of the few slots.
    slots: Vec<(i64, usize)>,
    is_refused: bool,
}

/// The client has reached its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over {
    /// The slot that must be forgotten first.
    pub(super) first: i64,
    /// `true` if the previous request was accepted.
    pub(super) is_new: bool,
}

impl Shares {
    pub(super) fn new() -> Self {
        Self {
            total: AtomicUsize::new(0),
            oldest: AtomicI64::new(i64::MIN),
            hasher: RandomState::new(),
            clients: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Forgets all slots before `oldest`. `true` for one caller each time `oldest` grows.
    pub(super) fn forget(&self, oldest: i64) -> bool {
        if self.oldest.load(Ordering::Relaxed) >= oldest
            || self.oldest.fetch_max(oldest, Ordering::Relaxed) >= oldest
        {
            return false;
        }
        for clients in &self.clients {
            let mut gone = 0;
            lock(clients).retain(|_, share| {
                let before = share.count;
                share.slots.retain(|(slot, _)| *slot >= oldest);
                share.count = share.slots.iter().map(|(_, count)| count).sum();
                gone += before - share.count;
                share.count > 0
            });
            self.total.fetch_sub(gone, Ordering::Relaxed);
        }
        true
    }

    /// Counts another request of a client, of `limit` requests of all clients.
    ///
    /// # Errors
    /// [`Over`] if the client has reached its share.
    pub(super) fn take(&self, client: &str, slot: i64, limit: usize) -> Result<(), Over> {
        let mut clients = self.shard(client);
        let share = clients.1.entry(clients.0).or_default();
        let left = limit.saturating_sub(self.total.load(Ordering::Relaxed));
        if share.count >= left {
            let is_new = !std::mem::replace(&mut share.is_refused, true);
            let first = share.slots.iter().map(|(slot, _)| *slot).min().unwrap_or(slot);
            return Err(Over { first, is_new });
        }
        share.is_refused = false;
        share.count += 1;
        match share.slots.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, count)) => *count += 1,
            None => share.slots.push((slot, 1)),
        }
        self.total.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Takes back the count of a request that is not remembered after all.
    pub(super) fn give_back(&self, client: &str, slot: i64) {
        let mut clients = self.shard(client);
        let Some(share) = clients.1.get_mut(&clients.0) else { return };
        // Its slot may be forgotten by now.
        let Some((_, count)) = share.slots.iter_mut().find(|(known, _)| *known == slot) else {
            return;
        };
        if *count > 0 {
            *count -= 1;
            share.count -= 1;
            self.total.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
    fn shard(&self, client: &str) -> (u64, MutexGuard<'_, HashMap<u64, Share, ByHash>>) {
        let key = self.hasher.hash_one(client);
        (key, lock(&self.clients[key as usize % SHARDS]))
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shares").field("total", &self.total).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flood(shares: &Shares, client: &str, slot: i64, limit: usize) -> usize {
        (0..10_000).take_while(|_| shares.take(client, slot, limit).is_ok()).count()
    }

    #[test]
    fn one_client_gets_half_two_a_third_and_there_is_always_room_for_another() {
        let shares = Shares::new();
        assert_eq!(flood(&shares, "first", 1, 1200), 600);
        assert_eq!(flood(&shares, "second", 1, 1200), 300);
        for quiet in 0..100 {
            assert_eq!(shares.take(&quiet.to_string(), 1, 1200), Ok(()), "{quiet}");
        }
        assert_eq!(flood(&shares, "first", 1, 1200), 0);
    }

    #[test]
    fn what_is_forgotten_makes_room_and_what_is_given_back() {
        let shares = Shares::new();
        assert_eq!(flood(&shares, "a", 1, 100), 50);
        assert_eq!(shares.take("a", 2, 100), Err(Over { first: 1, is_new: false }));
        shares.give_back("a", 1);
        assert_eq!(shares.take("a", 2, 100), Ok(()));
        assert_eq!(shares.take("a", 2, 100), Err(Over { first: 1, is_new: true }));
        assert!(shares.forget(2));
        assert!(!shares.forget(2), "once");
        assert_eq!(flood(&shares, "a", 3, 100), 49, "one is left of slot 2");
        assert!(shares.forget(9));
        assert_eq!(shares.total.load(Ordering::Relaxed), 0);
        assert!(shares.clients.iter().all(|clients| lock(clients).is_empty()));
        shares.give_back("a", 3);
        assert_eq!(shares.total.load(Ordering::Relaxed), 0);
    }
}
