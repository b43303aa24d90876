//! Sending requests, on either side: the trait for clients, and two of them.

mod clients;
mod coding;

use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, Request, Response};

pub use clients::Reqwest;
#[cfg(any(feature = "provider", feature = "consumer"))]
pub(crate) use clients::guarded;
#[cfg(feature = "provider")]
pub(crate) use clients::guarded_trusting;
pub(crate) use clients::standard;
use coding::DecodeError;

/// A network fault.
///
/// ```
/// use quadrille::transport::NetworkError;
///
/// assert_eq!(NetworkError::TimedOut.to_string(), "no answer in time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The connection failed, for another reason than those below.
    #[error("no connection")]
    Connect,
    /// The name has no address, or DNS failed.
    #[error("no connection: the name has no address")]
    Name,
    /// The address refuses connections, or a firewall does.
    #[error("no connection: it was refused")]
    Refused,
    /// The TLS handshake failed: an untrusted certificate, one of another name, or no common
    /// version.
    #[error("no connection: TLS failed")]
    Tls,
    /// The response timed out.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke, or the server did not speak HTTP.
    #[error("the connection broke")]
    Interrupted,
    /// The name has an address that is not admitted.
    #[error("the name leads to an address that is not to be connected to")]
    AddressRefused,
}

/// A [`NetworkError`] with its cause.
///
/// ```
/// use std::io;
/// use quadrille::transport::{SendError, NetworkError};
///
/// let error = SendError::new(NetworkError::TimedOut, io::Error::other("after 10 s"));
/// assert_eq!(error.reason, NetworkError::TimedOut);
/// ```
#[derive(Clone, Debug)]
pub struct SendError {
    /// The fault.
    pub reason: NetworkError,
    /// The error of the operating system, TLS or HTTP, if known.
    pub cause: Option<Cause>,
}

impl SendError {
    /// A fault with its cause. The cause's text must not contain secrets such as a URL.
    pub fn new(reason: NetworkError, cause: impl StdError + Send + Sync + 'static) -> Self {
        Self { reason, cause: Some(Cause(Arc::new(cause))) }
    }
}

impl From<NetworkError> for SendError {
    fn from(reason: NetworkError) -> Self {
        Self { reason, cause: None }
    }
}

/// The error of another library behind a [`NetworkError`]: a link in the chain of
/// [`source`](StdError::source), for logs. All causes compare as equal, so that errors compare by
/// their fault.
///
/// ```
/// use std::io;
/// use quadrille::transport::{SendError, NetworkError};
///
/// let one = SendError::new(NetworkError::Tls, io::Error::other("unknown issuer"));
/// let two = SendError::new(NetworkError::Tls, io::Error::other("expired"));
/// assert_eq!(one.cause, two.cause);
/// ```
#[derive(Clone)]
pub struct Cause(Arc<dyn StdError + Send + Sync>);

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl PartialEq for Cause {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Cause {}

/// No HTTP client can be made, for example without certificate authorities on this machine.
///
/// ```
/// use quadrille::transport::{NoHttpClient, Reqwest};
///
/// fn client() -> Result<Reqwest, NoHttpClient> {
///     Reqwest::new(reqwest::Client::builder())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client cannot be made")]
pub struct NoHttpClient;

/// The purpose of a request, by which layers that retry, record or log know their limits.
///
/// ```
/// use quadrille::transport::Purpose;
///
/// assert!(!Purpose::RedeemCode.may_be_repeated());
/// assert!(Purpose::Api.may_be_logged());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Requests temporary credentials (OAuth 1). Each response has another secret: never repeat it,
    /// never log its body or its response.
    TemporaryCredentials,
    /// Redeems a code (OAuth 2) or a verifier (OAuth 1) for a token. Valid once: never repeat it,
    /// never log its body or its response.
    RedeemCode,
    /// Requests the codes of a device login (RFC 8628, section 3.1). Each response has another
    /// secret: never repeat it, never log its body or its response.
    DeviceAuthorization,
    /// Requests the token of a device login (RFC 8628, section 3.4). The login repeats it at the
    /// service's pace: never repeat it, never log its body or its response.
    PollDevice,
    /// Refreshes a token. May be valid once: never repeat it, never log its body or its response.
    Refresh,
    /// Requests the account's identity; its headers contain a token.
    Identity,
    /// Revokes a token; its headers or its body contain it. Never log its body.
    Revoke,
    /// A call of the application; its headers contain a token.
    Api,
    /// Introspects a token; its body contains it.
    Introspect,
    /// Introspects a signed request (OAuth 1), which then counts as used: never repeat it, never
    /// log its body.
    IntrospectSigned,
    /// Gets a document: metadata, or keys. Carries no credentials. An untrusted request may have
    /// named the URL: never trust or log the response.
    Document,
    /// Registers this application at a provider, or reads its registration (RFC 7591, RFC 7592). Each
    /// response has a secret: never repeat it, never log its body or its response.
    Register,
    /// Tells a client of a logout; its body contains a token. Never log it.
    Notify,
}

impl Purpose {
    /// Whether the login allows sending the same request again. (The method says whether the
    /// application does.)
    pub const fn may_be_repeated(self) -> bool {
        matches!(
            self,
            Self::Identity
                | Self::Revoke
                | Self::Api
                | Self::Introspect
                | Self::Document
                | Self::Notify
        )
    }

