//! The redemptions of codes in progress, and those that have just succeeded.
//!
//! A browser may open a callback twice: after a double click, or because its connection broke. A code
//! is valid once, and a provider may revoke the tokens of one that comes again (RFC 6749, section
//! 4.1.2).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Mutex as Turns, OwnedMutexGuard, watch};

use crate::{Timestamp, consumer::error::Result};

/// The time for which a success is remembered: the browser may have lost the answer.
const REMEMBERED: Duration = Duration::from_secs(10);
/// The greatest number of redemptions; beyond it, the oldest are not shared any more.
const MOST: usize = 4096;

/// The identity of a redemption: a digest of the code and of what binds it to a browser.
pub(crate) type Key = [u8; 32];

/// The redemptions of this process.
pub(crate) struct Redemptions<T>(Mutex<Known<T>>);

struct Known<T> {
    by_key: HashMap<Key, Redemption<T>>,
    /// The oldest first, those that have failed among them: so that none is looked for among all.
    order: VecDeque<(Key, Arc<Turns<()>>)>,
}

struct Redemption<T> {
    place: Place<T>,
    succeeded: Option<Timestamp>,
}

/// A caller's place in a redemption.
pub(crate) struct Place<T> {
    outcome: watch::Receiver<Option<Result<T>>>,
    turns: Arc<Turns<()>>,
}

/// A redemption that its caller must run.
pub(crate) struct Begun<T> {
    key: Key,
    outcome: watch::Sender<Option<Result<T>>>,
    turns: Arc<Turns<()>>,
}

/// The right to go on after a redemption, which one of its callers has at a time.
pub(crate) type Turn = OwnedMutexGuard<()>;

impl<T> Redemptions<T> {
    /// Joins the redemption with this key, or begins it.
    pub(crate) fn board(&self, key: Key, now: Timestamp) -> (Place<T>, Option<Begun<T>>) {
        let mut all = self.lock();
        all.forget_old(now);
        if let Some(one) = all.by_key.get(&key).filter(|one| one.is_shared(now)) {
            return (one.place.clone(), None);
        }
        let (send, outcome) = watch::channel(None);
        let turns = Arc::default();
        let place = Place { outcome, turns: Arc::clone(&turns) };
        all.by_key.insert(key, Redemption { place: place.clone(), succeeded: None });
        all.order.push_back((key, Arc::clone(&turns)));
        (place, Some(Begun { key, outcome: send, turns }))
    }

    /// Tells all callers of the outcome. A failure is not remembered.
    pub(crate) fn land(&self, begun: Begun<T>, outcome: Result<T>, now: Timestamp) {
        let Begun { key, outcome: send, turns } = begun;
        let mut all = self.lock();
        if let Some(one) = all.by_key.get_mut(&key).filter(|one| one.is_of(&turns)) {
            match &outcome {
                Ok(_) => one.succeeded = Some(now),
                Err(_) => drop(all.by_key.remove(&key)),
            }
        }
        drop(all);
        send.send_replace(Some(outcome));
    }

    fn lock(&self) -> MutexGuard<'_, Known<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Known<T> {
    /// Removes the oldest ones that are not shared any more, or take the place of a new one.
    fn forget_old(&mut self, now: Timestamp) {
        while let Some((key, turns)) = self.order.front() {
            let one = self.by_key.get(key).filter(|one| one.is_of(turns));
            if self.order.len() < MOST && one.is_some_and(|one| one.is_shared(now)) {
                return;
            }
            if one.is_some() {
                self.by_key.remove(key);
            }
            self.order.pop_front();
        }
    }
}

impl<T> Redemption<T> {
    fn is_of(&self, turns: &Arc<Turns<()>>) -> bool {
        Arc::ptr_eq(&self.place.turns, turns)
    }

