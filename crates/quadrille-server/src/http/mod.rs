//! The server: connections, their limits, and the way from a request to the router and back.

mod answer;
mod deadline;
mod descriptors;
mod fair;
mod host;
mod log;
mod places;
mod proxy;

pub(crate) use descriptors::reserve;
pub use proxy::remote_address;

use std::{
    convert::Infallible,
    error::Error as _,
    fmt,
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
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use quadrille::Env;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::{
    config::{Network, ProxyHeader},
    issuer::Issuer,
    meter,
    standing::Standing,
    traces,
};

use deadline::WriteDeadline;
use fair::Shares;
use places::{Place, Places, Taken};

/// The size limit of the head of a request; hyper's own limit is 100 headers. See [`Inner::answer`].
const HEAD_LIMIT: usize = 16 * 1024;

/// The size at which hyper stops reading a head. Its own answer is empty, so a head that is a little
/// too large gets that far.
const MOST_READ: usize = 2 * HEAD_LIMIT;

/// The time after the signal to stop in which connections may send a request that is on its way.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// The limits of a server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The time that the head of a request may take, and that a connection may be idle.
    pub header_timeout: Duration,
    /// The time that the body of a request may take.
    pub body_timeout: Duration,
    /// The time that a client has to read an answer.
    pub write_timeout: Duration,
    /// The time that requests under way have after the signal to stop.
    pub shutdown_timeout: Duration,
    /// The greatest number of connections.
    pub max_connections: usize,
    /// The greatest number of connections of one address, or of one IPv6 network of 48 bits.
    pub max_connections_per_address: usize,
    /// Addresses of the proxies whose `proxy_header` is trusted.
    pub trusted_proxies: Vec<Network>,
    /// The header in which trusted proxies name the client's address.
    pub proxy_header: ProxyHeader,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(10),
            max_connections: 4096,
            max_connections_per_address: 1024,
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::XForwardedFor,
        }
    }
}

/// A server of one site.
#[derive(Clone, Debug)]
pub struct Server(Arc<Inner>);

/// The routes that are served, and what a server knows of their paths.
#[derive(Clone, Debug)]
pub struct Served {
    /// The routes.
    pub router: Router,
    /// The pages, if there are some.
    pub pages: Option<Arc<dyn ServedPages>>,
    /// The path above the endpoints, below that of the issuer.
    pub endpoints: String,
    /// Whether the process may answer.
    pub standing: Standing,
}

/// The pages, as far as the server before the router has to know them.
pub trait ServedPages: fmt::Debug + Send + Sync + 'static {
    /// Whether this path answers a browser with a page.
    fn has(&self, path: &str) -> bool;

    /// The page for a browser whose request no handler sees, with the text of this key, in a language that
    /// the headers accept.
    fn refused(&self, headers: &HeaderMap, status: StatusCode, key: &'static str)
    -> Response<Body>;
}

#[derive(Debug)]
struct Inner {
    env: Env,
    issuer: Issuer,
    limits: Limits,
    served: Served,
    shares: Shares,
    /// Whether the operator was warned about a proxy that is not trusted.
    warned: AtomicBool,
    /// Whether the operator was warned about a proxy that strips the path of the issuer.
    warned_of_path: AtomicBool,
    /// Whether the operator was warned about a trusted proxy that sets the ignored header.
    warned_of_header: AtomicBool,
    /// Whether the operator was warned about an address that reached its share of connections.
    warned_of_share: AtomicBool,
}

/// The open connections, and the means to end them.
struct Connections {
    http: http1::Builder,
    graceful: GracefulShutdown,
    /// Whether each answer closes its connection.
    stopping: Arc<AtomicBool>,
    /// A sender that each connection holds until it ends.
    alive: mpsc::Sender<Infallible>,
}

impl Server {
    /// Serves as `issuer`. A request that no handler sees is answered with JSON, and at the path of a
    /// page with a page if a browser sent it.
    pub fn new(env: Env, issuer: Issuer, limits: Limits, served: Served) -> Self {
        let served = Served { router: traces::note_routes(served.router), ..served };
        Self(Arc::new(Inner {
            env,
            issuer,
            limits,
            served,
            shares: Shares::new(),
            warned: AtomicBool::default(),
            warned_of_path: AtomicBool::default(),
            warned_of_header: AtomicBool::default(),
            warned_of_share: AtomicBool::default(),
        }))
    }

