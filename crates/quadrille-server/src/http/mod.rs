//! The server: connections, their limits, and the way from a request to the router and back.

mod log;
mod proxy;

pub use proxy::remote_address;

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Method, Request, Response, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use quadrille::{Env, provider::RemoteAddress};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use tower::Service as _;

use crate::config::{Issuer, Network};

/// How large the body of a request may be: every one that is taken here is a form.
const BODY_LIMIT: usize = 64 * 1024;

/// How large the head of a request may be, 100 headers at most (hyper's own limit). Hyper stops
/// reading there, but has more in its buffer by then: see [`Inner::answer`].
const HEAD_LIMIT: usize = 16 * 1024;

/// How long, after the signal to stop, connections may take to send a request that was on its way.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// What a server insists on.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long the head of a request may take, and a connection lie idle.
    pub header_timeout: Duration,
    /// How long the body may take.
    pub body_timeout: Duration,
    /// How long requests under way may take after the signal to stop.
    pub shutdown_timeout: Duration,
    /// How many connections are held at once.
    pub max_connections: usize,
    /// Whose `Forwarded` headers are believed.
    pub trusted_proxies: Vec<Network>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(10),
            max_connections: 4096,
            trusted_proxies: Vec::new(),
        }
    }
}

/// A server of one site.
#[derive(Clone, Debug)]
pub struct Server(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    env: Env,
    issuer: Issuer,
    limits: Limits,
    router: Router,
    /// Whether the operator was told about a proxy that is not trusted.
    warned: AtomicBool,
}

/// Connections, and how to end them.
struct Connections {
    http: http1::Builder,
    graceful: GracefulShutdown,
    /// Whether every answer is the last one of its connection.
    stopping: Arc<AtomicBool>,
    /// Held by each until it has ended.
    alive: mpsc::Sender<Infallible>,
}

impl Server {
    /// Serves `router` as `issuer`.
    pub fn new(env: Env, issuer: Issuer, limits: Limits, router: Router) -> Self {
        Self(Arc::new(Inner { env, issuer, limits, router, warned: AtomicBool::new(false) }))
    }

    /// Serves until `stop`, then answers what is under way. Says whether all of it was answered in
    /// time.
    pub async fn run(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> bool {
        let limits = &self.0.limits;
        let connections = Arc::new(Semaphore::new(limits.max_connections));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(HEAD_LIMIT)
            .half_close(false);
        let (alive, mut all_ended) = mpsc::channel(1);
        let held = Connections {
            http,
            graceful: GracefulShutdown::new(),
            stopping: Arc::default(),
            alive,
        };
        let mut stop = pin!(stop);
        loop {
            let accepted = async {
                // Whoever comes when there is no room waits in the system's queue.
                let room = Arc::clone(&connections).acquire_owned().await;
                (room, listener.accept().await)
            };
            let (room, accepted) = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = accepted => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    wait_out(&error).await;
                    continue;
                }
            };
            self.serve(&held, stream, peer, room.ok());
        }
        held.stopping.store(true, Ordering::Relaxed);
        // Whoever is connected already would be cut off if the listener were closed now.
        for (stream, peer) in waiting(listener) {
            self.serve(&held, stream, peer, None);
        }
        // So would those be whose request is on its way when their connection is closed.
        let Connections { graceful, alive, .. } = held;
        drop(alive);
        let moment = LAST_REQUESTS.min(limits.shutdown_timeout);
        let _ = tokio::time::timeout(moment, all_ended.recv()).await;
        tokio::time::timeout(limits.shutdown_timeout, graceful.shutdown()).await.is_ok()
    }

    fn serve(
        &self,
        held: &Connections,
        stream: TcpStream,
        peer: SocketAddr,
        room: Option<OwnedSemaphorePermit>,
    ) {
        let _ = stream.set_nodelay(true);
        let (inner, stopping) = (Arc::clone(&self.0), Arc::clone(&held.stopping));
        let service = service_fn(move |request| {
            let (inner, stopping) = (Arc::clone(&inner), Arc::clone(&stopping));
            async move {
                let mut response = inner.answer(request, peer).await;
                if stopping.load(Ordering::Relaxed) {
                    response.headers_mut().insert(header::CONNECTION, CLOSE);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let connection = held.http.serve_connection(TokioIo::new(stream), service);
        let connection = held.graceful.watch(connection);
        let alive = held.alive.clone();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((room, alive));
        });
    }
}

impl Inner {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let address = remote_address(peer.ip(), request.headers(), &self.limits.trusted_proxies);
        if proxy::is_unheeded(peer.ip(), request.headers(), &self.limits.trusted_proxies)
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "a proxy on this machine says for whom it asks, but is not trusted: all visitors share its address; if it is yours, add --trusted-proxy {}",
                peer.ip().to_canonical()
            );
        }
        let entry = log::Entry::new(&self.env, &request, address);
        if head_size(&request) > HEAD_LIMIT {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            entry.write(&self.env, status);
            return refuse(status, "the head of the request is larger than 16 KiB");
        }
        let response = match self.to_public_url(&request) {
            Some(redirect) => redirect,
            None => match self.read(request).await {
                Ok(mut request) => {
                    request.extensions_mut().insert(RemoteAddress(address));
                    let Ok(response) = self.router.clone().call(request).await;
                    response
                }
                Err(refusal) => refusal,
            },
        };
        entry.write(&self.env, response.status());
        response
    }

    /// The way to the public URL for a browser that came to this machine by another of its names:
    /// its cookies would not come along later.
    fn to_public_url(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        let public = self.issuer.authority();
        if host == public || !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let accept = request.headers().get(header::ACCEPT)?.to_str().ok()?;
        let (asked, meant) = (loopback_port(host)?, loopback_port(public)?);
        if asked != meant || !accept.contains("text/html") {
            return None;
        }
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let location = HeaderValue::try_from(format!("{}{path}", self.issuer.origin())).ok()?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        response.headers_mut().insert(header::LOCATION, location);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(response)
    }

    /// The request with all of its body, which has its limits of size and time.
    async fn read(&self, request: Request<Incoming>) -> Result<Request<Body>, Response<Body>> {
        let (head, body) = request.into_parts();
        if hyper::body::Body::is_end_stream(&body) {
            return Ok(Request::from_parts(head, Body::empty()));
        }
        if hyper::body::Body::size_hint(&body).lower() > BODY_LIMIT as u64 {
            return Err(too_large());
        }
        let collect = Limited::new(body, BODY_LIMIT).collect();
        match tokio::time::timeout(self.limits.body_timeout, collect).await {
            Ok(Ok(collected)) => Ok(Request::from_parts(head, Body::from(collected.to_bytes()))),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(refuse(StatusCode::BAD_REQUEST, "the body of the request is broken")),
            Err(_) => Err(refuse(
                StatusCode::REQUEST_TIMEOUT,
                "the body of the request took too long to arrive",
            )),
        }
    }
}

