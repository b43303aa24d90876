//! The one person who has an album.

use std::sync::Arc;

use quadrille::Timestamp;

use crate::users::{Answering, User, UserName, Users};

/// Somebody who can sign in, and nobody else. Kept in memory.
#[derive(Debug)]
pub(super) struct OneUser(pub(super) User);

impl Users for OneUser {
    fn add(&self, _: User) -> Answering<'_, bool> {
        Box::pin(async { Ok(false) })
    }

    fn by_name<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>> {
        Box::pin(async move { Ok((self.0.name == *name).then(|| self.0.clone())) })
    }

    fn by_subject<'a>(&'a self, subject: &'a str) -> Answering<'a, Option<User>> {
        Box::pin(async move { Ok((&*self.0.subject == subject).then(|| self.0.clone())) })
    }

    fn is_empty(&self) -> Answering<'_, bool> {
        Box::pin(async { Ok(false) })
    }

    fn all(&self) -> Answering<'_, Vec<User>> {
        Box::pin(async { Ok(vec![self.0.clone()]) })
    }

    fn replace_hash<'a>(&'a self, _: &'a User, _: Arc<str>) -> Answering<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn set_password<'a>(
        &'a self,
        _: &'a UserName,
        _: Arc<str>,
        _: Timestamp,
    ) -> Answering<'a, Option<User>> {
        Box::pin(async { Ok(None) })
    }

    fn remove<'a>(&'a self, _: &'a UserName) -> Answering<'a, Option<User>> {
        Box::pin(async { Ok(None) })
    }
}
