//! HTTP clients: bare hyper, and reqwest with the application's settings.

use std::{
    env,
    error::Error as StdError,
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use http::{Request, Response, uri::Authority};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{
            HttpConnector,
            dns::{GaiResolver, Name},
        },
    },
    rt::{TokioExecutor, TokioTimer},
};
use tower::Service;

use super::{Body, ErasedClient, HttpClient, NetworkError, NoHttpClient, Purpose, SendError};
use crate::loopback::is_loopback;

/// The timeout of a connection attempt.
const CONNECT: Duration = Duration::from_secs(5);
/// The time for which an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);
/// The same for requests that must not meet a connection that the server is closing. Servers keep
/// unused connections for at least two seconds (gunicorn), most for five and more.
const RECENT: Duration = Duration::from_secs(1);
/// The greatest number of hosts that are remembered.
const MOST_HOSTS: usize = 64;

/// The default client.
pub(crate) fn standard() -> Result<Arc<dyn ErasedClient>, NoHttpClient> {
    let proxy = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].iter().any(|name| {
        env::var_os(name).is_some() || env::var_os(name.to_ascii_lowercase()).is_some()
    });
    if proxy {
        return Ok(Arc::new(Reqwest::standard()?));
    }
    Ok(Arc::new(Direct::to(|_| true)?))
}

/// A client that connects only to addresses that `admits` accepts, and to no name with any other
/// address. It uses no proxy, since that would look names up by itself.
///
/// The caller must check addresses in place of a name: they are not looked up.
#[cfg(any(feature = "provider", feature = "consumer"))]
pub(crate) fn guarded(admits: fn(IpAddr) -> bool) -> Result<Arc<dyn ErasedClient>, NoHttpClient> {
    Ok(Arc::new(Direct::to(admits)?))
}

/// The same, which trusts further certificate authorities, in PEM.
#[cfg(feature = "provider")]
pub(crate) fn guarded_trusting(
    admits: fn(IpAddr) -> bool,
    authorities: &[u8],
) -> Result<Arc<dyn ErasedClient>, NoHttpClient> {
    let authorities = reqwest::Certificate::from_pem_bundle(authorities);
    let authorities = authorities.ok().filter(|all| !all.is_empty()).ok_or(NoHttpClient)?;
    let resolver = Resolver { system: GaiResolver::new(), admits };
    let builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .referer(false)
        .no_proxy()
        .dns_resolver(resolver)
        .tls_certs_merge(authorities);
    Ok(Arc::new(Reqwest::new(builder)?))
}

#[cfg(feature = "provider")]
impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let mut resolver = self.clone();
        Box::pin(async move {
            let found = resolver.call(name.as_str().parse()?).await?;
            Ok(Box::new(found) as reqwest::dns::Addrs)
        })
    }
}

/// hyper and its pool. A login makes two requests, and needs little of a richer client's work per
/// request (redirects, proxies, parsing the URL twice more).
struct Direct {
    pooled: Connections,
    /// For requests that must not meet a connection that the server is closing.
    recent: Connections,
    /// The hosts of such requests. The request for an identity follows that for a token at once,
    /// often at the same host, where it needs no connection and no TLS handshake of its own.
    hosts: RwLock<Vec<Authority>>,
}

type Connections = Client<HttpsConnector<HttpConnector<Resolver>>, Body>;

impl Direct {
    /// A client for addresses that `admits` accepts.
    fn to(admits: fn(IpAddr) -> bool) -> Result<Self, NoHttpClient> {
        let resolver = Resolver { system: GaiResolver::new(), admits };
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .try_with_platform_verifier()
            .map_err(|_| NoHttpClient)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = |idle| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(idle)
                // RFC 9112, section 5.2.
                .http1_allow_obsolete_multiline_headers_in_responses(true)
                .build(connector.clone())
        };
        Ok(Self { pooled: client(IDLE), recent: client(RECENT), hosts: RwLock::default() })
    }

    fn client_for(&self, host: Option<&Authority>, purpose: Purpose) -> &Connections {
        let is_known = || {
            let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
            host.is_some_and(|host| hosts.contains(host))
        };
        if purpose.wants_recent_connection() {
            if let Some(host) = host.filter(|_| !is_known()) {
                let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
                if hosts.len() < MOST_HOSTS {
                    hosts.push(host.clone());
                }
            }
            return &self.recent;
        }
        if purpose == Purpose::Identity && is_known() { &self.recent } else { &self.pooled }
    }
}

impl HttpClient for Direct {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        self.send_with_cause(request, purpose).await.map_err(|error| error.reason)
    }

    async fn send_with_cause(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, SendError> {
        let client = self.client_for(request.uri().authority(), purpose);
        match client.request(request).await {
            Ok(answer) => Ok(answer.map(|body| Body::stream(Frames(body)))),
            Err(error) => Err(SendError::new(told_from(&error, error.is_connect()), error)),
        }
    }
}

/// Looks names up and filters the addresses before the connection: the addresses checked are those
/// connected to, even if the name changes.
#[derive(Clone)]
struct Resolver {
    system: GaiResolver,
    admits: fn(IpAddr) -> bool,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (found, admits) = (self.system.call(name), self.admits);
        Box::pin(async move {
            let found = found.await.map_err(|error| io::Error::other(NameUnknown(error)))?;
            let addresses: Vec<SocketAddr> = found.collect();
            if addresses.iter().all(|address| admits(address.ip())) {
                Ok(addresses.into_iter())
            } else {
                Err(io::Error::other(NotAdmitted))
            }
        })
    }
}

