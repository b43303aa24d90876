//! Documents at URLs: at those that clients name, and those of an issuer elsewhere. Keys and metadata
//! of other parties are fetched and kept by [`Remote`].

#[cfg(any(feature = "provider", feature = "consumer"))]
mod address;
#[cfg(feature = "http-client")]
mod answer;
mod document;
#[cfg(all(feature = "http-client", feature = "provider"))]
mod guarded;
mod remote;
mod schedule;
#[cfg(all(feature = "http-client", feature = "provider"))]
mod shares;
#[cfg(feature = "http-client")]
mod trusted;
#[cfg(feature = "provider")]
mod visitors;

#[cfg(any(feature = "provider", feature = "consumer"))]
pub(crate) use address::{is_public, leads_outward};
#[cfg(feature = "consumer")]
pub(crate) use answer::document;
#[cfg(all(feature = "http-client", feature = "provider"))]
pub use guarded::GuardedFetcher;
#[cfg(feature = "provider")]
pub(crate) use remote::NoKeys;
#[cfg(any(feature = "provider", all(feature = "guard", feature = "http-client")))]
pub(crate) use remote::RemoteDocument;
#[cfg(feature = "http-client")]
pub(crate) use trusted::TrustedFetcher;
#[cfg(feature = "provider")]
pub(crate) use visitors::Visitors;
#[cfg(any(feature = "consumer", feature = "provider"))]
pub(crate) use {
    document::Document,
    remote::{Remote, RemoteKeys},
    schedule::NotFetched,
};

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use url::Url;

/// A fetcher of JSON from URLs that clients name. The provider uses no other way to reach such a
/// URL.
///
/// Use `GuardedFetcher` (feature `http-client`). A fetcher of your own, for example through a
/// proxy, must refuse whatever `GuardedFetcher` refuses, because the machines around a provider
/// trust its requests. It must not follow redirects. Implement it with `async fn`.
///
/// ```
/// use quadrille::provider::{FetchError, Fetched, Fetcher};
/// use url::Url;
///
/// struct Canned;
///
/// impl Fetcher for Canned {
///     async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
///         match url.host_str() {
///             Some("app.example") => Ok(Fetched::new(r#"{"client_id":"https://app.example/"}"#)),
///             _ => Err(FetchError::Unreachable),
///         }
///     }
/// }
/// ```
pub trait Fetcher: Send + Sync + 'static {
    /// Gets the document at `url`.
    fn fetch(&self, url: &Url) -> impl Future<Output = Result<Fetched, FetchError>> + Send;

    /// Whether a document can be at `url`, as far as the URL tells. Clients that register themselves
    /// have addresses on this machine only where it is reached. Unless you implement it: whether its
    /// host is neither a name of this machine nor an address outside the public Internet.
    #[cfg(feature = "provider")]
    fn reaches(&self, url: &Url) -> bool {
        leads_outward(url)
    }
}

/// A fetcher of tokens from URLs that clients name: their request objects (RFC 9101, section 5.2).
///
/// Use `GuardedFetcher` (feature `http-client`). One of your own must refuse what a [`Fetcher`]
/// must, and must not follow redirects. Implement it with `async fn`.
///
/// ```
/// use quadrille::provider::{FetchError, Fetched, TokenFetcher};
/// use url::Url;
///
/// struct Nowhere;
///
/// impl TokenFetcher for Nowhere {
///     async fn fetch_token(&self, _url: &Url) -> Result<Fetched, FetchError> {
///         Err(FetchError::Unreachable)
///     }
/// }
/// ```
#[cfg(feature = "provider")]
pub trait TokenFetcher: Send + Sync + 'static {
    /// Gets the token at `url`, of any declared type.
    fn fetch_token(&self, url: &Url) -> impl Future<Output = Result<Fetched, FetchError>> + Send;
}

/// A [`TokenFetcher`] in the place of a [`Fetcher`].
#[cfg(feature = "provider")]
pub(crate) struct OfTokens<F>(pub(crate) F);

#[cfg(feature = "provider")]
impl<F: TokenFetcher> Fetcher for OfTokens<F> {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        self.0.fetch_token(url).await
    }
}

