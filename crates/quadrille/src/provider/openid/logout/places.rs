//! The places of logout tokens on their way. A client may be as slow as it likes, so each has a share,
//! and keeps no other from learning of a logout.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The greatest number of logout tokens on their way at once, and of those for one client.
const PLACES: usize = 4096;
const OF_A_CLIENT: usize = 64;

/// The number of clients at which those without a token on its way are forgotten.
const CLIENTS: usize = 256;

pub(super) struct Places {
    all: Arc<Semaphore>,
    clients: Mutex<HashMap<Arc<str>, Weak<Semaphore>>>,
    freed: Arc<Notify>,
}

/// The place of one token, until it is dropped.
pub(super) struct Place {
    _of_client: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
    // The last field, which is dropped last.
    _bell: Bell,
}

/// Tells those who wait that a place is free.
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
            freed: Arc::default(),
        }
    }

    /// A place for a token of this client; `None` if too many are on their way.
    pub(super) fn take(&self, client: &Arc<str>) -> Option<Place> {
        let of_client = self.of_client(client).try_acquire_owned().ok()?;
        let of_all = self.all.clone().try_acquire_owned().ok()?;
        let bell = Bell(self.freed.clone());
        Some(Place { _of_client: of_client, _of_all: of_all, _bell: bell })
    }

    /// The clients with tokens on their way, and the number of these, by `client_id`.
    pub(super) fn taken(&self) -> Vec<(Arc<str>, usize)> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = |known: &Weak<Semaphore>| {
            known.upgrade().map_or(0, |known| OF_A_CLIENT - known.available_permits())
        };
        let mut taken: Vec<_> =
            clients.iter().map(|(client, known)| (client.clone(), taken(known))).collect();
        taken.retain(|(_, tokens)| *tokens > 0);
        taken.sort();
        taken
    }

    /// Waits until no token is on its way.
    pub(super) async fn emptied(&self) {
        loop {
            let freed = self.freed.notified();
            if self.all.available_permits() == PLACES {
                return;
            }
            freed.await;
        }
    }

    fn of_client(&self, client: &Arc<str>) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(client).and_then(Weak::upgrade) {
            return known;
        }
        if clients.len() >= CLIENTS {
            clients.retain(|_, known| known.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(OF_A_CLIENT));
        clients.insert(client.clone(), Arc::downgrade(&new));
        new
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
