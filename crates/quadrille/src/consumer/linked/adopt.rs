//! Accounts that a browser has, for the user who signs in with it.

use std::time::Duration;

use tracing::{info, warn};

use crate::consumer::{
    account::{Account, Owner, Stored},
    cookies::Jar,
    error::Result,
    login::Login,
    refresh::{LEASE, LOOK},
    storage::{Change, Context, CookieStorage, ErasedStorage},
};

/// The greatest number of accounts of a browser at one service.
const MOST: usize = 32;

impl Login {
    /// Gives the accounts of this browser at `service` to a user who signs in to the application
    /// with it: those that were linked before anybody was signed in, and those in cookies from
    /// before the application had a storage on the server. Returns the account linked last; `None`
    /// if the browser had none, or if `owner` is no user. In axum, a handler calls
    /// [`Visitor::adopt`](crate::Visitor::adopt).
    ///
    /// Each token is stored for the user first, and removed from the browser then, so that a
    /// failure loses nothing, and the call may be repeated. If the user has the same account with a
    /// newer token, that one stays. An account whose session its provider has ended is removed. A cookie that was sealed for another user does not open: it
    /// stays where it is.
    ///
    /// Call it only for a request that a page of this site sent ([`Login::must_ask`]): another site
    /// could sign the visitor in as a user of its own, who would get the visitor's tokens.
    /// [`Visitor::adopt`](crate::Visitor::adopt) checks that.
    ///
    /// ```
    /// use quadrille::{Login, Owner, Result, consumer::Jar};
    ///
    /// async fn signed_in(login: &Login, jar: &Jar, user: i64) -> Result<()> {
    ///     if let Some(account) = login.adopt(jar, "github", &Owner::user(user)).await? {
    ///         println!("number {} at GitHub is yours now", account.subject);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`OperatorError::ServiceUnknown`](crate::consumer::OperatorError::ServiceUnknown), and those
    /// of the storage, after which the browser still has its accounts.
    pub async fn adopt(&self, jar: &Jar, service: &str, owner: &Owner) -> Result<Option<Account>> {
        self.check_name(service)?;
        if !owner.is_user() {
            return Ok(None);
        }
        let ready = self.ready()?;
        self.look_for_ended().await?;
        let (cx, storage) = (self.context(ready, Some(jar)), &*self.0.storage);
        let mut last = None;
        if !storage.is_in_browser()
            && let Some(browser) = self.owner_key(ready, &Owner::NOBODY, Some(jar))
        {
            let (login, from, to) = (self, storage, storage);
            let adopting = Adopting { login, cx: &cx, from, to, owner };
            last = adopting.all(&browser, service).await?;
        }
        let (login, from, to) = (self, &CookieStorage, storage);
        let adopting = Adopting { login, cx: &cx, from, to, owner };
        // A cookie is of nobody, or it was linked while this user was signed in.
        for sealed_for in [&Owner::NOBODY, owner] {
            if sealed_for == owner && storage.is_in_browser() {
                break;
            }
            last = adopting.all(sealed_for, service).await?.or(last);
        }
        Ok(last)
    }

    /// Gives the accounts of a browser's former identifier to that of the account that was linked last,
    /// which takes the place of others at its service: these may be another user's. Accounts of tenants
    /// are not known here, and stay.
    pub(crate) async fn take_over(&self, jar: &Jar, browser: &Owner, new: &Account) -> Result<()> {
        let ready = self.ready()?;
        self.look_for_ended().await?;
        let (cx, storage) = (self.context(ready, Some(jar)), &*self.0.storage);
        let moving =
            Adopting { login: self, cx: &cx, from: storage, to: storage, owner: &new.owner };
        for service in ready.services.iter().filter(|service| service.name != new.service) {
            moving.all(browser, &service.name).await?;
        }
        for _ in 0..MOST {
            let Some(old) = storage.load(&cx, browser, &new.service, None).await? else { break };
            if !storage.unlink(&cx, &old.account).await? {
                break;
            }
        }
        Ok(())
    }
}

