use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    Timestamp,
    consumer::{
        account::{Account, Owner, Stored, Token},
        error::Result,
    },
};

use super::{Change, Context, Replaced, TokenStorage};

/// Stores accounts in memory until the process ends: for tests, and for programs of one process
/// whose users may have to log in again.
///
/// ```
/// use quadrille::{KeyRing, Login, consumer::{MemoryStorage, Token}};
///
/// let storage = MemoryStorage::everyone_has("github", Token::new("gho_1"));
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example").storage(storage);
/// ```
#[derive(Debug, Default)]
pub struct MemoryStorage {
    accounts: Mutex<BTreeMap<Account, Kept>>,
    /// By service, a token for every user who linked none.
    everyones: BTreeMap<Box<str>, Token>,
    version: AtomicU64,
    /// The holders of leases, and the ends of these.
    leases: Mutex<BTreeMap<Account, (u64, Timestamp)>>,
}

#[derive(Debug)]
struct Kept {
    stored: Stored,
    /// The version at which the user linked it: the greatest of an owner's accounts is the one
    /// linked last, even if another was refreshed since.
    linked: u64,
}

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// A storage in which every visitor has `token` at `service`, for tests of handlers behind a
    /// login and for tools with a single user.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login, consumer::{MemoryStorage, Token}};
    ///
    /// let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
    ///     .with(GitHub::new("id", "secret"))
    ///     .storage(MemoryStorage::everyone_has("github", Token::new("gho_test")));
    /// login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    pub fn everyone_has(service: &str, token: Token) -> Self {
        Self { everyones: BTreeMap::from([(service.into(), token)]), ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Account, Kept>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<Account, (u64, Timestamp)>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_version(&self) -> u64 {
        self.version.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl TokenStorage for MemoryStorage {
    fn is_durable(&self) -> bool {
        false
    }

    async fn link(&self, _: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        let stored = Stored {
            account: account.clone(),
            token: token.clone(),
            version: self.next_version(),
            needs_linking_again: false,
        };
        let linked = stored.version;
        self.lock().insert(account.clone(), Kept { stored, linked });
        Ok(())
    }

    async fn load(
        &self,
        _: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        let first = Account { owner: owner.clone(), service: service.into(), subject: "".into() };
        let accounts = self.lock();
        let found = accounts
            .range(&first..)
            .take_while(|(account, _)| account.owner == *owner && *account.service == *service)
            .filter(|(account, _)| subject.is_none_or(|subject| *account.subject == *subject))
            .max_by_key(|(_, kept)| kept.linked)
            .map(|(_, kept)| kept.stored.clone());
        Ok(found.or_else(|| {
            let token = self.everyones.get(service)?.clone();
            Some(Stored { account: first, token, version: 0, needs_linking_again: false })
        }))
    }

    async fn replace(
        &self,
        _: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        let mut accounts = self.lock();
        let linked = match accounts.get(&seen.account) {
            Some(current) if current.stored.version == seen.version => current.linked,
            None if seen.version == 0 => 0,
            other => return Ok(Replaced::Changed(other.map(|kept| kept.stored.clone()))),
        };
        let (token, needs_linking_again) = match change {
            Change::Token(token) => (token.clone(), false),
            Change::NeedsLinkingAgain => (seen.token.clone(), true),
        };
        let version = self.next_version();
        let stored = Stored { account: seen.account.clone(), token, version, needs_linking_again };
        accounts.insert(seen.account.clone(), Kept { stored: stored.clone(), linked });
        Ok(Replaced::Done(stored))
    }

    async fn unlink(&self, _: &Context<'_>, account: &Account) -> Result<bool> {
        Ok(self.lock().remove(account).is_some())
    }

    /// Between a refresh and the tasks that move an account.
    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        let (now, mut leases) = (cx.env().now(), self.leases());
        leases.retain(|_, (_, ends)| *ends > now);
        if leases.get(account).is_some_and(|(by, _)| *by != holder) {
            return Ok(false);
        }
        leases.insert(account.clone(), (holder, now + lease));
        Ok(true)
    }

    async fn release(&self, _: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        let mut leases = self.leases();
        if leases.get(account).is_some_and(|(by, _)| *by == holder) {
            leases.remove(account);
        }
        Ok(())
    }

    async fn accounts(
        &self,
        _: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let accounts = self.lock();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = accounts.range::<Account, _>((start, Bound::Unbounded));
        let here = later.filter(|(account, _)| *account.service == *service);
        Ok(here.take(limit).map(|(_, kept)| kept.stored.clone()).collect())
    }
}

/// Stores nothing: for sites that only identify users, in `on_authorized`.
///
/// ```
/// use quadrille::{KeyRing, Login, consumer::NullStorage};
///
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example").storage(NullStorage);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NullStorage;

impl TokenStorage for NullStorage {
    fn is_durable(&self) -> bool {
        false
    }

    async fn link(&self, _: &Context<'_>, _: &Account, _: &Token) -> Result<()> {
        Ok(())
    }

    async fn load(
        &self,
        _: &Context<'_>,
        _: &Owner,
        _: &str,
        _: Option<&str>,
    ) -> Result<Option<Stored>> {
        Ok(None)
    }

    async fn replace(&self, _: &Context<'_>, _: &Stored, _: Change<'_>) -> Result<Replaced> {
        Ok(Replaced::Changed(None))
    }

    async fn unlink(&self, _: &Context<'_>, _: &Account) -> Result<bool> {
        Ok(false)
    }

    async fn accounts(
        &self,
        _: &Context<'_>,
        _: &str,
        _: Option<&Account>,
        _: usize,
    ) -> Result<Vec<Stored>> {
        Ok(Vec::new())
    }
}
