//! What the provider fetches because a client named its URL.

mod address;
#[cfg(feature = "http-client")]
mod guarded;

pub use address::is_public;
#[cfg(feature = "http-client")]
pub use guarded::GuardedFetcher;

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use url::Url;

/// Fetches JSON at URLs that clients name. The provider reaches for nothing that a stranger names in
/// any other way.
///
/// `GuardedFetcher` (feature `http-client`) is the one to use. Another one, for a way out through a
/// proxy, say, must refuse what that one refuses: a provider stands where its own machine and the
/// network around it would take its requests for those of a friend. It must not follow redirects.
/// Implement it with `async fn`.
pub trait Fetcher: Send + Sync + 'static {
    /// Gets the document at `url`.
    fn fetch(&self, url: &Url) -> impl Future<Output = Result<Fetched, FetchError>> + Send;
}

/// A document that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// It, as it came: nothing but its size and declared type was looked at.
    pub body: Bytes,
    /// For how long it may be kept (RFC 9111, section 5.2.2.1), if that was said. Zero where it may not.
    pub max_age: Option<Duration>,
}

impl Fetched {
    /// A document of which nobody said for how long it may be kept.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), max_age: None }
    }

    /// It may be kept for so long.
    #[must_use]
    pub fn max_age(mut self, time: Duration) -> Self {
        self.max_age = Some(time);
        self
    }
}

/// Why a document was not fetched. Nothing in it comes from the other side but a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL is not https, or holds a user name, a password or a fragment.
    #[error("the URL is not a plain https one")]
    Url,
    /// The host is, or has, an address that is not on the public Internet.
    #[error("the host is not on the public Internet")]
    NotPublic,
    /// No connection, or it broke.
    #[error("the host cannot be reached")]
    Unreachable,
    /// The answer was not there in time.
    #[error("the answer was not there in time")]
    TimedOut,
    /// The answer is not a 200. Redirects are not followed.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The answer is not declared as JSON.
    #[error("the answer is not declared as JSON")]
    ContentType,
    /// The answer is longer than 64 KiB.
    #[error("the answer is too long")]
    TooLarge,
}

/// [`Fetcher`] without its type.
pub(crate) trait ErasedFetcher: Send + Sync {
    fn fetch<'a>(
        &'a self,
        url: &'a Url,
    ) -> Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;
}

impl<F: Fetcher> ErasedFetcher for F {
    fn fetch<'a>(
        &'a self,
        url: &'a Url,
    ) -> Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>> {
        Box::pin(Fetcher::fetch(self, url))
    }
}