    fn is_shared(&self, now: Timestamp) -> bool {
        match self.succeeded {
            Some(at) => now.since(at) <= REMEMBERED,
            // Not one whose task has ended without an outcome.
            None => self.place.outcome.has_changed().is_ok(),
        }
    }
}

impl<T: Clone> Place<T> {
    /// The turn and the outcome, or `None` if the task that redeemed has ended without one.
    pub(crate) async fn wait(mut self) -> (Turn, Option<Result<T>>) {
        let turn = self.turns.lock_owned().await;
        let landed = self.outcome.wait_for(Option::is_some).await;
        (turn, landed.ok().and_then(|outcome| outcome.clone()))
    }
}

impl<T> Clone for Place<T> {
    fn clone(&self) -> Self {
        Self { outcome: self.outcome.clone(), turns: Arc::clone(&self.turns) }
    }
}

impl<T> Default for Redemptions<T> {
    fn default() -> Self {
        Self(Mutex::new(Known { by_key: HashMap::new(), order: VecDeque::new() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::error::BrowserError;

    const KEY: Key = [7; 32];

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000) + Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn one_redeems_and_all_have_the_outcome_in_turn() {
        let all = Redemptions::default();
        let (first, begun) = all.board(KEY, at(0));
        let (second, none) = all.board(KEY, at(0));
        assert!(none.is_none());
        all.land(begun.unwrap(), Ok(1), at(1));
        let (turn, outcome) = first.wait().await;
        assert_eq!(outcome, Some(Ok(1)));
        let second = tokio::spawn(second.wait());
        tokio::task::yield_now().await;
        assert!(!second.is_finished(), "the first has the turn");
        drop(turn);
        assert_eq!(second.await.unwrap().1, Some(Ok(1)));
    }

    #[tokio::test]
    async fn a_success_is_remembered_for_ten_seconds_and_a_failure_is_not() {
        let all = Redemptions::default();
        let (_, begun) = all.board(KEY, at(0));
        all.land(begun.unwrap(), Ok(1), at(5));
        assert!(all.board(KEY, at(15)).1.is_none());
        let (late, begun) = all.board(KEY, at(16));
        all.land(begun.unwrap(), Err(BrowserError::Denied.into()), at(16));
        assert_eq!(late.wait().await.1, Some(Err(BrowserError::Denied.into())));
        assert!(all.board(KEY, at(16)).1.is_some());
    }

    #[tokio::test]
    async fn a_task_that_is_gone_keeps_nobody_waiting() {
        let all = Redemptions::<u8>::default();
        let (place, begun) = all.board(KEY, at(0));
        drop(begun);
        assert_eq!(place.wait().await.1, None);
        assert!(all.board(KEY, at(0)).1.is_some());
    }

    #[test]
    fn the_memory_has_an_end() {
        let all = Redemptions::<u8>::default();
        let mut begun = Vec::new();
        for number in 0..=MOST as u64 {
            let mut key = KEY;
            key[..8].copy_from_slice(&number.to_be_bytes());
            begun.push(all.board(key, at(number)).1.unwrap());
        }
        let lengths = |all: &Redemptions<u8>| {
            let known = all.lock();
            (known.by_key.len(), known.order.len())
        };
        assert_eq!(lengths(&all), (MOST, MOST));
        // The one that gave way, and began again, is not confused with itself.
        let mut key = KEY;
        key[..8].copy_from_slice(&0_u64.to_be_bytes());
        let (_, again) = all.board(key, at(0));
        all.land(begun.remove(0), Err(BrowserError::Denied.into()), at(0));
        assert!(all.board(key, at(0)).1.is_none());
        drop(again);
        // Failures leave no more behind than successes.
        for number in 0..3 * MOST as u64 {
            key[8..16].copy_from_slice(&number.to_be_bytes());
            let failed = all.board(key, at(1)).1.unwrap();
            all.land(failed, Err(BrowserError::Denied.into()), at(1));
        }
        assert!(lengths(&all).1 <= MOST);
    }
}
