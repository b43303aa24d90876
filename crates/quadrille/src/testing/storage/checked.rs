//! A storage whose failing verbs name themselves.

use std::{sync::Arc, time::Duration};

use crate::{
    consumer::{Account, Change, Context, Replaced, Stored, Token, TokenStorage},
    testing::rules::worked,
};

use super::world::World;

/// A [`TokenStorage`] all of whose verbs must succeed.
pub(super) struct Checked<'s, S>(pub(super) &'s S);

impl<S> Clone for Checked<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Checked<'_, S> {}

/// Wraps each verb of [`TokenStorage`], with a failure that names it.
macro_rules! verbs {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl<S: TokenStorage> Checked<'_, S> {
            $(
                pub(super) async fn $name(
                    self,
                    cx: &Context<'_>,
                    $($argument: $type),*
                ) -> $answer {
                    worked(stringify!($name), self.0.$name(cx, $($argument),*).await)
                }
            )*
        }
    };
}

verbs! {
    link(account: &Account, token: &Token) -> ();
    replace(seen: &Stored, change: Change<'_>) -> Replaced;
    unlink(account: &Account) -> bool;
    accounts(service: &str, after: Option<&Account>, limit: usize) -> Vec<Stored>;
    lease(account: &Account, holder: u64, lease: Duration) -> bool;
    release(account: &Account, holder: u64) -> ();
}

impl<S: TokenStorage> Checked<'_, S> {
    /// The stored account.
    pub(super) async fn find(self, world: &World, account: &Account) -> Option<Stored> {
        let Account { owner, service, subject } = account;
        worked("load", self.0.load(&world.visit(), owner, service, Some(subject)).await)
    }

    /// The stored account after linking it.
    pub(super) async fn linked(self, world: &World, account: &Account, token: &Token) -> Stored {
        self.link(&world.visit(), account, token).await;
        let found = self.find(world, account).await;
        worked("load", found.ok_or("an account that was linked is not found"))
    }

    /// The subject of the owner's current account at this service.
    pub(super) async fn current(self, world: &World, account: &Account) -> Option<Arc<str>> {
        let Account { owner, service, .. } = account;
        let found = worked("load", self.0.load(&world.visit(), owner, service, None).await);
        found.map(|stored| stored.account.subject)
    }
}
