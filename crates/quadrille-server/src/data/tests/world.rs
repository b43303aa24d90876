//! The common part of the rules.

use std::sync::Arc;

use quadrille::{Env, Timestamp};

use crate::{
    data::backend::Backend,
    users::{Added, User, UserName},
};

pub(super) type Tested = Arc<dyn Backend>;

pub(super) const ISSUER: &str = "https://id.example";

pub(super) const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(super) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

pub(super) async fn add(backend: &Tested, text: &str) -> User {
    // Times are stored in seconds.
    let user = User { created: NOON, ..User::new(&Env::system(), name(text), "a hash".into()) };
    assert_eq!(backend.add_user(user.clone()).await.unwrap(), Added::Now);
    user
}