/// A sender of forms to URLs that clients name. The provider tells clients of logouts with it
/// (OpenID Connect Back-Channel Logout, section 2.5).
///
/// Use `GuardedFetcher` (feature `http-client`). One of your own must refuse what a [`Fetcher`]
/// must, and must not follow redirects. Implement it with `async fn`.
///
/// ```
/// use quadrille::provider::{FetchError, Notifier};
/// use url::Url;
///
/// struct Nowhere;
///
/// impl Notifier for Nowhere {
///     async fn notify(&self, _url: &Url, _form: &str) -> Result<(), FetchError> {
///         Err(FetchError::Unreachable)
///     }
/// }
/// ```
#[cfg(feature = "provider")]
pub trait Notifier: Send + Sync + 'static {
    /// Sends a form to `url` by POST, as `application/x-www-form-urlencoded`. Its values are secret:
    /// do not log them. The status of the answer must be 200 or 204.
    fn notify(&self, url: &Url, form: &str) -> impl Future<Output = Result<(), FetchError>> + Send;

    /// Whether a form can get to `url`, as far as the URL tells. Clients with other addresses for
    /// logout are not registered. Unless you implement it: whether its host is neither a name of this
    /// machine nor an address outside the public Internet.
    fn reaches(&self, url: &Url) -> bool {
        leads_outward(url)
    }
}

/// A document that was fetched.
///
/// ```
/// use quadrille::provider::Fetched;
/// use std::time::Duration;
///
/// let document = Fetched::new(r#"{"client_id":"https://app.example/"}"#)
///     .max_age(Duration::from_secs(600));
/// assert_eq!(document.body.len(), 36);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// The body. Only its size and declared type were checked.
    pub body: Bytes,
    /// The `max-age` (RFC 9111, section 5.2.2.1), if the answer has one. Zero forbids keeping it.
    pub max_age: Option<Duration>,
}

impl Fetched {
    /// A document without a `max-age`.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), max_age: None }
    }

    /// Sets the `max-age`.
    #[must_use]
    pub fn max_age(mut self, time: Duration) -> Self {
        self.max_age = Some(time);
        self
    }
}

/// The reason why a document was not fetched, or a form not sent. Only a status in it comes from the
/// other side.
///
/// ```
/// use quadrille::provider::FetchError;
///
/// assert_eq!(FetchError::Status(404).to_string(), "the answer has status 404");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL is not https, or holds a user name, a password or a fragment.
    #[error("the URL is not a plain https URL")]
    Url,
    /// The host is, or has, an address outside the public Internet.
    #[error("the host is not on the public Internet")]
    NotPublic,
    /// The connection failed or broke.
    #[error("the host cannot be reached")]
    Unreachable,
    /// The fetch did not begin in time: too many others are under way, of all hosts or of this one.
    #[error("too many other documents are being fetched")]
    Busy,
    /// The deadline passed.
    #[error("the answer did not arrive in time")]
    TimedOut,
    /// The status is not 200. Redirects are not followed.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The declared type is not JSON.
    #[error("the answer is not declared as JSON")]
    ContentType,
    /// The answer is compressed, which was not asked for.
    #[error("the answer is compressed, which was not asked for")]
    Compressed,
    /// The metadata of the issuer (RFC 8414) are malformed, of another issuer, or name no keys.
    #[error("the metadata of the issuer are not valid, or name no keys")]
    Metadata,
    /// The answer is longer than 64 KiB.
    #[error("the answer is too long")]
    TooLarge,
}

/// A [`Notifier`] as an object.
#[cfg(feature = "provider")]
pub(crate) trait ErasedNotifier: Send + Sync {
    fn notify<'a>(
        &'a self,
        url: &'a Url,
        form: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<(), FetchError>> + Send + 'a>>;

    fn reaches(&self, url: &Url) -> bool;
}

#[cfg(feature = "provider")]
impl<N: Notifier> ErasedNotifier for N {
    fn notify<'a>(
        &'a self,
        url: &'a Url,
        form: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<(), FetchError>> + Send + 'a>> {
        Box::pin(Notifier::notify(self, url, form))
    }

    fn reaches(&self, url: &Url) -> bool {
        Notifier::reaches(self, url)
    }
}

/// A [`Fetcher`] as an object.
pub(crate) trait ErasedFetcher: Send + Sync {
    fn fetch<'a>(
        &'a self,
        url: &'a Url,
    ) -> Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;

    #[cfg(feature = "provider")]
    fn reaches(&self, url: &Url) -> bool;
}

impl<F: Fetcher> ErasedFetcher for F {
    fn fetch<'a>(
        &'a self,
        url: &'a Url,
    ) -> Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>> {
        Box::pin(Fetcher::fetch(self, url))
    }

    #[cfg(feature = "provider")]
    fn reaches(&self, url: &Url) -> bool {
        Fetcher::reaches(self, url)
    }
}