    /// Whether the request needs a connection that is new or was used within the last second: it is
    /// valid once and not repeated, and the server may be closing one that is unused for longer.
    pub const fn wants_recent_connection(self) -> bool {
        matches!(
            self,
            Self::TemporaryCredentials
                | Self::RedeemCode
                | Self::DeviceAuthorization
                | Self::PollDevice
                | Self::Refresh
        )
    }

    /// Whether bodies may be logged. Headers never may: they contain tokens.
    pub const fn may_be_logged(self) -> bool {
        matches!(self, Self::Api)
    }
}

/// Sends requests. [`Reqwest`] implements it; implement it with `async fn` for another client, or
/// for tests.
///
/// It must not follow redirects: the caller decides whether the token may be sent there.
///
/// ```
/// use http::{Request, Response};
/// use quadrille::transport::{Body, HttpClient, NetworkError, Purpose};
///
/// /// Prints the purpose of each request to the client that it wraps.
/// struct Printing<C>(C);
///
/// impl<C: HttpClient> HttpClient for Printing<C> {
///     async fn send(
///         &self,
///         request: Request<Body>,
///         purpose: Purpose,
///     ) -> Result<Response<Body>, NetworkError> {
///         println!("{purpose:?}");
///         self.0.send(request, purpose).await
///     }
/// }
/// ```
pub trait HttpClient: Send + Sync + 'static {
    /// Sends one request and returns the response once its headers are received.
    fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Response<Body>, NetworkError>> + Send;

    /// [`HttpClient::send`] for a client that knows the cause of a failure. The library calls only
    /// this one.
    fn send_with_cause(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Response<Body>, SendError>> + Send {
        async move { Ok(self.send(request, purpose).await?) }
    }
}

/// A body, whole or streamed.
///
/// ```
/// use quadrille::transport::Body;
///
/// let body = Body::from(bytes::Bytes::from("hello"));
/// assert!(matches!(body, Body::Whole(_)));
/// ```
pub enum Body {
    /// The whole body.
    Whole(Bytes),
    /// A stream of pieces.
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, NetworkError>> + Send>>),
}

impl Body {
    /// A body produced while it is sent.
    pub fn stream(
        stream: impl Stream<Item = Result<Bytes, NetworkError>> + Send + 'static,
    ) -> Self {
        Self::Stream(Box::pin(stream))
    }

    /// The whole body, decompressed, if it has at most `limit` bytes before and after.
    pub(crate) async fn collect_decoded(
        self,
        headers: &HeaderMap,
        limit: usize,
    ) -> Result<Bytes, CollectError> {
        Ok(coding::decoded(headers, self.collect(limit).await?, limit)?)
    }

    /// The whole body, if it has at most `limit` bytes; reading stops there.
    async fn collect(self, limit: usize) -> Result<Bytes, CollectError> {
        let mut stream = match self {
            Self::Whole(bytes) if bytes.len() > limit => return Err(CollectError::TooLarge),
            Self::Whole(bytes) => return Ok(bytes),
            Self::Stream(stream) => stream,
        };
        let Some(first) = next(&mut stream).await else { return Ok(Bytes::new()) };
        let first = first?;
        let mut all = BytesMut::new();
        let mut last = first;
        loop {
            if all.len() + last.len() > limit {
                return Err(CollectError::TooLarge);
            }
            match next(&mut stream).await {
                // Most bodies come in one piece, which need not be copied.
                None if all.is_empty() => return Ok(last),
                None => {
                    all.extend_from_slice(&last);
                    return Ok(all.freeze());
                }
                Some(piece) => {
                    all.extend_from_slice(&last);
                    last = piece?;
                }
            }
        }
    }

    /// The first `limit` bytes, as far as readable, decompressed if possible.
    #[cfg(feature = "consumer")]
    pub(crate) async fn head_decoded(self, headers: &HeaderMap, limit: usize) -> Bytes {
        let head = self.head(limit).await;
        coding::decoded(headers, head.clone(), limit).unwrap_or(head)
    }

    /// The first `limit` bytes, as far as readable.
    #[cfg(feature = "consumer")]
    async fn head(self, limit: usize) -> Bytes {
        let mut all = BytesMut::new();
        let mut stream = match self {
            Self::Whole(mut bytes) => {
                bytes.truncate(limit);
                return bytes;
            }
            Self::Stream(stream) => stream,
        };
        while all.len() < limit
            && let Some(Ok(piece)) = next(&mut stream).await
        {
            all.extend_from_slice(&piece);
        }
        all.truncate(limit);
        all.freeze()
    }
}

/// The pieces as received.
impl Stream for Body {
    type Item = Result<Bytes, NetworkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Self::Stream(stream) => stream.as_mut().poll_next(cx),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

/// The reason why a body cannot be read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CollectError {
    TooLarge,
    /// The content coding is unknown, or the body violates it.
    Coding,
    Network(NetworkError),
}

impl From<NetworkError> for CollectError {
    fn from(error: NetworkError) -> Self {
        Self::Network(error)
    }
}

impl From<DecodeError> for CollectError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooLarge => Self::TooLarge,
            DecodeError::Coding => Self::Coding,
        }
    }
}

/// The next item of a stream.
pub(crate) async fn next<T>(stream: &mut Pin<Box<dyn Stream<Item = T> + Send>>) -> Option<T> {
    std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await
}

/// [`HttpClient`] with its type erased.
pub(crate) trait ErasedClient: Send + Sync {
    fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Body>, SendError>> + Send + '_>>;
}

impl<C: HttpClient> ErasedClient for C {
    fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Body>, SendError>> + Send + '_>> {
        Box::pin(self.send_with_cause(request, purpose))
    }
}
