//! The places of logout tokens on their way. A client may be as slow as it likes, so each has a share,
//! and keeps no other from learning of a logout.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The greatest number of logout tokens on their way at once, and of those for one client.
const PLACES: usize = 4096;
const OF_A_CLIENT: usize = 64;

/// The greatest number of those for a client whose host hangs.
const OF_A_HANGING_CLIENT: usize = 8;

/// The number of clients at which those without a token on its way are forgotten.
const CLIENTS: usize = 256;

pub(super) struct Places {
    all: Arc<Semaphore>,
    clients: Mutex<HashMap<Arc<str>, Weak<OfClient>>>,
    changed: Arc<Notify>,
}

/// The places of one client.
struct OfClient {
    free: Arc<Semaphore>,
    /// Whether the last request to its host had no answer in time.
    hangs: AtomicBool,
}

/// The place of one token, until it is dropped.
pub(super) struct Place {
    _permits: [OwnedSemaphorePermit; 2],
    client: Arc<OfClient>,
    // The last field, which is dropped last.
    bell: Bell,
}

/// Tells those who wait that something has changed, such as that a place is free.
struct Bell(Arc<Notify>);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.notify_waiters();
    }
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(PLACES)),
            clients: Mutex::default(),
            changed: Arc::default(),
        }
    }

    /// A place for a token of this client; `None` if too many are on their way.
    pub(super) fn take(&self, client: &Arc<str>) -> Option<Place> {
        let client = self.of_client(client);
        if client.hangs() && client.taken() >= OF_A_HANGING_CLIENT {
            return None;
        }
        let of_client = client.free.clone().try_acquire_owned().ok()?;
        let of_all = self.all.clone().try_acquire_owned().ok()?;
        let bell = Bell(self.changed.clone());
        Some(Place { _permits: [of_client, of_all], client, bell })
    }

    /// The clients with tokens on their way, and the number of these, by `client_id`.
    pub(super) fn taken(&self) -> Vec<(Arc<str>, usize)> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = |known: &Weak<OfClient>| known.upgrade().map_or(0, |known| known.taken());
        let mut taken: Vec<_> =
            clients.iter().map(|(client, known)| (client.clone(), taken(known))).collect();
        taken.retain(|(_, tokens)| *tokens > 0);
        taken.sort();
        taken
    }

    /// Waits until no token is on its way.
    pub(super) async fn emptied(&self) {
        self.until(|| self.all.available_permits() == PLACES).await;
    }

    /// Waits until no token is on its way to a client whose host answers.
    pub(super) async fn answered(&self) {
        self.until(|| {
            let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            clients.values().filter_map(Weak::upgrade).all(|it| it.hangs() || it.taken() == 0)
        })
        .await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            // A change from now on counts.
            let changed = self.changed.notified();
            if is_so() {
                return;
            }
            changed.await;
        }
    }

    fn of_client(&self, client: &Arc<str>) -> Arc<OfClient> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(client).and_then(Weak::upgrade) {
            return known;
        }
        if clients.len() >= CLIENTS {
            clients.retain(|_, known| known.strong_count() > 0);
        }
        let free = Arc::new(Semaphore::new(OF_A_CLIENT));
        let new = Arc::new(OfClient { free, hangs: AtomicBool::new(false) });
        clients.insert(client.clone(), Arc::downgrade(&new));
        new
    }
}

impl OfClient {
    fn hangs(&self) -> bool {
        self.hangs.load(Ordering::Relaxed)
    }

    fn taken(&self) -> usize {
        OF_A_CLIENT.saturating_sub(self.free.available_permits())
    }
}

impl Place {
    /// Notes whether the host of the client hangs.
    pub(super) fn heard(&self, hangs: bool) {
        if self.client.hangs.swap(hangs, Ordering::Relaxed) != hangs {
            self.bell.0.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_client_keeps_no_other_from_a_place() {
        let places = Places::new();
        let (slow, quick): (Arc<str>, Arc<str>) = ("slow".into(), "quick".into());
        let mut held: Vec<_> = (0..OF_A_CLIENT).map(|_| places.take(&slow).unwrap()).collect();
        assert!(places.take(&slow).is_none());
        assert!(places.take(&quick).is_some());
        held.pop();
        assert!(places.take(&slow).is_some());
    }

    #[tokio::test]
    async fn the_last_token_is_waited_for_and_those_on_their_way_are_named() {
        let places = Places::new();
        let held = [places.take(&"b".into()), places.take(&"a".into()), places.take(&"b".into())];
        assert_eq!(places.taken(), [("a".into(), 1), ("b".into(), 2)]);
        let mut emptied = Box::pin(places.emptied());
        tokio::select! {
            biased;
            () = &mut emptied => panic!("three are on their way"),
            () = std::future::ready(()) => {}
        }
        drop(held);
        emptied.await;
        assert!(places.taken().is_empty());
    }

    #[tokio::test]
    async fn a_client_whose_host_hangs_is_not_waited_for_and_has_few_places() {
        let places = Places::new();
        let (hung, quick): (Arc<str>, Arc<str>) = ("hung".into(), "quick".into());
        let mut held: Vec<_> =
            (0..OF_A_HANGING_CLIENT).map(|_| places.take(&hung).unwrap()).collect();
        let to_quick = places.take(&quick);
        let mut answered = Box::pin(places.answered());
        let mut is_over = async || {
            tokio::select! {
                biased;
                () = &mut answered => true,
                () = std::future::ready(()) => false,
            }
        };
        assert!(!is_over().await);
        held[0].heard(true);
        assert!(!is_over().await, "one is on its way to the other client");
        drop(to_quick);
        assert!(is_over().await);
        assert!(places.take(&hung).is_none(), "it keeps no place from the others");
        held.pop();
        assert!(places.take(&hung).is_some());
        held[0].heard(false);
        held.extend((0..OF_A_CLIENT / 2).filter_map(|_| places.take(&hung)));
        assert_eq!(places.taken()[0].1, OF_A_HANGING_CLIENT - 1 + OF_A_CLIENT / 2);
    }

    #[test]
    fn all_together_are_bounded_and_clients_are_forgotten() {
        let places = Places::new();
        let client = |number: usize| Arc::<str>::from(format!("client {number}"));
        let count = PLACES / OF_A_CLIENT;
        let take = |number: usize| (0..OF_A_CLIENT).map(move |_| number);
        let held: Vec<_> = (0..count).flat_map(take).map(|it| places.take(&client(it))).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(places.take(&client(count)).is_none());
        drop(held);
        for number in 0..3 * CLIENTS {
            assert!(places.take(&client(number)).is_some());
        }
        assert!(places.clients.lock().unwrap().len() <= CLIENTS);
    }
}
