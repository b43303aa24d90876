//! A login whose service is in this process.

use std::time::Duration;

use quadrille::{
    GitHub, KeyRing, Login, Owner,
    consumer::{Account, Stored, Token, TokenStorage},
    testing::{FakeService, ManualClock},
};

pub(crate) const OLD: [u8; 32] = [1; 32];
pub(crate) const NEW: [u8; 32] = [2; 32];

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) service: FakeService,
}

impl World {
    pub(crate) fn new() -> Self {
        let service = FakeService::new("our-id", "our-secret");
        Self { clock: ManualClock::new(), service }
    }

    /// A process of the site with these keys, the newest first.
    pub(crate) fn login(&self, keys: &[[u8; 32]], storage: &impl Cloned) -> Login {
        storage
            .store(Login::new(KeyRing::new(keys).unwrap(), "https://app.example"))
            .with(GitHub::new("our-id", "our-secret"))
            .http(self.service.clone())
            .env(self.clock.env())
    }
}

/// A storage that a login and a test share.
pub(crate) trait Cloned {
    fn store(&self, login: Login) -> Login;
}

impl<S: TokenStorage + Clone> Cloned for S {
    fn store(&self, login: Login) -> Login {
        login.storage(self.clone())
    }
}

pub(crate) fn account(owner: impl std::fmt::Display, subject: &str) -> Account {
    Account { owner: Owner::user(owner), service: "github".into(), subject: subject.into() }
}

pub(crate) fn token(name: impl std::fmt::Display) -> Token {
    Token::new(format!("access-canary-{name}")).refresh_token(format!("refresh-canary-{name}"))
}

/// The account as one process finds it.
pub(crate) async fn find<S: TokenStorage>(
    login: &Login,
    storage: &S,
    account: &Account,
) -> quadrille::Result<Option<Stored>> {
    let Account { owner, service, subject } = account;
    storage.load(&login.storage_context()?, owner, service, Some(subject)).await
}

/// The lifetime of a lease.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
