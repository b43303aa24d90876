//! The redemptions of codes in progress, and those that have just succeeded.
//!
//! A browser may open a callback twice: after a double click, or because its connection broke. A code
//! is valid once, and a provider may revoke the tokens of one that comes again (RFC 6749, section
//! 4.1.2).
//!
//! A success leaves the memory with the end of its time, and earlier if its login is over: a logout
//! ends it. The codes of one attempt push out only each other, since anybody can make them up.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex as Turns, OwnedMutexGuard, watch};

use crate::{
    Timestamp,
    consumer::{account::Account, error::Result},
};

/// The time for which a success is remembered: the browser may have lost the answer.
const REMEMBERED: Duration = Duration::from_secs(10);
/// The greatest number of redemptions; beyond it, the oldest are not shared any more.
const MOST: usize = 4096;
/// The greatest number of redemptions of one attempt: a user who clicks twice at a service returns with
/// two codes.
const OF_AN_ATTEMPT: usize = 2;

/// The identity of a redemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// A digest of the attempt, and of what binds it to a browser.
    pub(crate) attempt: [u8; 32],
    /// A digest of the code.
    pub(crate) code: [u8; 32],
}

/// The redemptions of this process.
pub(crate) struct Redemptions<T>(Mutex<Known<T>>);

struct Known<T> {
    by_key: BTreeMap<Key, Redemption<T>>,
    /// The keys by age, those of `by_key` alone.
    order: BTreeMap<u64, Key>,
    /// The number of the next redemption.
    next: u64,
}

struct Redemption<T> {
    number: u64,
    place: Place<T>,
    succeeded: Option<Timestamp>,
}

/// A caller's place in a redemption.
pub(crate) struct Place<T> {
    outcome: watch::Receiver<Option<Result<T>>>,
    login: Arc<OneLogin>,
}

/// A redemption that its caller must run.
pub(crate) struct Begun<T> {
    key: Key,
    outcome: watch::Sender<Option<Result<T>>>,
    login: Arc<OneLogin>,
}

/// The login that all callers of one redemption finish.
#[derive(Default)]
struct OneLogin {
    turns: Arc<Turns<()>>,
    /// The account that the first of them has stored.
    account: Mutex<Option<Account>>,
    is_over: AtomicBool,
}

/// The right to go on after a redemption, which one of its callers has at a time.
pub(crate) struct Turn {
    login: Arc<OneLogin>,
    _guard: OwnedMutexGuard<()>,
}

impl<T> Redemptions<T> {
    /// Joins the redemption with this key, or begins it.
    pub(crate) fn board(&self, key: Key, now: Timestamp) -> (Place<T>, Option<Begun<T>>) {
        let mut all = self.lock();
        all.forget_old(now);
        if let Some(one) = all.by_key.get(&key) {
            if one.is_shared(now) {
                return (one.place.clone(), None);
            }
            all.remove(&key);
        }
        all.make_room(&key);
        let (send, outcome) = watch::channel(None);
        let place = Place { outcome, login: Arc::default() };
        let begun = Begun { key, outcome: send, login: Arc::clone(&place.login) };
        let number = all.next;
        all.next += 1;
        all.order.insert(number, key);
        all.by_key.insert(key, Redemption { number, place: place.clone(), succeeded: None });
        (place, Some(begun))
    }

    /// Forgets the redemption in which this turn is, whose login is over.
    pub(crate) fn forget(&self, key: &Key, turn: &Turn) {
        turn.login.is_over.store(true, Ordering::Release);
        self.lock().remove_if(key, &turn.login);
    }

