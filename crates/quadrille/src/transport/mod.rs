//! How requests leave, on either side: the trait that an application may implement, and the clients
//! there are.

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
#[cfg(feature = "provider")]
pub(crate) use clients::guarded;
pub(crate) use clients::standard;

/// What happened on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// No connection, for another reason than those below.
    #[error("no connection")]
    Connect,
    /// The name has no address, or DNS could not be asked.
    #[error("no connection: the name has no address")]
    Name,
    /// Nobody listens at the address, or a firewall says so.
    #[error("no connection: it was refused")]
    Refused,
    /// No TLS: a certificate that is not trusted or of another name, or no common version.
    #[error("no connection: TLS failed")]
    Tls,
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke, or spoke something else than HTTP.
    #[error("the connection broke")]
    Interrupted,
    /// The name leads to an address that is not to be connected to.
    #[error("the name leads to an address that is not to be connected to")]
    AddressRefused,
}

/// [`NetworkError`], and the error that it was told from.
#[derive(Clone, Debug)]
pub struct SendError {
    /// What happened.
    pub reason: NetworkError,
    /// What the operating system, TLS or HTTP said, where it is known.
    pub cause: Option<Cause>,
}

impl SendError {
    /// What happened, told from `cause`. Its text must hold nothing secret: no URL, say.
    pub fn new(reason: NetworkError, cause: impl StdError + Send + Sync + 'static) -> Self {
        Self { reason, cause: Some(Cause(Arc::new(cause))) }
    }
}

impl From<NetworkError> for SendError {
    fn from(reason: NetworkError) -> Self {
        Self { reason, cause: None }
    }
}

/// The error of another library that a [`NetworkError`] was told from: a link in the chain of
/// [`source`](StdError::source), for logs. Two of them compare as equal, so that errors with them can
/// be compared by what happened.
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

/// An HTTP client cannot be made: this machine has no certificate authorities, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client cannot be made")]
pub struct NoHttpClient;

/// What a request is for, so that layers that repeat, record or log know what they must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Asks for temporary credentials (OAuth 1). Each answer is another pair with a secret: never
    /// repeat it, never log its body or its answer.
    TemporaryCredentials,
    /// Redeems a code (OAuth 2) or a verifier (OAuth 1) for a token. Good once: never repeat it,
    /// never log its body or its answer.
    RedeemCode,
    /// Refreshes a token. May be good once: never repeat it, never log its body or its answer.
    Refresh,
    /// Asks who the account is; carries a token in its headers.
    Identity,
    /// A call of the application's; carries a token in its headers.
    Api,
    /// Asks what a token is worth; carries it in its body.
    Introspect,
    /// Asks what a signed request is worth (OAuth 1), which then counts as seen: never repeat it,
    /// never log its body.
    IntrospectSigned,
    /// Gets a document at a URL that a stranger named. Carries nothing; what comes back is not to be
    /// trusted, not even with a place in a log.
    Document,
}

impl Purpose {
    /// Whether sending the same request again is harmless for the login. (Whether it is harmless
    /// for the application, its method says.)
    pub const fn may_be_repeated(self) -> bool {
        matches!(self, Self::Identity | Self::Api | Self::Introspect | Self::Document)
    }

    /// Whether the request is best sent on a connection of its own: it is good once and not repeated,
    /// and a kept connection may be closed at the other end just now.
    pub const fn wants_own_connection(self) -> bool {
        matches!(self, Self::TemporaryCredentials | Self::RedeemCode | Self::Refresh)
    }

    /// Whether bodies may be logged. Headers never may: they hold tokens.
    pub const fn may_be_logged(self) -> bool {
        matches!(self, Self::Api)
    }
}

/// Sends requests. Implemented by [`Reqwest`]; implement it with `async fn` for another client, or
/// for tests.
///
/// It must not follow redirects: whether the token may go there is decided by the caller.
pub trait HttpClient: Send + Sync + 'static {
    /// Sends one request and gives the answer as soon as its headers are there.
    fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Response<Body>, NetworkError>> + Send;

    /// [`HttpClient::send`] for a client that can tell more about a failure. This is what is called.
    fn send_with_cause(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Response<Body>, SendError>> + Send {
        async move { Ok(self.send(request, purpose).await?) }
    }
}

/// A body, whole or as it comes.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// Piece by piece.
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, NetworkError>> + Send>>),
}

impl Body {
    /// A body that is produced while it is sent.
    pub fn stream(
        stream: impl Stream<Item = Result<Bytes, NetworkError>> + Send + 'static,
    ) -> Self {
        Self::Stream(Box::pin(stream))
    }

    /// All of it, if it is no larger than `limit` bytes, also when it is not compressed any more.
    pub(crate) async fn collect_decoded(
        self,
        headers: &HeaderMap,
        limit: usize,
    ) -> Result<Bytes, CollectError> {
        coding::decoded(headers, self.collect(limit).await?, limit)
    }

    /// All of it, if it is no larger than `limit` bytes; reading stops there.
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
                // Most answers come in one piece, which need not be copied.
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

    /// The first `limit` bytes, as far as they can be had, not compressed any more if they can be
    /// read so.
    pub(crate) async fn head_decoded(self, headers: &HeaderMap, limit: usize) -> Bytes {
        let head = self.head(limit).await;
        coding::decoded(headers, head.clone(), limit).unwrap_or(head)
    }

    /// The first `limit` bytes, as far as they can be had.
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

/// Each piece as it comes.
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

/// Why a body could not be had whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CollectError {
    TooLarge,
    /// It is compressed in a way that is not known here, or not in the way that it says.
    Coding,
    Network(NetworkError),
}

impl From<NetworkError> for CollectError {
    fn from(error: NetworkError) -> Self {
        Self::Network(error)
    }
}

/// The next item of a stream.
pub(crate) async fn next<T>(stream: &mut Pin<Box<dyn Stream<Item = T> + Send>>) -> Option<T> {
    std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await
}

/// [`HttpClient`] without its type.
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