/// A name has an address that is not admitted.
#[derive(Debug)]
struct NotAdmitted;

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address is not one to connect to")
    }
}

impl StdError for NotAdmitted {}

/// A name was not found.
#[derive(Debug)]
struct NameUnknown(io::Error);

impl fmt::Display for NameUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name was not found")
    }
}

impl StdError for NameUnknown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// The fault, by the most specific cause of an error.
fn told_from(error: &(dyn StdError + 'static), is_connect: bool) -> NetworkError {
    let mut told = if is_connect { NetworkError::Connect } else { NetworkError::Interrupted };
    let mut reason = Some(error);
    while let Some(error) = reason {
        if error.is::<NotAdmitted>() {
            return NetworkError::AddressRefused;
        }
        // reqwest looks names up itself, and its error has no type.
        if is_connect && (error.is::<NameUnknown>() || error.to_string() == "dns error") {
            told = NetworkError::Name;
        }
        let io = error.downcast_ref::<io::Error>();
        if told != NetworkError::Name
            && let Some(kind) = io.map(io::Error::kind)
        {
            told = match kind {
                io::ErrorKind::TimedOut => NetworkError::TimedOut,
                io::ErrorKind::ConnectionRefused if is_connect => NetworkError::Refused,
                // The error of a failed handshake; connecting alone reads nothing.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof if is_connect => {
                    NetworkError::Tls
                }
                _ => told,
            };
        }
        // The `source` of a wrapping error skips the wrapped one.
        reason = match io.and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    told
}

/// A received body without its trailers.
struct Frames(Incoming);

impl Stream for Frames {
    type Item = Result<Bytes, NetworkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(_)) => return Poll::Ready(Some(Err(NetworkError::Interrupted))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

/// A body to send.
impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = NetworkError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, NetworkError>>> {
        self.poll_next(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// reqwest without redirects.
///
/// ```
/// use quadrille::{KeyRing, Login, transport::Reqwest};
///
/// // The application's own proxy, certificate authorities, resolver ...
/// let http = Reqwest::new(reqwest::Client::builder().user_agent("photos/1.0"))?;
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example").http(http);
/// # Ok::<(), quadrille::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: reqwest::Client,
    /// For requests that must not meet a connection that the server is closing.
    recent: Option<reqwest::Client>,
    /// For requests to this machine, past the environment's proxies: `http` is allowed there
    /// because secrets do not leave the machine.
    local: Option<reqwest::Client>,
}

impl Reqwest {
    /// A client of this builder, without redirects.
    ///
    /// If it keeps unused connections for longer than a service does (`pool_idle_timeout`), the
    /// redemption of a code may meet one that the service is closing, and the user must log in
    /// again.
    ///
    /// # Errors
    /// [`NoHttpClient`] if reqwest cannot build it.
    pub fn new(builder: reqwest::ClientBuilder) -> Result<Self, NoHttpClient> {
        Ok(Self { client: build(builder)?, recent: None, local: None })
    }

    /// The default client: for clients that wrap it. It uses the environment's proxies, except for
    /// requests to this machine.
    ///
    /// # Errors
    /// [`NoHttpClient`] if reqwest cannot build it.
    pub fn standard() -> Result<Self, NoHttpClient> {
        Self::standard_with(|builder| builder)
    }

    /// The default client for a service whose TLS certificates are not verified.
    #[cfg(feature = "consumer")]
    pub(crate) fn without_verifying_certificates() -> Result<Self, NoHttpClient> {
        Self::standard_with(|builder| builder.tls_danger_accept_invalid_certs(true))
    }

    fn standard_with(
        change: fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self, NoHttpClient> {
        let builder = |idle| {
            let builder = reqwest::Client::builder().connect_timeout(CONNECT).referer(false);
            let builder = builder.http1_allow_obsolete_multiline_headers_in_responses(true);
            change(builder.pool_idle_timeout(idle))
        };
        Ok(Self {
            client: build(builder(IDLE))?,
            recent: Some(build(builder(RECENT))?),
            local: Some(build(builder(RECENT).no_proxy())?),
        })
    }
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, NoHttpClient> {
    builder.redirect(reqwest::redirect::Policy::none()).build().map_err(|_| NoHttpClient)
}

impl HttpClient for Reqwest {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        self.send_with_cause(request, purpose).await.map_err(|error| error.reason)
    }

    async fn send_with_cause(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, SendError> {
        let request = request.map(|body| match body {
            Body::Whole(bytes) => reqwest::Body::from(bytes),
            Body::Stream(stream) => reqwest::Body::wrap_stream(stream),
        });
        let request = reqwest::Request::try_from(request).map_err(|_| NetworkError::Connect)?;
        let local = self.local.as_ref().filter(|_| is_loopback(request.url()));
        let recent = self.recent.as_ref().filter(|_| purpose.wants_recent_connection());
        let client = local.or(recent).unwrap_or(&self.client);
        let response = client.execute(request).await.map_err(|error| {
            // The URL might contain a token.
            SendError::new(network_error(&error), error.without_url())
        })?;
        let mut answer = Response::new(());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        Ok(answer.map(|()| Body::stream(Pieces(Box::pin(response.bytes_stream())))))
    }
}

struct Pieces<S>(Pin<Box<S>>);

impl<S: Stream<Item = reqwest::Result<Bytes>>> Stream for Pieces<S> {
    type Item = Result<Bytes, NetworkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map_err(|error| network_error(&error))
    }
}

fn network_error(error: &reqwest::Error) -> NetworkError {
    if error.is_timeout() { NetworkError::TimedOut } else { told_from(error, error.is_connect()) }
}

#[cfg(test)]
mod tests;
