use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
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
    accounts: Mutex<Accounts>,
    /// By service, a token for every user who linked none.
    everyones: BTreeMap<Box<str>, Token>,
    version: AtomicU64,
    leases: Mutex<Leases>,
}

/// The accounts by service, so that none is walked through that is at another one: the records of the
/// site are read every few seconds.
type Accounts = BTreeMap<Arc<str>, BTreeMap<Account, Kept>>;

#[derive(Debug)]
struct Kept {
    stored: Stored,
    /// The version at which the user linked it: the greatest of an owner's accounts is the one
    /// linked last, even if another was refreshed since.
    linked: u64,
}

/// The holders of leases, and the ends of these.
#[derive(Debug, Default)]
struct Leases {
    held: BTreeMap<Account, (u64, Timestamp)>,
    /// The number of leases at which those that are over are removed.
    most: usize,
}

impl Leases {
    /// The holder of a lease that is not over.
    fn holder(&self, account: &Account, now: Timestamp) -> Option<u64> {
        let (holder, ends) = self.held.get(account)?;
        (*ends > now).then_some(*holder)
    }

    fn hold(&mut self, account: &Account, holder: u64, ends: Timestamp, now: Timestamp) {
        if self.held.len() >= self.most {
            self.held.retain(|_, (_, ends)| *ends > now);
            // Twice as many, so that the walk is paid for by as many leases.
            self.most = 2 * self.held.len() + 64;
        }
        self.held.insert(account.clone(), (holder, ends));
    }
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

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
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
        let kept = Kept { linked: stored.version, stored };
        let mut accounts = self.lock();
        let here = accounts.entry(Arc::clone(&account.service)).or_default();
        here.insert(account.clone(), kept);
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
        let found = accounts.get(service).and_then(|here| match subject {
            Some(subject) => here.get(&Account { subject: subject.into(), ..first.clone() }),
            None => {
                let own = here.range(&first..).take_while(|(account, _)| account.owner == *owner);
                own.max_by_key(|(_, kept)| kept.linked).map(|(_, kept)| kept)
            }
        });
        Ok(found.map(|kept| kept.stored.clone()).or_else(|| {
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
        let here = accounts.entry(Arc::clone(&seen.account.service)).or_default();
        let linked = match here.get(&seen.account) {
            Some(current) if current.stored.version == seen.version => current.linked,
            None if seen.version == 0 => 0,
            other => return Ok(Replaced::Changed(other.map(|kept| kept.stored.clone()))),
        };
        let stored = change.applied_to(seen, self.next_version());
        here.insert(seen.account.clone(), Kept { stored: stored.clone(), linked });
        Ok(Replaced::Done(stored))
    }

    async fn unlink(&self, _: &Context<'_>, account: &Account) -> Result<bool> {
        let mut accounts = self.lock();
        let here = accounts.get_mut(&account.service);
        Ok(here.and_then(|here| here.remove(account)).is_some())
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
        if leases.holder(account, now).is_some_and(|by| by != holder) {
            return Ok(false);
        }
        leases.hold(account, holder, now + lease, now);
        Ok(true)
    }

    async fn release(&self, _: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        let mut leases = self.leases();
        if leases.held.get(account).is_some_and(|(by, _)| *by == holder) {
            leases.held.remove(account);
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
        let here = accounts.get(service).into_iter();
        let later = here.flat_map(|here| here.range::<Account, _>((start, Bound::Unbounded)));
        Ok(later.take(limit).map(|(_, kept)| kept.stored.clone()).collect())
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
