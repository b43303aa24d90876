//! The turns of browsers with a device cookie in the hashing of passwords.
//!
//! Such a browser passes the line of the others, also with the right password, which counts as no failure.
//! A user makes any number of device cookies. So the known browsers of one user have one turn at a time, and those
//! of all users have a part of the hashing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// The number of users at which those without an attempt are forgotten.
const USERS: usize = 256;

/// The turns of browsers with a device cookie.
pub(super) struct KnownBrowsers {
    all: Semaphore,
    users: Mutex<HashMap<Box<str>, Weak<Semaphore>>>,
}

/// A turn, until it is dropped.
pub(super) struct KnownTurn<'a> {
    _of_user: OwnedSemaphorePermit,
    _of_all: SemaphorePermit<'a>,
}

impl KnownBrowsers {
    /// Turns for so many users at once.
    pub(super) fn new(places: usize) -> Self {
        Self { all: Semaphore::new(places), users: Mutex::default() }
    }

    /// Waits for the turn of a user. `None` if it takes too long.
    pub(super) async fn turn(&self, subject: &str, patience: Duration) -> Option<KnownTurn<'_>> {
        let user = self.user(subject);
        let turn = async {
            // Semaphores are never closed.
            let of_user = user.acquire_owned().await.ok()?;
            let of_all = self.all.acquire().await.ok()?;
            Some(KnownTurn { _of_user: of_user, _of_all: of_all })
        };
        tokio::time::timeout(patience, turn).await.ok().flatten()
    }

    fn user(&self, subject: &str) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = users.get(subject).and_then(Weak::upgrade) {
            return known;
        }
        if users.len() >= USERS {
            users.retain(|_, known| known.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(1));
        users.insert(subject.into(), Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(8);

    #[tokio::test(start_paused = true)]
    async fn any_number_of_browsers_of_one_user_leave_the_others_their_turns() {
        let known = KnownBrowsers::new(2);
        let first = known.turn("eve", PATIENCE).await.unwrap();
        assert!(known.turn("eve", PATIENCE).await.is_none(), "a second turn of one user");
        let other = known.turn("ada", PATIENCE).await.unwrap();
        assert!(known.turn("bob", PATIENCE).await.is_none(), "more than all may have");
        drop(other);
        assert!(known.turn("bob", PATIENCE).await.is_some());
        drop(first);
        assert!(known.turn("eve", PATIENCE).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn users_without_an_attempt_are_forgotten() {
        let known = KnownBrowsers::new(2);
        for number in 0..3 * USERS {
            assert!(known.turn(&number.to_string(), PATIENCE).await.is_some());
            assert!(known.users.lock().unwrap().len() <= USERS);
        }
    }
}
