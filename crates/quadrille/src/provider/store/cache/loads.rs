//! Look-ups in progress, which requests for the same thing share.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Timestamp, provider::store::StoreError};

/// The longest age of the last read of changes, and of a look-up that another request joins: half of
/// the promised second.
pub(super) const FRESH: Duration = Duration::from_millis(500);

/// The count of invalidations when a read began.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(pub(super) u64);

type Loaded<V> = Result<Option<Arc<V>>, StoreError>;

/// The look-ups of one kind that are in progress. A request joins one that began less than half a
/// second ago, unless something was forgotten since: the answer is as true as one of its own.
pub(super) struct Loads<K, V>(Mutex<HashMap<K, Arc<Load<V>>>>);

struct Load<V> {
    mark: Mark,
    began: Timestamp,
    /// Locked while it is under way; `None` if the request that made it has left.
    done: tokio::sync::Mutex<Option<Loaded<V>>>,
}

impl<K: Clone + Eq + Hash, V> Loads<K, V> {
    /// The answer of `load`, or of the same look-up by another request.
    pub(super) async fn one<F: Future<Output = Loaded<V>>>(
        &self,
        key: K,
        mark: Mark,
        now: Timestamp,
        load: impl FnOnce() -> F,
    ) -> Loaded<V> {
        let shared = self.join(&key, mark, now);
        let mut done = shared.done.lock().await;
        if let Some(done) = &*done {
            return done.clone();
        }
        let _leaving = Leaving { loads: self, key, load: &shared };
        let loaded = load().await;
        *done = Some(loaded.clone());
        loaded
    }

    fn join(&self, key: &K, mark: Mark, now: Timestamp) -> Arc<Load<V>> {
        let mut loads = self.lock();
        if let Some(load) = loads.get(key)
            && load.mark == mark
            && load.began <= now
            && now.since(load.began) < FRESH
        {
            return Arc::clone(load);
        }
        let load = Arc::new(Load { mark, began: now, done: tokio::sync::Mutex::default() });
        loads.insert(key.clone(), Arc::clone(&load));
        load
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Load<V>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Default for Loads<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Removes a look-up that has ended, or whose request has left.
struct Leaving<'a, K: Clone + Eq + Hash, V> {
    loads: &'a Loads<K, V>,
    key: K,
    load: &'a Arc<Load<V>>,
}

impl<K: Clone + Eq + Hash, V> Drop for Leaving<'_, K, V> {
    fn drop(&mut self) {
        let mut loads = self.loads.lock();
        if loads.get(&self.key).is_some_and(|load| Arc::ptr_eq(load, self.load)) {
            loads.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// A database that answers when it is told to.
    struct Slow {
        loads: Loads<u8, u8>,
        asked: AtomicU32,
        answers: tokio::sync::Semaphore,
    }

    impl Slow {
        fn new() -> Self {
            let (loads, asked) = (Loads::default(), AtomicU32::new(0));
            Self { loads, asked, answers: tokio::sync::Semaphore::new(0) }
        }

        async fn get(&self, key: u8, mark: u64, now: Timestamp) -> Loaded<u8> {
            let load = || async {
                self.asked.fetch_add(1, Ordering::Relaxed);
                self.answers.acquire().await.unwrap().forget();
                Ok(Some(Arc::new(key)))
            };
            self.loads.one(key, Mark(mark), now, load).await
        }

        fn asked(&self) -> u32 {
            self.asked.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn requests_for_one_thing_are_one_look_up_and_a_later_one_is_another() {
        let slow = Slow::new();
        let all = async {
            tokio::join!(
                slow.get(1, 0, NOON),
                slow.get(1, 0, NOON),
                slow.get(2, 0, NOON),
                slow.get(1, 0, NOON + Duration::from_millis(499)),
                async { slow.answers.add_permits(2) }
            )
        };
        let (first, second, other, late, ()) = all.await;
        for (got, key) in [(first, 1), (second, 1), (other, 2), (late, 1)] {
            assert_eq!(got.unwrap().as_deref(), Some(&key));
        }
        assert_eq!(slow.asked(), 2);
        slow.answers.add_permits(1);
        slow.get(1, 0, NOON).await.unwrap();
        assert_eq!(slow.asked(), 3, "nothing is remembered here");
        assert!(slow.loads.lock().is_empty());
    }

    #[tokio::test]
    async fn a_look_up_from_before_a_revocation_or_half_a_second_ago_is_not_joined() {
        let slow = Slow::new();
        tokio::join!(
            async { slow.get(1, 0, NOON).await.unwrap() },
            async { slow.get(1, 1, NOON).await.unwrap() },
            async { slow.get(1, 1, NOON + FRESH).await.unwrap() },
            async { slow.get(1, 1, NOON).await.unwrap() },
            async { slow.answers.add_permits(4) }
        );
        assert_eq!(slow.asked(), 4);
        assert!(slow.loads.lock().is_empty());
    }

    #[tokio::test]
    async fn a_request_that_leaves_takes_nothing_from_those_that_joined_it() {
        let slow = Slow::new();
        let mut first = Box::pin(slow.get(1, 0, NOON));
        tokio::select! {
            biased;
            _ = &mut first => unreachable!(),
            () = async {} => {}
        }
        let mut joined = Box::pin(slow.get(1, 0, NOON));
        tokio::select! {
            biased;
            _ = &mut joined => unreachable!(),
            () = async {} => {}
        }
        assert_eq!(slow.asked(), 1);
        drop(first);
        slow.answers.add_permits(1);
        assert_eq!(joined.await.unwrap().as_deref(), Some(&1));
        assert_eq!(slow.asked(), 2);
        assert!(slow.loads.lock().is_empty());
    }
}