    /// Serves until `stop`, then answers the requests under way. Returns whether all of them were
    /// answered in time.
    pub async fn run(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> bool {
        let limits = &self.0.limits;
        let places = Places::new(
            limits.max_connections,
            limits.max_connections_per_address,
            limits.trusted_proxies.clone(),
        );
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(MOST_READ)
            .half_close(false);
        let (alive, mut all_ended) = mpsc::channel(1);
        let held = Connections {
            http,
            graceful: GracefulShutdown::new(),
            stopping: Arc::default(),
            alive,
        };
        let mut stop = pin!(stop);
        // A connection accepted before the stop that waits for a place.
        let mut last = None;
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    wait_out(&error).await;
                    continue;
                }
            };
            let taken = tokio::select! {
                biased;
                taken = place(&places, peer) => taken,
                () = &mut stop => {
                    last = Some((stream, peer));
                    break;
                }
            };
            match taken {
                Some(place) => self.serve(&held, stream, peer, Some(place)),
                None => self.share_is_used(peer),
            }
        }
        held.stopping.store(true, Ordering::Relaxed);
        // The system would reset waiting connections if the listener were closed now.
        for (stream, peer) in last.into_iter().chain(waiting(listener)) {
            self.serve(&held, stream, peer, None);
        }
        // A connection with a request on its way must not be closed either.
        let Connections { graceful, alive, .. } = held;
        drop(alive);
        let moment = LAST_REQUESTS.min(limits.shutdown_timeout);
        let _ = tokio::time::timeout(moment, all_ended.recv()).await;
        tokio::time::timeout(limits.shutdown_timeout, graceful.shutdown()).await.is_ok()
    }

    fn serve(&self, held: &Connections, stream: TcpStream, peer: SocketAddr, place: Option<Place>) {
        let _ = stream.set_nodelay(true);
        let (inner, stopping) = (Arc::clone(&self.0), Arc::clone(&held.stopping));
        let place = place.map(Arc::new);
        let seat = place.clone();
        let write_timeout = self.0.limits.write_timeout;
        let service = service_fn(move |request| {
            let (inner, stopping) = (Arc::clone(&inner), Arc::clone(&stopping));
            let seat = seat.clone();
            async move {
                let mut response = inner.answer(request, peer, seat.as_deref()).await;
                if stopping.load(Ordering::Relaxed) {
                    response.headers_mut().insert(header::CONNECTION, CLOSE);
                }
                let status = response.status();
                meter::responded(status.as_u16());
                let headers = response.headers_mut();
                if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
                {
                    // Where the wait is known, the answer has it already.
                    headers.entry(header::RETRY_AFTER).or_insert(A_WHILE);
                }
                if inner.issuer.is_https() {
                    headers.insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let stream = TokioIo::new(WriteDeadline::new(stream, write_timeout, place.clone()));
        let connection = held.graceful.watch(held.http.serve_connection(stream, service));
        let alive = held.alive.clone();
        let counted = meter::Connection::opened();
        tokio::spawn(async move {
            let left = async {
                match &place {
                    Some(place) => place.left().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                ended = connection => {
                    if let Err(error) = ended {
                        let cause = error.source().map(tracing::field::display);
                        tracing::debug!(%error, cause, address = %peer.ip(), "a connection ended early");
                    }
                }
                () = left => {
                    tracing::debug!(address = %peer.ip(), "a connection made room for another");
                }
            }
            drop((place, alive, counted));
        });
    }

    /// Warns the operator once that an address reached its share of connections.
    fn share_is_used(&self, peer: SocketAddr) {
        let (address, share) =
            (peer.ip().to_canonical(), self.0.limits.max_connections_per_address);
        meter::limited("connections_of_address");
        if self.0.warned_of_share.swap(true, Ordering::Relaxed) {
            tracing::debug!(%address, "a connection was refused: its address holds its share");
            return;
        }
        tracing::warn!(
            %address,
            "an address holds {share} connections with requests under way, and gets no more \
             (max_connections_per_address); if it is a proxy of yours, add --trusted-proxy \
             {address}"
        );
    }
}

/// A place for a connection from `peer`, as soon as there is one. `None` if the address has its
/// share.
async fn place(places: &Arc<Places>, peer: SocketAddr) -> Option<Place> {
    loop {
        match places.take(peer.ip()) {
            Taken::Place(place) => return Some(place),
            Taken::ShareIsUsed => return None,
            Taken::Full => places.freed().await,
        }
    }
}

/// One year from each answer (RFC 6797). Subdomains are not included, since the program knows
/// nothing of them.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The seconds after which to try again, if no better time is known.
const A_WHILE: HeaderValue = HeaderValue::from_static("10");

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// The connections that the system has accepted. The listener is closed after the last one.
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

/// Waits after a failed accept. A connection that went away needs no wait. Without a free
/// descriptor, an immediate retry would only spin.
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
        // The system has accepted these connections; the program has not seen them yet.
        let asked = [(); 8].map(|()| connect());
        asked.iter().for_each(|mut stream| stream.write_all(REQUEST).unwrap());
        let mut late = connect();
        let silent = connect();
        let people = std::thread::spawn(move || {
            let mut said: Vec<_> = asked.into_iter().map(rest).collect();
            // The first answers show that the stop has begun.
            late.write_all(REQUEST).unwrap();
            said.push(rest(late));
            (said, rest(silent))
        });
        listener.set_nonblocking(true).unwrap();
        let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
        let served = Served {
            router,
            pages: None,
            endpoints: "/oauth".to_owned(),
            standing: Standing::default(),
        };
        let server = Server::new(Env::system(), Issuer::localhost(1), Limits::default(), served);
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
