//! [`UserStorage`] with its type erased.

use std::pin::Pin;

use crate::consumer::error::StorageError;

use super::{
    id::{ExternalId, UserId},
    storage::{Created, LastWay, LinkedTo, Unlinked, UserStorage},
};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

/// The verbs of a [`UserStorage`].
pub(super) trait ErasedUsers: Send + Sync {
    fn user_of<'a>(&'a self, id: &'a ExternalId) -> Answer<'a, Option<UserId>>;
    fn create<'a>(
        &'a self,
        user: UserId,
        id: &'a ExternalId,
        verified_email: Option<&'a str>,
    ) -> Answer<'a, Created>;
    fn add(&self, user: UserId) -> Answer<'_, bool>;
    fn link<'a>(
        &'a self,
        user: UserId,
        id: &'a ExternalId,
        verified_email: Option<&'a str>,
    ) -> Answer<'a, LinkedTo>;
    fn unlink<'a>(
        &'a self,
        user: UserId,
        id: &'a ExternalId,
        last: LastWay,
    ) -> Answer<'a, Unlinked>;
    fn external_ids(&self, user: UserId) -> Answer<'_, Vec<ExternalId>>;
    fn users_with_verified_email<'a>(&'a self, verified_email: &'a str) -> Answer<'a, Vec<UserId>>;
    fn remove(&self, user: UserId) -> Answer<'_, bool>;
}

impl<S: UserStorage> ErasedUsers for S {
    fn user_of<'a>(&'a self, id: &'a ExternalId) -> Answer<'a, Option<UserId>> {
        Box::pin(self.user_of(id))
    }
    fn create<'a>(
        &'a self,
        user: UserId,
        id: &'a ExternalId,
        verified_email: Option<&'a str>,
    ) -> Answer<'a, Created> {
        Box::pin(self.create(user, id, verified_email))
    }
    fn add(&self, user: UserId) -> Answer<'_, bool> {
        Box::pin(self.add(user))
    }
    fn link<'a>(
        &'a self,
        user: UserId,
        id: &'a ExternalId,
        verified_email: Option<&'a str>,
    ) -> Answer<'a, LinkedTo> {
        Box::pin(self.link(user, id, verified_email))
    }
    fn unlink<'a>(
        &'a self,
        user: UserId,
        id: &'a ExternalId,
        last: LastWay,
    ) -> Answer<'a, Unlinked> {
        Box::pin(self.unlink(user, id, last))
    }
    fn external_ids(&self, user: UserId) -> Answer<'_, Vec<ExternalId>> {
        Box::pin(self.external_ids(user))
    }
    fn users_with_verified_email<'a>(&'a self, verified_email: &'a str) -> Answer<'a, Vec<UserId>> {
        Box::pin(self.users_with_verified_email(verified_email))
    }
    fn remove(&self, user: UserId) -> Answer<'_, bool> {
        Box::pin(self.remove(user))
    }
}
