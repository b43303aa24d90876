//! The layer that the extractors of the provider need.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{body::Body, extract::MatchedPath};
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::Body as _;
use tower::{Layer, Service};

use crate::{
    guard::{Guard, GuardBody, Lazy, is_covered, read_body},
    page::Language,
    provider::{AuthorizationServer, OperatorError, Problem, Slot},
};

use super::place::{Lent, Place};

/// The layer of [`AuthorizationServer::layer`].
///
/// ```
/// use axum::Router;
/// use quadrille::provider::AuthorizationServer;
///
/// fn with_extractors(app: Router, server: &AuthorizationServer) -> Router {
///     app.layer(server.layer())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ServerLayer {
    lent: Arc<Lent>,
}

impl ServerLayer {
    pub(super) fn new(server: &AuthorizationServer) -> Self {
        let (server, guard) = (server.clone(), Guard::new(server));
        Self { lent: Arc::new(Lent { server, guard, is_misplaced: false }) }
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        ServerService { layer: self.clone(), inner }
    }
}

/// A service with a [`ServerLayer`] before it.
///
/// ```
/// use quadrille::{web::provider::ServerService, provider::AuthorizationServer};
/// use tower::Layer;
///
/// fn with_extractors<S>(service: S, server: &AuthorizationServer) -> ServerService<S> {
///     server.layer().layer(service)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ServerService<S> {
    layer: ServerLayer,
    inner: S,
}

impl<S, R> Service<http::Request<Body>> for ServerService<S>
where
    S: Service<http::Request<Body>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    R: From<Bytes>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ServerFuture<S::Future, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let lent = &self.layer.lent;
        let server = &lent.server;
        // Only these requests lead to a consent page, whose headers are to be set.
        let path = request.uri().path();
        let is_asking = path == server.authorize_path() || Some(path) == server.device_path();
        let slot = is_asking.then(Slot::default);
        if let Some(slot) = &slot {
            request.extensions_mut().insert(slot.clone());
        }
        let page = Page::of(server, &request);
        let language = Language::of(request.headers());
        let place = Place::of(server, &request);
        place.tell(&mut request);
        let lent = match place {
            Place::Wrong => Arc::new(Lent { is_misplaced: true, ..Lent::clone(lent) }),
            Place::Right | Place::Stripped(_) => Arc::clone(lent),
        };
        let is_empty = request.body().is_end_stream();
        request.extensions_mut().insert(Lazy::new(lent, is_empty));
        if is_empty || !(server.inner().oauth1.is_offered() && is_covered(&request)) {
            let running = Running::Now { future: self.inner.call(request) };
            return ServerFuture { running, slot, page, language };
        }
        // The one that is ready must be the one that is called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let future = Box::pin(async move { inner.call(with_body(request).await).await });
        ServerFuture { running: Running::WithBody { future }, slot, page, language }
    }
}

/// Reads the body if a signature covers it. The signature is checked when a handler asks.
async fn with_body(request: http::Request<Body>) -> http::Request<Body> {
    let (mut parts, body) = request.into_parts();
    let (read, body) = read_body(body).await;
    parts.extensions.insert(read);
    let body = match body {
        GuardBody::Replayed { first, rest: None } => Body::from(first),
        body => Body::new(body),
    };
    http::Request::from_parts(parts, body)
}

pin_project_lite::pin_project! {
    /// The answer of a [`ServerService`].
    ///
    /// ```
    /// use quadrille::web::provider::ServerService;
    /// use tower::Service;
    ///
    /// type Answering<S, R> = <ServerService<S> as Service<R>>::Future;
    /// ```
    pub struct ServerFuture<F, O> {
        #[pin]
        running: Running<F, O>,
        slot: Option<Slot>,
        page: Option<Page>,
        language: Language,
    }
}

/// One of the pages that the application brings.
struct Page {
    method: &'static str,
    path: Box<str>,
    takes: &'static str,
    has_route: bool,
}

impl Page {
    /// The page that a request is for, if it is for one.
    fn of(server: &AuthorizationServer, request: &http::Request<Body>) -> Option<Self> {
        let path = request.uri().path();
        let (method, takes) = match *request.method() {
            Method::POST if path == server.consent_path() => ("POST", "Decision"),
            Method::GET if path == server.authorize_path() => ("GET", "Authorization"),
            Method::GET if Some(path) == server.device_path() => ("GET", "DeviceVerification"),
            Method::GET if Some(path) == server.end_session_path() => ("GET", "EndSession"),
            _ => return None,
        };
        let has_route = request.extensions().get::<MatchedPath>().is_some();
        Some(Self { method, path: path.into(), takes, has_route })
    }

    /// What is wrong if the application answers with this: no handler of its own did.
    fn missing(self, status: StatusCode) -> Option<OperatorError> {
        let is_missing = match status {
            StatusCode::NOT_FOUND => !self.has_route,
            StatusCode::METHOD_NOT_ALLOWED => true,
            _ => false,
        };
        let Self { method, path, takes, .. } = self;
        is_missing.then_some(OperatorError::PageMissing { method, path, takes })
    }
}

pin_project_lite::pin_project! {
    #[project = RunningNow]
    enum Running<F, O> {
        Now { #[pin] future: F },
        WithBody { future: Pin<Box<dyn Future<Output = O> + Send>> },
    }
}

impl<F, O> fmt::Debug for ServerFuture<F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ServerFuture<F, Result<http::Response<R>, E>>
where
    F: Future<Output = Result<http::Response<R>, E>>,
    R: From<Bytes>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let language = *this.language;
        let mut answer = ready!(language.while_running(|| match this.running.project() {
            RunningNow::Now { future } => future.poll(context),
            RunningNow::WithBody { future } => future.as_mut().poll(context),
        }));
        let Ok(response) = &mut answer else { return Poll::Ready(answer) };
        if let Some(slot) = this.slot {
            slot.apply(response);
        }
        if let Some(missing) = this.page.take().and_then(|page| page.missing(response.status())) {
            let shown = language.while_running(|| Problem::show(&missing.into()));
            *response = shown.map(R::from);
        }
        Poll::Ready(answer)
    }
}