    /// Forgets the redemptions of logins that are over, by the account that was stored.
    pub(crate) fn forget_logins(&self, is_over: impl Fn(&Account) -> bool) {
        let mut all = self.lock();
        let ended = all
            .by_key
            .iter()
            .filter(|(_, one)| one.place.login.account().as_ref().is_some_and(&is_over));
        for key in ended.map(|(key, _)| *key).collect::<Vec<_>>() {
            if let Some(one) = all.remove(&key) {
                one.place.login.is_over.store(true, Ordering::Release);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync + 'static> Redemptions<T> {
    /// Tells all callers of the outcome. A failure is not remembered, and a success for its time alone,
    /// also if no other request comes: it has tokens.
    pub(crate) fn land(self: &Arc<Self>, begun: Begun<T>, outcome: Result<T>, now: Timestamp) {
        let Begun { key, outcome: send, login } = begun;
        let mut all = self.lock();
        match &outcome {
            Ok(_) => {
                if let Some(one) = all.by_key.get_mut(&key).filter(|one| one.is_of(&login)) {
                    one.succeeded = Some(now);
                    let all = Arc::downgrade(self);
                    let login = Arc::clone(&login);
                    tokio::spawn(async move {
                        tokio::time::sleep(REMEMBERED).await;
                        if let Some(all) = all.upgrade() {
                            all.lock().remove_if(&key, &login);
                        }
                    });
                }
            }
            Err(_) => all.remove_if(&key, &login),
        }
        drop(all);
        send.send_replace(Some(outcome));
    }
}

impl<T> Known<T> {
    fn remove(&mut self, key: &Key) -> Option<Redemption<T>> {
        let one = self.by_key.remove(key)?;
        self.order.remove(&one.number);
        Some(one)
    }

    /// Removes the redemption of this login; another one with its key stays.
    fn remove_if(&mut self, key: &Key, login: &Arc<OneLogin>) {
        if self.by_key.get(key).is_some_and(|one| one.is_of(login)) {
            self.remove(key);
        }
    }

    /// Removes the oldest ones that are not shared any more.
    fn forget_old(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.order.first_key_value() {
            let key = *key;
            if self.by_key.get(&key).is_some_and(|one| one.is_shared(now)) {
                return;
            }
            self.remove(&key);
        }
    }

    /// Removes the redemptions that a new one takes the place of: the oldest of its attempt first.
    fn make_room(&mut self, new: &Key) {
        let (first, last) = (Key { code: [0; 32], ..*new }, Key { code: [0xff; 32], ..*new });
        let alike = || self.by_key.range(first..=last);
        if alike().count() >= OF_AN_ATTEMPT {
            let oldest = alike().min_by_key(|(_, one)| one.number).map(|(key, _)| *key);
            oldest.and_then(|key| self.remove(&key));
        }
        if self.by_key.len() >= MOST {
            let oldest = self.order.first_key_value().map(|(_, key)| *key);
            oldest.and_then(|key| self.remove(&key));
        }
    }
}

impl<T> Redemption<T> {
    fn is_of(&self, login: &Arc<OneLogin>) -> bool {
        Arc::ptr_eq(&self.place.login, login)
    }

    fn is_shared(&self, now: Timestamp) -> bool {
        match self.succeeded {
            Some(at) => now.since(at) <= REMEMBERED,
            // Not one whose task has ended without an outcome.
            None => self.place.outcome.has_changed().is_ok(),
        }
    }
}

impl OneLogin {
    fn account(&self) -> MutexGuard<'_, Option<Account>> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The account that a former request with the same callback has stored.
    pub(crate) fn account(&self) -> Option<Account> {
        self.login.account().clone()
    }

    /// Notes the account that this request has stored.
    pub(crate) fn note(&self, account: &Account) {
        *self.login.account() = Some(account.clone());
    }

    /// Whether the user has logged out of the login meanwhile.
    pub(crate) fn is_of_ended_login(&self) -> bool {
        self.login.is_over.load(Ordering::Acquire)
    }
}

impl<T: Clone> Place<T> {
    /// The turn and the outcome, or `None` if the task that redeemed has ended without one.
    pub(crate) async fn wait(mut self) -> (Turn, Option<Result<T>>) {
        let guard = Arc::clone(&self.login.turns).lock_owned().await;
        let landed = self.outcome.wait_for(Option::is_some).await;
        let outcome = landed.ok().and_then(|outcome| outcome.clone());
        (Turn { login: self.login, _guard: guard }, outcome)
    }
}

impl<T> Clone for Place<T> {
    fn clone(&self) -> Self {
        Self { outcome: self.outcome.clone(), login: Arc::clone(&self.login) }
    }
}

impl<T> Default for Redemptions<T> {
    fn default() -> Self {
        Self(Mutex::new(Known { by_key: BTreeMap::new(), order: BTreeMap::new(), next: 0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::error::BrowserError;

    const KEY: Key = key(7, 7);

    const fn key(attempt: u64, code: u64) -> Key {
        const fn digest(number: u64) -> [u8; 32] {
            let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
            let mut digest = [0; 32];
            [digest[0], digest[1], digest[2], digest[3]] = [a, b, c, d];
            [digest[4], digest[5], digest[6], digest[7]] = [e, f, g, h];
            digest
        }
        Key { attempt: digest(attempt), code: digest(code) }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000) + Duration::from_secs(seconds)
    }

    fn denied<T>() -> Result<T> {
        Err(BrowserError::Denied.into())
    }

    #[tokio::test]
    async fn one_redeems_and_all_have_the_outcome_in_turn() {
        let all = Arc::new(Redemptions::default());
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
        let all = Arc::new(Redemptions::default());
        let (_, begun) = all.board(KEY, at(0));
        all.land(begun.unwrap(), Ok(1), at(5));
        assert!(all.board(KEY, at(15)).1.is_none());
        let (late, begun) = all.board(KEY, at(16));
        all.land(begun.unwrap(), denied(), at(16));
        assert_eq!(late.wait().await.1, Some(denied()));
        assert!(all.board(KEY, at(16)).1.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_leaves_the_memory_with_its_time_also_if_nobody_comes() {
        let all = Arc::new(Redemptions::default());
        let tokens = Arc::new(());
        let (_, begun) = all.board(KEY, at(0));
        all.land(begun.unwrap(), Ok(Arc::clone(&tokens)), at(0));
        tokio::time::sleep(REMEMBERED - Duration::from_millis(1)).await;
        assert_eq!(Arc::strong_count(&tokens), 2);
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(Arc::strong_count(&tokens), 1);
    }

    #[tokio::test]
    async fn a_login_that_is_over_is_forgotten_also_by_the_next_in_turn() {
        let account = |subject: &str| Account {
            owner: crate::Owner::NOBODY,
            service: "acme".into(),
            subject: subject.into(),
        };
        let all = Arc::new(Redemptions::default());
        for (number, subject) in [(1, "ada"), (2, "bob")] {
            let (first, begun) = all.board(key(number, 1), at(0));
            let (second, _) = all.board(key(number, 1), at(0));
            all.land(begun.unwrap(), Ok(number), at(0));
            let (turn, _) = first.wait().await;
            turn.note(&account(subject));
            drop(turn);
            all.forget_logins(|account| &*account.subject == "ada");
            let (turn, outcome) = second.wait().await;
            assert_eq!(outcome, Some(Ok(number)));
            assert_eq!(turn.account(), Some(account(subject)));
            assert_eq!(turn.is_of_ended_login(), number == 1);
            assert_eq!(all.board(key(number, 1), at(0)).1.is_some(), number == 1);
        }
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
    fn the_codes_of_one_attempt_push_out_only_each_other() {
        let all = Arc::new(Redemptions::<u8>::default());
        let of_others = all.board(key(1, 1), at(0)).1;
        // A user who clicks twice at the service, and repeats both answers.
        let (one, two) = (all.board(KEY, at(0)).1, all.board(key(7, 8), at(0)).1);
        assert!(all.board(KEY, at(0)).1.is_none() && all.board(key(7, 8), at(0)).1.is_none());
        let mut in_flight = Vec::new();
        for code in 0..2 * MOST as u64 {
            in_flight.push(all.board(key(9, code), at(0)).1.unwrap());
        }
        for code in 0..2 * MOST as u64 {
            all.land(all.board(key(10, code), at(0)).1.unwrap(), denied(), at(0));
        }
        for known in [key(1, 1), KEY, key(7, 8)] {
            assert!(all.board(known, at(0)).1.is_none());
        }
        assert_eq!(all.lock().by_key.len(), 3 + OF_AN_ATTEMPT);
        drop((of_others, one, two));
    }

    #[test]
    fn the_memory_has_an_end() {
        let all = Arc::new(Redemptions::<u8>::default());
        let mut begun = Vec::new();
        for number in 0..=MOST as u64 {
            begun.push(all.board(key(number, 0), at(number)).1.unwrap());
        }
        let lengths = || {
            let known = all.lock();
            (known.by_key.len(), known.order.len())
        };
        assert_eq!(lengths(), (MOST, MOST));
        // The one that gave way, and began again, is not confused with itself.
        let (_, again) = all.board(key(0, 0), at(0));
        all.land(begun.remove(0), denied(), at(0));
        assert!(all.board(key(0, 0), at(0)).1.is_none());
        all.land(again.unwrap(), denied(), at(0));
        assert_eq!(lengths(), (MOST - 1, MOST - 1));
    }
}
