//! A storage with its type erased.

use std::{any::Any, pin::Pin, time::Duration};

use crate::consumer::{
    account::{Account, Owner, Stored, Token},
    error::Result,
};

use super::{
    Change, Context, Replaced, TokenStorage,
    cookie::{self, CookieStorage},
};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`TokenStorage`] with its type erased.
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
    /// [`load`](Self::load) of the current account from [`CookieStorage`], which most requests of
    /// an application do: what is in the request needs no future. `None` for any other storage.
    fn find_in_cookies(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
    ) -> Option<Result<Option<Stored>>>;
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
    fn find_in_cookies(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
    ) -> Option<Result<Option<Stored>>> {
        let in_cookies = (self as &dyn Any).is::<CookieStorage>();
        in_cookies.then(|| cookie::read(cx, owner, service))
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
