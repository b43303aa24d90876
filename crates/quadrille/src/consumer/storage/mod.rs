//! Where linked accounts are kept.

mod cookie;
mod memory;

use std::{fmt, pin::Pin, time::Duration};

use crate::{Env, KeyRing, consumer::error::Result};

use super::{
    account::{Account, Owner, Stored, Token},
    cookie_room::InUse,
    cookies::{CookieStyle, Jar},
};

pub use cookie::CookieStorage;
pub use memory::{MemoryStorage, NullStorage};

/// Keeps linked accounts. Each verb is atomic, and those that may lose to another request say so.
///
/// Implement it with `async fn`. A storage that outlives the process should keep the token sealed:
/// [`Context::seal`]. Keys are compared byte for byte: many databases take `abc` and `ABC ` for the
/// same unless they are told otherwise. With the feature `testing`,
/// [`storage_contract!`](crate::storage_contract) tests all that is said here.
pub trait TokenStorage: Send + Sync + 'static {
    /// Whether what is kept outlives the process, so that keys that do not are refused beside it.
    fn is_durable(&self) -> bool;

    /// Whether tokens are kept in the visitor's browser, and so are reached only while their
    /// visitor asks for something.
    fn is_in_browser(&self) -> bool {
        false
    }

    /// Keeps `token` for `account`, whatever was kept before, and makes it the owner's current
    /// account at this service.
    fn link(
        &self,
        cx: &Context<'_>,
        account: &Account,
        token: &Token,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The owner's account at `service` with this subject; without one, the one linked last.
    fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> impl Future<Output = Result<Option<Stored>>> + Send;

    /// Changes the token that was seen; when it is another by now, nothing is changed. No
    /// [`Stored::version`] is used again for another token: an account that was unlinked and linked
    /// anew is not the one that was seen. Replacing makes no account the current one.
    fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> impl Future<Output = Result<Replaced>> + Send;

    /// Forgets the account; `false` when there was none.
    fn unlink(
        &self,
        cx: &Context<'_>,
        account: &Account,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// The next accounts at `service`, of every owner, in the order of their keys (as [`Account`]s
    /// compare), at most `limit`.
    fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Stored>>> + Send;

    /// Whether `holder`, a number that each process draws for itself, may refresh the account now,
    /// the others keeping away for as long as `lease` says, unless it is released before. The holder
    /// of a lease is given it again, for the whole time anew. A storage that serves one process only has nothing to do
    /// here.
    fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> impl Future<Output = Result<bool>> + Send {
        let _ = (cx, account, holder, lease);
        async { Ok(true) }
    }

    /// Gives a lease back. One that `holder` does not hold (any more) is left alone.
    fn release(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (cx, account, holder);
        async { Ok(()) }
    }
}

/// What [`TokenStorage::replace`] does.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// A refreshed token takes the place of the seen one.
    Token(&'a Token),
    /// The service has ended the seen one for good.
    NeedsLinkingAgain,
}

/// What came of [`TokenStorage::replace`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// It was changed, and is this now.
    Done(Stored),
    /// It was another already: this one, or none any more.
    Changed(Option<Stored>),
}

/// What a storage may need besides its arguments.
pub struct Context<'a> {
    pub(crate) jar: Option<&'a Jar>,
    pub(crate) env: &'a Env,
    pub(crate) keys: &'a KeyRing,
    pub(crate) site: &'a str,
    pub(crate) style: &'a CookieStyle,
    pub(crate) in_use: &'a InUse,
}

impl Context<'_> {
    /// Clock and dice.
    pub fn env(&self) -> &Env {
        self.env
    }

    /// Seals a token for this account: it opens for no other owner, service or subject.
    pub fn seal(&self, account: &Account, token: &[u8]) -> Vec<u8> {
        self.keys.seal_bytes(self.env, "stored token", &self.sealed_for(account), token)
    }

    /// Opens what [`Context::seal`] made.
    ///
    /// # Errors
    /// Those of [`KeyRing::open_bytes`]; an unknown key is told from a broken seal.
    pub fn open(
        &self,
        account: &Account,
        sealed: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, crate::seal::OpenError> {
        self.keys.open_bytes("stored token", &self.sealed_for(account), sealed)
    }

    fn sealed_for(&self, account: &Account) -> String {
        let Account { owner, service, subject } = account;
        [self.site, owner.as_str(), service, subject].map(length_first).concat()
    }
}

/// Lengths keep "a" + "bc" from "ab" + "c".
pub(crate) fn length_first(text: &str) -> String {
    format!("{}:{text}", text.len())
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("site", &self.site).finish_non_exhaustive()
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`TokenStorage`] without its type.
pub(crate) trait ErasedStorage: Send + Sync {
    fn is_durable(&self) -> bool;
    fn is_in_browser(&self) -> bool;
    fn link<'a>(
        &'a self,
        cx: &'a Context<'a>,
        account: &'a Account,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<()>>;
    fn load<'a>(
        &'a self,
        cx: &'a Context<'a>,
        owner: &'a Owner,
        service: &'a str,
        subject: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<Stored>>>;
    fn replace<'a>(
        &'a self,
        cx: &'a Context<'a>,
        seen: &'a Stored,
        change: Change<'a>,
    ) -> BoxFuture<'a, Result<Replaced>>;
    fn unlink<'a>(
        &'a self,
        cx: &'a Context<'a>,
        account: &'a Account,
    ) -> BoxFuture<'a, Result<bool>>;
    fn accounts<'a>(
        &'a self,
        cx: &'a Context<'a>,
        service: &'a str,
        after: Option<&'a Account>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Stored>>>;
    fn lease<'a>(
        &'a self,
        cx: &'a Context<'a>,
        account: &'a Account,
        holder: u64,
        lease: Duration,
    ) -> BoxFuture<'a, Result<bool>>;
    fn release<'a>(
        &'a self,
        cx: &'a Context<'a>,
        account: &'a Account,
        holder: u64,
    ) -> BoxFuture<'a, Result<()>>;
}

impl<T: TokenStorage> ErasedStorage for T {
    fn is_durable(&self) -> bool {
        self.is_durable()
    }
    fn is_in_browser(&self) -> bool {
        self.is_in_browser()
    }
    fn link<'a>(
        &'a self,
        cx: &'a Context<'a>,
        account: &'a Account,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.link(cx, account, token))
    }
    fn load<'a>(
        &'a self,
        cx: &'a Context<'a>,
        owner: &'a Owner,
        service: &'a str,
        subject: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<Stored>>> {
        Box::pin(self.load(cx, owner, service, subject))
    }
    fn replace<'a>(
        &'a self,
        cx: &'a Context<'a>,
        seen: &'a Stored,
        change: Change<'a>,
    ) -> BoxFuture<'a, Result<Replaced>> {
        Box::pin(self.replace(cx, seen, change))
    }
    fn unlink<'a>(
        &'a self,
        cx: &'a Context<'a>,
        account: &'a Account,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.unlink(cx, account))
    }
    fn accounts<'a>(
        &'a self,
        cx: &'a Context<'a>,
        service: &'a str,
        after: Option<&'a Account>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Stored>>> {
        Box::pin(self.accounts(cx, service, after, limit))
    }
    fn lease<'a>(
        &'a self,
        cx: &'a Context<'a>,
        account: &'a Account,
        holder: u64,
        lease: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.lease(cx, account, holder, lease))
    }
    fn release<'a>(
        &'a self,
        cx: &'a Context<'a>,
        account: &'a Account,
        holder: u64,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.release(cx, account, holder))
    }
}
