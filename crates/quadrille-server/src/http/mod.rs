//! The server: connections, their limits, and the way from a request to the router and back.

mod log;
mod proxy;

pub use proxy::remote_address;

use std::{
    convert::Infallible, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration,
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
    sync::Semaphore,
};
use tower::Service as _;

use crate::config::{Issuer, Network};

/// How large the body of a request may be: every one that is taken here is a form.
const BODY_LIMIT: usize = 64 * 1024;

/// How large the head of a request may be. Hyper takes no less than 8 KiB.
const HEAD_LIMIT: usize = 32 * 1024;

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
}

impl Server {
    /// Serves `router` as `issuer`.
    pub fn new(env: Env, issuer: Issuer, limits: Limits, router: Router) -> Self {
        Self(Arc::new(Inner { env, issuer, limits, router }))
    }

    /// Serves until `stop`, then answers what is under way. Says whether all of it was answered in
    /// time.
    pub async fn run(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> bool {
        let limits = &self.0.limits;
        let connections = Arc::new(Semaphore::new(limits.max_connections));
        let graceful = GracefulShutdown::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(HEAD_LIMIT)
            .half_close(false);
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
            let _ = stream.set_nodelay(true);
            let connection = graceful.watch(self.connection(&http, stream, peer));
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(room);
            });
        }
        drop(listener);
        tokio::time::timeout(limits.shutdown_timeout, graceful.shutdown()).await.is_ok()
    }

    fn connection(
        &self,
        http: &http1::Builder,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + use<> {
        let inner = Arc::clone(&self.0);
        http.serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| {
                let inner = Arc::clone(&inner);
                async move { Ok::<_, Infallible>(inner.answer(request, peer).await) }
            }),
        )
    }
}

impl Inner {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let address = remote_address(peer.ip(), request.headers(), &self.limits.trusted_proxies);
        let entry = log::Entry::new(&self.env, &request, address);
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
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
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
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!(%error, "cannot accept connections");
    tokio::time::sleep(Duration::from_millis(200)).await;
}