fn too_large() -> Response<Body> {
    refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body of the request is larger than 64 KiB")
}

/// An answer to what is no request that a handler could look at, in the form of RFC 6749, section
/// 5.2, since programs are the only ones to send such.
fn refuse(status: StatusCode, why: &'static str) -> Response<Body> {
    let body = format!("{{\"error\":\"invalid_request\",\"error_description\":\"{why}\"}}");
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The rest of the body is still on its way: it must not be taken for the next request.
    headers.insert(header::CONNECTION, CLOSE);
    response
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// About how many bytes the head of this request had.
fn head_size(request: &Request<Incoming>) -> usize {
    let uri = request.uri();
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = target + uri.authority().map_or(0, |authority| authority.as_str().len());
    request
        .headers()
        .iter()
        .fold(line, |size, (name, value)| size + name.as_str().len() + value.len() + ": \r\n".len())
}

/// The connections that the system has accepted for us; the listener is closed when there are no
/// more.
fn waiting(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    let listener = listener.into_std().ok();
    let accept = move || {
        let listener = listener.as_ref()?;
        loop {
            match listener.accept() {
                Ok(accepted) => return Some(accepted),
                Err(error) if went_away(&error) => {}
                Err(_) => return None,
            }
        }
    };
    std::iter::from_fn(accept).filter_map(|(stream, peer)| {
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer))
    })
}

/// The port of `host` if that is a name of this machine.
fn loopback_port(host: &str) -> Option<&str> {
    ["localhost", "127.0.0.1", "[::1]"].iter().find_map(|name| {
        let rest = host.strip_prefix(name)?;
        if rest.is_empty() { Some("80") } else { rest.strip_prefix(':') }
    })
}

/// After a connection could not be accepted: one that went away is no matter, but where the system
/// has no more descriptors, asking again at once would only heat the room.
async fn wait_out(error: &io::Error) {
    if went_away(error) {
        return;
    }
    tracing::error!(%error, "cannot accept connections");
    tokio::time::sleep(Duration::from_millis(200)).await;
}

fn went_away(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use std::{
        future::ready,
        io::{Read as _, Write as _},
        net::{TcpListener as Listener, TcpStream as Stream},
    };

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    fn rest(mut stream: Stream) -> String {
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    }

    #[tokio::test]
    async fn whoever_is_connected_when_it_stops_is_answered_and_then_let_go() {
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || Stream::connect(address).unwrap();
        // The system has accepted these; the program has seen none of them yet.
        let asked = [(); 8].map(|()| connect());
        asked.iter().for_each(|mut stream| stream.write_all(REQUEST).unwrap());
        let mut late = connect();
        let silent = connect();
        let people = std::thread::spawn(move || {
            let mut said: Vec<_> = asked.into_iter().map(rest).collect();
            // The first answers say that the stop has begun.
            late.write_all(REQUEST).unwrap();
            said.push(rest(late));
            (said, rest(silent))
        });
        listener.set_nonblocking(true).unwrap();
        let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
        let server = Server::new(Env::system(), Issuer::localhost(1), Limits::default(), router);
        assert!(server.run(TcpListener::from_std(listener).unwrap(), ready(())).await);
        let (said, silent) = people.join().unwrap();
        assert_eq!(said.len(), 9);
        for said in said {
            assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("here"), "{said}");
            assert!(said.contains("connection: close"), "{said}");
        }
        assert_eq!(silent, "", "it does not hold the stop up");
        assert!(Stream::connect(address).is_err());
    }
}
