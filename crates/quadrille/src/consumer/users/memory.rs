//! Users in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::consumer::error::StorageError;

use super::{
    id::{ExternalId, UserId},
    storage::{Created, LastWay, LinkedTo, Unlinked, UserStorage},
};

/// Stores users in memory until the process ends: for tests.
///
/// ```
/// use quadrille::consumer::users::{MemoryUsers, Users};
///
/// let users = Users::new(MemoryUsers::new());
/// ```
#[derive(Debug, Default)]
pub struct MemoryUsers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    users: BTreeSet<UserId>,
    accounts: BTreeMap<ExternalId, Linked>,
}

#[derive(Debug)]
struct Linked {
    user: UserId,
    verified_email: Option<Box<str>>,
}

impl MemoryUsers {
    /// A storage without users.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, user: UserId, id: &ExternalId, verified_email: Option<&str>) {
        let linked = Linked { user, verified_email: verified_email.map(Into::into) };
        self.accounts.insert(id.clone(), linked);
    }
}

impl UserStorage for MemoryUsers {
    async fn user_of(&self, id: &ExternalId) -> Result<Option<UserId>, StorageError> {
        Ok(self.kept().accounts.get(id).map(|linked| linked.user))
    }

    async fn create(
        &self,
        user: UserId,
        id: &ExternalId,
        verified_email: Option<&str>,
    ) -> Result<Created, StorageError> {
        let mut kept = self.kept();
        if let Some(linked) = kept.accounts.get(id) {
            return Ok(Created::Taken(linked.user));
        }
        if !kept.users.insert(user) {
            return Ok(Created::UserIdInUse);
        }
        kept.insert(user, id, verified_email);
        Ok(Created::Done)
    }

    async fn add(&self, user: UserId) -> Result<bool, StorageError> {
        Ok(self.kept().users.insert(user))
    }

    async fn link(
        &self,
        user: UserId,
        id: &ExternalId,
        verified_email: Option<&str>,
    ) -> Result<LinkedTo, StorageError> {
        let mut kept = self.kept();
        if let Some(linked) = kept.accounts.get(id) {
            return Ok(LinkedTo::Taken(linked.user));
        }
        if !kept.users.contains(&user) {
            return Ok(LinkedTo::UserUnknown);
        }
        kept.insert(user, id, verified_email);
        Ok(LinkedTo::Done)
    }

    async fn unlink(
        &self,
        user: UserId,
        id: &ExternalId,
        last: LastWay,
    ) -> Result<Unlinked, StorageError> {
        let mut kept = self.kept();
        if kept.accounts.get(id).is_none_or(|linked| linked.user != user) {
            return Ok(Unlinked::NotLinked);
        }
        let ways = kept.accounts.values().filter(|linked| linked.user == user).count();
        if ways == 1 && last == LastWay::Keep {
            return Ok(Unlinked::LastWay);
        }
        kept.accounts.remove(id);
        Ok(Unlinked::Done)
    }

    async fn external_ids(&self, user: UserId) -> Result<Vec<ExternalId>, StorageError> {
        let kept = self.kept();
        let of_user = kept.accounts.iter().filter(|(_, linked)| linked.user == user);
        Ok(of_user.map(|(id, _)| id.clone()).collect())
    }

    async fn users_with_verified_email(
        &self,
        verified_email: &str,
    ) -> Result<Vec<UserId>, StorageError> {
        let kept = self.kept();
        let has = |linked: &&Linked| linked.verified_email.as_deref() == Some(verified_email);
        let users: BTreeSet<_> =
            kept.accounts.values().filter(has).map(|linked| linked.user).collect();
        Ok(users.into_iter().collect())
    }

    async fn remove(&self, user: UserId) -> Result<bool, StorageError> {
        let mut kept = self.kept();
        kept.accounts.retain(|_, linked| linked.user != user);
        Ok(kept.users.remove(&user))
    }
}