/// A move of accounts to an owner.
struct Adopting<'a> {
    login: &'a Login,
    cx: &'a Context<'a>,
    from: &'a dyn ErasedStorage,
    to: &'a dyn ErasedStorage,
    owner: &'a Owner,
}

impl Adopting<'_> {
    /// Moves the accounts of `browser`; returns the first, which was linked last.
    async fn all(&self, browser: &Owner, service: &str) -> Result<Option<Account>> {
        let mut moved: Vec<Account> = Vec::new();
        for _ in 0..MOST {
            let found = self.from.load(self.cx, browser, service, None).await?;
            // A token that has ended is worth nothing to the user.
            let Some(found) = found.filter(|found| !found.needs_linking_again) else { break };
            if self.login.has_ended_account(&found) {
                // The next user of the browser must not get it (Back-Channel Logout, section 2.7).
                self.from.unlink(self.cx, &found.account).await?;
                continue;
            }
            let account = self.one(found).await?;
            // A storage for tests may have an account for everyone, which stays.
            if moved.contains(&account) {
                break;
            }
            moved.push(account);
        }
        if let [newest, _, ..] = &*moved {
            self.make_current(newest).await?;
        }
        Ok(moved.into_iter().next())
    }

    /// Links the account anew, since older ones were linked after it.
    async fn make_current(&self, account: &Account) -> Result<()> {
        let holder = u64::from_be_bytes(self.cx.env().random());
        self.lease(self.to, account, holder).await?;
        let linked = self.linked_anew(account).await;
        self.release(self.to, account, holder).await;
        linked
    }

    async fn linked_anew(&self, account: &Account) -> Result<()> {
        let Account { owner, service, subject } = account;
        match self.to.load(self.cx, owner, service, Some(subject)).await? {
            Some(now) if !now.needs_linking_again => {
                self.to.link(self.cx, account, &now.token).await
            }
            _ => Ok(()),
        }
    }

    /// Moves an account while nobody refreshes it, here or there.
    async fn one(&self, found: Stored) -> Result<Account> {
        let account = Account { owner: self.owner.clone(), ..found.account.clone() };
        let holder = u64::from_be_bytes(self.cx.env().random());
        self.lease(self.from, &found.account, holder).await?;
        let moved = match self.lease(self.to, &account, holder).await {
            Ok(()) => {
                let moved = self.moved(&found.account, &account).await;
                self.release(self.to, &account, holder).await;
                moved
            }
            Err(error) => Err(error),
        };
        self.release(self.from, &found.account, holder).await;
        moved.map(|()| account)
    }

    async fn moved(&self, from: &Account, to: &Account) -> Result<()> {
        let Account { owner, service, subject } = from;
        let found = self.from.load(self.cx, owner, service, Some(subject)).await?;
        // Another request has moved it.
        let Some(found) = found else { return Ok(()) };
        let known = self.to.load(self.cx, self.owner, service, Some(subject)).await?;
        match known {
            None => self.to.link(self.cx, to, &found.token).await?,
            Some(known) if known.token.obtained < found.token.obtained => {
                // If it is changed meanwhile, that is newer still.
                self.to.replace(self.cx, &known, Change::Token(&found.token)).await?;
            }
            Some(_) => {}
        }
        // In cookies, the one for the owner has taken its place.
        if !self.to.is_in_browser() {
            self.from.unlink(self.cx, from).await?;
        }
        info!(service = &**service, "an account of a browser has another owner");
        Ok(())
    }

    async fn lease(
        &self,
        storage: &dyn ErasedStorage,
        account: &Account,
        holder: u64,
    ) -> Result<()> {
        let mut waited = Duration::ZERO;
        while !storage.lease(self.cx, account, holder, LEASE).await? {
            // The holder has died, and the clock was set back. The token's version decides.
            if waited > LEASE {
                break;
            }
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
        Ok(())
    }

    async fn release(&self, storage: &dyn ErasedStorage, account: &Account, holder: u64) {
        if let Err(error) = storage.release(self.cx, account, holder).await {
            let service = &*account.service;
            warn!(service, %error, "a lease could not be released and expires by itself");
        }
    }
}
